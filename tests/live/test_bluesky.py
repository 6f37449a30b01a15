"""The Bluesky channel against a real PDS: every test of tests/unit/channels/bluesky, which runs them on a stand-in, and films."""

from __future__ import annotations

import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auria_bot.files import sha256_of
from tests.platforms import ready
from tests.platforms.atproto_server import ask
from tests.platforms.bluesky import HANDLE, BlueskyPlatform, RealBlueskyPlatform, why_not_real
from tests.platforms.video import sent_video
from tests.trials import film_post, made
from tests.unit.channels.bluesky.test_channel import *  # noqa: F403 - its tests and their fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def platform() -> Iterator[BlueskyPlatform]:
    """A real server that the tests of this module share."""
    if reason := why_not_real():
        pytest.skip(reason)
    with RealBlueskyPlatform() as started:
        yield started


@pytest.mark.skipif(find_spec("av") is None, reason="videos need the extra films")
def test_a_film_stands_in_its_record_as_it_was_sent(platform: BlueskyPlatform, tmp_path: Path) -> None:
    """The record names video, size and alt text; the server keeps the film's bytes, and gives them to whoever asks."""
    post = film_post(tmp_path, sound=True)
    receipt = made("bluesky", tmp_path, platform).publish(post, ready)
    did, collection, key = receipt.id.removeprefix("at://").split("/")
    record = ask(platform.proxy.address, "com.atproto.repo.getRecord", repo=did, collection=collection, rkey=key)
    embed = record["value"]["embed"]
    blob = embed.pop("video")
    assert embed == {
        "$type": "app.bsky.embed.video",
        "alt": post.alt_text,
        "aspectRatio": {"width": 96, "height": 54},
    }
    assert (blob["$type"], blob["mimeType"], blob["size"]) == ("blob", "video/mp4", Path(post.film).stat().st_size)
    assert ask(platform.proxy.address, "com.atproto.repo.describeRepo", repo=did)["handle"] == HANDLE
    address = f"{platform.proxy.address}/xrpc/com.atproto.sync.getBlob?did={did}&cid={blob['ref']['$link']}"
    with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 - loopback
        kept = tmp_path / "kept.mp4"
        kept.write_bytes(answer.read())
    assert sha256_of(kept) == post.film_sha256
    video = sent_video(kept.read_bytes())
    assert (video.codec, video.sound, video.frames) == ("h264", "aac", 80)
