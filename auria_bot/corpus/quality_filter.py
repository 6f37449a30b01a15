"""Decide whether a poem from outside may be learned from, and give the reason if not.

Each rule is one function and one reason: language, quality, repetition, profanity, contact data, names, self-harm,
advertising. The thresholds are `FilterRules`, which come from the settings.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.corpus.language.content_filter import blocked_words, hidden_characters, names_of
from auria_bot.corpus.language.syllables import in_dictionary
from auria_bot.corpus.language.words import word_set, words

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FORMER_REASONS", "REASONS", "FilterRules", "judge"]

REASONS = {
    "hidden characters": "it holds characters that cannot be seen",
    "quality": "it is hardly words: numbers, shouting or noise",
    "language": "it is not in English",
    "repetition": "it says the same thing again and again",
    "self-harm": "it speaks of ending one's life",
    "contact data": "it holds a mail address, a handle or a number to call",
    "name of a person": "it names a person; corpus.allowed_words accepts a name, corpus.allow_person_names all",
    "advertising": "it sells, links or begs",
    "profanity": "it holds a word that must not be published",
    "about itself": "it speaks of haiku, or of the place where it was posted",
}
"""Every reason for leaving a poem out, in the order in which they are checked."""

FORMER_REASONS = {"personal data": ("contact data", "name of a person")}
"""Reasons that earlier versions stored, and those that took their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterRules:
    """The thresholds."""

    least_english: float = 0.7  # share of words that the dictionary has
    most_capitals: float = 0.6  # share of letters; a poem of more is shouted
    most_repeated: float = 0.45  # share of the words that the commonest may be
    most_odd: float = 0.15  # share of characters that are neither letters, spaces nor common marks
    allow: frozenset[str] = frozenset()  # folded words that are accepted although a list has them
    names: bool = False  # accept names of persons


