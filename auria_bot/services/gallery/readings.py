"""Poems read aloud: sound files, kept in the home by what is read, and offered on the pages of their artworks.

A reading is `readings/HASH.m4a` (AAC), or `.wav` where PyAV is not installed; the digits are a hash of the poem's
lines, so that artworks with the same poem share one. It can be made again at any time, and is not part of a backup.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot import __version__
from auria_bot.errors import NotFound, UsageError
from auria_bot.files import disk_errors, output_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from auria_bot.art.voice import Voice
    from auria_bot.domain.artwork import Haiku

__all__ = ["SUFFIXES", "ReadAloud", "Readings"]

SUFFIXES = (".m4a", ".wav")
"""Of readings that are kept, the preferred one first."""

_WRITTEN = (*SUFFIXES, ".ogg", ".opus")
_MODE = 0o644  # the web server's user may be another


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAloud:
    """A sound file that was written."""

    path: Path
    seconds: float
    loudness: float  # LUFS


class Readings:
    """Reads poems aloud."""

    def __init__(self, home: Path, voice: Callable[[], Voice], *, has_encoder: Callable[[], bool]) -> None:
        self._folder, self._voice, self._has_encoder = home / "readings", voice, has_encoder

    def find(self, poem: Haiku) -> Path | None:
        """The kept reading of a poem; None where there is none."""
        return next((path for suffix in SUFFIXES if (path := self._path(poem, suffix)).is_file()), None)

    @property
    def stamp(self) -> int:
        """A number that changes when a reading is kept or removed; no file is read."""
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return 0

    def keep(self, poem: Haiku, *, pace: float) -> ReadAloud:
        """Read a poem aloud, and keep that in place of an earlier reading.

        Raises:
            BackendMissing: the voice is not installed.
            UsageError: the pace is out of range.
            DiskError: it cannot be written.
        """
        path = self._path(poem, SUFFIXES[0] if self._has_encoder() else SUFFIXES[-1])
        made = self.write(poem, path, pace=pace)
        for suffix in SUFFIXES:
            if suffix != path.suffix:
                self._path(poem, suffix).unlink(missing_ok=True)
        return made

    def write(self, poem: Haiku, target: Path, *, pace: float) -> ReadAloud:
        """Read a poem aloud into a file: .m4a (AAC), .ogg or .opus (Opus), .wav.

        Raises:
            BackendMissing: the voice is not installed, or PyAV where the format needs it.
            UsageError: the name ends otherwise, or the pace is out of range.
            DiskError: it cannot be written.
        """
        from auria_bot.art.films.sound import write_sound
        from auria_bot.art.voice import RATE, loudness, wav

        suffix = target.suffix.lower()
        if suffix not in _WRITTEN:
            raise UsageError(f"a reading cannot be written as {target.name[:60]!r}; end it in {', '.join(_WRITTEN)}")
        voice = self._voice()
        reading = voice.read(poem.lines, pace=pace)
        with output_path(target, mode=_MODE) as scratch:
            if suffix == ".wav":
                scratch.write_bytes(wav(reading))
            else:
                about = _metadata(poem, voice, pace)
                write_sound(scratch, reading.samples, RATE, suffix=suffix, metadata=about)
        return ReadAloud(path=target, seconds=len(reading.samples) / RATE, loudness=loudness(reading.samples))

    def remove(self, poem: Haiku) -> None:
        """Remove the kept reading of a poem.

        Raises:
            NotFound: there is none.
            DiskError: it cannot be removed.
        """
        if (found := self.find(poem)) is None:
            raise NotFound("this poem was not read aloud; auria speak ID does it")
        with disk_errors(found):
            found.unlink()

    def _path(self, poem: Haiku, suffix: str) -> Path:
        return self._folder / f"{hashlib.sha256(poem.text.encode()).hexdigest()[:32]}{suffix}"


def _metadata(poem: Haiku, voice: Voice, pace: float) -> Mapping[str, str]:
    """What the file says of itself."""
    from auria_bot.art.exporters.exporter import CREATOR, SOURCE_TYPE

    record = {
        "software": f"auria_bot {__version__}",
        "digital_source_type": SOURCE_TYPE,
        "voice": voice.package,
        "voice_sha256": voice.sha256,
        "pace": pace,
    }
    return {
        "title": f"{poem}, read aloud by a synthetic voice",
        "artist": CREATOR,
        "comment": json.dumps(record, sort_keys=True),
    }
