"""Tests of auria_bot.services.prints.printing."""

from __future__ import annotations

import os
import time
from datetime import UTC
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.errors import InputError, UnknownName
from auria_bot.services.prints.printing import FORMATS, CanvasPainter, length, print_draft, sheet
from tests.applications import application_with_drafts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("form", FORMATS)
def test_a_print_has_its_size_its_resolution_and_a_profile(tmp_path: Path, form: str) -> None:
    """The same again gives the same bytes."""
    if form == "pdf":
        pytest.importorskip("fpdf")
    app = application_with_drafts(tmp_path / "home")
    draft = app.review.draft(1)
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


def test_a_print_with_its_poem_is_a_plate(tmp_path: Path) -> None:
    """The picture takes a part of the page, and the poem and the painting stand under it."""
    pytest.importorskip("fpdf")
    pdfium = pytest.importorskip("pypdfium2")
    app = application_with_drafts(tmp_path / "home")
    draft = app.review.draft(1)
    size = print_draft(
        app.canvas_painter,
        draft,
        tmp_path / "one.pdf",
        sheet=sheet("A6"),
        dpi=72,
        form="pdf",
        poem=True,
        zone=UTC,
        progress=lambda *_: None,
    )
    assert size < sheet("A6").pixels(72)
    document = pdfium.PdfDocument(tmp_path / "one.pdf")
    words = "".join(document[0].get_textpage().get_text_range().split())
    assert "".join(draft.artwork.haiku.text.split()) in words
    assert "".join(draft.artwork.style.title.split()) in words
    document.close()
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


def test_a_draft_is_painted_at_any_size_and_kept_once(tmp_path: Path) -> None:
    """A kept picture has its size, its dpi and a profile, and is not painted again; what is old is deleted."""
    app = application_with_drafts(tmp_path / "home")
    draft = app.review.draft(1)
    painter = app.canvas_painter
    assert painter.paint(draft, (120, 150)).size == (120, 150)
    path = painter.kept(draft, (120, 150), 300)
    with Image.open(path) as picture:
        assert (picture.size, round(picture.info["dpi"][0])) == ((120, 150), 300)
        assert picture.info["icc_profile"]
    before = path.stat().st_mtime_ns
    assert painter.kept(draft, (120, 150), 300) == path
    assert path.stat().st_mtime_ns == before
    (path.parent / "gone.jpg").symlink_to("deleted-by-another-command.jpg")
    other = painter.kept(draft, (60, 75), 300)
    assert other != path
    os.utime(other, (time.time() - 30 * 86_400,) * 2)
    painter.tidy((path,))
    assert not path.exists()
    assert not other.exists()
    app.close()


def test_a_stylist_without_canvas_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the setting that helps."""
    app = application_with_drafts(tmp_path / "home")
    draft = app.review.draft(1)
    monkeypatch.delattr("auria_bot.testing.FakeStylist.painted")
    with pytest.raises(InputError, match="magenta"):
        app.canvas_painter.paint(draft, (60, 75))
    assert isinstance(app.canvas_painter, CanvasPainter)
    app.close()


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("A2", (420, 594)),
        ("a4", (210, 297)),
        ("letter", (215.9, 279.4)),
        ("600x800mm", (600, 800)),
        ("50 x 70cm", (500, 700)),
        ("24x36in", (609.6, 914.4)),
        ("300x200", (300, 200)),
    ],
)
def test_sizes_are_read_as_operators_write_them(text: str, sides: tuple[float, float]) -> None:
    """By name or by both sides, in millimetres, centimetres or inches."""
    found = sheet(text)
    assert (found.width, found.height) == pytest.approx(sides)


def test_landscape_turns_a_sheet_and_a_bleed_surrounds_it() -> None:
    """And pixels count the bleed."""
    found = sheet("A2", landscape=True, bleed="3mm")
    assert (found.width, found.height, found.bleed) == (594, 420, 3)
    assert found.pixels(300) == (7087, 5031)
    assert sheet("A2").pixels(300) == (4961, 7016)


def test_what_cannot_be_printed_is_said() -> None:
    """No such name, a side too small, a wide bleed, too many pixels, no length."""
    with pytest.raises(UnknownName, match="A3"):
        sheet("A99")
    with pytest.raises(InputError, match="50 to 2000 mm"):
        sheet("1x1mm")
    with pytest.raises(InputError, match="at most 20 mm"):
        sheet("A4", bleed="1in")
    with pytest.raises(InputError, match="lower --dpi"):
        sheet("A0").pixels(1200)
    with pytest.raises(InputError, match="3mm"):
        length("wide")
