"""The captioner's evaluation on a few pictures, through the nets that serve."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from auria_bot.art.evaluation.captioner import PUBLISHED, _limited, evaluate, read_split
from auria_bot.corpus.language.shipped_tables import models_folder
from auria_bot.errors import NotFound

_DATA = Path(os.environ.get("AURIA_DATA", Path(__file__).parents[5] / "shared" / "data"))
needs_data = pytest.mark.skipif(not (_DATA / "flickr8k.zip").is_file(), reason=f"{_DATA} holds no flickr8k.zip")


@needs_data
def test_captions_of_photographs_are_near_what_people_said() -> None:
    """On 24 validation pictures BLEU-1 passes one half and captions differ: the smaller form of the bar."""
    found = evaluate(data=_DATA, model=models_folder() / "captioner", split="val", limit=24)
    assert found["pictures"] == 24
    assert found["bleu_1"] > 0.5
    assert found["distinct_captions"] > 12
    assert 5 < found["words_a_caption"] < 20
    assert found["published"] is PUBLISHED


@needs_data
def test_splits_do_not_share_pictures() -> None:
    """Test and validation pictures are unlike each other and have five captions each."""
    test, validation = (read_split(_DATA, split) for split in ("test", "val"))
    assert not {row["file"] for row in test} & {row["file"] for row in validation}
    assert all(len(row["captions"]) == 5 for row in test)


def test_a_limit_spreads_evenly() -> None:
    """Every n-th row, from the first on."""
    rows = [{"n": n} for n in range(10)]
    assert [row["n"] for row in _limited(rows, 5)] == [0, 2, 4, 6, 8]
    assert _limited(rows, None) is rows


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    """The message says which folder to give."""
    with pytest.raises(NotFound, match="--data"):
        read_split(tmp_path, "test")
