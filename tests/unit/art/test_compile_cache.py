"""What a runtime compiled is kept whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from auria_bot.art import compile_cache, runtime
from auria_bot.settings.locations import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A cache that is on for one test."""
    compile_cache.keep_in(tmp_path / "cache")
    yield tmp_path / "cache"
    compile_cache.keep_in(None)


def test_what_was_kept_comes_back(folder: Path) -> None:
    """Byte for byte, and nothing comes back under another key."""
    compile_cache.write("key", b"net")
    assert compile_cache.read("key") == b"net"
    assert compile_cache.read("other") is None
    assert [path.name for path in folder.iterdir()] == ["key.compiled"]


def test_a_damaged_file_is_not_used(folder: Path) -> None:
    """Cut short, changed or empty: as if it were not there."""
    compile_cache.write("key", b"net")
    path = folder / "key.compiled"
    whole = path.read_bytes()
    for spoilt in (whole[:-1], whole[:-1] + b"T", b"", whole[:10]):
        path.write_bytes(spoilt)
        assert compile_cache.read("key") is None


def test_nothing_is_kept_unless_a_folder_is_named(tmp_path: Path) -> None:
    """And a folder that cannot be written stops nobody."""
    compile_cache.write("key", b"net")
    assert compile_cache.read("key") is None
    (tmp_path / "file").write_text("")
    compile_cache.keep_in(tmp_path / "file" / "cache")
    compile_cache.write("key", b"net")
    compile_cache.keep_in(None)


def test_what_nobody_used_for_long_is_cleared_away(folder: Path) -> None:
    """Older versions of a net do not pile up."""
    compile_cache.write("old", b"1")
    os.utime(folder / "old.compiled", (0, 0))
    compile_cache.write("new", b"2")
    assert [path.name for path in folder.iterdir()] == ["new.compiled"]


def test_a_kept_net_answers_as_a_new_one(folder: Path) -> None:
    """The second load is from the cache, the third finds it spoilt and compiles again: three times the same bytes."""
    pytest.importorskip("openvino")
    path = shipped("models") / "enlarger" / "model.onnx"
    picture = np.random.default_rng(0).random((1, 3, 12, 9), np.float32)

    def answer() -> NDArray[np.float32]:
        return runtime.load(path, runtime="openvino", threads=1).run({"picture": picture})["enlarged"]

    first = answer()
    (kept,) = folder.iterdir()
    written = kept.stat().st_ino
    second = answer()
    assert kept.stat().st_ino == written
    compile_cache.write(kept.stem, b"whole, but no net")
    third = answer()
    assert first.tobytes() == second.tobytes() == third.tobytes()
    assert len(kept.read_bytes()) > 10_000
