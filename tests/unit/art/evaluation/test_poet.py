from itertools import product

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.evaluation.poet import KneserNey, native_lstm, perplexity, places_of  # noqa: E402 - after the skip
from auria_bot.art.nets.word_lstm import WordLstm, WordLstmConfig  # noqa: E402
from auria_bot.art.training.poet.dataset import PoetDataset  # noqa: E402
from auria_bot.corpus.language.words import SPECIALS, Vocabulary  # noqa: E402

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
