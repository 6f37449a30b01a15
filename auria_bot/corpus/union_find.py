"""Things that belong together, found pair by pair: disjoint sets, each named by its first member.

Tarjan, "Efficiency of a good but not linear set union algorithm", 1975.
"""

from __future__ import annotations

__all__ = ["UnionFind"]


class UnionFind:
    """So many things, numbered from 0, each at first in a group of its own."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def root(self, member: int) -> int:
        """The first member of its group."""
        parents = self._parents
        while parents[member] != member:
            parents[member] = parents[parents[member]]
            member = parents[member]
        return member

    def join(self, one: int, other: int) -> None:
        """Make their groups one."""
        first, second = self.root(one), self.root(other)
        self._parents[max(first, second)] = min(first, second)

    def roots(self) -> list[int]:
        """The first member of each one's group."""
        return [self.root(member) for member in range(len(self._parents))]
