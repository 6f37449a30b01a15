"""What is learned from the operator's decisions, from a real store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.approval import accuracy
from auria_bot.services.engagement.approvals import ApprovalModel
from tests.factories import NOW, add_draft

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store

RANKER = "c" * 64


@pytest.fixture
def decided(store: Store) -> Store:
    """Twenty drafts, of which the ones with a high first trait were approved, and one that waits."""
    with store.begin() as unit:
        for number in range(1, 22):
            draft = add_draft(unit, number, traits=(1.0 if number % 2 else -1.0, 0.5))
            if number <= 20:
                unit.drafts.save(draft.approve(("folder",), NOW) if number % 2 else draft.reject("", NOW))
    return store


def test_approved_traits_are_preferred(decided: Store) -> None:
    """The first trait gets a weight above 0, and the painter is given the weights by number."""
    model = ApprovalModel(store=decided, ranker=RANKER, explore=0.0)
    weights = model.weights(1)
    assert set(weights) == {"0", "1"}
    assert weights["0"] > abs(weights["1"])
    assert (accuracy(model.decisions()) or 0) > 0.9


def test_a_part_is_made_without(decided: Store) -> None:
    """About the share that is to explore gets no weights; switched off, none has any."""
    model = ApprovalModel(store=decided, ranker=RANKER, explore=0.3)
    without = sum(model.weights(seed) == {} for seed in range(300)) / 300
    assert without == pytest.approx(0.3, abs=0.1)
    off = ApprovalModel(store=decided, ranker=RANKER, enabled=False)
    assert off.weights(2) == {}
    assert len(off.decisions()) == 20


def test_a_restyled_draft_is_no_decision(store: Store) -> None:
    """Its painting was kept, so only what was rejected or painted anew counts."""
    with store.begin() as unit:
        for number, action in ((1, "restyle"), (2, "repaint"), (3, "reject")):
            draft = add_draft(unit, number, traits=(float(number),))
            unit.drafts.save(draft.reject("", NOW))
            unit.journal.note(action, draft_id=draft.id, at=NOW)
    found = ApprovalModel(store=store, ranker=RANKER).decisions()
    assert [each.traits for each in found] == [(2.0,), (3.0,)]


def test_drafts_of_earlier_versions_have_no_traits(store: Store) -> None:
    """They are left out, and nothing is learned."""
    with store.begin() as unit:
        unit.drafts.save(add_draft(unit, 1).approve(("folder",), NOW))
    model = ApprovalModel(store=store, ranker=RANKER, explore=0.0)
    assert model.decisions() == ()
    assert model.weights(1) == {}
    assert accuracy(model.decisions()) is None


def test_what_another_ranker_measured_does_not_count(decided: Store) -> None:
    """Its traits are other directions: a ranker that takes its place begins without decisions."""
    assert ApprovalModel(store=decided, ranker="d" * 64).decisions() == ()
