"""The secrets of the channels: read from the environment, a file or the system's keyring.

A channel's secret NAME is looked up, in this order, in the environment variable `AURIA_SECRET_<CHANNEL>_<NAME>` (upper
case, every other character an underscore), in `secrets/<channel>.json` in the home, which only its owner may read, and
in the keyring under the service "auria:<channel>", if the package keyring is installed. The keyring is skipped when the
operator keeps this channel's secrets elsewhere, because a locked keyring may ask for its password and block.

Secrets that a channel renews are written to the place that the operator chose; a renewed secret that came from the
environment is written to the file, and has precedence until the variable changes. Every secret that is returned is
registered for redaction.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import stat
from typing import TYPE_CHECKING, Any

from auria_bot.errors import BackendMissing, DiskError, SettingsError
from auria_bot.files import disk_errors, file_lock, remove_strays, write_atomic
from auria_bot.redaction import SECRET_PREFIX, register_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["PLACES", "SecretStore"]

PLACES = ("file", "keyring", "environment")
"""The places for secrets."""

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)  # reserved file names of Windows
_RENEWED, _RENEWED_FROM, _IN_KEYRING = "*", "*from", "@keyring"  # suffixes of names in the file


class SecretStore:
    """The secrets of one channel; they are read on each access and not cached.

    Usage::

        secrets = SecretStore(home, "x")
        secrets.put("access_token", "...")
        secrets.get("access_token")
    """

    def __init__(
        self, home: Path, channel: str, *, place: str | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        """Prepare access; nothing is read.

        Args:
            place: one of `PLACES`: where the operator keeps its secrets; None searches all places.
        """
        self._channel = channel
        self._place = place
        self._environment = os.environ if environment is None else environment
        self.file = home / "secrets" / f"{_file_name(channel)}.json"

    def __repr__(self) -> str:
        return f"SecretStore({self._channel!r})"

    def variable(self, name: str) -> str:
        """The name of a secret's environment variable."""
        return SECRET_PREFIX + re.sub(r"[^A-Z0-9]", "_", f"{self._channel}_{name}".upper())

    def get(self, name: str) -> str | None:
        """A secret's value, or None.

        Raises:
            SettingsError: the file can be read by others or is damaged, or the keyring is locked.
        """
        value, _ = self._found(name)
        return register_secret(value) if value else None

    def where(self, name: str) -> str | None:
        """Where a secret is found: "environment", "file" or "keyring", or None.

        Raises:
            SettingsError: as for `get`.
        """
        return self._found(name)[1]

    def put(self, name: str, value: str) -> None:
        """Save a secret that the channel renewed: in the keyring if the operator keeps them there, else in the file.

        Raises:
            DiskError: it cannot be written.
            SettingsError: the file can be read by others, or is damaged.
        """
        register_secret(value)
        known = self._in_keyring(name) is not None
        if (known or self._place == "keyring") and name not in self._read():
            try:
                self.store(name, value, place="keyring")
            except (SettingsError, BackendMissing) as error:
                raise DiskError(str(error)) from None
            if not known:
                # A keyring cannot be listed, so the name is noted for `forget`.
                self._change({f"{name}{_IN_KEYRING}": ""})
        elif given := self._given(name):
            self._change({f"{name}{_RENEWED}": value, f"{name}{_RENEWED_FROM}": _fingerprint(given)})
        else:
            self._change({name: value})

    def store(self, name: str, value: str, *, place: str = "file") -> None:
        """Save a secret in a place; a renewed value of it is replaced.

        Raises:
            SettingsError: there is no such place, or it does not accept secrets.
            BackendMissing: the package keyring is not installed.
            DiskError: the file cannot be written.
        """
        register_secret(value)
        renewed = (f"{name}{_RENEWED}", f"{name}{_RENEWED_FROM}")
        if place == "file":
            self._change({name: value}, without=renewed, anew=True)
            with contextlib.suppress(Exception):  # there may be no keyring, or no such secret in it
                _keyring().delete_password(self._service, name)
        elif place == "keyring":
            try:
                _keyring().set_password(self._service, name, value)
            except BackendMissing:
                raise
            except Exception as error:  # noqa: BLE001 - a backend's own, which may quote the secret
                raise SettingsError(
                    f"the system's keyring does not accept secrets ({type(error).__name__}); keep them in a file:"
                    f" auria channels add {self._channel} --secrets file"
                ) from None
            if {name, *renewed} & self._read().keys():
                self._change({}, without=(name, *renewed))
        else:
            raise SettingsError(f"secrets cannot be written to {place[:40]!r}; known: file, keyring")

    def forget(self, names: Iterable[str] = ()) -> None:
        """Delete all secrets in the file, and in the keyring those with these names and those saved by `put`.

        Raises:
            DiskError: it cannot be deleted.
        """
        kept: Mapping[str, str] = {}
        with contextlib.suppress(SettingsError):  # a damaged file is deleted too
            kept = self._read()
        for name in {*names, *(key.removesuffix(_IN_KEYRING) for key in kept if key.endswith(_IN_KEYRING))}:
            if self._in_keyring(name) is not None:
                with contextlib.suppress(Exception):  # already deleted
                    _keyring().delete_password(self._service, name)
        with disk_errors(self.file):
            self.file.unlink(missing_ok=True)

    @property
    def _service(self) -> str:
        return f"auria:{self._channel}"

    def _given(self, name: str) -> str:
        """The value in the environment, without a line end."""
        return self._environment.get(self.variable(name), "").strip()

    def _found(self, name: str) -> tuple[str, str | None]:
        kept, given = self._read(), self._given(name)
        if renewed := kept.get(f"{name}{_RENEWED}"):
            source = kept.get(f"{name}{_RENEWED_FROM}")
            if not given or source in {None, _fingerprint(given)}:
                return renewed, "file"
        if given:
            return given, "environment"
        if value := kept.get(name):
            return value, "file"
        value = self._in_keyring(name)
        return value or "", "keyring" if value else None

    def _in_keyring(self, name: str) -> str | None:
        if self._place not in {None, "keyring"}:
            return None
        try:
            found = _keyring().get_password(self._service, name)
        except Exception as error:  # noqa: BLE001 - keyring backends raise their own errors
            if self._place != "keyring":
                return None  # no keyring on this machine
            if isinstance(error, BackendMissing):
                raise SettingsError(str(error)) from None
            raise SettingsError(
                f"the keyring with the secrets of channel {self._channel} cannot be read ({type(error).__name__});"
                " unlock it, or run auria in the desktop session that it belongs to"
            ) from None
        return str(found) if found else None

    def _read(self) -> dict[str, str]:
        damaged = f"{self.file} is damaged; `auria channels add {self._channel}` replaces it"
        try:
            with self.file.open(encoding="utf-8") as file:
                if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                    raise SettingsError(f"{self.file} can be read by others: chmod 600 {self.file}")
                values = json.load(file)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise SettingsError(f"{self.file} cannot be read: {error.strerror or error}") from None
        except (ValueError, RecursionError):
            raise _Damaged(damaged) from None
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise _Damaged(damaged)
        return values

    def _change(self, values: Mapping[str, str], *, without: Iterable[str] = (), anew: bool = False) -> None:
        """Change the file atomically and under a lock; it is never readable by others.

        Args:
            anew: replace a damaged file.
        """
        with disk_errors(self.file):
            folder = self.file.parent
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.mkdir(exist_ok=True, mode=0o700)
            if os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
                folder.chmod(0o700)  # others must not be able to replace the file
            with file_lock(folder / ".lock"):
                try:
                    kept = self._read()
                except _Damaged:
                    if not anew:
                        raise
                    kept = {}
                changed = {key: value for key, value in kept.items() if key not in set(without)} | dict(values)
                remove_strays(folder, self.file.name)
                write_atomic(self.file, json.dumps(changed, indent=1))


class _Damaged(SettingsError):
    """The file is damaged."""


def _file_name(channel: str) -> str:
    """The channel's name if it is a valid file name on every system, else a unique name made from it."""
    if _PLAIN.fullmatch(channel) and not _RESERVED.fullmatch(channel):
        return channel
    return f"{re.sub(r'[^A-Za-z0-9_-]', '_', channel)[:40]}-{hashlib.sha256(channel.encode()).hexdigest()[:8]}"


def _fingerprint(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _keyring() -> Any:
    try:
        import keyring
    except ImportError:
        raise BackendMissing(
            "secrets in the system's keyring need a package: pip install 'auria-bot[keyring]'"
        ) from None
    return keyring
