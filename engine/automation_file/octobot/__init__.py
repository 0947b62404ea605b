"""States that OctoBot wrote become states of this engine."""

from engine.automation_file.octobot.importing import Imported, import_octobot
from engine.automation_file.octobot.reading import Note

__all__ = ["Imported", "import_octobot", "Note"]
