"""Reads the automation file that a command names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from cli.errors import CommandError, ExitCode
from engine.automation_file import load_automation
from engine.state import AutomationState

STDIN: Final = "-"


def read_automation(file: Path) -> AutomationState:
    """Load an automation file, or standard input for `-`.

    Raises:
        AutomationFileError: with everything that is wrong with it.
        CommandError: it cannot be read.
    """
    if str(file) == STDIN:
        return load_automation(sys.stdin.read(), source_name="stdin", folder=Path.cwd())
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}.", ExitCode.WRONG_INPUT) from error
    except UnicodeDecodeError as error:
        message = f"{file}: not UTF-8 text (byte {error.start}). Save the file as UTF-8."
        raise CommandError(message, ExitCode.WRONG_INPUT) from error
    return load_automation(text, source_name=str(file), folder=file.resolve().parent)
