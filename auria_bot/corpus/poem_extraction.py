"""Extract a three-line poem from a post: from its title, or from its body if the title has none.

On Reddit a haiku is in the title, its lines separated by slashes, bars or line breaks, sometimes by dashes; around it
are tags, remarks and greetings. A dash separates lines only if the result is certainly three lines of verse, since
dashes also occur within lines. Whether the poem is good or decent is judged by `quality_filter`.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass

from auria_bot.corpus.language.syllables import line_counts, text_counts
from auria_bot.corpus.language.words import words

__all__ = ["REASONS", "ExtractedPoem", "cleaned", "read_poem"]

REASONS = {
    "empty": "it has no text",
    "too long": "it is longer than a title with a poem",
    "an address": "it holds a link",
    "a subreddit or user": "it names a subreddit or a user",
    "not three lines": "it has no three lines; most posts with questions and news end here",
    "more than three lines": "it has more than three lines",
    "several poems": "it has several poems",
    "alternatives": 'its slashes separate alternatives, as in "his/her", and no lines',
    "a line without words": "one of its lines has no words",
    "a line too long for verse": "one of its lines is prose",
    "not surely three lines": "dashes separate it, and not into lines of about 5-7-5",
    "too short for a poem": "it has fewer than 6 syllables",
    "too long for a poem": "it has more than 28 syllables",
}
"""Every reason for finding no poem."""

_SEPARATORS = (
    re.compile(r"[\r\n\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}]+"),
    re.compile(r"/+|\\+|\N{BIG SOLIDUS}|\N{FRACTION SLASH}|\N{FULLWIDTH SOLIDUS}"),
    re.compile(r"\|+|\N{BROKEN BAR}|\N{FULLWIDTH VERTICAL LINE}|\N{BULLET}|\N{MIDDLE DOT}|~"),
    re.compile(r";\s|\s(?:\N{EM DASH}|\N{EN DASH}|--?-?)\s|\N{EM DASH}"),
)
"""Line separators, the most certain first; spaces around them are removed from the lines (`_line`).

As the other patterns here they begin with what is rare, so that no text makes a search slow.
"""
_SPACED_SLASH = re.compile(r"\s(?:/+|\\+|\N{BIG SOLIDUS}|\N{FRACTION SLASH}|\N{FULLWIDTH SOLIDUS})\s")
"""Where such slashes give three lines, those without spaces belong to the words, as in "24/7"."""
_SLASH, _DASHES = 1, 3  # places in it; the last of them is sure only of verse in form

_TAG = re.compile(r"\[[^\[\]]{0,40}\]|\((?:oc|poem|haiku|original|x-?post[^()]{0,60})\)", re.IGNORECASE)
_LABEL = re.compile(
    r"^\s*(?:my (?:first )?|an? )?(?:haiku|senryu|poem)(?: of the day| for you)?(?: ?#? ?\d+)?\s*[:\-\N{EM DASH}]\s+",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"(?:\((?=[^()]{0,120}(?:\b(?:my|first|feedback|thoughts|critique|critici[sz]m|try|attempt|haiku|oc|by|"
    r"please|sorry|edit|inspired|x-?post)\b))[^()]{2,120}\))\s*$",
    re.IGNORECASE,
)
_URL = re.compile(r"https?:|www\.|\w-*+\.(?:com|org|net|io|co|tv|ly)\b", re.IGNORECASE)
_REDDIT = re.compile(r"(?:^|[\s(/])/?[ru]/\w+", re.IGNORECASE)
_MARKUP = re.compile(r"^\s*(?:&gt;|>|[*+-]\s|\#+\s|\d+[.)]\s)\s*|[*_`~^]{1,3}(?=\S)|(?<=\S)[*_`~^]{1,3}")
_LINK = re.compile(r"!?\[([^\]]{0,200})\]\([^)]{0,500}\)")
_CHANGED = str.maketrans(
    {
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{ACUTE ACCENT}": "'",
        "`": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{NO-BREAK SPACE}": " ",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{SOFT HYPHEN}": None,
        "\N{NON-BREAKING HYPHEN}": "-",
    }
)
_PAIRS = frozenset(
    {"his/her", "her/his", "he/she", "she/he", "him/her", "and/or", "i/we", "my/our", "yes/no", "either/or", "w/o"}
)
_UNEVEN, _VERY_UNEVEN = 4.5, 7.0  # times as many syllables in one line as in another: not lines of one poem
_MOST_CHARACTERS = 600  # of a title or of the part of a body that is looked at: Reddit's titles have 300 at most
_MOST_WORDS, _MOST_SYLLABLES = 12, 14  # of a line: beyond, it is prose
_TOTAL = range(6, 29)  # syllables of a haiku in any form
_FORMAL = range(15, 20)  # and of one that stands between dashes


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractedPoem:
    """The result: three lines, or the reason why there is no poem."""

    lines: tuple[str, ...] = ()
    reason: str = ""  # "" for a poem


def cleaned(text: str) -> str:
    """Remove entities, emoji, invisible and direction-changing characters; straighten quotes; keep line breaks."""
    text = html.unescape(text)[: 4 * _MOST_CHARACTERS].translate(_CHANGED)
    kept = []
    for character in unicodedata.normalize("NFC", text):
        kind = unicodedata.category(character)
        if character in "\n\r\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}":
            kept.append(character)
        elif kind == "Zs" or character == "\t":
            kept.append(" ")
        elif (
            kind not in {"Cc", "Cf", "Cs", "Co", "Cn", "So", "Sk", "Zl", "Zp"}
            and character != "\N{VARIATION SELECTOR-16}"
        ):
            kept.append(character)
    return "".join(kept)


def read_poem(title: str, body: str = "") -> ExtractedPoem:
    """Extract the poem of a post.

    Args:
        body: its text; used only if the title has no poem.
    """
    found = _in_title(title)
    if found.lines or not body.strip():
        return found
    within = _in_body(body)
    return within if within.lines else found


def _in_title(title: str) -> ExtractedPoem:
    text = cleaned(title).strip()
    refusals = {
        "empty": not text,
        "too long": len(text) > _MOST_CHARACTERS,
        "an address": _URL.search(text),
        "a subreddit or user": _REDDIT.search(text),
    }
    if reason := next((reason for reason, found in refusals.items() if found), ""):
        return ExtractedPoem(reason=reason)
    text = _without_remarks(text)
    for number, separator in enumerate(_SEPARATORS):
        parts = _parts(separator, text)
        if len(parts) == 4 and number < _DASHES and _is_remark(parts[3]):
            parts = parts[:3]
        if len(parts) == 3:
            reason = _fault(parts, formal=number == _DASHES) or _alternatives(text, parts)
            if not reason:
                return ExtractedPoem(lines=tuple(parts))
            if number < _DASHES:  # a dash was no line break, then
                return ExtractedPoem(reason=reason)
        if len(parts) > 3 and number < _DASHES:
            return ExtractedPoem(reason="more than three lines")
    return ExtractedPoem(reason="not three lines")


def _parts(separator: re.Pattern[str], text: str) -> list[str]:
    """The lines between separators, without empty ones."""
    if separator is _SEPARATORS[_SLASH] and len(spaced := _SPACED_SLASH.split(text)) == 3:
        return [part for part in map(_line, spaced) if part]
    return [part for part in map(_line, separator.split(text)) if part]


def _in_body(body: str) -> ExtractedPoem:
    """The first paragraph of three lines, or a body of three paragraphs of one line each."""
    text = _LINK.sub(r"\1", cleaned(body[: 4 * _MOST_CHARACTERS]).replace("\r\n", "\n").replace("\r", "\n"))
    if len(body) > 4 * _MOST_CHARACTERS:
        return ExtractedPoem(reason="too long")
    rows = [[_line(_MARKUP.sub("", row)) for row in block.split("\n")] for block in re.split(r"\n[ \t]*\n", text)]
    blocks = [lines for block in rows if (lines := [line.rstrip("\\ ") for line in block if line])]
    verses = [
        block
        for block in blocks
        if len(block) == 3 and not _fault(block, formal=False) and not re.search(r"[:\d]", " ".join(block))
    ]
    if len(verses) == 1:
        return ExtractedPoem(lines=tuple(verses[0]))
    if len(verses) > 1:
        return ExtractedPoem(reason="several poems")
    single = [block[0] for block in blocks if len(block) == 1]
    if len(blocks) == len(single) == 3 and not _fault(single, formal=True):
        return ExtractedPoem(lines=tuple(single))
    if blocks and len(blocks[0]) == 1 and (within := _in_title(blocks[0][0])).lines:
        return within
    return ExtractedPoem(reason="not three lines")


def _without_remarks(text: str) -> str:
    """The text without tags, labels and the author's remarks."""
    text = _LABEL.sub("", _TAG.sub(" ", text).strip())
    while match := _REMARK.search(text):
        text = text[: match.start()].rstrip()
    return text


