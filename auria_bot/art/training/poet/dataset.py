"""The poet's corpus as numbers: words, splits, kinds and themes, built once and kept beside the checkpoints."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from auria_bot.art.minilm import DIMENSIONS, MiniLM
from auria_bot.corpus import verses
from auria_bot.corpus.language import content_filter, syllables
from auria_bot.corpus.language.verse_rules import KINDS, kind_of
from auria_bot.corpus.language.words import SPECIALS, Vocabulary, models_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from auria_bot.corpus.verses import Verse

__all__ = [
    "HAIKU",
    "MACHINE",
    "PUBLIC_DOMAIN",
    "STANZAS",
    "PoetDataset",
    "build",
    "choose_words",
    "machine_haiku",
    "read",
    "word_theme",
]

HAIKU = "haiku.jsonl.zst"
PUBLIC_DOMAIN = "haiku_public_domain.jsonl.zst"
STANZAS = "pd_poetry.jsonl.zst"
MACHINE = "haiku_machine.jsonl.zst"
"""Haiku in form by a language model: in the folder of data (see training.haiku_lm.sampling), else in models/poet."""

_SPLITS = (*verses.SPLITS, "machine")  # what a machine wrote is read in training alone, and never taken for a poet's
_Poem: TypeAlias = tuple[list[list[str]], int]  # lines of words, and the kind
_STANZA_LINES = 4  # longer stanzas are split into pieces of four lines
_LONGEST = 56  # tokens in one piece
_RARE = 150  # words beyond this rank may be a theme
_MOST_THEME_WORDS = 3
_CHUNK = 2048  # poems encoded between two log lines
_FIRST_THEMED = [
    kind_of(form, tier, nature) for form in ("575", "free") for nature in (2, 1) for tier in ("poets", "reddit")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoetDataset:
    """Poems as numbers; row i of every array is one poem."""

    vocabulary: Vocabulary
    tokens: list[NDArray[np.int64]]  # <start> ... <end>
    kinds: NDArray[np.int64]  # numbers of KINDS
    splits: NDArray[np.int64]  # 0 train, 1 validation, 2 test, 3 machine
    themes: NDArray[np.float32]  # (poems, 384), zero where none was computed
    word_vectors: NDArray[np.float32]  # (words, 384), unit length, zero for SPECIALS

    def rows(self, split: str, *, stanzas: bool = False) -> NDArray[np.int64]:
        """The rows of one split, of haiku or of stanzas (only for training); "machine" is a split of its own."""
        verse = self.kinds >= KINDS.index("stanza")
        return np.flatnonzero((verse == stanzas) & (self.splits == _SPLITS.index(split)))


def choose_words(poems: Iterable[Sequence[Sequence[str]]], *, least: int, most: int) -> Vocabulary:
    """Choose the poet's vocabulary, by falling frequency.

    A word is chosen if CMUdict contains it and it is neither blocked nor a proper noun.

    Args:
        poems: training poems as lines of words.
        least: least occurrences of a word.
        most: size of the vocabulary.
    """
    seen = Counter(word for poem in poems for line in poem for word in line)
    ranked = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    chosen = [
        word
        for word, times in ranked
        if times >= least
        and syllables.in_dictionary(word)
        and not content_filter.is_proper(word)
        and not content_filter.is_blocked(word)
        and (len(word) > 1 or word in {"a", "i", "o"})
    ]
    return Vocabulary(words=(*SPECIALS, *chosen[: most - len(SPECIALS)]))


def word_theme(
    tokens: NDArray[np.int64], vectors: NDArray[np.float32], rng: np.random.Generator, *, least: int = 1
) -> NDArray[np.float32]:
    """(384,) the theme that some of a poem's rarer words make, `least` to 3 of them; zero where it has none.

    Args:
        tokens: word numbers of the poem.
        vectors: (words, 384) of each word, see PoetDataset.
    """
    rare = tokens[tokens > _RARE]
    if not len(rare):
        return np.zeros(vectors.shape[1], np.float32)
    some = rng.choice(rare, min(len(rare), int(rng.integers(least, _MOST_THEME_WORDS + 1))), replace=False)
    summed = vectors[some].sum(0)
    theme: NDArray[np.float32] = summed / max(float(np.linalg.norm(summed)), 1e-6)
    return theme


def machine_haiku(data: Path) -> Path:
    """The file of haiku by a language model: the one in the folder of data, or the one that ships."""
    own = data / MACHINE
    return own if own.is_file() else models_folder() / "poet" / MACHINE


def build(
    data: Path,
    folder: Path,
    *,
    least: int,
    most: int,
    themed: int = 12000,
    limit: int | None = None,
    machine: Path | None = None,
    log: Callable[[str], None] = print,
) -> PoetDataset:
    """Read the files of verse; vocabulary and theme vectors kept in `folder` by an earlier call are used again.

    Args:
        data: the folder with HAIKU, and PUBLIC_DOMAIN and STANZAS where they exist.
        folder: where vocabulary and theme vectors are kept.
        themed: how many haiku get a sentence vector, those in form and about nature first; 0 encodes nothing.
        limit: the first so many of each file only.
        machine: a file of haiku by a language model, see `machine_haiku`; None or a missing one: none.
    """
    poems, split, extra = _read_verse(data, limit, machine)
    kept = folder / "vocabulary.txt"  # a resumed run keeps its vocabulary even if the word tables changed
    if kept.is_file():
        vocabulary = Vocabulary.parse(kept.read_text(encoding="ascii"))
    else:
        train = [lines for (lines, _), part in zip(poems, split, strict=True) if part == 0]
        vocabulary = choose_words(train, least=least, most=most)
        folder.mkdir(parents=True, exist_ok=True)
        kept.write_text(vocabulary.text(), encoding="ascii")
    vectors = np.zeros((len(poems), DIMENSIONS), np.float32)
    word_vectors = np.zeros((len(vocabulary), DIMENSIONS), np.float32)
    if themed:
        rank = np.array([_FIRST_THEMED.index(kind) if kind in _FIRST_THEMED else 99 for _, kind in poems])
        rank[np.array(split) == _SPLITS.index("machine")] = 98  # after those by human poets
        chosen = np.sort(np.argsort(rank, kind="stable")[:themed])
        vectors, word_vectors = _vectors(folder, [lines for lines, _ in poems], chosen, vocabulary, log)
    return _encode(vocabulary, poems, split, extra, vectors, word_vectors)


def read(data: Path, vocabulary: Vocabulary) -> PoetDataset:
    """Read the files of verse in a given vocabulary without themes, for evaluation."""
    poems, split, extra = _read_verse(data)
    nothing = np.zeros((0, DIMENSIONS), np.float32)
    return _encode(vocabulary, poems, split, extra, nothing, nothing)


def _read_verse(
    data: Path, limit: int | None = None, machine: Path | None = None
) -> tuple[list[_Poem], list[int], list[_Poem]]:
    """The haiku with their kinds, their splits, and the other verse in pieces; of each file at most `limit`."""

    def read_first(path: Path) -> Iterator[Verse]:
        return islice(verses.read(path), limit)

    poems = [(verse.tokens, kind_of(verse.form, verse.tier, verse.nature)) for verse in read_first(data / HAIKU)]
    split = [verses.SPLITS.index(name) for name in verses.splits([lines for lines, _ in poems])]
    if machine is not None and machine.is_file():
        written = [(verse.tokens, kind_of("575", "poets", verse.nature)) for verse in read_first(machine)]
        poems += written
        split += [_SPLITS.index("machine")] * len(written)
    extra: list[_Poem] = []
    for name, kind in ((PUBLIC_DOMAIN, "tercet"), (STANZAS, "stanza")):
        if (data / name).is_file():
            extra += [
                (piece, KINDS.index(kind)) for verse in read_first(data / name) for piece in _pieces(verse.tokens)
            ]
    return poems, split, extra


def _encode(
    vocabulary: Vocabulary,
    poems: list[_Poem],
    split: list[int],
    extra: list[_Poem],
    vectors: NDArray[np.float32],
    word_vectors: NDArray[np.float32],
) -> PoetDataset:
    poems_and_pieces = poems + extra
    themes = np.zeros((len(poems_and_pieces), DIMENSIONS), np.float32)
    themes[: len(vectors)] = vectors
    return PoetDataset(
        vocabulary=vocabulary,
        tokens=[np.array(vocabulary.encode(lines), np.int64)[:_LONGEST] for lines, _ in poems_and_pieces],
        kinds=np.array([kind for _, kind in poems_and_pieces], np.int64),
        splits=np.array(split + [0] * len(extra), np.int64),
        themes=themes,
        word_vectors=word_vectors,
    )


def _pieces(lines: list[list[str]]) -> Iterable[list[list[str]]]:
    """A stanza in pieces of four lines; pieces with digits or a single line are left out."""
    for at in range(0, len(lines), _STANZA_LINES):
        piece = [line for line in lines[at : at + _STANZA_LINES] if line]
        if len(piece) > 1 and not any(word.isdigit() for line in piece for word in line):
            yield piece


def _vectors(
    folder: Path,
    poems: list[list[list[str]]],
    chosen: NDArray[np.int64],
    vocabulary: Vocabulary,
    log: Callable[[str], None],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sentence vectors of the chosen poems (zero for the others) and of each word, cached in themes.npz."""
    kept = folder / "themes.npz"
    listed = "\n".join(vocabulary.words)
    if kept.is_file():
        with np.load(kept) as file:
            if file["words"].tobytes().decode() == listed and np.array_equal(file["chosen"], chosen):
                return _scatter(file["poems"], chosen, len(poems)), file["vectors"].astype(np.float32)
    encoder = MiniLM(threads=1)
    words = encoder.encode(vocabulary.words, batch=64)
    words[: len(SPECIALS)] = 0
    rows = [np.zeros((0, DIMENSIONS), np.float32)]
    for at in range(0, len(chosen), _CHUNK):
        texts = [", ".join(" ".join(line) for line in poems[row]) for row in chosen[at : at + _CHUNK]]
        rows.append(encoder.encode(texts, batch=64))
        log(f"themes {at + len(texts)}/{len(chosen)}")
    vectors = np.concatenate(rows).astype(np.float16)
    folder.mkdir(parents=True, exist_ok=True)
    known = np.frombuffer(listed.encode(), np.uint8)
    np.savez(kept, poems=vectors, chosen=chosen, vectors=words.astype(np.float16), words=known)
    return _scatter(vectors, chosen, len(poems)), words


def _scatter(vectors: NDArray[np.float16], chosen: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """(count, 384) the chosen rows' vectors at their places, zero elsewhere."""
    spread = np.zeros((count, DIMENSIONS), np.float32)
    spread[chosen] = vectors
    return spread
