"""Fine-tunes SmolLM2 on haiku in form, with low-rank adapters.

    python -m auria_bot.art.training.haiku_lm.train --data DIR [--minutes N] [--folder DIR] [--out models/haiku-lm]

Resumable: the same command goes on from the last checkpoint. With another --seed and --fold the same command trains a
judge that never read what the poet was taught with.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from auria_bot.art.checkpoint import load_weights, read_json, verify
from auria_bot.art.nets.lora import adapt
from auria_bot.art.poets import causal_lm
from auria_bot.art.poets.verse_tokens import VerseTokens
from auria_bot.art.training import loop
from auria_bot.art.training.haiku_lm.dataset import HaikuSet, header_of, read_haiku
from auria_bot.art.training.haiku_lm.export import describe, export
from auria_bot.art.training.workers import ALONE
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    from auria_bot.art.training.haiku_lm.dataset import LabelledHaiku
    from auria_bot.art.training.workers import Workers

__all__ = ["LoraRecipe", "LoraSettings", "evaluate", "train"]

_IGNORED = -100  # the target of places that are not learnt
_MEASURED = 64  # validation poems, evenly taken
_POOL = 16  # batches that are sorted by length together


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraSettings:
    """What config/train/haiku_lm.toml may set."""

    steps: int = 1200  # updates in all
    batch: int = 16  # poems in an update
    rate: float = 6e-4  # peak learning rate, held, then linearly to zero
    warm_up: int = 30  # steps to reach it
    cool_down: float = 0.25  # share of the steps in which it falls
    decay: float = 0.01  # weight decay
    rank: int = 16  # of each adapter
    blocks: int = 18  # how many of the last blocks are adapted
    folds: int = 4  # parts of the training split, by hash
    fold: int = 0  # the part that is treated apart
    inside: bool = False  # read that part alone (a judge), not all the others (the poet)
    published_nature: float = 2.0  # how often a sweep reads a published haiku of nature,
    published: float = 1.0  # another published haiku,
    nature: float = 1.0  # another haiku of nature,
    other: float = 0.3  # and any other
    untold: float = 0.2  # share of poems read under an empty header
    themed: float = 0.6  # share of the others that are told a theme
    bfloat16: bool = False  # compute with half the digits: quicker where the processor has avx512_bf16 or AMX
    seed: int = 1


class LoraRecipe:
    """How the adapters are trained, for the loop.

    Args:
        net: a causal language model of transformers; it is frozen and adapted in place.
        known: folded words whose tokens it can be asked to write, beside those of the training haiku.
        written: the tokens it can be asked to write, where that is settled.

    Raises:
        InputError: there is nothing to read, or nothing to measure on.
    """

    name = "haiku-lm"

    def __init__(
        self,
        net: Any,
        tokens: VerseTokens,
        haiku: HaikuSet,
        settings: LoraSettings,
        *,
        known: Sequence[str] = (),
        written: Tensor | None = None,
        workers: Workers = ALONE,
    ) -> None:
        torch.manual_seed(settings.seed)
        self._workers = workers
        self.net, self.tokens, self.settings = net, tokens, settings
        if settings.bfloat16:
            net.to(torch.bfloat16)
        self.adapters = adapt(net, rank=settings.rank, blocks=settings.blocks)
        self.optimizer = torch.optim.AdamW(
            self.adapters.parameters(), lr=settings.rate, betas=(0.9, 0.99), weight_decay=settings.decay
        )
        self.read = [
            poem
            for poem in haiku.train
            if (poem.fold(settings.folds) == settings.fold) == settings.inside or settings.folds < 2
        ]
        if not self.read or not haiku.validation:
            raise InputError("there are too few haiku in form to train and measure a language model on")
        if written is None:
            found = {token for poem in self.read for token in tokens.poem(poem.lines)}
            found.update(token for word in known for token in tokens.word(word))
            written = torch.tensor(sorted(found))
        self.written = written  # the tokens that can be asked for; the others are left out of the softmax
        self._head = net.get_output_embeddings().weight[self.written].detach()
        self._place = torch.full((int(net.get_input_embeddings().num_embeddings),), _IGNORED)
        self._place[self.written] = torch.arange(len(self.written))
        self._validation = haiku.validation
        self._sweeps: dict[int, list[list[tuple[list[int], int]]]] = {}

    def modules(self) -> dict[str, nn.Module]:
        """The adapters alone: the rest is frozen."""
        return {"adapters": self.adapters}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The one optimiser."""
        return {"adapters": self.optimizer}

    def step(self, number: int, total: int) -> dict[str, float]:
        """One update."""
        settings = self.settings
        rise = min(1.0, (number + 1) / settings.warm_up)
        fall = min(1.0, (1 - number / total) / settings.cool_down)
        self.net.train()
        batch = self._batch(number)
        share = self._workers.share(len(batch))
        own = batch[share.rows]
        loss = self._losses(own).mean()
        weight = share.weight and _asked(own) / _asked(batch)
        self._workers.update(self.optimizer, loss, rate=settings.rate * rise * fall, weight=weight, most=1.0)
        return {"loss": float(loss.detach()), "poems": float(len(batch))}

    def evaluate(self) -> dict[str, float]:
        """The figures of `measure` on some validation haiku."""
        usable = [poem for poem in self._validation if self.can_write(poem)]
        return self.measure(usable[:: max(1, len(usable) // _MEASURED)][:_MEASURED])

    def can_write(self, poem: LabelledHaiku) -> bool:
        """Whether all tokens of a poem are among those that can be asked for."""
        return all(self._place[token] >= 0 for token in self.tokens.poem(poem.lines))

    @torch.no_grad()
    def measure(self, poems: Sequence[LabelledHaiku]) -> dict[str, float]:
        """Loss a token and perplexity a word: under an empty header, and `_told` what the poems are about."""
        self.net.eval()
        figures, size = {}, self.settings.batch
        words = sum(len(line) for poem in poems for line in poem.lines)
        for suffix, untold in (("", 1.0), ("_told", 0.0)):
            rng = np.random.default_rng(7)
            shown = sorted((self._shown(poem, rng, untold) for poem in poems), key=lambda one: len(one[0]))
            losses = torch.cat([self._losses(shown[at : at + size]) for at in range(0, len(shown), size)])
            figures[f"loss{suffix}"] = float(losses.mean())
            figures[f"perplexity{suffix}"] = float((losses.sum() / words).exp())
        return figures

    def _losses(self, batch: list[tuple[list[int], int]]) -> Tensor:
        """The loss of every token of the poems (tokens,): headers and padding left out."""
        longest = max(len(tokens) for tokens, _ in batch)
        given = torch.zeros(len(batch), longest, dtype=torch.int64)  # padded at the right, where no token looks
        wanted = torch.full((len(batch), longest), _IGNORED)
        for row, (tokens, header) in enumerate(batch):
            given[row, : len(tokens)] = torch.tensor(tokens)
            wanted[row, header - 1 : len(tokens) - 1] = self._place[given[row, header : len(tokens)]]
        asked = wanted[:, :-1] != _IGNORED
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=self.settings.bfloat16):
            hidden = self.net.model(input_ids=given[:, :-1], use_cache=False).last_hidden_state
            scores = F.linear(hidden[asked], self._head)
        return F.cross_entropy(scores.float(), wanted[:, :-1][asked], reduction="none")

    def _batch(self, number: int) -> list[tuple[list[int], int]]:
        sweep, at = divmod(number, len(self._sweep(0)))
        batches = self._sweep(sweep)
        return batches[at % len(batches)]

    def _sweep(self, sweep: int) -> list[list[tuple[list[int], int]]]:
        """Every poem about as often as the settings say, under new headers, in batches of like length, shuffled."""
        if sweep not in self._sweeps:
            rng = np.random.default_rng([self.settings.seed, sweep])
            often = np.array([self._weight(poem) for poem in self.read])
            times = np.floor(often + rng.random(len(often))).astype(np.int64)
            rows = rng.permutation(np.repeat(np.arange(len(often)), times))
            shown = [self._shown(self.read[row], rng, self.settings.untold) for row in rows]
            size, batches = self.settings.batch, []
            for pool in range(0, len(shown), size * _POOL):
                alike = sorted(shown[pool : pool + size * _POOL], key=lambda one: len(one[0]))
                batches += [alike[at : at + size] for at in range(0, len(alike), size)]
            self._sweeps = {kept: value for kept, value in self._sweeps.items() if kept == 0}
            self._sweeps[sweep] = [batches[at] for at in rng.permutation(len(batches))]
        return self._sweeps[sweep]

    def _weight(self, poem: LabelledHaiku) -> float:
        settings = self.settings
        if poem.published:
            return settings.published_nature if poem.nature else settings.published
        return settings.nature if poem.nature else settings.other

    def _shown(self, poem: LabelledHaiku, rng: np.random.Generator, untold: float) -> tuple[list[int], int]:
        """A poem under a header: its tokens, and how many of them are the header's."""
        head = self.tokens.header(header_of(poem, rng, untold=untold, themed=self.settings.themed))
        return [*head, *self.tokens.poem(poem.lines)], len(head)


def _asked(batch: list[tuple[list[int], int]]) -> int:
    """How many tokens of the poems a loss is computed for."""
    return sum(len(tokens) - header for tokens, header in batch)


def train(
    *,
    data: Path,
    folder: Path,
    out: Path,
    minutes: float | None = None,
    steps: int | None = None,
    limit: int | None = None,
    settings: LoraSettings | None = None,
    known: Sequence[str] = (),
    log: Callable[[str], None] = print,
    workers: Workers = ALONE,
) -> dict[str, Any]:
    """Train, or go on training, and export the adapters.

    Args:
        data: the folder with haiku.jsonl.zst.
        limit: read only forty times as many haiku, of which few are in form, to try the code.

    Returns:
        The metrics written to metrics.json; {} in a worker that is not the first.

    Raises:
        NotFound: the data are not there.
        BackendMissing: the language model is not installed.
        InputError: there are too few haiku.
    """
    settings = settings or LoraSettings()
    haiku = read_haiku(data, None if limit is None else limit * 40)
    tokenizer, net = causal_lm.load_smollm2()
    recipe = LoraRecipe(net, VerseTokens(tokenizer), haiku, settings, known=known, workers=workers)
    adapted = sum(parameter.numel() for parameter in recipe.adapters.parameters())
    log(f"{len(recipe.read):,} haiku to read, {adapted:,} parameters, {len(recipe.written):,} tokens can be written")
    how: dict[str, Any] = {"save_every": 240, "evaluate_every": 200, "log": log, "workers": workers}
    outcome = loop.run(recipe, folder, steps=steps or settings.steps, minutes=minutes, **how)
    if not workers.is_first:
        return {}
    metrics: dict[str, Any] = {f"{name}_validation": round(value, 3) for name, value in outcome.metrics.items()}
    metrics |= {"parameters": adapted, "haiku": len(recipe.read)}
    training = asdict(settings) | {"steps": outcome.step, "of": outcome.total, "seconds": round(outcome.seconds)}
    log(f"writing {out}")
    return export(recipe.adapters, recipe.written, out, training=training, metrics=metrics)


def evaluate(*, data: Path, model: Path) -> dict[str, Any]:
    """Measure trained adapters on the test split, beside the language model without them, and note it on their card.

    Raises:
        ModelMissing, ModelCorrupt: the adapters cannot be used.
        BackendMissing: the language model is not installed.
        NotFound: the data are not there.
    """
    verify(model)
    trained = read_json(model / "config.json")["training"]
    settings = LoraSettings(**{field.name: trained[field.name] for field in fields(LoraSettings)})
    tensors = load_weights(model / "adapters.safetensors")
    written = tensors.pop("written")
    haiku = read_haiku(data)
    tokenizer, net = causal_lm.load_smollm2()
    recipe = LoraRecipe(net, VerseTokens(tokenizer), haiku, settings, written=written)
    usable = [poem for poem in haiku.test if recipe.can_write(poem)]
    before = recipe.measure(usable)
    recipe.adapters.load_state_dict(tensors)
    figures = {f"{name}_test": value for name, value in recipe.measure(usable).items()}
    figures |= {f"{name}_test_without": value for name, value in before.items()}
    return describe(model, {name: round(value, 3) for name, value in figures.items()} | {"test_haiku": len(usable)})


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description="Fine-tune the packaged language model on haiku.")
    parser.add_argument("--data", type=Path, required=True, help="folder with haiku.jsonl.zst")
    parser.add_argument("--minutes", type=float, help="wall-clock budget of this sitting")
    parser.add_argument("--steps", type=int, help="updates of the whole run")
    parser.add_argument("--seed", type=int, help="of adapters, batches and headers")
    parser.add_argument("--fold", type=int, help="part of the training split that is read alone: a judge for poets")
    parser.add_argument("--folder", type=Path, default=loop.training_folder("haiku-lm"), help="checkpoints and log")
    parser.add_argument("--out", type=Path, default=Path("models/haiku-lm"), help="where the adapters are written")
    parser.add_argument("--poet", type=Path, default=Path("models/poet"), help="its vocabulary can be written too")
    parser.add_argument("--settings", type=Path, help="a TOML file such as config/train/haiku_lm.toml")
    parser.add_argument("--bfloat16", action="store_true", help="quicker on processors with avx512_bf16 or AMX")
    parser.add_argument("--threads", type=int, default=1, help="threads of the processor")
    given = vars(parser.parse_args())
    torch.set_num_threads(given.pop("threads"))
    words = given.pop("poet") / "vocabulary.txt"
    told = {name: value for name in ("steps", "seed", "fold") if (value := given.pop(name)) is not None}
    told |= ({"inside": True} if "fold" in told else {}) | ({"bfloat16": True} if given.pop("bfloat16") else {})
    given["settings"] = replace(loop.read_settings(LoraSettings, given["settings"]), **told)
    given["known"] = words.read_text(encoding="ascii").split()[4:] if words.is_file() else ()
    print(f"exported {given['out']}: {train(**given)}")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
