"""An application whose desk has something of everything: drafts, posts in every state, engagement, a paused channel."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from auria_bot.domain.artwork import Haiku, Style
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.files import sha256_of
from auria_bot.settings.captions import CaptionSettings
from auria_bot.settings.web import WebSettings
from auria_bot.testing import FakeClock
from tests.applications import fake_application
from tests.exhibited import publish
from tests.factories import NOW, artwork
from tests.operators import PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.draft import Draft

__all__ = ["busy_desk", "open_to_visitors"]

_POEMS = (
    ("the lantern goes out", "and all at once the river", "is full of the moon"),
    ("first snow on the barn", "a crow walks up and down it", "as if to count it"),
    ("an afternoon rain", "the garden gate left open", "for nobody now"),
    ("so quiet the train", "that the field beside the track", "goes on with its wind"),
    ("frost along the road", "my neighbour's dog has written", "his name everywhere"),
    ("evening at the pond", "the heron folds up its light", "and puts it away"),
    ("what the willow says", "to the water all summer", "the water forgets"),
    ("smoke above the hill", "somebody is burning leaves", "somebody's autumn"),
)
_MOODS = ("serene", "playful", "wistful", "still", "joyful", "dreamy", "melancholy", "awed")


def busy_desk(home: Path, *, waiting: int = 5) -> Application:
    """An application with an owner, an editor and a viewer (ada, eve, vera), and so many drafts that wait for review."""
    application = fake_application(home, clock=FakeClock(NOW + timedelta(days=4)))
    for name, role in (("ada", "owner"), ("eve", "editor"), ("vera", "viewer")):
        application.accounts.add(name, PASSWORD, role=role)
    for number in range(1, 4):
        publish(application, number, **_art(number))
    _unclear(application, 4)
    for number in (5, 6):
        _draft(application, number)
    application.review.approve([5, 6], channels=["folder", "fake"])
    application.post_creator.schedule([5])
    for number in range(7, 7 + waiting):
        _draft(application, number)
    application.publisher.pause("fake", reason="a holiday")
    _engagement(application)
    application.notices.update()
    return application


def open_to_visitors(application: Application, *, captioner: str = "127.0.0.1:9", **limits: Any) -> None:
    """Open the live studio and the page of captions, whose model server is at that address."""
    changes = {
        "web": WebSettings(studio=True, **limits),
        "captions": CaptionSettings(page=True, server=captioner, largest_mb=2, per_hour=200, deadline=30),
        "maintenance": application.settings.maintenance.model_copy(update={"min_free_mb": 0}),
    }
    application.settings = application.settings.model_copy(update=changes)


def _art(number: int) -> dict[str, Any]:
    """Poem, style and mood of an artwork."""
    lines = _POEMS[number % len(_POEMS)]
    style = Style(key=f"style-{number % 3}", title=f"The Wave {number % 3}", artist="G. Courbet", year="1870")
    return {
        "haiku": Haiku(lines=lines, syllables=(5, 7, 5)),
        "style": style,
        "mood": _MOODS[number % len(_MOODS)],
        "post_text": "\n".join(lines) + "\n\n— Auria\n\n#haiku #painting",
        "alt_text": f"A painting of a pond under a moon, number {number}, after “{style.title}” by G. Courbet.",
    }


def _draft(application: Application, number: int) -> Draft:
    """A draft with a picture."""
    source = application.settings.home / "source.jpg"
    picture = Image.radial_gradient("L").resize((640, 640)).convert("RGB")
    shade = ImageDraw.Draw(picture, "RGBA")
    shade.rectangle((0, 320, 640, 640), fill=(40 + 20 * (number % 6), 70, 120, 150))
    shade.ellipse((430, 90, 520, 180), fill=(245, 235, 200, 235))
    picture.save(source, quality=85)
    kept = application.pictures.keep(
        f"run-{number}", dict.fromkeys(("painting.png", "full.png", "post.jpg", "card.jpg"), source)
    )
    with application.store.begin() as unit:
        return unit.drafts.add(
            artwork(number, **_art(number)),
            folder=f"run-{number}",
            picture_sha256=sha256_of(kept / "post.jpg"),
            made_at=application.clock(),
        )


def _unclear(application: Application, number: int) -> None:
    """A post whose outcome nobody knows."""
    draft = _draft(application, number)
    channel = application.channels["fake"]()
    channel.plan("lost")  # type: ignore[attr-defined]  # the fake channel's own
    application.review.approve([draft.id], channels=["fake"])
    application.publisher.publish([draft.id])


def _engagement(application: Application) -> None:
    """Followers of the folder channel, and likes of its posts."""
    now = application.clock()
    with application.store.begin() as unit:
        for day in range(30):
            at = now - timedelta(days=30 - day)
            unit.samples.add_audience("folder", Audience(at=at, followers=120 + 4 * day))
        for post in unit.posts.list():
            if post.receipt is not None:
                at = post.receipt.at + timedelta(days=7)
                unit.samples.add(post.id, Engagement(at=at, likes=5 + 3 * post.id, reposts=post.id % 3))
