"""Every registered channel keeps the Channel contract: at most one visible mutation, found again, told truthfully."""

from __future__ import annotations

import dataclasses
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from auria_bot import registry
from auria_bot.art.films import video
from auria_bot.domain.interfaces import Channel, DeletingChannel, Limits, Question
from auria_bot.domain.post import Receipt
from auria_bot.errors import (
    BackendMissing,
    InvalidTransition,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unauthorised,
)
from auria_bot.services.publishing.attempt_account import AccountChannel
from tests.connections import connections
from tests.platforms import FAULTS as STANDARD_FAULTS
from tests.platforms import PLATFORMS, MemorySecrets, Platform, platform, ready
from tests.trials import Recorded, film_post, found, made, new_post, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHANNELS = list(registry.BACKENDS["channel"])
FAULTS = [(name, fault) for name in PLATFORMS for fault in platform(name).faults]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Platform]]:
    """Every platform that was asked for so far, running."""
    running: dict[str, Platform] = {}
    yield running
    for server in running.values():
        server.__exit__(None, None, None)


@pytest.fixture
def server(request: pytest.FixtureRequest, servers: dict[str, Platform]) -> Platform | None:
    """The platform of the test's channel, which may hold earlier tests' posts; None for one that needs none."""
    values = request.node.callspec.params
    name = values["name"] if "name" in values else values["fault"][0]
    if name not in PLATFORMS:
        return None
    if name not in servers:
        servers[name] = platform(name).__enter__()
    return servers[name]


@pytest.fixture
def channel(name: str, tmp_path: Path, server: Platform | None) -> Channel:
    """A channel of each kind, in a folder of its own."""
    return made(name, tmp_path, server)


every = pytest.mark.parametrize("name", CHANNELS)
social = pytest.mark.parametrize("name", list(PLATFORMS))


@every
def test_a_channel_is_a_frozen_config_and_a_class(name: str) -> None:
    """Its Config takes the operator's name for it; its questions are of its options or of secrets, each once."""
    kind = registry.find("channel", name)
    assert dataclasses.is_dataclass(kind.Config)
    assert kind.Config.__dataclass_params__.frozen
    options = {item.name for item in dataclasses.fields(kind.Config)}
    assert "name" in options
    assert all(isinstance(question, Question) and question.prompt for question in kind.QUESTIONS)
    assert all(question.secret is (question.name not in options) for question in kind.QUESTIONS)
    assert len({question.name for question in kind.QUESTIONS}) == len(kind.QUESTIONS)


@every
def test_constructing_reaches_for_nothing(name: str, tmp_path: Path, server: Platform | None) -> None:
    """Neither the network nor the disk nor a secret; limits and fitting need none of them either."""

    class Untouched(MemorySecrets):
        def get(self, name: str) -> str | None:
            raise AssertionError(name)

    kind = registry.find("channel", name)
    options = server.options() if server else {}
    with connections() as reached:
        channel = kind(kind.Config(**{**options, "name": "mine"}), home=tmp_path / "home", secrets=Untouched())
        assert isinstance(channel.limits(), Limits)
        assert channel.fit("a pond\nat noon\nsilence", "A pond.").text == "a pond\nat noon\nsilence"
    assert reached == []
    assert not (tmp_path / "home").exists()
    assert isinstance(channel, Channel)
    assert channel.name == "mine"


@every
def test_a_repeated_attempt_publishes_nothing_more(channel: Channel, tmp_path: Path) -> None:
    """Absent before; afterwards the same receipt, from `find` as from `publish`."""
    assert channel.check()
    watch = Recorded(new_post(tmp_path))
    assert channel.find(watch.post) is None
    receipt = channel.publish(watch.post, watch)
    assert watch.calls == 1
    assert receipt.id
    assert receipt.url
    assert receipt.at.tzinfo is not None
    again = found(channel, watch.post)
    assert again is not None
    assert (again.id, again.url) == (receipt.id, receipt.url)


@social
def test_a_channel_knows_its_account(name: str, channel: Channel, tmp_path: Path, server: Platform | None) -> None:
    """It tells the same whenever and by whichever object it is asked, and publishes nothing for it."""
    assert isinstance(channel, AccountChannel)
    again = made(name, tmp_path / "again", server)
    assert isinstance(again, AccountChannel)
    assert channel.account_id() == channel.account_id() == again.account_id() != ""


@every
def test_what_is_counted_is_counted_at_a_time(channel: Channel, tmp_path: Path) -> None:
    """Counts are whole numbers or None; a post that is not there is NotFound."""
    receipt = channel.publish(new_post(tmp_path), ready)
    counts = channel.measure(receipt)
    assert counts.at.tzinfo is not None
    assert all(value is None or value >= 0 for value in (counts.likes, counts.reposts, counts.replies, counts.views))
    assert channel.audience().at.tzinfo is not None
    with pytest.raises(NotFound):
        channel.measure(Receipt(id="404404404404404404", url="", at=receipt.at))