_COMMON = word_set(
    "the a an of in on at to and is it i my me you your we are was be with for from this that not no so as "
    "but by her his she he they all one out up do if when what how who has have had will just like"
)
"""The commonest English words: a poem in another language seldom has one."""
_FOREIGN = word_set(
    "der die das und ist nicht ich ein eine le la les des une est et je dans que el los las una por con il "
    "di che sono het een van och att som da em nao os um para"
)
_ITSELF = word_set(
    "haiku haikus senryu syllable syllables reddit redditor redditors subreddit upvote upvotes upvoted "
    "downvote downvotes downvoted karma meme memes"
)
"""Words of poems about poems or about Reddit; Auria uses none of them."""
_NOBODY = word_set(
    "adam athena bach basho beethoven buddha buson caesar cassandra chiyo christ cinderella cleopatra dante "
    "einstein elvis england eve god hamlet irish issa jesus juliet karma lazarus lear macbeth magdalene "
    "maine mass monet moses mozart ophelia othello napoleon pandora persephone picasso rembrandt romeo santa "
    "santoka shakespeare shiki solomon states thor thoreau via whitman zeus"
)
"""Names that identify no living person: of scripture, myth, the stage and old masters, and of places."""
_SOMEBODY = word_set("dickinson gandhi guevara putin stalin trump wazowski")
"""Names that no census has and that identify a person all the same."""
_COARSE = re.compile(r"\b(?:mother)?f[u\W]c?k(?:en|in|ing|er|ers)?\b", re.IGNORECASE)
"""Spellings that word lists do not have."""
_ENDINGS = word_set("'s s es ed d ing ly ness er est y less like ism ist ity able")
_BEGINNINGS = ("anti", "auto", "counter", "dis", "hyper", "inter", "non", "over", "pre", "re", "super", "un", "under")
_PHONE = re.compile(r"(?<!\w)(?:\+?\d[\s.()-]*){7,}(?!\w)")
# What stands before a dot or an @ is looked at for one character only, so that no text makes the search slow.
_MAIL = re.compile(r"[\w.+-]@[\w-]++\.[\w-]")
_HANDLE = re.compile(r"(?<![\w.])[@\N{FULLWIDTH COMMERCIAL AT}]\w|(?:^|[\s(])/?u/\w+", re.IGNORECASE)
_HARM = re.compile(
    r"\b(?:"
    r"suicid\w*|kill(?:ing)? (?:myself|yourself|himself|herself|themselves)|"
    r"end(?:ing)? (?:it all|(?:my|your|this) (?:own )?(?:life|all))(?!')|hang(?:ing)? myself|"
    r"slit(?:ting)? (?:my|your|her|his) wrists?|cut(?:ting)? (?:myself|my wrists?)|overdos\w+|self.?harm\w*|"
    r"want(?:ed)? to die|wish (?:i was|i were|to be) dead|take my (?:own )?life|(?:my|your|own) noose|"
    r"(?:tie|tied|tying|knot|knotted|taut|tightening|constricting) (?:a |the |my )?noose|"
    r"noose (?:is |was |hangs? |tight |tightens )?(?:around|round|about|on) (?:my|your|her|his|"
    r"own) (?:own )?(?:neck|throat)"
    r")\b",
    re.IGNORECASE,
)
_SELLS = re.compile(
    r"https?:|www\.|\w-*+\.(?:com|org|net|io|co|ly|tv|shop)\b|"
    r"\b(?:"
    r"(?:please|like and|comment and|to) subscribe|"
    r"subscribe (?:now|today|here|please|and|for|to (?:my|our|the|this) "
    r"(?:\w+ )?(?:channel|blog|newsletter|page|podcast|list|feed))|"
    r"(?:promo|coupon) codes?|discount coupon|follow me|onlyfans|patreon|giveaway|buy (?:now|my)|"
    r"check out my (?:blog|book|channel|page|podcast|profile|shop|site|store|video)s?|"
    r"link in bio|upvotes? (?:me|this|please)|discord\.gg|etsy|soundcloud"
    r")\b",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\w\s.,;:!?'\"()\-\N{EN DASH}\N{EM DASH}\N{HORIZONTAL ELLIPSIS}&/]")


def judge(lines: Sequence[str], rules: FilterRules | None = None) -> str:
    """The reason for leaving a poem out, a key of REASONS; "" if it may be learned from.

    Args:
        lines: the poem's, cleaned.
    """
    kept = rules or FilterRules()
    text = "\n".join(lines)
    spelt = words(text)
    checks = {
        "language": lambda: _foreign(text, spelt, kept) or not all(map(words, lines)),
        "quality": lambda: _noisy(text, spelt, kept),
        "repetition": lambda: _repeats(lines, spelt, kept),
        "profanity": lambda: _profane(text, kept),
        "contact data": lambda: any(found.search(text) for found in (_MAIL, _HANDLE, _PHONE)),
        "name of a person": lambda: _names_somebody(text, spelt, kept),
        "self-harm": lambda: bool(_HARM.search(" ".join(text.split()))),
        "about itself": lambda: any(word.removesuffix("'s") in _ITSELF - kept.allow for word in spelt),
        "advertising": lambda: bool(_SELLS.search(text)),
        "hidden characters": lambda: bool(hidden_characters(text)),
    }
    return next((reason for reason in REASONS if checks[reason]()), "")


def _foreign(text: str, spelt: Sequence[str], rules: FilterRules) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    if not spelt or sum(not letter.isascii() for letter in letters) > 0.2 * len(letters):
        return True
    known = sum(map(_is_english, spelt)) / len(spelt)
    telling = sum(word in _FOREIGN for word in spelt)
    if telling >= 2 and telling > sum(word in _COMMON for word in spelt):
        return True
    return known < rules.least_english and (known < 0.5 or not any(word in _COMMON for word in spelt))


def _is_english(word: str) -> bool:
    """Whether the dictionary has the word, or its stem without a common beginning or ending."""
    stems = (
        word,
        *(word.removeprefix(start) for start in _BEGINNINGS if word.startswith(start) and len(word) > len(start) + 3),
    )
    return any(in_dictionary(stem) or _is_inflected(stem) for stem in stems)


def _is_inflected(word: str) -> bool:
    return any(
        word.endswith(ending)
        and len(word) > len(ending) + 2
        and (in_dictionary(stem := word.removesuffix(ending)) or in_dictionary(f"{stem}e"))
        for ending in _ENDINGS
    )


def _noisy(text: str, spelt: Sequence[str], rules: FilterRules) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    shouted = len(letters) > 20 and sum(letter.isupper() for letter in letters) > rules.most_capitals * len(letters)
    odd = sum(not _PLAIN.match(letter) for letter in text) > rules.most_odd * len(text)
    numbers = sum(word.isdigit() for word in spelt) > 0.3 * len(spelt)
    return shouted or odd or numbers or bool(re.search(r"(.)\1{4,}", text))


def _repeats(lines: Sequence[str], spelt: Sequence[str], rules: FilterRules) -> bool:
    folded = [" ".join(words(line)) for line in lines]
    if len(set(folded)) < len(folded) - 1:
        return True
    commonest = Counter(spelt).most_common(1)
    return len(spelt) >= 6 and bool(commonest) and commonest[0][1] > rules.most_repeated * len(spelt)


def _profane(text: str, rules: FilterRules) -> bool:
    found = (" ".join(words(found)) for found in blocked_words(text))
    listed = any(one not in rules.allow and one.removesuffix("'s") not in _ITSELF for one in found)
    return listed or any(" ".join(words(one)) not in rules.allow for one in _COARSE.findall(text))


def _names_somebody(text: str, spelt: Sequence[str], rules: FilterRules) -> bool:
    if rules.names:
        return False
    named = {word.removesuffix("'s") for word in (*names_of(text), *(word for word in spelt if word in _SOMEBODY))}
    return bool(named - _NOBODY - rules.allow)
