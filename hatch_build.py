"""The build hook: writes the commit into what is built, where no `.git` tells it any more."""

from __future__ import annotations

import runpy
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CommitHook(BuildHookInterface[Any]):
    """Adds `activities/commit.txt` to wheels and source distributions."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the file, unless the checkout is read in place, or a source distribution has it already."""
        names = runpy.run_path(str(Path(self.root, "activities", "build_id.py")))
        commit = names["commit_with_changes"](Path(self.root))
        if version == "editable" or commit is None:
            return
        self._folder = Path(tempfile.mkdtemp())
        written = self._folder / names["COMMIT_FILE"]
        written.write_text(f"{commit}\n")
        build_data["force_include"][str(written)] = f"activities/{written.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002
        """Remove what was only there to be packed."""
        if hasattr(self, "_folder"):
            shutil.rmtree(self._folder)
