"""The benchmark film-posts: see `tests.scenarios.film_faults` and `tests.scenarios.film_limits`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import Result
from tests.platforms import TAKES_FILMS, platform
from tests.platforms.bluesky import RealBlueskyPlatform, why_not_real
from tests.scenarios.film_faults import film_trials
from tests.scenarios.film_limits import try_films
from tests.scenarios.films import film_file
from tests.scenarios.limits import Tally
from tests.scenarios.publish_faults import SCENARIOS, trials
from tests.scenarios.publishers import Publishers, Trial

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["run"]


def run(every: int = 1) -> Result:
    """Try everything, or every n-th fault."""
    root = Path(tempfile.mkdtemp(prefix="auria-film-posts-"))
    servers: dict[str, Callable[[], Any]] = {name: partial(platform, name) for name in TAKES_FILMS}
    if not (missing := why_not_real()):
        servers["a real Bluesky server"] = RealBlueskyPlatform
    tally, done, words = Tally(), list[Trial](), list[str]()
    with Publishers() as publishers:
        film = film_file(root / "film.mp4")
        for name, serve in servers.items():
            place, scenarios, before = root / name, SCENARIOS[::every], tally.sent
            (place / "scenarios").mkdir(parents=True)
            with serve() as server:
                try_films(server, place, tally)
                runs = list(film_trials(server, place, publishers, every=every))
            if name in TAKES_FILMS:
                folder, count = place / "scenarios", len(scenarios)
                runs += trials(name, count, folder, publishers, scenarios=scenarios, film=film, post=2)
            done += runs
            states = Counter(one.states[1] for one in runs)
            ends = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in states.most_common())
            words.append(f"{name}: {tally.sent - before} films at its limits, {len(runs)} runs with faults ({ends})")
    bad = [one for one in done if one.faults]
    for one in bad:
        print(f"  {one.channel}, {one.scenario} {one.detail}: {'; '.join(one.faults)}", file=sys.stderr)
    for fault in tally.faults:
        print(f"  {fault}", file=sys.stderr)
    if not bad:
        shutil.rmtree(root)
    kinds = Counter(fault.split(":")[0] for one in bad for fault in one.faults)
    doubled, lost = kinds["double"], kinds["lost"]
    figures = (
        f"{len(done)} runs with {len({(one.scenario, one.detail) for one in done})} kinds of faults: {doubled} double,"
        f" {lost} lost, {kinds.total() - doubled - lost} otherwise wrong; limits: {tally.tried.total()} cases,"
        f" {tally.sent} sent and taken, {tally.refused} refused by name, {len(tally.faults)} wrong; {'; '.join(words)}"
        + (f"; no real Bluesky server: {missing}" if missing else "")
    )
    return Result(
        name="film-posts",
        figures=figures,
        bar="every channel that takes films and a real Bluesky server: limits kept, 0 double, 0 lost",
        passed=not bad and not tally.faults and not missing,
    )
