"""Everything that the x channel asks and that its platform answers, compared with X's published contract.

The contract is an OpenAPI document: `X_API_CONTRACT` names its file, else ../shared/contracts/x-api.json is taken.
"""

from __future__ import annotations

import contextlib
import os
import re
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.domain.interfaces import DeletingChannel
from auria_bot.domain.post import Receipt
from auria_bot.errors import ChannelError, NotFound
from auria_bot.files import sha256_of
from tests.platforms.openapi import Contract
from tests.platforms.x import XPlatform
from tests.scenarios.film_faults import large_film
from tests.trials import Recorded, made, new_post

if TYPE_CHECKING:
    from auria_bot.domain.interfaces import Channel

__all__ = ["Compared", "compare", "contract_file"]


@dataclass(slots=True)
class Compared:
    """What was compared."""

    requests: int = 0
    operations: set[str] = field(default_factory=set)
    statuses: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


def contract_file() -> Path:
    """The path of the contract, whether it exists or not."""
    given = os.environ.get("X_API_CONTRACT")
    return Path(given) if given else Path(__file__).resolve().parents[3] / "shared" / "contracts" / "x-api.json"


def compare(folder: Path, contract: Path) -> Compared:
    """Check, publish pictures and films, find, measure, count and delete, also with every fault; compare what went over the line."""
    document, result = Contract(contract), Compared()
    with XPlatform() as platform:
        for number in range(6):
            platform.add(f"old poem {number}", age=86_400 * (6 - number))
        _exercise(platform, folder)
        for exchange in platform.state.exchanges:
            route = f"{exchange.method} {exchange.path}"
            wrong = document.request(exchange.method, exchange.path, exchange.query, exchange.body)
            wrong += document.answer(
                exchange.method, exchange.path, exchange.status, exchange.media_type, exchange.answer
            )
            result.requests += 1
            route = route.replace(platform.user["id"], "{id}")
            result.operations.add(re.sub(r"(tweets|upload)/\d+", r"\1/{id}", route))
            result.statuses.add(exchange.status)
            result.wrong += [f"{route} ({exchange.status}): {reason}" for reason in wrong]
    return result


def _exercise(platform: XPlatform, folder: Path) -> None:
    channel = made("x", folder, platform)
    assert isinstance(channel, DeletingChannel)
    channel.check()
    channel.audience()
    for fault in ("ok", *platform.faults, "403-app", "403-suspended", "duplicate-after"):
        watch = Recorded(new_post(folder))
        platform.fail_next(fault)
        with _whatever():
            channel.publish(watch.post, watch)
        with _whatever():
            channel.find(watch.post)
    if find_spec("av"):
        _films(platform, channel, folder)
    for number in range(12):
        platform.add(f"chatter {number}")
    watch = Recorded(new_post(folder))
    watch("0 0 3_1")
    channel.find(watch.post)  # page by page
    newest = platform.visible()[0]["id"]
    for identifier in (newest, str(int(newest) + 1)):
        with _whatever():
            channel.measure(Receipt(id=identifier, url="", at=watch.post.due))
    for fault in ("ok", "ok", *platform.faults, "403-app"):
        published = Receipt(
            id=platform.add(f"withdrawn {fault}") if fault != "ok" else newest, url="", at=watch.post.due
        )
        platform.fail_next_deletions(fault)
        with _whatever():
            channel.delete(published, lambda _memo="": None)


def _films(platform: XPlatform, channel: Channel, folder: Path) -> None:
    """Publish films: one after the other, with every fault at every request, and one that X cannot process."""
    film = large_film(folder / "film.mp4")
    steps = 8  # requests: the upload in two pieces, its state, the alt text, the post
    for number, fault in [(0, "ok"), *((1 + at % steps, fault) for at, fault in enumerate(platform.faults))]:
        watch = Recorded(replace(new_post(folder), film=str(film), film_sha256=sha256_of(film)))
        platform.fail_at(number, fault)
        with _whatever():
            channel.publish(watch.post, watch)
        platform.state.faults_at.clear()
        with _whatever():
            channel.find(watch.post)
    damaged = bytearray(film.read_bytes())
    data = damaged.index(b"mdat") + 4
    damaged[data : data + 10_000] = bytes(10_000)
    film.write_bytes(damaged)
    watch = Recorded(replace(new_post(folder), film=str(film), film_sha256=sha256_of(film)))
    with _whatever():
        channel.publish(watch.post, watch)


def _whatever() -> contextlib.AbstractContextManager[None]:
    """The requests count, whatever comes of them."""
    return contextlib.suppress(ChannelError, NotFound)
