"""The poem scorer, which tells fit poems from others, and what the poet read from what it writes: its training.

    python -m auria_bot.art.training.poet.poem_scorer --data DIR [--model models/poet] [--folder DIR]

The poet's own LSTM layers, trained on, each pooled over the poem. Its logit estimates how much likelier a poem is one
that a reader finds fit, or that the poet read, than another of its own; as for the latter, see Deng, Bakhtin, Ott,
Szlam and Ranzato, Residual Energy-Based Models for Text Generation, 2020 (arXiv:2004.11714).

It learns from haiku that the poet read against the poet's negative samples, and from poems of such a poet that a reader
marked or corrected: a stage of `auria train poet`, or separately for an existing poet. Resumable like every training,
except the count of worn lines at its end.
"""

from __future__ import annotations

import argparse
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from auria_bot.art.checkpoint import export_onnx, read_json, write_checksums, write_json
from auria_bot.art.nets.word_lstm import PoemScorer, PoemScorerConfig
from auria_bot.art.poets import worn_lines
from auria_bot.art.poets.lexicon import Lexicon
from auria_bot.art.training import loop
from auria_bot.art.training.poet.export import stored_weights
from auria_bot.art.training.poet.marks import PLACES, Marks, read_marks
from auria_bot.art.training.poet.negative_samples import Pairs, eligible, write_negatives
from auria_bot.art.training.poet.worn_lines import count_worn_lines
from auria_bot.corpus.language.verse_rules import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from auria_bot.art.training.poet.dataset import PoetDataset

__all__ = [
    "PLACES",
    "PoemScorerRecipe",
    "PoemScorerSettings",
    "auc",
    "export",
    "logits_of",
    "train",
]


_CHUNK = 512  # poems judged at once
_HELD_MACHINE = 25  # the same of a language model's


@dataclass(frozen=True, slots=True, kw_only=True)
class PoemScorerSettings:
    """The settings of config/train/poet_critic.toml."""

    pairs: int = 12000  # most training haiku that get negative samples, those in form first
    steps: int = 1700  # updates
    batch: int = 24  # pairs in an update
    rate: float = 7e-4  # peak learning rate, then a half cosine to zero
    words_rate: float = 0.25  # factor of the rate for the word vectors
    decay: float = 0.05  # weight decay
    average: float = 0.995  # decay of the weight average
    formal: float = 0.5  # share of pairs that are 5-7-5
    marked: int = 256  # poems in an update that a reader marked or corrected, half of them fit to post
    ranked: float = 0.5  # weight of their ranking, beside whether each is fit
    width: int = 224  # of a word vector
    hidden: int = 384  # of each LSTM layer; where it is the poet's, it begins with the poet's layers
    layers: int = 2
    drop_word: float = 0.06  # see PoemScorerConfig
    drop_input: float = 0.2
    drop_output: float = 0.4
    worn: int = 1500  # requests the poet writes for at the end, to count its worn lines; 0 counts none
    seed: int = 1