@every
def test_a_post_that_was_taken_over_is_not_sent(
    name: str, channel: Channel, tmp_path: Path, server: Platform | None
) -> None:
    """When `ready` says so, nothing becomes visible."""

    def taken(memo: str = "") -> None:
        raise InvalidTransition("somebody else has it")

    post = new_post(tmp_path)
    with pytest.raises(InvalidTransition, match="somebody else has it"):
        channel.publish(post, taken)
    if server:
        assert shown(server, post) == []


@every
def test_another_picture_than_the_approved_one_is_refused(name: str, channel: Channel, tmp_path: Path) -> None:
    """A picture other than the approved one is not sent."""
    post = dataclasses.replace(new_post(tmp_path), picture_sha256="0" * 64)
    if name != "fake":  # which never looks at pictures
        with pytest.raises(Rejected):
            channel.publish(post, ready)


@social
def test_the_words_arrive_as_they_were_fitted(channel: Channel, tmp_path: Path, server: Platform) -> None:
    """Text and alt text, to the letter; nothing else of the account's changes."""
    post, before = new_post(tmp_path), len(server.visible())
    channel.publish(post, ready)
    (seen,) = shown(server, post)
    fitted = channel.fit(post.text, post.alt_text)
    assert (seen["text"], seen["alt_text"]) == (fitted.text, post.alt_text)
    assert len(server.visible()) == before + 1


@social
def test_likes_are_counted_and_a_post_that_is_gone_is_missed(
    channel: Channel, tmp_path: Path, server: Platform
) -> None:
    """As followers and moderators have it."""
    post = new_post(tmp_path)
    receipt = channel.publish(post, ready)
    (seen,) = shown(server, post)
    server.like(seen["id"], 3)
    assert channel.measure(receipt).likes == 3
    server.remove(seen["id"])
    with pytest.raises(NotFound):
        channel.measure(receipt)


@social
def test_wrong_credentials_are_told_and_nothing_is_sent(name: str, tmp_path: Path, server: Platform) -> None:
    """Before the mutation, with what to do, and without the credentials."""
    needed = [one.name for one in registry.find("channel", name).QUESTIONS if one.secret and one.required]
    wrong = {key: value[::-1] for key, value in server.secrets().items() if key in needed}
    post = new_post(tmp_path)
    with pytest.raises(Unauthorised) as checked:
        made(name, tmp_path, server, **wrong).check()
    with pytest.raises(Unauthorised) as published:
        made(name, tmp_path, server, **wrong).publish(post, ready)
    said = f"{checked.value} {published.value}"
    assert not [value for value in wrong.values() if value in said]
    assert shown(server, post) == []


@social
def test_without_a_secret_it_says_how_to_give_it(name: str, tmp_path: Path, server: Platform) -> None:
    """Unauthorised, and the network is left alone."""
    kind = registry.find("channel", name)
    channel = kind(kind.Config(**{**server.options(), "name": "mine"}), home=tmp_path, secrets=MemorySecrets())
    with connections() as reached, pytest.raises(Unauthorised, match="auria channels add mine"):
        channel.check()
    assert reached == []


