"""What the filter rejected, by reason, and the operator's decision to accept a text all the same.

The lines of rejected poems are kept for some days only; an accepted poem whose lines are gone is kept when it is read
again. A decision is by the hash of the words, so it holds for every copy, in imports, refreshes and versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.corpus.item import MEANINGS, WITHOUT_TEXT
from auria_bot.corpus.poem_extraction import REASONS as NO_POEM
from auria_bot.errors import InvalidTransition, NotFound, UsageError
from auria_bot.services.corpus.corpus_import import is_digest, keys_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.corpus.item import CorpusItem
    from auria_bot.domain.interfaces import Clock
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = ["Accepted", "RejectedReason", "RejectedTexts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedReason:
    """A reason, how many texts it rejects, and some of them."""

    name: str
    meaning: str
    count: int
    texts: Sequence[CorpusItem]  # those whose lines are kept first


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A text that was accepted, or whose acceptance was taken back."""

    digest: str
    reason: str  # why it had been rejected
    text: CorpusItem  # with its lines, if they are kept
    changed: bool  # False if it was so before


class RejectedTexts:
    """Shows rejected texts, and accepts them.

    Usage::

        rejected.list(sample=3)
        rejected.accept("1abcd")
    """

    def __init__(self, *, store: Store, clock: Clock, days: float) -> None:
        """`days` is how long the lines of rejected poems are kept."""
        self._store, self._clock, self._days = store, clock, timedelta(days=days)

    def list(self, *, reason: str = "", sample: int = 5, seed: int = 0) -> Sequence[RejectedReason]:
        """Every reason that rejects something, the most frequent first, with a sample of its texts; 0 gives all.

        Raises:
            InputError: there is no such reason.
        """
        self.age_out()
        with self._store.read() as unit:
            counts = unit.rejected.counts()
            if reason and reason not in counts.keys() | MEANINGS.keys():
                raise UsageError(f"no reason {reason[:40]!r}; known: {', '.join(counts or MEANINGS)}")
            return [
                RejectedReason(
                    name=name,
                    meaning=MEANINGS.get(name, ""),
                    count=count,
                    texts=unit.rejected.sample(name, sample, seed=seed),
                )
                for name, count in counts.items()
                if reason in {"", name}
            ]

    def accept(self, what: str) -> Accepted:
        """Accept a rejected poem, given by its digest, a post's id or address, or "FILE ID".

        Raises:
            UsageError: it is none of these, or names several texts.
            NotFound: no such text was found.
            InvalidTransition: it is no poem, was forgotten, or is not rejected.
        """
        with self._store.begin() as unit:
            digest = self._digest(unit, what)
            state, text = _found(unit, digest, what)
            before = unit.rejected.accepted([digest]).get(digest)
            if before is not None:
                return Accepted(digest=digest, reason=before, text=text, changed=False)
            if state == "forgotten":
                raise InvalidTransition(f"{what} was forgotten, and is never imported again")
            if state == "kept":
                raise InvalidTransition(f"{what} is not rejected: it is kept")
            if text.reason in NO_POEM:
                raise InvalidTransition(f"{what} is no poem of three lines: {MEANINGS[text.reason]}")
            unit.rejected.accept(digest, reason=text.reason, at=self._clock())
            unit.journal.note("accept verse", details=f"{digest}: {text.reason}", at=self._clock())
        return Accepted(digest=digest, reason=text.reason, text=text, changed=True)

    def undo(self, what: str) -> Accepted:
        """Reject an accepted text again, for its former reason.

        Raises:
            UsageError, NotFound: as for `accept`.
            InvalidTransition: it was not accepted.
        """
        with self._store.begin() as unit:
            digest = self._digest(unit, what)
            _, text = _found(unit, digest, what)
            reason = unit.rejected.revoke(digest, at=self._clock(), textless=WITHOUT_TEXT)
            if reason is None:
                raise InvalidTransition(f"{what} was not accepted; auria corpus accept accepts it")
            unit.journal.note("reject verse", details=f"{digest}: {reason}", at=self._clock())
        return Accepted(digest=digest, reason=reason, text=text, changed=True)

    def age_out(self) -> int:
        """Delete the lines of rejected texts that are older than the settings say; their number."""
        with self._store.begin() as unit:
            return unit.rejected.age_out(self._clock() - self._days)

    def _digest(self, unit: Unit, what: str) -> str:
        plain = what.strip()
        if is_digest(plain):
            return plain
        found = unit.verses.digests(keys_of(plain))
        if not found:
            raise NotFound(f"no text of {plain[:60]!r} was found; auria corpus rejected lists the rejected ones")
        if len(found) > 1:
            raise UsageError(f"{plain[:60]!r} names several texts; give a digest: {', '.join(found[:5])}")
        return found[0]


def _found(unit: Unit, digest: str, what: str) -> tuple[str, CorpusItem]:
    found = unit.rejected.find(digest)
    if found is None:
        raise NotFound(f"no text {what[:60]!r} was found; auria corpus rejected lists the rejected ones")
    return found
