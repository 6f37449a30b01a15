"""Generate a negative sample for each haiku: a poem that the poet writes in the same form and near the same words.

From such pairs the poem scorer learns what the poet gets wrong, because length, form and subject are alike on both
sides. Samples are written in batches and kept, so that a stopped run resumes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from auria_bot.art import runtime
from auria_bot.art.checkpoint import read_json, verify
from auria_bot.art.poets.decoding import Decoder, SamplingParams
from auria_bot.art.poets.lexicon import Lexicon, NgramFilter
from auria_bot.art.poets.ranking import faults
from auria_bot.art.training.poet.dataset import word_theme
from auria_bot.corpus.language import content_filter, verse_rules
from auria_bot.corpus.language.verse_rules import HAIKU_KIND, KINDS
from auria_bot.corpus.language.words import END, LINE, SPECIALS, START
from auria_bot.corpus.originality import CopyGuard
from auria_bot.files import atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.art.training.poet.dataset import PoetDataset

__all__ = ["Pairs", "eligible", "write_negatives"]

_LINES = 3
_LONGEST = 11  # syllables of a line, see art.poets.decoding
_BATCH = 128  # poems written at once
_NOISE = 0.02  # added to each number of a theme


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Haiku and their negative samples; row i of both is one pair. Word numbers, padded with 0."""

    real: NDArray[np.int64]  # (pairs, places)
    written: NDArray[np.int64]  # (pairs, places)
    rows: NDArray[np.int64]  # of the dataset
    formal: NDArray[np.bool_]  # whether the pair is 5-7-5


def eligible(dataset: PoetDataset, lexicon: Lexicon, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows that the decoder itself could have written: writable words, three lines, good form."""
    kept = []
    for row in rows:
        tokens = dataset.tokens[row]
        counts = lexicon.syllable_counts[tokens]
        lines = dataset.vocabulary.decode(tokens.tolist())
        sums = [int(lexicon.syllable_counts[dataset.vocabulary.encode([line])].sum()) for line in lines]
        if (
            len(lines) == _LINES
            and (counts[tokens >= len(SPECIALS)] > 0).all()
            and (tokens > 0).all()
            and all(0 < count <= _LONGEST for count in sums)
            and not (verse_rules.bad_breaks(lines) or verse_rules.repetitions(lines))
            and not content_filter.faults("\n".join(" ".join(line) for line in lines))
        ):
            kept.append(row)
    return np.array(kept, np.int64)


def write_negatives(
    model: Path,
    dataset: PoetDataset,
    rows: NDArray[np.int64],
    folder: Path,
    *,
    threads: int = 1,
    log: Callable[[str], None] = print,
) -> Pairs:
    """Write a negative sample for each row, or read those that an earlier call wrote with the same model.

    Args:
        dataset: the haiku, in that model's vocabulary.
        rows: which haiku; see `eligible`.
    """
    writer = _Writer(model, dataset, threads)
    kept = folder / "imitations" / verify(model)[:12]
    kept.mkdir(parents=True, exist_ok=True)
    parts = []
    for at in range(0, len(rows), _BATCH):
        members = rows[at : at + _BATCH]
        path = kept / f"{members[0]:06d}-{members[-1]:06d}-{len(members)}.npz"
        if not path.is_file():
            with atomic_path(path, mode=None, durable=False) as scratch, scratch.open("wb") as file:
                np.savez(file, rows=members, written=writer.write(members))
            log(f"imitations {at + len(members)}/{len(rows)}")
        with np.load(path) as file:
            parts.append((file["rows"], file["written"]))
    return _joined(parts, dataset)


class _Writer:
    """The poet, which writes in the forms of a dataset."""

    def __init__(self, model: Path, dataset: PoetDataset, threads: int) -> None:
        net = read_json(model / "config.json")["net"]
        self._anthology, self._lexicon = dataset, Lexicon.of(dataset.vocabulary)
        self._guard = CopyGuard.load(model / "originality.bin")
        self._decoder = Decoder(
            runtime.load(model / "model.onnx", threads=threads),
            self._lexicon,
            hidden=net["hidden"],
            layers=net["layers"],
            ngrams=NgramFilter.load(model / "usage.npz"),
        )

    def write(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """(rows, places) a negative sample for each row; only zeros where it is a copy or has a fault."""
        rng = np.random.default_rng(rows.tolist())
        tokens = [self._anthology.tokens[row] for row in rows]
        forms = np.array([_form_of(each, self._lexicon) for each in tokens])
        formal = np.array([KINDS[kind].startswith("575") for kind in self._anthology.kinds[rows]])
        params = SamplingParams(
            temperature=float(rng.uniform(0.6, 1.0)),
            opening=float(rng.uniform(0.9, 1.5)),
            guidance=1.0,
            top_p=float(rng.uniform(0.85, 0.98)),
        )
        kinds, themes = np.where(formal, HAIKU_KIND, self._anthology.kinds[rows]), self._themes(tokens, rng)
        poems = []
        for poem in self._decoder.sample(themes, rng=rng, params=params, forms=forms, kinds=kinds):
            # The form is not checked here: free haiku get samples too.
            is_usable = not set(faults(poem.lines, self._guard)) - {"not 5-7-5"}
            poems.append(np.array(self._anthology.vocabulary.encode(poem.lines) if is_usable else [], np.int64))
        return _filled(poems)

    def _themes(self, tokens: list[NDArray[np.int64]], rng: np.random.Generator) -> NDArray[np.float32]:
        """Some of each poem's rarer words as its theme; none for a quarter of them."""
        vectors = self._anthology.word_vectors
        themes = np.zeros((len(tokens), vectors.shape[1] or 384))
        if not vectors.any():
            return themes.astype(np.float32)
        for row, each in enumerate(tokens):
            theme = word_theme(each, vectors, rng)
            if theme.any() and rng.random() < 0.75:
                blurred = theme + rng.normal(0, _NOISE, len(theme))
                themes[row] = blurred / np.linalg.norm(blurred)
        return themes.astype(np.float32)


def _form_of(tokens: NDArray[np.int64], lexicon: Lexicon) -> list[int]:
    """The syllables of each line."""
    counts = [0]
    for token in tokens:
        if token == LINE:
            counts.append(0)
        elif token not in (START, END):
            counts[-1] += int(lexicon.syllable_counts[token])
    return counts


def _filled(poems: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    table = np.zeros((len(poems), max((len(poem) for poem in poems), default=0)), np.int64)
    for row, poem in enumerate(poems):
        table[row, : len(poem)] = poem
    return table


def _joined(parts: list[tuple[NDArray[np.int64], NDArray[np.int64]]], dataset: PoetDataset) -> Pairs:
    """The pairs with a usable negative sample."""
    pairs = [
        (int(row), poem[poem > 0])
        for rows, written in parts
        for row, poem in zip(rows, written, strict=True)
        if poem.any()
    ]
    rows = np.array([row for row, _ in pairs], np.int64)
    return Pairs(
        real=_filled([dataset.tokens[row] for row in rows]),
        written=_filled([poem for _, poem in pairs]),
        rows=rows,
        formal=np.array([KINDS[dataset.kinds[row]].startswith("575") for row in rows], bool),
    )
