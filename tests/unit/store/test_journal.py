"""The journal keeps who did what, and only grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.factories import NOW, add_draft

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store


def test_lines_tell_who_and_what(store: Store):
    """A line tells who, what, when and about which draft; the newest stands first."""
    with store.begin() as unit:
        draft = add_draft(unit)
        unit.journal.note("approve", draft_id=draft.id, words="for folder", at=NOW)
        unit.journal.note("publish", at=NOW)
    with store.read() as unit:
        newest, oldest = unit.journal.list()
        assert unit.journal.list(draft_id=draft.id) == (oldest,)
        assert unit.journal.list(limit=1) == (newest,)
    assert (oldest.action, oldest.draft_id, oldest.words, oldest.at) == (
        "approve",
        draft.id,
        "for folder",
        NOW,
    )
    assert oldest.who
    assert newest.draft_id is None
