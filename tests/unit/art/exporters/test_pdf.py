"""Tests of auria_bot.art.exporters.pdf, with two readers of PDF."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from auria_bot.art.exporters.card import contrast
from auria_bot.art.exporters.pdf import INK, QUIET, PdfDocument, Plate, arrange

if TYPE_CHECKING:
    from pathlib import Path

MADE = datetime(2026, 11, 28, 12, tzinfo=UTC)
POINT = 72 / 25.4


@pytest.mark.parametrize("size", [(210, 297), (420, 594), (297, 210), (300, 300), (600, 800), (148, 210), (900, 300)])
def test_picture_and_texts_stay_on_the_page_and_apart(size: tuple[float, float]) -> None:
    """The picture is 4:5; the poem begins after it, and the small lines after the poem."""
    at = arrange(*size)
    left, top, wide, high = at.picture
    assert wide == pytest.approx(0.8 * high)
    assert min(left, top, size[0] - left - wide, size[1] - top - high) > 0.03 * min(size)
    last = at.poem + 2 * 1.5 * at.type_size
    assert at.text[1] > 8 * at.type_size
    assert at.text[0] + at.text[1] < size[0]
    assert last + at.type_size < at.foot - 1.4 * at.small < size[1]
    if at.text[0] < left + wide:
        assert at.poem - at.type_size > top + high
    assert min(contrast(colour, (255, 255, 255)) for colour in (INK, QUIET)) > 4.5


def written(folder: Path, **changes: object) -> Path:
    """A page of 148 x 210 mm with 3 mm of bleed."""
    picture = folder / "picture.jpg"
    Image.new("RGB", (400, 500), (90, 120, 60)).save(picture)
    document = PdfDocument((148, 210), title="Snow", made_at=MADE, bleed=3)
    plate = {
        "picture": picture,
        "alt_text": "A field.",
        "poem": ("first snow on the fields", "nobody's footprints lead out", "or back to the house"),
        "small": ("Auria, 28 November 2026", "After \u201cThe Wave\u201d by G. Courbet, 1870"),
        **changes,
    }
    document.plate(Plate(**plate), foot="7")
    document.save(folder / "page.pdf")
    return folder / "page.pdf"


def test_two_readers_find_the_size_the_words_and_the_fonts(tmp_path: Path) -> None:
    """Media and trim box in millimetres, text that can be searched, every font embedded, the JPEG unchanged."""
    pytest.importorskip("fpdf")
    pdfium, mupdf = pytest.importorskip("pypdfium2"), pytest.importorskip("pymupdf")
    path = written(tmp_path)
    with mupdf.open(path) as document:
        page = document[0]
        assert [round(side / POINT, 2) for side in page.mediabox[2:]] == [154, 216]
        assert [round(side / POINT, 2) for side in page.trimbox] == [3, 3, 151, 213]
        assert "nobody\u2019s footprints lead out" in page.get_text()
        fonts = page.get_fonts(full=True)
        assert {name.partition("+")[2] for _, _, _, name, *_ in fonts} == {"EBGaramond", "EBGaramondItalic"}
        assert all(len(document.extract_font(font[0])[3]) > 1000 for font in fonts)
        ((number, _, wide, high, *_),) = page.get_images()
        assert (wide, high) == (400, 500)
        assert document.extract_image(number)["image"] == (tmp_path / "picture.jpg").read_bytes()
    reader = pdfium.PdfDocument(path)
    assert [round(side / POINT, 2) for side in reader[0].get_trimbox()] == [3, 3, 151, 213]
    assert "first snow on the fields" in reader[0].get_textpage().get_text_range()
    shown = reader[0].render(scale=1).to_pil().convert("RGB")
    reader.close()
    left, top, wide, high = arrange(148, 210).picture
    middle = (round((3 + left + wide / 2) * POINT), round((3 + top + high / 2) * POINT))
    assert shown.getpixel(middle) == pytest.approx((90, 120, 60), abs=4)
    assert shown.getpixel((2, 2)) == (255, 255, 255)


def test_the_same_page_is_the_same_bytes(tmp_path: Path) -> None:
    """No clock is read; a long line is set smaller, and a long credit is broken."""
    pytest.importorskip("fpdf")
    first = written(tmp_path).read_bytes()
    assert written(tmp_path).read_bytes() == first
    long = written(tmp_path, poem=("w" * 90, "b", "c"), small=("Auria", "after " + "many words " * 20))
    mupdf = pytest.importorskip("pymupdf")
    with mupdf.open(long) as document:
        for block in document[0].get_text("blocks"):
            assert block[2] < document[0].mediabox[2]


def test_without_the_extra_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the message."""
    from auria_bot.errors import BackendMissing

    monkeypatch.setattr("auria_bot.art.exporters.pdf.find_spec", lambda _: None)
    with pytest.raises(BackendMissing, match="auria-bot\\[print\\]"):
        PdfDocument((148, 210), title="Snow", made_at=MADE)


