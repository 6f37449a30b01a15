"""What happens in a run, kept as lines of JSON: for the terminal at once, for a web page from any position on."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.errors import DiskError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["EventLog", "RunEvent", "read_events"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """Something that happened in a run."""

    position: int = 0  # in the run's events, from 1; 0 until it is kept
    at: str = ""  # ISO 8601, UTC
    artwork: int  # its number in the run, from 1
    step: str
    state: str  # "started", "done", "reused", "rejected" (another picture is painted) or "failed"
    seconds: float = 0.0  # wall
    message: str = ""  # why, where it was rejected or failed
    files: Mapping[str, ArtworkFile] = field(default_factory=dict)  # by kind: the artwork's new files

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RunEvent:
        """Read what `to_json` wrote."""
        files = {kind: ArtworkFile(**file) for kind, file in value["files"].items()}
        return cls(**{**value, "files": files})


class EventLog:
    """The events of a run that is being worked on; only the process that holds the run adds to them."""

    def __init__(self, path: Path) -> None:
        """Open the log, or begin it.

        Raises:
            DiskError: the file cannot be read or written.
        """
        self._path = path
        try:
            content = path.read_bytes() if path.exists() else b""
            if content and not content.endswith(b"\n"):  # torn by a process that was killed while writing
                self._write(b"\n")
        except OSError as error:
            raise DiskError(f"{path} cannot be read: {error.strerror or error}") from None
        self._position = len(content.splitlines())

    def append(self, event: RunEvent) -> RunEvent:
        """Keep an event; what is given has its position and time.

        Raises:
            DiskError: the file cannot be written.
        """
        self._position += 1
        event = replace(event, position=self._position, at=datetime.now(UTC).isoformat(timespec="milliseconds"))
        self._write(json.dumps(event.to_json(), ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        return event

    def _write(self, data: bytes) -> None:
        try:
            with self._path.open("ab", buffering=0) as file:
                file.write(data)
        except OSError as error:
            raise DiskError(f"{self._path} cannot be written: {error.strerror or error}") from None


def read_events(path: Path, *, after: int = 0) -> tuple[RunEvent, ...]:
    """The events after a position, in order.

    Raises:
        OSError: the file cannot be read.
    """
    complete, _, _ = path.read_bytes().rpartition(b"\n")
    found = []
    for line in complete.split(b"\n")[after:]:
        with contextlib.suppress(ValueError, KeyError, TypeError):  # torn by a process that was killed while writing
            found.append(RunEvent.from_json(json.loads(line)))
    return tuple(found)
