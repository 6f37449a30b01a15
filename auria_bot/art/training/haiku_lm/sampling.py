"""Samples poems from the fine-tuned language model, for the word LSTM to read beside those of human poets.

    python -m auria_bot.art.training.haiku_lm.sampling --data DIR --out POEMS.jsonl [--poems 300000] [--minutes N]

Sequence-level distillation (Kim and Rush, "Sequence-Level Knowledge Distillation", EMNLP 2016): the pupil learns from
what its teacher writes. Resumable: a batch depends on its number alone, and the file tells which were written.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from auria_bot.art.poets.causal_lm import ADAPTERS, adapted
from auria_bot.art.poets.lexicon import Lexicon
from auria_bot.art.poets.ranking import faults
from auria_bot.art.poets.subword_decoding import SubwordDecoder, SubwordSampling
from auria_bot.art.poets.verse_tokens import Header, VerseTokens
from auria_bot.art.poets.word_trie import WordTrie
from auria_bot.art.training.haiku_lm.dataset import read_haiku, theme_of
from auria_bot.corpus.language import season_words
from auria_bot.corpus.language.words import Vocabulary, spoken
from auria_bot.corpus.originality import CopyGuard

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auria_bot.art.poets.decoding import DecodedPoem
    from auria_bot.art.training.haiku_lm.dataset import LabelledHaiku

__all__ = ["header_for", "sample", "written"]

_UNTHEMED = 0.15  # share of batches without a theme
_SEASONAL = 0.15  # share of batches whose theme is of the almanac of season words, not of a training haiku


def header_for(number: int, haiku: Sequence[LabelledHaiku], seed: int) -> Header:
    """The header of a batch: mostly a theme that a training haiku of nature has, else season words, or none."""
    rng = np.random.default_rng([seed, number])
    chance, theme = rng.random(), ""
    if chance < _SEASONAL:
        season = str(rng.choice(season_words.SEASONS[:4]))
        theme = season_words.theme_in(season, seed=int(rng.integers(2**31)))
    elif chance < 1 - _UNTHEMED:
        theme = theme_of(haiku[int(rng.integers(len(haiku)))], rng)
    return Header(published=True, nature=True, theme=theme)


def written(out: Path) -> tuple[int, int]:
    """How many batches and poems a file holds; what a stopped run left of an unfinished batch is cut off."""
    if not out.is_file():
        return 0, 0
    batches, poems, whole = 0, 0, 0
    with out.open("rb+") as file:
        for row in iter(file.readline, b""):
            if row.endswith(b"\n") and b'"batch"' in row:
                record = json.loads(row)
                batches, poems, whole = record["batch"] + 1, poems + record["poems"], file.tell()
        file.truncate(whole)
    return batches, poems


def sample(
    decoder: SubwordDecoder,
    tokens: VerseTokens,
    haiku: Sequence[LabelledHaiku],
    out: Path,
    *,
    poems: int,
    batch: int = 128,
    minutes: float | None = None,
    guard: CopyGuard | None = None,
    params: SubwordSampling | None = None,
    seed: int = 1,
    log: Callable[[str], None] = print,
) -> int:
    """Sample poems into a .jsonl file, or go on with it.

    Each row is a poem: lines, form, tier ("machine"), nature (its season words), likelihood, lowest, breaks, theme. A
    batch ends with a row that has its number and its poems.

    Args:
        haiku: training haiku of nature, whose words are the themes.
        out: the file, appended to.
        poems: usable poems wanted in all.
        batch: poems begun at once.
        guard: drops what copies the training text.
        seed: of headers and poems.

    Returns:
        The poems in the file.
    """
    began = shown = time.monotonic()
    number, found = written(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a", encoding="utf-8") as file:
        while found < poems and (minutes is None or time.monotonic() - began < 60 * minutes):
            header = header_for(number, haiku, seed)
            sampled = decoder.sample(
                tokens.header(header),
                count=batch,
                rng=np.random.default_rng([seed, number, 1]),
                params=params or SubwordSampling(),
            )
            usable = [poem for poem in sampled if not faults(poem.lines, guard)]
            rows = [*(_row(poem, header) for poem in usable), {"batch": number, "poems": len(usable)}]
            file.write("".join(json.dumps(row) + "\n" for row in rows))
            file.flush()
            number, found = number + 1, found + len(usable)
            if time.monotonic() - shown > 60:
                shown = time.monotonic()
                log(f"batch {number}  {found:,} poems  {(shown - began) / 60:.0f} min  {len(usable)} of {batch} usable")
    return found


def _row(poem: DecodedPoem, header: Header) -> dict[str, Any]:
    lines = [spoken(line) for line in poem.lines]
    nature = sum(map(len, season_words.seasons_of(lines).values()))
    figures = {"likelihood": poem.likelihood, "lowest": poem.lowest, "breaks": poem.breaks}
    return {"lines": lines, "form": "575", "tier": "machine", "nature": nature, "theme": header.theme} | {
        name: round(value, 2) for name, value in figures.items()
    }


def main() -> None:
    """Sample from the command line."""
    parser = argparse.ArgumentParser(description="Sample poems from the fine-tuned language model.")
    parser.add_argument("--data", type=Path, required=True, help="folder with haiku.jsonl.zst, for themes")
    parser.add_argument("--out", type=Path, required=True, help="the .jsonl file")
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder with haiku-lm and poet")
    parser.add_argument("--adapters", type=Path, help="another folder of adapters than the models' haiku-lm")
    parser.add_argument("--poems", type=int, default=300_000, help="usable poems in all")
    parser.add_argument("--batch", type=int, default=128, help="poems begun at once")
    parser.add_argument("--minutes", type=float, help="wall-clock budget")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bfloat16", action="store_true", help="quicker on processors with avx512_bf16 or AMX")
    parser.add_argument("--threads", type=int, default=1, help="threads of the processor")
    given = vars(parser.parse_args())
    torch.set_num_threads(given.pop("threads"))
    models = given.pop("models")
    tokenizer, net = adapted(given.pop("adapters") or models / ADAPTERS)
    if given.pop("bfloat16"):
        net.to(torch.bfloat16)
    tokens, poet = VerseTokens(tokenizer), models / "poet"
    lexicon = Lexicon.of(Vocabulary.parse((poet / "vocabulary.txt").read_text(encoding="ascii")))
    decoder = SubwordDecoder(net, WordTrie(lexicon, tokens.word, tokens.newline))
    nature = [poem for poem in read_haiku(given.pop("data")).train if poem.nature]
    count = sample(decoder, tokens, nature, guard=CopyGuard.load(poet / "originality.bin"), **given)
    print(f"{given['out']} holds {count:,} poems")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
