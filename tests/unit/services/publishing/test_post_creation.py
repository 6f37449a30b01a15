"""What is approved becomes one post a channel, all of them or none, and what a round would do is told beforehand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from auria_bot.domain.draft import DraftState
from auria_bot.domain.interfaces import PreparedText
from auria_bot.domain.post import PostState
from auria_bot.errors import Rejected, SettingsError, UnknownName
from auria_bot.testing import FakeChannel, FakeClock
from tests.publishing import approved

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.store.files import Pictures


def test_a_draft_becomes_a_post_on_every_channel(application: Application) -> None:
    """Each waits with a key of its own, due when it is told; scheduling again adds nothing."""
    made = approved(application, channels=("fake", "folder"))
    later = application.clock() + timedelta(hours=3)
    posts, problems = application.post_creator.schedule([made.id, made.id], due=later)
    assert problems == []
    assert {(post.channel, post.state, post.due) for post in posts} == {
        ("fake", PostState.WAITING, later),
        ("folder", PostState.WAITING, later),
    }
    assert len({post.key for post in posts}) == 2
    assert application.post_creator.schedule([made.id]) == ((), [])


def test_a_picture_changed_before_scheduling_keeps_the_draft_back(
    application: Application, channel: FakeChannel
) -> None:
    """The problem is told once, however many channels there are, and the draft stays approved."""
    made = approved(application, channels=("fake", "folder"))
    picture = application.pictures.root / made.folder / "post.jpg"
    picture.write_bytes(b"other")
    _, problems = application.post_creator.schedule()
    assert len(problems) == 1
    assert "not the picture that was approved" in problems[0]
    picture.unlink()
    assert "post.jpg" in application.publisher.publish().problems[0]
    assert application.review.draft(made.id).state is DraftState.APPROVED
    assert channel.mutations == 0


def test_a_channels_limits_are_told_before_anything_is_scheduled(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator can still edit the draft; no other channel gets a post of it either."""
    made = approved(application, channels=("fake", "folder"))

    def refuse(self: FakeChannel, text: str, alt_text: str) -> PreparedText:
        raise Rejected("fake takes at most 5 characters, and this text has 300; shorten the text and approve again")

    monkeypatch.setattr(FakeChannel, "fit", refuse)
    done = application.publisher.publish()
    assert done.problems == (
        "draft 1: channel fake: fake takes at most 5 characters, and this text has 300; shorten the text and approve again",
    )
    assert done.posts == ()
    assert application.review.draft(made.id).state is DraftState.APPROVED
    (shown, other) = application.post_creator.preview()
    assert (shown.action, shown.problems[0].split(";")[0]) == ("none", done.problems[0][9:].split(";")[0])
    assert other.action == "send"


def test_a_draft_whose_channel_is_gone_or_broken_stays_approved(application: Application) -> None:
    """With the reason."""
    made = approved(application)
    channels = cast("dict[str, Any]", application.channels)

    def wrong() -> Any:
        raise SettingsError("there is no such option")

    channels["fake"] = wrong
    assert application.post_creator.schedule() == ((), ["draft 1: channel fake: there is no such option"])
    del channels["fake"]
    assert application.post_creator.schedule() == ((), ["draft 1: channel fake is not configured; known: folder"])
    assert application.review.draft(made.id).state is DraftState.APPROVED


