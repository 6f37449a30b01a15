"""Curves are written in TensorBoard's format."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from auria_bot.art.training.event_log import EventLog, crc32c

if TYPE_CHECKING:
    from pathlib import Path


def test_the_checksum_is_crc32c():
    """The check value of the algorithm, and an example of RFC 3720."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA


def events(folder: Path) -> list[bytes]:
    """The events of the only file, their checksums verified."""
    (file,) = folder.iterdir()
    content, found = file.read_bytes(), []
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        for part, masked in ((content[:8], content[8:12]), (content[12 : 12 + length], content[12 + length :][:4])):
            value = (struct.unpack("<I", masked)[0] - 0xA282EAD8) & 0xFFFFFFFF
            assert (value >> 17 | value << 15) & 0xFFFFFFFF == crc32c(part)
        found.append(content[12 : 12 + length])
        content = content[16 + length :]
    return found


def test_a_file_begins_with_its_version_and_holds_each_figure(tmp_path: Path):
    """Name, value and step of each; what is no number is left out."""
    log = EventLog(tmp_path / "curves")
    assert not (tmp_path / "curves").exists()
    log.write(300, {"loss": 0.5, "gone": float("nan")})
    log.write(301, {"loss": 0.25})
    first, second, third = events(tmp_path / "curves")
    assert first.endswith(b"\x1a\x0dbrain.Event:2")
    assert second[9:] == b"\x10\xac\x02" + b"\x2a\x0d" + b"\x0a\x0b" + b"\x0a\x04loss" + b"\x15" + struct.pack(
        "<f", 0.5
    )
    assert b"gone" not in second
    assert third.endswith(struct.pack("<f", 0.25))


def test_tensorboard_reads_what_was_written(tmp_path: Path):
    """Where its package is installed."""
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    log = EventLog(tmp_path)
    for step in (1, 2, 300):
        log.write(step, {"loss": 1 / step, "val/accuracy": step})
    read = accumulator.EventAccumulator(str(tmp_path)).Reload()
    assert sorted(read.Tags()["scalars"]) == ["loss", "val/accuracy"]
    assert [(one.step, one.value) for one in read.Scalars("val/accuracy")] == [(1, 1.0), (2, 2.0), (300, 300.0)]
