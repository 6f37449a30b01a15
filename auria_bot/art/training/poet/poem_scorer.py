"""Trains the poet's critic: haiku of the training split against the poet's imitations of them.

    python -m auria_bot.art.training.poet.poem_scorer --data DIR [--model models/poet] [--folder DIR]

A stage of `auria train poet`, or by itself for a poet that is there. Resumable like every training.
"""

from __future__ import annotations

import argparse
import os
import tomllib
import warnings
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from auria_bot.art.checkpoint import export_onnx, load_weights, read_json, save_weights, write_checksums, write_json
from auria_bot.art.nets.poem_scorer import PLACES, PoemScorer, PoemScorerConfig
from auria_bot.art.poets.lexicon import Lexicon
from auria_bot.art.training import loop
from auria_bot.art.training.poet.negative_samples import Pairs, eligible, write_negatives
from auria_bot.corpus.language.verse_position import KINDS
from auria_bot.corpus.language.words import LINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from auria_bot.art.training.poet.dataset import PoetDataset

__all__ = ["PoemScorerRecipe", "PoemScorerSettings", "auc", "begun", "export", "judged", "train"]

_CHUNK = 512  # poems judged at once


@dataclass(frozen=True, slots=True, kw_only=True)
class PoemScorerSettings:
    """What config/train/poet_critic.toml may set."""

    pairs: int = 30000  # training haiku that are imitated at most, those in form first
    steps: int = 1500  # updates
    batch: int = 96  # pairs in an update
    rate: float = 2e-3  # peak learning rate, then a half cosine to zero
    words_rate: float = 0.25  # of the rate, for the word vectors
    decay: float = 0.05  # weight decay
    average: float = 0.995  # decay of the weight average
    formal: float = 0.5  # share of pairs that are 5-7-5
    begun: float = 0.4  # share of updates that show beginnings of one or two lines
    width: int = 96  # of a word vector
    hidden: int = 128  # of the GRU, each way
    drop_word: float = 0.06  # see nets.verse_critic
    drop_input: float = 0.2
    drop_output: float = 0.4
    seed: int = 1

    @classmethod
    def load(cls, path: Path | None) -> PoemScorerSettings:
        """Read settings from a TOML file; None for the defaults."""
        if path is None:
            return cls()
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(**{field.name: given[field.name] for field in fields(cls) if field.name in given})


