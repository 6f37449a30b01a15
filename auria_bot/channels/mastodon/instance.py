"""The limits that a server with Mastodon's API states, how it counts characters, and the text of its statuses."""

from __future__ import annotations

import math
import re
from dataclasses import asdict, dataclass, fields, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from auria_bot.channels.answers import as_object, as_text
from auria_bot.channels.text_limits import graphemes
from auria_bot.domain.interfaces import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["InstanceLimits", "plain_text"]

# Only what a server surely recognises as an address: the rest of a longer one counts by its letters.
_URL = re.compile(r"(?<![\w@#/.])https?://(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:[/?#][!-~]*)?", re.IGNORECASE)
_TRAIL = ".,;:!?'\")]}>"
_MENTION = re.compile(r"(?<![\w/])(@\w(?:[\w.-]*\w)?)@[A-Za-z0-9.-]+[A-Za-z0-9]")
_ALT_CHARACTERS = {"pixelfed": 1000}  # by software that does not state it
_MOST = 2**53  # a larger limit is an error


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceLimits:
    """A server's limits; the defaults are Mastodon's."""

    instance: str = ""  # the server's address
    read_at: float = 0.0  # seconds since 1970
    characters: int = 500
    url_characters: int = 23  # that an address counts, whatever its length
    alt_characters: int = 1500
    picture_bytes: int = 8_000_000
    picture_pixels: int = 16_777_216  # width x height

    @classmethod
    def read(cls, answer: Mapping[str, Any], *, instance: str, at: float) -> InstanceLimits:
        """Read a server's description (/api/v2/instance, or version 1); limits that it does not state are defaults."""
        stated = as_object(answer.get("configuration"))
        statuses, media = as_object(stated.get("statuses")), as_object(stated.get("media_attachments"))
        software = as_text(answer.get("version")).casefold()
        known_alt = next((limit for name, limit in _ALT_CHARACTERS.items() if name in software), None)
        found = {
            "characters": (statuses.get("max_characters"), answer.get("max_toot_chars")),
            "url_characters": (statuses.get("characters_reserved_per_url"),),
            "alt_characters": (media.get("description_limit"), answer.get("description_limit"), known_alt),
            "picture_bytes": (media.get("image_size_limit"), answer.get("upload_limit")),
            "picture_pixels": (media.get("image_matrix_limit"),),
        }
        limits = {name: next(filter(None, map(_limit, values)), None) for name, values in found.items()}
        stated_limits: dict[str, Any] = {name: value for name, value in limits.items() if value}
        return replace(cls(instance=instance, read_at=at), **stated_limits)

    @classmethod
    def load(cls, saved: Mapping[str, Any], *, instance: str) -> InstanceLimits | None:
        """Restore saved limits; None if they are another server's, or damaged."""
        numbers = {item.name: saved.get(item.name) for item in fields(cls) if item.name != "instance"}
        if saved.get("instance") != instance or not all(
            isinstance(value, int | float) and 0 < value < _MOST for value in numbers.values()
        ):
            return None
        return cls(instance=instance, **numbers)  # type: ignore[arg-type]  # checked just above

    def save(self) -> dict[str, Any]:
        """The limits as JSON values."""
        return asdict(self)

    def limits(self) -> Limits:
        """The limits of the channel."""
        return Limits(
            characters=self.characters,
            alt_characters=self.alt_characters,
            picture_bytes=self.picture_bytes,
            picture_pixels=math.isqrt(self.picture_pixels),
        )

    def count(self, text: str) -> int:
        """A text's characters as the server counts them: addresses have a fixed length, mentions no server."""

        def shorter(found: re.Match[str]) -> str:
            address = found[0].rstrip(_TRAIL)
            return "x" * self.url_characters + found[0][len(address) :]

        return graphemes(_MENTION.sub(r"\1", _URL.sub(shorter, text)))


def _limit(value: Any) -> int | None:
    """A positive number, which some servers give as text; 0, -1 and null mean that no limit is stated."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:20]) < _MOST else None


def plain_text(content: str) -> str:
    """The text of a status's HTML, with single spaces."""
    reader = _Reader()
    reader.feed(content)
    reader.close()
    return " ".join("".join(reader.parts).split())


class _Reader(HTMLParser):
    """Collects text; paragraphs and line breaks become white space."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the library's signature
        if tag in {"br", "p", "div"}:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
