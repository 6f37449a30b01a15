"""Tests of auria_bot.art.stylists.style_import."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from auria_bot.art.stylists.style_import import cleaned, read_file, read_folder, read_table, slug, year_of
from auria_bot.domain.mood import EMOTIONS
from auria_bot.errors import InputError, NotFound

if TYPE_CHECKING:
    from pathlib import Path

BLOCKS = ("Art (image+title)", "ImageOnly", "TitleOnly")
HEADER = [
    "ID",
    "Style",
    "Category",
    "Artist",
    "Title",
    "Year",
    "Is painting",
    "Face/body",
    "Ave. art rating",
    *(f"{block}: {emotion}" for block in BLOCKS for emotion in EMOTIONS),
]


def wikiart(name: str, art: str, image: str, title: str) -> str:
    """A row of the annotation TSV with one emotion in each block."""
    cells = [name, "Impressionism", "Landscape", "Claude Monet", "Poppies", "1873", "yes", "none", "1.2"]
    for wanted in (art, image, title):
        cells += ["1" if emotion == wanted else "0" for emotion in EMOTIONS]
    return "\t".join(cells)


def test_wikiart_annotations_are_read(tmp_path: Path) -> None:
    """Both blocks that concern the picture count, the title's alone does not; BOM and Windows line ends are no matter."""
    table = tmp_path / "WikiArtEmotions-Ag4.tsv"
    text = "\r\n".join(
        ["\t".join(HEADER), wikiart("58c6Fa01", "happiness", "love", "fear"), wikiart("b2", "", "", "anger")]
    )
    table.write_text("\ufeff" + text + "\r\n", encoding="utf-8")
    known = read_table(table)
    painting = known["58c6fa01"]
    assert dict(painting.emotions) == {"happiness": pytest.approx(2 / 3), "love": pytest.approx(1 / 3)}
    assert (painting.title, painting.artist, painting.year) == ("Poppies", "Claude Monet", "1873")
    assert known["b2"].emotions == ()


def test_an_own_table_may_name_moods_of_either_kind(tmp_path: Path) -> None:
    """Emotions, Auria's moods and everyday words come out as emotions; shares sum to 1."""
    table = tmp_path / "moods.csv"
    table.write_text('file,title,artist,moods\nsub/a.jpg,"Sea, calm",Me,serene; fear|awe\nb.png,,,\n', encoding="utf-8")
    known = read_table(table)
    assert {name for name, _ in known["a.jpg"].emotions} == {"agreeableness", "fear", "surprise"}
    assert sum(share for _, share in known["a.jpg"].emotions) == pytest.approx(1)
    assert (known["a.jpg"].title, known["b.png"].title) == ("Sea, calm", "")


def test_an_unknown_mood_is_named_with_its_line(tmp_path: Path) -> None:
    """The operator is told what stands where, and what may stand there."""
    (tmp_path / "m.csv").write_text("file,moods\na.jpg,hapiness\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"m\.csv, line 2.*hapiness.*happiness"):
        read_table(tmp_path / "m.csv")


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "\x00\x01\x02", "<html></html>", "ID\tfoo\n1\t2\n"])
def test_a_table_of_another_kind_is_refused(tmp_path: Path, content: str) -> None:
    """The message says which columns are needed."""
    (tmp_path / "m.tsv").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match="file"):
        read_table(tmp_path / "m.tsv")


def test_short_rows_and_odd_numbers_do_no_harm(tmp_path: Path) -> None:
    """A row that ends early and cells that are no numbers are read as far as they go."""
    rows = ["\t".join(HEADER), "short\tx", wikiart("odd", "happiness", "", "").replace("\t1\t", "\tnan\t", 1)]
    (tmp_path / "m.tsv").write_text("\n".join(rows), encoding="utf-8")
    known = read_table(tmp_path / "m.tsv")
    assert known["short"].emotions == ()
    assert known["odd"].emotions == ()


def test_a_folder_is_read_with_its_tables(tmp_path: Path) -> None:
    """Pictures in subfolders are found in order, tables and hidden files are not taken for pictures."""
    (tmp_path / "sub").mkdir()
    for name in ("b_sea-storm.jpg", "sub/a.png", ".hidden.png"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "metadata.csv").write_text(
        "file,title,artist,year,moods,nsfw\na.png,Dawn,Ann,1900,hope,0.9\n", encoding="utf-8"
    )
    (tmp_path / "moods.csv").write_text("file,moods\na.png,fear\n", encoding="utf-8")
    sea, dawn = read_folder(tmp_path, tmp_path / "moods.csv")
    assert (sea.path.name, sea.title, sea.emotions) == ("b_sea-storm.jpg", "b sea storm", ())
    assert (dawn.title, dawn.artist, dawn.nudity, dawn.emotions) == ("Dawn", "Ann", 0.9, (("fear", 1.0),))


def test_quotation_marks_mean_nothing_in_wikiarts_table(tmp_path: Path) -> None:
    """A title that begins with one does not swallow the next rows; an own table may still quote its cells."""
    rows = [wikiart(name, "love", "", "") for name in ("a1", "a2", "a3")]
    rows[0] = rows[0].replace("Poppies", '"Untitled')
    (tmp_path / "m.tsv").write_text("\n".join(["\t".join(HEADER), *rows]), encoding="utf-8")
    assert [row.title for row in read_table(tmp_path / "m.tsv").values()] == ['"Untitled', "Poppies", "Poppies"]
    (tmp_path / "own.tsv").write_text('file\ttitle\na.jpg\t"Sea\tcalm"\n', encoding="utf-8")
    assert read_table(tmp_path / "own.tsv")["a.jpg"].title == "Sea calm"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("Andr&#233; &amp;amp; C&ocirc;te  d&#39;Or", "Andr\u00e9 & C\u00f4te d'Or"),
        ("a&nbsp;b&#8203;", "a b"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("nan", ""),
        ("NaN", ""),
        ("Nan", "Nan"),
    ],
)
def test_cells_are_text(cell: str, text: str) -> None:
    """Entities are unescaped, invisible characters dropped, and missing values are empty."""
    assert cleaned(cell) == text


