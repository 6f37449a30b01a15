"""MiniLM: sentence and word vectors."""

from __future__ import annotations

import numpy as np
import pytest

from auria_bot.art import minilm as minilm_module
from auria_bot.art.minilm import MiniLM, load_ahead
from auria_bot.errors import ModelCorrupt, ModelMissing


@pytest.fixture(scope="module")
def minilm():
    """The packaged network, loaded once."""
    return MiniLM()


def test_meaning(minilm):
    """A paraphrase lies nearer than an unrelated sentence."""
    snow, frost, bread = minilm.encode(
        ["snow falls on the quiet forest", "a silent wood in winter", "he buys a loaf of bread"]
    )
    assert snow @ frost > snow @ bread + 0.2


def test_unit_length_and_shape(minilm):
    """Vectors are float32, 384 wide, of unit length, even for an empty text."""
    vectors = minilm.encode(["", "a wave", "the moon over the sea " * 100])
    assert vectors.shape == (3, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_no_neighbour_effect(minilm):
    """A text's vector does not depend on the texts beside it."""
    alone = minilm.encode(["an old pond"])
    among = minilm.encode(["a frog jumps in", "an old pond", "THE SOUND OF WATER!!!"])
    assert np.array_equal(alone[0], among[1])


def test_batching_is_close(minilm):
    """Batches give nearly the vectors that single passes give, in the order asked."""
    texts = ["an old pond", "a frog jumps into it", "the sound of water", "a green hill"]
    single, batched = minilm.encode(texts), minilm.encode(texts, batch=4)
    assert (single * batched).sum(axis=1).min() > 0.97


def test_words(minilm):
    """One vector for each word piece, the rest masked and zero."""
    _, (words,), (mask,) = minilm.both(["blue sea"], limit=5)
    assert mask.tolist() == [1, 1, 0, 0, 0]
    assert np.abs(words[:2]).sum() > 0
    assert np.abs(words[2:]).sum() == 0


def test_word_limit(minilm):
    """Pieces past the limit are dropped."""
    _, (words,), (mask,) = minilm.both(["one two three four five six"], limit=4)
    assert words.shape == (4, 384)
    assert mask.sum() == 4


def test_missing(tmp_path):
    """A missing network is named."""
    with pytest.raises(ModelMissing, match="gone"):
        MiniLM(network=tmp_path / "gone.onnx")


def test_corrupt(tmp_path):
    """A truncated network is refused."""
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x08\x07garbage")
    with pytest.raises(ModelCorrupt):
        MiniLM(network=broken)


def test_loaded_ahead_is_loaded_once():
    """Who asks while the network is being loaded waits for it, and gets the same one."""
    minilm_module._loaded.cache_clear()
    thread = load_ahead()
    mine = MiniLM()
    thread.join()
    assert minilm_module._loaded.cache_info().misses == 1
    assert MiniLM()._session is mine._session


def test_a_failure_ahead_is_told_to_who_needs_it(monkeypatch, tmp_path):
    """Loading ahead keeps quiet about a missing network; asking for it does not."""
    monkeypatch.setattr(minilm_module, "checked", lambda _: tmp_path / "gone.onnx")
    load_ahead().join()
    with pytest.raises(ModelMissing, match="gone"):
        MiniLM()