class PoemScorerRecipe:
    """The recipe of the poem scorer.

    Args:
        pairs: to learn from.
        held_out: to measure by.
        poet: the poet's weights, of which it begins with the word vectors and the layers.
        marks: poems that a reader marked.
    """

    name = "poet-critic"

    def __init__(
        self,
        pairs: Pairs,
        held_out: Pairs,
        poet: Mapping[str, Tensor],
        settings: PoemScorerSettings,
        marks: Marks | None = None,
    ) -> None:
        torch.manual_seed(settings.seed)
        self.pairs, self.held_out, self.settings = _cut(pairs), _cut(held_out), settings
        config = PoemScorerConfig(
            words=len(poet["words.weight"]),
            width=settings.width,
            hidden=settings.hidden,
            layers=settings.layers,
            drop_word=settings.drop_word,
            drop_input=settings.drop_input,
            drop_output=settings.drop_output,
        )
        self.net, self.average = PoemScorer(config), PoemScorer(config).eval()
        self.net.begin_with(poet)
        self.average.load_state_dict(self.net.state_dict())
        rest = [parameter for name, parameter in self.net.named_parameters() if not name.startswith("words")]
        groups: list[dict[str, Any]] = [{"params": rest}, {"params": [self.net.words.weight]}]
        self.optimizer = torch.optim.AdamW(groups, lr=settings.rate, weight_decay=settings.decay)
        self.marks = marks if marks is not None else Marks.of(())
        is_own, learned = self.marks.original < 0, ~self.marks.held  # own: as the poet wrote it
        self._fit, self._unfit = (np.flatnonzero((self.marks.fit == fit) & is_own & learned) for fit in (True, False))
        self._corrected = np.flatnonzero(~is_own & learned)
        self._formal, self._free = (np.flatnonzero(self.pairs.formal == formal) for formal in (True, False))

    def modules(self) -> dict[str, torch.nn.Module]:
        """The net and its average."""
        return {"net": self.net, "average": self.average}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The one optimiser."""
        return {"net": self.optimizer}

    def step(self, number: int, total: int) -> dict[str, float]:
        """Make one update."""
        settings = self.settings
        rng = np.random.default_rng([settings.seed, number])
        torch.manual_seed(int(rng.integers(2**31)))
        fall = 0.5 * (1 + float(np.cos(np.pi * number / total))) * min(1.0, (number + 1) / 50)
        for group, share in zip(self.optimizer.param_groups, (1.0, settings.words_rate), strict=True):
            group["lr"] = settings.rate * share * fall
        rows = self._draw(rng)
        shown = [self.pairs.real[rows], self.pairs.written[rows]]
        truth = torch.tensor([1.0, 0.0]).repeat_interleave(len(rows))
        better, worse = self._draw_marked(rng)
        shown += [self.marks.tokens[better], self.marks.tokens[worse]]
        truth = torch.cat([truth, torch.ones(len(better)), torch.zeros(len(worse))])
        self.net.train()
        logits = self.net(torch.from_numpy(np.concatenate(shown)))
        loss = F.binary_cross_entropy_with_logits(logits, truth)
        if len(better):
            above, below = logits[2 * len(rows) :].chunk(2)
            loss = loss - settings.ranked * F.logsigmoid(above - below).mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimizer.step()
        loop.update_average(self.average, self.net, decay=settings.average, step=number)
        return {"loss": float(loss.detach())}

    def _draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        formal = self._formal if len(self._formal) else self._free
        free = self._free if len(self._free) else self._formal
        many = round(self.settings.batch * self.settings.formal)
        return np.concatenate([rng.choice(formal, many), rng.choice(free, self.settings.batch - many)])

    def _draw_marked(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """As many fit as unfit poems: half of the pairs of a correction and what it corrects, where there are any."""
        many = self.settings.marked // 2
        own = many - many // 2 if len(self._corrected) else many
        fit, unfit = (rng.choice(each, own) if len(each) else each for each in (self._fit, self._unfit))
        if not len(fit) or not len(unfit):
            fit = unfit = fit[:0]
        corrected = rng.choice(self._corrected, many - own) if many > own else fit[:0]
        return np.concatenate([fit, corrected]), np.concatenate([unfit, self.marks.original[corrected]])

    def _of_marks(self) -> dict[str, float]:
        """How well held-out fit poems are distinguished from others, and corrected ones from their originals."""
        held, original, fit = np.flatnonzero(self.marks.held), self.marks.original, self.marks.fit
        logits = np.zeros(len(fit))
        logits[held] = logits_of(self.average, self.marks.tokens[held])
        own, corrected = held[original[held] < 0], held[original[held] >= 0]
        found = {"auc_marks": auc(logits[own[fit[own]]], logits[own[~fit[own]]])}
        if len(corrected):
            found["corrected"] = float((logits[corrected] > logits[original[corrected]]).mean())
        return found

    def evaluate(self) -> dict[str, float]:
        """How well held-out haiku are distinguished from the poet's negative samples."""
        held = self.held_out
        real, negatives = logits_of(self.average, held.real), logits_of(self.average, held.written)
        right = np.concatenate([real > 0, negatives < 0])
        formal = held.formal if held.formal.any() else ~held.formal
        both = {"auc": auc(real, negatives), "accuracy": float(right.mean())}
        if self.marks.held.any():
            both |= self._of_marks()
        return both | {"auc_575": auc(real[formal], negatives[formal]), "pairs": float(len(real))}


@torch.no_grad()
def logits_of(net: PoemScorer, tokens: NDArray[np.int64]) -> NDArray[np.float64]:
    """(poems,) the scorer's logits."""
    net.eval()
    parts = [net(torch.from_numpy(tokens[at : at + _CHUNK])).double().numpy() for at in range(0, len(tokens), _CHUNK)]
    return np.concatenate(parts) if parts else np.zeros(0)


def auc(real: NDArray[np.float64], negatives: NDArray[np.float64]) -> float:
    """The probability that a real poem scores above a negative sample; 0.5 by chance."""
    if not len(real) or not len(negatives):
        return 0.5
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, real, "left") + np.searchsorted(ordered, real, "right")
    return float(below.mean() / 2 / len(ordered))


def _cut(pairs: Pairs) -> Pairs:
    """The pairs that fit the network's PLACES."""
    tables = [np.pad(table, ((0, 0), (0, max(0, PLACES - table.shape[1])))) for table in (pairs.real, pairs.written)]
    fit = ~(tables[0][:, PLACES:].any(1) | tables[1][:, PLACES:].any(1))
    real, negatives = (np.ascontiguousarray(table[fit, :PLACES]) for table in tables)
    return Pairs(real=real, written=negatives, rows=pairs.rows[fit], formal=pairs.formal[fit])


