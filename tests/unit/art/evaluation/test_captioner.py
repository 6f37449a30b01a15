"""The captioner's evaluation on a few pictures, through the nets that serve."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from auria_bot.art.evaluation.captioner import (
    PUBLISHED,
    all_figures,
    bleu,
    cider,
    evaluate,
    meteor,
    read_split,
    rouge_l,
)
from auria_bot.art.training.captioner.dataset import spread
from auria_bot.corpus.language.words import models_folder
from auria_bot.errors import InputError, NotFound

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
    assert [row["n"] for row in spread(rows, 5)] == [0, 2, 4, 6, 8]
    assert spread(rows, None) is rows


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    """The message says which folder to give."""
    with pytest.raises(NotFound, match="--data"):
        read_split(tmp_path, "test")


def _t(text: str) -> list[str]:
    return text.split()


def test_bleu_clips_repeated_words() -> None:
    """Seven times "the" earns two matches of seven, as in Papineni's own example."""
    score = bleu([_t("the the the the the the the")], [[_t("the cat is on the mat"), _t("there is a cat on the mat")]])
    assert score[0] == pytest.approx(2 / 7)
    assert score[1:] == (0.0, 0.0, 0.0)


def test_bleu_of_higher_order_is_a_geometric_mean() -> None:
    """Three of four words and one of three pairs give the root of a quarter."""
    assert bleu([_t("a b c d")], [[_t("a b d")]])[1] == pytest.approx(0.5)


def test_bleu_punishes_short_captions_unless_told_not_to() -> None:
    """Two words for a reference of three cost exp(-1/2)."""
    assert bleu([_t("a b")], [[_t("a b c")]])[0] == pytest.approx(math.exp(-0.5))
    assert bleu([_t("a b")], [[_t("a b c")]], brevity_penalty=False)[0] == pytest.approx(1.0)


def test_bleu_takes_the_nearest_reference_length() -> None:
    """Of references with 2 and 6 words, a caption of 3 words is measured by the first: no penalty."""
    assert bleu([_t("a b c")], [[_t("a b"), _t("a b c x y z")]])[0] == pytest.approx(1.0)


def test_bleu_pools_counts_over_the_corpus() -> None:
    """One hit of one and none of three is 1/4, not the mean of 1 and 0."""
    assert bleu([_t("a"), _t("x y z")], [[_t("a")], [_t("p q r")]])[0] == pytest.approx(0.25)


def test_rouge_l_of_a_known_subsequence() -> None:
    """LCS 3 of 4 said and 5 wanted words, beta 1.2: 2.44 * 0.75 * 0.6 / (0.6 + 1.44 * 0.75)."""
    assert rouge_l([_t("a b c d")], [[_t("a c d e f")]]) == pytest.approx(2.44 * 0.45 / 1.68)


def test_rouge_l_takes_the_best_reference() -> None:
    """A reference with nothing in common does no harm."""
    assert rouge_l([_t("a b")], [[_t("x y z"), _t("a b")]]) == pytest.approx(1.0)


def test_meteor_of_one_chunk() -> None:
    """Two of three words in one chunk: 2/3 less half of (1/2)^3 of it."""
    assert meteor([_t("the dog runs")], [[_t("the dog ran")]]) == pytest.approx(2 / 3 * (1 - 0.0625))


def test_meteor_matches_stems() -> None:
    """The plural "dogs" meets "dog"."""
    assert meteor([_t("dogs running")], [[_t("dog runs")]]) == pytest.approx(1 - 0.5 * (1 / 2) ** 3)


def test_meteor_aligns_with_the_fewest_chunks() -> None:
    """Swapped halves are two chunks, whichever "the" is met first."""
    assert meteor([_t("the cat the dog")], [[_t("the dog the cat")]]) == pytest.approx(1 - 0.5 * (2 / 4) ** 3)


def test_cider_of_perfect_captions() -> None:
    """Two-word captions have no triples, so two orders of four are full: 10 * 2 / 4."""
    assert cider([_t("a b"), _t("c d")], [[_t("a b")], [_t("c d")]]) == pytest.approx(5.0)


def test_cider_counts_cosine_and_length() -> None:
    """One of two equally rare words: cosine 1/sqrt 2 in one order of four, times exp(-1/72)."""
    only_first = 10 * (1 / math.sqrt(2)) / 4 * math.exp(-1 / 72)
    assert cider([_t("a"), _t("c d")], [[_t("a b")], [_t("c d")]]) == pytest.approx((only_first + 5.0) / 2)


def test_cider_gives_nothing_for_words_that_stand_everywhere() -> None:
    """A word in every picture's references has no weight."""
    assert cider([_t("a"), _t("a")], [[_t("a b")], [_t("a c")]]) == 0.0


def test_no_captions_are_refused() -> None:
    """Nothing to measure is an error, not a zero."""
    with pytest.raises(InputError):
        all_figures([], [])
    with pytest.raises(InputError):
        bleu([_t("a")], [[]])


def test_an_empty_caption_scores_zero() -> None:
    """Saying nothing is legal and worth nothing."""
    assert set(all_figures([[], _t("a b c d e")], [[_t("x y")], [_t("p q")]]).values()) == {0.0}
