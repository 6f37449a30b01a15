"""The benchmark registry: the folder and a real MLflow server hold one contract; processes promote at once; the server goes away.

On each: rounds in which several processes promote a version each, all instead of the same one; one of them must win. Then the server is
stopped: what is promoted must still be served by a machine, and a change must be refused; started again, the change must work.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from auria_bot.errors import InvalidTransition, RegistryAway
from tests.bench import Result
from tests.platforms.mlflow import RealMlflow, real_program
from tests.unit.services.models.test_versions import Place

__all__ = ["run"]

BAR = "one winner in each round; served and unchanged while the server is away, promoted after"
_ROUNDS, _AT_ONCE = 3, 2


def run() -> Result:
    """Measure both kinds."""
    if real_program() is None:
        return Result(name="registry", figures="no .venv-mlflow: make .venv-mlflow/.installed", bar=BAR, passed=False)
    with tempfile.TemporaryDirectory(prefix="auria-registry-") as folder:
        paths = {name: Path(folder) / name for name in ("folder", "mlflow", "server")}
        for path in paths.values():
            path.mkdir()
        in_folder = _rounds(Place(tmp_path=paths["folder"]))
        with RealMlflow(paths["server"]) as server:
            place = Place(tmp_path=paths["mlflow"], address=server.address)
            on_server = _rounds(place)
            kept, seconds = _away(place, server)
    figures = (
        f"winners in {_ROUNDS} rounds of {_AT_ONCE} processes: folder {in_folder}, MLflow {on_server};"
        f" server away: {'served, changes refused, then promoted' if kept else 'NOT kept'}; a promotion takes {seconds:.2f} s"
    )
    passed = in_folder == on_server == [1] * _ROUNDS and kept
    return Result(name="registry", figures=figures, bar=BAR, passed=passed)


def _rounds(place: Place) -> list[int]:
    """How many processes won in each round."""
    winners = []
    for number in range(_ROUNDS):
        now = place.registry().promoted("captioner")
        names = [place.trained(f"{number}-{one}").name for one in range(_AT_ONCE)]
        begin = time.time() + 4.0  # all have started by then
        command = [sys.executable, "-m", "tests.bench.registry", str(place.tmp_path), place.address, now, str(begin)]
        processes = [subprocess.Popen([*command, name]) for name in names]
        codes = [process.wait(timeout=300) for process in processes]
        winners.append(codes.count(0))
        if place.registry().promoted("captioner") not in names or set(codes) - {0, 1}:
            winners[-1] = -1
    return winners


def _away(place: Place, server: RealMlflow) -> tuple[bool, float]:
    """Whether service went on without the server, and the seconds of a promotion."""
    newer, content = place.trained("newer").name, place.served()
    server.stop()
    registry = place.registry()
    registry.refresh()
    kept = place.served() == content
    try:
        registry.promote("captioner", newer)
        kept = False
    except RegistryAway:
        pass
    server.start()
    begun = time.perf_counter()
    place.registry().promote("captioner", newer)
    return kept and place.served() == "newer", time.perf_counter() - begun


def _promote(arguments: list[str]) -> int:
    folder, address, now, begin, name = arguments
    place: Any = Place(tmp_path=Path(folder), address=address)
    registry = place.registry(name)
    registry.folder("captioner", name)
    time.sleep(max(0.0, float(begin) - time.time()))
    try:
        registry.promote("captioner", name, instead_of=now)
    except InvalidTransition:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_promote(sys.argv[1:]))