@pytest.mark.parametrize("size", [(105, 148), (148, 105), (148, 210), (60, 60)])
def test_a_long_credit_keeps_off_the_poem_and_the_page_number(tmp_path: Path, size: tuple[float, float]) -> None:
    """The picture makes room for its lines; one without end is cut with an ellipsis."""
    pytest.importorskip("fpdf")
    mupdf = pytest.importorskip("pymupdf")
    picture = tmp_path / "picture.jpg"
    Image.new("RGB", (400, 500)).save(picture)
    poem = ("rain on the wet hills", "a horse stands by the gate", "with its head held high")
    for length in (12, 400):
        document = PdfDocument(size, title="Rain", made_at=MADE)
        small = ("1. Auria, 3 November 2026", "After \u201cThe Wave\u201d by an artist " + "of many names " * length)
        document.plate(Plate(picture=picture, alt_text="", poem=poem, small=small), foot="499")
        document.save(tmp_path / "page.pdf")
        with mupdf.open(tmp_path / "page.pdf") as pages:
            spans = _spans(pages[0])
            (box,) = (mupdf.Rect(found["bbox"]) for found in pages[0].get_image_info())
            assert "\u2026" in pages[0].get_text() or length == 12
        tops = [span["origin"][1] - 0.7 * span["size"] for span in spans]
        feet = [span["origin"][1] + 0.25 * span["size"] for span in spans]
        number = next(span for span in spans if span["text"].strip() == "499")
        beside = [s for s in spans if s is not number and abs(s["origin"][1] - number["origin"][1]) < 1]
        assert all(span["bbox"][2] < number["bbox"][0] for span in beside)
        last = max(foot for foot, span in zip(feet, spans, strict=True) if span["text"].strip() in poem)
        assert last < min(top for top, span in zip(tops, spans, strict=True) if "Auria" in span["text"])
        assert box.width > 0.2 * size[0] * POINT
        assert all(span["origin"][1] > box.y1 or span["origin"][0] > box.x1 for span in spans)


def _spans(page: Any) -> list[dict[str, Any]]:
    """The runs of text of a page of mupdf, blank ones left out."""
    lines = [line for block in page.get_text("dict")["blocks"] for line in block.get("lines", ())]
    return [span for line in lines for span in line["spans"] if span["text"].strip()]


@pytest.mark.parametrize("size", [(105, 148), (148, 105), (60, 60)])
@pytest.mark.parametrize("line", ["the long road over the hills " * 6, "w" * 90, "moon over the sea"])
def test_a_long_line_of_a_poem_is_broken_where_it_would_become_small(
    tmp_path: Path, size: tuple[float, float], line: str
) -> None:
    """No word is lost, nothing leaves the page or runs into the picture, and what has spaces can be read."""
    pytest.importorskip("fpdf")
    mupdf = pytest.importorskip("pymupdf")
    picture = tmp_path / "picture.jpg"
    Image.new("RGB", (400, 500)).save(picture)
    document = PdfDocument(size, title="Rain", made_at=MADE)
    poem = ("rain", line.strip(), "evening")
    document.plate(Plate(picture=picture, alt_text="", poem=poem, small=("Auria",)))
    document.save(tmp_path / "page.pdf")
    with mupdf.open(tmp_path / "page.pdf") as pages:
        spans = [span for span in _spans(pages[0]) if span["text"].strip() != "Auria"]
        (box,) = (mupdf.Rect(found["bbox"]) for found in pages[0].get_image_info())
        words = pages[0].get_text().split()
    assert words == [*" ".join(poem).split(), "Auria"]
    usual = arrange(*size).type_size * POINT
    assert " " not in line.strip() or min(span["size"] for span in spans) > 0.6 * usual
    assert all(span["bbox"][0] > 0 and span["bbox"][2] < size[0] * POINT for span in spans)
    assert all(span["origin"][1] - 0.7 * span["size"] > box.y1 or span["origin"][0] > box.x1 for span in spans)
    assert box.width > 0.2 * size[0] * POINT


def test_a_poem_of_signs_that_are_not_drawn_is_a_page(tmp_path: Path) -> None:
    """With its picture and credit."""
    pytest.importorskip("fpdf")
    assert written(tmp_path, poem=("\u200b",) * 3).is_file()
