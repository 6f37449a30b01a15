from __future__ import annotations

import json
import random
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.evaluation.poet import (  # noqa: E402 - after the skip
    Comparison,
    KneserNey,
    compare,
    fair_perplexity,
    native_lstm,
    perplexity,
    places_of,
)
from auria_bot.art.nets.word_lstm import (  # noqa: E402
    WordLstm,
    WordLstmConfig,
)
from auria_bot.art.training.poet import train as recipe  # noqa: E402
from auria_bot.art.training.poet.dataset import PoetDataset  # noqa: E402
from auria_bot.art.training.poet.poem_scorer import PoemScorerSettings  # noqa: E402
from auria_bot.art.training.poet.train import PoetSettings  # noqa: E402
from auria_bot.corpus.language.words import (  # noqa: E402
    SPECIALS,
    Vocabulary,
)
from auria_bot.errors import InputError  # noqa: E402
from tests.factories import NOUNS  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path


SEQUENCES = [[1, 4, 5, 6, 3], [1, 4, 5, 4, 3], [1, 5, 6, 6, 3], [1, 4, 5, 6, 6, 3], [1, 6, 4, 5, 3]]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_sum_to_one(order):
    """After any context, seen or not, the whole vocabulary has probability one."""
    model = KneserNey(SEQUENCES, words=8, order=order)
    for context in product(range(8), repeat=2):
        assert sum(model.likelihood(context, word) for word in range(8)) == pytest.approx(1)


def test_longer_contexts_help():
    """On text like the training text, three words are better than one, and any order beats chance."""
    scores = [KneserNey(SEQUENCES, words=8, order=order).perplexity(SEQUENCES) for order in (1, 2, 3)]
    assert scores[2] < scores[1] < scores[0] < 8


def test_rare_neighbours_count_less():
    """A word that follows many others is likelier in a new context than one that always follows the same."""
    sequences = [[1, 2, 7]] * 6 + [[1, word, 6] for word in (3, 4, 5, 2, 8)]
    model = KneserNey(sequences, words=10, order=2)
    assert model.likelihood([9], 6) > model.likelihood([9], 7)


VOCABULARY = Vocabulary(words=(*SPECIALS, "old", "river", "pond"))


def dataset(*poems):
    """Poems without themes."""
    tokens = [np.array(VOCABULARY.encode([line.split() for line in poem])) for poem in poems]
    return PoetDataset(
        vocabulary=VOCABULARY,
        tokens=tokens,
        kinds=np.ones(len(poems), np.int64),
        splits=np.zeros(len(poems), np.int64),
        themes=np.zeros((len(poems), 384), np.float32),
        word_vectors=np.zeros((len(VOCABULARY), 384), np.float32),
    )


def test_a_net_that_knows_nothing_is_as_perplexed_as_there_are_words():
    """With all scores alike the perplexity is the size of the vocabulary, for poems of any length, told or not."""
    net = WordLstm(WordLstmConfig(words=len(VOCABULARY), width=4, hidden=4))
    for parameter in net.parameters():
        torch.nn.init.zeros_(parameter)
    poems = dataset(["old pond", "river"], ["river"], ["pond", "old"])
    for conditional in (False, True):
        found = perplexity(net, poems, places_of(poems), np.arange(3), conditional=conditional)
        assert found == pytest.approx(len(VOCABULARY))


def test_places_count_lines_and_syllables():
    """After each token: twelve places a line, one for each syllable so far."""
    assert places_of(dataset(["old river", "pond"]))[0].tolist()[:5] == [0, 1, 3, 12, 13]


def test_one_dnn_comes_back():
    """Torch's other LSTM is only set aside inside."""
    before = torch.backends.mkldnn.enabled
    with native_lstm():
        assert torch.backends.mkldnn.enabled is False
    assert torch.backends.mkldnn.enabled == before


VERBS = ["sleeps", "sings", "waits", "falls", "turns", "burns", "moves", "stands", "runs", "ends"]
SETTINGS = PoetSettings(
    batch=16,
    warm_up=1,
    least=1,
    most=200,
    themed=0,
    width=16,
    hidden=16,
    common=10,
    sampled=10,
    drop_weight=0.0,
    drop_hidden=0.0,
    drop_input=0.0,
    drop_output=0.0,
    rate=1e-2,
    average=0.5,
    plain_average=0.5,
)


def verse(folder: Path, count: int = 400) -> Path:
    """A file of verse that can be learned."""
    folder.mkdir(exist_ok=True)
    chance = random.Random(4)
    rows = []
    for number in range(count):
        noun, other = chance.choices(NOUNS, [1 / place**2 for place in range(1, len(NOUNS) + 1)], k=2)
        lines = [
            f"the {noun} {chance.choice(VERBS)}",
            f"{other} {chance.choice(VERBS)} {noun} {chance.choice(VERBS)}",
            f"the {other}",
        ]
        rows.append(json.dumps({"lines": lines, "form": "free", "tier": "reddit", "nature": number % 3}))
    import zstandard

    (folder / "haiku.jsonl.zst").write_bytes(zstandard.compress("\n".join(rows).encode()))
    return folder


def trained(data: Path, folder: Path, *, steps: int, most: int = 200) -> Path:
    """A poet after so many updates, with a poem scorer that was hardly trained."""
    from dataclasses import replace

    recipe.train(
        data=data,
        folder=folder / "run",
        out=folder / "model",
        steps=steps,
        settings=replace(SETTINGS, most=most),
        scorer=PoemScorerSettings(pairs=64, steps=2, batch=8, width=4, hidden=4, worn=2),
        log=lambda _: None,
        corpus={"name": "v1", "verses": 400, "sha256": "ab"},
    )
    return folder / "model"


@pytest.mark.slow
def test_the_better_taught_one_is_better_and_unknown_words_are_charged(tmp_path: Path):
    """A poet that calls most words unknown looks better by its own count than it is."""
    data = verse(tmp_path / "data")
    fresh, taught = trained(data, tmp_path / "a", steps=1, most=8), trained(data, tmp_path / "b", steps=60)
    found = compare(data=data, candidate=taught, incumbent=fresh)
    assert found.better
    assert found.poems > 0
    assert (found.candidate_fit, found.incumbent_fit) == (0, 0)  # they learnt no themes
    assert not compare(data=data, candidate=fresh, incumbent=taught).better
    assert not compare(data=data, candidate=taught, incumbent=taught).better
    words = {*NOUNS, *VERBS, "the"}
    assert fair_perplexity(data, fresh, words) > 1.5 * fair_perplexity(data, fresh, set())
    assert fair_perplexity(data, taught, words) == fair_perplexity(data, taught, set())
    assert "version v1 of the operator's own corpus: 400 verses" in (taught / "card.md").read_text()
    assert json.loads((taught / "config.json").read_text())["training"]["corpus"]["name"] == "v1"


@pytest.mark.parametrize(("fit", "better"), [(0.99, True), (0.95, True), (0.9, False)])
def test_a_poet_whose_poems_became_unfit_is_not_better(fit: float, better: bool):
    """However likely it finds what people wrote."""
    found = Comparison(candidate=10.0, incumbent=20.0, poems=3, candidate_fit=fit, incumbent_fit=0.98)
    assert found.better is better


def test_a_corpus_too_small_to_tell_is_told(tmp_path: Path):
    """Without a test split neither model counts as better."""
    with pytest.raises(InputError, match="too small"):
        compare(data=verse(tmp_path / "data", 1), candidate=tmp_path, incumbent=tmp_path)