def test_a_signature_that_does_not_fit_stops_everything(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A draft that was changed behind Auria's back is not scheduled."""
    from auria_bot.domain.draft import Draft

    approved(application)
    monkeypatch.setattr(Draft, "schedule", lambda self: self)
    monkeypatch.setattr(Draft, "content_hash", lambda *_: "other")
    assert application.post_creator.schedule()[1] == ["draft 1: it was changed after its approval; approve it again"]


def test_a_dry_run_touches_nothing(application: Application, channel: FakeChannel) -> None:
    """It says what would be sent, what waits and what would be looked up."""
    made = approved(application, 1)
    channel.plan("throttled", "late")
    application.publisher.publish()
    approved(application, 2)
    application.publisher.publish()
    approved(application, 3)
    before = [application.publisher.posts(), application.review.drafts()]
    shown = {(each.draft_id, each.action) for each in application.post_creator.preview()}
    assert shown == {(1, "wait"), (2, "look up"), (3, "send")}
    assert application.post_creator.preview([made.id, 3])[0].draft_id == 3
    assert [application.publisher.posts(), application.review.drafts()] == before
    assert application.post_creator.preview(channels=["folder"]) == ()
    assert channel.mutations == 1


def test_a_draft_that_is_named_is_previewed_before_its_approval(application: Application) -> None:
    """On every channel, with the command that approves it; unnamed ones are left out, and so are rejected ones."""
    made = approved(application)
    application.review.undo(made.id)
    assert application.post_creator.preview() == ()
    found = application.post_creator.preview([made.id])
    assert [each.channel for each in found] == list(application.channels)
    assert {(each.action, each.problems[0]) for each in found} == {("none", "it is not approved: auria approve 1")}
    assert found[0].text == made.text
    application.review.reject(made.id)
    assert application.post_creator.preview([made.id]) == ()


def test_a_preview_shows_the_words_as_the_channel_sends_them(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is left out there, before and after scheduling; what is signed stays whole."""
    made = approved(application)
    monkeypatch.setattr(
        FakeChannel,
        "fit",
        lambda _, text, alt: PreparedText(text=text.splitlines()[0], alt_text=alt, dropped=("#haiku",)),
    )
    (before,) = application.post_creator.preview()
    application.post_creator.schedule()
    (after,) = application.post_creator.preview()
    assert before.text == after.text == made.text.splitlines()[0]
    assert before.dropped == after.dropped == ("#haiku",)
    assert application.publisher.posts()[0].text == made.text


def test_a_preview_tells_of_pauses_and_of_what_would_not_be_sent(application: Application, clock: FakeClock) -> None:
    """A paused channel's posts wait; a post that is not what was approved is not sent."""
    approved(application, 1)
    application.post_creator.schedule()
    approved(application, 2)
    assert [each.action for each in application.post_creator.preview()] == ["send", "send"]
    application.publisher.pause("fake", "a holiday")
    assert [(each.action, each.problems) for each in application.post_creator.preview()] == [
        ("wait", ("fake is paused: a holiday",)),
    ] * 2
    clock.advance(days=1)
    (post,) = application.publisher.posts()
    from pathlib import Path

    Path(post.picture).unlink()
    assert [each.action for each in application.post_creator.preview()] == ["wait", "none"]


def test_a_preview_counts_as_the_channel_does(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters of text and alt text against the limits, and how the picture is changed to fit."""
    from auria_bot.domain.interfaces import Limits, PreparedText

    tight = Limits(characters=280, alt_characters=1000, picture_pixels=45, picture_bytes=100, ratios=(1.0, 1.91))
    monkeypatch.setattr(FakeChannel, "limits", lambda _: tight)
    monkeypatch.setattr(
        FakeChannel, "fit", lambda _, text, alt: PreparedText(text=text, alt_text=alt, characters=2 * len(text))
    )
    draft = approved(application)
    (plan,) = application.post_creator.preview()
    assert (plan.characters, plan.most_characters, plan.most_alt_characters) == (2 * len(draft.text), 280, 1000)
    assert plan.fit.startswith("40x50, ")
    assert plan.fit.endswith("a margin is added on two sides and reduced to 45 pixels and compressed to 0.0 MB")


def test_a_draft_is_shown_as_each_channel_would_have_it(application: Application) -> None:
    """Whatever was decided on it; a channel that is paused waits, with the reason."""
    made = approved(application)
    undecided = application.review.undo(made.id)
    application.publisher.pause("folder", "a holiday")
    found = {each.channel: (each.action, each.problems) for each in application.post_creator.preview_draft(undecided)}
    assert found == {"fake": ("send", ()), "folder": ("wait", ("folder is paused: a holiday",))}
    assert application.publisher.posts() == ()


def test_a_picture_is_fitted_as_it_would_be_sent(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the limits of the channel; one that is not configured has none."""
    from auria_bot.domain.interfaces import Limits

    monkeypatch.setattr(FakeChannel, "limits", lambda _: Limits(picture_pixels=25))
    made = approved(application)
    fitted = application.post_creator.fitted_picture(made, "fake")
    assert (fitted.width, fitted.height) == (20, 25)
    with pytest.raises(UnknownName, match="no channel named 'gone'"):
        application.post_creator.fitted_picture(made, "gone")


class _Elsewhere:
    """Pictures that are kept in a bucket."""

    address = "s3://bucket/pictures"

    def __init__(self, pictures: Pictures) -> None:
        self._pictures, self.brought = pictures, list[tuple[str, str]]()

    def place(self, folder: str, name: str) -> Path:
        """Bring a file here."""
        self.brought.append((folder, name))
        return self._pictures.place(folder, name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pictures, name)


def test_pictures_of_a_bucket_are_brought_before_anything_is_scheduled(application: Application) -> None:
    """Those of the drafts that are named, else of all that are approved; nothing is waited for in a transaction."""
    first, second = approved(application, 1), approved(application, 2)
    creator = application.post_creator
    creator._pictures = elsewhere = cast("Any", _Elsewhere(application.pictures))
    creator.schedule([second.id])
    assert elsewhere.brought[0] == (second.folder, "post.jpg")
    assert first.folder not in {folder for folder, _ in elsewhere.brought}
    elsewhere.brought.clear()
    creator.schedule()
    assert elsewhere.brought[0] == (first.folder, "post.jpg")
