"""The figures by which the house's health is seen, counted in the database. Knows rows; does not judge them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from auria_bot.domain.post import PostState
from auria_bot.store.engine import insert_once
from auria_bot.store.schema import attempts, channels, drafts, posts, steps

__all__ = ["Metrics"]


class Metrics:
    """The figures of one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def drafts(self) -> Mapping[str, int]:
        """How many drafts are in each state."""
        rows = self._connection.execute(select(drafts.c.state, func.count()).group_by(drafts.c.state))
        return {str(state): int(number) for state, number in rows}

    def posts(self) -> Mapping[tuple[str, str], int]:
        """How many posts each channel has in each state."""
        by = (posts.c.channel, posts.c.state)
        rows = self._connection.execute(select(*by, func.count()).group_by(*by))
        return {(str(channel), str(state)): int(number) for channel, state, number in rows}

    def attempts(self) -> Mapping[tuple[str, str], int]:
        """How many attempts on each channel ended in each way."""
        by = (posts.c.channel, attempts.c.outcome)
        ended = select(*by, func.count()).join_from(attempts, posts).where(attempts.c.outcome.is_not(None))
        rows = self._connection.execute(ended.group_by(*by))
        return {(str(channel), str(outcome)): int(number) for channel, outcome, number in rows}

    def due_since(self) -> Mapping[str, datetime]:
        """Since when the longest due post of each channel waits; due or not yet, but not on a paused channel."""
        paused = select(channels.c.name).where(channels.c.paused_at.is_not(None))
        waiting = (posts.c.state == PostState.WAITING, posts.c.channel.not_in(paused))
        rows = self._connection.execute(
            select(posts.c.channel, func.min(posts.c.due)).where(*waiting).group_by(posts.c.channel)
        )
        return {str(channel): due for channel, due in rows}

    def record_step(self, step: str, *, seconds: float, times: int) -> None:
        """Count what a step of the studio took."""
        insert_once(self._connection, steps, {"name": step, "seconds": 0.0, "times": 0}, unique=("name",))
        more = {"seconds": steps.c.seconds + seconds, "times": steps.c.times + times}
        self._connection.execute(update(steps).where(steps.c.name == step).values(more))

    def steps(self) -> Mapping[str, tuple[float, int]]:
        """How many seconds each step of the studio took in all, and how often it was done."""
        return {str(row.name): (row.seconds, row.times) for row in self._connection.execute(select(steps))}
