"""Disjoint sets, merged pair by pair and identified by their first member.

Tarjan, "Efficiency of a good but not linear set union algorithm", 1975.
"""

from __future__ import annotations

__all__ = ["UnionFind"]


class UnionFind:
    """A number of items, numbered from 0, each initially in a set of its own."""

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
