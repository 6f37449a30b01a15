"""Writes the man page while a wheel is built; it is installed as share/man/man1/auria.1."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["ManualHook"]


class ManualHook(BuildHookInterface[Any]):
    """Adds the man page to a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the page from the commands, and name it as a file to be installed; an editable install gets none."""
        if version != "standard":
            return
        sys.path[:0] = [self.root, str(Path(self.root) / "docs")]
        try:
            from manual import page  # noqa: PLC0415 - found beside this file only now
        finally:
            del sys.path[:2]
        target = Path(self.directory) / "auria.1"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(page(self.metadata.version), encoding="utf-8")
        build_data["shared_data"][str(target)] = "share/man/man1/auria.1"
