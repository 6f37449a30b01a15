"""Tests of auria_bot.services.prints.catalogue."""

from __future__ import annotations

from datetime import UTC, date
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import InputError, NotFound
from auria_bot.services.prints.catalogue import Selection, select, write_catalogue
from auria_bot.services.prints.printing import sheet
from tests.applications import application_with_drafts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.draft import Draft

pytest.importorskip("fpdf")
pdfium = pytest.importorskip("pypdfium2")


def _write(app: Application, drafts: Sequence[Draft], target: Path, *, title: str) -> None:
    """A catalogue on small pages."""
    write_catalogue(
        app.canvas_painter,
        drafts,
        target,
        sheet=sheet("A5"),
        dpi=72,
        title=title,
        zone=UTC,
        progress=lambda *_: None,
    )


def test_works_are_chosen_by_number_state_and_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Approved ones unless something else is said, the oldest first; numbers keep their order."""
    app = application_with_drafts(tmp_path / "home", 3)
    with pytest.raises(NotFound, match="--ids"):
        select(app.review, Selection(), UTC)
    app.review.approve([2, 3], ["folder"])
    assert [draft.id for draft in select(app.review, Selection(), UTC)] == [2, 3]
    assert [draft.id for draft in select(app.review, Selection(ids=(3, 1, 3)), UTC)] == [3, 1]
    assert [draft.id for draft in select(app.review, Selection(states=("made",)), UTC)] == [1]
    made = app.review.draft(2).made_at.date()
    assert len(select(app.review, Selection(first=made, last=made), UTC)) == 2
    with pytest.raises(NotFound):
        select(app.review, Selection(first=date(2999, 1, 1)), UTC)
    monkeypatch.setattr("auria_bot.services.prints.catalogue.MOST_WORKS", 1)
    with pytest.raises(InputError, match="2 works are too many for one catalogue; choose 1 by --from and --to"):
        select(app.review, Selection(), UTC)
    app.close()


def test_an_interrupted_catalogue_goes_on_with_its_next_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And has the bytes of one that was not interrupted; nothing half-written is left, nor are kept pictures."""
    app = application_with_drafts(tmp_path / "home", 3)
    drafts = [app.review.draft(number) for number in (1, 2, 3)]
    painted: list[int] = []
    original = type(app.canvas_painter).paint
    monkeypatch.setattr(
        type(app.canvas_painter),
        "paint",
        lambda self, draft, size: (painted.append(draft.id), original(self, draft, size))[1],
    )

    def write(name: str, *, stop: int | None = None) -> int:
        def progress(done: int, total: int, name: str) -> None:
            if done == stop:
                raise KeyboardInterrupt

        return write_catalogue(
            app.canvas_painter,
            drafts,
            tmp_path / name,
            sheet=sheet("A5"),
            dpi=72,
            title="Works",
            zone=UTC,
            progress=progress,
        )

    with pytest.raises(KeyboardInterrupt):
        write("one.pdf", stop=2)
    assert not (tmp_path / "one.pdf").exists()
    assert write("one.pdf") == 6
    assert painted == [draft.id for draft in drafts]
    write("two.pdf")
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "one.pdf", "two.pdf"]
    assert not list((app.settings.home / "cache" / "prints").iterdir())
    document = pdfium.PdfDocument(tmp_path / "one.pdf")
    # Where kerning moves a letter, this reader may see the end of a line.
    pages = ["".join(page.get_textpage().get_text_range().split()) for page in document]
    assert "Works" in pages[0]
    for number, draft in enumerate(drafts, start=1):
        assert draft.artwork.haiku.lines[2].replace(" ", "") in pages[number]
        assert draft.artwork.style.title.replace(" ", "") in pages[number]
        assert draft.artwork.haiku.lines[0].replace(" ", "") in pages[4]
    assert "EBGaramond" in pages[5]
    document.close()
    app.close()


def test_all_conditions_hold_for_works_that_are_named(tmp_path: Path) -> None:
    """Those of the numbers that are of the state and the days."""
    app = application_with_drafts(tmp_path / "home", 3)
    app.review.approve([2], ["folder"])
    assert [draft.id for draft in select(app.review, Selection(ids=(3, 2, 1), states=("made",)), UTC)] == [3, 1]
    with pytest.raises(NotFound):
        select(app.review, Selection(ids=(1,), first=date(2999, 1, 1)), UTC)
    app.close()


def test_an_endless_title_stays_on_the_page_and_rejected_works_were_not_chosen(tmp_path: Path) -> None:
    """A colophon says that the operator chose the works only where it is so."""
    mupdf = pytest.importorskip("pymupdf")
    app = application_with_drafts(tmp_path / "home")
    drafts = [app.review.reject(1)]
    title = "Snow\u00a0on hills and\nother pictures of the winter, " * 4 + "w" * 300
    _write(app, drafts, tmp_path / "one.pdf", title=title)
    with mupdf.open(tmp_path / "one.pdf") as document:
        lines = [line for block in document[0].get_text("dict")["blocks"] for line in block["lines"]]
        assert max(line["bbox"][2] for line in lines) < document[0].rect.width
        assert "operator chose" not in " ".join(document[-1].get_text().split())
    app.close()


def test_a_title_of_many_words_stays_legible(tmp_path: Path) -> None:
    """It takes several lines; no text of the page is under five points."""
    mupdf = pytest.importorskip("pymupdf")
    app = application_with_drafts(tmp_path / "home")
    drafts = [app.review.draft(1)]
    _write(app, drafts, tmp_path / "one.pdf", title="Snow on hills and other pictures of the winter, " * 6)
    with mupdf.open(tmp_path / "one.pdf") as document:
        spans = [
            span
            for block in document[0].get_text("dict")["blocks"]
            for line in block["lines"]
            for span in line["spans"]
        ]
        assert max(span["size"] for span in spans) > 12
        assert min(span["size"] for span in spans) > 5
        assert max(span["bbox"][2] for span in spans) < document[0].rect.width
    app.close()
