"""How X counts and shows a text: weighted length, web addresses, and comparison of a sent text with a shown one.

The rules are those of X's library twitter-text, version 3: a text is normalised to NFC; most characters of the Latin,
Greek, Cyrillic, Arabic and Indic scripts weigh 1, all others 2, an emoji sequence 2, and a web address 23, because X
replaces it.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from auria_bot.errors import BackendMissing

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MISSING", "forbidden_characters", "same_text", "web_addresses", "weighted_length"]

MISSING = "the channel x needs packages that are not installed: pip install 'auria-bot[x]'"
"""The message where tweepy or regex is not installed."""

_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))  # code points that weigh 1
_ADDRESS_WEIGHT = 23
_DRAWN_TWICE = (  # emoji that U+FE0F may follow although they are drawn in colour without it
    r"\u231A\u231B\u25FD\u25FE\u2614\u2615\u2648-\u2653\u267F\u2693\u26A1\u26AA\u26AB\u26BD\u26BE\u26C4\u26C5"
    r"\u26D4\u26EA\u26F2\u26F3\u26F5\u26FA\u26FD\u2B50\u2B55"
)
_FORBIDDEN = re.compile("[\ufffe\ufeff\uffff]")

_BEFORE = r"(?<![A-Za-z0-9@＠$#＃_])"  # noqa: RUF001 - the full-width signs are meant
_END = r"(?![A-Za-z0-9@+-])"  # what follows a domain's name
_IN_PATH = r"A-Za-z0-9\u00C0-\u024F\u0400-\u04FF!*';:=+,.$/%#\[\]\-\u2013_~@|&()"
_PATH = rf"(?:/(?:[{_IN_PATH}]*[A-Za-z0-9\u00C0-\u024F\u0400-\u04FF/=#&+_-])?)?"
_QUERY = r"(?:\?[A-Za-z0-9!?*'();:&=+$/%#\[\]\-_.,~|@]*[A-Za-z0-9\-_&=#/])?"
# A label of a domain has 63 characters and a domain 126 labels at most: searching a text takes linear time.
_WITH_SCHEME = re.compile(
    rf"{_BEFORE}https?://(?P<domain>(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.){{1,126}}[^\W_](?:[\w-]{{0,61}}[^\W_])?)"
    rf"(?P<rest>(?::\d+)?{_PATH}{_QUERY})",
    re.IGNORECASE,
)
_BARE = re.compile(
    rf"{_BEFORE}(?P<domain>(?:[A-Za-z0-9](?:[A-Za-z0-9_-]{{0,61}}[A-Za-z0-9])?\.){{1,126}}[A-Za-z][A-Za-z0-9-]{{0,62}})"
    rf"(?P<rest>(?::\d+)?{_PATH})"
)


def weighted_length(text: str) -> int:
    """The length of a text as X counts it.

    Raises:
        BackendMissing: the package regex is not installed.
    """
    text = unicodedata.normalize("NFC", text)
    total, position = 0, 0
    for start, end in _address_spans(text):
        total += _weight(text[position:start]) + _ADDRESS_WEIGHT
        position = end
    return total + _weight(text[position:])


def web_addresses(text: str) -> tuple[str, ...]:
    """What X would turn into links: with a scheme, or without one, such as `example.org`."""
    text = unicodedata.normalize("NFC", text)
    return tuple(text[start:end] for start, end in _address_spans(text))


def forbidden_characters(text: str) -> bool:
    """Whether the text holds a character that X refuses: a byte-order mark or a noncharacter."""
    return _FORBIDDEN.search(text) is not None


def same_text(sent: str, shown: str) -> bool:
    """Whether X shows, as `shown`, the text that was `sent`.

    X escapes for HTML, replaces web addresses, and adds a link to the picture at the end.
    """
    wanted, found = _plain(sent), _plain(html.unescape(shown))
    return found in {wanted, f"{wanted} \0".strip()}


def _plain(text: str) -> str:
    """The text with one character for each web address and one blank for each gap."""
    text = unicodedata.normalize("NFC", text)
    parts, position = [], 0
    for start, end in _address_spans(text):
        parts.append(text[position:start])
        position = end
    return " ".join("\0".join([*parts, text[position:]]).split())


def _address_spans(text: str) -> Iterator[tuple[int, int]]:
    """The spans of web addresses, in order; only existing top-level domains count."""
    ahead = {kind: _next(kind, text, 0) for kind in (_WITH_SCHEME, _BARE)}
    while found := min(filter(None, ahead.values()), default=None):
        yield found
        for kind, span in ahead.items():
            if span is not None and span[0] < found[1]:
                ahead[kind] = _next(kind, text, found[1])


def _next(kind: re.Pattern[str], text: str, position: int) -> tuple[int, int] | None:
    for match in kind.finditer(text, position):
        labels = match["domain"].split(".")
        for count in range(len(labels), 1, -1):
            end = match.start("domain") + len(".".join(labels[:count]))
            known = labels[count - 1].lower() in _endings() and "_" not in labels[count - 2]
            if known and re.match(_END, text[end : end + 1]):
                return match.start(), match.end() if count == len(labels) else end
    return None


def _weight(text: str) -> int:
    graphemes, emoji = _patterns()
    total = 0
    for grapheme in graphemes.findall(text):
        if len(grapheme) > 1 and emoji.fullmatch(grapheme):
            total += 2
        else:
            total += sum(
                1 if any(low <= ord(character) <= high for low, high in _LIGHT) else 2 for character in grapheme
            )
    return total


@cache
def _patterns() -> tuple[Any, Any]:
    """Patterns of a grapheme, and of an emoji of several code points: a flag, a keycap, or a joined sequence."""
    try:
        import regex
    except ImportError:
        raise BackendMissing(MISSING) from None
    one = (
        rf"(?:[{_DRAWN_TWICE}]\uFE0F?|\p{{Emoji_Presentation}}\p{{Emoji_Modifier}}?"
        r"|(?![0-9#*])\P{Emoji_Presentation}(?<=\p{Emoji})(?:\p{Emoji_Modifier}|\uFE0F)?)"
    )
    tags = r"\p{Emoji_Presentation}[\U000E0020-\U000E007F]+"
    emoji = rf"\p{{RI}}{{2}}|[0-9#*]\uFE0F?\u20E3|{tags}|{one}(?:\u200D{one})*"
    return regex.compile(r"\X"), regex.compile(emoji)


@cache
def _endings() -> frozenset[str]:
    """Every top-level domain, in its own script and as xn--."""
    names = resources.files("auria_bot.channels").joinpath("top_level_domains.txt").read_text(encoding="utf-8")
    return frozenset(line for line in names.splitlines() if line and not line.startswith("#"))
