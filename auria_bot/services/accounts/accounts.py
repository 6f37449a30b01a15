"""Operators with their passwords, and their sessions, in a file that only Auria's user can read.

Passwords are kept as Argon2id hashes (RFC 9106), sessions as SHA-256 of their tokens. Failed attempts make the next
one wait, by name and by address, longer each time. From an address where an operator has signed in, only that address
counts: strangers cannot keep the operator out.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from auria_bot.errors import (
    InputError,
    InvalidTransition,
    NotFound,
    NotPermitted,
    SettingsError,
    TooManyAttempts,
    UnknownName,
    UsageError,
)
from auria_bot.files import disk_errors, file_lock, write_json
from auria_bot.services.accounts.attempts import FailedAttempts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from auria_bot.domain.interfaces import Clock

__all__ = ["ROLES", "Accounts", "Operator", "Session"]

ROLES = ("owner", "editor", "viewer")
"""Owners manage operators and decide; editors decide; viewers look."""

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200  # characters
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_LIFETIME = timedelta(days=30)  # of a session since it was last used
_SEEN = timedelta(minutes=10)  # how exactly that is recorded
_MOST_ATTEMPTS = 3  # that are checked or wait for it at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Somebody who may sign in."""

    name: str
    role: str  # one of ROLES
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A signed-in browser."""

    id: str  # public; not the token
    name: str  # the operator's
    role: str
    csrf: str  # every form of the session contains it
    agent: str  # how the browser names itself
    begun_at: datetime
    seen_at: datetime

    @property
    def may_decide(self) -> bool:
        """Whether the operator may decide, and not only look."""
        return self.role in {"owner", "editor"}

    @property
    def may_manage(self) -> bool:
        """Whether the operator may add, change and remove operators."""
        return self.role == "owner"


class Accounts:
    """Adds operators, and signs them in and out. Safe for use by several threads and processes."""

    def __init__(
        self,
        *,
        file: Path,
        clock: Clock,
        seconds: Callable[[], float] = time.monotonic,
        note: Callable[[str, str, str], None] = lambda *_: None,
    ) -> None:
        """Set the collaborators.

        Args:
            file: where operators and sessions are kept.
            seconds: gives seconds that only grow, for the waiting time after failures.
            note: records in the journal who (an operator's name; "" for the terminal's user) did what with whom.
        """
        self._file, self._clock, self._note = file, clock, note
        self._hashing = threading.Lock()  # a hash takes 19 MiB
        self._attempts = threading.BoundedSemaphore(_MOST_ATTEMPTS)  # so that other pages do not wait for hashes
        self.failed = FailedAttempts(seconds)
        self._signed_in: set[tuple[str, str]] = set()  # names and addresses, since this process began

    def add(self, name: str, password: str, *, role: str = "", by: str = "", is_new: bool = False) -> Operator:
        """Add an operator, or give one a new password and role, which ends the sessions of before.

        Args:
            role: one of ROLES; "" keeps an operator's own, makes the first one an owner, and others editors.
            by: who adds; an owner's name, or "" for the terminal's user.
            is_new: refuse an operator who is there already.

        Raises:
            InputError: the name or the password cannot be used.
            UnknownName: there is no such role.
            InvalidTransition: nobody would be left to manage operators.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name[:60]!r} cannot be a name: up to 40 letters, digits, '.', '_' and '-'")
        if role:
            _check_role(role)
        hashed = _hashed(password)
        with self.changing() as data:
            known = data["operators"].get(name)
            if known and is_new:
                raise InputError(f"there is an operator {name} already")
            role = role or (known["role"] if known else "editor" if data["operators"] else "owner")
            if known:
                _check_owners(data, name, role)
            added = Operator(name=name, role=role, added_at=self._clock())
            data["operators"][name] = {"hash": hashed, "role": role, "added_at": added.added_at.isoformat()}
            _end(data, lambda session: session["name"] == name)
        self._note(by, "operator add", f"{name}: {role}")
        return added

    def set_role(self, name: str, role: str, *, by: str = "") -> None:
        """Give an operator another role; the sessions go on with it.

        Raises:
            NotFound: there is no such operator.
            UnknownName: there is no such role.
            InvalidTransition: nobody would be left to manage operators.
        """
        _check_role(role)
        with self.changing() as data:
            _check_known(data, name)
            _check_owners(data, name, role)
            data["operators"][name]["role"] = role
        self._note(by, "operator role", f"{name}: {role}")

    def change_password(self, token: str, old: str, new: str) -> None:
        """Give the operator of a session a new password; all other sessions of theirs end.

        Raises:
            NotPermitted: the old password is wrong, or the session has ended.
            InputError: the new one cannot be used.
            TooManyAttempts: too many attempts failed; wait as long as it says.
        """
        session = self.session(token)
        if session is None:
            raise NotPermitted("the session has ended; sign in again")
        self.check_password(session.name, old)
        hashed = _hashed(new)
        with self.changing() as data:
            _check_known(data, session.name)
            data["operators"][session.name]["hash"] = hashed
            _end(data, lambda one: one["name"] == session.name and one["id"] != session.id)
        self._note(session.name, "operator password", session.name)

    def check_password(self, name: str, password: str) -> None:
        """Make sure that whoever is signed in knows the operator's password.

        Raises:
            NotPermitted: it is wrong.
            TooManyAttempts: too many attempts failed; wait as long as it says.
        """
        if self._verified(name, password, [f"change {name}"]) is None:
            raise NotPermitted("the present password is wrong")

    def remove(self, name: str, *, by: str = "") -> None:
        """Remove an operator and end all sessions.

        Raises:
            NotFound: there is no such operator.
            InvalidTransition: an owner would remove the last owner; the terminal can.
        """
        with self.changing() as data:
            _check_known(data, name)
            if by:
                _check_owners(data, name, "")
            del data["operators"][name]
            _end(data, lambda session: session["name"] == name)
        self._note(by, "operator remove", name)

    def end_sessions(self, name: str, *, by: str = "") -> int:
        """End every session of an operator; how many there were.

        Raises:
            NotFound: there is no such operator.
        """
        with self.changing() as data:
            _check_known(data, name)
            ended = _end(data, lambda session: session["name"] == name)
        self._note(by, "operator sessions", f"{name}: {ended} ended")
        return ended

    def operators(self) -> tuple[Operator, ...]:
        """Everybody who may sign in, by name."""
        found = self.read()["operators"].items()
        return tuple(
            Operator(name=name, role=one["role"], added_at=datetime.fromisoformat(one["added_at"]))
            for name, one in sorted(found)
        )

    def sign_in(self, name: str, password: str, *, address: str, agent: str = "") -> str:
        """Begin a session; return its token, which is kept nowhere.

        Raises:
            NotPermitted: the name or the password is wrong.
            TooManyAttempts: too many attempts failed; wait as long as it says.
        """
        keys = [f"address {address}"]
        if (name, address) not in self._signed_in:
            keys.append(f"name {name[:40]}")
        if self._verified(name, password, keys) is None:
            raise NotPermitted("the name or the password is wrong")
        return self.begin_session(name, address=address, agent=agent)

    def begin_session(self, name: str, *, address: str, agent: str) -> str:
        """Begin a session of an operator who proved to be that; return its token, which is kept nowhere.

        Raises:
            NotFound: there is no such operator.
        """
        self._signed_in.add((name, address))
        token, now = secrets.token_urlsafe(32), self._clock()
        session = Session(
            id=secrets.token_hex(6),
            name=name,
            role="",
            csrf=secrets.token_urlsafe(24),
            agent=agent[:200],
            begun_at=now,
            seen_at=now,
        )
        with self.changing() as data:
            _check_known(data, name)
            _end(data, lambda one: now - datetime.fromisoformat(one["seen_at"]) > _LIFETIME)
            values = asdict(session) | {"begun_at": now.isoformat(), "seen_at": now.isoformat()}
            data["sessions"][_hash(token)] = values
        return token

    def session(self, token: str) -> Session | None:
        """The session of a token; None if it has ended."""
        key, now = _hash(token), self._clock()
        data = self.read()
        found = _session(data, key)
        if found is None or now - found.seen_at > _LIFETIME:
            return None
        if now - found.seen_at > _SEEN:
            with self.changing() as data:
                if key in data["sessions"]:
                    data["sessions"][key]["seen_at"] = now.isoformat()
        return found

    def sessions(self, name: str) -> tuple[Session, ...]:
        """The sessions of an operator, the one that was used last first."""
        data = self.read()
        found = [session for key in data["sessions"] if (session := _session(data, key)) and session.name == name]
        return tuple(sorted(found, key=lambda session: session.seen_at, reverse=True))

    def sign_out(self, token: str) -> None:
        """End a session."""
        with self.changing() as data:
            data["sessions"].pop(_hash(token), None)

    def end_session(self, name: str, session_id: str) -> None:
        """End another session of an operator.

        Raises:
            NotFound: the operator has no such session.
        """
        with self.changing() as data:
            if not _end(data, lambda session: (session["name"], session["id"]) == (name, session_id)):
                raise NotFound("there is no such session; it may have ended already")

    def _verified(self, name: str, password: str, keys: Sequence[str]) -> dict[str, Any] | None:
        """The operator of that name, if the password is right; else None, and the failure is counted under the keys."""
        self.failed.check(keys)
        if not self._attempts.acquire(blocking=False):
            raise TooManyAttempts("too many sign in at once; try again in a second", seconds=1)
        try:
            with self._hashing:
                self.failed.check(keys)  # an attempt that was checked meanwhile may have failed
                operator = self.read()["operators"].get(name)
                if _matches(operator, password):
                    self.failed.forget(keys)
                    return operator
                self.failed.count(keys)
                return None
        finally:
            self._attempts.release()

    def read(self) -> dict[str, dict[str, Any]]:
        """Operators by name and sessions by their tokens' hash, as they are kept."""
        try:
            data = json.loads(self._file.read_text(encoding="utf-8"))
            return {"operators": dict(data["operators"]), "sessions": dict(data["sessions"])}
        except FileNotFoundError:
            return {"operators": {}, "sessions": {}}
        except (ValueError, KeyError, TypeError):
            raise SettingsError(f"{self._file} is damaged; delete it and add the operators again") from None

    @contextmanager
    def changing(self) -> Iterator[dict[str, dict[str, Any]]]:
        """The same to be changed, while nobody else does; it is saved at the end of the block."""
        with disk_errors(self._file):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with file_lock(self._file.with_suffix(".lock")):
                data = self.read()
                yield data
                write_json(self._file, data)


