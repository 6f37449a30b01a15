"""Disjoint sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auria_bot.corpus.union_find import UnionFind

_PAIRS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20)


@given(_PAIRS)
def test_a_group_is_named_by_its_first_member_and_is_what_the_pairs_connect(pairs: list[tuple[int, int]]) -> None:
    """As a search through the pairs finds it, in whatever order they come."""
    groups = UnionFind(12)
    for pair in pairs:
        groups.join(*pair)
    wanted = []
    for start in range(12):
        reached, waiting = {start}, [start]
        while waiting:
            at = waiting.pop()
            new = {b if a == at else a for a, b in pairs if at in {a, b}} - reached
            reached |= new
            waiting += new
        wanted.append(min(reached))
    assert groups.roots() == wanted
