"""Read verse from files (.jsonl, plain or Zstandard-compressed, one poem per row) and split it for training.

Near-duplicates are grouped first, so that two versions of one poem are never on both sides of a split.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.corpus.language.words import words
from auria_bot.corpus.near_duplicates import UnionFind
from auria_bot.corpus.sources import stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["SPLITS", "Verse", "clusters", "read", "split_of", "splits"]

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
