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


_BY_THE_OPERATOR = {
    (PostState.SENT, PostState.WITHDRAWING),
    (PostState.SENT, PostState.WITHDRAWN),
    (PostState.CANCELLED, PostState.WAITING),
}


@pytest.mark.parametrize(("start", "to"), sorted(set(product(TERMINAL, PostState)) - _BY_THE_OPERATOR))
def test_terminal_states_cannot_be_left(start: PostState, to: PostState) -> None:
    """From a terminal state every move but the operator's own raises and names both states."""
    with pytest.raises(InvalidTransition, match=f"is {start} and cannot become {to}"):
        replace(POST, state=start).moved(to)


def test_a_withdrawal_begins_where_something_may_be_out() -> None:
    """A waiting post is cancelled instead; what is withdrawn cannot come back."""
    begins = {state for state in PostState if _can_move(replace(POST, state=state), PostState.WITHDRAWING)}
    assert begins == {PostState.SENT, PostState.UNKNOWN, PostState.NEEDS_ATTENTION}
    assert not any(_can_move(replace(POST, state=PostState.WITHDRAWN), state) for state in PostState)


def _can_move(post: Post, to: PostState) -> bool:
    try:
        post.moved(to)
    except InvalidTransition:
        return False
    return True


def test_waiting_never_jumps_to_sent() -> None:
    """A post that was not claimed cannot be sent, and one of unknown outcome is not sent again without a look."""
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
