"""Films whose upload is cut off, or whose publisher is killed, at every request that it makes.

For each channel that takes films, before its platform: a run that is not disturbed lists the requests that a film's publishing makes,
from the first piece of its upload over its processing to the post itself and what follows. Then comes a run for each of them and each
fault: the publisher is killed before the platform acts, or after that and before its answer; the connection breaks before, after and
within the answer; the answer is late, garbage or an error, with and without the act. One more run kills a publisher that has encoded
its film anew and has not kept it yet. Each run has a picture and a film, and afterwards a publisher that is not disturbed. What counts
is what followers see, as in publish-faults.
"""

from __future__ import annotations

import os
import shutil
import signal
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from tests.platforms.proxy import KILLS
from tests.scenarios.changed_answers import drop_faults
from tests.scenarios.films import film_file
from tests.scenarios.mortal_publisher import ENCODING
from tests.scenarios.publish_faults import CUTS, first_lines
from tests.scenarios.publishers import Databases, Trial, new_home, states_of, told
from tests.scenarios.publishing import fill, own_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.platforms import Platform
    from tests.scenarios.publishers import Publishers

__all__ = ["FAULTS", "film_trials", "large_film"]

FAULTS = (*KILLS, *CUTS)
"""What happens at a request."""

_LEAST = 4_200_000  # bytes: more than one piece of an upload to X


def large_film(path: Path) -> Path:
    """A short film that takes several pieces to upload: filled up by a box that players skip (ISO/IEC 14496-12, 8.1.2)."""
    content = film_file(path).read_bytes()
    empty = _LEAST - len(content)
    path.write_bytes(content + empty.to_bytes(4, "big") + b"free" + bytes(empty - 8))
    return path


def film_trials(server: Platform, root: Path, publishers: Publishers, *, every: int = 1) -> Iterator[Trial]:
    """A run for each request and fault.

    Args:
        server: of a channel that takes films, running.
        root: for homes and films.
        publishers: that may be killed.
        every: only every n-th of these runs.
    """
    runs = _FilmRuns(server, root, publishers)
    yield runs.trial("undisturbed")
    places = enumerate(runs.requests, len(runs.before) + 1)
    for number, request, fault in [(*place, fault) for place in places for fault in FAULTS][::every]:
        yield runs.trial(fault, number=number, request=request)
    yield runs.trial(ENCODING)


class _FilmRuns:
    """The runs before one platform."""

    def __init__(self, server: Platform, root: Path, publishers: Publishers) -> None:
        self._server, self._root, self._publishers = server, root, publishers
        self._place: Any = server if server.backend == "x" else server.proxy  # type: ignore[attr-defined]  # what fails
        self._databases = Databases(root)
        self._film = large_film(root / f"{server.backend}.mp4")
        self._unfitting = film_file(root / f"{server.backend}.webm")
        self._count = 0
        self.before: list[str] = []  # the requests of a run until the picture is posted
        self.requests: list[str] = []  # those of the film

    def trial(self, scenario: str, *, number: int = 0, request: str = "") -> Trial:
        """One run, in which the n-th request fails so."""
        self._count += 1
        home, numbers = new_home(self._root, self._count, self._server), [self._count * 2 + 1, self._count * 2 + 2]
        lines, film = first_lines(numbers), self._unfitting if scenario == ENCODING else self._film
        with self._databases.one(home, 0) as database:
            fill(database, numbers, own_pictures(home), channel=self._server.backend, film=film)
            wrong = self._disturbed(home, database, scenario, number)
            self._publishers.begin(home, database, self._server)
            ended, said = self._publishers.end()
            if ended or "Traceback" in said:
                wrong.append(f"the publisher that lives ended with signal {ended}: {said[-500:]}")
            states = states_of(database)
        wrong += told(self._server, states, lines, said, films=lines[1:])
        for one in self._server.visible():
            self._server.remove(one["id"])
        if not wrong:
            shutil.rmtree(home)
        return Trial(
            channel=self._server.backend,
            database="sqlite",
            scenario=scenario,
            detail=f"at request {number}, {request}" if request else "",
            post=2,
            states=tuple(states),
            faults=tuple(wrong),
        )

    def _disturbed(self, home: Path, database: str, scenario: str, number: int) -> list[str]:
        """One round, in which the n-th request fails; what is wrong."""
        child: Future[int] = Future()
        self._place.kill = lambda: os.kill(child.result(10), signal.SIGKILL)
        begun = len(self._requests())
        if number:
            self._place.fail_at(number, scenario)
        kill = (scenario, 1) if scenario == ENCODING else None
        child.set_result(self._publishers.begin(home, database, self._server, kill=kill, once=True))
        ended, said = self._publishers.end()
        drop_faults(self._server)
        if not number:
            self._note(self._requests()[begun:])
        killed = signal.SIGKILL if scenario in {*KILLS, ENCODING} else 0
        return [] if ended == killed and "Traceback" not in said else [f"it ended with signal {ended}: {said[-500:]}"]

    def _requests(self) -> list[str]:
        """Method and path of every request so far."""
        if self._server.backend == "x":
            return list(self._place.state.requests)
        return [f"{method} {path.partition('?')[0]}" for method, path in self._place.requests]

    def _note(self, requests: list[str]) -> None:
        """Divide the requests of an undisturbed run into the picture's and the film's: the films' begin with its upload."""
        if not self.requests:
            first = [place for place, request in enumerate(requests) if _UPLOAD[self._server.backend] in request][1]
            self.before, self.requests = requests[:first], requests[first:]


_UPLOAD = {
    "x": "POST /2/media/upload",
    "bluesky": "uploadBlob",
    "mastodon": "POST /api/v2/media",
    "instagram_graph": "/content_publishing_limit",
}
"""By which request the publishing of a picture or film begins."""