def train(
    *,
    dataset: PoetDataset,
    folder: Path,
    out: Path,
    marks: Marks | None = None,
    settings: PoemScorerSettings | None = None,
    minutes: float | None = None,
    threads: int = 1,
    log: Callable[[str], None] = print,
) -> dict[str, float]:
    """Train, or continue training, the poem scorer of an exported poet; then count the lines that this poet wears out.

    Args:
        dataset: haiku in the poet's vocabulary; its word vectors give the negative samples their themes.
        folder: where negative samples, checkpoints and the log are kept.
        out: the poet's folder: model.onnx and its tables are read, critic.onnx and worn_lines.txt written.
        marks: poems of the poet that a reader marked.
        minutes: wall-clock budget of the updates; writing negative samples and counting worn lines come on top.

    Returns:
        The validation metrics, prefixed with "critic_"; {} where there are too few haiku.
    """
    settings = settings or PoemScorerSettings()
    lexicon = Lexicon.of(dataset.vocabulary)
    sets = []
    for read, most in zip(_split(dataset), (settings.pairs // 10, settings.pairs), strict=True):
        rows = _order_rows(dataset, eligible(dataset, lexicon, read), settings.seed)[:most]
        sets.append(write_negatives(out, dataset, rows, folder, threads=threads, log=log))
    held_out, pairs = sets
    if not len(pairs.rows) or not len(held_out.rows):
        log("too few haiku for a poem scorer; the poet works without one")
        return {}
    recipe = PoemScorerRecipe(pairs, held_out, stored_weights(out), settings, marks)
    outcome = loop.run(recipe, folder, steps=settings.steps, minutes=minutes, evaluate_every=400, log=log)
    export(recipe.average, out)
    (out / worn_lines.FILE).unlink(missing_ok=True)  # counted with an earlier scorer
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
            "marks": int((recipe.marks.original < 0).sum()),
            "corrections": int((recipe.marks.original >= 0).sum()),
        },
    }
    write_json(out / "config.json", config)
    write_checksums(out)
    if settings.worn and outcome.finished:
        count_worn_lines(out, requests=settings.worn, log=log)
    return {f"critic_{name}": round(value, 4) for name, value in outcome.metrics.items()}


def _split(dataset: PoetDataset) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows held out and trained on: of a language model's, in whose manner the poet writes, else human ones."""
    machine = dataset.rows("machine")
    if not len(machine):
        return dataset.rows("validation"), dataset.rows("train")
    is_held = np.arange(len(machine)) % _HELD_MACHINE == 0
    return machine[is_held], machine[~is_held]


def _order_rows(dataset: PoetDataset, rows: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Rows in random order, the 5-7-5 ones before the others."""
    rows = np.random.default_rng([seed, len(rows)]).permutation(rows)
    free = [not KINDS[kind].startswith("575") for kind in dataset.kinds[rows]]
    ordered: NDArray[np.int64] = rows[np.argsort(free, kind="stable")]
    return ordered


def export(net: PoemScorer, out: Path) -> None:
    """Write critic.onnx."""
    with warnings.catch_warnings():
        # torch warns of LSTMs with a dynamic batch size, which does not matter with a zero initial state.
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
    """Train the poem scorer of an existing poet, and note its figures on the poet's card."""
    from auria_bot.art.training.poet.dataset import build, machine_haiku
    from auria_bot.art.training.poet.export import describe

    parser = argparse.ArgumentParser(description="Train the poem scorer of a trained poet.")
    parser.add_argument("--data", type=Path, required=True, help="folder with haiku.jsonl.zst")
    parser.add_argument("--model", type=Path, default=Path("models/poet"), help="the poet's folder")
    parser.add_argument(
        "--folder", type=Path, default=loop.training_folder("poet-critic"), help="negative samples, checkpoints"
    )
    parser.add_argument("--settings", type=Path, help="a TOML file such as config/train/poet_critic.toml")
    parser.add_argument("--minutes", type=float, help="wall-clock budget of the updates")
    parser.add_argument("--threads", type=int, default=1, help="threads of the processor")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    given.folder.mkdir(parents=True, exist_ok=True)
    words = (given.model / "vocabulary.txt").read_text(encoding="ascii")
    (given.folder / "vocabulary.txt").write_text(
        words, encoding="ascii"
    )  # the poet's own vocabulary, whatever the data
    machine = machine_haiku(given.data)
    dataset = build(given.data, given.folder, least=1, most=len(words.splitlines()), themed=1, machine=machine)
    metrics = train(
        dataset=dataset,
        folder=given.folder,
        out=given.model,
        marks=read_marks(given.data, dataset.vocabulary),
        settings=loop.read_settings(PoemScorerSettings, given.settings),
        minutes=given.minutes,
        threads=given.threads,
    )
    print(describe(given.model, metrics))  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
