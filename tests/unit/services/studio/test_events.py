"""The events of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.errors import DiskError
from auria_bot.services.studio.events import EventLog, RunEvent, read_events

if TYPE_CHECKING:
    from pathlib import Path


def event(step: str = "poem", **changes: object) -> RunEvent:
    """An event of the first artwork."""
    return RunEvent(artwork=1, step=step, state="done", **changes)


def test_events_are_read_as_they_were_kept(tmp_path: Path) -> None:
    """With their files, positions and times, from any position on."""
    log = EventLog(tmp_path / "events.jsonl")
    kept = [log.append(event(files={"painting": ArtworkFile.named("painting.png", sha256="a", size=3)}))]
    kept.append(log.append(event("mood", seconds=0.5, message="“ü”\nx")))
    assert [item.position for item in kept] == [1, 2]
    assert all(item.at.endswith("+00:00") for item in kept)
    assert read_events(tmp_path / "events.jsonl") == tuple(kept)
    assert read_events(tmp_path / "events.jsonl", after=1) == (kept[1],)
    assert read_events(tmp_path / "events.jsonl", after=9) == ()


def test_a_torn_line_is_skipped_and_counted(tmp_path: Path) -> None:
    """A process that was killed while writing leaves one; positions stay the numbers of lines."""
    path = tmp_path / "events.jsonl"
    first = EventLog(path).append(event())
    with path.open("ab") as file:
        file.write(b'{"artwork": 1, "st')
    assert read_events(path) == (first,)
    third = EventLog(path).append(event("mood"))
    assert third.position == 3
    assert read_events(path) == (first, third)
    assert read_events(path, after=2) == (third,)


def test_a_full_disk_is_a_disk_error(tmp_path: Path) -> None:
    """The file is named."""
    (tmp_path / "events.jsonl").mkdir()
    with pytest.raises(DiskError, match=r"events\.jsonl"):
        EventLog(tmp_path / "events.jsonl")
    log = EventLog(tmp_path / "other.jsonl")
    (tmp_path / "other.jsonl").mkdir()
    with pytest.raises(DiskError, match=r"other\.jsonl"):
        log.append(event())
