from itertools import pairwise

import numpy as np
import pytest

from auria_bot.art.poets.decoding import Decoder, DecodeState, SamplingParams, draw, feasible
from auria_bot.art.poets.lexicon import SYLLABLE_OVERRIDES, Lexicon, NgramFilter
from auria_bot.corpus.language import syllables, verse_rules
from auria_bot.corpus.language.words import END, LINE, SPECIALS, Vocabulary

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
SEEN = [["the", "old", "pond"], ["winter", "moon", "over", "water"], ["stone"]]
NGRAMS = NgramFilter.of([np.array(LEXICON.vocabulary.encode(SEEN))], len(LEXICON.syllable_counts))
FREE = {"new_pair": 0.0, "odd_pair": 0.0, "new_triple": 0.0, "new_break": 0.0, "line_end_weight": 0.0}


class NoisyNet:
    """A network that prefers other words at every place, and always the line token."""

    def __init__(self, words: int) -> None:
        self.words, self.rng, self.runtime = words, np.random.default_rng(0), "fake"
        self.inputs = self.outputs = ()

    def run(self, inputs):
        likelihoods = self.rng.normal(0, 3, (len(inputs["token"]), self.words)).astype(np.float32)
        likelihoods[:, 2] += 9
        return {"likelihoods": likelihoods, "hidden_next": inputs["hidden"], "cell_next": inputs["cell"]}


def sample(count=64, **params):
    """Poems of the noisy network; what was seen in training counts only where `params` say so."""
    decoder = Decoder(NoisyNet(len(LEXICON.syllable_counts)), LEXICON, hidden=4, ngrams=NGRAMS)
    chosen = SamplingParams(**FREE | params)
    return decoder.sample(np.zeros((count, 384), np.float32), rng=np.random.default_rng(3), params=chosen)


@pytest.mark.parametrize("guidance", [1.0, 1.6])
def test_every_poem_is_exact_whatever_the_network_prefers(guidance):
    """Whatever the network's scores, each poem is 5-7-5, breaks well and repeats no word badly."""
    for poem in sample(guidance=guidance):
        assert [sum(syllables.counts(word)[0] for word in line) for line in poem.lines] == [5, 7, 5]
        assert verse_rules.bad_breaks(poem.lines) == []
        assert not [fault for fault in verse_rules.repetitions(poem.lines) if not fault.startswith("line")]


def test_articles_agree():
    """An "a" never stands before a vowel's sound, nor "an" before a consonant's."""
    pairs = [pair for poem in sample(200) for line in poem.lines for pair in pairwise(line)]
    after = {article: {second for first, second in pairs if first == article} for article in ("a", "an")}
    assert after["an"]
    assert {word[0] for word in after["an"]} <= set("aeiou")
    assert not {word[0] for word in after["a"]} & set("aeiou")


def test_words_of_uncertain_sound_are_not_written():
    """A word whose pronunciations differ in syllables is left out, except the listed overrides."""
    syllable_counts = dict(zip(LEXICON.vocabulary.words, LEXICON.syllable_counts, strict=True))
    assert (
        syllable_counts["fire"] == syllable_counts["every"] == syllable_counts["hour"] == syllable_counts["<unk>"] == 0
    )
    assert syllable_counts["evening"] == 2
    assert all(syllables.counts(word)[0] == count for word, count in SYLLABLE_OVERRIDES.items())


def test_chance_comes_from_the_generator_alone():
    """The same generator and network give the same poems."""
    assert [poem.lines for poem in sample(16)] == [poem.lines for poem in sample(16)]


def test_words_seen_together_are_preferred():
    """Where others cost something, poems contain more seen pairs than where they do not."""
    numbers = LEXICON.vocabulary.numbers

    def seen(poems):
        pairs = [pair for poem in poems for line in poem.lines for pair in pairwise(line)]
        return sum(
            bool(NGRAMS.pair(np.array(numbers[first]), np.array(numbers[second]))) for first, second in pairs
        ) / len(pairs)

    assert seen(sample(64, new_pair=9.0, odd_pair=9.0)) > 5 * seen(sample(64))


def test_feasible_remainders():
    """With words of two and three syllables, one syllable cannot be filled; nor two when no word of two may end."""
    syllable_counts = np.array([0, 2, 3])
    assert feasible(syllable_counts, np.array([False, True, True]), 7).tolist() == [
        True,
        False,
        True,
        True,
        True,
        True,
        True,
        True,
    ]
    assert feasible(syllable_counts, np.array([False, False, True]), 7).tolist() == [
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
    assert set(draw(scores, chances, 4, 0.85, names)) == {0, 1}
    assert set(draw(scores, chances, 1, 1.0, names)) == {0}
    assert np.bincount(draw(scores, chances, 4, 1.0, names)).tolist() == pytest.approx([600, 300, 60, 40], abs=2)


FEW_WORDS = ("old", "pond", "ponds", "frog", "the", "of")
SMALL_VOCABULARY = Vocabulary(words=(*SPECIALS, *FEW_WORDS))
NUMBER = SMALL_VOCABULARY.numbers
SMALL_LEXICON = Lexicon.of(SMALL_VOCABULARY)


def poems(*texts, forms):
    """Poems written word by word, with conditional log-probabilities -1, -2, -3 ... and unconditional ones half of that."""
    state = DecodeState(SMALL_LEXICON, np.array(forms))
    rows = [[NUMBER.get(word, {"/": LINE, ".": END}.get(word)) for word in text.split()] for text in texts]
    for place in range(max(map(len, rows))):
        told = np.full((len(rows), len(SMALL_VOCABULARY)), -1.0 - place, np.float32)
        state.append(np.array([row[min(place, len(row) - 1)] for row in rows]), told, told / 2)
    return state


def test_a_poem_remembers_its_lines_and_how_likely_they_were():
    """Words and line marks are averaged apart; the first line is summed as a whole."""
    poem = poems("old pond / frog .", forms=[[2, 1]]).finished()[0]
    assert poem.lines == (("old", "pond"), ("frog",))
    assert poem.likelihood == pytest.approx(np.mean([-1, -2, -4]))
    assert poem.plain == pytest.approx(poem.likelihood / 2)
    assert poem.breaks == np.mean([-3, -5])
    assert (poem.opening, poem.lowest) == (-3, -2)


def test_poems_of_other_lengths_do_not_disturb_each_other():
    """A poem that is over stays as it is while another goes on."""
    state = poems("frog .", "old pond / frog .", forms=[[1, 0], [2, 1]])
    state.done[0] = True
    assert [poem.lines for poem in state.finished()][1] == (("old", "pond"), ("frog",))


def test_repeated_words_are_forbidden():
    """A content word is forbidden in its line and marks related words as used, an article does neither; a new line forbids nothing yet."""
    state = poems("the pond", forms=[[5, 7, 5]])
    assert state.forbidden[0, NUMBER["pond"]]
    assert state.used[0, NUMBER["ponds"]] == 1
    assert not state.forbidden[0, NUMBER["the"]]
    assert state.used[0, NUMBER["the"]] == 0
    assert state.remaining[0] == 3
    state = poems("the pond /", forms=[[2, 7, 5]])
    assert not state.forbidden[0].any()
    assert (state.line[0], state.remaining[0]) == (1, 7)
    state = poems("the pond / pond /", forms=[[2, 1, 5]])
    assert state.forbidden[0, NUMBER["pond"]]
