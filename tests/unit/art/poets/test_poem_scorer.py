import numpy as np
import pytest

from auria_bot.art.poets.decode_state import DecodedPoem
from auria_bot.art.poets.poem_scorer import PoemScorer
from auria_bot.corpus.language.words import SPECIALS, Vocabulary
from auria_bot.errors import ModelMissing

VOCABULARY = Vocabulary(words=(*SPECIALS, "old", "pond", "frog", "leaps"))


@pytest.fixture(scope="module")
def served_net(tmp_path_factory):
    """A small untrained scorer: the torch module and the exported one."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from auria_bot.art.nets import poem_scorer
    from auria_bot.art.training.poet.poem_scorer import export

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("scorer")
    net = poem_scorer.PoemScorer(poem_scorer.PoemScorerConfig(words=len(VOCABULARY), width=6, hidden=5)).eval()
    export(net, folder)
    return net, PoemScorer(folder / "critic.onnx", VOCABULARY)


def poem(*lines):
    """A poem by its lines alone."""
    return DecodedPoem(lines=tuple(tuple(line.split()) for line in lines), likelihood=0, plain=0, breaks=0, lowest=0)


def test_it_agrees_with_the_torch_module(served_net):
    """The exported scorer and the torch module agree, and a poem's logit does not depend on its neighbours."""
    import torch

    net, served = served_net
    tokens = np.zeros((3, 24), np.int64)
    tokens[0, :6], tokens[1, :4], tokens[2, :24] = [1, 4, 5, 2, 6, 3], [1, 7, 2, 3], [1, *[4, 5] * 11, 3]
    with torch.no_grad():
        expected = net(torch.from_numpy(tokens)).numpy()
    assert np.allclose(served(tokens), expected, atol=2e-3)
    assert np.allclose(served(tokens[1:2, :9]), expected[1:2], atol=2e-3)


def test_it_reads_words(served_net):
    """A poem is judged by its words and their order, however long it is."""
    _, served = served_net
    logits = served.judge(
        [poem("old pond", "frog"), poem("pond old", "frog"), poem("old pond", "frog"), poem("old " * 40)]
    )
    assert logits[0] == logits[2] != logits[1]
    assert np.isfinite(logits).all()


def test_a_missing_scorer_is_reported(tmp_path):
    """No file raises ModelMissing."""
    with pytest.raises(ModelMissing):
        PoemScorer(tmp_path / "critic.onnx", VOCABULARY)
