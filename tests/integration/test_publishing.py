"""The benchmarks of publishing, in small."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from auria_bot.store.engine import upgrade
from tests.platforms import PLATFORMS, TAKES_FILMS, platform
from tests.scenarios import clocks, film_faults, publish_faults, publish_sqlite
from tests.scenarios.films import film_file
from tests.scenarios.publishers import Publishers, told
from tests.scenarios.publishing import at_once, fill, one_picture, publish_all, tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


_OF_NO_CHANNEL = {"before-claim", "after-claim", "after-commit"}
"""Boundaries between two writes to the database."""


@pytest.fixture(scope="module")
def publishers() -> Iterator[Publishers]:
    """A process that forks publishers which may be killed."""
    with Publishers() as opened:
        yield opened


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """The second post's; None without PyAV, then it is a picture."""
    return film_file(tmp_path_factory.mktemp("film") / "film.mp4") if find_spec("av") else None


@pytest.mark.slow
@pytest.mark.parametrize("channel", PLATFORMS)
def test_nothing_is_posted_twice_or_lost(
    channel: str, publishers: Publishers, tmp_path: Path, film: Path | None
) -> None:
    """Killed or cut off at every boundary, once each: every post is out once when others have gone on.

    Where no channel is asked anything, the first one stands for all.
    """
    own = [name for name in publish_faults.BOUNDARIES if channel == next(iter(PLATFORMS)) or name not in _OF_NO_CHANNEL]
    scenarios = (*own, "in-flight", *publish_faults.CUTS)
    done = list(publish_faults.trials(channel, len(scenarios), tmp_path, publishers, scenarios=scenarios, film=film))
    assert {one.scenario for one in done} == set(scenarios)
    assert [one for one in done if one.faults] == []
    assert {state for one in done for state in one.states} == {"sent"}


@pytest.mark.slow
@pytest.mark.parametrize("channel", PLATFORMS)
def test_misleading_answers_and_withdrawals_do_no_harm(
    channel: str, publishers: Publishers, tmp_path: Path, film: Path | None
) -> None:
    """Some of the scenarios, others for each channel; the benchmark publish-faults lives through all of them."""
    rest = (*publish_faults.TIMELINES, *publish_faults.DRIFTS, *publish_faults.WITHDRAWALS)
    chosen = rest[list(PLATFORMS).index(channel) :: len(PLATFORMS)]
    done = list(publish_faults.trials(channel, len(chosen), tmp_path, publishers, scenarios=chosen, film=film))
    assert {one.scenario for one in done} == set(chosen)
    assert [one for one in done if one.faults] == []


@pytest.mark.slow
@pytest.mark.skipif(find_spec("av") is None, reason="videos need the extra films")
@pytest.mark.parametrize("channel", TAKES_FILMS)
def test_a_film_is_posted_once_whatever_happens_to_its_upload(
    channel: str, publishers: Publishers, tmp_path: Path
) -> None:
    """Some of the faults at its requests, others of each channel; the benchmark film-posts lives through all of them."""
    with platform(channel) as server:
        done = list(film_faults.film_trials(server, tmp_path, publishers, every=29))
    assert [one for one in done if one.faults] == []
    assert {one.states for one in done} == {("sent", "sent")}
    assert {"undisturbed", "after-encoding"} < {one.scenario for one in done}


@pytest.mark.parametrize("scene", clocks.SCENES, ids=lambda scene: scene.__name__)
def test_clocks(scene: Callable[[Path], Iterator[str]], tmp_path: Path) -> None:
    """Leases that run out and a clock that is set back end as the protocol says."""
    assert list(scene(tmp_path / "scene")) == []


@pytest.mark.parametrize("channel", PLATFORMS)
def test_a_token_that_ends_between_upload_and_post(channel: str, tmp_path: Path) -> None:
    """Nothing is out, the channel is paused; when it goes on, everything is."""
    assert list(clocks.expired_token(tmp_path / "home", channel)) == []


@pytest.mark.slow
def test_many_publishers_on_sqlite() -> None:
    """Each post is sent once, and no publisher fails with a locked database."""
    figures, passed = publish_sqlite.measured(posts=60, processes=3)
    assert passed, figures


@pytest.mark.slow
def test_many_publishers_on_postgresql(postgres: Callable[[], str], tmp_path: Path) -> None:
    """Each post once."""
    url = postgres()
    upgrade(url)
    fill(url, range(1, 101), one_picture(tmp_path))
    at_once(4, partial(publish_all, tmp_path, url))
    assert tally(tmp_path, url).clean(100)


def test_the_benchmarks_know_when_a_post_is_doubled_or_lost() -> None:
    """What they count is what followers see."""

    class Server:
        def visible(self) -> list[dict[str, str]]:
            return [{"text": "stone number 1\n#haiku"}, {"text": "stone number 1"}, {"text": "stone number 3"}]

    lines = [f"stone number {number}" for number in (1, 2, 3)]
    wrong = list(told(Server(), ["sent", "sent", "waiting"], lines, "stuck"))  # type: ignore[arg-type]  # a part of one
    assert [words.split(":")[0] for words in wrong] == ["double", "lost", "lost"]
