"""An account on X that is well, and channels that lead there."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from auria_bot.channels.x.channel import XChannel
from auria_bot.domain.post import Post, PostState
from tests.platforms import MemorySecrets
from tests.platforms.x import XPlatform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TEXT = "first snow & <wind> —\nthe pond keeps\none “star”\n\n— Auria\n#haiku #snow"
UPLOAD, METADATA, CREATE = "POST /2/media/upload", "POST /2/media/metadata", "POST /2/tweets"
ME, TIMELINE = "GET /2/users/me", "GET /2/users/1450000000000000001/tweets"


@pytest.fixture
def platform() -> Iterator[XPlatform]:
    """An account that is well, with posts from long ago."""
    with XPlatform() as made:
        for number in range(6):
            made.add(f"old poem {number}", age=86_400 * (6 - number))
        yield made


@pytest.fixture
def make(platform: XPlatform, tmp_path: Path) -> Callable[..., XChannel]:
    """Channels that lead there."""

    def channel(**changes: Any) -> XChannel:
        config = XChannel.Config(**{**platform.options(), "read_timeout": 0.5, **changes})
        return XChannel(config, home=tmp_path, secrets=MemorySecrets(platform.secrets()))

    return channel


@pytest.fixture
def channel(make: Callable[..., XChannel]) -> XChannel:
    """One as the platform's options have it."""
    return make()


@pytest.fixture
def post(tmp_path: Path) -> Post:
    """A post that is due."""
    picture = tmp_path / "picture.jpg"
    Image.new("RGB", (108, 135), (30, 80, 90)).save(picture)
    return Post(
        id=7,
        draft_id=1,
        channel="x",
        state=PostState.SENDING,
        due=datetime.now(UTC),
        text=TEXT,
        alt_text="A pond, “still”.",
        picture=str(picture),
        signature="s",
        key="a" * 32,
        picture_sha256=hashlib.sha256(picture.read_bytes()).hexdigest(),
    )


class Ready:
    """A `confirm_send` that stores memos as the publisher does."""

    def __init__(self) -> None:
        self.memos: list[str] = []

    def __call__(self, memo: str = "") -> None:
        self.memos.append(memo)

    def tried(self, post: Post) -> Post:
        """The post as it stands after the attempt."""
        return replace(post, memo=self.memos[-1], tried_at=datetime.now(UTC)) if self.memos else post


def new_posts(platform: XPlatform) -> list[dict[str, Any]]:
    """What was posted since, the newest first."""
    return [shown for shown in platform.visible() if not shown["text"].startswith("old poem")]
