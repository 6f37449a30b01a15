"""A function for units of work in tests: what it does is in the unit's state."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.errors import NoGoodPicture

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.execution.work_unit import Report

__all__ = ["Actions", "ActionsAhead"]


class Actions:
    """Does what it is told, and counts its calls."""

    def __init__(self) -> None:
        self._calls = 0

    def __call__(
        self, request: Mapping[str, Any], state: Mapping[str, Any], folder: Path, report: Report
    ) -> tuple[dict[str, Any], dict[str, ArtworkFile]]:
        """Do what `state["action"]` says."""
        self._calls += 1
        action = state.get("action", "")
        print(f"{action} is performed", flush=True)
        if action == "crash":
            os.write(2, b"the unit was told to crash\n")
            os._exit(3)
        if action == "segfault":
            signal.raise_signal(signal.SIGSEGV)
        if action == "wait":
            time.sleep(state["seconds"])
        if action == "hang":
            time.sleep(600.0)
        if action == "memory":
            kept = []
            while True:
                kept.append(bytearray(os.urandom(1) * (16 << 20)))
        if action == "memory-error":
            raise MemoryError
        if action == "raise":
            raise RuntimeError("the unit was told to fail")
        if action == "own-error":
            raise NoGoodPicture("nothing was good enough")
        files = {}
        if action == "report":
            for number in (1, 2):
                (folder / f"{number}.bin").write_bytes(b"so far")
                report({"layer": number}, {"layer": ArtworkFile.named(f"{number}.bin")})
        if action == "write":
            content = (folder / state["source"]).read_bytes() * 2
            (folder / "double.bin").write_bytes(content)
            files["double"] = ArtworkFile.named("double.bin", sha256="f" * 64, size=len(content))
        facts = {"pid": os.getpid(), "calls": self._calls, "python": sys.argv[0], "request": dict(request)}
        return {**facts, "folder": folder.name}, files


class ActionsAhead(Actions):
    """The same, and is imported ahead as the hint says."""

    def import_ahead(self, hint: Mapping[str, Any]) -> None:
        """Print, tell that this was called, wait for a file, and end, in that order, as far as the hint says so."""
        if "print" in hint:
            print(hint["print"], flush=True)
        if "begun" in hint:
            Path(hint["begun"]).write_text(str(os.getpid()))
        while "until" in hint and not Path(hint["until"]).exists():
            time.sleep(0.01)
        if "exit" in hint:
            os._exit(hint["exit"])
