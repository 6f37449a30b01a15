import numpy as np
import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.word_lstm import WordLstm, WordLstmConfig  # noqa: E402 - after the skip
from auria_bot.art.training.poet.dataset import PoetDataset  # noqa: E402
from auria_bot.art.training.poet.perplexity import native_lstm, perplexity, places_of  # noqa: E402
from auria_bot.corpus.language.words import SPECIALS, Vocabulary  # noqa: E402

VOCABULARY = Vocabulary(words=(*SPECIALS, "old", "river", "pond"))


def anthology(*poems):
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
    poems = anthology(["old pond", "river"], ["river"], ["pond", "old"])
    for told in (False, True):
        found = perplexity(net, poems, places_of(poems), np.arange(3), told=told)
        assert found == pytest.approx(len(VOCABULARY))


def test_places_count_lines_and_syllables():
    """After each token: twelve places a line, one for each syllable so far."""
    assert places_of(anthology(["old river", "pond"]))[0].tolist()[:5] == [0, 1, 3, 12, 13]


def test_one_dnn_comes_back():
    """Torch's other LSTM is only set aside inside."""
    before = torch.backends.mkldnn.enabled
    with native_lstm():
        assert torch.backends.mkldnn.enabled is False
    assert torch.backends.mkldnn.enabled == before
