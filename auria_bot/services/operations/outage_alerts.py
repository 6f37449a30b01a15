"""Tells the operator what brings the daemon to a standstill: it needs neither the database nor the file of settings for it.

The daemon says at every tick what stands in her way. What has stood there for a while is said once, by a process of its own that is
given the addresses as they were read when all was well; where it does not get through it is tried again. An
occasion is over when it has been away for some minutes, so that what comes and goes is not said each time. Knows when; does not know
how a notice is said.
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
"""It cannot be read or written."""

SETTINGS = "settings"
"""They were to be read again, and are wrong."""

PATIENCE = 60.0  # seconds
"""How long something stands in the way before it is said."""

OVER = 300.0  # seconds
"""How long it must be away before it counts as another occasion when it comes again."""

_AGAIN = (60.0, 300.0, 1800.0, 7200.0)  # seconds between tries
_LONG = 300.0  # seconds after which a process that says it hangs
_TITLES = {DATABASE: "Auria stands still", SETTINGS: "The new settings are not used"}
_WAYS_OUT = {
    DATABASE: "She goes on by herself as soon as she can. See the daemon's log.",
    SETTINGS: "She goes on with the old ones. Mend them, then send the daemon SIGHUP again; auria doctor tells what is wrong.",
}


@dataclass(slots=True)
class _Occasion:
    """Something that stands in the way."""

    words: str
    since: float
    seen: float  # when it stood there last
    next_try: float
    told: tuple[str, ...] = ()  # the hashes of the addresses that have it
    tries: int = 0
    said: bool = False


class OutageAlerter:
    """Says what stands in the daemon's way.

    Usage::

        alarm.turn({DATABASE: "the server does not answer"})  # at every tick; {} when all is well
        alarm.close()
    """

    def __init__(
        self,
        *,
        addresses: Sequence[str],
        program: Sequence[str],
        steady: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        """Join the collaborators.

        Args:
            addresses: where the operator is told, in Apprise's form; with none, the log alone tells.
            program: how `auria` is run.
            steady: seconds that only ever grow.
            patience: seconds that something stands in the way before it is said.
        """
        self.addresses = tuple(addresses)
        self._program, self._steady, self._patience = tuple(program), steady, patience
        self._occasions: dict[str, _Occasion] = {}
        self._saying: tuple[ChildProcess, _Occasion] | None = None

    def turn(self, troubles: Mapping[str, str]) -> None:
        """Take note of what stands in the way now, and say what has stood there long enough; it never raises.

        Args:
            troubles: what is wrong, by DATABASE or SETTINGS.
        """
        now = self._steady()
        for subject, words in troubles.items():
            known = self._occasions.setdefault(
                subject, _Occasion(words=words, since=now, seen=now, next_try=now + self._patience)
            )
            known.words, known.seen = words, now
        for subject in [name for name, one in self._occasions.items() if now - one.seen > OVER]:
            del self._occasions[subject]
        if self._saying is not None:
            self._listen(*self._saying)
        for subject in troubles:
            one = self._occasions[subject]
            if self.addresses and self._saying is None and not one.said and now >= one.next_try:
                self._say(subject, one, now)

    def close(self) -> None:
        """Give up what is being said."""
        if self._saying is not None:
            self._saying[0].stop()
            self._saying = None

    def _say(self, subject: str, one: _Occasion, now: float) -> None:
        one.next_try = now + _AGAIN[min(one.tries, len(_AGAIN) - 1)]
        one.tries += 1
        words = f"{one.words[:2000]}\n\n{_WAYS_OUT[subject]}"
        notice = Notice(kind=Kind.STANDSTILL, subject=subject, title=_TITLES[subject], body=words)
        told = json.dumps({"addresses": self.addresses, "told": one.told, "notice": asdict(notice)})
        command = [*self._program, "notify", "relay"]
        try:
            self._saying = ChildProcess(command, stdin=told.encode(), deadline=_LONG, clock=self._steady), one
        except OSError as error:
            log.warning("Nobody can be told: %s", error.strerror, extra={"action": Kind.STANDSTILL})

    def _listen(self, process: ChildProcess, one: _Occasion) -> None:
        """Learn what came of the process that says it, once it has ended or hangs."""
        status = process.poll()
        if status is None:
            return
        self._saying = None
        one.said = status.ok
        with contextlib.suppress(ValueError, KeyError, TypeError):
            for message in process.receive():
                one.told = tuple(str(key) for key in message["told"])
        if not one.said:
            log.warning("Not told yet: %s", one.words, extra={"action": Kind.STANDSTILL})
