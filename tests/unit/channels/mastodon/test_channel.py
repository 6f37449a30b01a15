"""The Mastodon channel, against the package mastodon-mock."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from PIL import Image

from auria_bot.channels.mastodon.channel import MastodonChannel
from auria_bot.errors import NotFound, OutcomeUnknown, Rejected, SettingsError, Throttled, Unauthorised
from tests.platforms import MemorySecrets, ready
from tests.platforms.mastodon import FOLLOWERS, HUMAN, TOKEN, MastodonPlatform
from tests.trials import film_post, new_post, noisy
from tests.unit.channels.killed import publish_and_die

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auria_bot.domain.post import Post

FAULTS = tuple(fault for fault in MastodonPlatform.faults if fault != "bad-limits")
OUT = {"cut-after", "cut-within", "slow", "garbage", "500-after"}
"""Faults after which the post is out."""

CLEAR = {"401": Unauthorised, "403": Unauthorised, "429": Throttled}
"""Faults by which the server says that nothing was done; the others are unclear."""


@pytest.fixture(scope="module")
def platform() -> Iterator[MastodonPlatform]:
    """A server that the tests of this module share; each posts words and a key of its own."""
    with MastodonPlatform() as started:
        yield started


@pytest.fixture
def channel(platform: MastodonPlatform, tmp_path: Path) -> MastodonChannel:
    """The channel, as a process makes it."""
    return another(platform, tmp_path)


@pytest.fixture
def post(tmp_path: Path) -> Post:
    """A post of this test's own, whose words need care in HTML."""
    made = new_post(tmp_path)
    return replace(made, text=f"rain & <ponds>\nthe night {made.key}\n“frost”\n\n— Auria\n#haiku")


def another(platform: MastodonPlatform, home: Path, token: str = TOKEN, **options: Any) -> MastodonChannel:
    """Another channel object, as another process makes it."""
    config = MastodonChannel.Config(**{**platform.options(), **options})
    return MastodonChannel(config, home=home, secrets=MemorySecrets({"access_token": token}))


def shown(platform: MastodonPlatform, post: Post) -> list[dict[str, Any]]:
    """What followers see of this post."""
    return [one for one in platform.visible() if post.key in one["text"]]


def tried(post: Post, channel: MastodonChannel) -> tuple[Post, Exception | None]:
    """The post after an attempt, as the publisher keeps it, and how the attempt failed."""
    kept = [post]

    def remember(memo: str = "") -> None:
        kept.append(replace(post, memo=memo, tried_at=datetime.now(UTC)))

    try:
        channel.publish(post, remember)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return kept[-1], error
    return kept[-1], None


