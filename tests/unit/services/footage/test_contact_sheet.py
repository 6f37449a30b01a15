"""Tests of auria_bot.services.footage.contact_sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.art.exporters import contact_sheet
from auria_bot.errors import NotFound
from auria_bot.services.footage.contact_sheet import write_sheet
from auria_bot.services.footage.library import Footage, FootageLibrary, Source, StoredFrame

if TYPE_CHECKING:
    from pathlib import Path


def test_a_set_without_frames_has_no_sheet(tmp_path: Path) -> None:
    """The message names the command that says why."""
    library = FootageLibrary(tmp_path)
    library.save(Footage(name="sea", width=64, height=64, shape="square"))
    with pytest.raises(NotFound, match="auria footage show sea"):
        write_sheet(library, "sea", tmp_path / "a.jpg", count=3)


def test_a_minute_has_sixty_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is rounded before it is divided into minutes and seconds."""
    told: list[str] = []
    monkeypatch.setattr(
        contact_sheet, "write_contact_sheet", lambda _, shown, __: told.extend(text for _, text in shown)
    )
    frames = tuple(
        StoredFrame(
            file=f"{number:06d}.jpg",
            source=0,
            time=time,
            sha256="",
            fingerprint="0" * 16,
            light="00" * 64,
            colour=(0.0, 0.0, 0.0),
            sharpness=1.0,
        )
        for number, time in enumerate((59.94, 59.96, 3599.97))
    )
    source = Source(name="a.mp4", sha256="", every=0.5, seconds=3600.0, size=(64, 64))
    library = FootageLibrary(tmp_path)
    library.save(Footage(name="sea", width=64, height=64, shape="square", sources=(source,), frames=frames))
    write_sheet(library, "sea", tmp_path / "a.jpg", count=3)
    assert told == ["a.mp4 0:59.9", "a.mp4 1:00.0", "a.mp4 60:00.0"]
