"""A text from outside and the decision on it: kept as a poem, or rejected with a reason.

One function handles a post on Reddit and one a row of any other file. Authors and places are stored as hashes only,
unless the operator wants names: a hash is enough to forget by.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auria_bot.corpus.language.season_words import seasons_of
from auria_bot.corpus.language.syllables import FORM, text_counts
from auria_bot.corpus.language.words import words
from auria_bot.corpus.poem_extraction import REASONS as NO_POEM
from auria_bot.corpus.poem_extraction import cleaned, read_poem
from auria_bot.corpus.quality_filter import FORMER_REASONS, REASONS, judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from auria_bot.corpus.poem_extraction import ExtractedPoem
    from auria_bot.corpus.quality_filter import FilterRules
    from auria_bot.corpus.sources.rows import Row
    from auria_bot.corpus.sources.submission import Submission

__all__ = [
    "ADULT",
    "MEANINGS",
    "WITHOUT_TEXT",
    "CorpusItem",
    "author_key",
    "from_row",
    "from_submission",
    "measured",
    "place_key",
]

ADULT = "for adults"
"""The reason for rejecting a post that Reddit marks as not safe for work."""

MEANINGS = {
    **REASONS,
    ADULT: "Reddit marks the post as not safe for work",
    **NO_POEM,
    **{
        former: f"of an earlier version, which did not distinguish {' and '.join(map(repr, now))}"
        for former, now in FORMER_REASONS.items()
    },
}
"""What each reason for rejecting a text means."""

WITHOUT_TEXT = frozenset({"contact data", *FORMER_REASONS})
"""Reasons for which the lines of a rejected text are never stored."""

_FREE, _FORMAL = "free", "575"


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusItem:
    """A text as it is stored."""

    digest: str  # of its folded words: 32 hexadecimal digits
    key: str  # where it was found, hashed
    author_key: str = ""  # the author, hashed; "" if unknown
    reason: str = ""  # why it is rejected; "" for a poem that is kept
    lines: tuple[str, ...] = ()  # empty if no poem was found, or if a rejected one's are not kept
    syllables: tuple[int, ...] = ()
    form: str = ""  # "575" or "free"
    season: str = ""
    source: str  # "reddit" or "file"
    origin: str = ""  # the file, or the listing
    licence: str = ""
    subreddit: str = ""
    external_id: str = ""
    created_at: datetime | None = None
    score: int | None = None
    author: str = ""
    rejected_at: datetime | None = None  # when the lines of a rejected one were stored

    @property
    def standing(self) -> tuple[bool, bool, bool, float, str, str]:
        """The sort key among copies of a poem; the smallest is kept.

        Accepted before rejected; then with a stated licence; then from Reddit, where a deletion can be noticed, before
        files; then the older; finally the smaller id, so that the order of imports does not matter.
        """
        since = self.created_at.timestamp() if self.created_at else float("inf")
        return bool(self.reason), not self.licence, self.source != "reddit", since, self.external_id, self.origin


def place_key(source: str, identifier: str) -> str:
    """The hash of a place where a text was found, such as a post: `place_key("reddit", "1abcd")`."""
    return _hashed(f"place {source} {identifier.strip().removeprefix('t3_').lower()}")


def author_key(name: str) -> str:
    """The hash of an author's name, case-insensitive, with or without "u/"; "" for an empty name."""
    plain = name.strip().removeprefix("/").removeprefix("u/").lower()
    return _hashed(f"author {plain}") if plain else ""


def from_submission(
    post: Submission, rules: FilterRules | None = None, *, origin: str = "", licence: str = "", names: bool = False
) -> CorpusItem:
    """Extract and judge the poem of a post that was not removed.

    Args:
        origin: the file or listing it comes from.
        licence: the stated licence, if any.
        names: store the author's name.
    """
    found = read_poem(post.title, post.body)
    return _judged(
        found,
        f"{post.title}\n{post.body}",
        rules,
        refused=ADULT if post.over_18 else "",
        base=CorpusItem(
            digest="",
            key=place_key("reddit", post.id),
            author_key=author_key(post.author),
            source="reddit",
            origin=origin,
            licence=licence,
            subreddit=post.subreddit,
            external_id=post.id,
            created_at=post.created,
            score=post.score,
            author=post.author if names else "",
        ),
    )


def from_row(
    row: Row, rules: FilterRules | None = None, *, origin: str, licence: str = "", names: bool = False
) -> CorpusItem:
    """Extract and judge the poem of a row of a file; arguments as for a post."""
    # A row without an id is identified by its words, so that the same file under another name adds nothing.
    identifier = f"{origin} {row.id}" if row.id else f"words {_spelt(row.text)}"
    return _judged(
        read_poem(row.text),
        row.text,
        rules,
        base=CorpusItem(
            digest="",
            key=place_key("file", identifier),
            author_key=author_key(row.author),
            source="file",
            origin=origin,
            licence=row.licence or licence,
            subreddit=row.collection,
            external_id=row.id,
            created_at=row.created,
            score=row.score,
            author=row.author if names else "",
        ),
    )


def _judged(
    found: ExtractedPoem, text: str, rules: FilterRules | None, *, base: CorpusItem, refused: str = ""
) -> CorpusItem:
    if not found.lines:
        return replace(base, digest=_hashed(f"no poem {_spelt(text)}"), reason=found.reason)
    syllables, form = measured(found.lines)
    return replace(
        base,
        digest=_hashed(" ".join(word for line in found.lines for word in words(line))),
        reason=refused or judge(found.lines, rules),
        lines=found.lines,
        syllables=syllables,
        form=form,
        season=next(iter(seasons_of(found.lines)), ""),
    )


def measured(lines: Sequence[str]) -> tuple[tuple[int, ...], str]:
    """The syllables of each line, and the form; a reading as 5-7-5 is preferred if there is one."""
    found = [text_counts(line) for line in lines]
    if len(found) == len(FORM) and all(count in each for count, each in zip(FORM, found, strict=True)):
        return FORM, _FORMAL
    return tuple(map(min, found)), _FREE


def _spelt(text: str) -> str:
    """The identity of a text: its words, or its characters if it has none."""
    return " ".join(words(text)) or cleaned(text).strip()


def _hashed(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16, person=b"auria corpus").hexdigest()
