"""The poet that ships: a word LSTM on ONNX, a syllable-exact decoder, and a choice among many candidates.

Knows the models' folder and joins net, decoder, checks and ranking; needs no torch.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art import minilm, runtime
from auria_bot.art.checkpoint import read_json, verify
from auria_bot.art.poets import ranking
from auria_bot.art.poets.checks import faults, usable_theme
from auria_bot.art.poets.decoding import DecodedPoem, Decoder, SamplingParams
from auria_bot.art.poets.lexicon import Lexicon
from auria_bot.art.poets.ngram_filter import NgramFilter
from auria_bot.art.poets.poem_scorer import PoemScorer
from auria_bot.art.poets.seasons import SCENES
from auria_bot.corpus.language.syllables import FORM
from auria_bot.corpus.language.words import Vocabulary, spoken, words
from auria_bot.corpus.originality import CopyGuard
from auria_bot.domain.haiku import Haiku
from auria_bot.domain.interfaces import Verse
from auria_bot.errors import InputError, ModelCorrupt, StepFailed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.domain.mood import Mood

__all__ = ["WordLstm", "WordLstmPoetConfig"]

_BATCH = 256  # poems drawn at once, at most
_ROUNDS = 12  # batches after which too few usable poems are given up


@dataclass(frozen=True, slots=True, kw_only=True)
class WordLstmPoetConfig:
    """What the operator may set."""

    candidates: int = 96  # poems written for one that is shown
    considered: int = 6  # of them, compared by meaning with what was asked for
    temperature: float = 0.75
    top_p: float = 0.9
    guidance: float = 1.0  # above 1 the theme pulls harder, and writing takes twice as long
    mood_pull: float = 0.5  # how much of a mood is mixed into the theme
    mood_words: float = 1.2  # added to the scores of a mood's words
    runtime: str = "auto"  # see art.runtime


class WordLstm:
    """Writes haiku.

    Args:
        config: how she writes.
        models: the folder with the models; hers is models/poet.

    Raises:
        ModelMissing: a file is not there.
        ModelCorrupt: a file is not what its checksum says.
    """

    Config = WordLstmPoetConfig

    def __init__(self, config: WordLstmPoetConfig, *, models: Path) -> None:
        minilm.load_ahead()  # on the other core, while her own model is read
        self.config = config
        self._folder = models / "poet"
        self._hash = verify(self._folder)
        net = read_json(self._folder / "config.json")["net"]
        self._vocabulary = Vocabulary.parse((self._folder / "vocabulary.txt").read_text(encoding="ascii"))
        if len(self._vocabulary) != net["words"]:
            raise ModelCorrupt(f"{self._folder} has a vocabulary that is not its net's; reinstall auria-bot")
        self._guard = CopyGuard.load(self._folder / "originality.bin")
        critic = self._folder / "critic.onnx"
        self._critic = PoemScorer(critic, self._vocabulary, runtime=config.runtime) if critic.is_file() else None
        network = runtime.load(self._folder / "model.onnx", runtime=config.runtime)
        self._lexicon = Lexicon.of(self._vocabulary)
        self._decoder = Decoder(
            network,
            self._lexicon,
            hidden=net["hidden"],
            layers=net["layers"],
            usage=NgramFilter.load(self._folder / "usage.npz"),
        )

    def models(self) -> Mapping[str, str]:
        """Her own model, and the sentence encoder."""
        return {"poet": self._hash, "minilm": minilm.SHA256}

    def compose(
        self,
        *,
        seed: int,
        count: int = 1,
        theme: str | None = None,
        mood: Mood | None = None,
        recent: Sequence[Haiku] = (),
    ) -> tuple[Verse, ...]:
        """Write `count` different haiku, the best first; far from `recent` ones.

        Raises:
            InputError: the theme, or the count, cannot be used.
            TextRejected: the theme holds what must not be published.
            StepFailed: she found too few usable poems.
        """
        if count < 1:
            raise InputError(f"cannot write {count} haiku; ask for at least one")
        past = [[words(line) for line in haiku.lines] for haiku in recent]
        many = max(self.config.candidates, 3 * count)
        for checked in (False, True):  # only where too few of the best pass the checks, all are checked and more drawn
            pool, themes = self._pool(seed, many, theme, mood, checked=checked)
            best = ranking.rank(
                pool,
                count=count,
                themes=themes if theme or mood else None,
                encode=self._encoder.encode,
                opinions=self._critic.judge(pool) if self._critic and pool else None,
                recent=past,
                considered=self.config.considered,
                fit=self._fit,
                taste=ranking.RankingWeights(),
            )
            if len(best) >= count:
                break
        if len(best) < count:
            raise StepFailed(f"the poet found only {len(best)} of {count} haiku; ask for fewer, or try another seed")
        return tuple(Verse(haiku=_haiku(pool[index]), score=score) for index, score in best)

    def write(self, *, seed: int, count: int, theme: str | None = None, mood: Mood | None = None) -> tuple[Haiku, ...]:
        """Write `count` haiku with different first lines as they come, checked but not chosen among.

        Raises:
            InputError: the theme cannot be used.
        """
        return tuple(_haiku(poem) for poem in self._pool(seed, count, theme, mood)[0])

    def _pool(
        self, seed: int, count: int, theme: str | None, mood: Mood | None, *, checked: bool = True
    ) -> tuple[list[DecodedPoem], NDArray[np.float32]]:
        """Poems with different first lines, and the theme of each; usable ones, unless they are still to be checked."""
        theme = usable_theme(theme)
        name = mood.name if mood else ""
        rng = np.random.default_rng(list(hashlib.sha256(f"{seed}\n{theme}\n{name}".encode()).digest()))
        manner = SamplingParams(
            temperature=self.config.temperature, top_p=self.config.top_p, guidance=self.config.guidance
        )
        said = self._encoder.encode([theme])[0] if theme else None
        felt = self._encoder.encode([mood.description])[0] if mood else None
        leaning = self._leaning(mood)
        opened: set[tuple[str, ...]] = set()
        pool: list[DecodedPoem] = []
        kept: list[NDArray[np.float32]] = []
        for _ in range(_ROUNDS + 3 * count // _BATCH):
            missing = count - len(pool)
            spare = missing // 8 + 4 if checked else 0
            themes = self._themes(min(_BATCH, missing + spare), said, felt, rng)
            for poem, vector in zip(
                self._decoder.sing(themes, rng=rng, manner=manner, leaning=leaning), themes, strict=True
            ):
                if len(pool) < count and poem.lines[0] not in opened and (not checked or self._fit(poem)):
                    opened.add(poem.lines[0])
                    pool.append(poem)
                    kept.append(vector)
            if len(pool) >= count or (not checked and count <= _BATCH):
                break
        return pool, np.array(kept, np.float32).reshape(len(pool), -1)

    def _themes(
        self, count: int, said: NDArray[np.float32] | None, felt: NDArray[np.float32] | None, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """A unit vector for each poem: the theme given, or scenes drawn, and something of the mood."""
        if said is not None:
            vectors = np.repeat(said[None], count, 0).astype(np.float64)
        else:
            nearness = self._scenes @ felt * 10 if felt is not None else np.zeros(len(self._scenes))
            shares = np.exp(nearness - nearness.max())
            vectors = self._scenes[rng.choice(len(self._scenes), count, p=shares / shares.sum())].astype(np.float64)
        if felt is not None:
            vectors = vectors + self.config.mood_pull * felt
        vectors = vectors + rng.normal(0, 0.012, vectors.shape)
        unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def _fit(self, poem: DecodedPoem) -> bool:
        return not faults(poem.lines, self._guard)

    def _leaning(self, mood: Mood | None) -> NDArray[np.float32] | None:
        if mood is None:
            return None
        numbers = self._vocabulary.numbers
        leaning = np.zeros(len(self._vocabulary), np.float32)
        leaning[[numbers[word] for word in mood.words if word in numbers]] = self.config.mood_words
        return leaning

    @cached_property
    def _encoder(self) -> minilm.MiniLM:
        return minilm.MiniLM()

    @cached_property
    def _scenes(self) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = np.load(self._folder / "scenes.npy").astype(np.float32)
        if vectors.shape != (len(SCENES), minilm.DIMENSIONS):
            raise ModelCorrupt(f"{self._folder}/scenes.npy does not fit this program; reinstall auria-bot")
        return vectors


def _haiku(poem: DecodedPoem) -> Haiku:
    first, second, third = (spoken(line) for line in poem.lines)
    return Haiku(lines=(first, second, third), syllables=FORM)
