"""The command `auria restyle-video`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from auria_bot.art.films import video
from tests.scenarios.footage import Clip, make_clips
from tests.unit.art.films.test_sound import film_with_sound, spoil

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


@pytest.mark.parametrize(
    ("end", "words"),
    [(12, "4 parts of the sound could not be decoded and are silent"), (None, "so the video has none")],
)
@pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")
def test_what_became_of_damaged_sound_is_said_once(
    home: Path,
    auria: Callable[..., tuple[int, str, str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    end: int | None,
    words: str,
) -> None:
    """The picture is kept, and the command ends well."""
    monkeypatch.setenv("AURIA_STYLIST__BACKEND", "fake")
    source = film_with_sound(tmp_path / "a.mkv", "flac", seconds=1 if end is None else 2)
    spoil(source, 0 if end is None else 8, end)
    code, _, notes = auria("restyle-video", str(source), str(tmp_path / "b.mp4"), "--style", "fake-03")
    assert code == 0
    assert notes.count("sound") == 1
    assert words in notes
