"""The operator's decisions on drafts: approve, reject, edit, restyle, repaint, undo. Each is recorded in the journal.

A new version of a draft is a new draft; the old one is rejected with a note of which draft replaced it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from auria_bot.corpus.language.content_filter import normalised
from auria_bot.domain.artwork import FILM
from auria_bot.domain.draft import LAST_ID, PUBLISHED, WITHDRAWN, DraftState, replaced_reason
from auria_bot.errors import (
    InputError,
    InvalidTransition,
    NotFound,
    PreconditionFailed,
    StepFailed,
    StorageAway,
    TextRejected,
    UnknownName,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from auria_bot.domain.draft import Draft
    from auria_bot.domain.interfaces import Clock
    from auria_bot.domain.pipeline import ArtworkRequest
    from auria_bot.services.studio.run_store import RunEvent
    from auria_bot.services.studio.studio import RunResult, Studio
    from auria_bot.store.drafts import Entry
    from auria_bot.store.files import Pictures
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = ["LONGEST_ALT", "LONGEST_REASON", "LONGEST_TEXT", "Review", "kept_words"]

LONGEST_TEXT = 5000  # characters of a post's text, before the channels' own limits
LONGEST_ALT = 1000  # characters of an alt text
LONGEST_REASON = 2000  # characters
_PREVIOUS = {"previous text": "text", "previous alt text": "alt_text", "previous texts of channels": "channel_texts"}


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
        pictures: Pictures,
        channels: Collection[str],
        usual: Sequence[str],
        faults: Callable[[str], Sequence[str]],
    ) -> None:
        """`usual` are the channels of an approval that names none; `faults` gives why a text must not be published."""
        self._store, self._studio, self._clock, self._pictures = store, studio, clock, pictures
        self._channels, self._usual, self._faults = frozenset(channels), tuple(usual), faults

    def drafts(
        self, states: Collection[str] = (), *, before: int = LAST_ID, limit: int | None = None
    ) -> tuple[Draft, ...]:
        """Drafts in those states (all when empty), the newest first.

        Args:
            states: values of DraftState, where "scheduled" means still to be published, "published" and "withdrawn".
            before: only those with smaller ids.
        """
        posted = {PUBLISHED, WITHDRAWN}
        wanted = {DraftState.SCHEDULED if name in posted else DraftState(name) for name in states}
        with self._store.read() as unit:
            return tuple(unit.drafts.list(wanted, statuses=states, before=before, limit=limit))

    def draft(self, draft_id: int) -> Draft:
        """One draft.

        Raises:
            NotFound: there is none.
        """
        with self._store.read() as unit:
            return unit.drafts.get(draft_id)

    def journal(
        self, draft_id: int | None = None, *, before: int = LAST_ID, limit: int | None = None
    ) -> tuple[Entry, ...]:
        """What was decided on a draft, or everything that is noted; newest first, with ids smaller than `before`.

        Raises:
            NotFound: there is no such draft.
        """
        with self._store.read() as unit:
            if draft_id is not None:
                unit.drafts.get(draft_id)
            return tuple(unit.journal.list(draft_id=draft_id, before=before, limit=limit))

    def approve(
        self, ids: Sequence[int], channels: Sequence[str] = (), *, version: int | None = None
    ) -> tuple[Draft, ...]:
        """Sign drafts for publishing on these channels (the usual ones when none is named): all of them or none.

        A version that another one replaced is chosen again: the other one is rejected if it still waits. Here and in
        the other decisions, `version` is that of the draft as it was read, if it must still be like that.

        Raises:
            NotFound: there is no such draft.
            PreconditionFailed: it has another version.
            UnknownName: there is no such channel.
            InvalidTransition: a draft is not waiting for a decision, or its picture or film is missing.
            TextRejected: a draft's text must not be published.
        """
        wanted = tuple(channels) or self._usual
        self._known(wanted)
        for draft_id in ids:
            self._check_files(self.draft(draft_id))
        now = self._clock()
        with self._store.begin() as unit:
            approved = []
            for draft_id in dict.fromkeys(ids):
                draft = _read(unit, draft_id, version)
                if draft.replaced_by is not None:
                    draft = self._choose_again(unit, draft, now)
                if found := draft.unfit(self._faults):
                    raise TextRejected(f"draft {draft_id}: {'; '.join(found)}; change it: auria edit {draft_id}")
                approved.append(unit.drafts.save(draft.approve(wanted, now)))
                unit.journal.note("approve", draft_id=draft_id, details=", ".join(approved[-1].channels), at=now)
        return tuple(approved)

    def _check_files(self, draft: Draft) -> None:
        """Make sure that what would be published is there; storage that is away is asked again before publishing."""
        for kind in ("post", FILM) if draft.artwork.film is not None else ("post",):
            try:
                self._pictures.check(draft.folder, draft.artwork.files[kind].name)
            except StorageAway:
                return
            except NotFound:
                what, instead = ("film", "reject") if kind == FILM else ("picture", "repaint")
                raise InvalidTransition(
                    f"draft {draft.id} cannot be approved: its {what} is missing; restore a backup, or:"
                    f" auria {instead} {draft.id}"
                ) from None

    def _choose_again(self, unit: Unit, draft: Draft, now: datetime) -> Draft:
        """Reopen a version that another one replaced; that one is rejected if it still waits for a decision."""
        successor = unit.drafts.get_many([draft.replaced_by or 0]).get(draft.replaced_by or 0)
        if successor is not None and successor.state is DraftState.MADE:
            reason = replaced_reason(draft.id)
            unit.drafts.save(successor.reject(reason, now))
            unit.journal.note("reject", draft_id=successor.id, details=reason, at=now)
        return unit.drafts.save(draft.reopen())

    def _known(self, channels: Collection[str]) -> None:
        for name in channels:
            if name not in self._channels:
                raise UnknownName(
                    f"no channel named {name[:60]!r}; known: {', '.join(sorted(self._channels)) or 'none'}"
                )

    def reject(self, draft_id: int, reason: str = "", *, version: int | None = None) -> Draft:
        """Reject a draft.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: it is rejected or scheduled already.
        """
        now, reason = self._clock(), reason.strip()[:LONGEST_REASON]
        with self._store.begin() as unit:
            rejected = unit.drafts.save(_read(unit, draft_id, version).reject(reason, now))
            unit.journal.note("reject", draft_id=draft_id, details=reason, at=now)
        return rejected

    def edit(
        self,
        draft_id: int,
        *,
        text: str | None = None,
        alt_text: str | None = None,
        channel_texts: Mapping[str, str] | None = None,
        version: int | None = None,
    ) -> Draft:
        """Change a draft's texts, which voids an approval.

        Args:
            text: what is posted everywhere but on channels with a text of their own.
            channel_texts: the own texts of channels; "" gives a channel the common text again.
            version: see `approve`.

        Raises:
            NotFound: there is no such draft.
            UnknownName: there is no such channel.
            TextRejected: a text must not be published.
            InputError: they are empty or too long, or none were given.
            InvalidTransition: the draft is rejected or scheduled already.
        """
        own = dict(channel_texts or {})
        if text is None and alt_text is None and not own:
            raise InputError("give a new text, a new alt text, or both")
        self._known(own)
        text = None if text is None else self._checked("text", text, LONGEST_TEXT)
        alt_text = None if alt_text is None else self._checked("alt text", alt_text, LONGEST_ALT)
        own = {
            name: self._checked(f"text on {name}", words, LONGEST_TEXT) if words else "" for name, words in own.items()
        }
        now = self._clock()
        with self._store.begin() as unit:
            before = _read(unit, draft_id, version)
            own = {name: "" if words == (text or before.text) else words for name, words in own.items()}
            edited = unit.drafts.save(before.edit(text=text, alt_text=alt_text, channel_texts=own))
            self._note_edit(unit, before, edited, now)
        return edited

    def _note_edit(self, unit: Unit, before: Draft, edited: Draft, now: datetime) -> None:
        """Note what an edit changed in the journal, with what `undo` restores."""
        what = []
        for action, field in _PREVIOUS.items():
            old, new = getattr(before, field), getattr(edited, field)
            if old != new:
                what.append(action.removeprefix("previous "))
                unit.journal.note(
                    action, draft_id=before.id, details=old if isinstance(old, str) else json.dumps(old), at=now
                )
        unit.journal.note("edit", draft_id=before.id, details=" and ".join(what) or "nothing", at=now)

    def restyle(
        self,
        draft_id: int,
        request: ArtworkRequest,
        *,
        fresh_words: bool = False,
        progress: Callable[[RunEvent], None] | None = None,
    ) -> Draft:
        """Make another version with the same poem and painting, which replaces the draft.

        The operator's own texts are kept unless `fresh_words`; in an alt text the earlier style's credit is replaced.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: it is scheduled already.
            InputError: the request cannot be fulfilled.
            StepFailed: the version failed; the draft stays as it was.
        """
        old = self.open_to_rework(draft_id)
        made = self._studio.restyle(old, request, progress=progress)
        return self._replace(old, made, "restyle", keep=() if fresh_words else ("text", "alt_text", "channel_texts"))

    def repaint(
        self,
        draft_id: int,
        request: ArtworkRequest,
        *,
        fresh_words: bool = False,
        progress: Callable[[RunEvent], None] | None = None,
    ) -> Draft:
        """Make another version with the same poem and another picture, which replaces the draft.

        The operator's own texts are kept unless `fresh_words`; the alt text is new, because the picture is.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: it is scheduled already.
            StepFailed: the version failed; the draft stays as it was.
        """
        old = self.open_to_rework(draft_id)
        made = self._studio.repaint(old, request, progress=progress)
        return self._replace(old, made, "repaint", keep=() if fresh_words else ("text", "channel_texts"))

    def versions(self, draft_id: int) -> tuple[Draft, ...]:
        """Every version of a draft, itself among them, the oldest first.

        Raises:
            NotFound: there is no such draft.
        """
        with self._store.read() as unit:
            unit.drafts.get(draft_id)
            origins = unit.journal.replacements()
            first = _first(draft_id, origins)
            family = {first, *(new for new in origins if _first(new, origins) == first)}
            return tuple(sorted(unit.drafts.get_many(family).values(), key=lambda draft: draft.id))

    def undo(self, draft_id: int, *, version: int | None = None) -> Draft:
        """Take back the last decision on a draft, which then waits for one again; a new version of it stays.

        An approval or a rejection is dropped; an edit is dropped by restoring the texts before it.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: it is scheduled for publishing already, or there is nothing to undo.
        """
        now = self._clock()
        with self._store.begin() as unit:
            draft = _read(unit, draft_id, version)
            if draft.state is DraftState.SCHEDULED:
                raise InvalidTransition(f"draft {draft_id} is being published or is out already; nothing can be undone")
            if draft.state is DraftState.MADE:
                undone, texts = "edit", dict[str, Any](_texts_before_edit(unit.journal.list(draft_id=draft_id)))
                if not texts:
                    raise InvalidTransition(f"draft {draft_id} waits for a decision; there is nothing to undo")
                own = texts.pop("channel_texts", None)
                if own is not None:
                    texts["channel_texts"] = dict.fromkeys(draft.channel_texts, "") | json.loads(own)
                saved = unit.drafts.save(draft.edit(**texts))
            else:
                undone = "approval" if draft.state is DraftState.APPROVED else "rejection"
                saved = unit.drafts.save(draft.reopen())
            unit.journal.note("undo", draft_id=draft_id, details=undone, at=now)
        return saved

    def open_to_rework(self, draft_id: int) -> Draft:
        """A draft of which another version may be made.

        Raises:
            NotFound: there is no such draft.
            InvalidTransition: it is scheduled already.
        """
        draft = self.draft(draft_id)
        if draft.state is DraftState.SCHEDULED:
            raise InvalidTransition(f"draft {draft_id} is scheduled and can no longer be changed")
        return draft

    def _replace(self, old: Draft, made: RunResult, action: str, *, keep: Collection[str] = ()) -> Draft:
        if not made.drafts:
            raise StepFailed(f"draft {old.id} got no new version")
        new, now = made.drafts[0], self._clock()
        reason = replaced_reason(new.id)
        with self._store.begin() as unit:
            current = unit.drafts.get(old.id)
            if current.state in {DraftState.MADE, DraftState.APPROVED}:
                unit.drafts.save(current.reject(reason, now))
            unit.journal.note(action, draft_id=old.id, details=reason, at=now)
            if kept := {name: words for name, words in old.own_words(new).items() if name in keep}:
                before, new = new, unit.drafts.save(new.edit(**kept))
                self._note_edit(unit, before, new, now)
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


def _read(unit: Unit, draft_id: int, version: int | None) -> Draft:
    """A draft, of this version if one is given."""
    draft = unit.drafts.get(draft_id)
    if version is not None and draft.version != version:
        raise PreconditionFailed
    return draft


def kept_words(old: Draft, new: Draft) -> tuple[str, ...]:
    """Which of the operator's texts a new version has from the draft it was made from."""
    own = old.own_words(new)
    names = {"text": "text", "alt_text": "alt text", "channel_texts": "texts of channels"}
    return tuple(name for field, name in names.items() if field in own and getattr(new, field) == own[field])


def _first(draft_id: int, origins: Mapping[int, int]) -> int:
    """The first version of a draft, given what each new version was made from."""
    while draft_id in origins and origins[draft_id] < draft_id:
        draft_id = origins[draft_id]
    return draft_id


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
