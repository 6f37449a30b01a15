import numpy as np
import pytest

from auria_bot.art.poets.decode_state import DecodeState
from auria_bot.art.poets.lexicon import Lexicon
from auria_bot.corpus.language.words import END, LINE, SPECIALS, Vocabulary

WORDS = ("old", "pond", "ponds", "frog", "the", "of")
VOCABULARY = Vocabulary(words=(*SPECIALS, *WORDS))
NUMBER = VOCABULARY.numbers
LEXICON = Lexicon.of(VOCABULARY)


def poems(*texts, forms):
    """Poems written word by word, with conditional log-probabilities -1, -2, -3 ... and unconditional ones half of that."""
    state = DecodeState(LEXICON, np.array(forms))
    rows = [[NUMBER.get(word, {"/": LINE, ".": END}.get(word)) for word in text.split()] for text in texts]
    for place in range(max(map(len, rows))):
        told = np.full((len(rows), len(VOCABULARY)), -1.0 - place, np.float32)
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
