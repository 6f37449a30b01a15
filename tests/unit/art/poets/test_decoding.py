from itertools import pairwise

import numpy as np
import pytest

from auria_bot.art.poets.decoding import Decoder, SamplingParams, _draw, feasible
from auria_bot.art.poets.lexicon import SETTLED_BY_EAR, Lexicon
from auria_bot.art.poets.ngram_filter import NgramFilter
from auria_bot.corpus.language import syllables, verse_rules
from auria_bot.corpus.language.words import SPECIALS, Vocabulary

WORDS = [
    "the",
    "a",
    "an",
    "of",
    "my",
    "and",
    "i",
    "is",
    "moon",
    "pond",
    "autumn",
    "evening",
    "fire",
    "water",
    "butterfly",
    "morning",
    "silence",
    "snow",
    "falls",
    "old",
    "apple",
    "hour",
    "mountain",
    "village",
    "river",
    "winter",
    "over",
    "every",
    "stone",
    "light",
    "remembers",
    "ice",
    "earth",
    "owl",
]
LEXICON = Lexicon.of(Vocabulary(words=(*SPECIALS, *WORDS)))


class NoisyNet:
    """A net that likes other words at every place, and the line token always."""

    def __init__(self, words: int) -> None:
        self.words, self.rng, self.runtime = words, np.random.default_rng(0), "fake"
        self.inputs = self.outputs = ()

    def run(self, inputs):
        likelihoods = self.rng.normal(0, 3, (len(inputs["token"]), self.words)).astype(np.float32)
        likelihoods[:, 2] += 9
        return {"likelihoods": likelihoods, "hidden_next": inputs["hidden"], "cell_next": inputs["cell"]}


def sing(count=64, *, usage=None, **manner):
    """Poems of the noisy net."""
    decoder = Decoder(NoisyNet(len(LEXICON.sung)), LEXICON, hidden=4, usage=usage)
    return decoder.sing(
        np.zeros((count, 384), np.float32), rng=np.random.default_rng(3), manner=SamplingParams(**manner)
    )


@pytest.mark.parametrize("guidance", [1.0, 1.6])
def test_every_poem_is_exact_whatever_the_net_wants(guidance):
    """However wild the net, each poem is 5-7-5, breaks well and stutters nowhere."""
    for poem in sing(guidance=guidance):
        assert [sum(syllables.counts(word)[0] for word in line) for line in poem.lines] == [5, 7, 5]
        assert verse_rules.bad_breaks(poem.lines) == []
        assert not [fault for fault in verse_rules.repetitions(poem.lines) if not fault.startswith("line")]


def test_articles_agree():
    """An "a" never stands before a vowel's sound, nor "an" before a consonant's."""
    pairs = [pair for poem in sing(200) for line in poem.lines for pair in pairwise(line)]
    after = {article: {second for first, second in pairs if first == article} for article in ("a", "an")}
    assert after["an"]
    assert {word[0] for word in after["an"]} <= set("aeiou")
    assert not {word[0] for word in after["a"]} & set("aeiou")


def test_words_of_uncertain_sound_are_not_written():
    """A word whose pronunciations differ in count is left out, but for the few settled by ear."""
    sung = dict(zip(LEXICON.vocabulary.words, LEXICON.sung, strict=True))
    assert sung["fire"] == sung["every"] == sung["hour"] == sung["<unk>"] == 0
    assert sung["evening"] == 2
    assert all(syllables.counts(word)[0] == count for word, count in SETTLED_BY_EAR.items())


def test_chance_comes_from_the_generator_alone():
    """The same generator and net give the same poems."""
    assert [poem.lines for poem in sing(16)] == [poem.lines for poem in sing(16)]


def test_words_seen_together_are_preferred():
    """With usage, poems hold more pairs that were seen than without."""
    sequence = np.array(
        LEXICON.vocabulary.encode([["the", "old", "pond"], ["winter", "moon", "over", "water"], ["stone"]])
    )
    usage = NgramFilter.of([sequence], len(LEXICON.sung))
    numbers = LEXICON.vocabulary.numbers

    def seen(poems):
        pairs = [pair for poem in poems for line in poem.lines for pair in pairwise(line)]
        return sum(
            bool(usage.pair(np.array(numbers[first]), np.array(numbers[second]))) for first, second in pairs
        ) / len(pairs)

    assert seen(sing(64, usage=usage, new_pair=9.0, odd_pair=9.0)) > 5 * seen(sing(64))


def test_feasible_remainders():
    """With words of two and three syllables, one syllable cannot be filled; nor two when no word of two may end."""
    sung = np.array([0, 2, 3])
    assert feasible(sung, np.array([False, True, True]), 7).tolist() == [
        True,
        False,
        True,
        True,
        True,
        True,
        True,
        True,
    ]
    assert feasible(sung, np.array([False, False, True]), 7).tolist() == [
        True,
        False,
        False,
        True,
        False,
        True,
        True,
        True,
    ]


def test_drawing_keeps_to_the_likely_words():
    """top_p and top_k leave unlikely words out; the most likely one is always in."""
    scores = np.log(np.tile(np.array([[0.6, 0.3, 0.06, 0.04]], np.float32), (1000, 1)))
    chances, names = np.linspace(0, 1, 1000, endpoint=False), np.tile(np.arange(4), (1000, 1))
    assert set(_draw(scores, chances, 4, 0.85, names)) == {0, 1}
    assert set(_draw(scores, chances, 1, 1.0, names)) == {0}
    assert np.bincount(_draw(scores, chances, 4, 1.0, names)).tolist() == pytest.approx([600, 300, 60, 40], abs=2)
