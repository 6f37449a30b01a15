"""The mastodon channel before servers of other software: check, publish, cut answers, find, measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.errors import ChannelError, NotFound, OutcomeUnknown
from tests.platforms.fediverse import DIALECTS, FediversePlatform
from tests.trials import Recorded, found, made, new_post, shown

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.domain.interfaces import Channel

__all__ = ["speak"]

CUTS = ("cut-before", "cut-after", "cut-within", "garbage", "500", "500-after")


def speak(name: str, folder: Path) -> list[str]:
    """What goes wrong on a server of that dialect, one sentence each."""
    wrong: list[str] = []
    with FediversePlatform(DIALECTS[name]) as server:
        channel = made("mastodon", folder, server)
        try:
            wrong += _steps(channel, server, folder)
        except (ChannelError, NotFound) as error:
            wrong.append(f"{type(error).__name__}: {error}")
    return [f"{name}: {one}" for one in wrong]


def _steps(channel: Channel, server: FediversePlatform, folder: Path) -> list[str]:
    wrong, dialect = [], server.dialect
    channel.check()
    limits = channel.limits()
    if (limits.characters, limits.alt_characters) != (dialect.characters, dialect.alt_characters):
        wrong.append(f"limits are read as {limits.characters} and {limits.alt_characters}")
    watch = Recorded(new_post(folder))
    receipt = channel.publish(watch.post, watch)
    (seen,) = shown(server, watch.post)
    if (seen["text"], seen["alt_text"]) != (watch.post.text, watch.post.alt_text):
        wrong.append("text or alt text are not as they were")
    if found(channel, watch.post) != receipt:
        wrong.append("the post is not found again")
    server.like(seen["id"], 2)
    if channel.measure(receipt).likes != 2 or channel.audience().followers != 3:
        wrong.append("counts are not the server's")
    for fault in CUTS:
        wrong += _cut(channel, server, folder, fault)
    server.remove(seen["id"])
    try:
        channel.measure(receipt)
        wrong.append("a deleted post is not missed")
    except NotFound:
        pass
    return wrong


def _cut(channel: Channel, server: FediversePlatform, folder: Path, fault: str) -> list[str]:
    """Whether a post whose answer was cut is found, or called absent, and is out once in the end."""
    watch = Recorded(new_post(folder))
    server.fail_next(fault)
    try:
        channel.publish(watch.post, watch)
    except OutcomeUnknown:
        receipt = found(channel, watch.post)
    else:
        return [f"{fault} is not noticed"]
    if bool(shown(server, watch.post)) != (receipt is not None):
        return [f"after {fault} the post is called {'found' if receipt else 'absent'}, wrongly"]
    if receipt is None:
        channel.publish(watch.post, watch)
    count = len(shown(server, watch.post))
    return [] if count == 1 else [f"after {fault} {count} posts are seen"]
