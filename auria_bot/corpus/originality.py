"""The copy guard: detect lines of the training text in a poem, by hashes only.

A line of five words or more that occurs in the training text is a copy, and so are two neighbouring lines
together, however short. The guard stores 40 bits of a hash of each, so no text ships. A poem needs five look-ups;
with n hashes the probability of a false positive is n / 2**40 (under one in a million for 600,000).
"""

from __future__ import annotations

import hashlib
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from auria_bot.errors import ModelCorrupt, ModelMissing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["SHORTEST", "CopyGuard"]

SHORTEST = 5  # words in the shortest line that counts as copied by itself
_MAGIC = b"AURIACG1"
_BUCKETS = 1 << 16
_REST = 3  # bytes of a hash kept beside its bucket's number


class CopyGuard:
    """A set of hashes: 65,536 buckets, each a sorted run of three-byte remainders.

    Args:
        data: the result of `build`.

    Raises:
        ModelCorrupt: the data is not a guard.
    """

    def __init__(self, data: bytes) -> None:
        head = len(_MAGIC) + 2 * _BUCKETS
        if data[: len(_MAGIC)] != _MAGIC or len(data) < head:
            raise ModelCorrupt("the copy guard is not readable; reinstall auria-bot")
        sizes = memoryview(data)[len(_MAGIC) : head].cast("H")
        self._starts = [0, *accumulate(sizes)]
        self._rests = data[head:]
        if len(self._rests) != self._starts[-1] * _REST:
            raise ModelCorrupt("the copy guard is cut short; reinstall auria-bot")

    def __len__(self) -> int:
        return self._starts[-1]

    @classmethod
    def load(cls, path: Path) -> CopyGuard:
        """Read a guard from a file.

        Raises:
            ModelMissing: there is no such file.
            ModelCorrupt: it is not a guard.
        """
        try:
            return cls(path.read_bytes())
        except FileNotFoundError:
            raise ModelMissing(f"{path} is missing; reinstall auria-bot or run `auria train poet`") from None

    @staticmethod
    def build(poems: Iterable[Sequence[Sequence[str]]], *, paired: Iterable[Sequence[Sequence[str]]] = ()) -> bytes:
        """Build a guard over poems, each given as lines of words.

        Args:
            paired: poems of which only two neighbouring lines together are a copy.
        """
        found = {_hash(run) for lines in poems for run in _runs(lines)}
        found |= {_hash(run) for lines in paired for run in _pairs(lines)}
        sizes = [0] * _BUCKETS
        for each in found:
            sizes[int.from_bytes(each[:2], "big")] += 1
        head = b"".join(size.to_bytes(2, "little") for size in sizes)
        return _MAGIC + head + b"".join(each[2:] for each in sorted(found))

    def copied(self, lines: Sequence[Sequence[str]]) -> list[str]:
        """The lines and pairs of lines of a poem that occur in the training text."""
        return [run for run in _runs(lines) if self._holds(_hash(run))]

    def _holds(self, hashed: bytes) -> bool:
        bucket = int.from_bytes(hashed[:2], "big")
        run = self._rests[self._starts[bucket] * _REST : self._starts[bucket + 1] * _REST]
        rest = hashed[2:]
        return any(run[at : at + _REST] == rest for at in range(0, len(run), _REST))


def _runs(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """The parts of a poem that can be copies: its longer lines, and its pairs of neighbouring lines."""
    for line in lines:
        if len(line) >= SHORTEST:
            yield " ".join(line)
    yield from _pairs(lines)


def _pairs(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """The pairs of neighbouring lines."""
    for first, second in pairwise(lines):
        if first and second:
            yield f"{' '.join(first)} / {' '.join(second)}"


def _hash(run: str) -> bytes:
    return hashlib.blake2b(run.encode(), digest_size=2 + _REST).digest()
