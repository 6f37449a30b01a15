"""Read, group and split verse in files (.jsonl, plain or Zstandard-compressed, a poem per row), and write versions.

Near-duplicates are grouped first, so that two versions of one poem are never on both sides of a split: different case,
punctuation or line breaks, or a word or a line changed. A haiku has a dozen words. With so few, one changed word moves
a MinHash similarity below any threshold that separates unrelated poems; so exact keys are compared instead of sketches:
all words; all words but one, for each; each pair of lines. Poems that share a key are candidates, and are versions if
most of their words agree. Keys are 8 bytes in flat sorted arrays, so 350,000 poems take about 250 MB and a dozen
seconds.

A version of the corpus is an immutable file, named by day and content. It has one JSON object per line, the verses
sorted by their digests; the same verses give the same name.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
from array import array
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import IO, TYPE_CHECKING, Any

from auria_bot.corpus.language.season_words import seasons_of
from auria_bot.corpus.language.words import words
from auria_bot.corpus.sources import stream
from auria_bot.corpus.sources.stream import Tally, zstandard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from auria_bot.corpus.item import CorpusItem

__all__ = [
    "FILE",
    "MANIFEST",
    "SPLITS",
    "CorpusVersion",
    "UnionFind",
    "Verse",
    "alike",
    "clusters",
    "described",
    "digests",
    "read",
    "split_of",
    "splits",
    "versions",
    "write",
]

SPLITS = ("train", "validation", "test")
_HELD_OUT = 4  # percent of the clusters in each of validation and test
_COMMON = 12  # a run of words shared by more poems than this is an idiom, not a sign of copying
_RUN = 5  # words in a run that marks two poems as versions of one another


@dataclass(frozen=True, slots=True, kw_only=True)
class Verse:
    """One poem or stanza."""

    lines: tuple[str, ...]
    form: str  # "575" or "free"
    tier: str  # "poets", "reddit" or "verse"
    nature: int  # words of nature in it

    @property
    def tokens(self) -> list[list[str]]:
        """Its words, line by line."""
        return [words(line) for line in self.lines]


def read(path: Path) -> Iterator[Verse]:
    """Read poems from a .jsonl or .jsonl.zst file; rows that are not poems are skipped.

    Raises:
        NotFound: there is no such file.
        InputError: the file is not what its name says.
        BackendMissing: a compressed file, and the package zstandard is not installed.
    """
    for _, row in stream.lines(path, tally=stream.Tally()):
        try:
            record = json.loads(row.decode("utf-8", "replace"))
        except ValueError:
            continue
        lines = record.get("lines") if isinstance(record, dict) else None
        if not isinstance(lines, list) or not lines or not all(isinstance(line, str) for line in lines):
            continue
        tier = record.get("tier")
        yield Verse(
            lines=tuple(lines),
            form="575" if record.get("form") == "575" else "free",
            tier=tier if tier in {"poets", "reddit"} else "verse",
            nature=record["nature"] if isinstance(record.get("nature"), int) else 0,
        )


def clusters(poems: Sequence[Sequence[Sequence[str]]]) -> list[int]:
    """Group versions of one poem: for each poem (lines of words) the index of its group's first poem.

    Two poems are one group when they share a line of four words or more, or a run of five words, that no more
    than a dozen poems have, or when they hold the same words in another order.
    """
    owners: dict[str, list[int]] = defaultdict(list)
    for index, lines in enumerate(poems):
        flat = [word for line in lines for word in line]
        marks = {" ".join(line) for line in lines if len(line) >= _RUN - 1}
        marks.update(" ".join(flat[at : at + _RUN]) for at in range(len(flat) - _RUN + 1))
        marks.add("= " + " ".join(sorted(flat)))
        for mark in marks:
            owners[mark].append(index)
    groups = UnionFind(len(poems))
    for members in owners.values():
        if 1 < len(members) <= _COMMON:
            for member in members:
                groups.join(members[0], member)
    return groups.roots()


def split_of(lines: Iterable[Sequence[str]]) -> str:
    """The split of a poem (lines of words) that represents its group, derived from its words alone."""
    text = " / ".join(" ".join(line) for line in lines)
    share = int.from_bytes(hashlib.sha256(re.sub(r"\s+", " ", text).encode()).digest()[:4], "big") % 100
    if share < _HELD_OUT:
        return "test"
    return "validation" if share < 2 * _HELD_OUT else "train"


def splits(poems: Sequence[Sequence[Sequence[str]]]) -> list[str]:
    """The split of each poem; a group's versions share the split of its smallest text."""
    groups = clusters(poems)
    smallest: dict[int, Sequence[Sequence[str]]] = {}
    for group, poem in zip(groups, poems, strict=True):
        if group not in smallest or list(map(list, poem)) < list(map(list, smallest[group])):
            smallest[group] = poem
    chosen = {group: split_of(poem) for group, poem in smallest.items()}
    return [chosen[group] for group in groups]


_LEAST_WORDS = 6  # of two lines together: fewer are an idiom, not a sign of copying
_ALIKE = 0.6  # share of the words, by which two candidates are versions


