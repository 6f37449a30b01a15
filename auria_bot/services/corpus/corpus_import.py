"""Import verse into the corpus from any file or from Reddit, and forget what must be forgotten.

Each batch is one transaction: an import that is killed leaves whole batches, and repeating it finishes it and changes
nothing more.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

from auria_bot.corpus.item import WITHOUT_TEXT, author_key, from_row, from_submission, place_key
from auria_bot.corpus.sources import source_files
from auria_bot.corpus.sources.stream import Tally
from auria_bot.corpus.sources.submission import storable
from auria_bot.errors import AuriaError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from auria_bot.corpus.item import CorpusItem
    from auria_bot.corpus.quality_filter import FilterRules
    from auria_bot.corpus.sources.stream import Tell
    from auria_bot.corpus.sources.submission import Submission
    from auria_bot.domain.interfaces import Clock
    from auria_bot.store.unit_of_work import Store

__all__ = ["CorpusImporter", "ImportReport", "is_digest", "keys_of"]

_Item = TypeVar("_Item")

_BATCH = 500  # texts of one transaction


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """The result of an import."""

    tally: Tally = field(default_factory=Tally)  # lines, bad ones, samples
    removed: int = 0  # posts deleted by their authors or by moderators
    outcomes: Counter[str] = field(
        default_factory=Counter
    )  # new, better, known, forgotten; "would be kept" in a dry run
    reasons: Counter[str] = field(default_factory=Counter)  # of the rejected
    kept: int = 0  # poems among what was read, known ones too
    fresh: int = 0  # of these, new ones
    buried: int = 0  # verses forgotten because their posts are deleted

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready values."""
        return {
            "lines": self.tally.lines,
            "bad": self.tally.bad,
            "recoded": self.tally.recoded,
            "read": self.tally.wanted,
            "kept": self.kept,
            "new": self.outcomes["new"],
            "better": self.outcomes["better"],
            "known": self.outcomes["known"],
            "forgotten": self.outcomes["forgotten"],
            "removed": self.removed,
            "buried": self.buried,
            "rejected": dict(self.reasons.most_common()),
            "samples": [{"line": number, "why": why, "text": text} for number, why, text in self.tally.samples],
        }


