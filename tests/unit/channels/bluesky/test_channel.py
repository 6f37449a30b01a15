"""The Bluesky channel; tests/live runs the same tests against a real PDS."""

from __future__ import annotations

import gzip
import json
import logging
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.channels.bluesky.atproto_session import ENTRYWAY
from auria_bot.channels.bluesky.channel import BlueskyChannel
from auria_bot.channels.bluesky.record import record_key
from auria_bot.domain.post import Post, Receipt
from auria_bot.errors import DiskError, NotFound, OutcomeUnknown, Rejected, SettingsError, Throttled, Unauthorised
from tests.platforms import FAULTS, MemorySecrets, ready
from tests.platforms.atproto_server import ask
from tests.platforms.bluesky import HANDLE, BlueskyPlatform
from tests.platforms.http_server import HttpServer
from tests.scenarios.changed_answers import EmptyTimeline, changed_answers
from tests.trials import new_post, noisy
from tests.unit.channels.killed import publish_and_die

if TYPE_CHECKING:
    from collections.abc import Iterator

OUT = {"cut-after", "cut-within", "slow", "garbage", "500-after"}
"""Faults after which the post is out."""

CLEAR = {"401": Unauthorised, "403": Unauthorised, "429": Throttled}
"""Faults by which the server says that nothing was done; the others are unclear."""


@pytest.fixture(scope="module")
def platform() -> Iterator[BlueskyPlatform]:
    """A server that the tests of this module share; each posts under its own key."""
    with BlueskyPlatform() as started:
        yield started


@pytest.fixture
def secrets(platform: BlueskyPlatform) -> MemorySecrets:
    """The channel's secrets, without a session."""
    return MemorySecrets(platform.secrets())


@pytest.fixture
def channel(platform: BlueskyPlatform, secrets: MemorySecrets, tmp_path: Path) -> BlueskyChannel:
    """The channel, as a process makes it."""
    return another(platform, secrets, tmp_path)


@pytest.fixture
def post(tmp_path: Path) -> Post:
    """A post of this test's own."""
    return new_post(tmp_path)


def another(platform: BlueskyPlatform, secrets: MemorySecrets, home: Path, **options: Any) -> BlueskyChannel:
    """Another channel object, as another process makes it."""
    return BlueskyChannel(BlueskyChannel.Config(**{**platform.options(), **options}), home=home, secrets=secrets)


def shown(platform: BlueskyPlatform, post: Post) -> list[dict[str, Any]]:
    """What followers see of this post."""
    return [one for one in platform.visible() if one["id"].endswith(record_key(post.key))]


def forged(token: str) -> str:
    """A token with an invalid signature."""
    head, payload, _ = token.split(".")
    return f"{head}.{payload}.{'A' * 43}"


def spoil(secrets: MemorySecrets, *, refresh: bool = False) -> None:
    """Make the server reject the stored session's access token and refresh token."""
    kept = json.loads(secrets.values["session"])
    handle, did, access, renewal, address = kept["session"].split(":::")
    parts = [handle, did, forged(access), forged(renewal) if refresh else renewal, address]
    secrets.values["session"] = json.dumps({**kept, "session": ":::".join(parts)})


def test_a_post_is_picture_alt_text_words_and_hashtags(
    platform: BlueskyPlatform, channel: BlueskyChannel, post: Post
) -> None:
    """All of it arrives, and the receipt says where."""
    receipt = channel.publish(post, ready)
    (seen,) = shown(platform, post)
    assert (seen["text"], seen["alt_text"]) == (post.text, post.alt_text)
    record = seen["record"]
    assert record["embed"]["images"][0]["aspectRatio"] == {"width": 432, "height": 540}
    assert record["embed"]["images"][0]["image"]["mimeType"] == "image/jpeg"
    assert record["langs"] == ["en"]
    assert [facet["features"][0]["tag"] for facet in record["facets"]] == ["haiku"]
    assert receipt.id == seen["id"]
    assert receipt.url == f"https://bsky.app/profile/{HANDLE}/post/{record_key(post.key)}"
    assert abs(receipt.at - datetime.now(UTC)) < timedelta(minutes=1)


