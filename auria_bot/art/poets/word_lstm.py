"""The poet that ships: a word LSTM on ONNX, a syllable-exact decoder and a ranking of many candidates."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art import minilm, runtime
from auria_bot.art import runtime as runtimes
from auria_bot.art.checkpoint import read_json, verify
from auria_bot.art.packaged_weights import MINILM
from auria_bot.art.poets import ranking, worn_lines
from auria_bot.art.poets.decoding import DecodedPoem, Decoder, SamplingParams
from auria_bot.art.poets.lexicon import Lexicon, NgramFilter
from auria_bot.art.poets.ranking import faults, usable_theme
from auria_bot.art.poets.worn_lines import WornLines
from auria_bot.art.runtime import RuntimeChoice  # noqa: TC001 - pydantic resolves the options' types
from auria_bot.corpus.language.syllables import FORM
from auria_bot.corpus.language.words import Vocabulary, spoken, words
from auria_bot.corpus.originality import CopyGuard
from auria_bot.domain.artwork import Haiku
from auria_bot.domain.interfaces import Verse
from auria_bot.errors import InputError, ModelCorrupt, StepFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.domain.mood import Mood

__all__ = ["PoemScorer", "WordLstm"]

_PLACES = 24  # tokens that the net reads, see training.poet.poem_scorer


class PoemScorer:
    """Scores poems.

    Raises:
        ModelMissing, ModelCorrupt: the file cannot be used.
    """

    def __init__(self, path: Path, vocabulary: Vocabulary, *, runtime: str = "auto") -> None:
        self._network, self._vocabulary = runtimes.load(path, runtime=runtime), vocabulary

    def __call__(self, tokens: NDArray[np.int64]) -> NDArray[np.float64]:
        """(rows,) logits of word numbers (rows, tokens): <start> first, 0 after the end of the poem or beginning."""
        read = np.zeros((len(tokens), _PLACES), np.int64)
        places = min(_PLACES, tokens.shape[1])
        read[:, :places] = tokens[:, :places]
        logits: NDArray[np.float64] = self._network.run({"tokens": read})["logits"].astype(np.float64)
        return logits

    def judge(self, poems: Sequence[DecodedPoem]) -> NDArray[np.float64]:
        """(poems,) logits of finished poems."""
        tokens = np.zeros((len(poems), _PLACES), np.int64)
        for row, poem in enumerate(poems):
            numbers = self._vocabulary.encode(poem.lines)[:_PLACES]
            tokens[row, : len(numbers)] = numbers
        return self(tokens)


_WEIGHTS = ranking.RankingWeights(
    likely=3.0,
    fluent=0.0,
    breaks=0.0,
    lowest=0.0,
    ngram=0.6,
    style=0.5,
    first_line=0.3,
    first_line_limit=-11.0,
    scorer=1.6,
    scorer_limit=4.0,
    worn=0.1,
)
"""A net that read plain and regular poems errs where it is unsure, so that its likeliest poems are its best."""

_ASKED = replace(_WEIGHTS, theme=9.0)
"""For a theme that was asked for; a mood alone weighs less, because it seldom shows in a sentence vector."""

_BATCH = 256  # most poems sampled at once
_ROUNDS = 12  # batches after which the search for usable poems ends


class WordLstm:
    """Writes haiku.

    Args:
        models: the folder with the models; models/poet is used.
        folder: the poet's folder, where it is another one.

    Raises:
        ModelMissing: a file is missing.
        ModelCorrupt: a file does not match its checksum.
    """

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        candidates: int = 96  # poems written for each one returned
        considered: int = 6  # of them, compared by meaning with the mood; twice as many with a theme
        temperature: float = 0.75
        top_p: float = 0.9
        guidance: float = 1.0  # by the theme; above 1 it weighs more and writing takes twice as long
        mood_pull: float = 0.5  # share of the mood's vector added to the theme's
        mood_words: float = 1.2  # added to the scores of the mood's words, in nats
        runtime: RuntimeChoice = "auto"  # see art.runtime

    def __init__(self, config: Config, *, models: Path, folder: Path | None = None) -> None:
        minilm.load_ahead()  # in a thread, while the poet's own model is read
        self.config = config
        self._folder = folder or models / "poet"
        self._hash = verify(self._folder)
        net = read_json(self._folder / "config.json")["net"]
        self._vocabulary = Vocabulary.parse((self._folder / "vocabulary.txt").read_text(encoding="ascii"))
        if len(self._vocabulary) != net["words"]:
            raise ModelCorrupt(f"{self._folder} has a vocabulary that does not fit its network; reinstall auria-bot")
        self._guard = CopyGuard.load(self._folder / "originality.bin")
        scorer_file = self._folder / "critic.onnx"
        self._scorer = (
            PoemScorer(scorer_file, self._vocabulary, runtime=config.runtime) if scorer_file.is_file() else None
        )
        self._worn = WornLines.load(self._folder / worn_lines.FILE)
        network = runtime.load(self._folder / "model.onnx", runtime=config.runtime)
        self._lexicon = Lexicon.of(self._vocabulary)
        self._decoder = Decoder(
            network,
            self._lexicon,
            hidden=net["hidden"],
            layers=net["layers"],
            ngrams=NgramFilter.load(self._folder / "usage.npz"),
        )

    def models(self) -> Mapping[str, str]:
        """SHA-256 of the poet's model and of the sentence encoder."""
        return {"poet": self._hash, "minilm": MINILM.sha256}

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
            StepFailed: too few usable poems were found.
        """
        if count < 1:
            raise InputError(f"cannot write {count} haiku; ask for at least one")
        recent_lines = [[words(line) for line in haiku.lines] for haiku in recent]
        candidates = max(self.config.candidates, 3 * count)
        for checked in (False, True):  # where too few pass, the second round checks all candidates and samples more
            pool, themes = self._pool(seed, candidates, theme, mood, checked=checked)
            best = ranking.rank(
                pool,
                count=count,
                themes=themes if theme or mood else None,
                encode=self._encoder.encode,
                scorer_logits=self._scorer.judge(pool) if self._scorer and pool else None,
                worn=self._worn,
                recent=recent_lines,
                considered=self.config.considered * (2 if theme else 1),
                is_usable=self._is_usable,
                weights=_ASKED if theme else _WEIGHTS,
            )
            if len(best) >= count:
                break
        if len(best) < count:
            raise StepFailed(f"the poet found only {len(best)} of {count} haiku; ask for fewer, or try another seed")
        return tuple(Verse(haiku=_haiku(pool[index]), score=score) for index, score in best)

    def write(self, *, seed: int, count: int, theme: str | None = None, mood: Mood | None = None) -> tuple[Haiku, ...]:
        """Write `count` haiku with different first lines, checked but not ranked.

        Raises:
            InputError: the theme cannot be used.
        """
        return tuple(_haiku(poem) for poem in self._pool(seed, count, theme, mood)[0])

    def fit_share(self, seeds: Iterable[int], *, each: int = 64) -> float:
        """The share of unranked poems that pass all checks and begin as no other of their seed, 0 to 1.

        Args:
            each: poems sampled for a seed, 256 at most.
        """
        pools = [self._pool(seed, each, None, None, checked=False)[0] for seed in seeds]
        return sum(self._is_usable(poem) for pool in pools for poem in pool) / (each * len(pools))

    def _pool(
        self, seed: int, count: int, theme: str | None, mood: Mood | None, *, checked: bool = True
    ) -> tuple[list[DecodedPoem], NDArray[np.float32]]:
        """Sample poems with different first lines, and the theme vector of each; all usable if `checked`."""
        theme = usable_theme(theme)
        name = mood.name if mood else ""
        rng = np.random.default_rng(list(hashlib.sha256(f"{seed}\n{theme}\n{name}".encode()).digest()))
        params = SamplingParams(
            temperature=self.config.temperature, top_p=self.config.top_p, guidance=self.config.guidance
        )
        theme_vector = self._encoder.encode([theme])[0] if theme else None
        mood_vector = self._encoder.encode([mood.description])[0] if mood else None
        word_bias = self._mood_bias(mood)
        first_lines: set[tuple[str, ...]] = set()
        pool: list[DecodedPoem] = []
        kept: list[NDArray[np.float32]] = []
        for _ in range(_ROUNDS + 3 * count // _BATCH):
            missing = count - len(pool)
            spare = missing // 8 + 4 if checked else 0
            themes = self._themes(min(_BATCH, missing + spare), theme_vector, mood_vector, rng)
            for poem, vector in zip(
                self._decoder.sample(themes, rng=rng, params=params, word_bias=word_bias), themes, strict=True
            ):
                if len(pool) < count and poem.lines[0] not in first_lines and (not checked or self._is_usable(poem)):
                    first_lines.add(poem.lines[0])
                    pool.append(poem)
                    kept.append(vector)
            if len(pool) >= count or (not checked and count <= _BATCH):
                break
        return pool, np.array(kept, np.float32).reshape(len(pool), -1)

    def _themes(
        self,
        count: int,
        theme_vector: NDArray[np.float32] | None,
        mood_vector: NDArray[np.float32] | None,
        rng: np.random.Generator,
    ) -> NDArray[np.float32]:
        """(count, 384) unit vectors: the given theme, or scenes sampled by nearness to the mood, plus some mood."""
        if theme_vector is not None:
            vectors = np.repeat(theme_vector[None], count, 0).astype(np.float64)
        else:
            nearness = self._scenes @ mood_vector * 10 if mood_vector is not None else np.zeros(len(self._scenes))
            shares = np.exp(nearness - nearness.max())
            vectors = self._scenes[rng.choice(len(self._scenes), count, p=shares / shares.sum())].astype(np.float64)
        if mood_vector is not None:
            vectors = vectors + self.config.mood_pull * mood_vector
        vectors = vectors + rng.normal(0, 0.012, vectors.shape)
        unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def _is_usable(self, poem: DecodedPoem) -> bool:
        return not faults(poem.lines, self._guard)

    def _mood_bias(self, mood: Mood | None) -> NDArray[np.float32] | None:
        if mood is None:
            return None
        numbers = self._vocabulary.numbers
        word_bias = np.zeros(len(self._vocabulary), np.float32)
        word_bias[[numbers[word] for word in mood.words if word in numbers]] = self.config.mood_words
        return word_bias

    @cached_property
    def _encoder(self) -> minilm.MiniLM:
        return minilm.MiniLM()

    @cached_property
    def _scenes(self) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = np.load(self._folder / "scenes.npy").astype(np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != minilm.DIMENSIONS:
            raise ModelCorrupt(f"{self._folder}/scenes.npy does not fit this program; reinstall auria-bot")
        return vectors


def _haiku(poem: DecodedPoem) -> Haiku:
    first, second, third = (spoken(line) for line in poem.lines)
    return Haiku(lines=(first, second, third), syllables=FORM)
