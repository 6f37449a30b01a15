"""What the operator does with drafts."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.draft import DraftState
from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.errors import (
    InputError,
    InvalidTransition,
    NotFound,
    StepCrashed,
    StepFailed,
    TextRejected,
    UnknownName,
)
from auria_bot.services.studio.review import kept_words
from tests.factories import add_draft
from tests.house import fake_house
from tests.publishing import approved

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeClock


@pytest.fixture
def drafts(house: Application) -> tuple[int, int, int]:
    """Three drafts that wait for review."""
    with house.store.begin() as unit:
        one, two, three = (add_draft(unit, number).id for number in (1, 2, 3))
    return one, two, three


def journal(house: Application) -> list[tuple[str, int | None, str]]:
    """The journal's lines, the oldest first."""
    with house.store.read() as unit:
        return [(entry.action, entry.draft_id, entry.details) for entry in reversed(unit.journal.list())]


def test_approving_signs_what_is_there(house: Application, drafts: tuple[int, ...], clock: FakeClock) -> None:
    """State, time, channels and signature are set, and the journal tells of each draft once."""
    approved = house.review.approve([drafts[0], drafts[1], drafts[0]], channels=["fake", "folder"])
    assert [draft.state for draft in approved] == [DraftState.APPROVED] * 2
    assert all(draft.is_signed and draft.decided_at == clock.now for draft in approved)
    assert [draft.id for draft in house.review.drafts([DraftState.APPROVED])] == [drafts[1], drafts[0]]
    assert journal(house) == [("approve", drafts[0], "fake, folder"), ("approve", drafts[1], "fake, folder")]


def test_the_usual_channels_stand_in(house: Application, drafts: tuple[int, ...]) -> None:
    """An approval that names no channel takes those of the settings."""
    assert house.review.approve([drafts[0]])[0].channels == ("folder",)


def test_approving_is_all_or_nothing(house: Application, drafts: tuple[int, ...]) -> None:
    """One draft that cannot be approved leaves the others as they were."""
    house.review.reject(drafts[1])
    with pytest.raises(InvalidTransition):
        house.review.approve([drafts[0], drafts[1]])
    assert house.review.draft(drafts[0]).state is DraftState.MADE
    with pytest.raises(UnknownName, match="known: fake, folder"):
        house.review.approve([drafts[0]], channels=["myspace"])
    with pytest.raises(NotFound):
        house.review.approve([999])


def test_rejecting_keeps_the_reason(house: Application, drafts: tuple[int, ...]) -> None:
    """It is final."""
    assert house.review.reject(drafts[0], reason=" too dark ").reason == "too dark"
    with pytest.raises(InvalidTransition):
        house.review.approve([drafts[0]])
    assert journal(house) == [("reject", drafts[0], "too dark")]


def test_an_edit_voids_the_approval(house: Application, drafts: tuple[int, ...]) -> None:
    """What was signed is no longer what is there."""
    house.review.approve([drafts[0]])
    edited = house.review.edit(drafts[0], text="a new line\n", alt_text="A lake.")
    assert (edited.text, edited.alt_text, edited.state) == ("a new line", "A lake.", DraftState.MADE)
    assert not edited.is_signed
    assert journal(house)[-1] == ("edit", drafts[0], "text and alt text")


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ({}, InputError),
        ({"text": "  "}, InputError),
        ({"text": "x" * 5001}, InputError),
        ({"alt_text": "x" * 1001}, InputError),
        ({"text": "what the f\u200bog"}, TextRejected),
        ({"text": "see https://example.com"}, TextRejected),
        ({"alt_text": "\u202etxet"}, TextRejected),
    ],
)
def test_words_that_must_not_be_published_are_refused(
    house: Application, drafts: tuple[int, ...], words: dict[str, str], error: type[Exception]
) -> None:
    """The draft stays as it was."""
    before = house.review.draft(drafts[0])
    with pytest.raises(error):
        house.review.edit(drafts[0], **words)
    assert house.review.draft(drafts[0]) == before


def test_a_new_version_takes_the_old_ones_place(house: Application) -> None:
    """The old draft is put aside with a note, the new one waits for review, and the journal tells of it."""
    old = house.studio.make(ArtworkRequest(seed=1)).drafts[0]
    house.review.approve([old.id])
    new = house.review.restyle(old.id, ArtworkRequest(style="fake-05"))
    newest = house.review.repaint(new.id, ArtworkRequest())
    assert (new.artwork.style.key, newest.state) == ("fake-05", DraftState.MADE)
    assert (house.review.draft(old.id).state, house.review.draft(old.id).reason) == (
        DraftState.REJECTED,
        f"draft {new.id} took its place",
    )
    assert [(action, draft) for action, draft, _ in journal(house)] == [
        ("approve", old.id),
        ("restyle", old.id),
        ("repaint", new.id),
    ]


