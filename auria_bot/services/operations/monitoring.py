"""Watches a running daemon: notifies the operator, answers health checks, and sends alerts of outages.

Messages are sent by processes of their own, since Apprise takes more memory than all of the daemon. No error here
stops the daemon's work. The alerts need neither the database nor the settings file, only the addresses as they were
read before; an outage that lasts is sent once, and is over when it has been away for some minutes.

Notices go to the operator's addresses through Apprise: mail, Telegram, ntfy and many more. Addresses are secrets and
are never shown: messages and logs name one by its number and kind, such as "address 2 (tgram)".
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.domain.notice import Kind, Notice
from auria_bot.errors import BackendMissing, SettingsError
from auria_bot.execution.child_process import ChildProcess
from auria_bot.redaction import redacted_error, register_secret_address

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from auria_bot.services.operations.health import HealthServer
    from auria_bot.services.operations.notices import Notices
    from auria_bot.services.operations.webhooks import Webhooks

__all__ = [
    "DATABASE",
    "EVERY",
    "OVER",
    "PATIENCE",
    "SETTINGS",
    "TIMEOUT",
    "AppriseNotifier",
    "DeliveryResult",
    "HealthMonitor",
    "LogNotifier",
    "OutageAlerter",
]

log = logging.getLogger(__name__)

EVERY = 60.0
"""Seconds between two checks."""

_SEND_DEADLINE = 600.0  # seconds after which a process that sends notifications counts as stuck


class HealthMonitor:
    """Watches one application while a daemon runs.

    Usage::

        monitor.turn(leads=True)  # at every heartbeat
        monitor.close()
    """

    def __init__(
        self,
        *,
        notices: Callable[[], Notices],
        server: HealthServer | None,
        program: Sequence[str],
        monotonic: Callable[[], float] = time.monotonic,
        webhooks: Callable[[], Webhooks | None] = lambda: None,
    ) -> None:
        """`notices` and `webhooks` are called at each check, since they may need the database.

        `program` is how `auria` is run.
        """
        self._notices, self._program, self._monotonic = notices, tuple(program), monotonic
        self._webhooks = webhooks
        self._server, self._is_server_down = server, server is not None
        self._next_check = 0.0
        self._sender: ChildProcess | None = None
        self._trouble = ""

    def turn(self, *, leads: bool) -> None:
        """Check, if it is time; only the leading daemon looks for notifications. Never raises."""
        now = self._monotonic()
        if self._sender is not None and self._sender.poll() is not None:
            self._sender = None
        if now < self._next_check:
            return
        self._next_check = now + EVERY
        troubles = [self._error_of(self._start_server), self._error_of(self._check_notices) if leads else ""]
        trouble = "; ".join(filter(None, troubles))
        if trouble and trouble != self._trouble:
            log.warning("The health check failed: %s", trouble, extra={"action": "trouble"})
        self._trouble = trouble

    def close(self) -> None:
        """Stop the server; notifications that are being sent are interrupted, and sent again later."""
        if self._server is not None:
            self._server.stop()
        if self._sender is not None:
            self._sender.stop()
            self._sender = None

    def _error_of(self, work: Callable[[], None]) -> str:
        """The error of a piece of work, "" where it succeeds."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - no error here stops the daemon's work
            return redacted_error(error)
        return ""

    def _start_server(self) -> None:
        if self._is_server_down and self._server is not None:
            self._server.start()
            self._is_server_down = False
            log.info("Health checks are answered at %s", self._server.url, extra={"action": "health"})

    def _check_notices(self) -> None:
        notices, webhooks = self._notices(), self._webhooks()
        notices.update()
        if webhooks is not None:
            webhooks.update()
        is_due = notices.has_due() or (webhooks is not None and webhooks.has_due())
        if self._sender is None and is_due:
            self._sender = ChildProcess(
                [*self._program, "notify", "send"], deadline=_SEND_DEADLINE, clock=self._monotonic
            )


DATABASE = "database"
"""The database cannot be read or written."""

SETTINGS = "settings"
"""The new settings are wrong."""

PATIENCE = 60.0
"""Seconds that an outage lasts before it is sent."""

OVER = 300.0
"""Seconds that an outage must be away before it counts as a new one when it comes again."""

_RETRY_DELAYS = (60.0, 300.0, 1800.0, 7200.0)  # seconds
_ALERT_DEADLINE = 300.0  # seconds after which a process that sends an alert counts as stuck
_TITLES = {DATABASE: "Auria has stopped working", SETTINGS: "The new settings are not used"}
_NEXT_STEPS = {
    DATABASE: "Work resumes by itself as soon as possible. See the daemon's log.",
    SETTINGS: "The old settings stay in use. Correct the new ones, then send the daemon SIGHUP again;"
    " auria doctor shows what is wrong.",
}


