"""The matcher: shapes and the definition of its score."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from auria_bot.art.nets.lite0 import STRIDES, TAP_CHANNELS  # noqa: E402
from auria_bot.art.nets.matcher import Matcher, MatcherConfig  # noqa: E402


def maps(count):
    """Random maps of the shapes Lite0 gives for 64 x 64 pixels."""
    return {stride: torch.randn(count, TAP_CHANNELS[stride], 64 // stride, 64 // stride) for stride in STRIDES}


def texts(count, length=6):
    """Random sentences, words and masks."""
    mask = torch.zeros(count, length)
    mask[:, :3] = 1.0
    return torch.nn.functional.normalize(torch.randn(count, 384), dim=1), torch.randn(count, length, 384), mask


def test_matcher_scores():
    """Scores of all pairs, bounded, the words' part equal to the definition written out."""
    torch.manual_seed(5)
    net = Matcher(MatcherConfig(width=8, hidden=8)).eval()
    seen, (sentence, words, mask) = net.encode_pictures(*net.pool(maps(3))), texts(2)
    told = net.encode_texts(sentence, words)
    with torch.no_grad():
        scores = net.scores(seen, told, mask)
        region, word = seen[1][1], told[1][0, :3]
        weight = (region @ word.T * net.config.sharpness).softmax(dim=0)
        found = weight.T @ region
        parts = torch.nn.functional.cosine_similarity(found, word, dim=1).mean()
        whole = seen[0][1] @ told[0][0]
    assert scores.shape == (3, 2)
    assert scores.abs().max() <= 1.001
    assert torch.allclose(scores[1, 0], 0.6 * whole + 0.4 * parts, atol=1e-4)
