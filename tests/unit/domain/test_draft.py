"""A draft moves only where its state allows, and approval signs the content."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from auria_bot.domain.artwork import Artwork
from auria_bot.domain.draft import Draft, DraftState
from auria_bot.errors import InputError, InvalidTransition
from tests.unit.domain.test_artwork import ARTWORK

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
DRAFT = Draft(
    id=3,
    artwork=Artwork.finished(ARTWORK),
    folder="2026/x",
    picture_sha256="ab",
    state=DraftState.MADE,
    made_at=NOW,
    text="poem",
    alt_text="A lake.",
)


def test_approval_signs_and_schedules() -> None:
    """An approved draft is signed for its channels and can be scheduled, then allowed: nothing."""
    approved = DRAFT.approve(("folder", "folder"), NOW)
    assert approved.is_signed
    assert approved.channels == ("folder",)
    scheduled = approved.schedule()
    assert scheduled.state is DraftState.SCHEDULED
    for move in (
        lambda: scheduled.reject("no", NOW),
        lambda: scheduled.edit(text="x"),
        lambda: scheduled.approve(("x",), NOW),
    ):
        with pytest.raises(InvalidTransition, match="draft 3 is scheduled"):
            move()


def test_edit_voids_the_approval() -> None:
    """After an edit the draft waits for a decision again and holds the new words."""
    edited = DRAFT.approve(("folder",), NOW).edit(text="other", alt_text="B")
    assert (edited.state, edited.signature, edited.text, edited.alt_text) == (
        DraftState.MADE,
        "",
        "other",
        "B",
    )
    assert edited.edit().text == "other"


@pytest.mark.parametrize("change", [{"text": "x"}, {"alt_text": "x"}, {"picture_sha256": "x"}, {"channels": ("x",)}])
def test_a_changed_draft_is_no_longer_signed(change: dict[str, object]) -> None:
    """Whatever is changed behind the approval's back breaks the signature, and scheduling refuses it."""
    changed = replace(DRAFT.approve(("folder",), NOW), **change)
    assert not changed.is_signed
    with pytest.raises(InvalidTransition, match="approve it again"):
        changed.schedule()


def test_a_decision_is_taken_back_by_reopening() -> None:
    """Approved and rejected drafts wait again as if never decided on; others have nothing to take back."""
    for decided in (DRAFT.approve(("folder",), NOW), DRAFT.reject("blurred", NOW)):
        assert decided.reopen() == DRAFT
    for draft in (DRAFT, DRAFT.approve(("folder",), NOW).schedule()):
        with pytest.raises(InvalidTransition, match="can be reopened"):
            draft.reopen()


def test_a_rejected_draft_cannot_be_approved() -> None:
    """It keeps the reason, and must be reopened first."""
    rejected = DRAFT.reject("blurred", NOW)
    assert rejected.reason == "blurred"
    with pytest.raises(InvalidTransition, match="allowed: nothing"):
        rejected.approve(("folder",), NOW)


def test_what_was_decided_on_names_the_way_back() -> None:
    """The next command is given, where a decision stands in the way and can still be taken back."""
    approved, rejected = DRAFT.approve(("folder",), NOW), DRAFT.reject("blurred", NOW)
    for move, hint in (
        (lambda: approved.approve(("x",), NOW), "auria undo 3 takes the decision back; then decide again"),
        (lambda: rejected.reject("dark", NOW), "auria undo 3 takes the decision back; then decide again"),
        (lambda: rejected.edit(text="x"), "auria undo 3 takes the decision back; then decide again"),
        (lambda: approved.schedule().approve(("x",), NOW), "auria posts withdraw ID takes a post back"),
        (DRAFT.schedule, ""),
    ):
        with pytest.raises(InvalidTransition) as raised:
            move()
        assert raised.value.hint.endswith(hint)
        assert bool(raised.value.hint) == bool(hint)


def test_approval_needs_a_channel() -> None:
    """An approval for nowhere is refused."""
    with pytest.raises(InputError, match="channel"):
        DRAFT.approve((), NOW)


def test_what_is_shown_is_the_picture_and_every_text() -> None:
    """A text of a channel counts, whether or not the draft is for that channel."""
    assert DRAFT.shown == replace(DRAFT, made_at=datetime(2026, 2, 3, tzinfo=UTC)).shown
    changes = [{"picture_sha256": "cd"}, {"text": "verse"}, {"alt_text": "A sea."}, {"channel_texts": {"x": "short"}}]
    assert len({replace(DRAFT, **change).shown for change in ({}, *changes)}) == 5
