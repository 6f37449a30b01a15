import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.poem_scorer import PLACES, PoemScorer, PoemScorerConfig  # noqa: E402 - after the skip


def test_a_poem_is_judged_alone_and_by_the_order_of_its_words():
    """Neighbours in the batch change nothing, another order of words does."""
    torch.manual_seed(1)
    net = PoemScorer(PoemScorerConfig(words=20, width=6, hidden=5)).eval()
    tokens = torch.zeros(3, PLACES, dtype=torch.int64)
    tokens[0, :5], tokens[1, :5] = torch.tensor([1, 7, 8, 9, 3]), torch.tensor([1, 9, 8, 7, 3])
    tokens[2] = torch.arange(PLACES) % 19 + 1
    with torch.no_grad():
        logits = net(tokens)
        assert logits.shape == (3,)
        assert torch.allclose(net(tokens[:1]), logits[:1], atol=1e-6)
    assert abs(float(logits[0] - logits[1])) > 1e-5


def test_nothing_is_dropped_when_it_serves():
    """In evaluation mode a poem always gets the same logit, in training mode it does not."""
    torch.manual_seed(1)
    net = PoemScorer(PoemScorerConfig(words=20, width=6, hidden=5, drop_word=0.5))
    tokens = torch.arange(PLACES)[None] % 19 + 1
    with torch.no_grad():
        assert len({float(net(tokens)) for _ in range(4)}) > 1
        net.eval()
        assert len({float(net(tokens)) for _ in range(4)}) == 1
