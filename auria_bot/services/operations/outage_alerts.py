"""Alerts the operator to outages that keep the daemon from working; needs neither the database nor the settings file.

The daemon reports its outages at every heartbeat. One that lasts is sent once, by a process of its own that is given
the addresses as they were read before; where it does not get through it is retried. An outage is over when it has been
away for some minutes, so that one that comes and goes is not sent each time.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from auria_bot.domain.notice import Kind, Notice
from auria_bot.execution.child_process import ChildProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["DATABASE", "OVER", "PATIENCE", "SETTINGS", "OutageAlerter"]

log = logging.getLogger(__name__)

DATABASE = "database"
"""The database cannot be read or written."""

SETTINGS = "settings"
"""The new settings are wrong."""

PATIENCE = 60.0
"""Seconds that an outage lasts before it is sent."""

OVER = 300.0
"""Seconds that an outage must be away before it counts as a new one when it comes again."""

_RETRY_DELAYS = (60.0, 300.0, 1800.0, 7200.0)  # seconds
_SEND_DEADLINE = 300.0  # seconds after which a process that sends an alert counts as stuck
_TITLES = {DATABASE: "Auria has stopped working", SETTINGS: "The new settings are not used"}
_NEXT_STEPS = {
    DATABASE: "Work resumes by itself as soon as possible. See the daemon's log.",
    SETTINGS: "The old settings stay in use. Correct the new ones, then send the daemon SIGHUP again;"
    " auria doctor shows what is wrong.",
}


@dataclass(slots=True)
class _Outage:
    """An outage that is not over."""

    message: str
    last_seen: float  # on the monotonic clock, as `next_try`
    next_try: float
    delivered: tuple[str, ...] = ()  # the hashes of the addresses that have it
    tries: int = 0
    is_sent: bool = False


class OutageAlerter:
    """Sends an alert for each outage.

    Usage::

        alerter.turn({DATABASE: "the server does not answer"})  # at every heartbeat; {} when all is well
        alerter.close()
    """

    def __init__(
        self,
        *,
        addresses: Sequence[str],
        program: Sequence[str],
        monotonic: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        """Prepare; nothing is started yet.

        Args:
            addresses: the operator's, in Apprise's form; without any, outages are only in the log.
            program: how `auria` is run.
            monotonic: seconds that only ever grow.
            patience: seconds that an outage lasts before it is sent.
        """
        self.addresses = tuple(addresses)
        self._program, self._monotonic, self._patience = tuple(program), monotonic, patience
        self._outages: dict[str, _Outage] = {}
        self._sender: tuple[ChildProcess, _Outage] | None = None

    def turn(self, troubles: Mapping[str, str]) -> None:
        """Note the present outages, and send what has lasted long enough. Never raises.

        Args:
            troubles: what is wrong, by DATABASE or SETTINGS.
        """
        now = self._monotonic()
        for subject, message in troubles.items():
            first = _Outage(message=message, last_seen=now, next_try=now + self._patience)
            outage = self._outages.setdefault(subject, first)
            outage.message, outage.last_seen = message, now
        self._outages = {subject: outage for subject, outage in self._outages.items() if now - outage.last_seen <= OVER}
        if self._sender is not None:
            self._check_sender(*self._sender)
        for subject in troubles:
            outage = self._outages[subject]
            if self.addresses and self._sender is None and not outage.is_sent and now >= outage.next_try:
                self._send(subject, outage, now)

    def close(self) -> None:
        """Stop sending."""
        if self._sender is not None:
            self._sender[0].stop()
            self._sender = None

    def _send(self, subject: str, outage: _Outage, now: float) -> None:
        outage.next_try = now + _RETRY_DELAYS[min(outage.tries, len(_RETRY_DELAYS) - 1)]
        outage.tries += 1
        body = f"{outage.message[:2000]}\n\n{_NEXT_STEPS[subject]}"
        notice = Notice(kind=Kind.STANDSTILL, subject=subject, title=_TITLES[subject], body=body)
        request = {"addresses": self.addresses, "delivered": outage.delivered, "notice": asdict(notice)}
        command = [*self._program, "notify", "relay"]
        try:
            process = ChildProcess(
                command, stdin=json.dumps(request).encode(), deadline=_SEND_DEADLINE, clock=self._monotonic
            )
        except OSError as error:
            log.warning("The alert cannot be sent: %s", error.strerror, extra={"action": Kind.STANDSTILL})
            return
        self._sender = process, outage

    def _check_sender(self, process: ChildProcess, outage: _Outage) -> None:
        """Note what the process reported, once it has ended."""
        status = process.poll()
        if status is None:
            return
        self._sender = None
        outage.is_sent = status.ok
        with contextlib.suppress(ValueError, KeyError, TypeError):
            for message in process.receive():
                outage.delivered = tuple(str(address) for address in message["delivered"])
        if not outage.is_sent:
            log.warning("The alert was not delivered: %s", outage.message, extra={"action": Kind.STANDSTILL})
