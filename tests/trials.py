"""Channels before their platforms, and posts unlike each other: what contracts and benchmarks of channels share."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from PIL import Image

from auria_bot import registry
from auria_bot.domain.post import Post, PostState
from auria_bot.errors import Throttled
from auria_bot.files import sha256_of
from tests.platforms import MemorySecrets
from tests.scenarios.films import film_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from auria_bot.domain.interfaces import Channel, Secrets
    from auria_bot.domain.post import Receipt
    from tests.platforms import Platform

__all__ = ["Recorded", "film_post", "found", "made", "new_post", "noisy", "post_of", "shown"]

_NUMBERS = itertools.count(1)


def made(
    name: str,
    home: Path,
    server: Platform | None = None,
    *,
    vault: Secrets | None = None,
    options: Mapping[str, Any] | None = None,
    **secrets: str,
) -> Channel:
    """A channel of that kind, before its platform where it has one; with other secrets or options where they are given."""
    kind = registry.find("channel", name)
    chosen = {**(server.options() if server else {}), **(options or {}), "name": "mine"}
    known = {**(server.secrets() if server else {}), **secrets}
    channel: Channel = kind(kind.Config(**chosen), home=home, secrets=vault or MemorySecrets(known))
    return channel


def post_of(picture: Path, text: str, alt_text: str) -> Post:
    """A post of that picture and those words."""
    number = next(_NUMBERS)
    return Post(
        id=number,
        draft_id=number,
        channel="mine",
        state=PostState.SENDING,
        due=datetime.now(UTC),
        text=text,
        alt_text=alt_text,
        signature="s",
        picture=str(picture),
        key=hashlib.sha256(str(number).encode()).hexdigest()[:32],
        picture_sha256=hashlib.sha256(picture.read_bytes()).hexdigest(),
    )


def new_post(folder: Path) -> Post:
    """A post unlike every other, whose picture is on the disk."""
    number = next(_NUMBERS)
    picture = folder / f"picture-{number}.jpg"
    Image.new("RGB", (432, 540), (30, number * 7 % 256, 90)).save(picture)
    return post_of(picture, f"rain number {number}\nponds\nnight\n\n— Auria\n#haiku", f"A pond, the {number}th.")


def film_post(folder: Path, **wanted: Any) -> Post:
    """The same, of a film; `wanted` is as for `tests.scenarios.films.film_file`."""
    post = new_post(folder)
    film = film_file(folder / f"film-{post.id}{wanted.pop('suffix', '.mp4')}", colour=post.id * 7 % 256, **wanted)
    return dataclasses.replace(post, film=str(film), film_sha256=sha256_of(film))


def noisy(post: Post, folder: Path, *, width: int, height: int) -> Post:
    """The same post with a picture of noise, which no compression makes small."""
    picture = folder / "noise.jpg"
    noise = random.Random(1).randbytes(width * height * 3)
    Image.frombytes("RGB", (width, height), noise).save(picture, quality=95)
    digest = hashlib.sha256(picture.read_bytes()).hexdigest()
    return dataclasses.replace(post, picture=str(picture), picture_sha256=digest)


class Recorded:
    """For a `publish` that is watched: what it wanted remembered, and how often it was ready."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.calls = 0

    def __call__(self, memo: str = "") -> None:
        """Remember."""
        self.calls += 1
        self.post = dataclasses.replace(self.post, memo=memo, tried_at=datetime.now(UTC))


def shown(server: Platform, post: Post) -> list[dict[str, Any]]:
    """How often followers see this very post, known by its first line."""
    first = post.text.split("\n", maxsplit=1)[0]
    return [one for one in server.visible() if one["text"].split("\n", maxsplit=1)[0] == first]


def found(channel: Channel, post: Post) -> Receipt | None:
    """What `find` says once it can.

    Raises:
        Throttled: it cannot for a long time.
    """
    until = time.monotonic() + 120
    while True:
        try:
            return channel.find(post)
        except Throttled:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