class PoemScorerRecipe:
    """How the critic is trained, for the loop.

    Args:
        pairs: of the training split.
        held_out: of the validation split.
        vectors: (words, any) the poet's word vectors.
        settings: how to train.
    """

    name = "poet-critic"

    def __init__(
        self, pairs: Pairs, held_out: Pairs, vectors: NDArray[np.float32], settings: PoemScorerSettings
    ) -> None:
        torch.manual_seed(settings.seed)
        self.pairs, self.held_out, self.settings = _cut(pairs), _cut(held_out), settings
        config = PoemScorerConfig(
            words=len(vectors),
            width=settings.width,
            hidden=settings.hidden,
            drop_word=settings.drop_word,
            drop_input=settings.drop_input,
            drop_output=settings.drop_output,
        )
        self.net, self.average = PoemScorer(config), PoemScorer(config).eval()
        self._initialise(vectors)
        self.average.load_state_dict(self.net.state_dict())
        rest = [parameter for name, parameter in self.net.named_parameters() if not name.startswith("words")]
        groups: list[dict[str, Any]] = [{"params": rest}, {"params": [self.net.words.weight]}]
        self.optimizer = torch.optim.AdamW(groups, lr=settings.rate, weight_decay=settings.decay)
        self._formal, self._free = (np.flatnonzero(self.pairs.formal == formal) for formal in (True, False))

    def _initialise(self, vectors: NDArray[np.float32]) -> None:
        """Start from the poet's word vectors, turned onto their principal directions."""
        body = vectors - vectors.mean(0)
        _, _, directions = np.linalg.svd(body, full_matrices=False)
        turned = body @ directions[: self.settings.width].T
        turned *= 0.3 / max(float(turned.std()), 1e-6)
        with torch.no_grad():
            self.net.words.weight[:, : turned.shape[1]] = torch.from_numpy(turned.astype(np.float32))

    def modules(self) -> dict[str, torch.nn.Module]:
        """The net and its average."""
        return {"net": self.net, "average": self.average}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The one optimiser."""
        return {"net": self.optimizer}

    def step(self, number: int, total: int) -> dict[str, float]:
        """One update."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, number])
        torch.manual_seed(int(rng.integers(2**31)))
        fall = 0.5 * (1 + float(np.cos(np.pi * number / total))) * min(1.0, (number + 1) / 50)
        for group, share in zip(self.optimizer.param_groups, (1.0, settings.words_rate), strict=True):
            group["lr"] = settings.rate * share * fall
        rows = self._draw(rng)
        lines = int(rng.integers(1, 3)) if rng.random() < settings.begun else 0
        real, written = self.pairs.real[rows], self.pairs.written[rows]
        shown = [begun(each, lines) if lines else each for each in (real, written)]
        truth = torch.tensor([1.0, 0.0]).repeat_interleave(len(rows))
        self.net.train()
        loss = F.binary_cross_entropy_with_logits(self.net(torch.from_numpy(np.concatenate(shown))), truth)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        keep = min(settings.average, (number + 1) / (number + 10))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.net.parameters()), 1 - keep)
        return {"loss": float(loss.detach())}

    def _draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        formal = self._formal if len(self._formal) else self._free
        free = self._free if len(self._free) else self._formal
        many = round(self.settings.batch * self.settings.formal)
        return np.concatenate([rng.choice(formal, many), rng.choice(free, self.settings.batch - many)])

    def evaluate(self) -> dict[str, float]:
        """How well held-out haiku are told from the poet's imitations of them."""
        held = self.held_out
        real, written = judged(self.average, held.real), judged(self.average, held.written)
        right = np.concatenate([real > 0, written < 0])
        formal = held.formal if held.formal.any() else ~held.formal
        both = {"auc": auc(real, written), "accuracy": float(right.mean())}
        opened = [judged(self.average, begun(each, 1)) for each in (held.real, held.written)]
        return both | {
            "auc_575": auc(real[formal], written[formal]),
            "auc_first_line": auc(opened[0], opened[1]),
            "pairs": float(len(real)),
        }


@torch.no_grad()
def judged(net: PoemScorer, tokens: NDArray[np.int64]) -> NDArray[np.float64]:
    """The critic's logit of each poem."""
    net.eval()
    parts = [net(torch.from_numpy(tokens[at : at + _CHUNK])).double().numpy() for at in range(0, len(tokens), _CHUNK)]
    return np.concatenate(parts) if parts else np.zeros(0)


def auc(real: NDArray[np.float64], written: NDArray[np.float64]) -> float:
    """How often a real poem is rated above a written one; 0.5 by chance."""
    if not len(real) or not len(written):
        return 0.5
    ordered = np.sort(written)
    below = np.searchsorted(ordered, real, "left") + np.searchsorted(ordered, real, "right")
    return float(below.mean() / 2 / len(ordered))


def _cut(pairs: Pairs) -> Pairs:
    """Pairs that fit into the net's places."""
    tables = [np.pad(table, ((0, 0), (0, max(0, PLACES - table.shape[1])))) for table in (pairs.real, pairs.written)]
    fit = ~(tables[0][:, PLACES:].any(1) | tables[1][:, PLACES:].any(1))
    real, written = (np.ascontiguousarray(table[fit, :PLACES]) for table in tables)
    return Pairs(real=real, written=written, rows=pairs.rows[fit], formal=pairs.formal[fit])


def begun(tokens: NDArray[np.int64], lines: int) -> NDArray[np.int64]:
    """The first lines of poems: up to the mark that ends them."""
    marks = (tokens == LINE).cumsum(1) - (tokens == LINE)
    shown: NDArray[np.int64] = np.where(marks < lines, tokens, 0)
    return shown


