"""A unit of work is committed whole or not at all, and readers do not wait."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.draft import DraftState
from auria_bot.errors import InvalidTransition, StoreError
from auria_bot.store import unit_of_work
from tests.factories import NOW, add_draft

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store, Unit


def test_an_exception_undoes_everything(store: Store):
    """What was done before an exception in the same unit is undone, and the exception goes on as it is."""

    def work(unit: Unit) -> None:
        add_draft(unit)
        unit.journal.note("make", at=NOW)
        raise InvalidTransition("mine")

    with pytest.raises(InvalidTransition, match="mine"), store.begin() as unit:
        work(unit)
    with store.read() as unit:
        assert unit.drafts.list() == ()
        assert unit.journal.list() == ()


def test_reading_sees_one_moment(store: Store):
    """A reader does not see what is committed while it reads, and does not hold it up."""
    with store.begin() as unit:
        draft = add_draft(unit)
    with store.read() as reader:
        assert reader.drafts.get(draft.id).state is DraftState.MADE
        with store.begin() as writer:
            writer.drafts.save(draft.reject("no", NOW))
        assert reader.drafts.get(draft.id).state is DraftState.MADE
    with store.read() as reader:
        assert reader.drafts.get(draft.id).state is DraftState.REJECTED


def test_reading_keeps_nothing(store: Store):
    """Writes through a reading unit are not committed."""
    try:
        with store.read() as unit:
            add_draft(unit)
    except StoreError:
        pass
    with store.read() as unit:
        assert unit.drafts.list() == ()


def test_the_store_tells_where_it_is(store: Store, store_settings):
    """The URL that is shown names the database."""
    assert ("auria.db" in store.url) == (not store_settings.database.url.get_secret_value())


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch):
    """A process whose user number has no name, as in a container, still keeps a journal."""

    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert unit_of_work._user() == "unknown"
