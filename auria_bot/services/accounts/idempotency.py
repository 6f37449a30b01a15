"""Keeps the answers to requests that a program may repeat, so that each is carried out once.

A program marks a request with a key of its own. The first one begins a record; a repetition gets the answer that is in
it. Records are files of the home, each named by the hash of who asked and with which key, and are kept for 24 hours.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from auria_bot.errors import InputError, InvalidTransition
from auria_bot.files import disk_errors, file_lock, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from auria_bot.domain.interfaces import Clock

__all__ = ["AnsweredRequests", "StoredAnswer"]

_KEPT = timedelta(hours=24)
_ABANDONED = timedelta(minutes=5)  # a request takes a minute at most; one without an answer then died with its process
_MOST = 10_000  # records; the oldest are deleted first
_CLEANED_EVERY = 100  # records


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

    def begin(self, who: str, key: str, digest: str) -> StoredAnswer | None:
        """Begin a request; the answer if it was carried out before.

        `digest` stands for the request's content.

        Raises:
            InvalidTransition: the same request is being carried out.
            InputError: the key belongs to another request.
            DiskError: it cannot be recorded.
        """
        path, now = self._path(who, key), self._clock()
        with self._locked():
            if self._begun % _CLEANED_EVERY == 0:
                self._clean(now)
            self._begun += 1
            known = _record(path)
            if known is not None and now - known["at"] < _KEPT:
                if known["digest"] != digest:
                    raise InputError("this Idempotency-Key belongs to another request; use a new one")
                if known["answer"] is not None:
                    return StoredAnswer(**known["answer"])
                if now - known["at"] < _ABANDONED:
                    raise InvalidTransition("the request with this Idempotency-Key is being carried out; ask again")
            write_json(path, {"digest": digest, "at": now.isoformat(), "answer": None}, durable=False)
        return None

    def finish(self, who: str, key: str, digest: str, answer: StoredAnswer) -> None:
        """Keep the answer to a request that was begun.

        Raises:
            DiskError: it cannot be written.
        """
        record = {"digest": digest, "at": self._clock().isoformat(), "answer": asdict(answer)}
        with self._locked():
            write_json(self._path(who, key), record)

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


def _record(path: Path) -> dict[str, Any] | None:
    """A record; None if there is none, or a killed process left it damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {**found, "at": datetime.fromisoformat(found["at"])}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