def test_a_scheduled_draft_stays_as_it_is(house: Application) -> None:
    """It is with the publisher."""
    old = house.studio.make(ArtworkRequest(seed=1)).drafts[0]
    house.review.approve([old.id])
    house.publisher.schedule([old.id])
    with pytest.raises(InvalidTransition, match="scheduled"):
        house.review.restyle(old.id, ArtworkRequest())
    with pytest.raises(InvalidTransition):
        house.review.edit(old.id, text="other")


def test_a_version_that_fails_changes_nothing(tmp_path: Path) -> None:
    """The draft is still there to be approved."""
    broken = tmp_path / "works"
    broken.touch()
    options = {"faults": {"": "crash"}, "repaired": str(broken)}
    with closing(fake_house(tmp_path / "home", stylist=options)) as house:
        old = house.studio.make(ArtworkRequest(seed=1)).drafts[0]
        broken.unlink()
        with pytest.raises(StepCrashed):
            house.review.restyle(old.id, ArtworkRequest())
        assert house.review.approve([old.id])[0].state is DraftState.APPROVED


def test_a_version_of_a_draft_that_was_decided_on_meanwhile_is_only_noted(house: Application) -> None:
    """The decision stands; and where there is no version, that is said."""
    old = house.studio.make(ArtworkRequest(seed=1)).drafts[0]
    made = house.studio.restyle(old, ArtworkRequest(style="fake-05"))
    house.review.reject(old.id, "too dark")
    assert house.review._replace(old, made, "restyle") == made.drafts[0]
    assert house.review.draft(old.id).reason == "too dark"
    with pytest.raises(StepFailed, match="no new version"):
        house.review._replace(old, replace(made, drafts=()), "restyle")


def test_an_approval_and_a_rejection_are_taken_back(house: Application, drafts: tuple[int, ...]) -> None:
    """The draft waits again, without signature, channels and reason, and the journal says so."""
    house.review.approve(drafts[:1])
    house.review.reject(drafts[1], reason="too dark")
    for draft_id in drafts[:2]:
        again = house.review.undo(draft_id)
        assert (again.state, again.signature, again.channels, again.reason) == (DraftState.MADE, "", (), "")
        assert again.decided_at is None
    assert journal(house)[-2:] == [("undo", drafts[0], "approval"), ("undo", drafts[1], "rejection")]
    assert house.review.approve(drafts[:2])[1].is_signed


def test_edits_are_taken_back_one_by_one(house: Application, drafts: tuple[int, ...]) -> None:
    """Each undo restores the texts before the edit, down to those that were made."""
    made = house.review.draft(drafts[0])
    house.review.edit(drafts[0], text="first")
    house.review.edit(drafts[0], text="second", alt_text="seen")
    once = house.review.undo(drafts[0])
    assert (once.text, once.alt_text) == ("first", made.alt_text)
    house.review.edit(drafts[0], text="third")
    assert house.review.undo(drafts[0]).text == "first"
    twice = house.review.undo(drafts[0])
    assert (twice.text, twice.alt_text) == (made.text, made.alt_text)
    with pytest.raises(InvalidTransition, match="nothing to undo"):
        house.review.undo(drafts[0])


def test_what_is_scheduled_cannot_be_undone(house: Application, drafts: tuple[int, ...]) -> None:
    """From then on a post may be out."""
    house.review.approve(drafts[:1])
    with house.store.begin() as unit:
        unit.drafts.save(unit.drafts.get(drafts[0]).schedule())
    with pytest.raises(InvalidTransition, match="nothing can be undone"):
        house.review.undo(drafts[0])


def test_drafts_whose_posts_are_out_are_published(house: Application) -> None:
    """One sent at least, none still open; filters tell them from those that are only scheduled."""
    ids = [approved(house, number, channels=("fake", "folder")).id for number in (1, 2, 3)]
    house.publisher.publish(ids[:1])
    house.publisher.publish(ids[1:2], channels=["folder"])
    assert [draft.status for draft in house.review.drafts()] == ["approved", "scheduled", "published"]
    assert [draft.id for draft in house.review.drafts(["published"])] == ids[:1]
    assert [draft.id for draft in house.review.drafts(["scheduled", "approved"])] == [ids[2], ids[1]]
    assert [draft.id for draft in house.review.drafts(["scheduled", "published"])] == [ids[1], ids[0]]