_UNKNOWN = "$argon2id$v=19$m=19456,t=2,p=1$c29tZS1vdGhlci1zYWx0$Kd6iWZ9hC1pZ1rS5Z9yqJ4xkqg2nXzJm0m1cYqvE3hQ"
"""A hash of no known password, compared with where there is no such operator."""


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UnknownName(f"no role named {role[:40]!r}; known: {', '.join(ROLES)}")


def _check_known(data: dict[str, dict[str, Any]], name: str) -> None:
    if name not in data["operators"]:
        raise NotFound(f"there is no operator {name[:60]!r}; `auria web operators list` lists them")


def _check_owners(data: dict[str, dict[str, Any]], name: str, role: str) -> None:
    """Make sure that an owner stays when an operator gets another role, or ("") leaves."""
    owners = {one for one, values in data["operators"].items() if values["role"] == "owner"}
    if owners == {name} and role != "owner":
        raise InvalidTransition(f"{name} is the only owner; make somebody else an owner first")


def _matches(operator: dict[str, Any] | None, password: str) -> bool:
    """Whether the password is the operator's; takes as long where there is no such operator."""
    from argon2.exceptions import Argon2Error, InvalidHashError

    try:
        fits = _hasher().verify(operator["hash"] if operator else _UNKNOWN, password[: LONGEST_PASSWORD + 1])
    except (Argon2Error, InvalidHashError):
        return False
    return fits and operator is not None


def _hashed(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InputError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    hashed: str = _hasher().hash(password)
    return hashed


def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _session(data: dict[str, dict[str, Any]], key: str) -> Session | None:
    values = data["sessions"].get(key)
    if values is None or values["name"] not in data["operators"]:
        return None
    times = {name: datetime.fromisoformat(values[name]) for name in ("begun_at", "seen_at")}
    return Session(**{**values, **times, "role": data["operators"][values["name"]]["role"]})


def _end(data: dict[str, dict[str, Any]], ended: Callable[[dict[str, Any]], bool]) -> int:
    gone = [key for key, session in data["sessions"].items() if ended(session)]
    for key in gone:
        del data["sessions"][key]
    return len(gone)
