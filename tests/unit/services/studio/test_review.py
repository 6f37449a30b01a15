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
    PreconditionFailed,
    StepCrashed,
    StepFailed,
    TextRejected,
    UnknownName,
)
from auria_bot.services.studio.review import kept_words
from tests.applications import application_with_drafts
from tests.factories import add_draft
from tests.publishing import approved, keep_pictures

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeClock


@pytest.fixture
def drafts(application: Application) -> tuple[int, int, int]:
    """Three drafts that wait for review."""
    for number in (1, 2, 3):
        keep_pictures(application, f"run-{number}")
    with application.store.begin() as unit:
        one, two, three = (add_draft(unit, number).id for number in (1, 2, 3))
    return one, two, three


@pytest.fixture
def drafted(tmp_path: Path, clock: FakeClock) -> Iterator[Application]:
    """An application whose drafts 1 and 2 the studio made."""
    with closing(application_with_drafts(tmp_path / "home", 2, clock=clock)) as opened:
        yield opened


def journal(application: Application) -> list[tuple[str, int | None, str]]:
    """The journal's lines, the oldest first."""
    with application.store.read() as unit:
        return [(entry.action, entry.draft_id, entry.details) for entry in reversed(unit.journal.list())]


def test_approving_signs_what_is_there(application: Application, drafts: tuple[int, ...], clock: FakeClock) -> None:
    """State, time, channels and signature are set, and the journal tells of each draft once."""
    approved = application.review.approve([drafts[0], drafts[1], drafts[0]], channels=["fake", "folder"])
    assert [draft.state for draft in approved] == [DraftState.APPROVED] * 2
    assert all(draft.is_signed and draft.decided_at == clock.now for draft in approved)
    assert [draft.id for draft in application.review.drafts([DraftState.APPROVED])] == [drafts[1], drafts[0]]
    assert journal(application) == [("approve", drafts[0], "fake, folder"), ("approve", drafts[1], "fake, folder")]


def test_decisions_are_listed_newest_first(application: Application, drafts: tuple[int, ...]) -> None:
    """Of one draft or of all, in parts; of a draft that is not there none."""
    review = application.review
    review.approve([drafts[0]])
    review.reject(drafts[1])
    review.undo(drafts[0])
    assert [(entry.action, entry.draft_id) for entry in review.journal()] == [
        ("undo", drafts[0]),
        ("reject", drafts[1]),
        ("approve", drafts[0]),
    ]
    newest, oldest = review.journal(drafts[0])
    assert review.journal(drafts[0], before=newest.id) == (oldest,)
    assert review.journal(limit=1) == (newest,)
    with pytest.raises(NotFound):
        review.journal(999)


def test_a_draft_that_was_changed_since_it_was_read_is_left_alone(
    application: Application, drafts: tuple[int, ...]
) -> None:
    """Whatever is to be done with it."""
    review, seen = application.review, application.review.draft(drafts[0]).version
    review.edit(drafts[0], text="other words")
    for act in (
        lambda: review.approve([drafts[0]], version=seen),
        lambda: review.reject(drafts[0], version=seen),
        lambda: review.edit(drafts[0], text="third words", version=seen),
        lambda: review.undo(drafts[0], version=seen),
    ):
        with pytest.raises(PreconditionFailed):
            act()
    draft = review.draft(drafts[0])
    assert (draft.state, draft.text) == (DraftState.MADE, "other words")
    assert review.reject(drafts[0], version=draft.version).state is DraftState.REJECTED


def test_a_draft_without_its_picture_is_not_approved(application: Application, drafts: tuple[int, ...]) -> None:
    """Nor any other draft of that call; the sentence says what can be done, and the picture's return helps."""
    review = application.review
    path = application.pictures.path("run-2", "post.jpg")
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(InvalidTransition, match=r"draft 2 .*picture is missing; restore a backup, .*auria repaint 2"):
        review.approve(drafts)
    assert {draft.state for draft in review.drafts()} == {DraftState.MADE}
    path.write_bytes(content)
    assert {draft.state for draft in review.approve(drafts)} == {DraftState.APPROVED}


