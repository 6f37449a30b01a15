"""The mastodon channel works with servers of other software."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from auria_bot.errors import NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised
from tests.platforms import ready
from tests.platforms.fediverse import DIALECTS, FediversePlatform
from tests.platforms.proxy import written
from tests.scenarios.dialects import speak
from tests.trials import Recorded, made, new_post, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.channels.mastodon.channel import MastodonChannel


_NO_API = written((404, {"Content-Type": "text/plain"}, b"404 page not found"))
"""What a proxy answers for everything while the server behind it is down."""


@pytest.fixture
def server() -> Iterator[FediversePlatform]:
    """A server with Mastodon's answers."""
    with FediversePlatform(DIALECTS["mastodon"]) as started:
        yield started


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_is_understood(dialect: str, tmp_path: Path) -> None:
    """Check, publish, cut answers, find and measure."""
    assert speak(dialect, tmp_path) == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_deletes(dialect: str, tmp_path: Path) -> None:
    """A status is deleted, also where the answer is cut; a server without that endpoint says how to do it by hand."""
    with FediversePlatform(DIALECTS[dialect]) as server:
        channel = cast("MastodonChannel", made("mastodon", tmp_path, server))
        receipts = [channel.publish(new_post(tmp_path), ready) for _ in range(3)]
        channel.delete(receipts[0], ready)
        server.fail_next_deletions("cut-after")
        with pytest.raises(OutcomeUnknown):
            channel.delete(receipts[1], ready)
        assert [channel.is_published(receipt) for receipt in receipts] == [False, False, True]
        server._delete = lambda identifier: (404, {})  # type: ignore[method-assign]  # none
        with pytest.raises(Rejected, match="this server deletes statuses only on its own pages: http"):
            channel.delete(receipts[2], ready)


def test_scopes_may_be_one_text(tmp_path: Path) -> None:
    """A token that may not write is refused by its scopes, not by their letters."""
    with (
        FediversePlatform(replace(DIALECTS["friendica"], scopes="read follow")) as server,
        pytest.raises(Unauthorised, match="may only follow, read; make one with write:media and write:statuses"),
    ):
        made("mastodon", tmp_path, server).check()


def test_a_server_that_lists_nothing_proves_nothing(tmp_path: Path) -> None:
    """An empty list of an account that has statuses."""
    with FediversePlatform(DIALECTS["takahe"]) as server:
        channel, watch = made("mastodon", tmp_path, server), Recorded(new_post(tmp_path))
        server.fail_next("cut-after")
        with pytest.raises(OutcomeUnknown):
            channel.publish(watch.post, watch)
        listed, server._listed = server._listed, lambda _query: []  # type: ignore[method-assign]  # for a while
        with pytest.raises(Throttled, match="lists no statuses"):
            channel.find(watch.post)
        server._listed = listed  # type: ignore[method-assign]  # as it was
        assert channel.find(watch.post) is not None
        assert len(shown(server, watch.post)) == 1


@pytest.mark.parametrize("status", [404, 405])
def test_an_upload_may_have_the_older_endpoint_only(status: int, tmp_path: Path) -> None:
    """However the server, or a proxy before it, says that it has no other one for this method."""
    with FediversePlatform(DIALECTS["mitra"]) as older:
        older.proxy.rewrite = lambda _method, path, answer: (
            written((status, {}, b"<html>")) if path == "/api/v2/media" else answer
        )
        receipt = made("mastodon", tmp_path, older).publish(new_post(tmp_path), ready)
        assert [one["id"] for one in older.visible()] == [receipt.id]


def test_a_server_that_is_down_behind_its_proxy_is_asked_again(server: FediversePlatform, tmp_path: Path) -> None:
    """It has deleted no status, needs no other settings, and whether a post is out is looked up later."""
    channel, post = cast("MastodonChannel", made("mastodon", tmp_path, server)), new_post(tmp_path)
    receipt = channel.publish(post, ready)
    channel._limits = replace(channel._known_limits(), read_at=1.0)  # long ago
    server.proxy.rewrite = lambda *_: _NO_API
    for ask in (channel.measure, channel.is_published, lambda one: channel.delete(one, ready)):
        with pytest.raises((Throttled, OutcomeUnknown)):
            ask(receipt)
    with pytest.raises(Throttled):
        channel.find(post)
    with pytest.raises(Throttled):
        channel.publish(post, ready)


def test_a_server_need_not_explain_that_a_status_is_missing(server: FediversePlatform, tmp_path: Path) -> None:
    """It is, where the server otherwise answers."""
    channel, post = cast("MastodonChannel", made("mastodon", tmp_path, server)), new_post(tmp_path)
    receipt = channel.publish(post, ready)
    server.remove(receipt.id)
    server.proxy.rewrite = lambda _method, path, answer: _NO_API if path.startswith("/api/v1/statuses/") else answer
    assert not channel.is_published(receipt)
    with pytest.raises(NotFound):
        channel.measure(receipt)
    channel.delete(receipt, ready)
