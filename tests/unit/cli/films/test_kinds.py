"""`auria footage label` and `auria footage kinds`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def footage(auria: Any, tmp_path: Path) -> None:
    """Six stills: noise in grey, then noise in orange."""
    rng = np.random.default_rng(0)
    (tmp_path / "stills").mkdir()
    for number in range(6):
        values = rng.integers(0, 255, (64, 64, 1)) * np.array([1, 1, 1] if number < 3 else [1, 0.4, 0])
        Image.fromarray(values.astype(np.uint8)).resize((128, 128)).save(tmp_path / "stills" / f"{number}.png")
    assert auria("footage", "add", str(tmp_path / "stills"), "--name", "sea", "--size", "64", "--distinct", "0")[0] == 0


@pytest.mark.usefixtures("footage")
def test_labels_are_given_and_kinds_learnt(auria: Any, tmp_path: Path) -> None:
    """With counts, accuracy, a sheet, and the frames sorted into folders."""
    assert auria("footage", "kinds", "sea")[0] == 4
    code, out, err = auria("footage", "label", "sea", "calm", "1-2")
    assert (code, "2 frames labelled calm; 2 calm" in out, "learn the others" in err) == (0, True, False)
    code, out, err = auria("footage", "label", "sea", "storm", "4", "5")
    assert (code, "2 calm, 2 storm" in out, "auria footage kinds sea" in err) == (0, True, True)
    sheet, folder = tmp_path / "kinds.jpg", tmp_path / "sorted"
    code, out, err = auria("footage", "kinds", "sea", "--sheet", str(sheet), "--copy", str(folder), "--most", "2")
    assert code == 0, err
    assert "held-out labels named rightly" in out
    assert sheet.read_bytes().startswith(b"\xff\xd8")
    assert {path.parent.name for path in folder.rglob("*.jpg")} == {"calm", "storm"}
    found = json.loads(auria("footage", "kinds", "sea", "--json")[1])
    assert sum(found["kinds"].values()) == len(found["frames"]) == 6
    assert [one["is_labelled"] for one in found["frames"]] == [True, True, False, True, True, False]
    auria("footage", "label", "sea", "storm", "5", "--remove")
    assert json.loads(auria("footage", "label", "sea", "calm", "3", "--json")[1])["labels"] == {
        "000001.jpg": "calm",
        "000002.jpg": "calm",
        "000003.jpg": "calm",
        "000004.jpg": "storm",
    }


@pytest.mark.usefixtures("footage")
def test_what_cannot_be_is_refused(auria: Any) -> None:
    """No frames, and a limit of copies that are not made."""
    code, _, err = auria("footage", "label", "sea", "calm")
    assert (code, "auria footage label sea calm 12-40" in err) == (2, True)
    code, _, err = auria("footage", "kinds", "sea", "--most", "3")
    assert (code, "--most belongs to --copy" in err) == (2, True)