def test_hashtags_are_found_by_bytes(platform: BlueskyPlatform, channel: BlueskyChannel, post: Post) -> None:
    """Emoji, Chinese characters and umlauts before them count as many bytes as they have."""
    text = "池の音 👩‍👩‍👧‍👦🌧️\n#haiku\n\n— Auria\n#俳句 #Bäume #art_2"
    channel.publish(replace(post, text=text), ready)
    (seen,) = shown(platform, post)
    marked = [
        seen["text"].encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode()
        for facet in seen["record"]["facets"]
    ]
    assert marked == ["#haiku", "#俳句", "#Bäume", "#art_2"]


def test_a_repeat_changes_nothing(
    platform: BlueskyPlatform, secrets: MemorySecrets, channel: BlueskyChannel, post: Post, tmp_path: Path
) -> None:
    """From another process, even with other words: the same receipt, and the record as it was."""
    receipt = channel.publish(post, ready)
    before = shown(platform, post)
    later = another(platform, secrets, tmp_path)
    assert later.publish(post, ready) == receipt
    assert later.publish(replace(post, text="other words"), ready) == receipt
    assert later.find(post) == receipt
    assert shown(platform, post) == before


def test_a_taken_key_proves_that_the_post_is_out(
    platform: BlueskyPlatform, secrets: MemorySecrets, channel: BlueskyChannel, post: Post, tmp_path: Path
) -> None:
    """A repeat has a receipt also where the server says that there is no such record."""
    receipt = channel.publish(post, ready)
    with changed_answers(platform, EmptyTimeline("bluesky")):
        later = another(platform, secrets, tmp_path)
        assert later.find(post) is None
        assert later.publish(post, ready).id == receipt.id
    assert len(shown(platform, post)) == 1


@pytest.mark.parametrize("fault", ["429", "401", "500"])
def test_a_taken_key_that_cannot_be_read_is_never_called_unpublished(
    platform: BlueskyPlatform, channel: BlueskyChannel, post: Post, fault: str
) -> None:
    """The outcome is unknown until the record is read: an earlier attempt went out."""
    receipt = channel.publish(post, ready)
    platform.proxy.fail_next(fault, when=lambda _, path: "getRecord" in path)
    with pytest.raises(OutcomeUnknown):
        channel.publish(post, ready)
    assert channel.find(post) == receipt
    assert len(shown(platform, post)) == 1


@pytest.mark.parametrize(("settle", "seconds"), [(60.0, 60), (1.0, 12)])
def test_an_absence_right_after_the_attempt_proves_nothing(
    platform: BlueskyPlatform, secrets: MemorySecrets, post: Post, tmp_path: Path, settle: float, seconds: int
) -> None:
    """The request may still arrive, for four time-outs at least; later its absence is sure, and a record always is."""
    channel, now = another(platform, secrets, tmp_path, settle=settle, timeout=3.0), datetime.now(UTC)
    with pytest.raises(Throttled) as early:
        channel.find(replace(post, tried_at=now))
    assert early.value.until == now + timedelta(seconds=seconds)
    assert channel.find(replace(post, tried_at=now - timedelta(seconds=seconds + 1))) is None
    assert channel.find(post) is None
    receipt = channel.publish(post, ready)
    assert channel.find(replace(post, tried_at=now)) == receipt