def test_the_usual_channels_stand_in(application: Application, drafts: tuple[int, ...]) -> None:
    """An approval that names no channel takes those of the settings."""
    assert application.review.approve([drafts[0]])[0].channels == ("folder",)


def test_approving_is_all_or_nothing(application: Application, drafts: tuple[int, ...]) -> None:
    """One draft that cannot be approved leaves the others as they were."""
    application.review.reject(drafts[1])
    with pytest.raises(InvalidTransition):
        application.review.approve([drafts[0], drafts[1]])
    assert application.review.draft(drafts[0]).state is DraftState.MADE
    with pytest.raises(UnknownName, match="known: fake, folder"):
        application.review.approve([drafts[0]], channels=["myspace"])
    with pytest.raises(NotFound):
        application.review.approve([999])


def test_rejecting_keeps_the_reason(application: Application, drafts: tuple[int, ...]) -> None:
    """It is final."""
    assert application.review.reject(drafts[0], reason=" too dark ").reason == "too dark"
    with pytest.raises(InvalidTransition):
        application.review.approve([drafts[0]])
    assert journal(application) == [("reject", drafts[0], "too dark")]


def test_an_edit_voids_the_approval(application: Application, drafts: tuple[int, ...]) -> None:
    """What was signed is no longer what is there."""
    application.review.approve([drafts[0]])
    edited = application.review.edit(drafts[0], text="a new line\n", alt_text="A lake.")
    assert (edited.text, edited.alt_text, edited.state) == ("a new line", "A lake.", DraftState.MADE)
    assert not edited.is_signed
    assert journal(application)[-1] == ("edit", drafts[0], "text and alt text")


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
    application: Application, drafts: tuple[int, ...], words: dict[str, str], error: type[Exception]
) -> None:
    """The draft stays as it was."""
    before = application.review.draft(drafts[0])
    with pytest.raises(error):
        application.review.edit(drafts[0], **words)
    assert application.review.draft(drafts[0]) == before


def test_a_new_version_takes_the_old_ones_place(drafted: Application) -> None:
    """The old draft is put aside with a note, the new one waits for review, and the journal tells of it."""
    old = drafted.review.draft(1)
    drafted.review.approve([old.id])
    new = drafted.review.restyle(old.id, ArtworkRequest(style="fake-05"))
    newest = drafted.review.repaint(new.id, ArtworkRequest())
    assert (new.artwork.style.key, newest.state) == ("fake-05", DraftState.MADE)
    assert (drafted.review.draft(old.id).state, drafted.review.draft(old.id).reason) == (
        DraftState.REJECTED,
        f"draft {new.id} took its place",
    )
    assert [(action, draft) for action, draft, _ in journal(drafted)] == [
        ("approve", old.id),
        ("restyle", old.id),
        ("repaint", new.id),
    ]


def test_a_scheduled_draft_stays_as_it_is(drafted: Application) -> None:
    """It is with the publisher."""
    old = drafted.review.draft(1)
    drafted.review.approve([old.id])
    drafted.post_creator.schedule([old.id])
    with pytest.raises(InvalidTransition, match="scheduled"):
        drafted.review.restyle(old.id, ArtworkRequest())
    with pytest.raises(InvalidTransition):
        drafted.review.edit(old.id, text="other")


def test_a_version_that_fails_changes_nothing(tmp_path: Path) -> None:
    """The draft is still there to be approved."""
    broken = {"faults": {"": "crash"}}
    with closing(application_with_drafts(tmp_path / "home", stylist=broken)) as application:
        with pytest.raises(StepCrashed):
            application.review.restyle(1, ArtworkRequest())
        assert application.review.approve([1])[0].state is DraftState.APPROVED


