"""X, against a platform that behaves like it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auria_bot.channels.x.channel import XChannel
from auria_bot.channels.x.session import DuplicateText
from auria_bot.channels.x.text import weighted_length
from auria_bot.domain.post import Post, Receipt
from auria_bot.errors import NotFound, OutcomeUnknown, Rejected, SettingsError, Throttled, Unauthorised
from auria_bot.redaction import redacted
from tests.platforms import MemorySecrets
from tests.platforms.x import XPlatform
from tests.unit.channels.x_account import (
    CREATE,
    ME,
    METADATA,
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

__all__ = ["channel", "make", "platform", "post"]  # the fixtures


def test_a_post_carries_everything(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """Text, one picture, its alt text and the mark of AI; the receipt has address, time and cost."""
    receipt = channel.publish(post, Ready())
    assert new_posts(platform) == [
        {
            "id": receipt.id,
            "text": TEXT,
            "made_with_ai": True,
            "alt_text": "A pond, “still”.",
            "media": 1,
            "film": False,
        }
    ]
    assert receipt.url == f"https://x.com/auria/status/{receipt.id}"
    assert abs(receipt.at - datetime.now(UTC)) < timedelta(seconds=10)
    assert receipt.cost == 0.02
    assert platform.requests() == [ME, UPLOAD, METADATA, CREATE]


def test_the_mark_and_the_alt_text_can_be_left_out(
    make: Callable[..., XChannel], platform: XPlatform, post: Post
) -> None:
    """Then they are neither sent nor charged."""
    receipt = make(made_with_ai=False).publish(replace(post, alt_text=""), Ready())
    assert new_posts(platform)[0]["made_with_ai"] is False
    assert METADATA not in platform.requests()
    assert receipt.cost == 0.015


@pytest.mark.parametrize(
    ("fault", "error", "out"),
    [
        ("cut-before", OutcomeUnknown, False),
        ("cut-after", OutcomeUnknown, True),
        ("cut-within", OutcomeUnknown, True),
        ("slow", OutcomeUnknown, True),
        ("garbage", OutcomeUnknown, True),
        ("list", OutcomeUnknown, True),
        ("500", OutcomeUnknown, False),
        ("500-after", OutcomeUnknown, True),
        ("400", Rejected, False),
        ("401", Unauthorised, False),
        ("402", Unauthorised, False),
        ("403", Rejected, False),
        ("403-app", Unauthorised, False),
        ("403-suspended", Unauthorised, False),
        ("404", Unauthorised, False),
        ("429", Throttled, False),
    ],
)
def test_a_failure_of_the_visible_call_is_told_truthfully(
    channel: XChannel, platform: XPlatform, post: Post, fault: str, error: type[Exception], *, out: bool
) -> None:
    """OutcomeUnknown wherever it may be out; afterwards `find` tells, and a repeated attempt leaves exactly one post."""
    ready = Ready()
    platform.fail_next(fault)
    with pytest.raises(error):
        channel.publish(post, ready)
    assert len(new_posts(platform)) == int(out)
    receipt = channel.find(ready.tried(post))
    assert (receipt is not None) is out
    assert channel.publish(ready.tried(post), ready).id == new_posts(platform)[0]["id"]
    assert len(new_posts(platform)) == 1


def test_an_answer_cut_at_any_byte_loses_and_doubles_nothing(
    channel: XChannel, platform: XPlatform, post: Post
) -> None:
    """Whatever of the answer arrives, the post is out once and is found."""
    for length in [0, 1, 8, 12, 13, 20, 60, 120, 170, 200, 230, 260, 300]:
        attempt, ready = replace(post, text=f"cut after {length} bytes"), Ready()
        platform.fail_next(f"cut-at-{length}")
        try:
            sent = channel.publish(attempt, ready)
        except OutcomeUnknown:
            sent = channel.find(ready.tried(attempt))
        assert sent is not None
        assert [shown["id"] for shown in platform.visible()].count(sent.id) == 1
    assert len(new_posts(platform)) == 13


@pytest.mark.parametrize("route", [ME, UPLOAD, METADATA])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("cut-before", Throttled),
        ("cut-after", Throttled),
        ("cut-within", Throttled),
        ("slow", Throttled),
        ("garbage", Throttled),
        ("500", Throttled),
        ("500-after", Throttled),
        ("429", Throttled),
        ("gate", Throttled),
        ("401", Unauthorised),
        ("402", Unauthorised),
        ("403-app", Unauthorised),
        ("redirect", Unauthorised),
    ],
)
def test_before_the_visible_call_nothing_can_be_out(
    channel: XChannel, platform: XPlatform, post: Post, route: str, fault: str, error: type[Exception]
) -> None:
    """A failure there is never OutcomeUnknown, and the next attempt goes through."""
    ready = Ready()
    platform.fail_route(route, fault)
    with pytest.raises(error):
        channel.publish(post, ready)
    assert ready.memos == []
    assert new_posts(platform) == []
    assert channel.publish(post, ready).id
    assert len(new_posts(platform)) == 1


def test_a_picture_without_its_alt_text_is_not_posted(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """Where X refuses the alt text, nothing goes out."""
    platform.fail_route(METADATA, "400")
    with pytest.raises(Rejected):
        channel.publish(post, Ready())
    assert CREATE not in platform.requests()


def test_an_answer_that_trickles_ends_in_time(make: Callable[..., XChannel], platform: XPlatform, post: Post) -> None:
    """However slowly it comes, a request has a deadline."""
    channel, ready = make(deadline=0.3), Ready()
    platform.fail_next("trickle")
    with pytest.raises(OutcomeUnknown, match="TimeoutError"):
        channel.publish(post, ready)
    assert channel.find(ready.tried(post)) is not None


def test_a_clock_that_is_far_off_is_named(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """X refuses signatures from another hour."""
    platform.clock_ahead = 3600
    with pytest.raises(Unauthorised, match="clock is 60 minutes off"):
        channel.publish(post, Ready())


def test_keys_follow_no_redirect_and_no_proxy(
    channel: XChannel, platform: XPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On this machine a request goes where the address says, whatever the environment wants."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    platform.fail_route(ME, "redirect")
    with pytest.raises(Unauthorised, match="address right"):
        channel.check()
    assert channel.check()
    assert platform.requests() == [ME, ME]


def test_a_web_address_is_refused_before_the_network(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """It costs 13 times as much, and the message says so and what to do."""
    with pytest.raises(Rejected, match=r"'https://example.org/x'.*0\.2 US dollars.*allow_urls = true"):
        channel.publish(replace(post, text="rain\nsee https://example.org/x now"), Ready())
    assert platform.requests() == []


def test_a_web_address_goes_where_the_operator_wants_it(
    make: Callable[..., XChannel], platform: XPlatform, post: Post
) -> None:
    """With its price; and X's own short form of it is known again."""
    channel, ready = make(allow_urls=True), Ready()
    addressed = replace(post, text="rain\nsee https://example.org/x now")
    receipt = channel.publish(addressed, ready)
    assert receipt.cost == 0.205
    tried = replace(addressed, tried_at=datetime.now(UTC))
    assert channel.find(tried) == receipt
    assert make().find(tried) is not None  # although the option was taken back meanwhile


