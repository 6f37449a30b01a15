"""Counts and times for health checks and Prometheus metrics."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from auria_bot.domain.post import PostState
from auria_bot.store.engine import insert_once
from auria_bot.store.schema import attempts, channels, posts, steps

__all__ = ["Metrics"]


class Metrics:
    """Counts and times, within one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def attempts(self) -> Mapping[tuple[str, str], int]:
        """Number of ended attempts by channel and outcome."""
        by = (posts.c.channel, attempts.c.outcome)
        ended = select(*by, func.count()).join_from(attempts, posts).where(attempts.c.outcome.is_not(None))
        rows = self._connection.execute(ended.group_by(*by))
        return {(str(channel), str(outcome)): int(number) for channel, outcome, number in rows}

    def due_since(self) -> Mapping[str, datetime]:
        """When the first waiting post of each channel is due, possibly in the future; without paused channels."""
        paused = select(channels.c.name).where(channels.c.paused_at.is_not(None))
        waiting = (posts.c.state == PostState.WAITING, posts.c.channel.not_in(paused))
        rows = self._connection.execute(
            select(posts.c.channel, func.min(posts.c.due)).where(*waiting).group_by(posts.c.channel)
        )
        return {str(channel): due for channel, due in rows}

    def record_step(self, step: str, *, seconds: float, times: int) -> None:
        """Add the time that a step of the studio took."""
        insert_once(self._connection, steps, {"name": step, "seconds": 0.0, "times": 0}, unique=("name",))
        more = {"seconds": steps.c.seconds + seconds, "times": steps.c.times + times}
        self._connection.execute(update(steps).where(steps.c.name == step).values(more))

    def steps(self) -> Mapping[str, tuple[float, int]]:
        """Total seconds and number of executions of each step of the studio."""
        return {str(row.name): (row.seconds, row.times) for row in self._connection.execute(select(steps))}
