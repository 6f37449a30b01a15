"""Pauses of channels in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from auria_bot.domain.post import Pause
from auria_bot.store.engine import insert_once
from auria_bot.store.schema import channels

__all__ = ["Channels"]


class Channels:
    """Pauses of channels, within one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def paused(self) -> Sequence[Pause]:
        """Every current pause, by channel name."""
        wanted = select(channels).where(channels.c.paused_at.is_not(None)).order_by(channels.c.name)
        return tuple(
            Pause(name=row.name, at=row.paused_at, by=row.paused_by, reason=row.reason)
            for row in self._connection.execute(wanted)
        )

    def pause(self, name: str, *, reason: str, by: str, at: datetime) -> None:
        """Pause a channel; an existing pause is replaced."""
        row = {"name": name, "paused_at": at, "paused_by": by[:100], "reason": reason}
        if not insert_once(self._connection, channels, row, unique=("name",)):
            self._connection.execute(update(channels).where(channels.c.name == name).values(**row))

    def resume(self, name: str) -> bool:
        """End a channel's pause; return whether it was paused."""
        paused = (channels.c.name == name, channels.c.paused_at.is_not(None))
        done = self._connection.execute(update(channels).where(*paused).values(paused_at=None, paused_by="", reason=""))
        return done.rowcount == 1