@given(st.text(alphabet="abc 雨🌧é", min_size=1, max_size=300), st.integers(0, 1))
def test_a_text_of_280_fits_and_one_more_does_not(text: str, over: int) -> None:
    """Whatever it is made of; and the words are not changed."""
    channel = _offline()
    text = f"x{text.strip()}x"
    while weighted_length(text) > 279:
        text = text[:-1]
    text = text.rstrip() + "x" * (280 + over - weighted_length(text.rstrip()))
    if over:
        with pytest.raises(Rejected, match="280 characters, and this text has 281"):
            channel.fit(text, "")
    else:
        assert channel.fit(text, "").text == text


@pytest.mark.parametrize(("length", "fits"), [(1000, True), (1001, False)])
def test_an_alt_text_of_1000_fits(
    channel: XChannel, platform: XPlatform, post: Post, length: int, *, fits: bool
) -> None:
    """X takes exactly as much; one more is refused before the network."""
    described = replace(post, alt_text="é" * length)
    if fits:
        channel.publish(described, Ready())
        assert len(new_posts(platform)[0]["alt_text"]) == 1000
    else:
        with pytest.raises(Rejected, match="1000"):
            channel.publish(described, Ready())
        assert platform.requests() == []


def test_hashtags_go_before_the_poem_is_touched() -> None:
    """At most five, and fewer where the text is too long; the poem stays."""
    poem = "雨" * 60 + "\n" + "夜" * 60
    fitted = _offline().fit(f"{poem}\n\n#one #two #three #four #five #six", "")
    assert fitted.text.startswith(poem)
    assert weighted_length(fitted.text) <= 280
    assert fitted.dropped[0] == "#six"
    with pytest.raises(Rejected):
        _offline().fit("雨" * 141, "")


@pytest.mark.parametrize("text", ["", " \n ", "rain\ufeff"])
def test_texts_that_x_does_not_take_are_refused(text: str) -> None:
    """Before the network."""
    with pytest.raises(Rejected):
        _offline().fit(text, "")


