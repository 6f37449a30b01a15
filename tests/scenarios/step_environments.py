"""Two steps whose packages conflict, in one run on a cluster; and a step that wants a GPU where there is none.

Each environment is a virtual environment with its own version of one small package. The program itself has neither.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import sysconfig
import time
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.errors import ClusterError
from auria_bot.execution.cluster import RayExecutor
from auria_bot.execution.dispatcher import DriverOptions
from auria_bot.execution.work_unit import Requirements, UnitFinished, WorkUnit
from tests.scenarios.ray_cluster import ray_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.domain.artwork import ArtworkFile
    from auria_bot.execution.work_unit import Report

__all__ = ["Found", "Versions", "look"]


class Versions:
    """A unit that says which version of the package it has."""

    def __call__(
        self, request: Mapping[str, Any], state: Mapping[str, Any], folder: Path, report: Report
    ) -> tuple[dict[str, Any], dict[str, ArtworkFile]]:
        """Import the package."""
        import leafnames  # type: ignore[import-not-found]

        return {"version": leafnames.VERSION, "prefix": sys.prefix}, {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of it."""

    versions: tuple[str, ...]  # of the package, by unit
    workers: int  # environments that ran them
    refusal: str
    seconds: float  # until the refusal


def look(folder: Path, *, address: str = "") -> Found:
    """Run two units in their environments, then ask for a GPU; on a new cluster, or the one at that address."""
    pythons = [_environment(folder / version, version) for version in ("1.0", "2.0")]
    with contextlib.nullcontext() if address else ray_nodes((1, 1)) as nodes:
        head = nodes.address if nodes else address
        options = DriverOptions(address=head, memory=0, wait=5.0, start=120.0, idle=30.0, attempts=2)
        executor = RayExecutor(options)
        needs = {f"step-{number}": Requirements(interpreter=str(python)) for number, python in enumerate(pythons)}
        place = folder / "run"
        with executor.open(place, needs) as session:
            for number, wanted in enumerate([*needs.values()] * 2):
                (place / f"{number:02d}").mkdir()
                session.submit(
                    WorkUnit(
                        name=f"{number:02d}-leaf",
                        order=(number % 2, number),
                        function=f"{__name__}:Versions",
                        request={},
                        state={},
                        group=f"{number:02d}",
                        requirements=wanted,
                        deadline=60.0,
                    )
                )
            ends = [event for event in session.events() if isinstance(event, UnitFinished)]
        begun, refusal = time.monotonic(), ""
        try:
            with executor.open(place, {"painting": Requirements(gpus=1.0)}):
                pass
        except ClusterError as error:
            refusal = str(error)
        seconds = time.monotonic() - begun
        executor.close()
    states = [dict(end.state) if end.failure is None else {"version": end.failure.message} for end in ends]
    by_name = sorted(zip((end.unit.name for end in ends), states, strict=True), key=lambda pair: pair[0])
    return Found(
        versions=tuple(str(state["version"]) for _, state in by_name),
        workers=len({state.get("prefix") for state in states}),
        refusal=refusal,
        seconds=seconds,
    )


def _environment(folder: Path, version: str) -> Path:
    """A virtual environment with that version of the package, and this program's other packages; its Python."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    command = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    place = Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
    (place / "leafnames.py").write_text(f'VERSION = "{version}"\n', encoding="utf-8")
    root = Path(__file__).parents[2]
    shared = sysconfig.get_path("purelib")
    (place / "shared.pth").write_text(f"{root}\nimport site; site.addsitedir({shared!r})\n", encoding="utf-8")
    return python
