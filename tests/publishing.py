"""Approved drafts and what became of their posts, for the tests of publishing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from auria_bot.files import sha256_of
from tests.factories import artwork

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.draft import Draft
    from auria_bot.domain.post import Attempt, Outcome, Post

__all__ = ["approved", "attempts", "keep_pictures", "only", "outcomes"]


def approved(application: Application, number: int = 1, channels: tuple[str, ...] = ("fake",)) -> Draft:
    """An approved draft whose picture is on the disk."""
    folder = f"run-{number}"
    kept = keep_pictures(application, folder, (number % 256, number // 256, 3))
    with application.store.begin() as unit:
        made = unit.drafts.add(
            artwork(number), folder=folder, picture_sha256=sha256_of(kept / "post.jpg"), made_at=application.clock()
        )
    return application.review.approve([made.id], channels=channels)[0]


def keep_pictures(application: Application, folder: str, colour: tuple[int, int, int] = (1, 2, 3)) -> Path:
    """The pictures of a draft on the disk, of one colour, in its folder, which is returned."""
    application.settings.home.mkdir(parents=True, exist_ok=True)
    source = application.settings.home / "source.jpg"
    Image.new("RGB", (40, 50), colour).save(source, format="JPEG")
    return application.pictures.keep(
        folder, dict.fromkeys(("painting.png", "full.png", "post.jpg", "card.jpg"), source)
    )


def only(application: Application) -> Post:
    """The one post there is."""
    (post,) = application.publisher.posts()
    return post


def attempts(application: Application, post_id: int = 1) -> tuple[Attempt, ...]:
    """A post's attempts."""
    return application.publisher.post(post_id)[1]


def outcomes(application: Application, post_id: int = 1) -> list[Outcome | None]:
    """How a post's attempts ended."""
    return [attempt.outcome for attempt in attempts(application, post_id)]