def test_engagement_is_counted_and_a_deleted_post_is_gone(channel: XChannel, platform: XPlatform, post: Post) -> None:
    """By its id, or by the address that the operator gave; X answers 200 for a deleted one."""
    receipt = channel.publish(post, Ready())
    platform.like(receipt.id, 3)
    counts = channel.measure(receipt)
    assert (counts.likes, counts.views, counts.reposts, counts.saves) == (3, 9, 0, 0)
    by_hand = Receipt(id=f"https://x.com/auria/status/{receipt.id}?s=20", url="", at=receipt.at)
    assert channel.measure(by_hand).likes == 3
    platform.remove(receipt.id)
    for gone in (receipt, by_hand, Receipt(id="by hand", url="", at=receipt.at)):
        with pytest.raises(NotFound):
            channel.measure(gone)


def test_both_names_of_reposts_are_known(channel: XChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    """X renames the count; what is missing or no number is None."""
    for counts, reposts in (
        ({"retweet_count": 2}, 2),
        ({"repost_count": 5, "retweet_count": 0}, 5),
        ({}, None),
        ({"repost_count": "9"}, None),
    ):
        monkeypatch.setattr("auria_bot.channels.x.api.XApi.counts", lambda _self, _id, found=counts: found)
        assert channel.measure(Receipt(id="1", url="", at=datetime.now(UTC))).reposts == reposts


def test_followers_are_counted(channel: XChannel, platform: XPlatform) -> None:
    """As X tells."""
    platform.followers = 1234
    assert channel.audience().followers == 1234


def test_a_check_says_who_and_what_to_mend(channel: XChannel, platform: XPlatform) -> None:
    """The account's name; a warning where the bio does not speak of automation and of a human."""
    assert channel.check() == "posts as @auria; 12 followers"
    platform.description = "Haiku and paintings"
    assert "warning: X's rules ask for the label 'Automated'" in channel.check()


def test_a_token_that_may_only_read_does_not_pass(channel: XChannel, platform: XPlatform) -> None:
    """Else the first post would find it out."""
    platform.access_level = "read"
    with pytest.raises(Unauthorised, match=r"may only read.*auria channels add x"):
        channel.check()


def test_missing_and_wrong_keys_are_named(make: Callable[..., XChannel], platform: XPlatform, tmp_path: Path) -> None:
    """Which are missing; and new ones are used at once."""
    secrets = MemorySecrets({**platform.secrets(), "api_secret": "", "access_token": "  "})
    channel = XChannel(XChannel.Config(**platform.options()), home=tmp_path, secrets=secrets)
    with pytest.raises(Unauthorised, match="x has no api_secret, access_token; run: auria channels add x") as missing:
        channel.check()
    assert redacted(str(missing.value)) == str(missing.value)  # the mask takes what follows "token:" for a secret
    assert platform.requests() == []
    secrets.values = {**platform.secrets(), "api_secret": "wrong"}
    with pytest.raises(Unauthorised, match="make new keys"):
        channel.check()
    secrets.values = {name: f" {value}\n" for name, value in platform.secrets().items()}
    assert channel.check()


def test_keys_are_not_sent_in_the_clear(make: Callable[..., XChannel]) -> None:
    """Plain http is for this machine only."""
    with pytest.raises(SettingsError, match=r"channels.x.options.address.*use https"):
        make(address="http://api.x.com")


@pytest.mark.parametrize("fault", sorted({*XPlatform.faults, "400", "403-app", "404", "redirect"} - {"slow"}))
def test_no_secret_is_logged_or_said(
    channel: XChannel, platform: XPlatform, post: Post, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """With every logger at DEBUG, and a server that repeats what it was sent."""
    caplog.set_level("DEBUG")
    for name in ("tweepy.client", "requests_oauthlib.oauth1_auth", "oauthlib.oauth1.rfc5849", "urllib3.connectionpool"):
        caplog.set_level("DEBUG", logger=name)
    said = []
    for route in (ME, UPLOAD, METADATA, CREATE, TIMELINE):
        platform.fail_route(route, fault)
        for call in (lambda: channel.publish(post, Ready()), lambda: channel.find(replace(post, tried_at=post.due))):
            try:
                call()
            except Exception as error:  # noqa: BLE001 - every one is looked at
                said += [str(error), repr(error)]
    shown = caplog.text + "".join(said)
    assert said
    for secret in platform.secrets().values():
        assert secret not in shown
    assert 'oauth_signature="' not in shown


def _offline() -> XChannel:
    return XChannel(XChannel.Config(), home=Path("nowhere"), secrets=MemorySecrets())


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