def test_two_workers_at_once_make_one_post(
    platform: BlueskyPlatform, secrets: MemorySecrets, channel: BlueskyChannel, post: Post, tmp_path: Path
) -> None:
    """Both get the receipt of the one."""
    channel.check()  # logs in
    found, gate = list[Receipt](), threading.Barrier(4)

    def work() -> None:
        mine = another(platform, secrets, tmp_path)
        found.append(mine.publish(post, lambda _="": gate.wait(10) and None))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(shown(platform, post)) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_happens_to_the_record_it_is_told_truly(
    platform: BlueskyPlatform, channel: BlueskyChannel, post: Post, fault: str
) -> None:
    """The error says what is known, `find` says the rest, and the next attempt ends with one post."""
    memos: list[str] = []
    platform.fail_next(fault)
    with pytest.raises(CLEAR.get(fault, OutcomeUnknown)) as failed:
        channel.publish(post, lambda memo="": memos.append(memo))
    assert memos == [record_key(post.key)]
    if fault == "429":
        assert timedelta(seconds=60) < failed.value.until - datetime.now(UTC) <= timedelta(seconds=121)
    found = channel.find(post)
    assert (found is not None) is (fault in OUT)
    assert len(shown(platform, post)) == (fault in OUT)
    receipt = channel.publish(post, ready)
    assert found in {None, receipt}
    assert len(shown(platform, post)) == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_what_fails_before_the_record_is_surely_not_posted(
    platform: BlueskyPlatform, channel: BlueskyChannel, post: Post, fault: str
) -> None:
    """Whatever happens to the upload, `ready` is not called, and nothing is said to be unclear."""
    channel.check()
    platform.proxy.fail_next(fault, when=lambda _, path: path.endswith("uploadBlob"))
    with pytest.raises(Unauthorised if fault in {"401", "403"} else Throttled):
        channel.publish(post, lambda memo="": pytest.fail(f"ready was called with {memo}"))
    assert channel.find(post) is None


def test_one_login_serves_many_processes(
    platform: BlueskyPlatform, secrets: MemorySecrets, post: Post, tmp_path: Path
) -> None:
    """The session is stored among the secrets."""
    before = platform.proxy.asked("createSession")
    for _ in range(3):
        another(platform, secrets, tmp_path).check()
    another(platform, secrets, tmp_path).publish(post, ready)
    assert platform.proxy.asked("createSession") == before + 1
    assert platform.secrets()["app_password"] not in secrets.values["session"]


def test_a_session_that_ran_out_is_renewed(
    platform: BlueskyPlatform, secrets: MemorySecrets, post: Post, tmp_path: Path
) -> None:
    """An expired session is renewed by its refresh token, without the password, and stored."""
    another(platform, secrets, tmp_path).check()
    spoil(secrets)
    spoilt = secrets.values.pop("app_password"), secrets.values["session"]
    logins, renewals = platform.proxy.asked("createSession"), platform.proxy.asked("refreshSession")
    another(platform, secrets, tmp_path).publish(post, ready)
    another(platform, secrets, tmp_path).check()
    assert platform.proxy.asked("createSession") == logins
    assert platform.proxy.asked("refreshSession") == renewals + 1
    assert secrets.values["session"] != spoilt[1]


def test_a_session_that_cannot_be_renewed_is_opened_anew(
    platform: BlueskyPlatform, secrets: MemorySecrets, post: Post, tmp_path: Path
) -> None:
    """With the password; without one, the operator is needed."""
    another(platform, secrets, tmp_path).check()
    spoil(secrets, refresh=True)
    spoilt = MemorySecrets({"session": secrets.values["session"]})
    logins = platform.proxy.asked("createSession")
    another(platform, secrets, tmp_path).publish(post, ready)
    assert platform.proxy.asked("createSession") == logins + 1
    with pytest.raises(Unauthorised, match="auria channels add"):
        another(platform, spoilt, tmp_path).publish(post, ready)


