"""How the x channel asks for posts' fields, and what it concludes when an answer lacks what is needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.channels.answers import ChannelCache
from auria_bot.errors import OutcomeUnknown, Rejected, Throttled
from tests.scenarios.films import film_file
from tests.unit.channels.x_account import ME, TIMELINE, Ready, channel, make, new_posts, platform, post

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auria_bot.channels.x.channel import XChannel
    from auria_bot.domain.post import Post
    from tests.platforms.x import XPlatform

__all__ = ["channel", "make", "platform", "post"]


@pytest.mark.parametrize("ignores", [False, True], ids=["refuses", "ignores"])
def test_an_older_server_is_asked_by_the_older_name(
    make: Callable[..., XChannel], platform: XPlatform, post: Post, tmp_path: Path, ignores: bool
) -> None:
    """Told apart once, by a refusal or by posts without the fields; the next process knows it."""
    platform.contract, platform.ignores = False, ignores
    tried = replace(post, tried_at=datetime.now(UTC))
    assert make().find(tried) is None
    assert platform.requests() == [ME, TIMELINE, TIMELINE]
    assert ChannelCache(tmp_path, "x").load() == {"post_fields": "tweet.fields"}
    before = len(platform.requests())
    assert make().find(tried) is None
    assert platform.requests()[before:] == [ME, TIMELINE]
    receipt = make().publish(post, Ready())
    platform.like(receipt.id, 2)
    before = len(platform.requests())
    counts = make().measure(receipt)
    assert (counts.likes, counts.reposts) == (2, 0)
    assert len(platform.requests()) == before + 1


def test_a_server_that_was_renewed_is_asked_by_the_newer_name(
    make: Callable[..., XChannel], platform: XPlatform, post: Post, tmp_path: Path
) -> None:
    """What was remembered is replaced."""
    ChannelCache(tmp_path, "x").save({"post_fields": "tweet.fields"})
    assert make().find(replace(post, tried_at=datetime.now(UTC))) is None
    assert ChannelCache(tmp_path, "x").load() == {"post_fields": "post.fields"}


def test_posts_are_counted_by_either_name(make: Callable[..., XChannel], platform: XPlatform, post: Post) -> None:
    """An empty timeline of an account with posts is not trusted on either server."""
    platform.truncated = True
    for platform.contract in (True, False):
        with pytest.raises(Throttled, match="lists 0 posts of an account that has 6"):
            make().find(replace(post, tried_at=datetime.now(UTC)))


def test_without_the_count_an_empty_timeline_proves_nothing(
    channel: XChannel, platform: XPlatform, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The post went out, the answer was cut, and X lists nothing: no second post is made."""
    ready = Ready()
    platform.fail_next("cut-after")
    with pytest.raises(OutcomeUnknown):
        channel.publish(post, ready)
    platform.truncated = True
    answer = platform._me

    def without_count(*args: Any) -> Any:
        status, body = answer(*args)
        del body["data"]["public_metrics"]["post_count"]
        return status, body

    monkeypatch.setattr(platform, "_me", without_count)
    with pytest.raises(OutcomeUnknown, match="does not say how many posts"):
        channel.find(ready.tried(post))
    with pytest.raises(OutcomeUnknown):
        channel.publish(ready.tried(post), ready)
    assert len(new_posts(platform)) == 1


def test_a_timeline_without_its_next_page_is_not_whole(
    channel: XChannel, platform: XPlatform, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the token of the next page is missing, fewer posts are listed than the account has."""
    ready = Ready()
    channel.publish(post, ready)
    for number in range(9):
        platform.add(f"chatter {number}")
    answer = platform._timeline

    def without_token(*args: Any) -> Any:
        status, body = answer(*args)
        body["meta"].pop("next_token", None)
        return status, body

    monkeypatch.setattr(platform, "_timeline", without_token)
    with pytest.raises(Throttled, match="lists 5 posts of an account that has 16"):
        channel.find(ready.tried(post))


films = pytest.mark.skipif(find_spec("av") is None, reason="videos need the extra films")


@films
@pytest.mark.parametrize("contract", [True, False], ids=["unreasoned", "reasoned"])
def test_a_film_that_x_cannot_process_is_refused(
    channel: XChannel, platform: XPlatform, tmp_path: Path, contract: bool
) -> None:
    """With X's reason where it gives one; nothing was posted."""
    platform.contract = contract
    film = tmp_path / "film.mp4"
    film.write_bytes(b"no film")
    reason = "no reason given" if contract else "Invalid data"
    with pytest.raises(Rejected, match=f"cannot process the film: .*{reason}"):
        channel._api().upload_film(film, patience=5.0)


@films
@pytest.mark.parametrize("silent", ["finalize", "both", "refused"])
def test_a_film_whose_processing_x_does_not_tell_of(
    channel: XChannel, platform: XPlatform, tmp_path: Path, silent: str
) -> None:
    """It is asked for once more; what X does not speak of then either is processed."""

    def rewrite(method: str, path: str, body: Any) -> Any:
        told = path.endswith("/finalize") or (method == "GET" and path.endswith("/upload") and silent == "both")
        kept = {name: value for name, value in body.get("data", {}).items() if name != "processing_info"}
        return {**body, "data": kept} if told else body

    platform.rewrite = rewrite
    if silent == "refused":
        platform.fail_route("GET /2/media/upload", "400")
    channel._api().upload_film(film_file(tmp_path / "film.mp4", seconds=0.6), patience=5.0)
    looks = platform.requests().count("GET /2/media/upload")
    assert looks == (2 if silent == "finalize" else 1)


@films
def test_a_film_that_x_ceases_to_tell_of_is_not_taken_for_processed(
    channel: XChannel, platform: XPlatform, tmp_path: Path
) -> None:
    """It is posted later."""
    platform.rewrite = lambda method, _, body: {"data": {"id": "1"}} if method == "GET" else body
    with pytest.raises(Throttled, match="longer than 0 s"):
        channel._api().upload_film(film_file(tmp_path / "film.mp4", seconds=0.6), patience=0.0)
