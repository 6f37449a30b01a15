"""Instagram by its private API, with the real package, against servers that behave like the app's."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from auria_bot.channels.instagram.private_channel import InstagramChannel
from auria_bot.errors import (
    ChannelError,
    InvalidTransition,
    NotFound,
    OutcomeUnknown,
    SettingsError,
    Throttled,
    Unauthorised,
)
from tests.platforms import MemorySecrets, ready
from tests.platforms.instagram import InstagramPlatform
from tests.trials import Recorded, found, new_post

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.domain.post import Post

pytest.importorskip("instagrapi")


@pytest.fixture
def platform() -> Iterator[InstagramPlatform]:
    """An account that is well."""
    with InstagramPlatform() as made:
        yield made


@pytest.fixture
def secrets(platform: InstagramPlatform) -> MemorySecrets:
    """What the operator gave."""
    return MemorySecrets(platform.secrets())


@pytest.fixture
def make(platform: InstagramPlatform, secrets: MemorySecrets, tmp_path: Path) -> Callable[..., InstagramChannel]:
    """Channels that lead there, each as in a new process."""

    def made(**options: Any) -> InstagramChannel:
        config = InstagramChannel.Config(name="ig", **{**platform.options(), **options})
        return InstagramChannel(config, home=tmp_path, secrets=secrets)

    return made


@pytest.fixture
def channel(make: Callable[..., InstagramChannel]) -> InstagramChannel:
    """One of them."""
    return make()


@pytest.fixture
def post(tmp_path: Path) -> Post:
    """A post."""
    return new_post(tmp_path)


def _sha256(path: str) -> str:
    from pathlib import Path

    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def signed_in_long_ago(secrets: MemorySecrets) -> None:
    """As if the session had lasted for a week."""
    state = json.loads(secrets.values["login_state"])
    secrets.values["login_state"] = json.dumps(state | {"at": (datetime.now(UTC) - timedelta(days=7)).isoformat()})


def test_the_risk_must_be_accepted(make: Callable[..., InstagramChannel]) -> None:
    """Without it there is no channel, and the message says what is at stake, and what else there is."""
    with pytest.raises(SettingsError, match=r"(?s)ban the.*instagram_graph"):
        make(accept_risk=False)
    assert make(accept_risk="true").name == "ig"


def test_a_post_goes_out_whole(channel: InstagramChannel, platform: InstagramPlatform, post: Post) -> None:
    """Caption, alt text and the picture's own bytes arrive, and the receipt tells where."""
    receipt = channel.publish(post, ready)
    assert hashlib.sha256(platform.media[0]["picture"]).hexdigest() == post.picture_sha256
    assert platform.visible() == [{"id": receipt.id, "text": post.text, "alt_text": post.alt_text, "film": False}]
    assert receipt.url.startswith("https://www.instagram.com/p/")
    assert channel.find(post) == receipt
    assert sum(path.endswith("/media/configure/") for _, path in platform.calls) == 1


def test_ready_stands_right_before_the_mutation(
    channel: InstagramChannel, platform: InstagramPlatform, post: Post
) -> None:
    """The upload is done then; whoever was overtaken publishes nothing."""
    seen: list[str] = []

    def taken(memo: str = "") -> None:
        seen.append(memo)
        assert len(platform.uploads) == 1
        raise InvalidTransition("taken over")

    with pytest.raises(InvalidTransition):
        channel.publish(post, taken)
    assert seen == list(platform.uploads)
    assert not any(path.endswith("/media/configure/") for _, path in platform.calls)


@pytest.mark.parametrize(
    ("fault", "meaning"),
    [
        ("challenge", Unauthorised),
        ("feedback", Unauthorised),
        ("logged-out", Unauthorised),
        ("wait", Throttled),
    ],
)
def test_what_is_surely_not_out_says_so(
    channel: InstagramChannel, platform: InstagramPlatform, post: Post, fault: str, meaning: type[ChannelError]
) -> None:
    """And nothing is out, and nothing was tried twice."""
    platform.fail_next(fault)
    with pytest.raises(meaning):
        channel.publish(post, ready)
    assert platform.visible() == []
    assert platform.proxy.asked("/media/configure/") == 1
    assert platform.logins == 1


