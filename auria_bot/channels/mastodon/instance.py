"""What a Mastodon server takes, as it says itself, and how it counts: read now and then, remembered in a file.

Every server sets limits of its own. Between two readings they are known without the network, in every process. Knows
the server's words; does not know how they are asked for.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from dataclasses import asdict, dataclass, fields, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from auria_bot import files
from auria_bot.channels.graphemes import graphemes
from auria_bot.domain.interfaces import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["InstanceLimits", "InstanceLimitsCache", "plain_text"]

# Only what a server surely takes for an address: the rest of a longer one counts by its letters.
_URL = re.compile(r"(?<![\w@#/.])https?://(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:[/?#][!-~]*)?", re.IGNORECASE)
_TRAIL = ".,;:!?'\")]}>"
_MENTION = re.compile(r"(?<![\w/])(@\w+(?:[\w.-]*\w)?)@[A-Za-z0-9.-]+[A-Za-z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceLimits:
    """A server's limits; by default what every Mastodon server takes."""

    instance: str = ""  # the server's address
    read_at: float = 0.0  # seconds since 1970
    characters: int = 500
    url_characters: int = 23  # what an address counts, however long it is
    alt_characters: int = 1500
    picture_bytes: int = 8_000_000
    picture_pixels: int = 16_777_216  # width x height

    @classmethod
    def read(cls, answer: Mapping[str, Any], *, instance: str, at: float) -> InstanceLimits:
        """From a server's description of itself (/api/v2/instance, or version 1); what it leaves out is as usual."""
        said = answer.get("configuration") or {}
        statuses, media = said.get("statuses") or {}, said.get("media_attachments") or {}
        found = {
            "characters": statuses.get("max_characters") or answer.get("max_toot_chars"),
            "url_characters": statuses.get("characters_reserved_per_url"),
            "alt_characters": media.get("description_limit"),
            "picture_bytes": media.get("image_size_limit"),
            "picture_pixels": media.get("image_matrix_limit"),
        }
        return cls(instance=instance, read_at=at, **found).sound()  # type: ignore[arg-type]  # made sound right here

    def sound(self) -> InstanceLimits:
        """The same, with the usual in place of what is no positive number."""
        usual = InstanceLimits(instance=self.instance)
        values = {name: value for name, value in asdict(self).items() if isinstance(value, int | float) and value > 0}
        return replace(usual, **values)  # type: ignore[arg-type]  # only numbers are replaced

    def limits(self) -> Limits:
        """As every channel tells them."""
        return Limits(
            characters=self.characters,
            alt_characters=self.alt_characters,
            picture_bytes=self.picture_bytes,
            picture_pixels=math.isqrt(self.picture_pixels),
        )

    def count(self, text: str) -> int:
        """The characters of a text as the server counts them: an address as many as any other, a name without its server."""

        def shorter(found: re.Match[str]) -> str:
            address = found[0].rstrip(_TRAIL)
            return "x" * self.url_characters + found[0][len(address) :]

        return graphemes(_MENTION.sub(r"\1", _URL.sub(shorter, text)))


class InstanceLimitsCache:
    """Remembers a server's limits in a file; a file that cannot be read or written is as if there were none."""

    def __init__(self, path: Path, instance: str) -> None:
        self._path, self._instance = path, instance

    def recall(self) -> InstanceLimits | None:
        """What was read last from this server."""
        with contextlib.suppress(OSError, ValueError, TypeError):
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            known = {item.name for item in fields(InstanceLimits)}
            limits = InstanceLimits(**{name: kept[name] for name in known & set(kept)})
            if limits.instance == self._instance and limits == limits.sound():
                return limits
        return None

    def remember(self, limits: InstanceLimits) -> None:
        """Replace the file in one stroke."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            files.write_atomic(self._path, json.dumps(asdict(limits)).encode(), durable=False)


def plain_text(content: str) -> str:
    """The words of a status' HTML, every white space a single blank."""
    reader = _Reader()
    reader.feed(content)
    reader.close()
    return " ".join("".join(reader.parts).split())


class _Reader(HTMLParser):
    """Collects text; a paragraph and a line's end part words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the library's signature
        if tag in {"br", "p"}:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