@pytest.mark.parametrize(
    ("cell", "year"),
    [
        ("1889.0", "1889"),
        ("1889,00", "1889"),
        ("nan", ""),
        ("<NA>", ""),
        ("1889-01-01 00:00:00", "1889"),
        ("c. 1889&ndash;90", "c. 1889\u201390"),
        ("1889-1890", "1889-1890"),
    ],
)
def test_years_are_printed_as_years(cell: str, year: str) -> None:
    """What spreadsheets and data frames make of a year is undone; what museums write stays."""
    assert year_of(cell) == year


def test_own_tables_are_read_in_full(tmp_path: Path) -> None:
    """Entities, missing values and encodings are handled in every column; an empty score is unknown, not 0."""
    text = "file,title,artist,year,licence,moods,nsfw\na.jpg,L&#39;\u00c9t\u00e9,nan,1889.0,CC&nbsp;0,nan,nan\nnan,x,,,,,\n"
    for encoding in ("utf-8-sig", "cp1252", "utf-16"):
        (tmp_path / "m.csv").write_text(text, encoding=encoding)
        known = read_table(tmp_path / "m.csv")
        assert list(known) == ["a.jpg"]
        row = known["a.jpg"]
        assert (row.title, row.artist, row.year, row.licence) == ("L'\u00c9t\u00e9", "", "1889", "CC 0")
        assert (row.emotions, row.nudity) == ((), None)


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    """Each gets its own row; one in a folder that no row names gets none; a row without folder serves all."""
    for name in ("a/1.jpg", "b/1.jpg", "c/1.jpg", "1.jpg", "d/2.jpg", "3.jpg", "e/4.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "metadata.csv").write_text(
        "file,title\na/1.jpg,First\nB\\1.JPG,Second\n2.jpg,Third\nelsewhere/3.jpg,Fourth\nold/e/4.jpg,Fifth\n",
        encoding="utf-8",
    )
    titles = {painting.path.relative_to(tmp_path).as_posix(): painting.title for painting in read_folder(tmp_path)}
    assert titles == {
        "1.jpg": "1",
        "a/1.jpg": "First",
        "b/1.jpg": "Second",
        "c/1.jpg": "1",
        "d/2.jpg": "Third",
        "3.jpg": "Fourth",
        "e/4.jpg": "Fifth",
    }


def test_a_file_name_that_is_no_text_is_read(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are read as Windows-1252, so that the title can be stored and printed."""
    name = os.fsdecode(b"caf\xe9_noir.jpg")
    try:
        (tmp_path / name).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system has Unicode names only")
    assert [painting.title for painting in read_folder(tmp_path)] == ["caf\u00e9 noir"]


def test_a_folder_must_hold_something(tmp_path: Path) -> None:
    """An empty folder and a missing one are refused."""
    with pytest.raises(InputError, match="no files"):
        read_folder(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        read_folder(tmp_path / "gone")


def test_slugs_are_plain() -> None:
    """Accents go, other scripts leave a name, length is bounded."""
    assert slug("Jean-Fran\u00e7ois Millet, L'Ang\u00e9lus") == "jean-francois-millet-l-angelus"
    assert slug("\u8449") == "untitled"
    assert len(slug("word " * 50)) <= 60


def test_a_cell_is_unescaped_a_few_times_only() -> None:
    """A cell that is escaped without end cannot keep the import busy."""
    assert cleaned("&amp;amp;amp;lt;") == "<"
    assert cleaned("&" + 9 * "amp;" + "lt;") == "&amp;amp;amp;amp;amp;lt;"


def test_one_picture_is_described_by_the_table_beside_it(tmp_path: Path) -> None:
    """By its file's name where there is none; a picture that is not there is an error."""
    (tmp_path / "the_great-sea.png").touch()
    assert read_file(tmp_path / "the_great-sea.png").title == "the great sea"
    table = "file,title,artist,year\nother.png,Other,X,1\nthe_great-sea.png,The Sea,Me,1900.0\n"
    (tmp_path / "metadata.csv").write_text(table, encoding="utf-8")
    found = read_file(tmp_path / "the_great-sea.png")
    assert (found.title, found.artist, found.year) == ("The Sea", "Me", "1900")
    assert found.path == tmp_path / "the_great-sea.png"
    with pytest.raises(NotFound, match="not a file"):
        read_file(tmp_path / "nowhere.png")


def test_a_row_that_names_no_file_is_left_out(tmp_path: Path) -> None:
    """An ID that is a folder's name does not stop the others."""
    (tmp_path / "m.tsv").write_text(
        "\n".join(["\t".join(HEADER), wikiart(".", "love", "", ""), wikiart("a1", "love", "", "")]), encoding="utf-8"
    )
    (tmp_path / "a1.jpg").write_bytes(b"x")
    assert [each.title for each in read_folder(tmp_path, tmp_path / "m.tsv")] == ["Poppies"]


@pytest.mark.parametrize("score", ["yes", "85 %", "0;9"])
def test_a_score_for_nudity_that_is_none_is_refused(tmp_path: Path, score: str) -> None:
    """It is not taken for 0, with which the painting would be let in."""
    (tmp_path / "own.tsv").write_text(f"file\tnsfw\na.jpg\t{score}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"own\.tsv, line 2: nsfw .* 0 to 1"):
        read_table(tmp_path / "own.tsv")
