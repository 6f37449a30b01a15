"""The secrets of the channels: read from the environment, a file or the system's keyring; never shown, never logged.

A channel's secret NAME is looked for, in this order, in the environment variable `AURIA_SECRET_<CHANNEL>_<NAME>` (upper case,
every other character an underscore), in `secrets/<channel>.json` in the home, which only its owner may read, and in the
keyring under the service "auria:<channel>", where the package keyring is installed; not there when the operator keeps this
channel's secrets elsewhere, for a locked keyring may ask for its password and wait. What a channel renews itself is
written to where the operator chose to keep its secrets; what came from the environment, to the file, which then wins until
the variable says something else.

Everything that is handed out is guarded: the log masks it. Knows places; does not know what a secret is for.
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
"""Where secrets can be kept."""

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)  # no file may be called so on Windows
_RENEWED, _RENEWED_FROM, _IN_KEYRING = "*", "*from", "@keyring"  # what follows a name in the file


class SecretStore:
    """The secrets of one channel; nothing is read before it is asked for, and nothing is remembered.

    Usage::

        vault = SecretStore(home, "x")
        vault.put("access_token", "...")
        vault.get("access_token")
    """

    def __init__(
        self, home: Path, channel: str, *, place: str | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        """Name the places.

        Args:
            home: Auria's home.
            channel: the operator's name for the channel.
            place: one of `PLACES`: where the operator chose to keep its secrets; None looks everywhere.
            environment: the process's own by default.
        """
        self._channel = channel
        self._place = place
        self._environment = os.environ if environment is None else environment
        self.file = home / "secrets" / f"{_file_name(channel)}.json"

    def __repr__(self) -> str:
        return f"SecretStore({self._channel!r})"

    def variable(self, name: str) -> str:
        """The environment variable of a secret."""
        return SECRET_PREFIX + re.sub(r"[^A-Z0-9]", "_", f"{self._channel}_{name}".upper())

    def get(self, name: str) -> str | None:
        """A secret's value; None where there is none.

        Raises:
            SettingsError: the file can be read by others, or is damaged, or the keyring in which they are kept is shut.
        """
        value, _ = self._found(name)
        return register_secret(value) if value else None

    def where(self, name: str) -> str | None:
        """Where a secret is found: "environment", "file" or "keyring"; None where it is not.

        Raises:
            SettingsError: as for `get`.
        """
        return self._found(name)[1]

    def put(self, name: str, value: str) -> None:
        """Keep a secret that the channel renewed itself: in the keyring where the operator keeps them there, else in the file.

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
                self._change(
                    {f"{name}{_IN_KEYRING}": ""}
                )  # the keyring lists nothing, and it must be found to be forgotten
        elif given := self._given(name):
            self._change({f"{name}{_RENEWED}": value, f"{name}{_RENEWED_FROM}": _fingerprint(given)})
        else:
            self._change({name: value})

    def store(self, name: str, value: str, *, place: str = "file") -> None:
        """Keep a secret where the operator wants it; one that the channel renewed meanwhile gives way.

        Raises:
            SettingsError: there is no such place, or it cannot be written to.
            BackendMissing: the package keyring is not installed.
            DiskError: the file cannot be written.
        """
        register_secret(value)
        renewed = (f"{name}{_RENEWED}", f"{name}{_RENEWED_FROM}")
        if place == "file":
            self._change({name: value}, without=renewed, anew=True)
            with contextlib.suppress(
                Exception
            ):  # no keyring, or it holds nothing: then there is nothing to be taken out
                _keyring().delete_password(self._service, name)
        elif place == "keyring":
            try:
                _keyring().set_password(self._service, name, value)
            except BackendMissing:
                raise
            except Exception as error:  # noqa: BLE001 - each system's keyring has errors of its own, and they may quote
                raise SettingsError(
                    f"the system's keyring does not take secrets ({type(error).__name__}); keep them in a file:"
                    f" auria channels add {self._channel} --secrets file"
                ) from None
            if {name, *renewed} & self._read().keys():
                self._change({}, without=(name, *renewed))
        else:
            raise SettingsError(f"secrets cannot be written to {place[:40]!r}; known: file, keyring")

    def forget(self, names: Iterable[str] = ()) -> None:
        """Delete every secret that the file holds, and from the keyring those of these names and those put there.

        Raises:
            DiskError: it cannot be deleted.
        """
        kept: Mapping[str, str] = {}
        with contextlib.suppress(SettingsError):  # a damaged file is deleted all the same
            kept = self._read()
        for name in {*names, *(key.removesuffix(_IN_KEYRING) for key in kept if key.endswith(_IN_KEYRING))}:
            if self._in_keyring(name) is not None:
                with contextlib.suppress(Exception):  # gone meanwhile
                    _keyring().delete_password(self._service, name)
        with disk_errors(self.file):
            self.file.unlink(missing_ok=True)

    @property
    def _service(self) -> str:
        return f"auria:{self._channel}"

    def _given(self, name: str) -> str:
        """What the environment says; a line's end that came with it is no part of a secret."""
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
        except Exception as error:  # noqa: BLE001 - each system's keyring has errors of its own
            if self._place != "keyring":
                return None  # no keyring on this machine: as if it held nothing
            if isinstance(error, BackendMissing):
                raise SettingsError(str(error)) from None
            raise SettingsError(
                f"the keyring with the secrets of channel {self._channel} cannot be read ({type(error).__name__});"
                " unlock it, or run Auria in the session that it belongs to"
            ) from None
        return str(found) if found else None

    def _read(self) -> dict[str, str]:
        damaged = f"{self.file} is damaged; `auria channels add {self._channel}` writes it anew"
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
        """Add to the file, in one stroke, while no other process does; it is never readable by others.

        Args:
            values: what is added.
            without: what is taken away.
            anew: a damaged file is given up.
        """
        with disk_errors(self.file):
            folder = self.file.parent
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.name == "posix" and stat.S_IMODE(folder.stat().st_mode) & 0o077:
                folder.chmod(0o700)  # who may write here could put another file in its place
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
    """The channel's own name where a file can be called so on every system, else one that no other channel has."""
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
