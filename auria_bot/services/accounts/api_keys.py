"""Keys with which programs use the REST interface, in a file that only Auria's user can read.

A key is 256 random bits after a prefix by which people and secret scanners recognise it. Because nobody can guess such
a number, its plain SHA-256 is kept: the slow hashes that passwords need would only slow down every request.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from auria_bot.errors import DiskError, InvalidTransition, NotFound, SettingsError, UnknownName, UsageError
from auria_bot.files import disk_errors, file_lock, write_json
from auria_bot.redaction import register_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from auria_bot.domain.interfaces import Clock

__all__ = ["KEY_PREFIX", "SCOPES", "ApiKey", "ApiKeys"]

log = logging.getLogger(__name__)

KEY_PREFIX = "auria_"
"""How every key begins."""

SCOPES = {
    "read": "read drafts, posts, runs, engagement, moods and styles",
    "decide": "decide on drafts and posts",
    "make": "make new artworks",
    "caption": "caption pictures and rate captions",
    "restyle": "restyle pictures",
}
"""What a key can be allowed to do."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_KEY = re.compile(rf"{KEY_PREFIX}[A-Za-z0-9_-]{{43}}")
_SEEN = timedelta(minutes=1)  # how exactly the last use is recorded
_MOST = 1000  # keys


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key, without its secret."""

    name: str
    scopes: tuple[str, ...]  # of SCOPES
    added_at: datetime  # aware, UTC, as the other times
    expires_at: datetime | None = None  # None: never
    used_at: datetime | None = None  # to the minute

    @property
    def author(self) -> str:
        """How the journal names it; no operator can have this name."""
        return f"key:{self.name}"


class ApiKeys:
    """Adds, finds and revokes keys. Safe for use by several threads and processes."""

    def __init__(self, *, file: Path, clock: Clock) -> None:
        self._file, self._clock = file, clock
        self._unwritten: dict[str, datetime] = {}  # by hash: when a use could last not be recorded

    def add(self, name: str, scopes: Sequence[str], *, expires_at: datetime | None = None) -> str:
        """Add a key and return it; it is kept nowhere and cannot be shown again.

        Raises:
            UsageError: the name cannot be used, no scope is named, or the expiry is past.
            UnknownName: there is no such scope.
            InvalidTransition: a key has that name already, or there are too many.
        """
        now = self._clock()
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name[:60]!r} cannot be a name: up to 40 letters, digits, '.', '_' and '-'")
        for scope in scopes:
            if scope not in SCOPES:
                raise UnknownName(f"no scope named {scope[:40]!r}; known: {', '.join(SCOPES)}")
        if not scopes:
            raise UsageError(f"name at least one scope: {', '.join(SCOPES)}")
        if expires_at is not None and expires_at <= now:
            raise UsageError(f"the expiry {expires_at:%Y-%m-%d %H:%M %Z} is past")
        key = KEY_PREFIX + secrets.token_urlsafe(32)
        register_secret(key)
        values = {
            "name": name,
            "scopes": [scope for scope in SCOPES if scope in scopes],
            "added_at": now.isoformat(),
            "expires_at": expires_at.isoformat() if expires_at else None,
            "used_at": None,
        }
        with self._changing() as keys:
            if any(known["name"] == name for known in keys.values()):
                raise InvalidTransition(f"a key is named {name!r} already; end it first: auria keys revoke {name}")
            if len(keys) >= _MOST:
                raise InvalidTransition(f"there are {len(keys)} keys already; `auria keys list` shows unused ones")
            keys[_hash(key)] = values
        return key

    def find(self, key: str) -> ApiKey | None:
        """The key that this text is, if it is in force; its use is recorded once a minute, where the disk takes it."""
        if not _KEY.fullmatch(key):
            return None
        hashed, now = _hash(key), self._clock()
        values = self._read().get(hashed)
        if values is None:
            return None
        found = _api_key(values)
        if found.expires_at is not None and found.expires_at <= now:
            return None
        if not _is_recent(found.used_at, now) and not _is_recent(self._unwritten.get(hashed), now):
            self._record_use(hashed, now)
        return found

    def _record_use(self, hashed: str, now: datetime) -> None:
        try:
            with self._changing() as keys:
                if hashed in keys:
                    keys[hashed]["used_at"] = now.isoformat()
        except DiskError as error:
            self._unwritten[hashed] = now
            log.warning("The use of a key is not recorded: %s", error)
        else:
            self._unwritten.pop(hashed, None)

    def list(self) -> tuple[ApiKey, ...]:
        """Every key by name, expired ones too."""
        return tuple(sorted(map(_api_key, self._read().values()), key=lambda key: key.name))

    def revoke(self, name: str) -> None:
        """End a key at once.

        Raises:
            NotFound: there is no such key.
        """
        with self._changing() as keys:
            ended = [hashed for hashed, values in keys.items() if values["name"] == name]
            if not ended:
                raise NotFound(f"there is no key {name[:60]!r}; `auria keys list` lists them")
            for hashed in ended:
                del keys[hashed]

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            keys = json.loads(self._file.read_text(encoding="utf-8"))["keys"]
            for values in keys.values():
                _api_key(values)
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SettingsError(f"{self._file} is damaged; delete it and add the keys again") from None
        return dict(keys)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, dict[str, Any]]]:
        with disk_errors(self._file):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with file_lock(self._file.with_suffix(".lock")):
                keys = self._read()
                yield keys
                write_json(self._file, {"keys": keys})


def _is_recent(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and timedelta() <= now - moment < _SEEN


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _api_key(values: dict[str, Any]) -> ApiKey:
    return ApiKey(
        name=str(values["name"]),
        scopes=tuple(values["scopes"]),
        added_at=datetime.fromisoformat(values["added_at"]),
        expires_at=_moment(values["expires_at"]),
        used_at=_moment(values["used_at"]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
