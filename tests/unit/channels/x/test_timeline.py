"""Where a post of unknown fate is looked for on X, and when it counts as absent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from auria_bot.channels.x.errors import DuplicateText
from auria_bot.errors import OutcomeUnknown, Rejected, Throttled, Unauthorised
from tests.unit.channels.x_account import (
    ME,
    TEXT,
    TIMELINE,
    UPLOAD,
    Ready,
    channel,
    make,
    new_posts,
    platform,
    post,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.channels.x.channel import XChannel
    from auria_bot.domain.post import Post
    from tests.platforms.x import XPlatform

__all__ = ["channel", "make", "platform", "post"]  # the fixtures


def test_absence_takes_time_by_xs_own_clock(make: Callable[..., XChannel], platform: XPlatform, post: Post) -> None:
    """Until the attempt has settled, a post that is not seen may still appear."""
    channel, ready = make(settle=60.0), Ready()
    platform.fail_next("cut-before")
    with pytest.raises(OutcomeUnknown):
        channel.publish(post, ready)
    with pytest.raises(Throttled, match="too early") as caught:
        channel.find(ready.tried(post))
    assert caught.value.until is not None
    assert 55 <= (caught.value.until - datetime.now(UTC)).total_seconds() <= 62
    platform.clock_ahead = 70
    assert channel.find(ready.tried(post)) is None


@pytest.mark.parametrize("ahead", [-250, 250])
def test_a_clock_that_is_off_hides_nothing(channel: XChannel, platform: XPlatform, post: Post, ahead: float) -> None:
    """Attempts are remembered by X's clock, so that this machine's does not matter, nor that it is set meanwhile."""
    ready = Ready()
    platform.clock_ahead = ahead
    platform.fail_next("cut-after")
    with pytest.raises(OutcomeUnknown):
        channel.publish(post, ready)
    found = channel.find(replace(ready.tried(post), tried_at=datetime.now(UTC) - timedelta(hours=1)))
    assert found is not None


def test_a_memo_remembers_the_first_attempt_and_every_picture(
    channel: XChannel, platform: XPlatform, post: Post
) -> None:
    """The window of the search begins at the first, however many follow."""
    ready = Ready()
    platform.fail_next("cut-before", "cut-before", "500")
    tried = post
    for _ in range(3):
        with pytest.raises(OutcomeUnknown):
            channel.publish(tried, ready)
        tried = ready.tried(post)
    firsts = {memo.split()[0] for memo in ready.memos}
    assert len(firsts) == 1
    assert [len(memo.split()) - 2 for memo in ready.memos] == [1, 2, 3]
    assert len(ready.memos[-1]) < 200


@pytest.mark.parametrize("memo", ["", "garbled", "1 2", "99999999999999999999 1 3_5", "x y 3_5"])
def test_without_a_memo_the_attempts_time_serves(channel: XChannel, platform: XPlatform, post: Post, memo: str) -> None:
    """Then the words tell, within a wider window."""
    receipt = channel.publish(post, Ready())
    tried = replace(post, memo=memo, tried_at=datetime.now(UTC))
    if memo == "1 2":
        tried = replace(tried, text=TEXT)
    assert channel.find(tried) == receipt


def test_the_picture_tells_where_the_words_do_not(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """X shows the text otherwise, but the picture is the one that was uploaded."""
    ready = Ready()
    receipt = channel.publish(post, ready)
    platform.state.tweets[receipt.id].text = "something else"
    found = channel.find(ready.tried(post))
    assert found is not None
    assert found.id == receipt.id


def test_the_same_text_from_long_before_are_another_post(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """They are older than the first attempt."""
    platform.add(TEXT, age=3600)
    assert channel.find(replace(post, tried_at=datetime.now(UTC))) is None


def test_the_timeline_is_read_until_it_reaches_back(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """Several pages where much was posted since; no more than the first where that is enough."""
    ready = Ready()
    receipt = channel.publish(post, ready)
    for number in range(230):
        platform.add(f"chatter {number}")
    before = len(platform.requests())
    assert channel.find(ready.tried(post)) == receipt
    assert platform.requests()[before:] == [TIMELINE] * 4
    platform.remove(receipt.id)
    assert channel.find(ready.tried(post)) is None


def test_no_more_is_read_than_tells(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """Every post that is read is charged: five are enough where the fifth is older than the attempt."""
    assert channel.find(replace(post, tried_at=datetime.now(UTC))) is None
    assert platform.requests() == [ME, TIMELINE]


def test_an_empty_timeline_of_an_account_with_posts_is_not_believed(
    channel: XChannel, platform: XPlatform, post: Post
) -> None:
    """X shows nothing during some of its troubles."""
    platform.truncated = True
    with pytest.raises(Throttled, match="not to be trusted"):
        channel.find(replace(post, tried_at=datetime.now(UTC)))


def test_a_timeline_with_gaps_is_not_believed(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """It counts more posts than it shows."""
    platform.partial = True
    with pytest.raises(Throttled, match="incomplete"):
        channel.find(replace(post, tried_at=datetime.now(UTC)))
    receipt = channel.publish(post, Ready())
    assert channel.find(replace(post, tried_at=datetime.now(UTC))) == receipt  # what is shown is there all the same


def test_a_timeline_that_ends_too_early_cannot_tell(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """X shows no more than 3,200 posts of an account."""
    platform.state.tweets.clear()
    for number in range(3300):
        platform.add(f"chatter {number}")
    with pytest.raises(OutcomeUnknown, match="does not reach back"):
        channel.find(replace(post, tried_at=datetime.now(UTC)))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("401", Unauthorised),
        ("402", Unauthorised),
        ("429", Throttled),
        ("500", Throttled),
        ("garbage", Throttled),
        ("cut-within", Throttled),
        ("404", Unauthorised),
    ],
)
def test_what_cannot_be_looked_up_is_not_absent(
    channel: XChannel, platform: XPlatform, post: Post, fault: str, error: type[Exception]
) -> None:
    """A failed look is no answer."""
    platform.fail_route(TIMELINE, fault)
    with pytest.raises(error):
        channel.find(replace(post, tried_at=datetime.now(UTC)))


def test_a_duplicate_is_the_earlier_attempt_that_x_does_not_show_yet(
    channel: XChannel, platform: XPlatform, post: Post
) -> None:
    """X refuses the text a second time: that is evidence, and the post is found as soon as it is shown."""
    ready = Ready()
    platform.fail_next("cut-after")
    with pytest.raises(OutcomeUnknown):
        channel.publish(post, ready)
    platform.hidden = 1
    assert channel.find(ready.tried(post)) is None  # wrong, for it was asked before anything could settle
    with pytest.raises(OutcomeUnknown, match="does not list it yet"):
        channel.publish(ready.tried(post), ready)
    platform.hidden = 0
    receipt = channel.find(ready.tried(post))
    assert receipt is not None
    assert [receipt.id] == [shown["id"] for shown in new_posts(platform)]


def test_a_duplicate_within_one_call_is_the_post(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """X carried the call out twice, and answered for the second time."""
    platform.fail_next("duplicate-after")
    assert [channel.publish(post, Ready()).id] == [shown["id"] for shown in new_posts(platform)]


def test_a_duplicate_of_another_post_is_refused(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """Nothing of this post can be out: neither at its first attempt, nor when its attempts are long past."""
    platform.add(TEXT, age=3600)
    with pytest.raises(Rejected, match="posted this text before"):
        channel.publish(post, Ready())
    long_ago = int((datetime.now(UTC) - timedelta(minutes=15)).timestamp())
    tried = replace(post, memo=f"{long_ago} {long_ago} 3_1", tried_at=datetime.now(UTC))
    with pytest.raises(Rejected, match="posted this text before"):
        channel.publish(tried, Ready())
    assert len(new_posts(platform)) == 1


def test_a_duplicate_whose_timeline_cannot_be_read_is_unclear(
    channel: XChannel, platform: XPlatform, post: Post
) -> None:
    """Only the timeline could tell."""
    platform.add(TEXT, age=3600)
    platform.fail_route(TIMELINE, "500")
    with pytest.raises(OutcomeUnknown) as caught:
        channel.publish(post, Ready())
    assert not isinstance(caught.value, DuplicateText)


def test_a_repeated_attempt_looks_before_it_uploads(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """An earlier attempt that came to light meanwhile is the post."""
    ready = Ready()
    receipt = channel.publish(post, ready)
    assert channel.publish(ready.tried(post), ready) == receipt
    assert platform.requests().count(UPLOAD) == 1