@social
def test_a_platform_that_is_away_is_told_soon(name: str, channel: Channel, tmp_path: Path, server: Platform) -> None:
    """Whatever is asked, nothing was sent, nothing is known, and it is tried again later."""
    receipt = channel.publish(new_post(tmp_path), ready)
    options = {
        key: "http://127.0.0.1:9"
        for key, value in server.options().items()
        if str(value).startswith(("http://127.0.0.1", "http://localhost"))
    }
    away, watch = made(name, tmp_path, server, options=options), Recorded(new_post(tmp_path))
    tried = dataclasses.replace(watch.post, memo="1", tried_at=receipt.at)
    for ask in (
        lambda: away.publish(watch.post, watch),
        lambda: away.find(tried),
        away.check,
        away.audience,
        lambda: away.measure(receipt),
    ):
        with pytest.raises(Throttled, match=r"cannot be reached|connection .* broke|last login failed"):
            ask()
    assert watch.calls == 0


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("x", "tweepy", "x"),
        ("bluesky", "atproto_client", "bluesky"),
        ("mastodon", "requests", "mastodon"),
        ("instagram", "instagrapi", "instagram"),
        ("instagram_graph", "httpx2", "instagram"),
    ],
)
def test_a_missing_package_is_named(
    name: str, channel: Channel, monkeypatch: pytest.MonkeyPatch, package: str, extra: str
) -> None:
    """With the command that brings it."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BackendMissing, match=rf"pip install 'auria-bot\[{extra}\]'"):
        channel.check()


@pytest.mark.parametrize("fault", FAULTS, ids="-".join)
def test_a_fault_is_told_truthfully(
    fault: tuple[str, str], tmp_path: Path, server: Platform, servers: dict[str, Platform]
) -> None:
    """What is not known to be out is OutcomeUnknown, only `find` says more, and a second attempt makes no second post."""
    channel, watch = made(fault[0], tmp_path, server), Recorded(new_post(tmp_path))
    server.fail_next(fault[1])
    try:
        channel.publish(watch.post, watch)
    except OutcomeUnknown:
        assert watch.calls == 1
    except (Rejected, Throttled, Unauthorised):
        assert shown(server, watch.post) == []
    assert len(shown(server, watch.post)) <= 1
    channel = made(fault[0], tmp_path, server)  # as after a restart
    try:
        receipt = found(channel, watch.post)
    except OutcomeUnknown:
        return  # the platform cannot tell: the operator must look
    except Unauthorised:
        servers.pop(fault[0]).__exit__(None, None, None)  # it stays shut until the operator opens it
        return
    assert len(shown(server, watch.post)) == (0 if receipt is None else 1)
    if receipt is None:
        channel.publish(watch.post, watch)
    assert len(shown(server, watch.post)) == 1


@every
def test_what_is_deleted_is_gone(name: str, channel: Channel, tmp_path: Path, server: Platform | None) -> None:
    """Deleted once, after the announcement; a second deletion has nothing to do; where it is forbidden, that is said."""
    assert isinstance(channel, DeletingChannel)
    post, other = new_post(tmp_path), new_post(tmp_path)
    receipt = channel.publish(post, ready)
    channel.publish(other, ready)
    watch = Recorded(post)
    assert channel.is_published(receipt)
    if name == "instagram_graph":
        with pytest.raises(Rejected, match=r"deletes no posts .*; delete the post in Instagram's app: http"):
            channel.delete(receipt, watch)
        assert watch.calls == 0
        assert channel.is_published(receipt)
        return
    channel.delete(receipt, watch)
    assert watch.calls == 1
    assert not channel.is_published(receipt)
    with pytest.raises(NotFound):
        channel.measure(receipt)
    channel.delete(receipt, watch)
    if server:
        assert (len(shown(server, post)), len(shown(server, other))) == (0, 1)


@every
def test_a_post_that_is_not_its_own_is_not_deleted(name: str, channel: Channel) -> None:
    """A receipt that identifies no post of the channel is Rejected, never taken for gone."""
    if name != "fake" and isinstance(channel, DeletingChannel):
        strange = Receipt(id="../!", url="https://example.invalid/", at=datetime.now(UTC))
        with pytest.raises(Rejected):
            channel.is_published(strange)
        with pytest.raises(Rejected):
            channel.delete(strange, ready)


@social
def test_a_withdrawal_that_was_taken_over_deletes_nothing(
    name: str, channel: Channel, tmp_path: Path, server: Platform
) -> None:
    """When `ready` says so, the post stays."""

    def taken(memo: str = "") -> None:
        raise InvalidTransition("somebody else has it")

    post = new_post(tmp_path)
    receipt = channel.publish(post, ready)
    with pytest.raises(Rejected if name == "instagram_graph" else InvalidTransition):
        channel.delete(receipt, taken)
    assert len(shown(server, post)) == 1


_DELETION_FAULTS = [
    (name, fault) for name in PLATFORMS if name != "instagram_graph" for fault in (*STANDARD_FAULTS, "ok")
]


@pytest.mark.parametrize("fault", _DELETION_FAULTS, ids="-".join)
def test_a_failed_deletion_is_told_truthfully(
    fault: tuple[str, str], tmp_path: Path, server: Platform, servers: dict[str, Platform]
) -> None:
    """Whoever says that nothing was deleted is right; after an unclear answer `is_published` knows."""
    channel, post = made(fault[0], tmp_path, server), new_post(tmp_path)
    receipt, watch = channel.publish(post, ready), Recorded(post)
    server.fail_next_deletions(fault[1])
    try:
        channel.delete(receipt, watch)
    except OutcomeUnknown:
        assert watch.calls == 1
    except (Rejected, Throttled, Unauthorised):
        assert len(shown(server, post)) == 1
    else:
        assert shown(server, post) == []
    channel = made(fault[0], tmp_path, server)  # as after a restart
    try:
        there = channel.is_published(receipt)
    except Unauthorised:
        servers.pop(fault[0]).__exit__(None, None, None)  # it stays shut until the operator opens it
        return
    assert there == bool(shown(server, post))
    if there:
        channel.delete(receipt, watch)
    assert shown(server, post) == []


@social
@pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
def test_a_film_is_published_once_with_its_alt_text_or_refused(
    name: str, channel: Channel, server: Platform, tmp_path: Path
) -> None:
    """A channel whose limits name films sends one as its platform takes it, and finds it again; others say so."""
    post = film_post(tmp_path, sound=True)
    recorded = Recorded(post)
    if channel.limits().film is None:
        with pytest.raises(Rejected, match="takes no films"):
            channel.publish(post, recorded)
        assert recorded.calls == 0
        return
    receipt = channel.publish(post, recorded)
    (seen,) = shown(server, post)
    assert recorded.calls == 1
    assert seen["alt_text"] == ("" if name == "instagram_graph" else post.alt_text)
    assert seen.get("film", True)
    again = found(channel, recorded.post)
    assert again is not None
    assert again.id == receipt.id
