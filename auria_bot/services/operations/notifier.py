"""Says notices at the operator's addresses: mail, Telegram, ntfy and whatever else Apprise knows.

Addresses are secrets and are never shown: in words and logs one is called by its number and kind, such as "address 2 (tgram)".
Knows Apprise; does not know when something is said.
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

__all__ = ["PATIENCE", "AppriseNotifier", "DeliveryResult", "LogNotifier"]

log = logging.getLogger(__name__)

PATIENCE = 45.0  # seconds
"""How long one address may take for one notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """What came of saying a notice."""

    told: tuple[str, ...]  # the hashes of the addresses that have it now
    failed: tuple[str, ...] = ()  # what the others are called


class LogNotifier:
    """Says notices in the log, for an operator who gave no address."""

    def say(self, notice: Notice, *, but: Collection[str] = ()) -> DeliveryResult:
        """Write the notice into the log."""
        log.warning("%s %s", notice.title, " ".join(notice.body.split()), extra={"action": notice.kind})
        return DeliveryResult(told=(*but, "log"))


class AppriseNotifier:
    """Says notices through Apprise, at each address by itself.

    Usage::

        said = AppriseNotifier(["ntfys://ntfy.sh/topic"]).say(notice)
    """

    def __init__(self, addresses: Sequence[str], *, patience: float = PATIENCE) -> None:
        """Name the addresses; nothing is imported or connected yet.

        Args:
            addresses: where the operator is told.
            patience: seconds that one address may take.
        """
        self._addresses = tuple(register_secret_address(address) for address in addresses)
        self._patience = patience
        self._stuck = set[str]()  # those that took longer

    def __repr__(self) -> str:
        return f"AppriseNotifier({len(self._addresses)} addresses)"

    def check(self) -> tuple[str, ...]:
        """What each address is called.

        Raises:
            BackendMissing: Apprise is not installed.
            SettingsError: Apprise does not know an address's kind, or cannot read it.
        """
        return tuple(name for name, _, _ in self._servers())

    def say(self, notice: Notice, *, but: Collection[str] = ()) -> DeliveryResult:
        """Say a notice at every address but those that have it already.

        A picture that is gone, or that an address cannot take, is left out there. An address that hangs keeps no other from being
        told, and is not tried again by this herald.

        Raises:
            BackendMissing: Apprise is not installed.
            SettingsError: an address cannot be used.
        """
        done, failed = set(but), []
        picture = notice.picture if notice.picture and Path(notice.picture).is_file() else None
        for name, key, server in self._servers():
            if key in done:
                continue
            if key not in self._stuck and self._told(name, key, server, notice, picture):
                done.add(key)
            else:
                failed.append(name)
        return DeliveryResult(told=tuple(sorted(done)), failed=tuple(failed))

    def _told(self, name: str, key: str, server: Any, notice: Notice, picture: str | None) -> bool:
        """Whether an address was told in time; what hangs is left behind in its thread, which ends with the process."""
        fine: list[bool] = []

        def tell() -> None:
            try:
                fine.append(bool(server.notify(body=notice.body, title=notice.title, attach=picture)))
            except Exception as error:  # noqa: BLE001 - a plugin's slip must not keep the others from being told
                log.warning("%s cannot be told: %s", name, redacted_error(error))
                fine.append(False)

        thread = threading.Thread(target=tell, name=name, daemon=True)
        thread.start()
        thread.join(self._patience)
        if not fine:
            self._stuck.add(key)
            log.warning("%s does not answer within %g s", name, self._patience)
        return fine == [True]

    def _servers(self) -> list[tuple[str, str, Any]]:
        """Each address's name, hash and plugin."""
        try:
            from apprise import Apprise
        except ModuleNotFoundError:
            raise BackendMissing("notices need Apprise: pip install 'auria-bot[notify]'") from None
        found = []
        for number, address in enumerate(self._addresses, start=1):
            name = f"address {number} ({address.partition('://')[0][:20]})"
            one = Apprise()
            if not one.add(address):
                raise SettingsError(
                    f"notify.addresses: {name} is none that Apprise knows; https://appriseit.com/services/"
                )
            found.append((name, hashlib.sha256(address.encode()).hexdigest()[:16], one))
        return found
