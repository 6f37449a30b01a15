"""Tests of auria_bot.services.footage.library."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import InputError, InvalidTransition, NotFound
from auria_bot.files import acquire_lock
from auria_bot.services.footage.library import Footage, FootageLibrary, LeftOutFrame, Source, StoredFrame

if TYPE_CHECKING:
    from pathlib import Path

FRAME = StoredFrame(
    file="000001.jpg",
    source=0,
    time=1.5,
    sha256="a" * 64,
    fingerprint="0" * 16,
    light="00" * 64,
    colour=(50.0, 1.0, -3.0),
    sharpness=0.3,
)
WAVES = Footage(
    name="waves",
    width=128,
    height=128,
    shape="square",
    sources=(Source(name="a.mp4", sha256="b" * 64, every=0.5, seconds=2.0, size=(640, 360), note=""),),
    frames=(FRAME,),
    left_out=(
        LeftOutFrame(source=0, time=0.0, reason="black"),
        LeftOutFrame(source=0, time=0.5, reason="duplicate", of="000001.jpg"),
    ),
)


def saved(home: Path) -> FootageLibrary:
    """A library with one set."""
    library = FootageLibrary(home)
    folder = library.folder("waves") / "frames"
    folder.mkdir(parents=True)
    (folder / "000001.jpg").write_bytes(b"1")
    (folder / "000002.jpg").write_bytes(b"a stray")
    library.save(WAVES)
    return library


def test_a_set_is_read_as_it_was_saved(tmp_path: Path) -> None:
    """The index holds all of it, and files that it does not name are removed."""
    library = saved(tmp_path)
    assert library.get("waves") == WAVES
    assert library.all() == (WAVES,)
    assert [path.name for path in (library.folder("waves") / "frames").iterdir()] == ["000001.jpg"]


def test_reasons_are_counted(tmp_path: Path) -> None:
    """Of all sources or of one, and the next file's number follows the last."""
    assert WAVES.counts() == {"black": 1, "duplicate": 1}
    assert WAVES.counts(1) == {}
    assert WAVES.next_number == 2


def test_an_unknown_set_names_the_known_ones(tmp_path: Path) -> None:
    """Or the command that makes one."""
    with pytest.raises(NotFound, match="auria footage add"):
        FootageLibrary(tmp_path).get("sea")
    with pytest.raises(NotFound, match="there are: waves"):
        saved(tmp_path).get("sea")


@pytest.mark.parametrize("name", ["", "../home", "Waves", "a b", "x" * 41])
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    """Names are small letters, digits, - and _."""
    with pytest.raises(InputError, match="cannot name footage"):
        FootageLibrary(tmp_path).folder(name)


def test_a_damaged_index_says_what_to_do(tmp_path: Path) -> None:
    """The command to remove the set is named, and works."""
    library = saved(tmp_path)
    (library.folder("waves") / "index.json").write_text('{"format": 1}')
    with pytest.raises(InputError, match="auria footage remove waves"):
        library.get("waves")
    assert library.remove("waves") == 1
    assert library.names() == ()


def test_an_index_of_a_later_version_is_not_read_by_halves(tmp_path: Path) -> None:
    """It is told of like a damaged one, with the format that it has."""
    library = saved(tmp_path)
    path = library.folder("waves") / "index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(InputError, match=r"cannot be read \(ValueError: format 99\)"):
        library.get("waves")


def test_what_an_interrupted_first_call_left_is_removed(tmp_path: Path) -> None:
    """Frames that wait in the folder belong to no set yet, and take room all the same."""
    library = FootageLibrary(tmp_path)
    (library.folder("waves") / "work" / "a").mkdir(parents=True)
    assert library.remove("waves") == 0
    assert not library.folder("waves").exists()
    with pytest.raises(NotFound):
        library.remove("waves")


def test_a_set_that_is_being_changed_is_not_removed(tmp_path: Path) -> None:
    """Another process holds its lock."""
    library = saved(tmp_path)
    with library.lock("waves"), pytest.raises(InvalidTransition, match="being changed"):
        library.remove("waves")
    assert library.names() == ("waves",)


def test_a_set_that_is_removed_meanwhile_is_locked_with_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that removes it holds the lock until its folder is gone."""
    library = FootageLibrary(tmp_path)

    def acquire(path: Path, *, wait: float) -> int | None:
        shutil.rmtree(library.folder("waves"), ignore_errors=True)
        return acquire_lock(path, wait=wait)

    monkeypatch.setattr("auria_bot.services.footage.library.acquire_lock", acquire)
    with library.lock("waves"):
        assert library.folder("waves").is_dir()
    assert not library.folder("waves").exists()


def test_no_two_frames_have_had_the_same_number(tmp_path: Path) -> None:
    """A label that the last frame had before it was left out would be that of the next one."""
    library = saved(tmp_path)
    library.save(replace(WAVES, frames=(), last_number=1))
    assert library.get("waves").next_number == 2
