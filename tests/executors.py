"""An executor for tests that works in this process as a cluster would: units travel as JSON, files as bytes."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.execution.work_unit import UnitFailure, UnitFinished, UnitProgress, UnitStarted
from auria_bot.execution.worker_main import call
from auria_bot.services.studio.step_worker import StepWorker

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auria_bot.domain.artwork import ArtworkFile
    from auria_bot.execution.work_unit import Requirements, UnitEvent, WorkUnit

__all__ = ["RemoteLikeExecutor"]


class RemoteLikeExecutor:
    """Runs units one after another, each in a scratch folder of its own, with nothing but what the unit names.

    Args:
        last_first: take the unit of the highest order first, as a cluster with many workers may.
    """

    def __init__(self, *, last_first: bool = False) -> None:
        self.peak_bytes = 0
        self._last_first = last_first
        self._folder = Path()
        self._waiting: list[WorkUnit] = []
        self._function = StepWorker()
        self._requests: dict[int, dict[str, Any]] = {}

    @contextlib.contextmanager
    def open(self, folder: Path, needs: Mapping[str, Requirements]) -> Iterator[RemoteLikeExecutor]:
        """A session; see `Executor`."""
        self._folder, self._waiting = folder, []
        yield self

    def submit(self, unit: WorkUnit) -> None:
        """Add a unit."""
        self._waiting.append(unit)

    def events(self) -> Iterator[UnitEvent]:
        """What happens, until every submitted unit has ended."""
        while self._waiting:
            self._waiting.sort(key=lambda unit: unit.order, reverse=self._last_first)
            unit = self._waiting.pop(0)
            yield UnitStarted(unit=unit)
            yield from self._run(unit)

    def _run(self, unit: WorkUnit) -> Iterator[UnitEvent]:
        begun, source = time.monotonic(), self._folder / unit.group
        request = self._requests.setdefault(id(unit.request), json.loads(json.dumps(unit.request)))
        with tempfile.TemporaryDirectory() as name:
            scratch = Path(name) / unit.group
            scratch.mkdir()
            for file in unit.files.values():
                if (source / file.name).exists():
                    (scratch / file.name).write_bytes((source / file.name).read_bytes())
            shown: list[UnitProgress] = []

            def report(facts: dict[str, Any], files: dict[str, ArtworkFile]) -> None:
                for file in files.values():
                    (source / file.name).write_bytes((scratch / file.name).read_bytes())
                shown.append(UnitProgress(unit=unit, facts=json.loads(json.dumps(facts)), files=files))

            result = call(self._function, request, json.loads(json.dumps(unit.state)), scratch, report)
            yield from shown
            seconds = time.monotonic() - begun
            if "error" in result:
                failure = UnitFailure(error=result["error"], message=result["message"])
                yield UnitFinished(unit=unit, seconds=seconds, failure=failure)
                return
            files = result["files"]
            for file in files.values():
                (source / file.name).write_bytes((scratch / file.name).read_bytes())
        assert json.loads(json.dumps({kind: asdict(file) for kind, file in files.items()})) is not None
        yield UnitFinished(unit=unit, seconds=seconds, state=json.loads(json.dumps(result["state"])), files=files)
