"""A draft: an artwork under review, and the transitions that its state allows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from auria_bot.domain.artwork import FILM, Artwork
from auria_bot.errors import InputError, InvalidTransition

__all__ = ["LAST_ID", "PUBLISHED", "REPLACED", "WITHDRAWN", "Draft", "DraftState", "replaced_reason"]

LAST_ID = 2**63 - 1
"""The largest number of a draft or a post in any database."""

PUBLISHED = "published"
"""How a scheduled draft is shown whose posts are out; derived from its posts, and not a state of its own."""

WITHDRAWN = "withdrawn"
"""The same for one whose posts were withdrawn or cancelled, and of which nothing is out."""


REPLACED = re.compile(r"draft (\d+) took its place")
"""Why a draft is rejected whose place another version took; see `replaced_reason`."""


def replaced_reason(new_id: int) -> str:
    """The reason that `REPLACED` matches, naming the version that took the place."""
    return f"draft {new_id} took its place"


class DraftState(StrEnum):
    """The state of a draft."""

    MADE = "made"
    APPROVED = "approved"
    REJECTED = "rejected"
    SCHEDULED = "scheduled"


_TRANSITIONS = {
    DraftState.MADE: {DraftState.APPROVED, DraftState.REJECTED},
    DraftState.APPROVED: {DraftState.MADE, DraftState.REJECTED, DraftState.SCHEDULED},
    DraftState.REJECTED: set[DraftState](),
    DraftState.SCHEDULED: set[DraftState](),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An artwork under review. Approval signs what will be published; an edit revokes the approval."""

    id: int
    artwork: Artwork
    folder: str  # relative to the home's pictures folder
    picture_sha256: str  # of the JPEG that would be posted
    state: DraftState
    made_at: datetime  # aware, UTC
    decided_at: datetime | None = None
    reason: str = ""  # why it was rejected
    text: str  # what would be posted; the operator may edit it
    alt_text: str  # likewise
    channel_texts: Mapping[str, str] = field(default_factory=dict)  # the texts of channels that have their own
    channels: tuple[str, ...] = ()  # where it will be published, set by approval
    signature: str = ""  # of the approved content; "" if it is not approved
    posted: str = ""  # PUBLISHED or WITHDRAWN once all of its posts are settled; "" before that
    version: int = 1  # incremented by every save; saving over a newer version is refused

    @property
    def status(self) -> str:
        """The state that is shown: what became of its posts, once they are settled."""
        return self.posted or str(self.state)

    @property
    def replaced_by(self) -> int | None:
        """The version that took this draft's place, which rejected it; None if it was not replaced."""
        found = REPLACED.fullmatch(self.reason) if self.state is DraftState.REJECTED else None
        return int(found[1]) if found else None

    @property
    def film_sha256(self) -> str:
        """Of the film's video; "" for a picture."""
        return self.artwork.files[FILM].sha256 if self.artwork.film is not None else ""

    def text_for(self, channel: str) -> str:
        """What would be posted on a channel: its own text, or the common one."""
        return self.channel_texts.get(channel, self.text)

    def content_hash(self, channels: tuple[str, ...]) -> str:
        """SHA-256 over picture, film, texts, alt text and channels: what an approval signs."""
        content: list[object] = [self.picture_sha256, self.text, self.alt_text, sorted(channels)]
        if self.film_sha256:
            content.append(self.film_sha256)
        if own := sorted((name, text) for name, text in self.channel_texts.items() if name in channels):
            content.append(own)
        return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()

    @property
    def shown(self) -> str:
        """Identifies what a reader sees before deciding: the picture, the film and every text."""
        return self.content_hash(tuple(self.channel_texts))

    @property
    def is_signed(self) -> bool:
        """Whether the approval covers exactly the current content."""
        return bool(self.signature) and self.signature == self.content_hash(self.channels)

    def unfit(self, faults: Callable[[str], Sequence[str]]) -> list[str]:
        """Why the texts must not be published, as `faults` judges each; the credit of the painting is not judged."""
        style, found = self.artwork.style, []
        own = [(f"text on {name}", text) for name, text in self.channel_texts.items()]
        for name, text in (("text", self.text), ("alt text", self.alt_text), *own):
            rest = text
            for known in (style.title, style.artist, style.year):
                rest = rest.replace(known, "") if known else rest
            if why := faults(rest):
                found.append(f"the {name} must not be published: {'; '.join(why[:5])}")
        return found

    def own_words(self, new: Draft) -> dict[str, Any]:
        """The texts that the operator wrote, by field, as a new version takes them over."""
        own: dict[str, Any] = {}
        if self.text != self.artwork.post_text:
            own["text"] = self.text
        if self.alt_text != self.artwork.alt_text:
            before, after = self.artwork.style, new.artwork.style
            credit = f"“{after.title}” {after.byline}"
            own["alt_text"] = self.alt_text.replace(f"“{before.title}” {before.byline}", credit)
        if self.channel_texts:
            own["channel_texts"] = dict(self.channel_texts)
        return own

    def approve(self, channels: tuple[str, ...], now: datetime) -> Draft:
        """Sign the content for these channels.

        Raises:
            InvalidTransition: the draft is not waiting for a decision.
            InputError: no channel is named.
        """
        if not channels:
            raise InputError("name at least one channel to approve for")
        names = tuple(sorted(set(channels)))
        return self._move(
            DraftState.APPROVED, decided_at=now, channels=names, signature=self.content_hash(names), reason=""
        )

    def reject(self, reason: str, now: datetime) -> Draft:
        """Reject the draft: it is never published, unless it is reopened and approved."""
        return self._move(DraftState.REJECTED, decided_at=now, reason=reason, signature="")

    def reopen(self) -> Draft:
        """Take an approval or a rejection back: the draft waits for a decision again.

        Raises:
            InvalidTransition: the draft was not decided on, or is scheduled.
        """
        if self.state not in {DraftState.APPROVED, DraftState.REJECTED}:
            raise InvalidTransition(
                f"draft {self.id} is {self.state}; only approved and rejected drafts can be reopened"
            )
        return replace(self, state=DraftState.MADE, decided_at=None, reason="", signature="", channels=())

    def edit(
        self, *, text: str | None = None, alt_text: str | None = None, channel_texts: Mapping[str, str] | None = None
    ) -> Draft:
        """Change the texts; an approval is revoked. In `channel_texts` "" gives a channel the common text again.

        Raises:
            InvalidTransition: the draft is rejected or already scheduled.
        """
        if self.state not in {DraftState.MADE, DraftState.APPROVED}:
            raise InvalidTransition(
                f"draft {self.id} is {self.state}; only one that is made or approved can be edited", hint=self._way_back
            )
        own = {**self.channel_texts, **(channel_texts or {})}
        return replace(
            self,
            channel_texts={name: words for name, words in own.items() if words},
            text=self.text if text is None else text,
            alt_text=self.alt_text if alt_text is None else alt_text,
            state=DraftState.MADE,
            signature="",
            channels=(),
            decided_at=None,
        )

    def schedule(self) -> Draft:
        """Hand the draft to the publisher.

        Raises:
            InvalidTransition: it is not approved, or was changed since.
        """
        if self.state is DraftState.APPROVED and not self.is_signed:
            raise InvalidTransition(f"draft {self.id} was changed after its approval; approve it again")
        return self._move(DraftState.SCHEDULED)

    @property
    def _way_back(self) -> str:
        """The command that takes back what stands in the way of a decision; "" where nothing does."""
        if self.state in {DraftState.APPROVED, DraftState.REJECTED}:
            return f"auria undo {self.id} takes the decision back; then decide again"
        if self.state is DraftState.SCHEDULED:
            return "auria posts shows where it went or will go; auria posts withdraw ID takes a post back"
        return ""

    def _move(self, to: DraftState, **changes: object) -> Draft:
        if to not in _TRANSITIONS[self.state]:
            allowed = ", ".join(sorted(_TRANSITIONS[self.state])) or "nothing"
            raise InvalidTransition(
                f"draft {self.id} is {self.state} and cannot become {to}; allowed: {allowed}", hint=self._way_back
            )
        return replace(self, state=to, **changes)  # type: ignore[arg-type]  # the callers name real fields
