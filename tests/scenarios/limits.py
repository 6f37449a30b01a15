"""Every limit of every channel, at it, one under and one over: it fits, or it is refused before the network with the limit named.

Words in many scripts are made to the character (or byte) by a count of this file's own, not the channel's. What is at a limit is
sent to the platform, which enforces its limits too, and must arrive to the letter; what is over one is refused while not a
byte leaves the process. The poem is never cut, an alt text never changed. Pictures are made to the byte and to the pixel.
"""

from __future__ import annotations

import dataclasses
import io
import random
import struct
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any

import regex
from PIL import Image

from auria_bot.channels.pictures import fit_picture
from auria_bot.errors import Rejected
from tests.connections import connections
from tests.platforms import ready
from tests.trials import made, post_of, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.domain.interfaces import Channel, Limits
    from tests.platforms import Platform

__all__ = ["Tally", "try_channel"]

_WORDS = (
    "rain",
    "old",
    "pond",
    "frog",
    "moon",
    "über",
    "crème",
    "naïve",
    "зима",
    "πάγος",
    "ירח",
    "مطر",
    "古池",
    "蛙",
    "飛びこむ",
    "서리",
    "हिमपात",
    "หิมะ",
    "🌊",
    "👩‍👩‍👧",
    "🇯🇵",
    "e\u0301te\u0301",
    "—",
    "«mist»",
    "quiet,",
)
_TAGS = ("#haiku", "#俳句", "#हिमपात", "#зима", "#pond2", "#été", "#rain_on_rain")
_SIGNATURE = "— Auria"


def _weight(text: str) -> int:
    """X's: an emoji two, Latin and its neighbours one, other scripts two."""
    total = 0
    for cluster in regex.findall(r"\X", unicodedata.normalize("NFC", text)):
        if regex.search(r"\p{Emoji_Presentation}|\u200d", cluster):
            total += 2
        else:
            total += sum(
                1 if ord(sign) <= 0x10FF or 0x2000 <= ord(sign) <= 0x200D or 0x2010 <= ord(sign) <= 0x201F else 2
                for sign in cluster
            )
    return total


def _clusters(text: str) -> int:
    return len(regex.findall(r"\X", text))


def _units(text: str) -> int:
    return sum(2 if ord(sign) > 0xFFFF else 1 for sign in text)


_COUNTS: dict[str, Callable[[str], int]] = {
    "x": _weight,
    "bluesky": _clusters,
    "mastodon": _clusters,
    "instagram": _units,
    "instagram_graph": _units,
}


_STRICTER = {"mastodon"}
"""Whose stand-in counts code points where the real platform counts characters as people see them."""


@dataclasses.dataclass(slots=True)
class Tally:
    """What was tried, and what went wrong."""

    tried: Counter[str] = dataclasses.field(default_factory=Counter)
    sent: int = 0
    refused: int = 0
    faults: list[str] = dataclasses.field(default_factory=list)


