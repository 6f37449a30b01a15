"""Decide what a public text may not contain: blocked words, names of persons, misleading characters.

Blocked words are stored as hashes, which `auria_bot.art.training.words` derives, as it does the names.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections import Counter
from functools import cache
from itertools import pairwise

from auria_bot.corpus.language.syllables import dictionary_words, in_dictionary
from auria_bot.corpus.language.words import table, word_set, words
from auria_bot.errors import ModelCorrupt

__all__ = [
    "ALLOWED",
    "blocked_words",
    "digest",
    "faults",
    "hidden_characters",
    "is_blocked",
    "is_name",
    "is_proper",
    "names_of",
    "normalised",
]

ALLOWED = word_set(
    "areole arian auto bang beaver bod booby breast breasts bum butt butts caw cock cocks coital crack dope "
    "dream drunk dummy fanny fat fatty fist flange flap gay gays ghost god goddess hell herb heroin hoar "
    "hoary hobo hole hooch hump jerk junkie kill killed kills knob lens lenses lesbian lesbians loin loins "
    "lust lusty mad menses menstruate mother naked nude opium organ paddy palm pansy pap paps pawn pawns "
    "peck pee period pot queen queer race reefer reich rum rump screw sex shade slope slopes snatch sniper "
    "snowball sob sop space steamy stone stoned strip strips stroke stupid suck sucked sucking sucks teat "
    "teats thrust thrusts tinker toke trash tush ugly undies urine vegetable virgin vodka vomit weed weird "
    "wet wino womb womby womens worm xx yellow"
)
"""Words on common profanity lists that verse legitimately uses."""

_INNOCENT = word_set(
    "assess buttocks cancer cumings cummings dopey enlargement enlargements erect erected erects fondle hemp "
    "hoare hookah hookahs inbred damned junky leper lepers haha lusting maxi ninny nappy ovary pasty "
    "penetrate penetrated penetrates penetrating playboy playboys politics pollock puss racy revue screwed "
    "revues sandbar sandbars scum seaman seaman's seamen snuff snuffs tawdry tinkle tinkles toots tramp "
    "tramps trashy unwed virus viruses vixen vixens vulgar wad wads weirdo weirdos whiz whizzes"
)
"""Words that a text may use although the poet does not."""

_NATURE_CONTEXT = re.compile(
    r"\b(?:"
    r"(?<!her )(?<!your )(?<!my )(?<!has )(?<!have )(?<!got )(?<!with )(?<!those )(?:great|blue|coal|march|marsh|"
    r"willow|crested|tailed|bearded|sombre|azure|penduline|varied) tits?|tit for tat|"
    r"pussy ?(?:willows?|toes|cats?|foots?|footing)|puss moths?|"
    r"(?:oilseed|oil seed|yellow|flowering|blooming|winter) rape|"
    r"rape (?:fields?|flowers?|blossoms?|seeds?|oil|plants?|honey)|"
    r"rape (?:is |are )?in (?:full )?(?:bloom|flower|blossom)|(?:fields?|acres|rows|scent|smell|sea|gold) of rape|"
    r"gypsy (?:moths?|wort|rose)|murders? of (?:\w+ )?(?:crows?|ravens?)|(?<=\bcrows )(?:\w+ ){0,3}murder|"
    r"slaves? (?:to|of) (?:my |his |her |our |the |a )?(?:time|habits?|fashion|love|desires?|clock|passions?|"
    r"conscience|hours?|seasons?|winds?|moon|sun|tides?|money)|"
    r"chinks? (?:of|in) (?:the |a |my |this |our )?(?:light|sunlight|moonlight|sun|moon|sky|dawn|walls?|blinds?|"
    r"curtains?|shutters?|door|fence|armou?r|clouds?|hedge|ice|stones?|boards?)|pin ?pricks?|"
    r"pricks? (?:of|by|from) (?:\w+ ){0,3}(?:thorns?|needles?|pins?|stars?|light|frost|rain|cold|nettles?|"
    r"thistles?|brambles?|hail|conscience)|"
    r"(?:thorns?|needles?|thistles?|brambles?|nettles?|spines?|stars?|rain|frost) (?:(?:can|will|may|still|that|"
    r"who|which) ){0,2}pricks?|"
    r"pricks? (?:up )?(?:(?:my|her|his|its|the|their|your|our|a) )(?:\w+ )?(?:ears?|fingers?|thumbs?|skin|palms?|"
    r"feet|conscience)|oriental (?:poppy|poppies|lily|lilies|plane|planes|pear|pears|bittersweet)|"
    r"(?:solar|sun's|moon's|eclipse's) corona|corona of (?:the |a )?(?:sun|moon|light|eclipse|stars?)|"
    r"corona borealis|wild ass(?:es)?|bastard toadflax|spotted dick|moby dick|cum laude|homo sapiens|honky tonks?|"
    r"horny toads?|fag ends?|hooker's green|(?:maine|mountain) coons?|tropic of cancer|tramp steamers?|"
    r"shag (?:rug|carpet|bark)s?|faggots? of (?:wood|sticks|twigs|brushwood)|bundles? of faggots|beef jerked|"
    r"wang (?:wei|an shi|anshi|changling)|(?:su|xi) shi|porta potty|oral (?:tradition|history|histories)|"
    r"craps table|murder myster(?:y|ies)|slave (?:ships?|cemetery|cemeteries|museums?|quarters|trade|graves?)|"
    r"van dyke"
    r")\b"
)
"""Phrases in which a blocked word is a bird, a plant, a colour, an everyday idiom or an author."""

_FAMILY_NAMES = word_set("dick dong dyke guido hooker kraut len lynch pollock shi wang weiner whitey willy woody")
"""Blocked words that are also names; after a given name or an initial they are taken for that."""

_NOT_PERSONS = word_set(
    "alamo alpha ariel athena barrow bender berlin bourgeois broadway browning canning canon canterbury "
    "cassandra chancellor cinderella conte council daphne dolphin dolphins don dover eden ethyl garnet gaul "
    "genesis glasgow grande hallmark havana hermes highland homer io juno lazarus lima madonna major maine "
    "marin marina marlin maryland minerva monte naples napoli nevada noel novella oneida pandora pasty "
    "persephone piazza pilgrim pilgrim's piper poland porsche prior register rhine rhone romans rosetta "
    "salem sapphire saxon sierra sinai spain squire states suez erie tanner tara thames thor trinidad turk "
    "tyre venezia venice verona via viola violeta wales warren windsor worcester wright yuan zion"
)
"""Names of a census that are ordinary words, places or myths in a text; the poet itself does not use them."""

_NO_PERSON = re.compile(
    r"\b(?:"
    r"hong kong|mona lisa|mont blanc|(?:to|in|on|at) the john|long johns?|jack o lanterns?|black eyed susans?|"
    r"johnny jump ups?|queens? ann?e?'?s'? lace|sweet william|creeping jenny|joe pye(?: weed)?|"
    r"(?:cups?|mugs?|cuppa|some|more|morning) (?:of )?joe|mary janes?|bloody mary|hail mary|stanley cup|"
    r"mercedes benz|(?:a|my|your|his|her|the) (?:new |old )?mercedes|jean (?:shorts|jacket|shirt)s?|blue jean|"
    r"ursa major|(?:lake|queen) victoria|victoria (?:falls|station|line)|"
    r"(?:mount|lake|port|cape|fort|san|santa|st|saint|new) \w+|"
    r"\w+ (?:canal|river|bay|creek|avenue|boulevard|street|bridge|station|wort|salad|dressing|square|plaza|county|"
    r"college|university|museum|cathedral|castle|airport|park|cafe|highway|beach|trees?|blossoms?|petals?)|"
    r"virgin mary|mary magdalene|starbuck's|victoria's secret|levi's|lazy susans?|simon says|dear john|"
    r"paul bunyan|"
    r"(?:first|second|third|one|two|three)? ?john (?:\d+|one|two|three|four|five|six|ten|fourteen|fifteen|sixteen|"
    r"seventeen)|"
    r"(?:matthew|luke) (?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|"
    r"fifteen)|alpha (?:and )?omega|johnny come lately|johnny cakes?|punch and judy|jim beam|"
    r"disney (?:plus|world|land|movies?)|les paul|mack the knife|yee (?:haw?|caw|hoo)|yuki onna|"
    r"colby (?:jack|cheese|swiss)|oscar (?:night|nod|speech)|"
    r"monet's (?:garden|bridge|pond|lil(?:y|ies))|to the max|jolly roger|roger that|venus de milo|christmas carol|"
    r"robin hood|norman conquest|the nile|nor nor (?:east|west)|panama canal|saint elmo's fire|st elmo's fire|"
    r"romeo and juliet|adam's apple|daddy long legs"
    r")\b"
)
"""Phrases in which a name is none of a person."""
_THE_RIVER = re.compile(
    r"\b(?:on|over|across|along|down|up|by|into|in|beyond|from|through|near|beside|above|below) the"
    r" (?=[A-Z])(\w+)(?=\s*(?:[,.;:!?\N{EM DASH}-]|$))",
    re.MULTILINE | re.IGNORECASE,
)
"""A river or a region, as in "mists on the Hudson": persons take no article."""
_ARTICLES = word_set("a an another any each every no some that the these this those")

# What stands before a dot or an @ is looked at for one character only, so that no text makes the search slow.
_LINK = re.compile(
    r"(?:https?:|www\.|\w-*+\.(?:com|org|net|io|co|uk|info|biz|dev|ai|me|ly|gg|xyz|app|ru|cn|de)\b)", re.IGNORECASE
)
_FLAG = re.compile(
    "\N{WAVING BLACK FLAG}[\U000e0061-\U000e007a]{2}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,3}\U000e007f"
)
"""A flag of a country's part, such as Scotland's: the letters of its code follow as tag characters."""
_CURSIVE = re.compile(
    r"ARABIC|SYRIAC|MONGOLIAN|NKO|DEVANAGARI|BENGALI|GURMUKHI|GUJARATI|ORIYA|TAMIL|TELUGU|KANNADA|MALAYALAM|SINHALA|"
    r"KHMER|MYANMAR|TIBETAN|THAI|LAO"
)
"""Scripts whose words hold joiners, non-joiners and spaces of no width."""
_BETWEEN_LETTERS = frozenset("\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}\N{ZERO WIDTH SPACE}")
_MARKS = frozenset("\N{LEFT-TO-RIGHT MARK}\N{RIGHT-TO-LEFT MARK}\N{ARABIC LETTER MARK}")
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}]")
_MENTION = re.compile(r"(?<![\w.])[@\N{FULLWIDTH COMMERCIAL AT}]\w")
_ADDRESS = re.compile(r"[\w.+-]@[\w-]++\.[\w.-]")
_MISLEADING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_JOINERS = frozenset("\N{ZERO WIDTH JOINER}\N{VARIATION SELECTOR-16}")
_LOOKALIKES = str.maketrans("013457@$!|", "oieastasil")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
"""A letter three times or more, as in "nooo"."""
_OTHER_LETTERS = str.maketrans(
    "\u0430\u0432\u0435\u0455\u0456\u0457\u0458\u043a\u043c\u043d\u043e"  # Cyrillic
    "\u0440\u0441\u0442\u0443\u0445\u0433\u0501\u051b\u051d\u04bb\u04cf"
    "\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03c9"  # Greek
    "\u0585\u057d\u0570\u0578"  # Armenian
    "\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0262\u029c\u026a\u1d0a\u1d0b\u029f"  # small capitals
    "\u1d0d\u0274\u1d0f\u1d18\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21\u028f\u1d22"
    "\u0261\u0251\u0131\u0192",
    "abesiijkmhopctyxrdqwhlabenikvoptuxwoshnabcdefghijklmnoprstuvwyzgaif",
)
"""Letters of other alphabets, and small capitals, by the Latin ones that they look like."""
_MIXED_IN = {
    ord(cased(chr(own))): cased(chr(plain))
    for own, plain in _OTHER_LETTERS.items()
    for cased in (str.upper, str.lower)
    if len(chr(own).upper()) == 1
}
"""The same with their capitals, which stay capitals."""
_LETTERS, _LATIN = re.compile(r"[^\W\d_]+"), re.compile("[A-Za-z]")
_BOXED = {first + at: chr(ord("a") + at) for first in (0x1F150, 0x1F170, 0x1F1E6) for at in range(26)}
"""Letters in dark circles and squares, and those that flags are made of."""
_SPREAD = re.compile(r"(?<!\w)\w(?:[^\w\n]{1,2}\w(?!\w)){3,}")
"""A word spelt with something between its letters: "w o r d", "w.o.r.d"."""
_TOKEN = re.compile(r"(?<![@$!|])[@$!|]*+[^\W_][\w@$!|']*")
"""A word with what may stand for a letter of it, as in "$hit"."""
_MASKED = re.compile(
    r"(?<!\w)(?<!\w\.)(?P<head>[^\W\d_]{1,24})(?P<sign>[*#%^~+._\N{BULLET}\N{MIDDLE DOT}])"
    r"(?P<tail>[^\W\d_]{1,24})(?!\w|\.\w)"
)
"""A word with a sign between its letters, as in "f*ck" and "fu.ck"."""
_MASKED_LONG = re.compile(
    r"(?<!\w)(?P<head>[^\W\d_]{1,24})[*#%^~+_@$!&\N{BULLET}\N{MIDDLE DOT}]{2,6}(?P<tail>[^\W\d_]{1,24})(?!\w)"
)
"""A word with a sign for each of several letters, as in "f**k"."""
_LONGEST_PHRASE = 4  # words in the longest blocked phrase


def digest(phrase: str) -> str:
    """The hash under which a blocked word or phrase (folded words, single spaces) is stored."""
    return hashlib.sha256(f"auria:{phrase}".encode()).hexdigest()[:16]


def is_blocked(word: str) -> bool:
    """Whether a word is blocked, including its plural and look-alike spellings; a number is no word."""
    if not any(letter.isalpha() for letter in word):
        return False
    folded, legible = "".join(words(word)), word.translate(_LOOKALIKES)
    likened = folded if legible == word else "".join(words(legible))
    if folded in ALLOWED:  # "lens" is no plural, but "@$$hole" no hole
        return word[0] in "@$!|" and likened not in ALLOWED and digest(likened) in _blocked()
    forms = {folded, folded.removesuffix("s"), folded.removesuffix("'s"), likened}
    forms |= {_DRAWN_OUT.sub(times, folded) for times in (r"\1", r"\1\1")}
    return any(form not in ALLOWED and digest(form) in _blocked() for form in forms if form)


def blocked_words(text: str) -> list[str]:
    """The blocked words and phrases of a text, in order; none where the context gives a word another meaning.

    Letters that look like Latin ones count as these, and so do letters with something between them, or with a sign
    among them that stands for a vowel or for nothing.
    """
    text = _legible(text)
    plain = _NATURE_CONTEXT.sub(lambda found: " . " * (len(found[0].split())), " ".join(words(text)))
    listed = [word for word in plain.split() if word != "."]
    named = Counter(word for before, word in pairwise(listed) if _is_family_name(before, word))
    left = Counter(listed)
    found = []
    for token in _TOKEN.findall(text):
        spelt = words(token)
        is_gone = bool(spelt) and all(left[word] <= 0 for word in spelt)  # part of a phrase that is let through
        left.subtract(spelt)
        word = "".join(spelt)
        if is_gone or word in _INNOCENT or not is_blocked(token):
            continue
        if named[word]:
            named[word] -= 1  # each name excuses itself only
        else:
            found.append(token)
    masks = [masked[0] for masked in _MASKED.finditer(text) if _is_mask(masked)]
    masks += [masked[0] for masked in _MASKED_LONG.finditer(text) if _is_long_mask(masked)]
    found.extend(masked for masked in masks if masked not in found)
    for size in range(2, _LONGEST_PHRASE + 1):
        phrases = (" ".join(listed[at : at + size]) for at in range(len(listed) - size + 1))
        found.extend(phrase for phrase in phrases if phrase not in ALLOWED and digest(phrase) in _blocked())
    return found


def _legible(text: str) -> str:
    """A text as a reader sees it: letters of other alphabets and forms as plain ones, without marks on them."""
    if text.isascii():
        spread = text
    else:
        boxed = unicodedata.normalize("NFKD", text.translate(_BOXED)).casefold().translate(_OTHER_LETTERS)
        spread = "".join(letter for letter in boxed if not unicodedata.combining(letter))
    return _SPREAD.sub(lambda found: re.sub(r"[^\w\n]", "", found[0]), spread)


def _is_mask(found: re.Match[str]) -> bool:
    """Whether a match of `_MASKED` is a blocked word without its sign, or with a vowel instead.

    Not where both parts are words, as in "it is.is it", nor with two letters ("C#m", "p.m"), but for the asterisk.
    """
    head, tail = "".join(words(found["head"])), "".join(words(found["tail"]))
    if _is_word(head) and _is_word(tail):
        return False
    if len(head + tail) < 3 and found["sign"] != "*":
        return False
    spelt = [head + vowel + tail for vowel in ("", *"aeiou")]
    return any(word not in _INNOCENT and is_blocked(word) for word in spelt)


def _is_long_mask(found: re.Match[str]) -> bool:
    """Whether a match of `_MASKED_LONG` is a blocked word of CMUdict, or its plural; not where both parts are words."""
    head, tail = "".join(words(found["head"])), "".join(words(found["tail"]))
    hidden = len(found[0]) - len(found["head"] + found["tail"])
    if not (head and tail) or (_is_word(head) and _is_word(tail)):
        return False
    singular = {end for end in (tail, tail.removesuffix("s"), tail.removesuffix("es")) if end}
    return any(
        word.startswith(head) and word.endswith(end) and len(word) == len(head) + hidden + len(end)
        for word in _blocked_in_dictionary()
        for end in singular
    )


def _is_word(part: str) -> bool:
    return in_dictionary(part) and (len(part) > 1 or part in {"a", "i", "o"})


def _is_family_name(before: str, word: str) -> bool:
    """Whether a word is a family name by the given name or the initial before it."""
    is_given = before in _names()[0] or (len(before) == 1 and before not in {"a", "i", "o"})
    return is_given and word.removesuffix("'s") in _FAMILY_NAMES


def is_name(word: str) -> bool:
    """Whether a word is primarily a name of a person."""
    folded = "".join(words(word)).removesuffix("'s")
    return folded in _names()[0]


def names_of(text: str) -> list[str]:
    """The names of persons in a text, folded, each once; words that mean something else there are left out.

    Letters of other alphabets count as the Latin ones that they look like where they stand among these in a word.
    """
    if not text.isascii():
        text = _LETTERS.sub(lambda found: found[0].translate(_MIXED_IN) if _LATIN.search(found[0]) else found[0], text)
    placed = {"".join(words(name)) for name in _THE_RIVER.findall(text) if name[:1].isupper()}
    plain = _NO_PERSON.sub(" . ", " ".join(words(text)))
    lower = {"".join(words(token)) for token in text.split() if token[:1].islower() or not token[:1].isalpha()}
    listed, found = plain.split(), []
    for at, word in enumerate(listed):
        stem = word.removesuffix("'s")
        if stem in _NOT_PERSONS or word in placed or not is_name(word):
            continue
        is_noun = at > 0 and listed[at - 1] in _ARTICLES and word in lower  # "the john", "a registry"
        if not is_noun:
            found.append(word)
    return list(dict.fromkeys(found))


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
        found.extend(f"name of a person: {word}" for word in names_of(text))
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
    """The control, zero-width, direction-changing and unassigned characters of a text, as U+ numbers.

    Those that a script or an emoji needs are none: joiners inside Persian or Hindi words and between emoji, spaces of
    no width in Thai or Khmer, direction marks beside Hebrew or Arabic, and the tags of a flag.
    """
    plain = _FLAG.sub("\N{WAVING BLACK FLAG}", text)
    has_rtl = any(unicodedata.bidirectional(letter) in {"R", "AL"} and letter not in _MARKS for letter in plain)
    strange = set()
    for at, letter in enumerate(plain):
        if letter == "\n" or (
            unicodedata.category(letter) not in _MISLEADING and letter != "\N{VARIATION SELECTOR-16}"
        ):
            continue
        before, after = plain[at - 1 : at], plain[at + 1 : at + 2]
        if letter in _JOINERS and not before.isalpha():
            continue  # between emoji
        if letter in _BETWEEN_LETTERS and _is_cursive(before) and (_is_cursive(after) or not after.isalpha()):
            continue
        if letter in _MARKS and has_rtl:
            continue
        strange.add(f"U+{ord(letter):04X}")
    return sorted(strange)


def _is_cursive(letter: str) -> bool:
    return bool(letter) and _CURSIVE.match(unicodedata.name(letter, "")) is not None


def normalised(text: str) -> str:
    """A text from an editor or a file without what these add: byte order mark, line ends of other systems, tabs.

    Soft hyphens and word joiners, which pages on the web hold, go too.
    """
    plain = _BREAKS.sub("\n", text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")).replace("\t", " ")
    return plain.replace("\N{SOFT HYPHEN}", "").replace("\N{WORD JOINER}", "")


@cache
def _blocked() -> frozenset[str]:
    return frozenset(table("words", "blocked.txt").read_text(encoding="ascii").split())


@cache
def _blocked_in_dictionary() -> tuple[str, ...]:
    """The blocked words that CMUdict has."""
    candidates = (word for word in dictionary_words() if word not in _INNOCENT and word not in ALLOWED)
    return tuple(word for word in candidates if digest(word) in _blocked())


@cache
def _names() -> tuple[frozenset[str], frozenset[str]]:
    try:
        rows = zlib.decompress(table("words", "names.z").read_bytes()).decode("ascii").split("\n")
        persons, proper = rows
    except (zlib.error, ValueError) as error:
        raise ModelCorrupt(f"models/words/names.z cannot be read ({error}); reinstall auria-bot") from None
    return frozenset(persons.split(" ")), frozenset(proper.split(" "))
