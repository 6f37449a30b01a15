"""The benchmark of limits detects channels that break them: a smaller form of it."""

from __future__ import annotations

import socket
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from auria_bot import registry
from auria_bot.channels import text_limits
from auria_bot.channels.films import fit_film
from auria_bot.channels.folder.channel import FolderChannel
from auria_bot.channels.x import channel
from auria_bot.domain.interfaces import Limits, PreparedText
from auria_bot.domain.post import FilmLimits
from tests.platforms import PLATFORMS, platform
from tests.scenarios.film_limits import try_films
from tests.scenarios.limits import Tally, try_channel

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.domain.interfaces import ConfirmSend
    from auria_bot.domain.post import Post, Receipt

CHANNELS = [name for name in registry.BACKENDS["channel"] if name != "fake"]


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANNELS)
def test_every_limit_is_kept_without_the_network(name: str, tmp_path: Path) -> None:
    """One case of each, nothing sent."""
    tally = Tally()
    if name in PLATFORMS:
        with platform(name) as server:
            try_channel(name, server, tmp_path, tally, seeds=2, sent=0)
    else:
        try_channel(name, None, tmp_path, tally, seeds=2, sent=0)
    assert tally.faults == []
    assert tally.tried.total() > 0


@pytest.mark.slow
def test_what_is_at_a_limit_is_taken_by_the_platform(tmp_path: Path) -> None:
    """One case of each, sent to Bluesky."""
    tally = Tally()
    with platform("bluesky") as server:
        try_channel("bluesky", server, tmp_path, tally, seeds=1, sent=1)
    assert tally.faults == []
    assert tally.sent > 5


@pytest.mark.slow
@pytest.mark.skipif(find_spec("av") is None, reason="videos need the extra films")
def test_films_are_held_to_the_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a limit of X, within and over it; the stand-in refuses what a careless channel sends."""
    tally = Tally()
    with platform("x") as server:
        try_films(server, tmp_path, tally, only={"rate", "shortest", "codec", "alt text"})
        assert tally.faults == []
        assert (tally.sent, tally.refused) == (8, 2)
        monkeypatch.setattr(channel, "fit_film", lambda post, *_: fit_film(post, FilmLimits(), tmp_path))
        try_films(server, tmp_path, tally, only={"rate"})
    assert ["the platform did not take it" in fault for fault in tally.faults] == [True]


class Careless(FolderChannel):
    """A channel that says one thing and does another."""

    def limits(self) -> Limits:
        return Limits(characters=300, alt_characters=100, hashtags=3)

    def fit(self, text: str, alt_text: str) -> PreparedText:
        return PreparedText(text=text[:300], alt_text=alt_text[:100])


class OneTooMany(Careless):
    """A channel whose limits are one above what it says."""

    def fit(self, text: str, alt_text: str) -> PreparedText:
        return text_limits.fit_text(
            text, alt_text, Limits(characters=301, alt_characters=101, hashtags=4), name=self.name
        )


class Chatty(Careless):
    """A channel that keeps its limits and sends a request before it refuses."""

    def fit(self, text: str, alt_text: str) -> PreparedText:
        return text_limits.fit_text(text, alt_text, self.limits(), name=self.name)

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        with socket.socket() as asked:
            asked.connect_ex(("127.0.0.1", 9))
        self.fit(post.text, post.alt_text)
        return super().publish(post, ready)


def test_a_word_over_the_network_before_a_refusal_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short."""
    monkeypatch.setitem(registry.BACKENDS["channel"], "chatty", f"{__name__}:Chatty")
    tally = Tally()
    try_channel("chatty", None, tmp_path, tally, seeds=1, sent=1)
    assert tally.faults
    assert all("over the network before it was refused" in fault for fault in tally.faults)


@pytest.mark.parametrize("kind", [Careless, OneTooMany])
def test_a_careless_channel_is_found_out(kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cuts poems and alt texts, or takes one too many: each limit is named."""
    monkeypatch.setitem(registry.BACKENDS["channel"], "careless", f"{__name__}:{kind.__name__}")
    tally = Tally()
    try_channel("careless", None, tmp_path, tally, seeds=1, sent=0)
    assert {fault.split(":")[0] for fault in tally.faults} == {
        "careless characters",
        "careless hashtags",
        "careless alt text",
    }
