"""Compressed files are recognised by their content, and a missing end is noticed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from auria_bot.corpus.sources.stream import Tally, lines
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

zstandard = pytest.importorskip("zstandard")
TEXT = b"".join(b"line %d of many\n" % number for number in range(20_000))


def packed(kind: str) -> bytes:
    """TEXT in a compressed format."""
    squeeze = zstandard.ZstdCompressor().compress
    if kind == "zstd":
        skippable = (0x184D2A53).to_bytes(4, "little") + (3).to_bytes(4, "little") + b"abc"
        return bytes(squeeze(TEXT[:1000]) + skippable + squeeze(TEXT[1000:]))
    if kind == "zstd with checksum":
        return bytes(zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compress(TEXT))
    if kind == "zstd blocks":
        blocks = (squeeze(part) for part in (TEXT[:5000], TEXT[5000:]))
        return b"".join(len(one).to_bytes(4, "little") + (1).to_bytes(4, "little") + one for one in blocks)
    return {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}[kind](TEXT)


KINDS = ["gzip", "bzip2", "xz", "zstd", "zstd with checksum", "zstd blocks"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_compressed_file_is_read_whatever_its_name(tmp_path: Path, kind: str) -> None:
    """Its first bytes say what it is."""
    path = tmp_path / "RS_2020-01.NDJSON.PART"
    path.write_bytes(packed(kind))
    found = b"\n".join(line for _, line in lines(path, tally=Tally())) + b"\n"
    assert found.replace(b"\n", b"") == TEXT.replace(b"\n", b"")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [1, 3, 40])
def test_a_missing_end_is_noticed_after_what_is_there(tmp_path: Path, kind: str, missing: int) -> None:
    """A download that broke off is not taken for a whole file."""
    path = tmp_path / "a"
    path.write_bytes(packed(kind)[:-missing])
    tally = Tally()
    with pytest.raises(InputError, match="damaged or not"):
        list(lines(path, tally=tally))


@pytest.mark.parametrize(("head", "what"), [(b"PK\x03\x04", "ZIP"), (b"%PDF-1.7", "PDF"), (b"Rar!\x1a\x07", "RAR")])
def test_what_holds_no_lines_is_refused_by_its_name(tmp_path: Path, head: bytes, what: str) -> None:
    """The message says what it is."""
    (tmp_path / "a.jsonl").write_bytes(head + b"\0" * 100)
    with pytest.raises(InputError, match=what):
        list(lines(tmp_path / "a.jsonl", tally=Tally()))


def test_a_suffix_that_promises_too_much(tmp_path: Path) -> None:
    """Text under the name of a compressed file is not read as text."""
    (tmp_path / "a.zst").write_bytes(b"hello")
    with pytest.raises(InputError, match=r"not a \.zst file"):
        list(lines(tmp_path / "a.zst", tally=Tally()))


@pytest.mark.parametrize("size", [0, 4])
def test_a_skippable_frame_may_come_first(tmp_path: Path, size: int) -> None:
    """As parallel compressors write it; it is not taken for a file of blocks."""
    head = (0x184D2A50).to_bytes(4, "little") + size.to_bytes(4, "little") + b"x" * size
    (tmp_path / "a.zst").write_bytes(head + packed("zstd"))
    assert sum(1 for _ in lines(tmp_path / "a.zst", tally=Tally())) == TEXT.count(b"\n")


def test_carriage_returns_alone_end_lines(tmp_path: Path) -> None:
    """As old programs for the Mac write them."""
    (tmp_path / "a.txt").write_bytes(b"one\rtwo\r\rthree")
    assert [line for _, line in lines(tmp_path / "a.txt", tally=Tally(), blank=True)] == [b"one", b"two", b"", b"three"]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        *((name, "\ufeff") for name in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")),
        ("utf-16-le", ""),
        ("utf-16-be", ""),
    ],
)
def test_letters_of_several_bytes_are_recoded(tmp_path: Path, encoding: str, mark: str) -> None:
    """As some editors save files; UTF-16 is known without its mark, too."""
    (tmp_path / "a.txt").write_bytes(f"{mark}one caf\u00e9\ntwo".encode(encoding))
    found = [line.decode().removeprefix("\ufeff") for _, line in lines(tmp_path / "a.txt", tally=Tally())]
    assert found == ["one caf\u00e9", "two"]


def test_a_block_that_claims_more_than_the_file_holds_takes_no_memory(tmp_path: Path) -> None:
    """A file of a few bytes is refused without a buffer of the size that it claims."""
    path = tmp_path / "dump.ndjson"
    path.write_bytes(b"\x00\x00\x00\x0f" + b"\x01\x00\x00\x00" + b"\x28\xb5\x2f\xfd" + b"pond")
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="a block is cut off"):
            list(lines(path, tally=Tally()))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
