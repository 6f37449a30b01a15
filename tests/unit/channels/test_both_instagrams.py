"""What holds for both Instagram channels: which failures leave the outcome unknown, and how it is found out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import OutcomeUnknown, Rejected, Throttled, Unauthorised
from tests.platforms import FAULTS, platform, ready
from tests.platforms.instagram import InstagramPlatform
from tests.trials import Recorded, found, made, new_post

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.domain.interfaces import Channel
    from auria_bot.domain.post import Post
    from tests.platforms.instagram_graph import InstagramGraphPlatform

MAYBE_SENT = ("cut-after", "cut-within", "slow", "garbage", "500-after", "cut-before", "500")
SURELY_NOT = {"401": Unauthorised, "403": Unauthorised, "429": Throttled}
MUTATION = {"instagram": "/media/configure/", "instagram_graph": "/media_publish"}


@pytest.fixture(params=list(MUTATION))
def server(request: pytest.FixtureRequest) -> Iterator[InstagramPlatform | InstagramGraphPlatform]:
    """An account that is well, on each road."""
    if request.param == "instagram":
        pytest.importorskip("instagrapi")
    with platform(request.param) as started:
        yield started  # type: ignore[misc]


@pytest.fixture
def channel(server: InstagramPlatform | InstagramGraphPlatform, tmp_path: Path) -> Channel:
    """A channel that leads there."""
    return made(server.backend, tmp_path, server)


@pytest.fixture
def post(tmp_path: Path) -> Post:
    """A post."""
    return new_post(tmp_path)


def published_once(server: InstagramPlatform | InstagramGraphPlatform) -> bool:
    """Whether the visible call was sent once, without a further login."""
    logins = server.logins if isinstance(server, InstagramPlatform) else 1
    return (server.proxy.asked(MUTATION[server.backend]), logins) == (1, 1)


@pytest.mark.parametrize("fault", MAYBE_SENT)
def test_what_may_be_out_is_unclear_and_found(
    channel: Channel, server: InstagramPlatform | InstagramGraphPlatform, post: Post, fault: str
) -> None:
    """Nothing is repeated by itself; `find` gives the true outcome, and one more attempt leaves exactly one post."""
    watch = Recorded(post)
    server.fail_next(fault)
    with pytest.raises(OutcomeUnknown):
        channel.publish(post, watch)
    assert published_once(server)
    out = server.visible()
    if out:
        receipt = channel.find(watch.post)
        assert receipt is not None
        assert receipt.id == out[0]["id"]
    else:
        assert found(channel, watch.post) is None
        channel.publish(watch.post, watch)
    assert len(server.visible()) == 1


@pytest.mark.parametrize("fault", SURELY_NOT)
def test_what_is_surely_not_out_says_so(
    channel: Channel, server: InstagramPlatform | InstagramGraphPlatform, post: Post, fault: str
) -> None:
    """Nothing is out, nothing was tried twice, and no secret is told."""
    server.fail_next(fault)
    with pytest.raises(SURELY_NOT[fault]) as told:
        channel.publish(post, ready)
    assert server.visible() == []
    assert published_once(server)
    assert not [secret for secret in server.secrets().values() if secret in str(told.value)]


def test_every_fault_of_the_platform_is_tried() -> None:
    """The two tests above leave none out."""
    assert {*MAYBE_SENT, *SURELY_NOT} == set(FAULTS)


def test_a_reset_is_respected(channel: Channel, server: InstagramPlatform | InstagramGraphPlatform, post: Post) -> None:
    """The app's servers say in how many seconds, the Graph API in how many minutes."""
    server.fail_next("429")
    with pytest.raises(Throttled) as told:
        channel.publish(post, ready)
    assert told.value.until is not None
    assert timedelta(minutes=29) < told.value.until - datetime.now(UTC) <= timedelta(minutes=30)


def test_it_may_be_too_early_to_be_sure(
    server: InstagramPlatform | InstagramGraphPlatform, post: Post, tmp_path: Path
) -> None:
    """A call whose answer was lost may still be dealt with: `find` says when to ask again."""
    watch = Recorded(post)
    server.fail_next("cut-before")
    patient = made(server.backend, tmp_path, server, options={"settle": 60.0})
    with pytest.raises(OutcomeUnknown):
        patient.publish(post, watch)
    with pytest.raises(Throttled) as early:
        patient.find(watch.post)
    assert early.value.until == watch.post.tried_at + timedelta(seconds=60)


def test_words_beyond_the_limits(
    channel: Channel, server: InstagramPlatform | InstagramGraphPlatform, post: Post
) -> None:
    """Hashtags beyond five are left out; a poem that is too long is refused before the network."""
    tags = " ".join(f"#tag{number}" for number in range(7))
    assert channel.fit(f"poem\n\n{tags}", "").dropped == ("#tag6", "#tag5")
    with pytest.raises(Rejected, match="2200"):
        channel.publish(replace(post, text="x" * 2201), ready)
    with pytest.raises(Rejected, match="1000"):
        channel.publish(replace(post, alt_text="x" * 1001), ready)
    assert server.calls == []
