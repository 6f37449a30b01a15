"""Sends notices to the operator's addresses through Apprise: mail, Telegram, ntfy and many more.

Addresses are secrets and are never shown: messages and logs name one by its number and kind, such as "address 2
(tgram)".
"""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.errors import BackendMissing, SettingsError
from auria_bot.redaction import redacted_error, register_secret_address

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from auria_bot.domain.notice import Notice

__all__ = ["TIMEOUT", "AppriseNotifier", "DeliveryResult", "LogNotifier"]

log = logging.getLogger(__name__)

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
