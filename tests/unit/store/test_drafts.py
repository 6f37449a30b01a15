"""Drafts are stored once and never overwrite a newer version; the journal only grows."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.draft import DraftState
from auria_bot.errors import InputError, InvalidTransition, NotFound, StoreError
from tests.factories import NOW, add_draft, artwork

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store


def test_round_trip(store: Store):
    """A draft read back equals the one that was added, artwork, 63-bit seed and microseconds included."""
    with store.begin() as unit:
        added = add_draft(unit)
    with store.read() as unit:
        found = unit.drafts.get(added.id)
    assert found == added
    assert found.artwork == artwork()
    assert (found.state, found.made_at, found.version) == (DraftState.MADE, NOW, 1)
    assert (found.text, found.alt_text) == (artwork().post_text, artwork().alt_text)


def test_times_come_back_in_utc(store: Store):
    """A time given in another zone is the same moment in UTC afterwards."""
    with store.begin() as unit:
        draft = add_draft(unit, made_at=NOW.astimezone(timezone(timedelta(hours=9))))
    assert draft.made_at == NOW
    assert draft.made_at.utcoffset() == timedelta(0)


def test_a_time_without_zone_is_refused(store: Store):
    """A naive time never reaches the database."""
    with pytest.raises(StoreError, match="no time zone"), store.begin() as unit:
        add_draft(unit, made_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the point


def test_adding_twice_gives_the_first(store: Store):
    """A studio that resumes after its insert finds the draft of its folder instead of making a second."""
    with store.begin() as unit:
        first = add_draft(unit, 1, folder="same")
    with store.begin() as unit:
        second = add_draft(unit, 2, folder="same")
        assert len(unit.drafts.list()) == 1
    assert second == first


def test_save_writes_and_counts_versions(store: Store):
    """A save is read back with the version after it."""
    with store.begin() as unit:
        draft = add_draft(unit)
        saved = unit.drafts.save(draft.approve(("folder", "other"), NOW))
    with store.read() as unit:
        found = unit.drafts.get(draft.id)
    assert found == saved
    assert found.version == 2
    assert found.is_signed
    assert found.channels == ("folder", "other")
    assert found.decided_at == NOW


def test_a_stale_save_is_refused(store: Store):
    """Of two operators who read the same draft, the second to save is told so, and the first's decision stands."""
    with store.begin() as unit:
        draft = add_draft(unit)
    with store.begin() as unit:
        unit.drafts.save(draft.reject("too dark", NOW))
    with pytest.raises(InvalidTransition, match=r"changed meanwhile.*rejected"), store.begin() as unit:
        unit.drafts.save(draft.approve(("folder",), NOW))
    with store.read() as unit:
        assert unit.drafts.get(draft.id).state is DraftState.REJECTED


def test_unknown_drafts_are_not_found(store: Store):
    """Getting or saving a draft that is not there says so."""
    with store.begin() as unit:
        draft = add_draft(unit)
        with pytest.raises(NotFound, match="no draft 99"):
            unit.drafts.get(99)
        with pytest.raises(NotFound):
            unit.drafts.save(type(draft)(**{**_fields(draft), "id": 99}))


def test_numbers_beyond_the_database_are_not_found(store: Store):
    """A draft number that no database column could hold is simply not there."""
    for number in (2**63, -(2**70), 0):
        with pytest.raises(NotFound), store.read() as unit:
            unit.drafts.get(number)


def test_lists_are_newest_first_and_filtered(store: Store):
    """A list is the newest first, of the states asked for, no longer than asked for."""
    with store.begin() as unit:
        one, two, three = (add_draft(unit, number) for number in (1, 2, 3))
        unit.drafts.save(two.reject("", NOW))
        assert [draft.id for draft in unit.drafts.list()] == [three.id, two.id, one.id]
        assert [draft.id for draft in unit.drafts.list([DraftState.MADE])] == [three.id, one.id]
        assert [draft.id for draft in unit.drafts.list([DraftState.MADE], limit=1)] == [three.id]
        assert unit.drafts.list([DraftState.SCHEDULED]) == ()
        assert unit.drafts.count() == {
            DraftState.MADE: 2,
            DraftState.REJECTED: 1,
            DraftState.APPROVED: 0,
            DraftState.SCHEDULED: 0,
        }


def test_what_was_used_lately(store: Store):
    """Fingerprints of all drafts, poems and styles of the latest ones, each the newest first."""
    with store.begin() as unit:
        for number in (1, 2, 3):
            add_draft(unit, number)
        assert unit.drafts.fingerprints() == tuple(f"{number:016x}" for number in (3, 2, 1))
        assert unit.drafts.recent_haiku(2) == (artwork(3).haiku, artwork(2).haiku)
        assert unit.drafts.recent_styles(2) == ("style-3", "style-2")
        assert unit.drafts.recent_styles(0) == ()


@pytest.mark.parametrize("text", ["lone \ud800 surrogate", "nul \x00 inside"])
def test_text_no_database_can_hold(store: Store, text: str):
    """Text that is not Unicode, or holds NUL, is refused as input or stored whole, never changed."""
    with store.begin() as unit:
        draft = add_draft(unit)
    try:
        with store.begin() as unit:
            unit.drafts.save(draft.edit(text=text))
    except InputError:
        with store.read() as unit:
            assert unit.drafts.get(draft.id) == draft
    else:
        with store.read() as unit:
            assert unit.drafts.get(draft.id).text == text


def test_sql_in_text_is_text(store: Store):
    """Text that looks like SQL is stored unchanged."""
    words = "'); DROP TABLE drafts; -- %s :name ? \\"
    with store.begin() as unit:
        draft = unit.drafts.save(add_draft(unit).edit(text=words))
    with store.read() as unit:
        assert unit.drafts.get(draft.id).text == words


def _fields(draft):
    return {name: getattr(draft, name) for name in draft.__dataclass_fields__}


def test_several_at_once(store: Store):
    """Drafts are read by number; unknown numbers are left out."""
    with store.begin() as unit:
        made = [add_draft(unit, number) for number in range(1, 4)]
        assert unit.drafts.get_many([made[2].id, made[0].id, 999]) == {made[0].id: made[0], made[2].id: made[2]}
        assert unit.drafts.get_many([]) == {}


def test_lines_tell_who_and_what(store: Store):
    """A line tells who, what, when and about which draft; the newest stands first."""
    with store.begin() as unit:
        draft = add_draft(unit)
        unit.journal.note("approve", draft_id=draft.id, details="for folder", at=NOW)
        unit.journal.note("publish", at=NOW)
    with store.read() as unit:
        newest, oldest = unit.journal.list()
        assert unit.journal.list(draft_id=draft.id) == (oldest,)
        assert unit.journal.list(limit=1) == (newest,)
    assert (oldest.action, oldest.draft_id, oldest.details, oldest.at) == (
        "approve",
        draft.id,
        "for folder",
        NOW,
    )
    assert oldest.who
    assert newest.draft_id is None