def train(
    *,
    anthology: PoetDataset,
    folder: Path,
    out: Path,
    settings: PoemScorerSettings | None = None,
    minutes: float | None = None,
    threads: int = 1,
    log: Callable[[str], None] = print,
) -> dict[str, float]:
    """Train, or go on training, the critic of an exported poet, and put it beside the poet.

    Args:
        anthology: haiku in the poet's vocabulary; its word vectors give the imitations their themes.
        folder: where imitations, checkpoints and the log are kept.
        out: the poet's folder: model.onnx and its tables are read, critic.onnx and critic.safetensors written.
        settings: how to train; by default CriticSettings().
        minutes: wall-clock budget of the updates; the imitations are not counted.
        threads: threads with which imitations are written.
        log: receives progress.

    Returns:
        The figures of the validation split, by names that begin with "critic_"; {} where there are too few haiku.
    """
    settings = settings or PoemScorerSettings()
    lexicon = Lexicon.of(anthology.vocabulary)
    sets = []
    for split, most in (("validation", settings.pairs // 10), ("train", settings.pairs)):
        rows = _formal_first(anthology, eligible(anthology, lexicon, anthology.rows(split)), settings.seed)[:most]
        sets.append(write_negatives(out, anthology, rows, folder, threads=threads, log=log))
    held_out, pairs = sets
    if not len(pairs.rows) or not len(held_out.rows):
        log("too few haiku for a critic; the poet works without one")
        return {}
    vectors = load_weights(out / "weights.safetensors")["words.weight"].numpy()
    recipe = PoemScorerRecipe(pairs, held_out, vectors, settings)
    outcome = loop.run(recipe, folder, steps=settings.steps, minutes=minutes, evaluate_every=400, log=log)
    export(recipe.average, out)
    config = read_json(out / "config.json")
    config["critic"] = {
        "net": asdict(recipe.net.config),
        "training": asdict(settings)
        | {
            "steps": outcome.step,
            "of": outcome.total,
            "seconds": round(outcome.seconds),
            "parameters": sum(parameter.numel() for parameter in recipe.net.parameters()),
            "pairs": len(recipe.pairs.rows),
            "pairs_575": int(recipe.pairs.formal.sum()),
        },
    }
    write_json(out / "config.json", config)
    write_checksums(out)
    return {f"critic_{name}": round(value, 4) for name, value in outcome.metrics.items()}


def _formal_first(anthology: PoetDataset, rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Rows in drawn order, the 5-7-5 ones before the others."""
    rows = np.random.default_rng([seed, len(rows)]).permutation(rows)
    free = [not KINDS[kind].startswith("575") for kind in anthology.kinds[rows]]
    ordered: NDArray[np.int64] = rows[np.argsort(free, kind="stable")]
    return ordered


def export(net: PoemScorer, out: Path) -> None:
    """Write critic.safetensors and critic.onnx."""
    save_weights(out / "critic.safetensors", net.state_dict(), half=True)
    with warnings.catch_warnings():
        # torch warns of any GRU with a free number of rows; here its state starts at zero, so the number does not matter.
        warnings.simplefilter("ignore")
        export_onnx(
            net,
            (torch.zeros((3, PLACES), dtype=torch.int64),),
            out / "critic.onnx",
            input_names=("tokens",),
            output_names=("logits",),
            dynamic_axes={"tokens": {0: "poems"}, "logits": {0: "poems"}},
        )


def main() -> None:
    """Train the critic of a poet that is there, and note its figures on the poet's card."""
    from auria_bot.art.training.poet.dataset import build
    from auria_bot.art.training.poet.export import describe

    home = Path(os.environ.get("AURIA_HOME", Path.home() / ".local" / "share" / "auria"))
    parser = argparse.ArgumentParser(description="Train the critic of a trained poet.")
    parser.add_argument("--data", type=Path, required=True, help="folder with haiku.jsonl.zst")
    parser.add_argument("--model", type=Path, default=Path("models/poet"), help="the poet's folder")
    parser.add_argument("--folder", type=Path, default=home / "train" / "poet-critic", help="imitations, checkpoints")
    parser.add_argument("--settings", type=Path, help="a TOML file such as config/train/poet_critic.toml")
    parser.add_argument("--minutes", type=float, help="wall-clock budget of the updates")
    parser.add_argument("--threads", type=int, default=1, help="threads of the processor")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.folder.mkdir(parents=True, exist_ok=True)
    words = (given.model / "vocabulary.txt").read_text(encoding="ascii")
    (given.folder / "vocabulary.txt").write_text(words, encoding="ascii")  # the poet's own words, whatever the data say
    anthology = build(given.data, given.folder, least=1, most=len(words.splitlines()), themed=1)
    metrics = train(
        anthology=anthology,
        folder=given.folder,
        out=given.model,
        settings=PoemScorerSettings.load(given.settings),
        minutes=given.minutes,
        threads=given.threads,
    )
    print(describe(given.model, metrics))  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
