from dataclasses import replace

import numpy as np
import pytest

from auria_bot.art.poets.decoding import DecodedPoem
from auria_bot.art.poets.ranking import RankingWeights, faults, fluency, rank, style_penalties, usable_theme
from auria_bot.art.poets.worn_lines import WornLines
from auria_bot.corpus.language.words import words
from auria_bot.corpus.originality import CopyGuard
from auria_bot.domain.artwork import LONGEST_THEME
from auria_bot.errors import InputError, TextRejected


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
        for index, _ in rank(POEMS, count=count, themes=themes, encode=encode, recent=recent, weights=RankingWeights())
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
    """The second poem is not a near copy of the first."""
    assert set(choose(2, theme=(0.3, 0, 0))) != {1, 2}


def test_the_poem_scorer_counts():
    """Among equally fluent poems the one with the higher scorer logit comes first, and a low logit outweighs a theme."""
    themes = np.tile(np.array((1, 0, 0), np.float32), (len(POEMS), 1))
    for favourite in (1, 2):
        scorer_logits = np.array([-3.0, -3.0, -3.0, -3.0])
        scorer_logits[favourite] = 1.0
        best = rank(POEMS, count=1, themes=themes, encode=encode, scorer_logits=scorer_logits, weights=RankingWeights())
        assert best[0][0] == favourite


def test_without_a_theme_no_meaning_is_asked_for():
    """Without a theme no poem is encoded."""
    assert rank(POEMS, count=1, themes=None, encode=None, weights=RankingWeights())[0][0] in {0, 1, 2}


def test_unfit_poems_are_passed_over():
    """A poem that fails the checks is not chosen, and only the best are checked."""
    asked = []

    def is_usable(poem):
        asked.append(poem)
        return poem is not POEMS[0]

    assert 0 not in [
        index
        for index, _ in rank(
            POEMS, count=1, themes=None, encode=None, considered=1, is_usable=is_usable, weights=RankingWeights()
        )
    ]
    assert len(asked) <= 2


def test_a_first_line_that_comes_often_is_avoided():
    """Of two poems alike, the one whose first line is likelier to have been written before is worth less."""
    assert fluency(replace(POEMS[0], opening=-8.0), RankingWeights()) < fluency(
        replace(POEMS[0], opening=-18.0), RankingWeights()
    )


def test_a_line_that_the_poet_writes_often_is_avoided():
    """Of poems alike, the one whose lines come least comes first."""
    pool = [poem("one moon at dawn", "the shadow of an oak", "falls"), poem("one star at dawn", "the crows", "rise")]
    worn = WornLines.counted([[pool[0].lines]] * 3)
    how = {"count": 1, "themes": None, "encode": None, "worn": worn}
    assert rank(pool, weights=RankingWeights(), **how)[0][0] == 0
    assert rank(pool, weights=RankingWeights(worn=0.2), **how)[0][0] == 1


def test_few_candidates_are_all_given():
    """More wanted than there are returns all of them, none twice."""
    assert sorted(choose(9)) == [0, 1, 2, 3]


def words_of(*lines):
    """Lines as lists of words."""
    return [line.split() for line in lines]


def test_a_clean_poem_has_no_penalty():
    """One season, one hour and few prepositions cost nothing."""
    assert style_penalties(words_of("still water tonight", "the moon lies down on a leaf", "and does not wake it")) == 0


def test_seasons_and_hours_do_not_mix():
    """Two seasons cost more than two hours of the day, and both cost something."""
    spring = style_penalties(words_of("spring rain", "the winter hill", "sleeps"))
    hours = style_penalties(words_of("morning rain", "the evening hill", "sleeps"))
    assert spring > hours > 0


def test_many_prepositions_are_penalised():
    """A chain of prepositions, lines that open alike and a second "of" cost something."""
    assert style_penalties(words_of("on the hill of rain", "in the night of the river", "of a house in wind")) > 1.5
    assert style_penalties(words_of("the moon", "the hill sleeps", "rain")) > 0


@pytest.mark.parametrize(
    ("line", "is_lost"),
    [
        ("a boy by the gate with her lantern", True),
        ("the old woman lifts his cup", True),
        ("the farmer with her lantern", False),
        ("a cat and her kittens by the boy", True),
        ("a girl gives him her lantern", True),
        ("the mother and her boy", False),
        ("a boy looks up and she waves", True),
        ("the man and his dog", False),
        ("her lantern by the gate", False),
    ],
)
def test_pronouns_that_can_only_mean_another_are_penalised(line, is_lost):
    """Somebody is there, but of the other sex alone; animals and farmers may be either."""
    assert (style_penalties(words_of(line)) >= 2) == is_lost


def test_words_with_a_common_beginning_are_penalised():
    """Sun beside sunlight costs something, moonlight beside sun does not."""
    assert style_penalties(words_of("sunlight on a leaf", "the cold sun", "rain")) > 0
    assert style_penalties(words_of("moonlight on a leaf", "the cold sun", "rain")) == 0


POEM = [words(line) for line in ("still water tonight", "the moon lies down on a leaf", "and does not wake it")]


def test_a_good_poem_has_no_fault():
    """A 5-7-5 poem in good form passes."""
    assert faults(POEM, None) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("still water\nthe moon lies down on a leaf\nand does not wake it", "5-7-5"),
        ("still water and the\nmoon lies down upon a leaf\nand does not wake it", "breaks badly"),
        ("still water tonight\nthe moon lies down on a leaf\nstill water tonight", "repeats"),
        ("still water tonight\nthe fuck lies down on a leaf\nand does not wake it", "blocked"),
        ("still water tonight\nhere jennifer lies on leaves\nand does not wake it", "name"),
    ],
)
def test_faults_are_named(text, fault):
    """Each kind of fault is found and said."""
    assert any(fault in each for each in faults([words(line) for line in text.splitlines()], None))


def test_copies_are_faults():
    """A poem that the guard knows is dropped."""
    assert faults(POEM, CopyGuard(CopyGuard.build([POEM])))


@pytest.mark.parametrize(
    "theme",
    [
        "'; DROP TABLE drafts; --",
        "../../etc/passwd",
        "quantum flux-capacitors",
        "\N{CJK UNIFIED IDEOGRAPH-6708}",
        " first\n snow ",
        "O'Hara's ca\u0301fe",
    ],
)
def test_strange_themes_are_welcome(theme):
    """Quotes, slashes, new words and other scripts are read for their meaning."""
    assert usable_theme(theme)


@pytest.mark.parametrize("theme", [None, "", "  \n\t "])
def test_no_theme_is_none(theme):
    """Nothing but white space is no theme."""
    assert usable_theme(theme) is None


@pytest.mark.parametrize(
    "theme",
    ["x" * 10_000_000, "a" * (LONGEST_THEME + 1), "moon\N{RIGHT-TO-LEFT OVERRIDE}light", "a\x00b", "!?!", "12345"],
)
def test_unusable_themes_are_refused(theme):
    """Ten megabytes, hidden characters and themes without a word raise InputError with a short message."""
    with pytest.raises(InputError) as caught:
        usable_theme(theme)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("theme", ["a fucking storm", "see https://spam.example.com", "ask @someone"])
def test_themes_that_must_not_be_said_are_refused(theme):
    """Profanity, links and mentions raise TextRejected."""
    with pytest.raises(TextRejected):
        usable_theme(theme)
