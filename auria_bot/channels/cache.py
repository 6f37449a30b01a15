"""Keep what a channel learned about its server in a small JSON file, so that no other process has to ask again."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Any

from auria_bot import files
from auria_bot.channels.answers import as_object

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ChannelCache"]


class ChannelCache:
    """A file `channels/NAME.json` in the home; a file that cannot be read or written counts as missing."""

    def __init__(self, home: Path, channel: str) -> None:
        self._path = home / "channels" / f"{re.sub(r'[^A-Za-z0-9_-]', '_', channel)}.json"

    def load(self) -> dict[str, Any]:
        """What was saved last; empty without a readable file."""
        with contextlib.suppress(OSError, ValueError, RecursionError):
            return as_object(json.loads(self._path.read_text(encoding="utf-8")))
        return {}

    def save(self, values: dict[str, Any]) -> None:
        """Replace the file."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            files.write_atomic(self._path, json.dumps(values).encode(), durable=False)