def test_a_token_that_runs_out_between_upload_and_record(
    platform: BlueskyPlatform, secrets: MemorySecrets, channel: BlueskyChannel, post: Post
) -> None:
    """The server refuses the record, so asking again with a new token makes one post."""
    channel.check()

    def expire(memo: str = "") -> None:
        spoil(secrets)
        channel._account.client().login(
            session_string=json.loads(secrets.values["session"])["session"], fetch_bsky_profile=False
        )

    channel.publish(post, expire)
    assert len(shown(platform, post)) == 1


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"service": 1}', '{"service": "S", "handle": "H", "session": "x"}'])
def test_a_damaged_session_is_none(
    platform: BlueskyPlatform, secrets: MemorySecrets, tmp_path: Path, kept: str
) -> None:
    """The password opens a new one."""
    secrets.values["session"] = kept.replace('"S"', json.dumps(platform.proxy.address)).replace('"H"', f'"{HANDLE}"')
    assert HANDLE in another(platform, secrets, tmp_path).check()
    assert len(secrets.values["session"]) > 200


def test_another_accounts_session_is_not_used(
    platform: BlueskyPlatform, secrets: MemorySecrets, tmp_path: Path
) -> None:
    """When the settings name another account, its own password is asked for."""
    another(platform, secrets, tmp_path).check()
    del secrets.values["app_password"]
    with pytest.raises(Unauthorised, match="no app password"):
        another(platform, secrets, tmp_path, handle="somebody.test").check()
    with pytest.raises(Unauthorised, match="no handle"):
        another(platform, secrets, tmp_path, handle="").check()


def test_a_wrong_password_is_tried_once(platform: BlueskyPlatform, tmp_path: Path, post: Post) -> None:
    """And is not shown."""
    channel = another(platform, MemorySecrets({"app_password": "wrong-word-again"}), tmp_path)
    before = platform.proxy.asked("createSession")
    with pytest.raises(Unauthorised, match="Invalid identifier or password") as refused:
        channel.publish(post, ready)
    assert "wrong-word" not in str(refused.value)
    assert platform.proxy.asked("createSession") == before + 1


def test_too_many_logins_are_waited_out(platform: BlueskyPlatform, channel: BlueskyChannel) -> None:
    """Until the server says."""
    platform.proxy.fail_next("429", when=lambda _, path: path.endswith("createSession"))
    with pytest.raises(Throttled) as limited:
        channel.check()
    assert limited.value.until is not None


def test_check_sets_the_bot_label_where_the_options_ask_for_it(
    platform: BlueskyPlatform, secrets: MemorySecrets, tmp_path: Path
) -> None:
    """Nothing else of the profile changes; a label that is there is left alone."""
    mine = platform._owner["did"]
    where = {"repo": mine, "collection": "app.bsky.actor.profile", "rkey": "self"}
    labels = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "!no-unauthenticated"}]}
    profile = {"$type": "app.bsky.actor.profile", "displayName": "Auria", "labels": labels}
    platform._ask("com.atproto.repo.putRecord", where | {"record": profile}, platform._token())
    assert "set bot_label = true" in another(platform, secrets, tmp_path).check()
    channel = another(platform, secrets, tmp_path, bot_label=True)
    assert channel.check().endswith("labelled as a bot just now")
    assert channel.check().endswith("labelled as a bot")
    record = ask(platform._address, "com.atproto.repo.getRecord", **where)["value"]
    values = [{"val": "!no-unauthenticated"}, {"val": "bot"}]
    assert record == profile | {"labels": labels | {"values": values}}
    platform._ask("com.atproto.repo.deleteRecord", where, platform._token())
    assert another(platform, secrets, tmp_path, bot_label=True).check().endswith("labelled as a bot just now")
    platform._ask("com.atproto.repo.deleteRecord", where, platform._token())


def test_posts_carry_the_labels_of_the_options(
    platform: BlueskyPlatform, secrets: MemorySecrets, tmp_path: Path, post: Post
) -> None:
    """As the lexicon wants them; an unknown label is refused with the known ones."""
    another(platform, secrets, tmp_path, labels=("nudity",)).publish(post, ready)
    (seen,) = [one for one in platform.visible() if one["text"] == post.text]
    assert seen["record"]["labels"]["values"] == [{"val": "nudity"}]
    with pytest.raises(SettingsError, match="'nude' is unknown; known: !no-unauthenticated, porn"):
        another(platform, secrets, tmp_path, labels=("nude",))