def test_a_post_is_picture_alt_text_and_words(platform: MastodonPlatform, tmp_path: Path, post: Post) -> None:
    """With language and visibility as set; the receipt says where."""
    receipt = another(platform, tmp_path, visibility="unlisted", language="de").publish(post, ready)
    (seen,) = shown(platform, post)
    assert (seen["text"], seen["alt_text"]) == (post.text, post.alt_text)
    assert (seen["status"]["visibility"], seen["status"]["language"]) == ("unlisted", "de")
    assert (receipt.id, receipt.url) == (seen["id"], seen["status"]["url"])
    assert abs(receipt.at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_repeat_within_the_hour_is_the_same_status(
    platform: MastodonPlatform, channel: MastodonChannel, post: Post, tmp_path: Path
) -> None:
    """By the idempotency key, from another process too."""
    receipt = channel.publish(post, ready)
    assert another(platform, tmp_path).publish(post, ready) == receipt
    assert another(platform, tmp_path).find(post) == receipt
    assert len(shown(platform, post)) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_happens_to_the_status_it_is_told_truly(
    platform: MastodonPlatform, channel: MastodonChannel, post: Post, fault: str
) -> None:
    """The error says what is known, `find` says the rest, and the next attempt ends with one post."""
    platform.fail_next(fault)
    after, error = tried(post, channel)
    assert type(error) is CLEAR.get(fault, OutcomeUnknown)
    assert after.memo
    if isinstance(error, Throttled):
        assert timedelta(seconds=60) < error.until - datetime.now(UTC) <= timedelta(seconds=122)
    found = channel.find(after)
    assert (found is not None) is (fault in OUT)
    assert len(shown(platform, post)) == (fault in OUT)
    receipt = channel.publish(post, ready)
    assert found in {None, receipt}
    assert len(shown(platform, post)) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_what_fails_before_the_status_is_surely_not_posted(
    platform: MastodonPlatform, channel: MastodonChannel, post: Post, fault: str
) -> None:
    """Whatever happens to the upload, `ready` is not called, and nothing is said to be unclear."""
    platform.proxy.fail_next(fault, when=lambda method, path: (method, path) == ("POST", "/api/v2/media"))
    after, error = tried(post, channel)
    assert type(error) is (Unauthorised if fault in {"401", "403"} else Throttled)
    assert after.tried_at is None
    assert channel.find(post) is None


def test_an_unreadable_rate_limit_is_harmless(platform: MastodonPlatform, channel: MastodonChannel, post: Post) -> None:
    """In the answer to the upload as to the status."""
    platform.proxy.fail_next("bad-limits", "bad-limits", when=lambda method, _: method == "POST")
    channel.publish(post, ready)
    assert len(shown(platform, post)) == 1


def test_what_the_server_does_not_want_is_refused(
    platform: MastodonPlatform, channel: MastodonChannel, post: Post
) -> None:
    """In its own words."""
    platform.fail_next("422")
    with pytest.raises(Rejected, match="not to our liking"):
        channel.publish(post, ready)
    assert shown(platform, post) == []


def test_a_picture_is_waited_for(platform: MastodonPlatform, channel: MastodonChannel, post: Post) -> None:
    """The status is posted when the server has processed it."""
    before = platform.proxy.asked("/api/v1/media/")
    platform.proxy.fail_next("unprocessed", "unprocessed", when=lambda _, path: "/media" in path)
    channel.publish(post, ready)
    assert platform.proxy.asked("/api/v1/media/") == before + 2
    assert len(shown(platform, post)) == 1


def test_a_picture_that_is_never_processed_is_given_up(platform: MastodonPlatform, post: Post, tmp_path: Path) -> None:
    """For now: nothing was posted."""
    platform.proxy.fail_next("unprocessed", when=lambda _, path: "/media" in path)
    with pytest.raises(Throttled, match="longer than 0 s"):
        another(platform, tmp_path, processing=0).publish(post, ready)


@pytest.mark.skipif(find_spec("av") is None, reason="videos need the extra films")
def test_a_film_that_cannot_be_processed_is_refused(
    platform: MastodonPlatform, channel: MastodonChannel, tmp_path: Path
) -> None:
    """Whether Mastodon says so at once or when it is asked: the film is not uploaded again and again."""
    platform.proxy.fail_next("unprocessable", when=lambda _, path: path.startswith("/api/v1/media/"))
    post = film_post(tmp_path)
    with pytest.raises(Rejected, match="Error processing"):
        channel.publish(post, ready)
    assert shown(platform, post) == []


def test_an_absence_right_after_the_attempt_proves_nothing(
    platform: MastodonPlatform, post: Post, tmp_path: Path
) -> None:
    """The request may still be on its way; later its absence is sure."""
    channel = another(platform, tmp_path, settle=60)
    now = datetime.now(UTC)
    with pytest.raises(Throttled) as early:
        channel.find(replace(post, memo="1", tried_at=now))
    assert early.value.until == now + timedelta(seconds=60)
    assert channel.find(replace(post, memo="1", tried_at=now - timedelta(seconds=61))) is None


def test_the_uploaded_picture_identifies_a_status(
    platform: MastodonPlatform, channel: MastodonChannel, post: Post
) -> None:
    """Though the operator edited its words meanwhile."""
    after, _ = tried(post, channel)
    (seen,) = shown(platform, post)
    body = {"status": f"edited {post.key}", "media_ids": [after.memo]}
    platform.ask("PUT", f"/api/v1/statuses/{seen['id']}", body=body)
    found = channel.find(after)
    assert found is not None
    assert found.id == seen["id"]
    assert channel.find(replace(after, memo="")) is None


def test_an_older_status_with_the_same_text_is_not_it(
    platform: MastodonPlatform, channel: MastodonChannel, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what was posted since the attempt counts, give or take what clocks may differ by."""
    receipt = channel.publish(post, ready)
    later = replace(post, tried_at=receipt.at + timedelta(milliseconds=1), memo="1")
    assert channel.find(later) == receipt
    monkeypatch.setattr("auria_bot.channels.mastodon.channel._SKEW", timedelta(hours=-25))
    assert channel.find(later) is None


def test_a_like_status_from_before_the_attempt_is_for_the_operator(
    platform: MastodonPlatform, channel: MastodonChannel, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a server gives pictures other numbers, and this machine's clock was hours fast, it would be posted again."""
    receipt = channel.publish(post, ready)
    monkeypatch.setattr("auria_bot.channels.mastodon.channel._SKEW", timedelta(hours=-23))
    for attempt in (replace(post, tried_at=receipt.at, memo="1"), replace(post, due=receipt.at)):
        with pytest.raises(OutcomeUnknown, match="from before the attempt by this machine's clock: look there"):
            channel.find(attempt)


def test_a_fast_clock_hides_no_post(platform: MastodonPlatform, channel: MastodonChannel, post: Post) -> None:
    """The status that holds the uploaded picture is the post, though it seems older than the attempt."""
    after, _ = tried(post, channel)
    found = channel.find(replace(after, tried_at=datetime.now(UTC) + timedelta(hours=3)))
    assert found is not None
    assert found.id == shown(platform, post)[0]["id"]


def test_words_alone_are_not_enough(platform: MastodonPlatform, channel: MastodonChannel, post: Post) -> None:
    """The operator's own status without the picture is not the post."""
    platform.ask("POST", "/api/v1/statuses", body={"status": post.text})
    assert channel.find(post) is None


def test_many_newer_statuses_are_looked_through(
    platform: MastodonPlatform, channel: MastodonChannel, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page by page; when there are too many, the operator must look."""
    receipt = channel.publish(post, ready)
    for number in range(5):
        platform.ask("POST", "/api/v1/statuses", body={"status": f"newer {number}"})
    monkeypatch.setattr("auria_bot.channels.mastodon.channel._PAGE", 2)
    assert channel.find(post) == receipt
    monkeypatch.setattr("auria_bot.channels.mastodon.channel._PAGES", 2)
    with pytest.raises(OutcomeUnknown, match="more than 4 newer"):
        channel.find(post)


def test_check_says_who_we_are_and_whether_we_are_marked_as_a_bot(platform: MastodonPlatform, tmp_path: Path) -> None:
    """And how to mark an account that is not."""
    words = another(platform, tmp_path).check()
    assert words.startswith("@auria on http://127.0.0.1")
    assert words.endswith("; marked as a bot")
    assert "Automated account" in another(platform, tmp_path, HUMAN).check()


def test_check_finds_a_token_that_may_not_post(platform: MastodonPlatform, channel: MastodonChannel) -> None:
    """Before anything is uploaded with it."""
    platform.proxy.fail_next("read-only", when=lambda _, path: path == "/api/v1/apps/verify_credentials")
    with pytest.raises(Unauthorised, match="profile, read, write:media; make one with write:statuses"):
        channel.check()


def test_nothing_is_led_elsewhere(platform: MastodonPlatform, channel: MastodonChannel, post: Post) -> None:
    """A server that points to another is a matter of the settings; after sending, it is unclear what it did."""
    platform.proxy.fail_next("302", when=lambda _, path: "verify_credentials" in path)
    with pytest.raises(Unauthorised, match="redirects to another address"):
        channel.check()
    platform.fail_next("302")
    with pytest.raises(OutcomeUnknown):
        channel.publish(post, ready)


def test_the_servers_limits_are_read_and_remembered(platform: MastodonPlatform, tmp_path: Path) -> None:
    """By every process afterwards, without the network; another server's are not taken for this one's."""
    channel = another(platform, tmp_path)
    before = len(platform.proxy.requests)
    assert channel.limits().picture_bytes == 8_000_000
    channel.check()
    assert len(platform.proxy.requests) > before
    seen = len(platform.proxy.requests)
    assert another(platform, tmp_path).limits().picture_bytes == 10_485_760
    assert another(platform, tmp_path).limits().picture_pixels == 4096
    assert another(platform, tmp_path, instance="https://elsewhere.example").limits().picture_bytes == 8_000_000
    assert len(platform.proxy.requests) == seen


def test_limits_are_read_once_a_day(platform: MastodonPlatform, post: Post, tmp_path: Path) -> None:
    """At the first publish, not at each."""
    before = platform.proxy.asked("/api/v2/instance")
    another(platform, tmp_path).publish(post, ready)
    another(platform, tmp_path).publish(replace(post, key=f"{post.key}-2"), ready)
    assert platform.proxy.asked("/api/v2/instance") == before + 1


def test_a_server_that_is_not_mastodon_is_found_out(platform: MastodonPlatform, post: Post, tmp_path: Path) -> None:
    """Nothing is posted, and the setting is named."""
    with pytest.raises(Unauthorised, match="check instance of mastodon"):
        another(platform, tmp_path, instance=f"{platform.proxy.address}/media").publish(post, ready)


@pytest.mark.parametrize("token", ["wrong-token-of-nobody", ""])
def test_a_wrong_token_needs_the_operator(platform: MastodonPlatform, post: Post, tmp_path: Path, token: str) -> None:
    """In every call; it is not shown."""
    channel = another(platform, tmp_path, token)
    for ask in (channel.check, channel.audience, lambda: channel.publish(post, ready), lambda: channel.find(post)):
        with pytest.raises(Unauthorised) as refused:
            ask()
        assert "wrong-token" not in str(refused.value)


def test_a_token_that_names_a_file_is_no_file(
    platform: MastodonPlatform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client library would read it."""
    (tmp_path / TOKEN).write_text("something else")
    monkeypatch.chdir(tmp_path)
    assert "@auria" in another(platform, tmp_path).check()


def test_counts_are_the_servers(platform: MastodonPlatform, channel: MastodonChannel, post: Post) -> None:
    """Favourites, boosts, replies and followers."""
    receipt = channel.publish(post, ready)
    platform.like(receipt.id, 3)
    platform.repost(receipt.id, 2)
    platform.ask("POST", "/api/v1/statuses", token=HUMAN, body={"status": "lovely", "in_reply_to_id": receipt.id})
    counts = channel.measure(receipt)
    assert (counts.likes, counts.reposts, counts.replies, counts.views) == (3, 2, 1, None)
    assert channel.audience().followers == FOLLOWERS


def test_a_deleted_post_is_noticed(platform: MastodonPlatform, channel: MastodonChannel, post: Post) -> None:
    """So is what never was a post."""
    receipt = channel.publish(post, ready)
    platform.remove(receipt.id)
    for gone in (receipt, replace(receipt, id="gone"), replace(receipt, id="../accounts/1")):
        with pytest.raises(NotFound):
            channel.measure(gone)
    assert channel.find(post) is None


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"text": "x" * 501}, "500 characters"),
        ({"text": "é" * 501}, "500 characters"),
        ({"alt_text": "x" * 1501}, "1500"),
    ],
)
def test_what_does_not_fit_is_refused(
    platform: MastodonPlatform, channel: MastodonChannel, post: Post, changes: dict[str, str], limit: str
) -> None:
    """Before anything is uploaded, with the limit named; one less is taken."""
    channel.check()
    before = len(platform.proxy.requests)
    with pytest.raises(Rejected, match=limit):
        channel.publish(replace(post, **changes), ready)
    assert len(platform.proxy.requests) == before
    assert channel.publish(replace(post, **{name: value[:-1] for name, value in changes.items()}), ready)