class UnionFind:
    """Disjoint sets (Tarjan, "Efficiency of a good but not linear set union algorithm", 1975).

    A number of items, numbered from 0, each initially in a set of its own; a set is identified by its first member.
    """

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def root(self, member: int) -> int:
        """The first member of the item's set."""
        parents = self._parents
        while parents[member] != member:
            parents[member] = parents[parents[member]]
            member = parents[member]
        return member

    def join(self, one: int, other: int) -> None:
        """Merge the sets of two items."""
        first, second = self.root(one), self.root(other)
        self._parents[max(first, second)] = min(first, second)

    def roots(self) -> list[int]:
        """The first member of the set of each item."""
        return [self.root(member) for member in range(len(self._parents))]


def versions(poems: Sequence[Sequence[Sequence[str]]]) -> list[int]:
    """For each poem (lines of folded words) the index of the first poem it is a version of; its own index if none."""
    import numpy as np

    keys, owners = array("Q"), array("q")
    for number, lines in enumerate(poems):
        found = set(_keys(lines))
        keys.extend(found)
        owners.extend(number for _ in found)
    values, numbers = np.frombuffer(keys, np.uint64), np.frombuffer(owners, np.int64)
    order = np.lexsort((numbers, values))
    values, numbers = values[order], numbers[order]
    groups = UnionFind(len(poems))
    same = np.flatnonzero(values[1:] == values[:-1])
    for at in same.tolist():
        one, other = int(numbers[at]), int(numbers[at + 1])
        if groups.root(one) != groups.root(other) and alike(poems[one], poems[other]):
            groups.join(one, other)
    return groups.roots()


def alike(one: Sequence[Sequence[str]], other: Sequence[Sequence[str]]) -> bool:
    """Whether most words of two poems agree, counting repetitions."""
    first, second = (Counter(word for line in lines for word in line) for lines in (one, other))
    shared = sum((first & second).values())
    return shared >= _ALIKE * max(first.total(), second.total(), 1)


def _keys(lines: Sequence[Sequence[str]]) -> Iterator[int]:
    flat = [word for line in lines for word in line]
    yield _hashed("all", flat)
    if len(flat) >= _LEAST_WORDS:
        for number in range(len(flat)):
            yield _hashed("all", flat[:number] + flat[number + 1 :])
    pairs = list(pairwise(lines)) if len(lines) > 3 else list(combinations(lines, 2))
    for first, second in pairs:
        if len(first) + len(second) >= _LEAST_WORDS:
            yield _hashed("lines", [*first, "/", *second])


def _hashed(kind: str, parts: Sequence[str]) -> int:
    digest = hashlib.blake2b(f"{kind} {' '.join(parts)}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


FILE = "haiku.jsonl.zst"
"""The file of verses in a version's folder, as training reads it."""

MANIFEST = "manifest.json"
"""The file that describes a version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusVersion:
    """The description of a version."""

    name: str  # such as "2026-11-21-3f9a0c1d2e"
    made_at: datetime  # aware, UTC
    verses: int
    sha256: str  # of the rows, unpacked
    settings: Mapping[str, Any]  # how its verses were chosen, and statistics of them


def described(piece: CorpusItem) -> dict[str, Any]:
    """A verse as a row of the file: what training needs, and its provenance."""
    words_of_nature = sum(map(len, seasons_of(piece.lines).values()))
    row: dict[str, Any] = {
        "digest": piece.digest,
        "lines": list(piece.lines),
        "syllables": list(piece.syllables),
        "form": piece.form,
        "season": piece.season,
        "nature": words_of_nature,
        "tier": "reddit" if piece.source == "reddit" else "poets",
        "source": piece.source,
        "origin": piece.origin,
        "licence": piece.licence,
        "subreddit": piece.subreddit,
        "id": piece.external_id,
        "created_at": piece.created_at.isoformat() if piece.created_at else None,
        "score": piece.score,
    }
    return row | ({"author": piece.author} if piece.author else {})


def write(file: IO[bytes], pieces: Iterable[CorpusItem], *, suffix: str) -> tuple[int, str]:
    """Write verses into an open file, compressed according to the suffix (.zst, .gz, or anything else for plain).

    Returns:
        The number of verses, and the SHA-256 of the uncompressed rows.

    Raises:
        BackendMissing: for .zst, if zstandard is not installed.
    """
    count, hashed = 0, hashlib.sha256()
    with _packer(file, suffix) as packed:
        for piece in pieces:
            row = json.dumps(described(piece), ensure_ascii=False, sort_keys=True).encode() + b"\n"
            hashed.update(row)
            packed.write(row)
            count += 1
    return count, hashed.hexdigest()


def _packer(file: IO[bytes], suffix: str) -> Any:
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="")
    if suffix != ".zst":
        return contextlib.nullcontext(file)
    return zstandard().ZstdCompressor(level=12).stream_writer(file, closefd=False)


def digests(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The digest and lines of each verse of a version's file.

    Raises:
        NotFound, InputError, BackendMissing: as in `stream.lines`.
    """
    for _, line in stream.lines(path, tally=Tally()):
        row = json.loads(line)
        yield row["digest"], tuple(row["lines"])
