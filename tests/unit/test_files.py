"""A file is written whole or not at all, by one writer at a time."""

from __future__ import annotations

import errno
import os
import stat
import threading
import time
from typing import TYPE_CHECKING

import pytest

from auria_bot import files
from auria_bot.files import file_lock, write

if TYPE_CHECKING:
    from pathlib import Path


def test_a_text_is_written_as_it_is(tmp_path: Path) -> None:
    """Its line ends stay, and the file has its permissions whatever the umask says."""
    before = os.umask(0)
    try:
        write(tmp_path / "a", "one\r\ntwo\n—")
        write(tmp_path / "b", "", mode=0o644)
    finally:
        os.umask(before)
    assert (tmp_path / "a").read_bytes() == "one\r\ntwo\n—".encode()
    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in "ab"] == [0o600, 0o644]


def test_a_failed_write_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood there stands there still."""
    write(tmp_path / "a", "before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("auria_bot.files.os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            write(tmp_path / "a", "after")
    assert (tmp_path / "a").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_strays_of_this_file_alone_are_cleared_away(tmp_path: Path) -> None:
    """Another file's may be in the making."""
    (tmp_path / ".new-a-killed").write_text("")
    (tmp_path / ".new-other").write_text("")
    write(tmp_path / "a", "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new-other", "a"]


def test_one_waits_for_the_other(tmp_path: Path) -> None:
    """Threads of one process too; the lock is let go by an error."""
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        with file_lock(tmp_path / ".lock"):
            inside += 1
            most = max(most, inside)
            time.sleep(0.005)
            inside -= 1

    with pytest.raises(KeyError), file_lock(tmp_path / ".lock"):
        raise KeyError
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_failed_put_leaves_the_old_file_and_no_stray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk fills while the new content is written."""
    file = tmp_path / "a.json"
    files.write_atomic(file, b"old", mode=0o644)
    assert stat.S_IMODE(file.stat().st_mode) == 0o644

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_atomic(file, b"new")
    files.write_atomic(tmp_path / "b", b"what can be made anew", durable=False)
    assert file.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b"]
