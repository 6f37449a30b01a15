from dataclasses import replace

import numpy as np

from auria_bot.art.poets.decoding import DecodedPoem
from auria_bot.art.poets.ranking import RankingWeights, fluency, rank


def poem(*lines, plain=-4.0, breaks=-0.5, lowest=-6.0):
    """A candidate."""
    return DecodedPoem(
        lines=tuple(tuple(line.split()) for line in lines), likelihood=plain, plain=plain, breaks=breaks, lowest=lowest
    )


POEMS = [
    poem("old silent pond", "a frog leaps into water", "the sound of it"),
    poem("snow upon the roof", "the whole village is asleep", "one lamp in the north"),
    poem("snow upon the pines", "the village under a cloud", "one road to the north", plain=-4.1),
    poem("gravel clocks unsung", "marble of the banking teeth", "soon tomatoes nod", plain=-8.0),
]


def encode(texts):
    """Vectors of how much snow and how many frogs."""
    vectors = np.array([[text.count("snow"), text.count("frog"), 1.0] for text in texts], np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def choose(count, *, theme=(0, 0, 0), recent=()):
    """The chosen candidates' numbers."""
    themes = np.tile(np.array(theme, np.float32), (len(POEMS), 1))
    return [
        index
        for index, _ in rank(POEMS, count=count, themes=themes, encode=encode, recent=recent, taste=RankingWeights())
    ]


def test_the_theme_decides_among_fluent_poems():
    """A theme brings its poem to the front, and a poem that makes no sense comes last."""
    assert choose(1, theme=(1, 0, 0))[0] in {1, 2}
    assert choose(1, theme=(0, 1, 0)) == [0]
    assert choose(4)[-1] == 3


def test_recent_poems_are_avoided():
    """A poem that shares a line or most words with a recent one is not chosen."""
    assert choose(1, theme=(1, 0, 0), recent=[POEMS[1].lines, POEMS[2].lines]) == [0]


def test_the_chosen_differ():
    """The second poem is not the first one's twin."""
    assert set(choose(2, theme=(0.3, 0, 0))) != {1, 2}


def test_the_critic_is_heard():
    """Among poems alike in fluency the one that the critic likes comes first, and its disgust outweighs a theme."""
    themes = np.tile(np.array((1, 0, 0), np.float32), (len(POEMS), 1))
    for favourite in (1, 2):
        opinions = np.array([-3.0, -3.0, -3.0, -3.0])
        opinions[favourite] = 1.0
        best = rank(POEMS, count=1, themes=themes, encode=encode, opinions=opinions, taste=RankingWeights())
        assert best[0][0] == favourite


def test_without_a_theme_no_meaning_is_asked_for():
    """Where nobody asked for anything, no poem is encoded."""
    assert rank(POEMS, count=1, themes=None, encode=None, taste=RankingWeights())[0][0] in {0, 1, 2}


def test_unfit_poems_are_passed_over():
    """What may not be shown is not chosen, and only the best are asked about."""
    asked = []

    def fit(poem):
        asked.append(poem)
        return poem is not POEMS[0]

    assert 0 not in [
        index
        for index, _ in rank(POEMS, count=1, themes=None, encode=None, considered=1, fit=fit, taste=RankingWeights())
    ]
    assert len(asked) <= 2


def test_a_first_line_that_comes_often_is_avoided():
    """Of two poems alike, the one whose first line is likelier to have been written before is worth less."""
    assert fluency(replace(POEMS[0], opening=-8.0), RankingWeights()) < fluency(
        replace(POEMS[0], opening=-18.0), RankingWeights()
    )


def test_few_candidates_are_all_given():
    """More wanted than there are gives all of them, none twice."""
    assert sorted(choose(9)) == [0, 1, 2, 3]
