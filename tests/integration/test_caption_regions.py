"""The pointing game over words of captions: the benchmark web-words in small."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.scenarios.caption_regions import labels, play

_DATA = Path(os.environ.get("AURIA_DATA", "../shared/data"))


def test_the_labels_are_boxes_in_percent() -> None:
    """A hundred pictures, each once, with a box of at most half of the picture."""
    found = labels()
    assert len({label["file"] for label in found}) == len(found) == 100
    for label in found:
        left, top, right, bottom = label["box"]
        assert 0 <= left < right <= 100
        assert 0 <= top < bottom <= 100
        assert (right - left) * (bottom - top) <= 5000
        assert label["word"].isalpha()


@pytest.mark.slow
@pytest.mark.skipif(not (_DATA / "flickr8k.zip").is_file(), reason="flickr8k.zip is not there (AURIA_DATA)")
def test_words_look_at_their_things() -> None:
    """Over the first 25 pictures, more than twice as often as by chance."""
    found = play(_DATA, limit=25)
    assert found.pictures == 25
    assert found.right >= 2 * found.chance
