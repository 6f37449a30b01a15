"""A post's state machine: terminal states cannot be left."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from auria_bot.domain.post import TERMINAL, Post, PostState
from auria_bot.errors import IllegalMove

POST = Post(
    id=1, draft_id=3, channel="folder", state=PostState.WAITING, due=datetime(2026, 1, 1, tzinfo=UTC), text="t",
    alt_text="a", picture="/p.jpg", picture_sha256="ab", signature="s", key="k",
)  # fmt: skip


def test_the_way_to_sent() -> None:
    """Waiting, sending, sent."""
    assert POST.moved(PostState.SENDING).moved(PostState.SENT).state is PostState.SENT


@pytest.mark.parametrize(("start", "to"), list(product(sorted(TERMINAL), PostState)))
def test_terminal_states_cannot_be_left(start: PostState, to: PostState) -> None:
    """From a terminal state every move raises and names both states."""
    ended = POST.moved(PostState.SENDING).moved(start)
    with pytest.raises(IllegalMove, match=f"is {start} and cannot become {to}"):
        ended.moved(to)


def test_waiting_never_jumps_to_sent() -> None:
    """A post that nobody claimed cannot be sent, and an unknown one is never sent again unseen."""
    with pytest.raises(IllegalMove):
        POST.moved(PostState.SENT)
    unknown = POST.moved(PostState.SENDING).moved(PostState.UNKNOWN)
    with pytest.raises(IllegalMove):
        unknown.moved(PostState.SENDING)
