"""Curves in the format of TensorBoard's event files, written without its package.

A file is a sequence of records: length (8 bytes, little-endian), masked CRC-32C of the length, an Event in Protocol
Buffers' encoding, masked CRC-32C of the event (tensorflow/core/lib/io/record_writer.h and util/event.proto).
`tensorboard --logdir FOLDER` reads them while they grow; a record that was cut by a crash is the end of the file for
it.
"""

from __future__ import annotations

import math
import os
import socket
import struct
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["EventLog", "crc32c"]

_VERSION: Final = b"brain.Event:2"


def _table() -> tuple[int, ...]:
    """The 256 remainders of the Castagnoli polynomial, reflected."""
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)  # noqa: PLW2901 - a register
        found.append(value)
    return tuple(found)


_TABLE: Final = _table()


def crc32c(content: bytes) -> int:
    """The CRC-32C (Castagnoli) of some bytes."""
    value = 0xFFFFFFFF
    for byte in content:
        value = _TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


def _masked(content: bytes) -> bytes:
    value = crc32c(content)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _field(number: int, content: bytes) -> bytes:
    """A field of bytes, text or a message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


class EventLog:
    """Appends figures to an event file of its own in a folder.

    Usage::

        log = EventLog(folder / "tensorboard")
        log.write(100, {"loss": 0.5})
    """

    def __init__(self, folder: Path) -> None:
        """Begin a file when the first figures are written; a resumed run begins another, and TensorBoard joins them."""
        name = f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        self._folder, self._file = folder, folder / name

    def write(self, step: int, figures: Mapping[str, float]) -> None:
        """Append the figures of a step, each a curve by its name; what is no finite number is left out."""
        values = b"".join(
            _field(1, _field(1, name.encode()) + b"\x15" + struct.pack("<f", value))
            for name, value in figures.items()
            if math.isfinite(value)
        )
        begin = b"" if self._file.exists() else _record(_event(_field(3, _VERSION)))
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab") as file:
            file.write(begin + _record(_event(b"\x10" + _varint(step) + _field(5, values))))


def _event(content: bytes) -> bytes:
    return b"\x09" + struct.pack("<d", time.time()) + content


def _record(event: bytes) -> bytes:
    length = struct.pack("<Q", len(event))
    return length + _masked(length) + event + _masked(event)
