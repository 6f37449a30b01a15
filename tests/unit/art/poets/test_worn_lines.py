import pytest

from auria_bot.art.poets.worn_lines import WornLines
from auria_bot.errors import ModelCorrupt

OAK = ("the", "shadow", "of", "an", "oak")
POEMS = [[("late", "sun"), OAK, ("reaches", "home")], [("low", "moon"), OAK, ("falls",)]]


def test_lines_are_counted_once_a_request():
    """A line in two poems of one request counts once; what only one request brought is not worn."""
    worn = WornLines.counted([POEMS, POEMS[:1], [[("first", "snow"), OAK, ("falls",)]]])
    assert len(worn) == 4
    assert worn.wear([OAK]) == 2.0
    assert worn.wear([("first", "snow")]) == 0.0
    assert worn.wear([("low", "moon")]) == 0.0
    assert worn.wear([OAK, ("falls",), ("late", "sun")]) == pytest.approx(2.0 + 2 * 1.585, abs=1e-3)


def test_the_table_is_kept(tmp_path):
    """It is read as it was written, the most worn line first."""
    path = tmp_path / "worn_lines.txt"
    WornLines.counted([POEMS, POEMS[:1], [[OAK]]]).save(path)
    assert path.read_text().splitlines()[0] == "3\tthe shadow of an oak"
    again = WornLines.load(path)
    assert (len(again), again.wear([OAK])) == (3, 2.0)


def test_a_poet_without_the_table_wears_nothing_out(tmp_path):
    """Poets of earlier versions have none."""
    worn = WornLines.load(tmp_path / "worn_lines.txt")
    assert (len(worn), worn.wear([OAK])) == (0, 0.0)


@pytest.mark.parametrize("text", [b"nothing\n", b"x\tthe oak\n", b"3\ta\tb\n", b"3\t\xff\n"])
def test_a_damaged_table_is_refused(tmp_path, text):
    """With a sentence that says what to do."""
    path = tmp_path / "worn_lines.txt"
    path.write_bytes(text)
    with pytest.raises(ModelCorrupt, match="reinstall"):
        WornLines.load(path)
