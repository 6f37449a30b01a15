"""Tests of auria_bot.art.mood_classifier."""

from __future__ import annotations

from pathlib import Path

import pytest

from auria_bot.art.checkpoint import read_json
from auria_bot.art.mood_classifier import (
    MiniLmMoodReader,
    _digest,
    _texts,
    stem,
    tone,
    write_meanings,
)
from auria_bot.domain.artwork import Haiku
from auria_bot.domain.mood import MOODS
from auria_bot.errors import ModelCorrupt

MODELS = Path(__file__).resolve().parents[3] / "models"


@pytest.fixture(scope="module")
def reader() -> MiniLmMoodReader:
    """The reader that ships."""
    return MiniLmMoodReader(MiniLmMoodReader.Config(), MODELS)


def poem(text: str) -> Haiku:
    """A haiku of lines parted by slashes."""
    first, second, third = text.split(" / ")
    return Haiku(lines=(first, second, third), syllables=(5, 7, 5))


@pytest.mark.parametrize(
    ("text", "moods"),
    [
        ("the sky is burning / red waves break upon the rocks / thunder far away", {"stormy"}),
        ("a kite on its string / the boy runs ahead of it / laughing at the wind", {"playful", "joyful"}),
        ("wolves howl in the dark / the candle shivers and dies / who stands at the door", {"uneasy"}),
        ("still water, soft mist / the heron has not moved since / the beginning of time", {"serene", "still"}),
        ("grandmother's grave / rain runs down the carved letters / I bring no flowers", {"melancholy", "wistful"}),
        ("old house on the hill / every lamp is lit for us / we are home and safe", {"trusting", "grateful"}),
        ("the first green shoot breaks / through the black earth of the field / after long winter", {"hopeful"}),
        ("half behind the leaves / a deer looks at us and turns / hesitant as breath", {"shy"}),
        ("I should have told you / years later the unsent words / still in the old drawer", {"regretful"}),
        ("autumn forest path / leaves fall one after another / onto my shadow", {"wistful", "lonely"}),
    ],
)
def test_plain_poems_are_read_as_people_would(reader: MiniLmMoodReader, text: str, moods: set[str]) -> None:
    """The nearest mood is one that a reader would name."""
    assert reader.read(poem(text))[0][0].name in moods


def test_every_mood_gets_a_share(reader: MiniLmMoodReader) -> None:
    """All moods come back once, by share, and the shares sum to 1."""
    read = reader.read(poem("blue waves / blue horizon and blue sky / blue"))
    assert {mood.name for mood, _ in read} == set(MOODS)
    assert sum(share for _, share in read) == pytest.approx(1)
    assert [share for _, share in read] == sorted((share for _, share in read), reverse=True)


def test_strange_text_is_read_too(reader: MiniLmMoodReader) -> None:
    """No letters, other scripts and very long lines give shares, not errors."""
    for text in (
        "... / !!! / ???",
        "\u53e4\u6c60\u3084 / \u86d9\u98db\u3073\u8fbc\u3080 / \u6c34\u306e\u97f3",
        "word " * 3000 + " / a / b",
    ):
        assert sum(share for _, share in reader.read(poem(text))) == pytest.approx(1)


def test_tone_hears_negation() -> None:
    """Joy is pleasant, grief is not, and "no joy" is the lesser opposite."""
    assert tone(["joy"]) > 0 > tone(["grief"])
    assert tone(["joy"]) > -tone(["no", "joy"]) > 0
    assert tone(["table"]) == 0


def test_stems_join_forms_of_a_word() -> None:
    """Endings go, short words stay."""
    assert stem("falling") == stem("falls") == stem("fall")
    assert stem("laughed") == stem("laughing")
    assert stem("sea") == "sea"


def test_shipped_meanings_are_what_minilm_says(reader: MiniLmMoodReader, tmp_path: Path) -> None:
    """Without the shipped vectors the same poem gets the same moods, so the vectors fit the moods' present words."""
    verse = poem("autumn forest path / leaves fall one after another / onto my shadow")
    encoded = MiniLmMoodReader(MiniLmMoodReader.Config(), tmp_path).read(verse)
    assert read_json(MODELS / "feelings" / "config.json")["texts_sha256"] == _digest(_texts())
    for (mood, share), (other, like) in zip(reader.read(verse), encoded, strict=True):
        assert mood is other
        assert share == pytest.approx(like, abs=1e-4)


def test_written_meanings_are_read_back(reader: MiniLmMoodReader, tmp_path: Path) -> None:
    """What write_meanings writes is what a reader takes, and a damaged file is refused."""
    verse = poem("blue waves / blue horizon and blue sky / blue")
    write_meanings(tmp_path / "feelings")
    assert MiniLmMoodReader(MiniLmMoodReader.Config(), tmp_path).read(verse)[0][0] is reader.read(verse)[0][0]
    (tmp_path / "feelings" / "meanings.safetensors").write_bytes(b"x")
    with pytest.raises(ModelCorrupt):
        MiniLmMoodReader(MiniLmMoodReader.Config(), tmp_path).read(verse)
