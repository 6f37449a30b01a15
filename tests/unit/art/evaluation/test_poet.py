from itertools import product

import pytest

pytest.importorskip("torch")

from auria_bot.art.evaluation.poet import KneserNey

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