class _Trial:
    """One channel's limits, tried one by one."""

    def __init__(self, name: str, channel: Channel, server: Platform | None, folder: Path, tally: Tally) -> None:
        self.name, self.channel, self.server, self.tally = name, channel, server, tally
        self.count = _COUNTS.get(name, len)
        self.folder = folder
        self.limits: Limits = channel.limits()
        self.picture = folder / "small.jpg"
        Image.new("RGB", (432, 540), (30, 90, 110)).save(self.picture)
        self._number = 0
        self.words: tuple[str, ...] = _WORDS
        self.tags: tuple[str, ...] = _TAGS

    def speak(self, *, plainly: bool) -> None:
        """Use every script, or only words that have as many code points as characters."""
        self.words = tuple(word for word in _WORDS if not plainly or len(word) == _clusters(word))
        self.tags = tuple(tag for tag in _TAGS if not plainly or len(tag) == _clusters(tag))

    def poem(self, chance: random.Random, size: int, count: Callable[[str], int], filling: str = "") -> str:
        """A poem of exactly that size, in several scripts, unlike every other by its first line."""
        self._number += 1
        lines = [f"{self._number} on {self.name}", ""]
        words = (filling,) if filling else self.words
        margin = max(map(count, words)) + 8
        while count("\n".join(lines)) < size - margin:
            if len(lines[-1]) > 24 and chance.random() < 0.5:
                lines.append("")
            lines[-1] = f"{lines[-1]} {chance.choice(words)}".strip()
        text = "\n".join(line for line in lines if line) + " "
        missing = size - count(text)
        if missing < 1:
            raise ValueError(f"{size} is too small a limit to be tried")
        return text + "a" * missing

    def fits(self, limit: str, text: str, alt_text: str, wanted: str, dropped: tuple[str, ...], *, send: bool) -> None:
        """These words must be sent as `wanted`."""
        self.tally.tried[limit] += 1
        try:
            fitted = self.channel.fit(text, alt_text)
        except Rejected as error:
            self._fault(limit, f"refused what fits: {error}")
            return
        if (fitted.text, fitted.alt_text, fitted.dropped) != (wanted, alt_text, dropped):
            self._fault(
                limit, f"made {fitted.text[-60:]!r} and dropped {fitted.dropped}, not {wanted[-60:]!r} and {dropped}"
            )
        elif send and self.server:
            post = post_of(self.picture, text, alt_text)
            try:
                self.channel.publish(post, ready)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the benchmark's finding
                self._fault(limit, f"the platform did not take it: {type(error).__name__}: {error}")
                return
            seen = [(one["text"], one["alt_text"] or "") for one in shown(self.server, post)]
            self.tally.sent += 1
            if seen != [(wanted, alt_text)]:
                self._fault(limit, f"arrived as {str(seen)[:200]}")

    def refused(self, limit: str, text: str, alt_text: str, number: int, *, send: bool) -> None:
        """These words must be refused with the limit's number, while nothing leaves the process."""
        self.tally.tried[limit] += 1
        acts: list[Callable[[], Any]] = [lambda: self.channel.fit(text, alt_text)]
        if send:
            acts.append(lambda: self.channel.publish(post_of(self.picture, text, alt_text), ready))
        for act in acts:
            with connections() as said:
                try:
                    act()
                except Rejected as error:
                    words = str(error)
                else:
                    words = ""
            self.tally.refused += 1
            if str(number) not in words:
                self._fault(limit, f"one over {number} was not refused by name: {words!r}")
            if said:
                self._fault(limit, f"{len(said)} calls over the network before it was refused")

    def _fault(self, limit: str, words: str) -> None:
        self.tally.faults.append(f"{self.name} {limit}: {words}")

    def text_limit(
        self,
        limit: str,
        size: int,
        count: Callable[[str], int],
        chance: random.Random,
        *,
        send: bool,
        filling: str = "",
    ) -> None:
        """At, under and over a limit on the text."""
        tags = chance.sample(self.tags, 2)
        tail = f"\n\n{_SIGNATURE}\n{' '.join(tags)}"
        poem = self.poem(chance, size, count, filling)
        self.fits(limit, poem, "", poem, (), send=send)
        self.fits(
            limit,
            poem + tail,
            "",
            poem,
            (*reversed(tags), _SIGNATURE),
            send=False,
        )
        under = self.poem(chance, size - 1, count, filling)
        self.fits(limit, under, "", under, (), send=False)
        self.refused(limit, self.poem(chance, size + 1, count, filling), "", size, send=send)
        room = self.poem(chance, size - count(tail), count, filling)
        self.fits(limit, room + tail, "", room + tail, (), send=send)
        tight = self.poem(chance, size - count(tail) + 1, count, filling)
        self.fits(limit, tight + tail, "", (tight + tail).removesuffix(f" {tags[-1]}"), (tags[-1],), send=send)

    def hashtags(self, most: int, chance: random.Random, *, send: bool) -> None:
        """In the tail they are dropped, in the poem they are refused."""
        tags = [chance.choice(self.tags) for _ in range(most + 1)]
        fitting = " ".join(tags[:-1])
        poem = self.poem(chance, 80, self.count)
        self.fits("hashtags", f"{poem}\n\n{fitting}", "", f"{poem}\n\n{fitting}", (), send=send)
        poem = self.poem(chance, 80, self.count)
        self.fits("hashtags", f"{poem}\n\n{fitting} {tags[-1]}", "", f"{poem}\n\n{fitting}", (tags[-1],), send=send)
        self.refused("hashtags", f"{self.poem(chance, 80, self.count)}\n{' '.join(tags)}", "", most, send=send)

    def alt_text(self, most: int, chance: random.Random, *, send: bool) -> None:
        """Taken whole or refused."""
        poem = self.poem(chance, 80, self.count)
        for size in (most, most - 1):
            self.fits("alt text", poem, self.poem(chance, size, len), poem, (), send=send and size == most)
        self.refused("alt text", poem, self.poem(chance, most + 1, len), most, send=send)

    def pictures(self, chance: random.Random, *, send: bool) -> None:
        """Each at its limit as it is, one over remade within it; the platform takes both."""
        for limit, content, untouched in _pictures(self.limits, chance):
            self.tally.tried[limit] += 1
            path = self.folder / "tried.jpg"
            path.write_bytes(content)
            post = post_of(path, self.poem(chance, 80, self.count), "A pond.")
            fitted = fit_picture(post, self.limits)
            with Image.open(io.BytesIO(fitted.content)) as image:
                image.load()
                size = image.size
            if (fitted.content == content) is not untouched:
                self._fault(limit, "was remade" if untouched else "was sent as it is")
            if not _within(size, len(fitted.content), self.limits):
                self._fault(limit, f"became {size}, {len(fitted.content)} bytes")
            if send and self.server:
                self.tally.sent += 1
                try:
                    self.channel.publish(post, ready)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is the benchmark's finding
                    self._fault(limit, f"the platform did not take it: {type(error).__name__}: {error}")


