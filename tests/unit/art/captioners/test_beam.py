"""Beam search against every caption there is, on a made-up language."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from auria_bot.art.captioners.beam import search
from auria_bot.art.captioners.vocabulary import END, START

_WORDS = 8  # 4 special, 4 real


class Markov:
    """A net whose next word depends on the last one; knows its beams by their last words."""

    def __init__(self, seed: int) -> None:
        logits = np.random.default_rng(seed).normal(size=(_WORDS, _WORDS)) * 2
        self.table = logits - np.log(np.exp(logits).sum(1, keepdims=True))

    def __call__(self, words: np.ndarray, parents: np.ndarray) -> np.ndarray:
        assert len(words) == len(parents)
        return self.table[words].astype(np.float32)

    def of(self, caption: tuple[int, ...]) -> float:
        """Its log-probability, end included."""
        steps = itertools.pairwise((START, *caption, END))
        return float(sum(np.float32(self.table[a, b]) for a, b in steps))


def _every(longest: int) -> list[tuple[int, ...]]:
    real = range(4, _WORDS)
    return [
        caption
        for length in range(1, longest)
        for caption in itertools.product(real, repeat=length)
        if all(a != b for a, b in itertools.pairwise(caption))
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("power", [0.0, 0.7])
def test_a_wide_beam_finds_the_best_caption(seed: int, power: float) -> None:
    """With as many beams as captions, the search is exhaustive."""
    net = Markov(seed)
    best = max(_every(5), key=lambda caption: net.of(caption) / (len(caption) + 1) ** power)
    found = search(net, beams=400, longest=5, length_power=power)[0]
    assert found.numbers == best
    assert found.log_probability == pytest.approx(net.of(best), abs=1e-4)


def test_one_beam_is_greedy() -> None:
    """A single beam takes the likeliest word each time."""
    net = Markov(3)
    word, caption = START, []
    for _ in range(4):
        scores = net.table[word].copy()
        scores[[0, 1, 3]] = -np.inf
        scores[END if not caption else word] = -np.inf
        word = int(scores.argmax())
        if word == END:
            break
        caption.append(word)
    assert search(net, beams=1, longest=4)[0].numbers[: len(caption)] == tuple(caption)


def test_forbidden_words_are_never_said() -> None:
    """A mask holds for every caption found."""
    forbidden = np.zeros(_WORDS, bool)
    forbidden[[5, 6]] = True
    for found in search(Markov(1), beams=20, longest=6, forbidden=forbidden):
        assert not {5, 6} & set(found.numbers)


def test_words_marked_once_are_not_repeated() -> None:
    """A content word stands once in a caption; no word stands twice running."""
    for found in search(Markov(2), beams=30, longest=8, once=np.ones(_WORDS, bool)):
        assert len(set(found.numbers)) == len(found.numbers)
    for found in search(Markov(2), beams=30, longest=8):
        assert all(a != b for a, b in itertools.pairwise(found.numbers))


def test_a_caption_is_never_empty_and_always_found() -> None:
    """Even a net that wants to end at once, or never, gives words."""

    def ends(words: np.ndarray, parents: np.ndarray) -> np.ndarray:
        return np.where(np.arange(_WORDS) == END, 0.0, -9.0)[None].repeat(len(words), 0).astype(np.float32)

    def never(words: np.ndarray, parents: np.ndarray) -> np.ndarray:
        return np.where(np.arange(_WORDS) == END, -np.inf, -1.0)[None].repeat(len(words), 0).astype(np.float32)

    assert search(ends, beams=3, longest=4)[0].numbers
    assert len(search(never, beams=3, longest=4)[0].numbers) == 4


def test_parents_follow_the_beams() -> None:
    """The words given to the net always continue the beams that `parents` names."""
    histories: list[list[tuple[int, ...]]] = [[()]]
    table = Markov(4).table

    def net(words: np.ndarray, parents: np.ndarray) -> np.ndarray:
        histories.append([(*histories[-1][parent], int(word)) for parent, word in zip(parents, words, strict=True)])
        return table[words].astype(np.float32)

    found = search(net, beams=3, longest=6)
    told = {history[1:] for step in histories for history in step}
    assert all(caption.numbers in told for caption in found)