@pytest.mark.parametrize("fault", ["cut-before", "slow", "garbage", "500", "429"])
def test_an_upload_that_fails_is_harmless(
    channel: InstagramChannel, platform: InstagramPlatform, post: Post, fault: str
) -> None:
    """An upload is not visible, so it is tried again later."""
    channel.check()
    platform.proxy.fail_next(fault, when=lambda _, path: "rupload" in path)
    if fault == "garbage":  # the package looks at the status alone
        channel.publish(post, ready)
    else:
        with pytest.raises(Throttled):
            channel.publish(post, ready)
        assert platform.visible() == []


def test_a_challenge_at_the_upload_loses_no_post(
    make: Callable[..., InstagramChannel], platform: InstagramPlatform, post: Post
) -> None:
    """The package knows one error for all uploads; its answer tells a challenge from a bad picture."""
    make().check()
    platform.challenged = True
    with pytest.raises(Unauthorised, match="Instagram app"):
        make().publish(post, ready)
    platform.confirm()
    make().check()
    path = post.picture
    Image.new("RGB", (540, 675), (30, 80, 90)).save(path, "PNG")
    make().publish(replace(post, picture_sha256=_sha256(path)), ready)
    assert len(platform.visible()) == 1


def test_a_second_process_does_not_log_in_again(
    make: Callable[..., InstagramChannel], platform: InstagramPlatform, secrets: MemorySecrets, post: Post
) -> None:
    """The session and the device are stored, the password is not."""
    make().publish(post, ready)
    make().check()
    make().publish(replace(post, text="another"), ready)
    assert platform.logins == 1
    assert platform.password not in secrets.values["session"]
    assert json.loads(secrets.values["session"])["settings"]["uuids"]["android_device_id"] == platform.devices[0]


@pytest.mark.slow
def test_processes_share_one_session_and_one_block(platform: InstagramPlatform, post: Post, tmp_path: Path) -> None:
    """Processes share the stored session: there is one login, and after a challenge no request."""
    import subprocess
    import sys

    from auria_bot.secret_store import SecretStore

    program = (
        "import sys, json, pathlib; from auria_bot.channels.instagram.private_channel import *; from auria_bot.secret_store import SecretStore\n"
        "from auria_bot.errors import AuriaError\n"
        "home = pathlib.Path(sys.argv[1]); options = json.loads(sys.argv[2]); options['delay'] = tuple(options['delay'])\n"
        "channel = InstagramChannel(InstagramChannel.Config(name='ig', **options), home=home, secrets=SecretStore(home, 'ig'))\n"
        "try: print(channel.audience().followers)\n"
        "except AuriaError as error: print(type(error).__name__)\n"
    )
    vault = SecretStore(tmp_path, "ig", environment={})
    vault.store("password", platform.password)

    def process() -> str:
        command = [sys.executable, "-c", program, str(tmp_path), json.dumps(platform.options())]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.strip()

    assert [process(), process()] == ["314", "314"]
    assert platform.logins == 1
    assert vault.file.stat().st_mode & 0o777 == 0o600
    assert platform.password not in (vault.get("session") or "")
    platform.challenged = True
    assert process() == "Unauthorised"
    platform.confirm()
    asked = len(platform.calls)
    assert process() == "Unauthorised"
    assert len(platform.calls) == asked


