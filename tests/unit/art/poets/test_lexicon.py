import numpy as np
import pytest

from auria_bot.art.poets.lexicon import NgramFilter
from auria_bot.errors import ModelCorrupt, ModelMissing


def test_pairs_and_triples_survive_the_file(tmp_path):
    """Saved pairs and triples are found again; the unknown word makes no pair."""
    NgramFilter.of([np.array([1, 5, 6, 7]), np.array([1, 5, 0, 8])], 9).save(tmp_path / "usage.npz")
    ngrams = NgramFilter.load(tmp_path / "usage.npz")
    assert ngrams.pair(np.array([[5], [1], [0], [8]]), np.array([5, 6, 8])).tolist() == [
        [False, True, False],
        [True, False, False],
        [False] * 3,
        [False] * 3,
    ]
    asked = ngrams.triple(np.array([1, 5, 5]), np.array([5, 6, 6]), np.array([6, 7, 8]))
    assert asked.tolist() == [True, True, False]


def test_line_ends_have_a_cost():
    """A word that never ends a line costs something at its end, more so after an article, where others do end lines."""
    rows = [np.array([1, 4, 6, 3]), np.array([1, 4, 5, 6, 2, 4, 6, 3])] * 20
    endings = NgramFilter.of(rows, 7, leading=[4]).endings
    assert endings[1, 5] > 1 > endings[1, 6] == 0
    assert endings[1, 5] > endings[0, 5]


def test_missing_and_broken_tables_are_reported(tmp_path):
    """No file, and a file of something else, raise the model's errors."""
    with pytest.raises(ModelMissing):
        NgramFilter.load(tmp_path / "usage.npz")
    (tmp_path / "usage.npz").write_bytes(b"nothing")
    with pytest.raises(ModelCorrupt):
        NgramFilter.load(tmp_path / "usage.npz")
