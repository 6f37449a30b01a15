"""Pauses channels and lets them go on. Auria pauses one by herself when its platform does not accept the credentials.

A paused channel is neither sent to nor asked, so that nobody knocks at a closed door again and again; its posts wait. It goes
on when its `check` says that all is well.
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
        print(pauses.resume("x"))  # what the check found
    """

    def __init__(self, *, store: Store, clock: Clock, channels: Mapping[str, Callable[[], Channel]]) -> None:
        """Join the collaborators.

        Args:
            store: where pauses are kept.
            clock: tells the time.
            channels: every channel by the operator's name for it; called on first use.
        """
        self._store, self._clock, self._channels = store, clock, channels

    def standing(self) -> tuple[Pause, ...]:
        """Every pause that stands, by the channel's name."""
        with self._store.read() as unit:
            return tuple(unit.channels.paused())

    def pause(self, name: str, *, reason: str = "", by: str = OPERATOR) -> None:
        """Pause a channel: its posts wait.

        Raises:
            UnknownName: there is no such channel.
        """
        self._known(name)
        now = self._clock()
        words = reason.strip() or f"paused by hand; then: `auria channels resume {name}`"
        with self._store.begin() as unit:
            unit.channels.pause(name, reason=words, by=by, at=now)
            unit.journal.note("pause", details=f"{name}: {words}", at=now)

    def resume(self, name: str) -> str:
        """Check a channel and let it go on; what the check found.

        Raises:
            UnknownName: there is no such channel.
            ChannelError: it would not work yet; a pause stays.
        """
        found = self._known(name)().check()
        self._open(name)
        return found

    def check(self, name: str) -> str:
        """Check a channel; what was found. A pause that Auria made is over when all is well, the operator's is not.

        Raises:
            UnknownName: there is no such channel.
            ChannelError: it would not work, with what to do.
        """
        found = self._known(name)().check()
        if any(pause.name == name and pause.by == AURIA for pause in self.standing()):
            self._open(name)
        return found

    def _open(self, name: str) -> None:
        now = self._clock()
        with self._store.begin() as unit:
            if unit.channels.resume(name):
                unit.journal.note("resume", details=name, at=now)

    def _known(self, name: str) -> Callable[[], Channel]:
        if name not in self._channels:
            known = ", ".join(sorted(self._channels)) or "none"
            raise UnknownName(f"no channel named {name[:40]!r}; known: {known}")
        return self._channels[name]


def pause_refused(unit: Unit, name: str, error: Exception, *, at: datetime) -> str:
    """Pause a channel whose platform did not accept the credentials; why, and what to do. An operator's pause stays his."""
    reason = f"{redacted_error(error)}; put that right, then: `auria channels resume {name}`"
    if all(pause.name != name for pause in unit.channels.paused()):
        unit.channels.pause(name, reason=reason, by=AURIA, at=at)
        log.warning("The channel %s is paused: %s", name, reason, extra={"channel": name, "action": "pause"})
    return reason
