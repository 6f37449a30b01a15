"""Files are written whole or not at all, by one writer at a time."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auria_bot import files
from auria_bot.errors import DiskError, NotFound
from auria_bot.files import (
    acquire_lock,
    atomic_path,
    check_target,
    disk_errors,
    file_lock,
    flush,
    output_path,
    readable_name,
    remove_strays,
    scratch_folder,
    sha256_of,
    write_atomic,
    write_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def mode_of(path: Path) -> int:
    """A file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def full(_: int) -> None:
    """Fail as a full disk does."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    """SHA-256 in hexadecimal; a missing file is NotFound."""
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256_of(tmp_path / "a").startswith("ba7816bf")
    with pytest.raises(NotFound, match="cannot be read"):
        sha256_of(tmp_path / "b")


@pytest.mark.parametrize(("name", "text"), [(b"caf\xc3\xa9.jpg", "caf\xe9.jpg"), (b"caf\xe9.jpg", "caf\xe9.jpg")])
def test_a_name_of_any_bytes_is_readable(name: bytes, text: str) -> None:
    """UTF-8, else Windows-1252."""
    assert readable_name(Path("folder", os.fsdecode(name))) == text


def test_a_text_is_written_as_it_is(tmp_path: Path) -> None:
    """Line ends stay, and the permissions are those asked for, or those that the umask leaves."""
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "a", "one\r\ntwo\n—")
        write_atomic(tmp_path / "b", b"", mode=0o644)
        write_atomic(tmp_path / "c", b"", mode=None)
    finally:
        os.umask(before)
    assert (tmp_path / "a").read_bytes() == "one\r\ntwo\n—".encode()
    assert [mode_of(tmp_path / name) for name in "abc"] == [0o600, 0o644, 0o640]


@pytest.mark.parametrize(("mode", "found"), [(None, 0o640), (0o644, 0o644), (0o600, 0o600)])
def test_a_writer_that_makes_a_file_of_its_own_gets_the_same_permissions(
    tmp_path: Path, mode: int | None, found: int
) -> None:
    """As safetensors does, which writes into a new file, readable by its owner only, and renames that."""
    before = os.umask(0o027)
    try:
        with atomic_path(tmp_path / "weights", mode=mode) as scratch:
            own = tmp_path / "own"
            own.write_bytes(b"1")
            own.chmod(0o400)
            own.replace(scratch)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "weights") == found


def test_json_is_compact_or_pretty(tmp_path: Path) -> None:
    """Letters beyond ASCII stay letters; only the pretty form sorts its keys."""
    write_json(tmp_path / "a.json", {"b": "é", "a": [1]})
    write_json(tmp_path / "b.json", {"b": 1, "a": 2}, pretty=True)
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{"b":"é","a":[1]}'
    assert (tmp_path / "b.json").read_text() == '{\n "a": 2,\n "b": 1\n}\n'


def test_a_link_is_followed(tmp_path: Path) -> None:
    """The file that a link leads to is replaced; the link stays."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "file")
    write_atomic(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk" / "file").read_text() == "x"


def test_a_failed_write_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stays as it was; what need not be durable is not flushed."""
    write_atomic(tmp_path / "a", "before")
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            write_atomic(tmp_path / "a", "after")
        write_atomic(tmp_path / "b", "computed again at any time", durable=False)
    (tmp_path / "c").mkdir()
    with pytest.raises(OSError, match="c"):
        write_atomic(tmp_path / "c", "a folder stands in the way")
    assert (tmp_path / "a").read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "c"]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path: Path) -> None:
    """A reader sees the old content meanwhile; the temporary file is beside it and has its suffix."""
    write_atomic(tmp_path / "a.png", "old")
    with atomic_path(tmp_path / "a.png") as scratch:
        scratch.write_text("new")
        assert (tmp_path / "a.png").read_text() == "old"
        assert (scratch.parent, scratch.suffix) == (tmp_path, ".png")
    assert (tmp_path / "a.png").read_text() == "new"


def test_a_durable_write_is_flushed_before_and_after_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First the content, then the folder that names it."""
    order: list[str] = []
    monkeypatch.setattr(files, "flush", lambda path: order.append("folder" if path.is_dir() else path.read_text()))
    write_atomic(tmp_path / "a", "content")
    assert order == ["content", "folder"]


def test_a_file_and_a_folder_can_be_flushed(tmp_path: Path) -> None:
    """What is missing cannot."""
    (tmp_path / "a").touch()
    flush(tmp_path / "a")
    flush(tmp_path)
    with pytest.raises(FileNotFoundError):
        flush(tmp_path / "b")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_replaced(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """A device such as /dev/null would be gone."""
    make(tmp_path / "a")
    with pytest.raises(OSError, match="is no file"):
        write_atomic(tmp_path / "a", "new")
    with pytest.raises(DiskError, match="what is there is no file; choose another name"):
        check_target(tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert not (tmp_path / "a").is_file()


def test_a_target_is_checked_before_long_work(tmp_path: Path) -> None:
    """A new name in a new folder is none to be afraid of; a file in the place of a folder is."""
    check_target(tmp_path / "new" / "folder" / "a.png")
    (tmp_path / "file").write_text("kept")
    check_target(tmp_path / "file")
    with pytest.raises(DiskError, match="a file is where a folder is needed"):
        check_target(tmp_path / "file" / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["n" * 250, "é" * 120 + ".png", "a." + "s" * 240])
def test_a_file_of_a_long_name_is_written(tmp_path: Path, name: str) -> None:
    """The name of the one that is written beside it has room too, and what a killed writer left is found."""
    write_atomic(tmp_path / name, "new")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with atomic_path(tmp_path / name) as scratch:
        scratch.with_name(f"{scratch.name}k").write_text("half")
    remove_strays(tmp_path, name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_strays_are_removed(tmp_path: Path) -> None:
    """Those of one file, or of all; folders and finished files stay."""
    for name in (".new-a-killed", ".new-b-killed", "a"):
        (tmp_path / name).touch()
    (tmp_path / ".new-folder").mkdir()
    remove_strays(tmp_path, "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new-b-killed", ".new-folder", "a"]
    remove_strays(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new-folder", "a"]


def _older(path: Path) -> None:
    """Make a file or folder one that was written two days ago."""
    os.utime(path, (path.stat().st_mtime - 172_800,) * 2)


def test_old_strays_are_removed_with_their_folders(tmp_path: Path) -> None:
    """Where others may be writing, what nobody wrote to for a day; of one file, or of all."""
    for name in (".new-a-killed", ".new-b-killed", "old"):
        (tmp_path / name).touch()
        _older(tmp_path / name)
    (tmp_path / ".new-a-busy").touch()
    (tmp_path / ".new-folder").mkdir()
    _older(tmp_path / ".new-folder")
    remove_strays(tmp_path, "a", old_only=True)
    assert {path.name for path in tmp_path.iterdir()} == {".new-a-busy", ".new-b-killed", ".new-folder", "old"}
    remove_strays(tmp_path, old_only=True)
    assert {path.name for path in tmp_path.iterdir()} == {".new-a-busy", "old"}


def test_a_result_goes_where_the_operator_wants_it(tmp_path: Path) -> None:
    """Its folder is made, what a killed call left of it long ago is removed, and an error names it."""
    target = tmp_path / "of mine" / "-ü.txt"
    with output_path(target) as scratch:
        scratch.write_text("first")
        left = scratch.with_name(f"{scratch.name}k")
        left.write_text("half")
    _older(left)
    with output_path(target) as scratch:
        scratch.write_text("second")
    assert {path.name: path.read_text() for path in target.parent.iterdir()} == {"-ü.txt": "second"}
    with pytest.raises(DiskError, match=r"-ü\.txt.* cannot be written"), output_path(target / "below.txt"):
        raise AssertionError("it is not written into")


def test_what_another_user_left_hinders_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that is shared, such as the system's for temporary files, only its owner can remove it."""
    target = tmp_path / "print.png"
    left = tmp_path / ".new-print.png-killed"
    left.touch()
    _older(left)
    unlink = Path.unlink

    def guarded(path: Path, *, missing_ok: bool = False) -> None:
        if path == left:
            raise PermissionError(errno.EPERM, "Operation not permitted", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", guarded)
    with output_path(target) as scratch:
        scratch.write_text("mine")
    assert target.read_text() == "mine"


def test_a_folder_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes at the end; those of killed processes go with the next one, those in use stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch_folder() as killed:
        (killed / "picture.png").write_bytes(b"half")
        _older(killed)
        with scratch_folder():
            assert killed.is_dir()
    assert not list(tmp_path.iterdir())
    killed.mkdir()
    (killed / ".lock").touch()
    _older(killed)
    with scratch_folder() as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_without_room_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary folder that is missing or full is said to be that; other errors pass."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(DiskError, match=r"no temporary folder .* set TMPDIR"), scratch_folder():
        raise AssertionError("there is none")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for number, expected, said in ((errno.ENOSPC, DiskError, "TMPDIR"), (errno.ENOENT, FileNotFoundError, "No such")):
        with pytest.raises(expected, match=said), scratch_folder():
            raise OSError(number, os.strerror(number))
    assert not list(tmp_path.iterdir())


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    """Threads of one process too; an error lets the lock go."""
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with file_lock(tmp_path / ".lock"):
            inside += 1
            most = max(most, inside)
            threading.Event().wait(0.005)
            inside -= 1

    with pytest.raises(KeyError), file_lock(tmp_path / ".lock"):
        raise KeyError
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert mode_of(tmp_path / ".lock") == 0o600


def test_a_lock_that_stays_taken_is_given_up(tmp_path: Path) -> None:
    """After the time to wait; closing the descriptor frees it."""
    held = acquire_lock(tmp_path / "lock", wait=0.0)
    assert held is not None
    assert acquire_lock(tmp_path / "lock", wait=0.03) is None
    os.close(held)
    again = acquire_lock(tmp_path / "lock", wait=0.0)
    assert again is not None
    os.close(again)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows inherits handles, not descriptors")
def test_a_child_that_inherited_a_lock_holds_it(tmp_path: Path) -> None:
    """Until it ends, also after its parent let go."""
    held = acquire_lock(tmp_path / "lock", wait=0.0)
    assert held is not None
    child = subprocess.Popen([sys.executable, "-c", "input()"], pass_fds=[held], stdin=subprocess.PIPE)
    os.close(held)
    assert acquire_lock(tmp_path / "lock", wait=0.0) is None
    child.kill()
    child.communicate()
    again = acquire_lock(tmp_path / "lock", wait=5.0)
    assert again is not None
    os.close(again)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "no permission"),
        (errno.ENOTDIR, "a file is where a folder is needed"),
        (errno.EIO, "check the disk"),
    ],
)
def test_the_disks_errors_say_what_to_do(number: int, said: str) -> None:
    """The file is named, never the scratch file beside it."""
    for named in (None, "/home/x/.new-a-1", "/home/x/a"):
        error = OSError(number, os.strerror(number), named) if named else OSError(number, os.strerror(number))
        with pytest.raises(DiskError, match=f"^/home/x/a cannot be written: .*{said}"), disk_errors(Path("/home/x/a")):
            raise error


def test_other_errors_pass() -> None:
    """Only the operating system's errors are translated."""
    with pytest.raises(ZeroDivisionError), disk_errors(Path("/x")):
        raise ZeroDivisionError