@pytest.mark.parametrize("handle", ["\u202aauria.test\u202c", " @Auria.Test\n", "auria\u200b.test\ufeff"])
def test_a_handle_is_cleaned(platform: BlueskyPlatform, secrets: MemorySecrets, tmp_path: Path, handle: str) -> None:
    """Of the invisible characters that copying brings along."""
    assert another(platform, secrets, tmp_path, handle=handle).check().startswith("auria.test ")


def test_a_handle_has_a_dot(platform: BlueskyPlatform, secrets: MemorySecrets, tmp_path: Path) -> None:
    """That is told before anything is sent."""
    with pytest.raises(Unauthorised, match=r"'auria' has no dot; a handle is complete, such as auria\.bsky\.social"):
        another(platform, secrets, tmp_path, handle="auria").check()


def test_check_says_who_we_are_and_whether_we_say_that_we_are_a_bot(
    platform: BlueskyPlatform, channel: BlueskyChannel
) -> None:
    """Also after the profile was labelled."""
    assert HANDLE in channel.check()
    platform.label_as_bot()
    assert channel.check().endswith("labelled as a bot")
    assert "main password" not in channel.check()


def test_check_advises_against_the_main_password(platform: BlueskyPlatform, tmp_path: Path) -> None:
    """The token tells which one it was."""
    secrets = MemorySecrets({"app_password": "the-main-password-of-auria"})
    assert "main password" in another(platform, secrets, tmp_path).check()


def test_check_finds_an_account_that_was_taken_down(platform: BlueskyPlatform, channel: BlueskyChannel) -> None:
    """Its login may still be good."""
    platform.proxy.fail_next("taken-down", when=lambda _, path: path.endswith("getSession"))
    with pytest.raises(Unauthorised, match="takendown"):
        channel.check()


def test_nothing_is_led_elsewhere(platform: BlueskyPlatform, channel: BlueskyChannel, post: Post) -> None:
    """A server that points to another is a matter of the settings; after sending, it is unclear what it did."""
    platform.proxy.fail_next("302", when=lambda _, path: path.endswith("createSession"))
    with pytest.raises(Unauthorised, match="redirects to another address"):
        channel.check()
    platform.fail_next("302")
    with pytest.raises(OutcomeUnknown):
        channel.publish(post, ready)


@pytest.mark.parametrize(
    ("named", "asked"),
    [
        ("https://pds.example", "https://pds.example"),
        ("http://pds.example", ENTRYWAY),
        ("http://127.0.0.1:9", ENTRYWAY),
    ],
)
def test_the_entryway_leads_on_to_the_accounts_own_server(
    platform: BlueskyPlatform, secrets: MemorySecrets, tmp_path: Path, named: str, asked: str
) -> None:
    """Where a login names a secure one; any other server that the settings name is asked itself."""
    another(platform, secrets, tmp_path).check()
    kept = json.loads(secrets.values["session"])
    there = ":::".join([*kept["session"].split(":::")[:4], named])
    secrets.values["session"] = json.dumps({**kept, "service": ENTRYWAY, "session": there})
    channel = another(platform, secrets, tmp_path, service=ENTRYWAY)
    assert channel._account.client()._build_url("a") == f"{asked}/xrpc/a"
    secrets.values["session"] = json.dumps({**kept, "session": there})
    assert another(platform, secrets, tmp_path)._account.client()._build_url("a") == f"{platform.proxy.address}/xrpc/a"


