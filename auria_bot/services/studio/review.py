"""The operator's decisions on drafts: approve, reject, edit, restyle, repaint, undo. Each is recorded in the journal.

A new version of a draft is a new draft; the old one is rejected with a note of which draft replaced it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.corpus.language.content_filter import normalised
from auria_bot.domain.draft import PUBLISHED, WITHDRAWN, DraftState
from auria_bot.errors import InputError, InvalidTransition, StepFailed, TextRejected, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from auria_bot.domain.draft import Draft
    from auria_bot.domain.interfaces import Clock
    from auria_bot.domain.pipeline import ArtworkRequest
    from auria_bot.services.studio.run_store import RunEvent
    from auria_bot.services.studio.studio import RunResult, Studio
    from auria_bot.store.drafts import Entry
    from auria_bot.store.unit_of_work import Store

__all__ = ["LONGEST_ALT", "LONGEST_TEXT", "Review", "unfit"]

LONGEST_TEXT = 5000  # characters of a post's text, before the channels' own limits
LONGEST_ALT = 1000  # characters of an alt text
LONGEST_REASON = 2000  # characters
_PREVIOUS = {"previous text": "text", "previous alt text": "alt_text"}


class Review:
    """Decides on drafts.

    Usage::

        review.approve([3, 4], channels=["folder"])
        review.reject(5, reason="too dark")
        review.edit(6, text="...")
        newer = review.restyle(6, ArtworkRequest(mood="stormy"))
    """

    def __init__(
        self,
        *,
        store: Store,
        studio: Studio,
        clock: Clock,
        channels: Collection[str],
        usual: Sequence[str],
        faults: Callable[[str], Sequence[str]],
    ) -> None:
        """`usual` are the channels of an approval that names none; `faults` gives why a text must not be published."""
        self._store, self._studio, self._clock = store, studio, clock
        self._channels, self._usual, self._faults = frozenset(channels), tuple(usual), faults

    def drafts(self, states: Collection[str] = (), *, limit: int | None = None) -> tuple[Draft, ...]:
        """Drafts in those states (all when empty), the newest first.

        Args:
            states: values of DraftState, where "scheduled" means still to be published, "published" and "withdrawn".
            limit: at most this many.
        """
        posted = {PUBLISHED, WITHDRAWN}
        wanted = {DraftState.SCHEDULED if name in posted else DraftState(name) for name in states}
        with self._store.read() as unit:
            return tuple(unit.drafts.list(wanted, statuses=states, limit=limit))

    def draft(self, draft_id: int) -> Draft:
        """One draft.

        Raises:
            NotFound: there is none.
        """
        with self._store.read() as unit:
            return unit.drafts.get(draft_id)

    def approve(self, ids: Sequence[int], channels: Sequence[str] = ()) -> tuple[Draft, ...]:
        """Sign drafts for publishing on these channels (the usual ones when none is named): all of them or none.

        Raises:
            NotFound: there is no such draft.
            UnknownName: there is no such channel.
            InvalidTransition: a draft is not waiting for a decision.
            TextRejected: a draft's text must not be published.
        """
        wanted = tuple(channels) or self._usual
        for name in wanted:
            if name not in self._channels:
                raise UnknownName(
                    f"no channel named {name[:60]!r}; known: {', '.join(sorted(self._channels)) or 'none'}"
                )
        now = self._clock()
        with self._store.begin() as unit:
            approved = []
            for draft_id in dict.fromkeys(ids):
                draft = unit.drafts.get(draft_id)
                if found := unfit(draft, self._faults):
                    raise TextRejected(f"draft {draft_id}: {'; '.join(found)}; change it: auria edit {draft_id}")
                approved.append(unit.drafts.save(draft.approve(wanted, now)))
                unit.journal.note("approve", draft_id=draft_id, details=", ".join(approved[-1].channels), at=now)
        return tuple(approved)

    def reject(self, draft_id: int, reason: str = "") -> Draft:
        """Reject a draft.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: it is rejected or scheduled already.
        """
        now, reason = self._clock(), reason.strip()[:LONGEST_REASON]
        with self._store.begin() as unit:
            rejected = unit.drafts.save(unit.drafts.get(draft_id).reject(reason, now))
            unit.journal.note("reject", draft_id=draft_id, details=reason, at=now)
        return rejected

    def edit(self, draft_id: int, *, text: str | None = None, alt_text: str | None = None) -> Draft:
        """Change a draft's texts, which voids an approval.

        Raises:
            NotFound: there is no such draft.
            TextRejected: a text must not be published.
            InputError: they are empty or too long, or none were given.
            InvalidTransition: the draft is rejected or scheduled already.
        """
        if text is None and alt_text is None:
            raise InputError("give a new text, a new alt text, or both")
        text = None if text is None else self._checked("text", text, LONGEST_TEXT)
        alt_text = None if alt_text is None else self._checked("alt text", alt_text, LONGEST_ALT)
        now = self._clock()
        with self._store.begin() as unit:
            before = unit.drafts.get(draft_id)
            edited = unit.drafts.save(before.edit(text=text, alt_text=alt_text))
            for action, field in _PREVIOUS.items():  # what `undo` restores
                if getattr(before, field) != getattr(edited, field):
                    unit.journal.note(action, draft_id=draft_id, details=getattr(before, field), at=now)
            what = " and ".join(name for name, value in (("text", text), ("alt text", alt_text)) if value is not None)
            unit.journal.note("edit", draft_id=draft_id, details=what, at=now)
        return edited

    def restyle(
        self,
        draft_id: int,
        request: ArtworkRequest,
        *,
        progress: Callable[[RunEvent], None] | None = None,
    ) -> Draft:
        """Make another version with the same poem and painting, which replaces the draft.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: it is scheduled already.
            InputError: the request cannot be fulfilled.
            StepFailed: the version failed; the draft stays as it was.
        """
        old = self._open_to_rework(draft_id)
        return self._replace(old, self._studio.restyle(old, request, progress=progress), "restyle")

    def repaint(
        self, draft_id: int, request: ArtworkRequest, *, progress: Callable[[RunEvent], None] | None = None
    ) -> Draft:
        """Make another version with the same poem and another picture, which replaces the draft.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: it is scheduled already.
            StepFailed: the version failed; the draft stays as it was.
        """
        old = self._open_to_rework(draft_id)
        return self._replace(old, self._studio.repaint(old, request, progress=progress), "repaint")

    def undo(self, draft_id: int) -> Draft:
        """Take back the last decision on a draft, which then waits for one again; a new version of it stays.

        An approval or a rejection is dropped; an edit is dropped by restoring the texts before it.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: it is scheduled for publishing already, or there is nothing to undo.
        """
        now = self._clock()
        with self._store.begin() as unit:
            draft = unit.drafts.get(draft_id)
            if draft.state is DraftState.SCHEDULED:
                raise InvalidTransition(f"draft {draft_id} is being published or is out already; nothing can be undone")
            if draft.state is DraftState.MADE:
                undone, texts = "edit", _texts_before_edit(unit.journal.list(draft_id=draft_id))
                if not texts:
                    raise InvalidTransition(f"draft {draft_id} waits for a decision; there is nothing to undo")
                saved = unit.drafts.save(draft.edit(**texts))
            else:
                undone = "approval" if draft.state is DraftState.APPROVED else "rejection"
                saved = unit.drafts.save(draft.reopen())
            unit.journal.note("undo", draft_id=draft_id, details=undone, at=now)
        return saved

    def _open_to_rework(self, draft_id: int) -> Draft:
        draft = self.draft(draft_id)
        if draft.state is DraftState.SCHEDULED:
            raise InvalidTransition(f"draft {draft_id} is scheduled and can no longer be changed")
        return draft

    def _replace(self, old: Draft, made: RunResult, action: str) -> Draft:
        if not made.drafts:
            raise StepFailed(f"draft {old.id} got no new version")
        new, now = made.drafts[0], self._clock()
        reason = f"draft {new.id} took its place"
        with self._store.begin() as unit:
            current = unit.drafts.get(old.id)
            if current.state in {DraftState.MADE, DraftState.APPROVED}:
                unit.drafts.save(current.reject(reason, now))
            unit.journal.note(action, draft_id=old.id, details=reason, at=now)
        return new

    def _checked(self, what: str, text: str, longest: int) -> str:
        text = normalised(text).strip()
        if not text:
            raise InputError(f"the {what} is empty")
        if len(text) > longest:
            raise InputError(f"the {what} has {len(text)} characters; at most {longest} are possible")
        if found := self._faults(text):
            raise TextRejected(f"the {what} must not be published: {'; '.join(found[:5])}")
        return text


def _texts_before_edit(entries: Sequence[Entry]) -> dict[str, str]:
    """The texts before the last edit of a draft that was not undone; empty if there is none.

    Args:
        entries: the draft's journal, the newest first.
    """
    undone, texts, inside = 0, dict[str, str](), False
    for entry in entries:
        if inside and entry.action not in _PREVIOUS:
            break
        if inside:
            texts[_PREVIOUS[entry.action]] = entry.details
        elif entry.action == "undo" and entry.details == "edit":
            undone += 1
        elif entry.action == "edit":
            inside, undone = not undone, max(0, undone - 1)
    return texts


def unfit(draft: Draft, faults: Callable[[str], Sequence[str]]) -> list[str]:
    """Why a draft's texts must not be published; the credit of its painting is not judged."""
    style, found = draft.artwork.style, []
    for name, text in (("text", draft.text), ("alt text", draft.alt_text)):
        rest = text
        for known in (style.title, style.artist, style.year):
            rest = rest.replace(known, "") if known else rest
        if why := faults(rest):
            found.append(f"the {name} must not be published: {'; '.join(why[:5])}")
    return found