def test_a_version_of_a_draft_that_was_decided_on_meanwhile_is_only_noted(drafted: Application) -> None:
    """The decision stands; and where there is no version, that is said."""
    old = drafted.review.draft(1)
    made = drafted.studio.restyle(old, ArtworkRequest(style="fake-05"))
    drafted.review.reject(old.id, "too dark")
    assert drafted.review._replace(old, made, "restyle") == made.drafts[0]
    assert drafted.review.draft(old.id).reason == "too dark"
    with pytest.raises(StepFailed, match="no new version"):
        drafted.review._replace(old, replace(made, drafts=()), "restyle")


def test_an_approval_and_a_rejection_are_taken_back(application: Application, drafts: tuple[int, ...]) -> None:
    """The draft waits again, without signature, channels and reason, and the journal says so."""
    application.review.approve(drafts[:1])
    application.review.reject(drafts[1], reason="too dark")
    for draft_id in drafts[:2]:
        again = application.review.undo(draft_id)
        assert (again.state, again.signature, again.channels, again.reason) == (DraftState.MADE, "", (), "")
        assert again.decided_at is None
    assert journal(application)[-2:] == [("undo", drafts[0], "approval"), ("undo", drafts[1], "rejection")]
    assert application.review.approve(drafts[:2])[1].is_signed


def test_edits_are_taken_back_one_by_one(application: Application, drafts: tuple[int, ...]) -> None:
    """Each undo restores the texts before the edit, down to those that were made."""
    made = application.review.draft(drafts[0])
    application.review.edit(drafts[0], text="first")
    application.review.edit(drafts[0], text="second", alt_text="seen")
    once = application.review.undo(drafts[0])
    assert (once.text, once.alt_text) == ("first", made.alt_text)
    application.review.edit(drafts[0], text="third")
    assert application.review.undo(drafts[0]).text == "first"
    twice = application.review.undo(drafts[0])
    assert (twice.text, twice.alt_text) == (made.text, made.alt_text)
    with pytest.raises(InvalidTransition, match="nothing to undo"):
        application.review.undo(drafts[0])


def test_what_is_scheduled_cannot_be_undone(application: Application, drafts: tuple[int, ...]) -> None:
    """From then on a post may be out."""
    application.review.approve(drafts[:1])
    with application.store.begin() as unit:
        unit.drafts.save(unit.drafts.get(drafts[0]).schedule())
    with pytest.raises(InvalidTransition, match="nothing can be undone"):
        application.review.undo(drafts[0])


def test_drafts_whose_posts_are_out_are_published(application: Application) -> None:
    """One sent at least, none still open; filters tell them from those that are only scheduled."""
    ids = [approved(application, number, channels=("fake", "folder")).id for number in (1, 2, 3)]
    application.publisher.publish(ids[:1])
    application.publisher.publish(ids[1:2], channels=["folder"])
    assert [draft.status for draft in application.review.drafts()] == ["approved", "scheduled", "published"]
    assert [draft.id for draft in application.review.drafts(["published"])] == ids[:1]
    assert [draft.id for draft in application.review.drafts(["scheduled", "approved"])] == [ids[2], ids[1]]
    assert [draft.id for draft in application.review.drafts(["scheduled", "published"])] == [ids[1], ids[0]]


def test_a_channel_has_its_own_text(application: Application, drafts: tuple[int, ...]) -> None:
    """It is signed with the approval, posted there and nowhere else, and the common one returns when it is emptied."""
    edited = application.review.edit(drafts[0], channel_texts={"fake": "rain\nponds\nnight"})
    assert (edited.text_for("fake"), edited.text_for("folder")) == ("rain\nponds\nnight", edited.text)
    (approved,) = application.review.approve([drafts[0]], channels=["fake", "folder"])
    assert replace(approved, channel_texts={"fake": "other"}).is_signed is False
    assert replace(approved, channel_texts={**approved.channel_texts, "x": "elsewhere"}).is_signed
    again = application.review.edit(drafts[0], channel_texts={"fake": ""})
    assert again.channel_texts == {}
    assert application.review.undo(drafts[0]).channel_texts == {"fake": "rain\nponds\nnight"}
    assert application.review.undo(drafts[0]).channel_texts == {}
    same = application.review.edit(drafts[0], channel_texts={"fake": again.text})
    assert same.channel_texts == {}
    with pytest.raises(UnknownName, match="no channel named 'myspace'"):
        application.review.edit(drafts[0], channel_texts={"myspace": "rain"})
    with pytest.raises(TextRejected, match="text on fake"):
        application.review.edit(drafts[0], channel_texts={"fake": "visit https://spam.example now, you idiot bitch"})


