"""The file a person writes, and the state that it becomes."""

from engine.automation_file.compile import AutomationFileError, load_automation
from engine.automation_file.schema import automation_json_schema

__all__ = ["AutomationFileError", "load_automation", "automation_json_schema"]
