"""The benchmark limits: see `tests.scenarios.limits` and `tests.scenarios.film_limits`."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path

from auria_bot import registry
from tests.bench import Result
from tests.platforms import PLATFORMS, TAKES_FILMS, platform
from tests.scenarios.film_limits import try_films
from tests.scenarios.limits import Tally, try_channel

__all__ = ["run"]


def run(seeds: int = 60, sent: int = 3) -> Result:
    """Try all of them."""
    tally = Tally()
    names = [name for name in registry.BACKENDS["channel"] if name != "fake"]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        for name in names:
            server = running.enter_context(platform(name)) if name in PLATFORMS else None
            place = Path(folder) / name
            place.mkdir()
            try_channel(name, server, place, tally, seeds=seeds, sent=sent)
            if server is not None and name in TAKES_FILMS:
                try_films(server, place, tally)
    for fault in tally.faults[:20]:
        print(f"  {fault}")
    kinds = ", ".join(f"{number} of {limit}" for limit, number in tally.tried.items())
    words = (
        f"{len(names)} channels, {tally.tried.total()} cases ({kinds}): {tally.sent} sent and taken by the platform,"
        f" {tally.refused} refused by name without a byte sent; {len(tally.faults)} wrong"
    )
    return Result(
        name="limits",
        figures=words,
        bar="fits or is refused before the network by name; no poem cut",
        passed=not tally.faults and tally.sent > 0 and tally.refused > 0,
    )


if __name__ == "__main__":
    print(run().line())
