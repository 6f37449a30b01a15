"""Tests of auria_bot.services.footage.footage_import, with stills, which need no extra."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image, ImageFilter

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.errors import DiskError, InputError
from auria_bot.services.footage import footage_import as module
from auria_bot.services.footage.contact_sheet import write_sheet
from auria_bot.services.footage.footage_import import FootageOptions, add_footage, frame_size
from auria_bot.services.footage.library import FootageLibrary
from tests.scenarios.footage import Clip, make_clips

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = FootageOptions(size=64, every=Fraction(1))


def stills(folder: Path, count: int = 4) -> Path:
    """A folder of stills, one of them black, one blurred, one a repetition, and one that is no picture."""
    folder.mkdir()
    for seed in range(count):
        invented_scene(seed, 128).save(folder / f"a{seed}.png")
    invented_scene(1, 128).resize((160, 160)).save(folder / "b-again.png")
    Image.fromarray(np.zeros((90, 90, 3), np.uint8)).save(folder / "c-black.png")
    invented_scene(50, 128).filter(ImageFilter.GaussianBlur(14)).save(folder / "d-blurred.png")
    (folder / "e.jpg").write_text("no picture")
    return folder


def add(home: Path, *files: Path, options: FootageOptions = OPTIONS):
    """Add files to the set "sea"."""
    return add_footage(FootageLibrary(home), "sea", files, options, lambda *_: None)


def test_good_frames_are_kept_and_others_counted(tmp_path: Path) -> None:
    """Each with its reason; a file that cannot be used has a sentence."""
    done = add(tmp_path / "home", stills(tmp_path / "in"))
    assert len(done.footage.frames) == 4
    assert done.footage.counts() == {"black": 1, "blurred": 1, "duplicate": 1}
    assert next(one.of for one in done.footage.left_out if one.reason == "duplicate") == "000002.jpg"
    assert len(done.refused) == 1
    folder = tmp_path / "home" / "footage" / "sea"
    assert sorted(path.name for path in (folder / "frames").iterdir()) == [
        f"00000{number}.jpg" for number in range(1, 5)
    ]
    assert not (folder / "work").exists()
    with Image.open(folder / "frames" / "000001.jpg") as picture:
        assert picture.size == (64, 64)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """Its hash would be that of another file; once it is complete it is added."""
    pytest.importorskip("av", reason="videos need the extra films")
    (path,) = make_clips(tmp_path, [Clip(name="a.mkv", size=(96, 64), seconds=2.0, rate=Fraction(5))])

    def grow(_done: int, _total: int, share: float, _name: str) -> None:
        if share > 0:
            path.write_bytes(path.read_bytes() + b"more")

    library, home = FootageLibrary(tmp_path / "home"), tmp_path / "home"
    with pytest.raises(InputError, match=r"a\.mkv: changed while it was read; add it when it is complete"):
        add_footage(library, "sea", (path,), OPTIONS, grow)
    assert len(add(home, path).added) == 1


def test_files_that_are_known_are_passed_over(tmp_path: Path) -> None:
    """Adding the same again changes nothing; a new file goes on with the next number."""
    folder = stills(tmp_path / "in")
    (folder / "e.jpg").unlink()
    first = add(tmp_path / "home", folder)
    again = add(tmp_path / "home", folder)
    assert again.footage == first.footage
    assert len(again.known) == 7
    invented_scene(77, 128).save(tmp_path / "new.png")
    more = add(tmp_path / "home", tmp_path / "new.png")
    assert more.footage.frames[-1].file == "000005.jpg"


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    """Also where the next call finds nothing new to write."""
    folder = stills(tmp_path / "in")
    add(tmp_path / "home", folder)
    stray = tmp_path / "home" / "footage" / "sea" / ".new-index.json-0123"
    stray.write_text("{")
    add(tmp_path / "home", folder)
    assert not stray.exists()


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    """And says the same as the run."""
    folder = stills(tmp_path / "in")
    dry = add(tmp_path / "home", folder, options=FootageOptions(size=64, every=Fraction(1), dry_run=True))
    assert not (tmp_path / "home").exists()
    assert add(tmp_path / "home", folder).footage == dry.footage


def coloured_stills(folder: Path) -> Path:
    """A folder of ten blue stills and two red ones."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in range(12):
        scene = rng.integers(0, 256, (8, 8, 3)).astype(np.float64)
        tint = np.array([0.3, 0.6, 1.2]) if number < 10 else np.array([1.2, 0.5, 0.2])
        Image.fromarray(np.clip(scene * tint, 0, 255).astype(np.uint8)).resize((96, 96), 0).save(
            folder / f"{number:02}.png"
        )
    return folder


def test_colours_are_evened_out_on_wish(tmp_path: Path) -> None:
    """Frames of common colours are left out, with their files, and the colours are more even than before."""
    folder = coloured_stills(tmp_path / "in")
    done = add(tmp_path / "home", folder, options=FootageOptions(size=64, every=Fraction(1), even=True))
    assert done.footage.counts()["common"] > 0
    assert done.evenness[1] > done.evenness[0]
    files = {path.name for path in (tmp_path / "home" / "footage" / "sea" / "frames").iterdir()}
    assert files == {frame.file for frame in done.footage.frames}