def _is_remark(part: str) -> bool:
    """Whether a fourth part is a signature or a remark about the poem."""
    return bool(
        re.fullmatch(
            r"(?:by|-|~|\N{EM DASH})\s*\S.{0,40}|\(.{1,120}\)|"
            r"(?:haiku|oc|poem|thoughts\?|feedback.{0,40}|#\w+(?:\s+#\w+)*)",
            part,
            re.IGNORECASE,
        )
    )


def _line(part: str) -> str:
    """A line without markup and stray marks around it."""
    text = " ".join(part.split()).strip(" *_~")
    return re.sub(r"^[,.;:]\s+(?=\w)", "", text)


def _alternatives(text: str, parts: list[str]) -> str:
    """Whether slashes without spaces separate alternatives ("his/her", "view/belief") rather than lines."""
    if "/" not in text or re.search(r"\s/|/\s", text):
        return ""
    if any(pair.lower() in _PAIRS for pair in re.findall(r"\b[A-Za-z]+/[A-Za-z]+\b", text)):
        return "alternatives"
    counts = [min(line_counts(spelt)) for part in parts if (spelt := words(part))]
    # "first snow/on the half-finished/bridge" ends in one word; alternatives are single words in between.
    most = _UNEVEN if len(words(parts[1])) == 1 else _VERY_UNEVEN
    return "alternatives" if len(counts) == len(parts) and max(counts) >= most * min(counts) else ""


def _fault(lines: list[str], *, formal: bool) -> str:
    """The reason why three lines are not a poem; "" if they are one."""
    spelt = [words(line) for line in lines]
    if any(not re.search(r"[^\W\d_]", line) for line in lines):
        return "a line without words"
    if any(len(line) > _MOST_WORDS for line in spelt):
        return "a line too long for verse"
    counts = [text_counts(line) for line in lines]
    if any(min(count) > _MOST_SYLLABLES for count in counts):
        return "a line too long for verse"
    total = sum(min(count) for count in counts)
    if formal:
        longest = sum(max(count) for count in counts)
        is_formal = any(size in _FORMAL for size in range(total, longest + 1)) and max(map(min, counts)) <= 9
        return "" if is_formal else "not surely three lines"
    if total not in _TOTAL:
        return "too short for a poem" if total < _TOTAL.start else "too long for a poem"
    return ""
