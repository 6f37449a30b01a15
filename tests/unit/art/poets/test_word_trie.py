import numpy as np
import pytest

from auria_bot.art.poets.lexicon import Lexicon
from auria_bot.art.poets.word_trie import FIRST, INNER, LAST, ROOT, WordTrie
from auria_bot.corpus.language.words import SPECIALS, Vocabulary
from auria_bot.errors import InputError

NEWLINE = 0
LETTERS = "abcdefghijklmnopqrstuvwxyz'"


def spelt(word):
    """A token for the space and first letter, then one for each further letter."""
    return [100 + LETTERS.index(word[0]), *(1 + LETTERS.index(letter) for letter in word[1:])]


def trie(*words):
    """A trie over the words."""
    return WordTrie(Lexicon.of(Vocabulary(words=(*SPECIALS, *words))), spelt, NEWLINE)


def allowed(tree, node, place, rest):
    """The tokens that may follow."""
    base, further = tree.choices(node, place, rest)
    columns = {*np.flatnonzero(tree.masks[base] == 0).tolist(), *further.tolist()}
    return {int(tree.tokens[column]) for column in columns}


def walk(tree, letters):
    """The node after these letters of a word."""
    node = ROOT
    for token in spelt(letters):
        node = tree.children[node][int(np.searchsorted(tree.tokens, token))]
    return node


def test_words_begin_only_where_the_line_can_still_end():
    """A word that fills the line too far, or leaves what no word fills, cannot begin."""
    tree = trie("snow", "river", "rivers", "butterfly")
    assert allowed(tree, ROOT, INNER, 3) == {spelt("snow")[0], spelt("river")[0], spelt("butterfly")[0]}
    assert allowed(tree, ROOT, INNER, 1) == {spelt("snow")[0]}


def test_a_word_ends_where_its_syllables_allow():
    """At the end of a word come the tokens that make it longer, words that still fit, or the end of the line."""
    tree = trie("snow", "river", "rivers", "riverbank")
    river = walk(tree, "river")
    assert allowed(tree, river, INNER, 2) == {NEWLINE, spelt("rivers")[-1]}
    assert allowed(tree, river, INNER, 3) == {
        spelt("snow")[0],
        spelt("rivers")[-1],
        *({spelt("riverbank")[5]} if tree.lexicon.syllable_counts[7] else set()),
    }


def test_leaning_words_end_no_line():
    """An article never ends a line, and some words do not begin a poem."""
    tree = trie("snow", "the", "them", "over")
    the = walk(tree, "the")
    assert NEWLINE not in allowed(tree, the, INNER, 1)
    assert spelt("snow")[0] in allowed(tree, the, INNER, 2)
    over = walk(tree, "over")
    assert NEWLINE in allowed(tree, over, LAST, 2)
    assert NEWLINE not in allowed(tree, over, INNER, 2)
    first, inner = (allowed(tree, walk(tree, "the"), place, 5) for place in (FIRST, INNER))
    assert spelt("them")[-1] in inner - first


def test_articles_suit_the_next_word():
    """What begins only words with a vowel does not suit "a", and the other way round; else both are suited."""
    tree = trie("a", "an", "owl", "stone", "honest", "hill")
    a, an = (
        {int(tree.tokens[column]) for column in tree.unsuited[tree.lexicon.vocabulary.numbers[word]]}
        for word in ("a", "an")
    )
    assert a == {spelt("owl")[0], spelt("an")[0]}
    assert an == {spelt("stone")[0]}


def test_too_few_words_are_refused():
    """Words that cannot fill a line of five syllables are no lexicon to write with."""
    with pytest.raises(InputError, match="too few words"):
        trie("river")
