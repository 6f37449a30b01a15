"""The command `auria restyle-video`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from auria_bot.art.films import video
from tests.scenarios.footage import Clip, make_clips

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
def test_a_video_is_restyled_with_the_stylist_of_the_settings(
    home: Path, auria: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made is said, and a file that is there is not replaced unasked."""
    monkeypatch.setenv("AURIA_STYLIST__BACKEND", "fake")
    (source,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(160, 96), seconds=0.4)])
    target = tmp_path / "b.mp4"
    call = ("restyle-video", str(source), str(target), "--style", "fake-03", "--every", "3")
    code, shown, errors = auria(*call, "--json")
    assert code == 0, errors
    assert json.loads(shown)["frames"] == 10
    assert json.loads(shown)["size"] == [160, 96]
    assert target.stat().st_size > 1000
    code, _, errors = auria(*call)
    assert code == 4
    assert "--force" in errors
    code, shown, _ = auria(*call, "--force")
    assert code == 0
    assert "10 frames of 160 x 96 pixels after “" in shown
    assert not any((home / "cache" / "videos").iterdir())