@pytest.mark.parametrize("fault", ["challenge", "feedback", "403"])
def test_after_a_challenge_nothing_is_sent(
    make: Callable[..., InstagramChannel], platform: InstagramPlatform, post: Post, fault: str
) -> None:
    """Not by this process and not by another, until the operator has confirmed and asks for a check."""
    platform.fail_next(fault)
    with pytest.raises(Unauthorised, match="auria channels resume ig"):
        make().publish(post, ready)
    asked = len(platform.calls)
    for step in (lambda: make().publish(post, ready), lambda: make().find(post), lambda: make().audience()):
        with pytest.raises(Unauthorised, match="auria channels resume ig"):
            step()
    assert len(platform.calls) == asked
    if platform.challenged:
        with pytest.raises(Unauthorised):
            make().check()
    platform.confirm()
    make().check()
    make().publish(post, ready)
    assert platform.logins == 1
    assert len(platform.visible()) == 1


def test_a_challenge_at_the_login_stops_everything(
    make: Callable[..., InstagramChannel], platform: InstagramPlatform, post: Post
) -> None:
    """The password is sent once; then no more before the operator asks, and even then not at once."""
    platform.challenged = True
    patient = {"login_wait": 60.0}
    with pytest.raises(Unauthorised, match="Instagram app"):
        make(**patient).publish(post, ready)
    for _ in range(3):
        with pytest.raises(Unauthorised):
            make(**patient).publish(post, ready)
        with pytest.raises(Throttled, match="robot"):
            make(**patient).check()
    assert platform.logins == 1
    platform.confirm()
    make().check()
    assert platform.logins == 2
    make().publish(post, ready)
    assert len(platform.visible()) == 1


def test_failed_logins_lie_ever_further_apart(
    make: Callable[..., InstagramChannel], platform: InstagramPlatform, secrets: MemorySecrets
) -> None:
    """Each doubles the wait; other credentials start afresh."""
    secrets.values["password"] = "wrong"  # noqa: S105 - of the tests
    for _ in range(3):
        with pytest.raises(Unauthorised, match="password"):
            make(login_wait=0.0).check()
    with pytest.raises(Throttled) as told:
        make(login_wait=60.0).check()
    assert told.value.until is not None
    assert timedelta(minutes=3) < told.value.until - datetime.now(UTC) <= timedelta(minutes=4)
    logins = platform.logins
    secrets.values["password"] = platform.password
    make(login_wait=60.0).check()
    assert platform.logins == logins + 1


def test_a_wrong_password_is_sent_once(
    make: Callable[..., InstagramChannel], platform: InstagramPlatform, secrets: MemorySecrets
) -> None:
    """And told, without it."""
    secrets.values["password"] = "frogs and ponds"  # noqa: S105 - of the tests
    with pytest.raises(Unauthorised, match="BadPassword") as told:
        make().check()
    assert platform.logins == 1
    assert "frogs and ponds" not in str(told.value)


def test_a_second_factor(
    make: Callable[..., InstagramChannel], platform: InstagramPlatform, secrets: MemorySecrets
) -> None:
    """Its seed gives the code; without a seed the operator is told."""
    platform.two_factor = True
    with pytest.raises(Unauthorised, match="totp_seed"):
        make(login_wait=0.0).check()
    secrets.values["totp_seed"] = "not a seed!"
    with pytest.raises(Unauthorised, match="seed"):
        make(login_wait=0.0).check()
    secrets.values["totp_seed"] = "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP"
    assert "@auria.art is signed in" in make(login_wait=0.0).check()


def test_a_session_that_lasted_is_followed_by_one_login(
    make: Callable[..., InstagramChannel], platform: InstagramPlatform, secrets: MemorySecrets, post: Post
) -> None:
    """From the same device."""
    make().check()
    signed_in_long_ago(secrets)
    platform.end_sessions()
    with pytest.raises(Throttled, match="signs in again"):
        make().publish(post, ready)
    make().publish(post, ready)
    assert platform.logins == 2
    assert len(set(platform.devices)) == 1
    assert len(platform.visible()) == 1


