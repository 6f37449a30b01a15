"""Instagram by the Graph API, against a platform that behaves like it."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.channels.instagram.graph_channel import InstagramGraphChannel
from auria_bot.domain.post import Receipt
from auria_bot.errors import (
    ChannelError,
    InvalidTransition,
    NotFound,
    OutcomeUnknown,
    Rejected,
    SettingsError,
    Throttled,
    Unauthorised,
)
from tests.platforms import MemorySecrets, ready
from tests.platforms.instagram_graph import InstagramGraphPlatform
from tests.trials import Recorded, found, new_post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.domain.post import Post


@pytest.fixture
def platform() -> Iterator[InstagramGraphPlatform]:
    """An account that is well."""
    with InstagramGraphPlatform() as made:
        yield made


@pytest.fixture
def secrets(platform: InstagramGraphPlatform) -> MemorySecrets:
    """What the operator gave."""
    return MemorySecrets(platform.secrets())


@pytest.fixture
def channel(platform: InstagramGraphPlatform, secrets: MemorySecrets, tmp_path: Path) -> InstagramGraphChannel:
    """A channel that leads there."""
    return InstagramGraphChannel(
        InstagramGraphChannel.Config(name="ig", **platform.options()), home=tmp_path, secrets=secrets
    )


@pytest.fixture
def make(
    platform: InstagramGraphPlatform, secrets: MemorySecrets, tmp_path: Path
) -> Callable[..., InstagramGraphChannel]:
    """Channels with other options."""

    def made(**options: Any) -> InstagramGraphChannel:
        config = InstagramGraphChannel.Config(name="ig", **{**platform.options(), **options})
        return InstagramGraphChannel(config, home=tmp_path, secrets=secrets)

    return made


@pytest.fixture
def post(tmp_path: Path) -> Post:
    """A post of the size that is posted."""
    return new_post(tmp_path)


def left_open(channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post, fault: str) -> Post:
    """A post as the publisher stores it after an attempt of unknown outcome."""
    watch = Recorded(post)
    platform.fail_next(fault)
    with pytest.raises(OutcomeUnknown):
        channel.publish(post, watch)
    return watch.post


def test_a_post_goes_out_whole(channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post) -> None:
    """Caption, alt text, the label and the picture's own bytes arrive, and the receipt tells where."""
    receipt = channel.publish(post, ready)
    (sent,) = platform.media
    assert platform.visible() == [{"id": receipt.id, "text": post.text, "alt_text": post.alt_text, "film": False}]
    assert sent["ai"] is True
    assert hashlib.sha256(sent["picture"]).hexdigest() == post.picture_sha256
    assert receipt.url.startswith("https://www.instagram.com/p/")
    assert channel.find(post) == receipt


def test_nothing_stays_outside(channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post) -> None:
    """The picture is taken away once the platform has it."""
    channel.publish(post, ready)
    assert platform.storage.objects == {}
    assert platform.storage.refused == []


def test_ready_stands_right_before_the_mutation(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post
) -> None:
    """It is given the container; whoever was overtaken publishes nothing."""
    seen: list[str] = []

    def taken(memo: str = "") -> None:
        seen.append(memo)
        raise InvalidTransition("taken over")

    with pytest.raises(InvalidTransition):
        channel.publish(post, taken)
    assert seen == list(platform.containers)
    assert platform.visible() == []
    assert not any(path.endswith("media_publish") for _, path in platform.calls)


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ("container-error", Rejected),
        ("quota", Throttled),
        ("token-expired", Unauthorised),
    ],
)
def test_what_is_surely_not_out_says_so(
    channel: InstagramGraphChannel,
    platform: InstagramGraphPlatform,
    post: Post,
    fault: str,
    meaning: type[ChannelError],
) -> None:
    """And nothing is out."""
    platform.fail_next(fault)
    with pytest.raises(meaning) as told:
        channel.publish(post, ready)
    assert platform.visible() == []
    assert platform.token not in str(told.value)


def test_an_expired_container_was_not_published(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post
) -> None:
    """Its status tells."""
    tried = left_open(channel, platform, post, "cut-before")
    platform.containers[tried.memo]["expired"] = True
    assert found(channel, tried) is None


