"""The secrets of the channels: read from the environment, a file or the system's keyring; never shown, never logged.

A channel's secret NAME is looked for, in this order, in the environment variable `AURIA_SECRET_<CHANNEL>_<NAME>` (upper case,
every other character an underscore), in `secrets/<channel>.json` in the home, which only its owner may read, and in the
keyring under the service "auria:<channel>", where the package keyring is installed. What a channel renews itself is
written to where the operator chose to keep its secrets; what came from the environment, to the file, which then wins.

Knows places; does not know what a secret is for.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.errors import BackendMissing, DiskError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PLACES", "Vault"]

PLACES = ("file", "keyring", "environment")
"""Where secrets can be kept."""

_PREFIX = "AURIA_SECRET_"


class Vault:
    """The secrets of one channel; nothing is read before it is asked for.

    Usage::

        vault = Vault(home, "x")
        vault.put("access_token", "...")
        vault.get("access_token")
    """

    def __init__(self, home: Path, channel: str, *, environment: Mapping[str, str] | None = None) -> None:
        """Name the places.

        Args:
            home: Auria's home.
            channel: the operator's name for the channel.
            environment: the process's own by default.
        """
        self._channel = channel
        self._environment = os.environ if environment is None else environment
        self.file = home / "secrets" / f"{re.sub(r'[^A-Za-z0-9_-]', '_', channel)}.json"

    def __repr__(self) -> str:
        return f"Vault({self._channel!r})"

    def variable(self, name: str) -> str:
        """The environment variable of a secret."""
        return _PREFIX + re.sub(r"[^A-Z0-9]", "_", f"{self._channel}_{name}".upper())

    def get(self, name: str) -> str | None:
        """A secret's value; None where there is none.

        Raises:
            SettingsError: the file can be read by others, or is damaged.
        """
        kept = self._read()
        renewed = kept.get(f"{name}*")  # renewed by the channel itself: newer than what the environment says
        value = renewed or self._environment.get(self.variable(name)) or kept.get(name)
        return value or self._from_keyring(name)

    def put(self, name: str, value: str) -> None:
        """Keep a secret that the channel renewed itself: in the keyring where it came from there, else in the file.

        Raises:
            DiskError: it cannot be written.
        """
        if self._from_keyring(name) is not None and name not in self._read():
            self.store(name, value, place="keyring")
        else:
            renewed = f"{name}*" if self._environment.get(self.variable(name)) else name
            self._write({**self._read(), renewed: value})

    def store(self, name: str, value: str, *, place: str = "file") -> None:
        """Keep a secret where the operator wants it.

        Raises:
            SettingsError: there is no such place, or it cannot be written to.
            BackendMissing: the package keyring is not installed.
            DiskError: the file cannot be written.
        """
        if place == "file":
            self._write({**{key: kept for key, kept in self._read().items() if key != f"{name}*"}, name: value})
        elif place == "keyring":
            _keyring().set_password(self._service, name, value)
        else:
            raise SettingsError(f"secrets cannot be written to {place[:40]!r}; known: file, keyring")

    def forget(self) -> None:
        """Delete every secret that the file holds.

        Raises:
            DiskError: it cannot be deleted.
        """
        try:
            self.file.unlink(missing_ok=True)
        except OSError as error:
            raise DiskError(f"{self.file} cannot be deleted: {error.strerror or error}") from None

    @property
    def _service(self) -> str:
        return f"auria:{self._channel}"

    def _from_keyring(self, name: str) -> str | None:
        try:
            keyring = _keyring()
        except BackendMissing:
            return None
        with contextlib.suppress(Exception):  # no keyring service on this machine: as if it held nothing
            found = keyring.get_password(self._service, name)
            return str(found) if found else None
        return None

    def _read(self) -> dict[str, str]:
        try:
            with self.file.open(encoding="utf-8") as file:
                if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise SettingsError(f"{self.file} can be read by others: chmod 600 {self.file}")
                values = json.load(file)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise SettingsError(f"{self.file} cannot be read: {error.strerror or error}") from None
        except ValueError:
            raise SettingsError(
                f"{self.file} is damaged; `auria channels add {self._channel}` writes it anew"
            ) from None
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise SettingsError(f"{self.file} is damaged; `auria channels add {self._channel}` writes it anew")
        return values

    def _write(self, values: Mapping[str, str]) -> None:
        """Replace the file in one stroke; it is never readable by others, not for a moment."""
        scratch = ""
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, scratch = tempfile.mkstemp(dir=self.file.parent, prefix=".new-")  # made with 0600
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(dict(values), file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(scratch).replace(self.file)
        except OSError as error:
            Path(scratch).unlink(missing_ok=True) if scratch else None
            raise DiskError(f"{self.file} cannot be written: {error.strerror or error}") from None


def _keyring() -> Any:
    try:
        import keyring
    except ImportError:
        raise BackendMissing(
            "secrets in the system's keyring need a package: pip install 'auria-bot[keyring]'"
        ) from None
    return keyring
