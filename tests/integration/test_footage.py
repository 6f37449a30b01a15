"""The benchmark footage in small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scenarios import footage

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("av", reason="videos need the extra films")

SMALL = (
    "plain.mp4",
    "again.mkv",
    "turned-90.mp4",
    "mirrored.mp4",
    "wide-pixels.mp4",
    "cut-at-the-end.mkv",
    "cut-index.mp4",
    "sound-only.mka",
    "no-bytes.mp4",
    "playlist.m3u8",
)


def test_a_killed_call_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    """Frames are right, files that cannot be used are refused, and a kill changes nothing."""
    clips = [clip for clip in footage.CLIPS if clip.name in SMALL]
    files = footage.make_clips(tmp_path / "clips", clips)
    whole = footage.add(tmp_path / "whole", files)
    assert whole is not None
    assert footage.faults(whole, clips) == []
    assert whole.code == 4
    again = footage.killed_and_begun_again(tmp_path / "killed", files, moments=(1.5, 2.5))
    assert again.files == whole.files


def test_a_wrong_frame_is_noticed(tmp_path: Path) -> None:
    """The scenario's judgement is not blind: a clip that is shown as another one has faults."""
    clip = next(one for one in footage.CLIPS if one.name == "plain.mp4")
    files = footage.make_clips(tmp_path / "clips", [clip])
    found = footage.add(tmp_path / "home", files)
    assert found is not None
    index = found.files["index.json"].decode()
    late = footage.Outcome(
        code=0,
        report=found.report,
        memory=0.0,
        files=found.files | {"index.json": index.replace('"time":0.0,', '"time":2.9,').encode()},
    )
    assert footage.faults(late, [clip]) != []