def test_a_channel_s_text_is_what_its_post_says(application: Application) -> None:
    """The others have the common one; the round sends both."""
    draft = approved(application, channels=("fake", "folder"))
    application.review.edit(draft.id, channel_texts={"fake": "rain\nponds\nnight"})
    application.review.approve([draft.id], channels=["fake", "folder"])
    previews = {one.channel: (one.text, one.characters) for one in application.post_creator.preview()}
    assert previews["fake"] == ("rain\nponds\nnight", 16)
    assert previews["folder"][0] == draft.text
    application.publisher.publish()
    assert {post.channel: (post.text, str(post.state)) for post in application.publisher.posts()} == {
        "fake": ("rain\nponds\nnight", "sent"),
        "folder": (draft.text, "sent"),
    }


def test_a_new_version_keeps_what_the_operator_wrote(drafted: Application) -> None:
    """All texts after another style, whose credit an alt text follows; after another picture all but the alt text."""
    old = drafted.review.draft(1)
    style = old.artwork.style
    alt_text = f"A pond in rain, after “{style.title}” {style.byline}."
    drafted.review.edit(old.id, text="my own words", alt_text=alt_text, channel_texts={"fake": "short words"})
    new = drafted.review.restyle(old.id, ArtworkRequest(style="fake-05"))
    after = new.artwork.style
    assert after.title != style.title
    assert (new.text, new.channel_texts) == ("my own words", {"fake": "short words"})
    assert new.alt_text == f"A pond in rain, after “{after.title}” {after.byline}."
    assert kept_words(drafted.review.draft(old.id), new) == ("text", "alt text", "texts of channels")
    assert drafted.review.undo(new.id).text == new.artwork.post_text
    newest = drafted.review.repaint(old.id, ArtworkRequest())
    assert (newest.text, newest.channel_texts) == ("my own words", {"fake": "short words"})
    assert newest.alt_text == newest.artwork.alt_text
    assert kept_words(drafted.review.draft(old.id), newest) == ("text", "texts of channels")
    fresh = drafted.review.restyle(old.id, ArtworkRequest(style="fake-05"), fresh_words=True)
    assert (fresh.text, fresh.alt_text, fresh.channel_texts) == (fresh.artwork.post_text, fresh.artwork.alt_text, {})
    untouched = drafted.review.draft(2)
    assert kept_words(untouched, drafted.review.restyle(untouched.id, ArtworkRequest(style="fake-05"))) == ()


def test_versions_stand_side_by_side(drafted: Application) -> None:
    """Each knows all; a replaced one is chosen again by its approval, which rejects the one that took its place."""
    first = drafted.review.draft(1)
    other = drafted.review.draft(2)
    second = drafted.review.restyle(first.id, ArtworkRequest(style="fake-05"))
    third = drafted.review.repaint(second.id, ArtworkRequest())
    numbers = [first.id, second.id, third.id]
    assert [[one.id for one in drafted.review.versions(number)] for number in numbers] == [numbers] * 3
    assert [one.id for one in drafted.review.versions(other.id)] == [other.id]
    (chosen,) = drafted.review.approve([second.id])
    assert (chosen.state, chosen.reason, chosen.is_signed) == (DraftState.APPROVED, "", True)
    assert drafted.review.draft(third.id).reason == f"draft {second.id} took its place"
    assert drafted.review.draft(first.id).state is DraftState.REJECTED
    (again,) = drafted.review.approve([third.id])
    assert again.state is DraftState.APPROVED
    assert drafted.review.draft(second.id).state is DraftState.APPROVED  # it is decided on already
    rejected = drafted.review.reject(other.id, "too dark")
    with pytest.raises(InvalidTransition):
        drafted.review.approve([rejected.id])
