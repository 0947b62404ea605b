"""The file a person writes, or another program's state, and the state that it becomes."""

from engine.automation_file.compile import AutomationFileError, load_automation
from engine.automation_file.octobot import Imported, Note, import_octobot
from engine.automation_file.schema import automation_json_schema

__all__ = ["AutomationFileError", "load_automation", "Imported", "Note", "import_octobot"]
__all__ += ["automation_json_schema"]
