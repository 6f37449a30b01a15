import numpy as np
import pytest

from auria_bot.art.poets.decode_state import DecodedPoem
from auria_bot.art.poets.poem_scorer import PoemScorer
from auria_bot.corpus.language.words import SPECIALS, Vocabulary
from auria_bot.errors import ModelMissing

VOCABULARY = Vocabulary(words=(*SPECIALS, "old", "pond", "frog", "leaps"))


@pytest.fixture(scope="module")
def critic(tmp_path_factory):
    """A small critic that has learned nothing, exported."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from auria_bot.art.nets.poem_scorer import PoemScorer, PoemScorerConfig
    from auria_bot.art.training.poet.poem_scorer import export

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("critic")
    net = PoemScorer(PoemScorerConfig(words=len(VOCABULARY), width=6, hidden=5)).eval()
    export(net, folder)
    return net, PoemScorer(folder / "critic.onnx", VOCABULARY)


def poem(*lines):
    """A poem by its lines alone."""
    return DecodedPoem(lines=tuple(tuple(line.split()) for line in lines), likelihood=0, plain=0, breaks=0, lowest=0)


def test_it_says_what_the_trained_net_says(critic):
    """The exported critic and the one in torch agree, and a poem's logit does not hang on its neighbours."""
    import torch

    net, served = critic
    tokens = np.zeros((3, 24), np.int64)
    tokens[0, :6], tokens[1, :4], tokens[2, :24] = [1, 4, 5, 2, 6, 3], [1, 7, 2, 3], [1, *[4, 5] * 11, 3]
    with torch.no_grad():
        expected = net(torch.from_numpy(tokens)).numpy()
    assert np.allclose(served(tokens), expected, atol=2e-3)
    assert np.allclose(served(tokens[1:2, :9]), expected[1:2], atol=2e-3)


def test_it_reads_words(critic):
    """A poem is judged by its words and their order, however long it is."""
    _, served = critic
    logits = served.judge(
        [poem("old pond", "frog"), poem("pond old", "frog"), poem("old pond", "frog"), poem("old " * 40)]
    )
    assert logits[0] == logits[2] != logits[1]
    assert np.isfinite(logits).all()


def test_a_missing_critic_is_told(tmp_path):
    """No file raises ModelMissing."""
    with pytest.raises(ModelMissing):
        PoemScorer(tmp_path / "critic.onnx", VOCABULARY)
