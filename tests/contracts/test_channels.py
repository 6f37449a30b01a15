"""Every registered channel keeps the Channel contract: at most one visible mutation, found again, told truthfully."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot import registry
from auria_bot.domain.post import Post, PostState, Receipt
from auria_bot.domain.roles import Channel, Limits
from auria_bot.errors import NotFound
from tests.platforms import PLATFORMS, MemorySecrets, platform, ready

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHANNELS = list(registry.BACKENDS["channel"])


@pytest.fixture(params=CHANNELS)
def channel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Channel]:
    """A channel of each kind, in a folder of its own, before a platform where it needs one."""
    kind = registry.find("channel", request.param)
    if request.param not in PLATFORMS:
        yield kind(kind.Config(name="mine"), home=tmp_path, secrets=MemorySecrets())
        return
    with platform(request.param) as server:
        config = kind.Config(**{**server.options(), "name": "mine"})
        yield kind(config, home=tmp_path, secrets=MemorySecrets(server.secrets()))


@pytest.fixture
def post(tmp_path: Path) -> Post:
    """A post whose picture lies on the disk."""
    picture = tmp_path / "picture.jpg"
    Image.new("RGB", (108, 135), (30, 80, 90)).save(picture)
    return Post(
        id=1, draft_id=1, channel="mine", state=PostState.SENDING, due=datetime.now(UTC),
        text="rain\nponds\nnight\n\n— Auria\n#haiku", alt_text="A pond.", picture=str(picture), signature="s", key="a" * 32,
        picture_sha256=hashlib.sha256(picture.read_bytes()).hexdigest(),
    )  # fmt: skip


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_is_a_frozen_config_and_a_class(name: str) -> None:
    """Its Config takes the operator's name for it."""
    config = registry.find("channel", name).Config
    assert dataclasses.is_dataclass(config)
    assert config.__dataclass_params__.frozen
    assert "name" in {item.name for item in dataclasses.fields(config)}


def test_a_channel_plays_its_role(channel: Channel) -> None:
    """Limits and check are there before anything is published."""
    assert isinstance(channel, Channel)
    assert channel.name == "mine"
    assert isinstance(channel.limits(), Limits)
    assert channel.check()


def test_a_repeated_attempt_publishes_nothing_more(channel: Channel, post: Post) -> None:
    """Absent before; afterwards the same receipt, from `find` as from `publish`."""
    assert channel.find(post) is None
    receipt = channel.publish(post, ready)
    assert receipt.id
    assert receipt.url
    assert receipt.at.tzinfo is not None
    assert channel.find(post) == receipt


def test_what_is_counted_is_counted_at_a_time(channel: Channel, post: Post) -> None:
    """Counts are whole numbers or None; a post that is not there is NotFound."""
    receipt = channel.publish(post, ready)
    counts = channel.measure(receipt)
    assert counts.at.tzinfo is not None
    assert all(value is None or value >= 0 for value in (counts.likes, counts.reposts, counts.replies, counts.views))
    assert channel.audience().at.tzinfo is not None
    with pytest.raises(NotFound):
        channel.measure(Receipt(id="gone", url="", at=receipt.at))
