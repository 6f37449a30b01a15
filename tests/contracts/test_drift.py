"""Every channel copes with answers that changed: no second post, none lost, no crash, and a sentence for the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.platforms import PLATFORMS
from tests.scenarios.changed_answers import Change, Drifting
from tests.scenarios.drift import drift, fields

if TYPE_CHECKING:
    from pathlib import Path

MOST = 6  # changes of a channel; the benchmark drift makes them all


@pytest.mark.parametrize("channel", PLATFORMS)
def test_changed_answers_do_no_harm(channel: str, tmp_path: Path) -> None:
    """Some changes from all endpoints; each met an answer."""
    changes = fields(channel, tmp_path)
    chosen = changes[:: max(1, len(changes) // MOST)]
    done = drift(channel, chosen, tmp_path)
    assert done.wrong == []
    assert done.applied == done.rounds == len(chosen)


@pytest.mark.parametrize(
    ("kind", "path", "changed"),
    [
        ("missing", ("data", "[]", "id"), {"data": [{"n": 1}, {}]}),
        ("null", ("data", "[]", "n"), {"data": [{"id": "a", "n": None}, {"id": "b"}]}),
        ("renamed", ("data",), {"data_v2": [{"id": "a", "n": 1}, {"id": "b"}]}),
        ("other type", ("data",), {"data": "other"}),
        ("other type", ("data", "[]", "id"), {"data": [{"id": {"value": "a"}, "n": 1}, {"id": {"value": "b"}}]}),
    ],
)
def test_a_change_is_made_in_all_items(kind: str, path: tuple[str, ...], changed: object) -> None:
    """Of its endpoint only, whatever the ids in the address."""
    drifting = Drifting()
    drifting.change = Change(endpoint="GET /users/*/posts", path=path, kind=kind)
    answer = {"data": [{"id": "a", "n": 1}, {"id": "b"}]}
    assert drifting.json("GET", "/users/123456/posts?limit=5", answer) == changed
    assert drifting.json("GET", "/users/me", answer) == answer
