"""Find poems that are versions of one another: different case, punctuation or line breaks, or a word or a line changed.

A haiku has a dozen words. With so few, one changed word moves a MinHash similarity below any threshold that separates
unrelated poems; so exact keys are compared instead of sketches: all words; all words but one, for each; each pair of
lines. Poems that share a key are candidates, and are versions if most of their words agree. Keys are 8 bytes in flat
sorted arrays, so 350,000 poems take about 250 MB and a dozen seconds.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["UnionFind", "alike", "versions"]

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