def test_a_full_disk_keeps_no_session_and_stops_no_post(
    platform: BlueskyPlatform, secrets: MemorySecrets, post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next process logs in again."""

    def full(name: str, value: str) -> None:
        raise DiskError(f"{name} cannot be written")

    monkeypatch.setattr(secrets, "put", full)
    assert another(platform, secrets, tmp_path).publish(post, ready)
    assert "session" not in secrets.values


def test_likes_and_followers_are_counted(platform: BlueskyPlatform, channel: BlueskyChannel, post: Post) -> None:
    """From other accounts' records."""
    receipt = channel.publish(post, ready)
    assert channel.measure(receipt).likes == 0
    platform.like(receipt.id, 3)
    platform.repost(receipt.id, 1)
    platform.follow(2)
    counts = channel.measure(receipt)
    assert (counts.likes, counts.reposts, counts.replies, counts.quotes, counts.views) == (3, 1, 0, 0, None)
    assert channel.audience().followers == 2


def test_without_an_appview_only_presence_is_known(
    platform: BlueskyPlatform, secrets: MemorySecrets, post: Post, tmp_path: Path
) -> None:
    """Nothing is counted, and a deleted post is noticed."""
    channel = another(platform, secrets, tmp_path, appview="")
    receipt = channel.publish(post, ready)
    assert channel.measure(receipt).likes is None
    assert channel.audience().followers is None
    platform.remove(receipt.id)
    with pytest.raises(NotFound):
        channel.measure(receipt)


@pytest.mark.parametrize("packed", [False, True])
def test_an_appview_without_end_fills_no_memory(
    platform: BlueskyPlatform, secrets: MemorySecrets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    """Its answer is asked for unpacked, and given up where it is too long."""
    monkeypatch.setattr("auria_bot.channels.bluesky.atproto_session.LONGEST_ANSWER", 1 << 20)
    body = b'{"followersCount": 7}' + b" " * (2 << 20)
    headers = {"Content-Encoding": "gzip"} if packed else {}
    asked: list[str] = []

    def reply(_method: str, _path: str, sent: Any, _body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked.append(sent["Accept-Encoding"])
        return 200, headers, gzip.compress(body, 0) if packed else body

    with HttpServer(reply) as server, pytest.raises(Throttled, match="ReadTimeout"):
        another(platform, secrets, tmp_path, appview=server.address).audience()
    assert asked == ["identity"]


def test_a_deleted_post_is_noticed(platform: BlueskyPlatform, channel: BlueskyChannel, post: Post) -> None:
    """It is gone from the AppView and from the account's server; so is what never was a post."""
    receipt = channel.publish(post, ready)
    platform.remove(receipt.id)
    for gone in (
        receipt,
        replace(receipt, id="gone"),
        replace(receipt, id=receipt.id.replace("feed.post", "feed.like")),
    ):
        with pytest.raises(NotFound):
            channel.measure(gone)
    assert channel.find(post) is None


@pytest.mark.parametrize(
    "text",
    ["x" * 300, "👩‍👩‍👧‍👦" * 100 + "é" * 100 + "池" * 66, "e\u0301" * 300, "x" * 286 + "\nb\nc\n\n#haiku #art"],
    ids=["ascii", "bytes", "accents", "hashtags"],
)
def test_what_fits_is_taken(platform: BlueskyPlatform, channel: BlueskyChannel, post: Post, text: str) -> None:
    """The server counts as the channel does; hashtags too many are left out."""
    channel.publish(replace(post, text=text), ready)
    (seen,) = shown(platform, post)
    assert seen["text"] == channel.fit(text, "").text
    assert seen["text"].startswith(text[:286])


@pytest.mark.parametrize(
    ("changes", "limit"),
    [
        ({"text": "x" * 301}, "300 characters"),
        ({"text": "é" * 301}, "300 characters"),
        ({"text": "👩‍👩‍👧‍👦" * 121}, "3000 bytes"),
        ({"alt_text": "x" * 2001}, "2000 characters"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_network(
    platform: BlueskyPlatform, channel: BlueskyChannel, post: Post, changes: dict[str, str], limit: str
) -> None:
    """With the limit named."""
    before = len(platform.proxy.requests)
    with pytest.raises(Rejected, match=limit):
        channel.publish(replace(post, **changes), ready)
    assert len(platform.proxy.requests) == before


def test_a_picture_too_large_is_made_smaller(
    platform: BlueskyPlatform, channel: BlueskyChannel, post: Post, tmp_path: Path
) -> None:
    """Its bytes fit the server; its measures are those of what was sent."""
    large = noisy(post, tmp_path, width=1080, height=1350)
    assert Path(large.picture).stat().st_size > 1_500_000
    channel.publish(large, ready)
    (seen,) = shown(platform, post)
    image = seen["record"]["embed"]["images"][0]
    assert image["image"]["size"] <= 950_000
    assert image["aspectRatio"]["width"] / image["aspectRatio"]["height"] == pytest.approx(0.8, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_process_killed_around_the_record(
    platform: BlueskyPlatform, channel: BlueskyChannel, post: Post, tmp_path: Path, when: str
) -> None:
    """Killed between upload and record, nothing is out; killed right after it, it is; the next attempt makes it one."""
    publish_and_die(post, platform, home=tmp_path, when=when)
    found = channel.find(post)
    assert (found is not None) is (when == "after")
    assert channel.publish(post, ready) == (found or channel.find(post))
    assert len(shown(platform, post)) == 1


def test_no_secret_is_shown(
    platform: BlueskyPlatform, secrets: MemorySecrets, post: Post, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the password nor a token, in messages and in everything that is logged, whatever fails."""
    caplog.set_level(logging.DEBUG)
    told = []
    for fault in FAULTS:
        channel = another(platform, secrets, tmp_path)
        platform.fail_next(fault)
        try:
            channel.publish(replace(post, key=f"{post.key}{fault}"), ready)
        except Exception as error:  # noqa: BLE001 - whatever it is
            told += [str(error), repr(error), repr(error.__cause__)]
    told += [repr(channel), repr(channel._account), repr(channel.config), *caplog.messages]
    session = json.loads(secrets.values["session"])["session"].split(":::")
    for secret in (secrets.values["app_password"], session[2], session[3]):
        assert len(secret) > 10
        assert not any(secret in words for words in told)
    assert any("HTTP" in words for words in caplog.messages)


def test_addresses_are_secure(tmp_path: Path) -> None:
    """Plain http is for this machine; no address is taken that is none."""
    for options in ({"service": "http://example.org"}, {"appview": "ftp://example.org"}, {"web": "bsky"}):
        with pytest.raises(SettingsError):
            BlueskyChannel(BlueskyChannel.Config(**options), home=tmp_path, secrets=MemorySecrets())


def test_the_limits_are_known_without_the_network(tmp_path: Path) -> None:
    """A channel that was just made reaches for nothing."""
    limits = BlueskyChannel(BlueskyChannel.Config(picture_bytes=7), home=tmp_path, secrets=MemorySecrets()).limits()
    assert (limits.characters, limits.text_bytes, limits.picture_bytes) == (300, 3000, 7)


def test_an_avatar_changes_nothing_else_of_the_profile(
    platform: BlueskyPlatform, secrets: MemorySecrets, tmp_path: Path
) -> None:
    """The picture is uploaded, and the profile's record refers to it; a record that changed meanwhile is kept."""
    where = {"repo": platform._owner["did"], "collection": "app.bsky.actor.profile", "rkey": "self"}
    profile = {"$type": "app.bsky.actor.profile", "displayName": "Auria"}
    before = platform._ask("com.atproto.repo.putRecord", where | {"record": profile}, platform._token())
    channel = another(platform, secrets, tmp_path)
    channel.set_avatar(b"a picture", "image/jpeg")
    record = ask(platform._address, "com.atproto.repo.getRecord", **where)["value"]
    assert record["displayName"] == "Auria"
    assert (record["avatar"]["mimeType"], record["avatar"]["size"]) == ("image/jpeg", 9)
    assert not channel._put_profile(profile, str(before["cid"]))
    platform._ask("com.atproto.repo.deleteRecord", where, platform._token())
