"""Tests of auria_bot.services.films.segments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import DiskError, InvalidTransition
from auria_bot.services.films.segments import Segments

if TYPE_CHECKING:
    from pathlib import Path

PLAN = {"seed": 3, "size": (64, 36)}


def fill(segments: Segments, until: int) -> None:
    """Add segments, each with what the one before left for it."""
    for number in range(segments.done, until):
        state = segments.state or b""

        def write(path: Path, number: int = number, state: bytes = state) -> tuple[int, bytes]:
            path.write_bytes(state + bytes([number]))
            return number, state + bytes([number])

        segments.add(write)


def contents(folder: Path) -> list[bytes]:
    """The segments' bytes."""
    with Segments.open(folder, PLAN) as segments:
        return [path.read_bytes() for path in segments.paths]


def test_a_later_call_goes_on_after_the_segments_that_are_there(tmp_path: Path) -> None:
    """With the state that the last one left, so that the result is that of one call."""
    with Segments.open(tmp_path / "a", PLAN) as segments:
        fill(segments, 2)
    with Segments.open(tmp_path / "a", PLAN) as segments:
        assert segments.done == 2
        assert segments.notes == [0, 1]
        fill(segments, 4)
    with Segments.open(tmp_path / "b", PLAN) as segments:
        fill(segments, 4)
    assert contents(tmp_path / "a") == contents(tmp_path / "b") == [b"\0", b"\0\1", b"\0\1\2", b"\0\1\2\3"]


def test_a_segment_that_the_journal_lacks_does_not_count(tmp_path: Path) -> None:
    """A kill between the segment and the journal leaves a file that is removed."""
    with Segments.open(tmp_path, PLAN) as segments:
        fill(segments, 1)
    (tmp_path / "00001.segment").write_bytes(b"half")
    with Segments.open(tmp_path, PLAN) as segments:
        assert segments.done == 1
    assert not (tmp_path / "00001.segment").exists()


def test_a_failed_segment_leaves_nothing(tmp_path: Path) -> None:
    """The next attempt makes it anew."""

    def fail(path: Path) -> tuple[None, None]:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device", str(path))

    with Segments.open(tmp_path, PLAN) as segments:
        with pytest.raises(DiskError, match="the disk is full"):
            segments.add(fail)
        fill(segments, 1)
    assert contents(tmp_path) == [b"\0"]


def test_segments_of_another_plan_are_removed(tmp_path: Path) -> None:
    """They would be of another video."""
    with Segments.open(tmp_path, PLAN) as segments:
        fill(segments, 2)
    with Segments.open(tmp_path, PLAN | {"seed": 4}) as segments:
        assert segments.done == 0
        assert segments.state is None
    assert list(tmp_path.glob("*.segment")) == []


def test_damaged_segments_are_made_again(tmp_path: Path) -> None:
    """As is what comes after them; where the state is lost, everything."""
    with Segments.open(tmp_path, PLAN) as segments:
        fill(segments, 3)
    (tmp_path / "00001.segment").write_bytes(b"damaged")
    with Segments.open(tmp_path, PLAN) as segments:
        assert segments.done == 0
        fill(segments, 2)
    assert contents(tmp_path) == [b"\0", b"\0\1"]


def test_two_commands_do_not_make_the_same_video(tmp_path: Path) -> None:
    """The second is told to wait."""
    with (
        Segments.open(tmp_path, PLAN),
        pytest.raises(InvalidTransition, match="another command"),
        Segments.open(tmp_path, PLAN),
    ):
        pass


def test_nothing_is_left_when_the_video_is_complete(tmp_path: Path) -> None:
    """The folder goes too."""
    with Segments.open(tmp_path / "a", PLAN) as segments:
        fill(segments, 2)
        segments.remove()
    assert not (tmp_path / "a").exists()
