"""A post's state machine: terminal states cannot be left."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from auria_bot.domain.post import TERMINAL, Attempt, Outcome, Post, PostState, failures_in_a_row
from auria_bot.errors import InvalidTransition

POST = Post(
    id=1,
    draft_id=3,
    channel="folder",
    state=PostState.WAITING,
    due=datetime(2026, 1, 1, tzinfo=UTC),
    text="t",
    alt_text="a",
    picture="/p.jpg",
    picture_sha256="ab",
    signature="s",
    key="k",
)


def test_the_way_to_sent() -> None:
    """Waiting, sending, sent."""
    assert POST.moved(PostState.SENDING).moved(PostState.SENT).state is PostState.SENT


@pytest.mark.parametrize(("start", "to"), list(product(sorted(TERMINAL), PostState)))
def test_terminal_states_cannot_be_left(start: PostState, to: PostState) -> None:
    """From a terminal state every move raises and names both states."""
    ended = POST.moved(PostState.SENDING).moved(start)
    with pytest.raises(InvalidTransition, match=f"is {start} and cannot become {to}"):
        ended.moved(to)


def test_waiting_never_jumps_to_sent() -> None:
    """A post that nobody claimed cannot be sent, and an unknown one is never sent again unseen."""
    with pytest.raises(InvalidTransition):
        POST.moved(PostState.SENT)
    unknown = POST.moved(PostState.SENDING).moved(PostState.UNKNOWN)
    with pytest.raises(InvalidTransition):
        unknown.moved(PostState.SENDING)


def test_a_late_receipt_may_come_after_the_claim() -> None:
    """A post that a lost worker had, and that waits again, may turn out to be sent."""
    assert replace(POST, fencing=1).moved(PostState.SENT).state is PostState.SENT


@pytest.mark.parametrize(
    ("outcomes", "count"),
    [
        ([], 0),
        ([Outcome.BROKEN], 1),
        ([Outcome.THROTTLED, Outcome.BROKEN, Outcome.ABANDONED], 2),
        ([Outcome.BROKEN, Outcome.SENT], 0),
        ([Outcome.BROKEN, None], 0),
    ],
)
def test_failures_in_a_row(outcomes: list[Outcome | None], count: int) -> None:
    """Only those at the end count."""
    assert failures_in_a_row([_attempt(outcome) for outcome in outcomes]) == count


def test_what_came_to_its_mutation_is_no_mere_failure() -> None:
    """It ends the row."""
    begun = replace(_attempt(Outcome.ABANDONED), sending_at=POST.due)
    assert failures_in_a_row([_attempt(Outcome.BROKEN), begun, _attempt(Outcome.BROKEN)]) == 1


def _attempt(outcome: Outcome | None) -> Attempt:
    return Attempt(number=1, started_at=POST.due, ended_at=None, outcome=outcome, message="")
