"""Keeps the answers to requests that a program may repeat, so that each is carried out once.

A program marks a request with a key of its own. The first one begins a record; a repetition gets the answer that is in
it. Records are files of the home, each named by the hash of who asked and with which key, and are kept for 24 hours.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import threading
from collections import OrderedDict
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from auria_bot.errors import DiskError, InputError, InvalidTransition
from auria_bot.files import disk_errors, file_lock, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from auria_bot.domain.interfaces import Clock

__all__ = ["AnsweredRequests", "StoredAnswer"]

log = logging.getLogger(__name__)

_KEPT = timedelta(hours=24)
_ABANDONED = timedelta(minutes=5)  # a request takes a minute at most; one without an answer then died with its process
_MOST = 10_000  # records; the oldest are deleted first
_CLEANED_EVERY = 100  # records
_MOST_UNWRITTEN = 1000  # answers in memory; the oldest are forgotten first


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """The answer to a request."""

    status: int
    headers: Mapping[str, str]
    body: str


class AnsweredRequests:
    """Records requests and their answers. Safe for use by several threads and processes.

    Usage::

        if (answer := requests.begin("key:bot", "a7", digest)) is None:
            requests.finish("key:bot", "a7", digest, answer := carry_out())
    """

    def __init__(self, *, folder: Path, clock: Clock) -> None:
        """Records are kept in this folder; it is created with the first one."""
        self._folder, self._clock, self._begun = folder, clock, 0
        self._unwritten: OrderedDict[str, dict[str, Any]] = OrderedDict()  # records, by the names of their files
        self._memory = threading.Lock()

    def begin(self, who: str, key: str, digest: str) -> StoredAnswer | None:
        """Begin a request; the answer if it was carried out before.

        `digest` stands for the request's content.

        Raises:
            InvalidTransition: the same request is being carried out.
            InputError: the key belongs to another request.
            DiskError: it cannot be recorded.
        """
        path, now = self._path(who, key), self._clock()
        with self._memory:
            unwritten = self._unwritten.get(path.name)
        if (answered := _answer(unwritten, digest, now)) is not None:
            return answered
        with self._locked():
            if self._begun % _CLEANED_EVERY == 0:
                self._clean(now)
            self._begun += 1
            known = _record(path)
            if (answered := _answer(known, digest, now)) is not None:
                return answered
            if known is not None and now - known["at"] < _ABANDONED:
                raise InvalidTransition("the request with this Idempotency-Key is being carried out; ask again")
            write_json(path, {"digest": digest, "at": now.isoformat(), "answer": None}, durable=False)
        return None

    def finish(self, who: str, key: str, digest: str, answer: StoredAnswer) -> None:
        """Keep the answer to a request that was begun; in this process's memory where it cannot be written."""
        path, now = self._path(who, key), self._clock()
        record = {"digest": digest, "at": now.isoformat(), "answer": asdict(answer)}
        try:
            with self._locked():
                write_json(path, record)
        except DiskError as error:
            log.warning("The answer to a request of %s is kept in memory only: %s", who, error)
            with self._memory:
                self._unwritten[path.name] = {**record, "at": now}
                self._unwritten.move_to_end(path.name)
                while len(self._unwritten) > _MOST_UNWRITTEN:
                    self._unwritten.popitem(last=False)

    def abandon(self, who: str, key: str) -> None:
        """Forget a request that changed nothing, so that it can be corrected and sent again.

        Raises:
            DiskError: the record cannot be deleted.
        """
        with self._locked():
            self._path(who, key).unlink(missing_ok=True)

    def _path(self, who: str, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(json.dumps([who, key]).encode()).hexdigest()}.json"

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with disk_errors(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with file_lock(self._folder / ".lock"):
                yield

    def _clean(self, now: datetime) -> None:
        """Delete records that are over, and the oldest where there are too many."""
        records = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)
        for number, path in enumerate(records):
            known = _record(path)
            if known is None or now - known["at"] >= _KEPT or number >= _MOST:
                path.unlink(missing_ok=True)


def _answer(known: dict[str, Any] | None, digest: str, now: datetime) -> StoredAnswer | None:
    """The answer that is in a record; None if there is none yet, or the record is over."""
    if known is None or now - known["at"] >= _KEPT:
        return None
    if known["digest"] != digest:
        raise InputError("this Idempotency-Key belongs to another request; use a new one")
    return None if known["answer"] is None else StoredAnswer(**known["answer"])


def _record(path: Path) -> dict[str, Any] | None:
    """A record; None if there is none, or a killed process left it damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {**found, "at": datetime.fromisoformat(found["at"])}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