def test_a_published_container_whose_post_is_gone_is_for_the_operator(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post
) -> None:
    """At first the post may merely not be listed yet; after an hour only the operator can decide."""
    tried = left_open(channel, platform, post, "cut-after")
    platform.remove(platform.visible()[0]["id"])
    time.sleep(0.1)
    with pytest.raises(Throttled):
        channel.find(tried)
    with pytest.raises(OutcomeUnknown):
        channel.find(replace(tried, tried_at=datetime.now(UTC) - timedelta(hours=2)))


def test_a_published_container_tells_a_post_whose_words_were_changed(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post
) -> None:
    """If exactly one post was made since then, it is that one; among several the outcome stays unknown."""
    tried = left_open(channel, platform, post, "cut-after")
    (one,) = platform.media
    one["caption"] = "what the platform made of it"
    receipt = channel.find(tried)
    assert receipt is not None
    assert receipt.id == one["id"]
    platform.media.append({**one, "id": str(next(platform._numbers)), "caption": "by hand"})
    with pytest.raises(OutcomeUnknown):
        channel.find(tried)


def test_a_container_that_the_platform_forgot_decides_by_the_list(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post
) -> None:
    """A day later all that was posted since was looked through: absent. Where the list is too short, the operator decides."""
    old = replace(post, memo="17999999999999999", tried_at=datetime.now(UTC) - timedelta(hours=30))
    assert channel.find(old) is None
    for _ in range(1001):
        platform.media.append(
            {
                "id": str(next(platform._numbers)),
                "caption": "another",
                "alt_text": "",
                "likes": 0,
                "views": 0,
                "at": datetime.now(UTC),
                "ai": True,
                "picture": b"",
            }
        )
    with pytest.raises(OutcomeUnknown):
        channel.find(old)


def test_a_post_is_found_behind_others(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post
) -> None:
    """Page by page, back to the attempt."""
    receipt = channel.publish(post, ready)
    mine = platform.media[0]
    platform.media += [{**mine, "id": str(int(mine["id"]) + count), "caption": "another"} for count in range(1, 200)]
    assert channel.find(replace(post, memo="1", tried_at=datetime.now(UTC))) == receipt


def test_a_post_is_found_behind_others_without_a_record_of_its_attempt(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post
) -> None:
    """As a database that was restored from a backup has it: page by page, back to when it was due."""
    receipt = channel.publish(post, ready)
    mine = platform.media[0]
    platform.media += [{**mine, "id": str(int(mine["id"]) + count), "caption": "another"} for count in range(1, 200)]
    assert (post.memo, post.tried_at) == ("", None)
    assert channel.find(post) == receipt
    mine["at"] -= timedelta(days=30)
    assert channel.find(post) is None


