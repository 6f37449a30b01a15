"""The commands `auria footage`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from auria_bot.art.evaluation.stylist import invented_scene

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Auria = Callable[..., tuple[int, str, str]]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder of three stills, two of them the same scene."""
    folder = tmp_path / "stills"
    folder.mkdir()
    for name, seed, side in (("a", 1, 128), ("b", 2, 128), ("c", 1, 140)):
        invented_scene(seed, 128).resize((side, side)).save(folder / f"{name}.png")
    return folder


def test_footage_is_added_listed_shown_and_removed(home: Path, auria: Auria, pictures: Path, tmp_path: Path) -> None:
    """From a folder of stills to a contact sheet, and away."""
    code, shown, errors = auria("footage", "add", str(pictures), "--name", "sea", "--size", "64")
    assert code == 0, errors
    assert "2 frames of 64 x 64 pixels" in shown
    assert "1 duplicate" in shown
    code, shown, _ = auria("footage", "list", "--json")
    assert json.loads(shown)[0]["left_out"] == {"duplicate": 1}
    assert "sea" in auria("footage", "list")[1]
    shown = auria("footage", "show", "sea")[1]
    assert "it nearly equals a frame that was kept" in shown
    assert "000001.jpg" in auria("footage", "show", "sea", "--left-out")[1]
    assert json.loads(auria("footage", "show", "sea", "--json")[1])["frames"][0]["file"] == "000001.jpg"
    code, shown, errors = auria("footage", "sheet", "sea", str(tmp_path / "sheet.jpg"))
    assert code == 0, errors
    assert (tmp_path / "sheet.jpg").stat().st_size > 1000
    assert auria("footage", "remove", "sea")[1] == "removed sea: 2 frames\n"
    assert not (home / "footage" / "sea").exists()
    assert auria("footage", "show", "sea")[0] == 5


def test_a_file_that_is_refused_is_named_and_the_rest_added(home: Path, auria: Auria, pictures: Path) -> None:
    """The exit code says that something was refused."""
    (pictures / "d.jpg").write_bytes(b"")
    code, shown, errors = auria("footage", "add", str(pictures), "--size", "64", "--json")
    assert code == 4
    assert json.loads(shown)["frames"] == 2
    assert len(json.loads(shown)["refused"]) == 1
    assert "refused: " in errors


def test_a_dry_run_leaves_the_home_as_it_was(home: Path, auria: Auria, pictures: Path) -> None:
    """It says what the set would hold."""
    code, shown, _ = auria("footage", "add", str(pictures), "--size", "64", "--dry-run", "--even")
    assert code == 0
    assert "it would hold 2 frames" in shown
    assert not (home / "footage").exists()


@pytest.mark.parametrize("every", ["0", "x", "1/0", "9999", "-1", "1e99999999"])
def test_a_time_that_is_none_is_refused(home: Path, auria: Auria, pictures: Path, every: str) -> None:
    """The message says how to write it."""
    code, _, errors = auria("footage", "add", str(pictures), "--every", every)
    assert code == 2
    assert "write it as 0.5" in errors


def test_an_empty_list_names_the_command_that_fills_it(home: Path, auria: Auria) -> None:
    """On stderr, with an empty result."""
    code, shown, errors = auria("footage", "list")
    assert (code, shown) == (0, "")
    assert "auria footage add VIDEO" in errors