def test_a_picture_too_large_is_made_smaller(
    platform: MastodonPlatform, channel: MastodonChannel, post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bytes and pixels that the server takes."""
    monkeypatch.setattr(
        "mastodon_mock.serializers.instance._MEDIA_CONFIG", {"image_size_limit": 200_000, "image_matrix_limit": 250_000}
    )
    large = noisy(post, tmp_path, width=640, height=800)
    channel.publish(large, ready)
    (seen,) = shown(platform, post)
    sent = (
        Path(platform.server._server.config.app.state.media_path)
        / "attachments"
        / seen["status"]["media_attachments"][0]["url"].rsplit("/")[-1]
    )
    assert sent.stat().st_size <= 200_000 < Path(large.picture).stat().st_size
    with Image.open(sent) as image:
        assert max(image.size) <= 500


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_killed_around_the_status(
    platform: MastodonPlatform, channel: MastodonChannel, post: Post, tmp_path: Path, when: str
) -> None:
    """Killed between upload and status, nothing is out; killed right after it, it is; the next attempt makes it one."""
    memo = publish_and_die(post, platform, home=tmp_path, when=when)
    after = replace(post, memo=memo, tried_at=datetime.now(UTC))
    found = channel.find(after)
    assert (found is not None) is (when == "after")
    assert channel.publish(post, ready) == (found or channel.find(after))
    assert len(shown(platform, post)) == 1


def test_no_secret_is_shown(
    platform: MastodonPlatform, post: Post, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In messages and in everything that is logged, whatever fails."""
    caplog.set_level(logging.DEBUG)
    told = []
    for fault in FAULTS:
        channel = another(platform, tmp_path)
        platform.fail_next(fault)
        _, error = tried(replace(post, key=f"{post.key}{fault}"), channel)
        told += [str(error), repr(error), repr(error.__cause__)]
    told += [repr(channel), repr(channel._server), repr(channel.config), *caplog.messages]
    assert not any(TOKEN in words for words in told)
    assert any("/api/v1/statuses" in words for words in caplog.messages)


def test_settings_are_checked(tmp_path: Path) -> None:
    """Plain http is for this machine; a visibility is one of four."""
    for options in ({"instance": "http://example.org"}, {"instance": "mastodon"}, {"visibility": "secret"}):
        with pytest.raises(SettingsError):
            MastodonChannel(MastodonChannel.Config(**options), home=tmp_path, secrets=MemorySecrets())
    bare = MastodonChannel(MastodonChannel.Config(), home=tmp_path, secrets=MemorySecrets())
    assert bare.limits().characters == 500
    with pytest.raises(Unauthorised, match="no instance; run: auria channels add"):
        bare.check()


def test_an_avatar_is_replaced(
    platform: MastodonPlatform, channel: MastodonChannel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a form to the account's profile; a token without that scope is told which one is missing."""
    sent = list[tuple[str, str, object]]()
    forward = requests.Session.request

    def request(session: requests.Session, method: str, address: str, **options: Any) -> requests.Response:
        sent.append((method, address.removeprefix(platform.proxy.address), options["files"]))
        return forward(session, method, address, **options)

    monkeypatch.setattr(requests.Session, "request", request)
    channel.set_avatar(b"a picture", "image/jpeg")
    form = {"avatar": ("avatar.jpg", b"a picture", "image/jpeg")}
    assert sent == [("PATCH", "/api/v1/accounts/update_credentials", form)]
    with pytest.raises(Unauthorised, match="needs the scope write:accounts"):
        another(platform, tmp_path, "none").set_avatar(b"", "image/jpeg")
