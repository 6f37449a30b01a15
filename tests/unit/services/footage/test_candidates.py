"""Tests of auria_bot.services.footage.candidates."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.errors import InputError, PictureError
from auria_bot.services.footage.candidates import Wanted, is_still, read_source
from tests.scenarios.footage import Clip, make_clips

if TYPE_CHECKING:
    from pathlib import Path

_CLUSTER = b"\x1f\x43\xb6\x75"  # begins the frames of a Matroska file

WANTED = Wanted(size=(64, 64), every=Fraction(1, 2))


def read(path: Path, folder: Path, wanted: Wanted = WANTED):
    """The frames of a source, its progress ignored."""
    return read_source(path, wanted, folder, lambda _share: None)


def test_a_still_is_one_candidate(tmp_path: Path) -> None:
    """Cut from the middle, measured, and named by its hash."""
    invented_scene(1, 200).save(tmp_path / "a.png")
    assert is_still(tmp_path / "a.png")
    found = read(tmp_path / "a.png", tmp_path / "work")
    (one,) = found.candidates
    assert (tmp_path / "work" / one.file).is_file()
    assert found.seconds == 0
    assert len(one.sha256) == 64


def test_a_source_that_is_too_small_is_refused(tmp_path: Path) -> None:
    """The message names the largest size that it gives."""
    invented_scene(1, 60).resize((60, 40)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="--size 40 is the most"):
        read(tmp_path / "a.png", tmp_path / "work")


def test_a_damaged_still_is_refused(tmp_path: Path) -> None:
    """With the reason."""
    invented_scene(1, 200).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:2000])
    with pytest.raises(PictureError):
        read(tmp_path / "b.png", tmp_path / "work")


def test_a_picture_that_is_none_to_use_is_told_as_a_picture(tmp_path: Path) -> None:
    """One of several pages, one that is animated, and one that would take gigabytes."""
    scene = invented_scene(1, 100)
    scene.save(tmp_path / "a.tif", save_all=True, append_images=[scene])
    scene.save(tmp_path / "b.webp", save_all=True, append_images=[scene.rotate(90)])
    scene.save(tmp_path / "c.png")
    content = (tmp_path / "c.png").read_bytes()
    head = b"IHDR" + struct.pack(">II", 100_000, 100_000) + content[24:29]
    (tmp_path / "c.png").write_bytes(content[:12] + head + struct.pack(">I", zlib.crc32(head)) + content[33:])
    for name, words in (("a.tif", "several pages"), ("b.webp", "is animated"), ("c.png", "is too large")):
        with pytest.raises(PictureError, match=words):
            read(tmp_path / name, tmp_path / "work")


def test_a_stopped_run_is_continued_with_the_same_result(tmp_path: Path) -> None:
    """What the journal holds is used; a half-written line or file is made anew."""
    pytest.importorskip("av", reason="videos need the extra films")
    (path,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(96, 64), seconds=3.6, rate=Fraction(10))])
    whole = read(path, tmp_path / "whole")
    read(path, tmp_path / "again")
    journal = tmp_path / "again" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) == len(whole.candidates) == 8
    for kept in (1, 4, 7):
        journal.write_bytes(b"".join(lines[:kept]) + lines[kept][:20])
        assert read(path, tmp_path / "again") == whole
    (tmp_path / "again" / whole.candidates[1].file).write_bytes(b"half")
    assert read(path, tmp_path / "again") == whole


def test_frames_that_become_too_small_are_left_out(tmp_path: Path) -> None:
    """Where a recording goes on in a smaller size, since no frame is enlarged."""
    pytest.importorskip("av", reason="videos need the extra films")
    large, small = make_clips(
        tmp_path, [Clip(name="a.ts", size=(96, 64), seconds=2.0), Clip(name="b.ts", size=(48, 32), seconds=2.0)]
    )
    large.write_bytes(large.read_bytes() + small.read_bytes())
    faults = [one.fault for one in read(large, tmp_path / "work").candidates]
    assert faults[:3] == ["", "", ""]
    assert faults[-3:] == ["small", "small", "small"]


def test_frames_at_a_cut_are_left_out(tmp_path: Path) -> None:
    """They mix two shots; black ones have their own reason."""
    pytest.importorskip("av", reason="videos need the extra films")
    (path,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(96, 64), seconds=4.0, content="shots")])
    faults = [one.fault for one in read(path, tmp_path / "work").candidates]
    assert faults == ["black", "black", "cut", "", "", "cut", "", ""]


def test_a_video_that_ends_early_says_so(tmp_path: Path) -> None:
    """With the length that it claims, and where it ends; one without any frame is refused."""
    pytest.importorskip("av", reason="videos need the extra films")
    whole, half = make_clips(
        tmp_path,
        [
            Clip(name="a.mkv", size=(96, 64), seconds=1.0),
            Clip(name="b.mkv", size=(96, 64), seconds=4.0, keep=0.5),
        ],
    )
    assert read(half, tmp_path / "work").note.startswith("cut short: it says 4.0 s, and ends at ")
    content = whole.read_bytes()
    whole.write_bytes(content[: content.index(_CLUSTER) + 30])
    with pytest.raises(InputError, match="no frame could be decoded; it may be cut short or damaged"):
        read(whole, tmp_path / "none")


def test_the_time_at_which_a_video_begins_is_no_part_of_its_length(tmp_path: Path) -> None:
    """The time for which the last frame is shown is: neither video is told to be cut short."""
    av = pytest.importorskip("av", reason="videos need the extra films")
    for name, times in (("late.mkv", [100_000, 100_500, 101_000]), ("slow.mp4", [0, 50_000, 100_000])):
        with av.open(str(tmp_path / name), "w") as container:
            stream = container.add_stream("mpeg4", rate=Fraction(1000, times[1] - times[0]))
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            stream.codec_context.time_base = Fraction(1, 1000)
            for time in times:
                frame = av.VideoFrame.from_image(invented_scene(1, 96).resize((96, 64)))
                frame.pts, frame.time_base = time, Fraction(1, 1000)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        found = read(tmp_path / name, tmp_path / f"work-{name}")
        assert (found.note, found.seconds) == ("", (times[-1] - times[0]) / 1000)


def test_damaged_packets_are_counted(tmp_path: Path) -> None:
    """The frames around them are used."""
    pytest.importorskip("av", reason="videos need the extra films")
    (path,) = make_clips(tmp_path, [Clip(name="a.mp4", size=(96, 64), seconds=2.0)])
    content = bytearray(path.read_bytes())
    content[len(content) // 3 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 3)
    path.write_bytes(content)
    found = read(path, tmp_path / "work")
    assert found.note.endswith(" damaged packets were left out")
    assert "" in {one.fault for one in found.candidates}