def test_a_session_that_did_not_last_blocks(
    make: Callable[..., InstagramChannel], platform: InstagramPlatform, post: Post
) -> None:
    """A session that was ended on purpose is reported to the operator."""
    make().check()
    platform.end_sessions()
    with pytest.raises(Unauthorised, match="less than a day"):
        make().publish(post, ready)
    with pytest.raises(Unauthorised):
        make().publish(post, ready)
    assert platform.logins == 1
    make().check()
    assert platform.logins == 2


def test_a_check_signs_in_anew_where_the_session_ended(
    make: Callable[..., InstagramChannel], platform: InstagramPlatform, secrets: MemorySecrets
) -> None:
    """The operator need not ask twice."""
    make().check()
    signed_in_long_ago(secrets)
    platform.end_sessions()
    assert "signed in" in make().check()


@pytest.mark.parametrize("fault", ["cut-before", "garbage", "500", "cut-within"])
def test_a_listing_that_breaks_proves_nothing(
    channel: InstagramChannel, platform: InstagramPlatform, post: Post, fault: str
) -> None:
    """The package would take it for an empty one, and the post would go out twice."""
    watch = Recorded(post)
    platform.fail_next("cut-after")
    with pytest.raises(OutcomeUnknown):
        channel.publish(post, watch)
    platform.proxy.fail_next(fault, when=lambda _, path: "feed/user" in path)
    old = replace(watch.post, tried_at=datetime.now(UTC) - timedelta(minutes=10))
    with pytest.raises(Throttled):
        channel.find(old)
    assert channel.find(old) is not None


def test_a_post_is_found_behind_others(channel: InstagramChannel, platform: InstagramPlatform, post: Post) -> None:
    """Page by page, back to the attempt; where there are too many pages, the operator must look."""
    receipt = channel.publish(post, ready)
    mine = platform.media[0]
    others = [
        {**mine, "id": str(int(mine["id"]) + count), "caption": "another", "upload": "1"} for count in range(1, 700)
    ]
    platform.media = [mine, *others[:200]]
    lost = replace(post, memo="123", tried_at=datetime.now(UTC) - timedelta(minutes=1))
    assert channel.find(lost) == receipt
    platform.media = [mine, *others]
    with pytest.raises(OutcomeUnknown):
        channel.find(lost)
    mine["at"] -= 3600
    platform.media = [mine, *others[:200]]
    assert channel.find(lost) is None


def test_a_post_is_found_behind_others_without_a_record_of_its_attempt(
    channel: InstagramChannel, platform: InstagramPlatform, post: Post
) -> None:
    """As a database that was restored from a backup has it: page by page, back to when it was due."""
    receipt = channel.publish(post, ready)
    mine = platform.media[0]
    others = [
        {**mine, "id": str(int(mine["id"]) + count), "caption": "another", "upload": "1"} for count in range(1, 200)
    ]
    platform.media = [mine, *others]
    assert (post.memo, post.tried_at) == ("", None)
    assert channel.find(post) == receipt
    mine["at"] -= 30 * 24 * 3600
    assert channel.find(post) is None


def test_an_older_post_with_the_same_text_is_not_this_one(
    channel: InstagramChannel, platform: InstagramPlatform, post: Post
) -> None:
    """Only what was posted since the attempt counts."""
    channel.publish(post, ready)
    platform.media[0]["at"] -= 30 * 24 * 3600
    assert found(channel, replace(post, memo="123", tried_at=datetime.now(UTC))) is None


@pytest.mark.parametrize("memo", ["", "123"])
def test_a_like_post_from_before_the_attempt_is_for_the_operator(
    channel: InstagramChannel, platform: InstagramPlatform, post: Post, memo: str
) -> None:
    """This machine's clock may have been hours fast; where Instagram tells the upload of that post, it is another one."""
    channel.publish(post, ready)
    platform.media[0]["at"] -= 3 * 3600
    attempt = replace(post, memo=memo, tried_at=datetime.now(UTC))
    if memo:
        assert found(channel, attempt) is None
    else:
        with pytest.raises(OutcomeUnknown, match="from before the attempt by this machine's clock"):
            found(channel, attempt)


