"""The smaller form of the benchmark syllables."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.scenarios.syllables import GUESSED, guessed, measured, unseen

DATA = Path(os.environ.get("AURIA_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.mark.slow
def test_unseen_words_are_mostly_guessed_right() -> None:
    """Words of the dictionary that the guesser has not seen."""
    assert guessed(unseen()) >= GUESSED


@pytest.mark.slow
@pytest.mark.skipif(not (DATA / "haiku.jsonl.zst").is_file(), reason="the folder of data is not here")
def test_the_tokens_of_the_corpus_are_counted_by_the_dictionary() -> None:
    """Nearly all of them."""
    figures, passed = measured(DATA)
    assert passed, figures