class CorpusImporter:
    """Imports and forgets verse."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        rules: FilterRules | None = None,
        names: bool = False,
        keeps_rejected: bool = False,
    ) -> None:
        """`names` stores authors' names, `keeps_rejected` the lines of rejected poems until they age out."""
        self._store, self._clock, self._rules, self._names = store, clock, rules, names
        self._keeps_rejected = keeps_rejected

    def import_file(
        self,
        path: Path,
        *,
        subreddits: Sequence[str] = (),
        mapping: Mapping[str, str] | None = None,
        licence: str = "",
        dry_run: bool = False,
        tell: Tell | None = None,
        report: ImportReport | None = None,
    ) -> ImportReport:
        """Import a file: a dump or a listing of Reddit, text, CSV, JSON lines, or a folder of `datasets`.

        Args:
            path: the file or folder; a pipe or /dev/stdin is copied first.
            subreddits: of posts on Reddit only these; all if empty.
            mapping: which field of a row is what (`rows.FIELDS`); if given, the file is not taken for a dump.
            licence: the licence of the texts, if the file does not state one.
            dry_run: judge everything and store nothing.
            tell: called regularly with the bytes read so far.

        Raises:
            NotFound: there is no such file.
            InputError: it is damaged or of an unknown kind, or the mapping does not fit; what was read is kept.
            BackendMissing: a package that the file needs is not installed.
        """
        found = report if report is not None else ImportReport()
        origin = storable(path.name.encode("utf-8", "replace").decode())
        with source_files.readable(path) as file:
            held = source_files.opened(file, subreddits=subreddits, mapping=mapping or {}, tally=found.tally, tell=tell)
            if held.posts is not None:
                return self.take(held.posts, origin=origin, licence=licence, dry_run=dry_run, report=found)
            items = (
                from_row(row, self._rules, origin=origin, licence=licence, names=self._names) for row in held.rows or ()
            )
            for batch in _batches(items):
                self._keep_batch(batch, found, dry_run=dry_run)
        return found

    def take(
        self,
        posts: Iterable[Submission],
        *,
        origin: str,
        licence: str = "",
        dry_run: bool = False,
        report: ImportReport | None = None,
    ) -> ImportReport:
        """Import posts of Reddit; a removed one is deleted from the corpus.

        Args:
            posts: read as a stream.
            origin: the file or listing they come from.
            dry_run: judge everything and store nothing.
        """
        found = report if report is not None else ImportReport()
        for batch in _batches(posts):
            removed = [place_key("reddit", post.id) for post in batch if post.removed]
            found.removed += len(removed)
            pieces = [
                from_submission(post, self._rules, origin=origin, licence=licence, names=self._names)
                for post in batch
                if not post.removed
            ]
            self._keep_batch(pieces, found, dry_run=dry_run, removed=removed)
        return found

    def forget(self, what: str) -> int:
        """Forget a verse, a post or an author permanently: it is not imported again.

        Args:
            what: a post's id ("1abcd", "t3_1abcd" or its address), an author ("u/NAME"), a verse's digest, or "FILE ID"
                for a row that had an id.

        Returns:
            The number of deleted verses.

        Raises:
            UsageError: it is none of these.
        """
        plain = what.strip()
        with self._store.begin() as unit:
            if is_digest(plain):
                return int(unit.verses.forget_digest(plain))
            return unit.verses.forget(keys_of(plain), at=self._clock())

    def identify(self, what: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
        """The hashes of the places and authors, and the digests of the verses, that these words mean.

        Raises:
            UsageError: one of them is none of what `forget` takes.
        """
        digests = [one.strip() for one in what if is_digest(one.strip())]
        keys = [key for one in what if not is_digest(one.strip()) for key in keys_of(one.strip())]
        with self._store.read() as unit:
            return keys, list(dict.fromkeys([*digests, *unit.verses.digests(keys)]))

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """Counts of verses by state, reason, form, season, subreddit, year and so on."""
        with self._store.read() as unit:
            return unit.verses.counts()

    def sample(
        self, count: int, *, season: str | None = None, form: str | None = None, seed: int = 0
    ) -> Sequence[CorpusItem]:
        """A random sample of kept verses."""
        with self._store.read() as unit:
            return unit.verses.sample(count, season=season, form=form, seed=seed)

    def _keep_batch(
        self, pieces: Sequence[CorpusItem], report: ImportReport, *, dry_run: bool, removed: Sequence[str] = ()
    ) -> None:
        pieces = self._with_decisions(pieces)
        report.reasons.update(piece.reason for piece in pieces if piece.reason)
        report.kept += sum(not piece.reason for piece in pieces)
        if dry_run:
            return
        with self._store.begin() as unit:
            if removed:
                report.buried += unit.verses.forget(removed, at=self._clock())
            if pieces:
                outcomes = unit.verses.add(pieces)
                report.outcomes.update(outcomes)
                report.fresh += sum(how == "new" and not one.reason for how, one in zip(outcomes, pieces, strict=True))

    def _with_decisions(self, pieces: Sequence[CorpusItem]) -> Sequence[CorpusItem]:
        """Accept what the operator accepted; of the other rejected poems, leave out the lines that are not stored."""
        rejected = {piece.digest for piece in pieces if piece.reason and piece.lines}
        if not rejected:
            return pieces
        with self._store.read() as unit:
            accepted = unit.rejected.accepted(rejected)
        now = self._clock()
        found = []
        for piece in pieces:
            one = piece
            if piece.reason and piece.lines:
                if piece.digest in accepted:
                    one = replace(piece, reason="")
                elif self._keeps_rejected and piece.reason not in WITHOUT_TEXT:
                    one = replace(piece, rejected_at=now)
                else:
                    one = replace(piece, lines=(), syllables=(), form="", season="")
            found.append(one)
        return found


def _batches(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Lists of at most _BATCH items; those read before an error are returned before it is raised."""
    waiting, batch = iter(items), list[_Item]()
    error: AuriaError | None = None
    while error is None:
        try:
            batch.append(next(waiting))
        except StopIteration:
            break
        except AuriaError as met:
            error = met
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
    if error is not None:
        raise error


def is_digest(text: str) -> bool:
    """Whether the operator's words are the digest of a verse."""
    return len(text) == 32 and all(letter in "0123456789abcdef" for letter in text)


def keys_of(what: str) -> list[str]:
    """The hashes of places and authors that the operator's words may refer to.

    Raises:
        UsageError: they are no post's id or address, no author, and no "FILE ID".
    """
    if found := re.search(r"(?:reddit\.com|redd\.it)/(?:r/\w+/)?(?:comments/)?([0-9a-z]{1,16})\b", what, re.IGNORECASE):
        return [place_key("reddit", found[1])]
    if re.fullmatch(r"/?u/[\w-]{1,60}", what):
        return [author_key(what)]
    if re.fullmatch(r"(?:t3_)?[0-9a-z]{1,16}", what):
        return [place_key("reddit", what)]
    if re.fullmatch(r"\S.*\s\S+", what):
        return [place_key("file", what), author_key(what)]
    raise UsageError(f"{what[:60]!r} names no text: give a post's id, u/NAME for an author, or a verse's digest")
