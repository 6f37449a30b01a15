"""Pauses and resumes channels; a channel whose platform does not accept the credentials is paused automatically.

A paused channel is neither sent to nor asked, and its posts wait. It is resumed when its `check` succeeds.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from auria_bot.domain.post import AURIA
from auria_bot.errors import UnknownName
from auria_bot.redaction import redacted_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from auria_bot.domain.interfaces import Channel, Clock
    from auria_bot.domain.post import Pause
    from auria_bot.store.unit_of_work import Store, Unit

__all__ = ["OPERATOR", "Pauses", "pause_refused"]

log = logging.getLogger(__name__)

OPERATOR = "operator"
"""Who pauses a channel when nobody is named."""


class Pauses:
    """The pauses of channels.

    Usage::

        pauses.pause("x", reason="a holiday")
        print(pauses.resume("x"))  # the check's result
    """

    def __init__(self, *, store: Store, clock: Clock, channels: Mapping[str, Callable[[], Channel]]) -> None:
        self._store, self._clock, self._channels = store, clock, channels

    def all(self) -> tuple[Pause, ...]:
        """Every paused channel, by name."""
        with self._store.read() as unit:
            return tuple(unit.channels.paused())

    def pause(self, name: str, *, reason: str = "", by: str = OPERATOR) -> None:
        """Pause a channel: its posts wait.

        Raises:
            UnknownName: there is no such channel.
        """
        self._constructor(name)
        now = self._clock()
        reason = reason.strip() or f"paused by the operator; then: `auria channels resume {name}`"
        with self._store.begin() as unit:
            unit.channels.pause(name, reason=reason, by=by, at=now)
            unit.journal.note("pause", details=f"{name}: {reason}", at=now)

    def resume(self, name: str) -> str:
        """Check a channel and end its pause; return the check's result.

        Raises:
            UnknownName: there is no such channel.
            ChannelError: the check failed; a pause stays.
        """
        result = self._constructor(name)().check()
        self._end(name)
        return result

    def check(self, name: str) -> str:
        """Check a channel; return the result. Success ends an automatic pause, but not the operator's.

        Raises:
            UnknownName: there is no such channel.
            ChannelError: the check failed, with what to do.
        """
        result = self._constructor(name)().check()
        if any(pause.name == name and pause.by == AURIA for pause in self.all()):
            self._end(name)
        return result

    def _end(self, name: str) -> None:
        now = self._clock()
        with self._store.begin() as unit:
            if unit.channels.resume(name):
                unit.journal.note("resume", details=name, at=now)

    def _constructor(self, name: str) -> Callable[[], Channel]:
        if name not in self._channels:
            known = ", ".join(sorted(self._channels)) or "none"
            raise UnknownName(f"no channel named {name[:40]!r}; known: {known}")
        return self._channels[name]


def pause_refused(unit: Unit, name: str, error: Exception, *, at: datetime) -> None:
    """Pause a channel whose platform did not accept the credentials; an existing pause is kept."""
    reason = f"{redacted_error(error)}; correct that, then: `auria channels resume {name}`"
    if all(pause.name != name for pause in unit.channels.paused()):
        unit.channels.pause(name, reason=reason, by=AURIA, at=at)
        log.warning("The channel %s is paused: %s", name, reason, extra={"channel": name, "action": "pause"})