def test_an_empty_page_is_not_the_last_one(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meta leaves out of a page what may not be shown, be it all: only a missing next page ends the list."""
    receipt = channel.publish(post, ready)
    read = channel._api.read

    def listed(path: str, token: str, **fields: str) -> dict[str, Any]:
        if path.endswith("/media") and "after" not in fields:
            return {"data": [], "paging": {"cursors": {"after": "0"}, "next": "https://graph.instagram.com/..."}}
        return read(path, token, **fields)

    monkeypatch.setattr(channel._api, "read", listed)
    found = channel.find(replace(post, memo="", tried_at=datetime.now(UTC)))
    assert found is not None
    assert found.id == receipt.id


def test_an_older_post_with_the_same_text_is_not_this_one(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post
) -> None:
    """Only what was posted since the attempt counts."""
    channel.publish(post, ready)
    platform.media[0]["at"] -= timedelta(days=30)
    tried = left_open(channel, platform, post, "cut-before")
    assert found(channel, tried) is None


@pytest.mark.parametrize("memo", ["", "17999999999999999"])
def test_a_like_post_from_before_the_attempt_is_for_the_operator(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post, memo: str
) -> None:
    """This machine's clock may have been hours fast, and no container tells: it would be posted again."""
    channel.publish(post, ready)
    attempt = replace(post, memo=memo, tried_at=datetime.now(UTC) - timedelta(hours=30))
    platform.media[0]["at"] = attempt.tried_at - timedelta(hours=3)
    with pytest.raises(OutcomeUnknown, match="look there" if not memo else "does not tell"):
        channel.find(attempt)
    platform.media[0]["at"] -= timedelta(days=1)
    assert channel.find(attempt) is None


def test_a_post_is_not_lost_where_its_address_cannot_be_asked_for(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post
) -> None:
    """The receipt holds its number all the same."""
    platform.permalinks = False
    receipt = channel.publish(post, ready)
    assert receipt.id == platform.visible()[0]["id"]


def test_counts(channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post) -> None:
    """Likes, comments, views, saves and shares; without the permission for insights, likes and comments."""
    receipt = channel.publish(post, ready)
    platform.like(receipt.id, 3)
    counts = channel.measure(receipt)
    assert (counts.likes, counts.replies, counts.views, counts.saves, counts.reposts) == (3, 1, 3, 4, 2)
    platform.insights_allowed = False
    counts = channel.measure(receipt)
    assert (counts.likes, counts.views, counts.saves) == (3, None, None)
    assert channel.audience().followers == 271
    platform.remove(receipt.id)
    with pytest.raises(NotFound):
        channel.measure(receipt)


def test_the_token_is_renewed_before_it_ends(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, secrets: MemorySecrets
) -> None:
    """A token whose end is near or not known is renewed once, stored and used."""
    assert "the token is valid until" in channel.check()
    renewed = f"{platform.token}R"
    assert secrets.values["access_token"] == renewed
    assert renewed not in secrets.values["token_state"]
    channel.check()
    assert sum(path == "/refresh_access_token" for _, path in platform.calls) == 1
    state = json.loads(secrets.values["token_state"])
    soon, long_ago = datetime.now(UTC) + timedelta(days=5), datetime.now(UTC) - timedelta(days=50)
    secrets.values["token_state"] = json.dumps(state | {"expires": soon.isoformat(), "tried": long_ago.isoformat()})
    channel.check()
    assert secrets.values["access_token"] == f"{renewed}R"


def test_a_token_that_cannot_be_renewed_is_used_while_it_is_good(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    """A young token is refused a renewal: the log says so, the post goes out, and it is tried once a day."""
    platform.refreshable = False
    with caplog.at_level(logging.DEBUG):
        channel.publish(post, ready)
        channel.check()
    assert "could not be renewed" in caplog.text
    assert sum(path == "/refresh_access_token" for _, path in platform.calls) == 1


def test_a_facebook_token_is_not_renewed(
    platform: InstagramGraphPlatform, secrets: MemorySecrets, tmp_path: Path
) -> None:
    """Page tokens do not end."""
    config = InstagramGraphChannel.Config(
        address="https://graph.facebook.com", account="1", storage="https://s3.example", bucket="b"
    )
    made = InstagramGraphChannel(config, home=tmp_path, secrets=secrets)
    assert made._token.current() == platform.token


def test_check_tries_everything(channel: InstagramGraphChannel, platform: InstagramGraphPlatform) -> None:
    """The account, the quota, the token's end, and a picture's way outside."""
    told = channel.check()
    assert "@auria.art" in told
    assert "0 of 100 posts" in told
    assert "pictures can be fetched" in told
    assert platform.storage.objects == {}


def test_an_endpoint_of_ones_own_serves_the_picture(
    make: Callable[..., InstagramGraphChannel], platform: InstagramGraphPlatform, post: Post, tmp_path: Path
) -> None:
    """With `public_url` nothing goes to a storage, and nothing is left in the folder."""
    import threading

    from auria_bot.channels.media.endpoint import picture_server

    server = picture_server(make().endpoint(), host="127.0.0.1", port=0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        own = make(public_url=f"http://127.0.0.1:{server.server_address[1]}/pictures", storage="", bucket="")
        assert "pictures can be fetched" in own.check()
        own.publish(post, ready)
    finally:
        server.shutdown()
        server.server_close()
    assert len(platform.visible()) == 1
    assert platform.storage.log == []
    assert list((tmp_path / "public" / "ig").iterdir()) == []


def test_a_picture_that_cannot_be_fetched_pauses_the_channel(
    make: Callable[..., InstagramGraphChannel], platform: InstagramGraphPlatform, post: Post
) -> None:
    """It is the operator's to put right, and no reason to give a post up."""
    with pytest.raises(Unauthorised, match="public_url"):
        make(public_url="http://127.0.0.1:1", storage="").publish(post, ready)
    with pytest.raises(Unauthorised, match="keys"):
        make(region="us-east-1").publish(post, ready)
    platform.storage.down = True
    with pytest.raises(Throttled):
        make().publish(post, ready)
    assert platform.visible() == []


def test_another_account_is_told(make: Callable[..., InstagramGraphChannel], post: Post) -> None:
    """A number that the token cannot post as pauses the channel; no post is given up for it."""
    other = make(account="123")
    for step in (other.check, other.audience, lambda: other.publish(post, ready), lambda: other.find(post)):
        with pytest.raises(Unauthorised, match="account 123"):
            step()


def test_another_token_is_another_account(
    platform: InstagramGraphPlatform, channel: InstagramGraphChannel, secrets: MemorySecrets, post: Post
) -> None:
    """The operator may replace the token while the daemon runs: the new account is asked from then on."""
    channel.publish(post, ready)
    platform.account, platform.username = "17841405822309999", "auria.two"
    platform.tokens["IGAAanother"] = platform.tokens[secrets.values["access_token"]]
    secrets.put("access_token", "IGAAanother")
    assert channel.check().startswith("@auria.two ")
    assert channel.publish(post, ready).id == platform.visible()[0]["id"]
    assert ("POST", "/v23.0/17841405822309999/media_publish") in platform.calls


def test_what_is_missing_is_named(
    make: Callable[..., InstagramGraphChannel], secrets: MemorySecrets, post: Post
) -> None:
    """A way for pictures, the storage's keys, the token."""
    with pytest.raises(Unauthorised, match="public_url"):
        make(storage="").publish(post, ready)
    del secrets.values["storage_secret"]
    with pytest.raises(Unauthorised, match="storage's keys"):
        make().publish(post, ready)
    del secrets.values["access_token"]
    with pytest.raises(Unauthorised, match="auria channels add ig"):
        make().publish(post, ready)


@pytest.mark.parametrize(
    "options",
    [
        {"address": "http://graph.instagram.com"},
        {"address": "https://graph.facebook.com"},
        {"version": "23"},
        {"account": "auria.art"},
        {"prefix": "a b"},
    ],
)
def test_options_that_make_no_sense(make: Callable[..., InstagramGraphChannel], options: dict[str, Any]) -> None:
    """They are refused before anything is sent."""
    with pytest.raises(SettingsError):
        make(**options)


@pytest.mark.parametrize("fault", InstagramGraphPlatform.faults)
def test_no_secret_is_told(
    channel: InstagramGraphChannel,
    platform: InstagramGraphPlatform,
    secrets: MemorySecrets,
    post: Post,
    fault: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither by errors nor by any log at DEBUG, whatever goes wrong."""
    platform.fail_next(fault)
    with caplog.at_level(logging.DEBUG), pytest.raises(ChannelError) as told:
        channel.publish(post, ready)
    planted = {platform.token, *secrets.values.values()} - {secrets.values["token_state"]}
    text = caplog.text + str(told.value) + repr(channel.config)
    assert [secret for secret in planted if secret in text] == []
    assert "X-Amz-Signature" not in text


def test_a_facebook_token_may_delete(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post
) -> None:
    """With Meta's permission; without it, the sentence names the permission and the app."""
    channel.deletion_obstacle = ""  # as at graph.facebook.com
    receipt = channel.publish(post, ready)
    with pytest.raises(Rejected, match=r"instagram_manage_contents, or delete the post in Instagram's app: http"):
        channel.delete(receipt, ready)
    assert channel.is_published(receipt)
    platform.may_delete = True
    channel.delete(receipt, ready)
    assert not channel.is_published(receipt)
    channel.delete(receipt, ready)


@pytest.mark.parametrize("fault", ["cut-after", "slow", "garbage", "500-after"])
def test_a_deletion_without_an_answer_is_unclear(
    channel: InstagramGraphChannel, platform: InstagramGraphPlatform, post: Post, fault: str
) -> None:
    """Whether the post is still there is read afterwards."""
    channel.deletion_obstacle, platform.may_delete = "", True
    receipt = channel.publish(post, ready)
    platform.fail_next_deletions(fault)
    with pytest.raises(OutcomeUnknown):
        channel.delete(receipt, ready)
    assert not channel.is_published(receipt)


def test_a_refused_question_does_not_prove_that_a_post_is_there(
    channel: InstagramGraphChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been deleted before."""

    def refused(*_: object, **__: object) -> dict[str, Any]:
        raise Rejected("Instagram says: unsupported request")

    monkeypatch.setattr(channel._api, "read", refused)
    with pytest.raises(OutcomeUnknown, match="unsupported request"):
        channel.is_published(
            Receipt(id="17900000000000001", url="https://www.instagram.com/p/x/", at=datetime.now(UTC))
        )