@dataclass(slots=True)
class _Outage:
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
        """Without addresses, outages are only logged; one is sent when it lasts for `patience` seconds."""
        self.addresses = tuple(addresses)
        self._program, self._monotonic, self._patience = tuple(program), monotonic, patience
        self._outages: dict[str, _Outage] = {}
        self._sender: tuple[ChildProcess, _Outage] | None = None

    def turn(self, troubles: Mapping[str, str]) -> None:
        """Note the present outages, and send what has lasted long enough. Never raises.

        The troubles say what is wrong, by DATABASE or SETTINGS.
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
                command, stdin=json.dumps(request).encode(), deadline=_ALERT_DEADLINE, clock=self._monotonic
            )
        except OSError as error:
            log.warning("The alert cannot be sent: %s", error.strerror, extra={"action": Kind.STANDSTILL})
            return
        self._sender = process, outage

    def _check_sender(self, process: ChildProcess, outage: _Outage) -> None:
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


TIMEOUT = 45.0
"""Seconds that one address may take for one notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """Which addresses a notice reached."""

    delivered: tuple[str, ...]  # the hashes of the addresses that have it now
    failed: tuple[str, ...] = ()  # the names of the others


class LogNotifier:
    """Writes notices into the log, for an operator who gave no address."""

    def send(self, notice: Notice, *, skip: Collection[str] = ()) -> DeliveryResult:
        """Write the notice into the log."""
        log.warning("%s %s", notice.title, " ".join(notice.body.split()), extra={"action": notice.kind})
        return DeliveryResult(delivered=(*skip, "log"))


class AppriseNotifier:
    """Sends notices through Apprise, to each address by itself.

    Usage::

        result = AppriseNotifier(["ntfys://ntfy.sh/topic"]).send(notice)
    """

    def __init__(self, addresses: Sequence[str], *, timeout: float = TIMEOUT) -> None:
        """Register the addresses as secrets; each may take `timeout` seconds."""
        self._addresses = tuple(register_secret_address(address) for address in addresses)
        self._timeout = timeout
        self._unresponsive = set[str]()  # hashes of addresses that took longer

    def __repr__(self) -> str:
        return f"AppriseNotifier({len(self._addresses)} addresses)"

    def check(self) -> tuple[str, ...]:
        """The name of each address.

        Raises:
            BackendMissing: Apprise is not installed.
            SettingsError: an address is of a kind unknown to Apprise, or cannot be read.
        """
        return tuple(name for name, _, _ in self._servers())

    def send(self, notice: Notice, *, skip: Collection[str] = ()) -> DeliveryResult:
        """Send a notice to every address but those that have it already.

        A picture that is missing, or that an address cannot take, is left out there. An address that hangs does not
        keep the notice from the others, and is not tried again by this notifier.

        `skip` holds the hashes of the addresses that have it.

        Raises:
            BackendMissing: Apprise is not installed.
            SettingsError: an address cannot be used.
        """
        delivered, failed = set(skip), []
        picture = notice.picture if notice.picture and Path(notice.picture).is_file() else None
        for name, key, server in self._servers():
            if key in delivered:
                continue
            if key not in self._unresponsive and self._deliver(name, key, server, notice, picture):
                delivered.add(key)
            else:
                failed.append(name)
        return DeliveryResult(delivered=tuple(sorted(delivered)), failed=tuple(failed))

    def _deliver(self, name: str, key: str, server: Any, notice: Notice, picture: str | None) -> bool:
        """Whether an address took the notice in time; a thread that hangs is left behind, and ends with the process."""
        outcome: list[bool] = []

        def deliver() -> None:
            try:
                outcome.append(bool(server.notify(body=notice.body, title=notice.title, attach=picture)))
            except Exception as error:  # noqa: BLE001 - an error in one plugin must not keep the notice from the others
                log.warning("%s cannot be notified: %s", name, redacted_error(error))
                outcome.append(False)

        thread = threading.Thread(target=deliver, name=name, daemon=True)
        thread.start()
        thread.join(self._timeout)
        if not outcome:
            self._unresponsive.add(key)
            log.warning("%s did not answer within %g s", name, self._timeout)
        return outcome == [True]

    def _servers(self) -> list[tuple[str, str, Any]]:
        try:
            from apprise import Apprise
        except ModuleNotFoundError:
            raise BackendMissing("notifications need Apprise: pip install 'auria-bot[notify]'") from None
        servers = []
        for number, address in enumerate(self._addresses, start=1):
            name = f"address {number} ({address.partition('://')[0][:20]})"
            server = Apprise()
            if not server.add(address):
                raise SettingsError(
                    f"notify.addresses: {name} is unknown to Apprise; see https://appriseit.com/services/"
                )
            servers.append((name, hashlib.sha256(address.encode()).hexdigest()[:16], server))
        return servers
