"""Decide what a public text may not contain: blocked words, names of persons, misleading characters.

Blocked words are stored as hashes, so the list cannot be read in the repository.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from functools import cache

from auria_bot.corpus.language.shipped_tables import table
from auria_bot.corpus.language.words import word_set, words
from auria_bot.errors import ModelCorrupt

__all__ = [
    "ALLOWED",
    "MORE_NAMES",
    "NOT_NAMES",
    "PLACES",
    "blocked_words",
    "digest",
    "faults",
    "hidden_characters",
    "is_blocked",
    "is_name",
    "is_proper",
    "unseemly",
]


ALLOWED = word_set(
    "areole arian auto bang beaver bod booby breast breasts bum butt butts caw cock cocks coital crack dope "
    "dream drunk dummy fanny fat fatty fist flange flap gay gays ghost god goddess hell herb heroin hoar "
    "hoary hobo hole hooch hump jerk junkie kill killed kills knob lens lenses lesbian lesbians loin loins "
    "lust lusty mad menses menstruate mother naked nude opium organ paddy palm pansy pap paps pawn pawns "
    "peck pee period pot queen queer race reefer reich rum rump screw sex shade slope slopes snatch sniper "
    "snowball sob sop space steamy stone stoned strip strips stroke stupid suck sucked sucking sucks teat "
    "teats thrust thrusts tinker toke trash tush ugly undies urine vegetable virgin vodka vomit weed weird "
    "wet wino womb womby womens worm xx yellow "
)
"""Words on common profanity lists that verse legitimately uses."""

NOT_NAMES = word_set(
    "a abbot acacia alder am amber an and andromeda angel apple april aquarius are aries arms art as ash "
    "aspen at august aurora autumn autumn's azalea baker banks barley baron basil bass bay be beach bean "
    "beans bear beauty beech been being bell bells berry best bill bills birch bird birds bishop black bloom "
    "blossom blue bob bold bowl branch bridge bridges bright brook brown buck bud buddha buddy buds burn "
    "burns bush but butler by camellia candle carol carols carrier carter case cassiopeia cedar chance "
    "charity chase cherry child children chip christmas christmas's church clemency clementine cliff cloud "
    "clouds clover colt constance cook cooper coral corn cotton crabs crane cross crow crows crystal cup "
    "dahlia daisy dale darling dash dawn dawn's day days dean death december diamond did dipper do does dove "
    "doves downs drake drew duke dusty earl early earth east easter eastern ebony elder elm ernest eve "
    "evening faith falcon fall fallen falls farmer father father's fawn february felicity fern field fields "
    "finch fisher fishers flora flower flowers fog foot for forest found fox frank free friday friend "
    "friends from frost game games garden gardener gardens gay gem gemini gene gentle ginger glen god gold "
    "golden goldie good grace grant grass gray green grey guy had hand hands hardy has have hawk hazel he "
    "head heart heath heather heaven her heron herring hill hills his holly home honor hood hope house how "
    "hunt hunted hunter hunts i i'd i'll i'm i've ice in iris is island it ivory ivy jade january jasmine "
    "jay jewel joy july june jupiter kind king lake lamb lamp lane lark late laurel lavender leaf leaves leg "
    "legs lemon leo libra life light lilac lily linen lion little long lord lost lotus love loves luna "
    "magnolia man mango maple march marigold mark mars marsh martin mason may me melon mercury mercy merry "
    "miles milky miller mist misty monday monk moody moon moon's moor moss mother mother's mount mountain "
    "mountains my myrtle nature neptune new night no noble noon north northern not november now oak oaks "
    "oats ocean october of oh old olive on one opal orchid orion our page pan pansy paradise park parks "
    "partridge pat patience peach peacock pearl penny peony perseid perseids petunia pigeon pike pine pines "
    "pisces pleiades plum pluto pool pope poppy potter power powers price prince prudence queen rain rain's "
    "ray rays red reed rice rich river rivers road rob robin rocky root roots rose rosemary rowan ruby rush "
    "rusty saffron sage salmon sand sands sandy sapphire saturday saturn savage scorpio sea seas september "
    "she shell shepherd shore short silk silver singer sirius skip sky small smith snow snow's so somers "
    "song sonny south southern sparrow spirit spring spring's star stem sterling stone stories storm storms "
    "stormy story street strong summer summer's sun sun's sunday sunny swan sweet swift tailor taurus taylor "
    "temple that the their they this thunder thursday tiger time to topaz tree trees trout truth tuesday "
    "turner twigg two valley vega venus verity violet virgo wall walls ward was wave waves way we weather "
    "weaver wednesday weeks wells were west western wheat white who why will willow wills wind winds winter "
    "winter's winters wise with wolf woman wood woods wool work works world wren yes you young your zen "
    "zinnia "
)
"""Names of a census that are ordinary words in a poem."""

PLACES = word_set(
    "alexandria america asia austin brooklyn canada carolina chad china columbus dallas denver devon dutch "
    "england english florence france french georgia german germany holland houston india ireland israel "
    "jordan kent kenya lincoln london lorraine melbourne milan normandy orlando paris patrick's roman rome "
    "santa savannah scotland sydney troy valencia virginia washington york "
)
"""Names of places, peoples and feasts that are also names of persons, and mean the former in verse."""

MORE_NAMES = word_set(
    "allah bach basho beethoven beyonce biden buson chiyo christ clinton disney einstein elvis gandhi "
    "hemingway hitler issa jesus kanye kerouac mohammed monet mozart muhammad obama oprah picasso putin "
    "reagan rembrandt santoka shakespeare shiki stalin thoreau trump whitman "
)

_UNSEEMLY = word_set(
    "abortion aids anal arse asshole bitch boobs buttocks cancer chinaman cocaine condom condoms corona "
    "covid crap cum damn damned democrat democrats dildo downvote erection eskimo faggot fart farts genitals "
    "genocide goddamn gypsies gypsy haha haiku haikus heroin hitler holocaust hooker incest isis jap japs "
    "karma kkk lmao lol lynch lynching masturbate meme memes meth molest murder murdered murderer nazi nazis "
    "negro negroes nigga obama omg orgasm oriental overdose pedophile penis piss pissed pissing politics "
    "poop pooping poops porn porno racism racist rape raped raping rapist reddit republican republicans "
    "retard retarded savages semen shitty slave slaves slut sluts squaw stripper suicidal suicide syllable "
    "syllables syphilis terrorism terrorist terrorists testicles trump upvote upvotes vagina virus whore "
    "whores wtf "
)

_LINK = re.compile(
    r"(?:https?:|www\.|\b[\w-]+\.(?:com|org|net|io|co|uk|info|biz|dev|ai|me|ly|gg|xyz|app|ru|cn|de)\b)", re.IGNORECASE
)
_MENTION = re.compile(r"(?<![\w.])[@\N{FULLWIDTH COMMERCIAL AT}]\w")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_MISLEADING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = frozenset("\N{ZERO WIDTH JOINER}\N{VARIATION SELECTOR-16}")
_LOOKALIKES = str.maketrans("013457@$!|", "oieastasil")
_LONGEST_PHRASE = 4  # words in the longest blocked phrase


def digest(phrase: str) -> str:
    """The hash under which a blocked word or phrase (folded words, single spaces) is stored."""
    return hashlib.sha256(f"auria:{phrase}".encode()).hexdigest()[:16]


def unseemly() -> frozenset[str]:
    """Words that no profanity list contains and that Auria still does not use."""
    return _UNSEEMLY


def is_blocked(word: str) -> bool:
    """Whether a word is blocked, including its plural and look-alike spellings; a number is no word."""
    if not any(letter.isalpha() for letter in word):
        return False
    folded = "".join(words(word))
    if folded in ALLOWED:
        return False  # "lens" is no plural
    forms = {folded, folded.removesuffix("s"), folded.removesuffix("'s"), "".join(words(word.translate(_LOOKALIKES)))}
    return any(form not in ALLOWED and digest(form) in _blocked() for form in forms if form)


def blocked_words(text: str) -> list[str]:
    """The blocked words and phrases of a text, in order."""
    listed = words(text)
    spelled = re.findall(r"[^\W_][\w@$!|']*", text)
    found = [token for token in spelled if is_blocked(token)]
    for size in range(2, _LONGEST_PHRASE + 1):
        phrases = (" ".join(listed[at : at + size]) for at in range(len(listed) - size + 1))
        found.extend(phrase for phrase in phrases if phrase not in ALLOWED and digest(phrase) in _blocked())
    return found


def is_name(word: str) -> bool:
    """Whether a word is primarily a name of a person."""
    folded = "".join(words(word)).removesuffix("'s")
    return folded in _names()[0]


def is_proper(word: str) -> bool:
    """Whether the word is written with a capital: a name of a person, a place, a people, a brand."""
    folded = "".join(words(word)).removesuffix("'s")
    return folded in _names()[0] or folded in _names()[1]


def faults(text: str, *, names: bool = True) -> list[str]:
    """The reasons why a text must not be published; empty if it may be.

    Args:
        text: any text.
        names: also report names of persons.
    """
    found = [f"blocked word: {word[:2]}..." for word in blocked_words(text)]
    if names:
        found.extend(f"name of a person: {word}" for word in dict.fromkeys(words(text)) if is_name(word))
    if _LINK.search(text):
        found.append("a link")
    if _ADDRESS.search(text):
        found.append("an address")
    elif _MENTION.search(text):
        found.append("a mention")
    strange = hidden_characters(text)
    if strange:
        found.append(f"characters that cannot be seen: {', '.join(strange[:8])}")
    return found


def hidden_characters(text: str) -> list[str]:
    """The control, zero-width, direction-changing and unassigned characters of a text, as U+ numbers."""
    return sorted(
        {
            f"U+{ord(letter):04X}"
            for letter in text
            if letter != "\n" and letter not in _JOINERS and unicodedata.category(letter) in _MISLEADING
        }
    )


@cache
def _blocked() -> frozenset[str]:
    return frozenset(table("words", "blocked.txt").read_text(encoding="ascii").split())


@cache
def _names() -> tuple[frozenset[str], frozenset[str]]:
    try:
        rows = zlib.decompress(table("words", "names.z").read_bytes()).decode("ascii").split("\n")
        persons, proper = rows
    except (zlib.error, ValueError) as error:
        raise ModelCorrupt(f"models/words/names.z cannot be read ({error}); reinstall auria-bot") from None
    return frozenset(persons.split(" ")), frozenset(proper.split(" "))