def _within(size: tuple[int, int], length: int, limits: Limits) -> bool:
    ratio = limits.ratios is None or limits.ratios[0] <= size[0] / size[1] <= limits.ratios[1]
    pixels = limits.picture_pixels is None or max(size) <= limits.picture_pixels
    return ratio and pixels and (limits.picture_bytes is None or length <= limits.picture_bytes)


def _jpeg(size: tuple[int, int], shade: int, weight: int | None = None) -> bytes:
    """A JPEG of that size, in pixels and, by comments, in bytes."""
    target = io.BytesIO()
    Image.linear_gradient("L").resize(size).point(lambda value: (value + shade) % 256).convert("RGB").save(
        target, "JPEG"
    )
    content, comments = target.getvalue(), []
    missing = 0 if weight is None else weight - len(content)
    while missing:
        piece = missing if missing <= 65_000 else min(65_000, missing - 4)
        comments.append(b"\xff\xfe" + struct.pack(">H", piece - 2) + b"\0" * (piece - 4))
        missing -= piece
    return content[:2] + b"".join(comments) + content[2:]


def _pictures(limits: Limits, chance: random.Random) -> Iterator[tuple[str, bytes, bool]]:
    """The limit that is tried, the picture's bytes, and whether it fits as it is."""
    shade = chance.randrange(256)
    wide = (432, 540)
    if (most := limits.picture_bytes) is not None:
        yield from (("picture bytes", _jpeg(wide, shade, most + over), over <= 0) for over in (-1, 0, 1))
    if (most := limits.picture_pixels) is not None:
        for side, fits in ((most - 1, True), (most, True), (most + 1, False)):
            yield "picture pixels", _jpeg((side * 9 // 10 if limits.ratios else side // 20, side), shade), fits
    if limits.ratios is not None:
        least, greatest = limits.ratios
        tall, flat = round(432 / least), round(500 / greatest)
        exact = [(432, tall), (round(flat * greatest), flat)]
        for width, height in exact:
            yield "ratio", _jpeg((width, height), shade), least <= width / height <= greatest
        yield "ratio", _jpeg((432, tall + 1), shade), False
        yield "ratio", _jpeg((round(flat * greatest) + 2, flat), shade), False


def try_channel(name: str, server: Platform | None, folder: Path, tally: Tally, *, seeds: int, sent: int) -> None:
    """Try every limit of a channel with so many seeds; with the first of them, send what fits.

    Args:
        name: its backend.
        server: its platform, running; None where it has none.
        folder: for pictures.
        tally: is added to.
        seeds: how many cases of each limit.
        sent: with how many of them the platform is used.
    """
    channel = made(name, folder, server)
    channel.check()
    trial = _Trial(name, channel, server, folder, tally)
    limits = trial.limits
    for seed in range(seeds):
        chance, send = random.Random(f"{name} {seed}"), seed < sent
        trial.speak(plainly=send and name in _STRICTER)
        if limits.characters is not None:
            trial.text_limit("characters", limits.characters, trial.count, chance, send=send)
        if limits.text_bytes is not None:
            trial.text_limit("bytes", limits.text_bytes, _length, chance, send=send, filling="👩‍👩‍👧‍👧👩‍👩‍👧‍👧👩‍👩‍👧‍👧")
        if limits.hashtags is not None:
            trial.hashtags(limits.hashtags, chance, send=send)
        if limits.alt_characters is not None:
            trial.alt_text(limits.alt_characters, chance, send=send)
        if seed < max(1, sent):
            trial.pictures(chance, send=send)
    if dataclasses.replace(limits, film=None) == type(limits)():
        trial.fits("none", "x" * 100_000, "y" * 10_000, "x" * 100_000, (), send=False)


def _length(text: str) -> int:
    return len(text.encode())
