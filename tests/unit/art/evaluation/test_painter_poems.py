"""The haiku on which painters are evaluated."""

from __future__ import annotations

import json

import pytest
import zstandard

from auria_bot.art.evaluation.painter_poems import SUBJECTS, naming, read_haiku
from auria_bot.art.painters.prompt_vocabulary import SCENES
from auria_bot.domain.artwork import Haiku
from auria_bot.errors import InputError


def poem(*lines):
    """A haiku of these lines."""
    return Haiku(lines=lines, syllables=(5, 7, 5))


def test_one_subject_is_named():
    """A poem counts for a subject only when it names no other, and no more than asked are taken."""
    sea, both, none = poem("the old sea", "a", "b"), poem("the sea", "and the river", "b"), poem("tea", "a", "b")
    found = naming([both, none, sea, sea, sea], 2)
    assert found["sea"] == [sea, sea]
    assert sum(map(len, found.values())) == 2


def test_subjects_are_scenes():
    """There are ten, each of them a scene, and no word names two."""
    assert set(SUBJECTS) <= set(SCENES)
    assert len(SUBJECTS) == 10
    words = [word for known in SUBJECTS.values() for word in known]
    assert len(words) == len(set(words))


def test_haiku_are_read(tmp_path):
    """Of the file only 5-7-5 are read, and with a count only those about nature."""
    rows = [
        {"lines": ["a", "b", "c"], "form": "575", "nature": 1},
        {"lines": ["d", "e", "f"], "form": "575", "nature": 0},
        {"lines": ["g", "h", "i"], "form": "free", "nature": 1},
    ]
    text = "\n".join(json.dumps(row) for row in rows).encode()
    (tmp_path / "haiku.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(text))
    assert [each.lines for each in read_haiku(tmp_path)] == [("a", "b", "c"), ("d", "e", "f")]
    assert [each.lines for each in read_haiku(tmp_path, 5)] == [("a", "b", "c")]


def test_no_haiku(tmp_path):
    """A missing file of haiku is named."""
    with pytest.raises(InputError, match="haiku"):
        read_haiku(tmp_path, 10)