def test_a_channel_has_its_own_text(house: Application, drafts: tuple[int, ...]) -> None:
    """It is signed with the approval, posted there and nowhere else, and the common one returns when it is emptied."""
    edited = house.review.edit(drafts[0], channel_texts={"fake": "rain\nponds\nnight"})
    assert (edited.text_for("fake"), edited.text_for("folder")) == ("rain\nponds\nnight", edited.text)
    (approved,) = house.review.approve([drafts[0]], channels=["fake", "folder"])
    assert replace(approved, channel_texts={"fake": "other"}).is_signed is False
    assert replace(approved, channel_texts={**approved.channel_texts, "x": "elsewhere"}).is_signed
    again = house.review.edit(drafts[0], channel_texts={"fake": ""})
    assert again.channel_texts == {}
    assert house.review.undo(drafts[0]).channel_texts == {"fake": "rain\nponds\nnight"}
    assert house.review.undo(drafts[0]).channel_texts == {}
    same = house.review.edit(drafts[0], channel_texts={"fake": again.text})
    assert same.channel_texts == {}
    with pytest.raises(UnknownName, match="no channel named 'myspace'"):
        house.review.edit(drafts[0], channel_texts={"myspace": "rain"})
    with pytest.raises(TextRejected, match="text on fake"):
        house.review.edit(drafts[0], channel_texts={"fake": "visit https://spam.example now, you idiot bitch"})


def test_a_channel_s_text_is_what_its_post_says(house: Application) -> None:
    """The others have the common one; the round sends both."""
    draft = approved(house, channels=("fake", "folder"))
    house.review.edit(draft.id, channel_texts={"fake": "rain\nponds\nnight"})
    house.review.approve([draft.id], channels=["fake", "folder"])
    previews = {one.channel: (one.text, one.characters) for one in house.publisher.preview()}
    assert previews["fake"] == ("rain\nponds\nnight", 16)
    assert previews["folder"][0] == draft.text
    house.publisher.publish()
    assert {post.channel: (post.text, str(post.state)) for post in house.publisher.posts()} == {
        "fake": ("rain\nponds\nnight", "sent"),
        "folder": (draft.text, "sent"),
    }


def test_a_new_version_keeps_what_the_operator_wrote(house: Application) -> None:
    """All texts after another style, whose credit an alt text follows; after another picture all but the alt text."""
    old = house.studio.make(ArtworkRequest(seed=1)).drafts[0]
    style = old.artwork.style
    alt_text = f"A pond in rain, after “{style.title}” {style.byline}."
    house.review.edit(old.id, text="my own words", alt_text=alt_text, channel_texts={"fake": "short words"})
    new = house.review.restyle(old.id, ArtworkRequest(style="fake-05"))
    after = new.artwork.style
    assert after.title != style.title
    assert (new.text, new.channel_texts) == ("my own words", {"fake": "short words"})
    assert new.alt_text == f"A pond in rain, after “{after.title}” {after.byline}."
    assert kept_words(house.review.draft(old.id), new) == ("text", "alt text", "texts of channels")
    assert house.review.undo(new.id).text == new.artwork.post_text
    newest = house.review.repaint(old.id, ArtworkRequest())
    assert (newest.text, newest.channel_texts) == ("my own words", {"fake": "short words"})
    assert newest.alt_text == newest.artwork.alt_text
    assert kept_words(house.review.draft(old.id), newest) == ("text", "texts of channels")
    fresh = house.review.restyle(old.id, ArtworkRequest(style="fake-05"), fresh_words=True)
    assert (fresh.text, fresh.alt_text, fresh.channel_texts) == (fresh.artwork.post_text, fresh.artwork.alt_text, {})
    untouched = house.studio.make(ArtworkRequest(seed=2)).drafts[0]
    assert kept_words(untouched, house.review.restyle(untouched.id, ArtworkRequest(style="fake-05"))) == ()


def test_versions_stand_side_by_side(house: Application) -> None:
    """Each knows all; a replaced one is chosen again by its approval, which rejects the one that took its place."""
    first = house.studio.make(ArtworkRequest(seed=1)).drafts[0]
    other = house.studio.make(ArtworkRequest(seed=2)).drafts[0]
    second = house.review.restyle(first.id, ArtworkRequest(style="fake-05"))
    third = house.review.repaint(second.id, ArtworkRequest())
    numbers = [first.id, second.id, third.id]
    assert [[one.id for one in house.review.versions(number)] for number in numbers] == [numbers] * 3
    assert [one.id for one in house.review.versions(other.id)] == [other.id]
    (chosen,) = house.review.approve([second.id])
    assert (chosen.state, chosen.reason, chosen.is_signed) == (DraftState.APPROVED, "", True)
    assert house.review.draft(third.id).reason == f"draft {second.id} took its place"
    assert house.review.draft(first.id).state is DraftState.REJECTED
    (again,) = house.review.approve([third.id])
    assert again.state is DraftState.APPROVED
    assert house.review.draft(second.id).state is DraftState.APPROVED  # it is decided on already
    rejected = house.review.reject(other.id, "too dark")
    with pytest.raises(InvalidTransition):
        house.review.approve([rejected.id])