def test_a_frame_that_was_left_out_does_not_give_its_number_to_another(tmp_path: Path) -> None:
    """Labels are kept by the name of a frame's file."""
    folder = tmp_path / "in"
    folder.mkdir()
    rng = np.random.default_rng(1)
    tints = [(1.2, 0.5, 0.2), (0.3, 1.2, 0.3), *[(0.3, 0.6, 1.2)] * 13]
    for number, tint in enumerate(tints):
        scene = np.clip(rng.integers(0, 256, (8, 8, 3)) * np.array(tint), 0, 255).astype(np.uint8)
        Image.fromarray(scene).resize((96, 96), 0).save(folder / f"{number:02}.png")
    done = add(tmp_path / "home", folder, options=FootageOptions(size=64, every=Fraction(1), even=True))
    assert done.footage.frames[-1].file != "000015.jpg"
    assert FootageLibrary(tmp_path / "home").get("sea").next_number == 16


def test_a_video_is_entered_as_soon_as_it_is_read(tmp_path: Path) -> None:
    """With its length and the interval of its frames; how far it is read is told."""
    pytest.importorskip("av", reason="videos need the extra films")
    clips = make_clips(tmp_path, [Clip(name=name, size=(96, 64), seconds=1.0) for name in ("a.mp4", "b.mp4")])
    told: list[tuple[int, int, float, str]] = []
    done = add_footage(FootageLibrary(tmp_path / "home"), "sea", clips, OPTIONS, lambda *each: told.append(each))
    assert [(one.name, one.every, one.seconds > 0.9) for one in done.footage.sources] == [
        ("a.mp4", 1.0, True),
        ("b.mp4", 1.0, True),
    ]
    assert {(number, total, name) for number, total, _, name in told} == {(0, 2, "a.mp4"), (1, 2, "b.mp4"), (2, 2, "")}
    assert all(0.0 <= share <= 1.0 for _, _, share, _ in told)


def test_a_full_disk_ends_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no fault of a file, so that none is passed over because of it."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "read_source", full)
    with pytest.raises(DiskError, match="the disk is full; free some space and try again"):
        add(tmp_path / "home", stills(tmp_path / "in"))


def test_a_set_without_sources_is_not_written(tmp_path: Path) -> None:
    """Evening out the colours of nothing leaves no set behind."""
    (tmp_path / "a.jpg").write_text("no picture")
    options = FootageOptions(size=64, every=Fraction(1), even=True)
    with pytest.raises(InputError, match=r"a\.jpg"):
        add(tmp_path / "home", tmp_path / "a.jpg", options=options)
    assert FootageLibrary(tmp_path / "home").names() == ()


def test_a_file_that_is_refused_evens_nothing_out(tmp_path: Path) -> None:
    """The call fails, so that the set is as it was."""
    add(tmp_path / "home", coloured_stills(tmp_path / "in"))
    (tmp_path / "bad.jpg").write_text("no picture")
    before = FootageLibrary(tmp_path / "home").get("sea")
    with pytest.raises(InputError, match=r"bad\.jpg"):
        add(tmp_path / "home", tmp_path / "bad.jpg", options=FootageOptions(size=64, every=Fraction(1), even=True))
    assert FootageLibrary(tmp_path / "home").get("sea") == before


def test_a_set_has_one_size(tmp_path: Path) -> None:
    """Another one is refused, and the set's own is named; without one it is used."""
    folder = stills(tmp_path / "in")
    add(tmp_path / "home", folder)
    with pytest.raises(InputError, match="64 x 64 pixels"):
        add(tmp_path / "home", folder, options=FootageOptions(size=100, every=Fraction(1)))
    assert add(tmp_path / "home", folder, options=FootageOptions(every=Fraction(1))).footage.height == 64


def test_where_nothing_can_be_used_nothing_is_left(tmp_path: Path) -> None:
    """The error says why, and no folder of the set remains."""
    (tmp_path / "a.jpg").write_text("no picture")
    with pytest.raises(InputError):
        add_footage(FootageLibrary(tmp_path / "home"), "sea", [tmp_path / "none"], OPTIONS, lambda *_: None)
    assert not (tmp_path / "home" / "footage" / "sea").exists()


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    """A named pipe that nobody writes to would be waited for for ever."""
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(InputError, match=r"pipe\.mp4: is not a file"):
        add_footage(FootageLibrary(tmp_path / "home"), "sea", [tmp_path / "pipe.mp4"], OPTIONS, lambda *_: None)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """There is nothing to add."""
    (tmp_path / "in").mkdir()
    with pytest.raises(InputError, match="no file"):
        add(tmp_path / "home", tmp_path / "in")


def test_shapes_have_sizes() -> None:
    """A square, or 16:9 of an even width; another shape is refused."""
    assert frame_size(128, "square") == (128, 128)
    assert frame_size(1080, "16:9") == (1920, 1080)
    assert frame_size(128, "16:9")[0] % 2 == 0
    with pytest.raises(InputError, match="known: square, 16:9"):
        frame_size(128, "round")


def test_a_sheet_shows_frames_of_the_whole_set(tmp_path: Path) -> None:
    """As many as there are, or fewer."""
    add(tmp_path / "home", stills(tmp_path / "in"))
    assert write_sheet(FootageLibrary(tmp_path / "home"), "sea", tmp_path / "sheet.jpg", count=3) == 3
    assert write_sheet(FootageLibrary(tmp_path / "home"), "sea", tmp_path / "sheet.jpg", count=30) == 4
