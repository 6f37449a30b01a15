"""Tests of auria_bot.services.prints.printing."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.errors import InputError
from auria_bot.services.prints.printing import FORMATS, print_draft
from auria_bot.services.prints.sheet_size import sheet
from tests.house import fake_house

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("form", FORMATS)
def test_a_print_has_its_size_its_resolution_and_a_profile(tmp_path: Path, form: str) -> None:
    """The same again gives the same bytes."""
    if form == "pdf":
        pytest.importorskip("fpdf")
    app = fake_house(tmp_path / "home")
    (draft,) = app.studio.make(ArtworkRequest(count=1, seed=1)).drafts
    files = []
    for name in ("one", "two"):
        seen: list[tuple[int, int, str]] = []
        target = tmp_path / f"{name}.{form}"
        size = print_draft(
            app.canvas_painter,
            draft,
            target,
            sheet=sheet("A6", bleed="3mm"),
            dpi=72,
            form=form,
            poem=False,
            zone=UTC,
            progress=lambda *step, seen=seen: seen.append(step),
        )
        assert size == (315, 437)
        assert [step[:2] for step in seen] == [(0, 2), (1, 2), (2, 2)]
        files.append(target.read_bytes())
    assert files[0] == files[1]
    if form != "pdf":
        with Image.open(tmp_path / f"one.{form}") as picture:
            assert picture.size == (315, 437)
            assert round(float(picture.info["dpi"][0])) == 72
            assert picture.info["icc_profile"]
            assert "srgb" not in picture.info
            assert picture.getxmp()
    app.close()


def test_another_format_is_refused(tmp_path: Path) -> None:
    """Before anything is painted."""
    with pytest.raises(InputError, match="png, tiff, pdf"):
        print_draft(
            None,  # type: ignore[arg-type]
            None,  # type: ignore[arg-type]
            tmp_path / "x.gif",
            sheet=sheet("A6"),
            dpi=72,
            form="gif",
            poem=False,
            zone=UTC,
            progress=lambda *_: None,
        )
