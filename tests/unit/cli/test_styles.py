"""`auria styles`: the paintings, those with a network of their own, and one's sample."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def test_a_painting_of_the_style_bank_is_shown(auria: Any, tmp_path: Path):
    """What is known of it, as a table and as JSON, and a sample where it is asked for."""
    code, out, err = auria("styles", "show", "sunflowers", "--out", str(tmp_path / "sample.png"))
    assert code == 0, err
    assert "Vincent van Gogh" in out
    assert "palette" in out
    assert (tmp_path / "sample.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(auria("styles", "show", "sunflowers", "--json")[1])["artist"] == "Vincent van Gogh"
    assert "blocks" in auria("styles", "show", "sunflowers", "--picture", "oil")[2]
    code, _, err = auria("make", "--style", "Monnet")
    assert (code, "Claude Monet" in err) == (auria("styles", "show", "Klee")[0], True)


def test_only_own_paintings_can_be_removed(auria: Any):
    """And listed alone; the columns of metadata.csv stand where paintings are added."""
    assert json.loads(auria("styles", "list", "--own", "--json")[1]) == []
    code, _, err = auria("styles", "remove", "vincent-van-gogh-sunflowers")
    assert code != 0
    assert "auria styles list" in err
    shown = auria("styles", "add", "--help")[1]
    for column in ("file", "title", "artist", "year", "licence", "moods", "nsfw"):
        assert column in shown