def test_counts(channel: InstagramChannel, platform: InstagramPlatform, post: Post) -> None:
    """Likes, comments and followers; a post that is gone is NotFound."""
    receipt = channel.publish(post, ready)
    platform.like(receipt.id, 3)
    counts = channel.measure(receipt)
    assert (counts.likes, counts.replies, counts.views) == (3, 2, None)
    assert channel.audience().followers == 314
    platform.remove(receipt.id)
    with pytest.raises(NotFound):
        channel.measure(receipt)
    with pytest.raises(NotFound):
        channel.measure(replace(receipt, id="../users"))


@pytest.mark.parametrize(
    "options", [{"address": "http://i.instagram.com"}, {"username": "@auria"}, {"delay": (3.0, 1.0)}, {"delay": (1.0,)}]
)
def test_options_that_make_no_sense(make: Callable[..., InstagramChannel], options: dict[str, Any]) -> None:
    """They are refused before anything is sent."""
    with pytest.raises(SettingsError):
        make(**options)


def test_what_is_missing_is_named(make: Callable[..., InstagramChannel], secrets: MemorySecrets, post: Post) -> None:
    """The password."""
    del secrets.values["password"]
    with pytest.raises(Unauthorised, match="auria channels add ig"):
        make().publish(post, ready)


def test_a_proxy_is_gone_through(
    make: Callable[..., InstagramChannel],
    platform: InstagramPlatform,
    secrets: MemorySecrets,
    post: Post,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """And where it is away, nothing goes past it, and its password is not told."""
    secrets.values["proxy"] = "http://auria:proxys-own-word@127.0.0.1:1"
    with caplog.at_level(logging.DEBUG), pytest.raises(Throttled) as told:
        make().publish(post, ready)
    assert platform.proxy.requests == []
    assert "proxys-own-word" not in caplog.text + str(told.value)


def test_the_platform_being_away_is_no_end(
    make: Callable[..., InstagramChannel], platform: InstagramPlatform, post: Post
) -> None:
    """An unanswered login is tried again later and blocks nothing."""
    with pytest.raises(Throttled):
        make(address="http://127.0.0.1:1").publish(post, ready)
    time.sleep(0.1)
    make().publish(post, ready)
    assert len(platform.visible()) == 1


@pytest.mark.parametrize("fault", InstagramPlatform.faults)
def test_no_secret_is_told(
    channel: InstagramChannel,
    platform: InstagramPlatform,
    secrets: MemorySecrets,
    post: Post,
    fault: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Neither by errors nor by any log at DEBUG nor on the terminal, though the package logs whole answers."""
    platform.two_factor = True
    secrets.values["totp_seed"] = platform.seed
    platform.fail_next(fault)
    with caplog.at_level(logging.DEBUG), pytest.raises(ChannelError) as told:
        channel.publish(post, ready)
    printed = capfd.readouterr()
    text = caplog.text + str(told.value) + repr(channel.config) + printed.out + printed.err
    planted = {platform.password, platform.seed, "session0001", "IGT:2", "BEGIN"}
    assert [secret for secret in planted if secret in text] == []


def test_threads_of_a_process_take_turns(
    make: Callable[..., InstagramChannel], platform: InstagramPlatform, post: Post, tmp_path: Path
) -> None:
    """The package's client knows one last answer and one call before publishing: they would be another post's."""
    channel, second, asked = make(timeout=30.0), new_post(tmp_path), list[int]()
    begun = threading.Event()

    def publish() -> None:
        begun.set()
        channel.publish(second, ready)

    other = threading.Thread(target=publish)

    def meanwhile(memo: str = "") -> None:
        before = len(platform.calls)
        other.start()
        assert begun.wait(60)
        other.join(1.0)
        asked.append(len(platform.calls) - before)

    channel.publish(post, meanwhile)
    other.join()
    assert asked == [0]
    assert len(platform.visible()) == 2
