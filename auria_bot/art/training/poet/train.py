"""Train the poet: public-domain verse, then haiku, then haiku in form, half of them a machine's; last its poem scorer.

    python -m auria_bot.art.training.poet.train --data DIR [--minutes N] [--folder DIR] [--out models/poet] [--from DIR]

Resumable: the same command continues from the last checkpoint. At the end the model is exported.

That a small net learns to make sense from what a large one wrote in plain words: Eldan and Li, "TinyStories: How Small
Can Language Models Be and Still Speak Coherent English?", 2023 (arXiv:2305.07759).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from auria_bot.art.checkpoint import read_json
from auria_bot.art.evaluation.poet import load_net, native_lstm, perplexity, places_of
from auria_bot.art.nets.word_lstm import WordLstm, WordLstmConfig
from auria_bot.art.training import loop
from auria_bot.art.training.poet import poem_scorer
from auria_bot.art.training.poet.dataset import PoetDataset, build, machine_haiku, word_theme
from auria_bot.art.training.poet.export import describe, export
from auria_bot.art.training.poet.marks import Marks, read_marks
from auria_bot.art.training.poet.preferences import PreferenceLoss, Preferences
from auria_bot.art.training.workers import ALONE
from auria_bot.corpus.language.verse_rules import KINDS, NO_KIND, POSITIONS
from auria_bot.corpus.language.words import SPECIALS
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from auria_bot.art.training.poet.poem_scorer import PoemScorerSettings
    from auria_bot.art.training.workers import Workers

__all__ = ["PoetRecipe", "PoetSettings", "train"]


_OF_THE_NET = ("width", "hidden", "drop_word", "drop_input", "drop_hidden", "drop_output", "drop_weight")  # settings
_FINAL_DROP_BOTH = 0.8  # share of human poems read with neither kind nor theme at the end
_MACHINE_DROP_BOTH = 0.3  # the same of a machine's


@dataclass(frozen=True, slots=True, kw_only=True)
class PoetSettings:
    """The settings of config/train/poet.toml."""

    steps: int = 12000  # updates in all
    batch: int = 128  # poems in an update
    rate: float = 2.4e-3  # peak learning rate
    warm_up: int = 200  # steps to reach it
    decay: float = 0.02  # weight decay
    average: float = 0.999  # decay of the weight average
    verse_until: float = 0.08  # share of the steps in which every second batch is a stanza batch
    form_from: float = 0.8  # share of the steps after which every second batch is 5-7-5
    plain_from: float = 0.843  # share after which only haiku are read, mostly told nothing, and the rate falls to 0
    machine_from: float = 0.843  # share after which every second batch is by a language model; 1 leaves them out
    plain_rate: float = 0.32  # factor of the peak rate at plain_from
    plain_average: float = 0.99  # decay of the weight average from plain_from on
    drop_both: float = 0.5  # share of poems read with neither kind nor theme, except in form batches
    drop_theme: float = 0.3  # share of the others read without theme
    drop_kind: float = 0.2  # share of the others read without kind
    noise: float = 0.035  # most noise added to each component of a theme
    least: int = 6  # least occurrences of a word in the training haiku
    most: int = 7600  # words in the vocabulary
    themed: int = 12000  # haiku with a sentence vector as theme; the others are themed by their words
    common: int = 1000  # words always among the softmax's candidates
    sampled: int = 600  # further candidates drawn for each batch
    full_from: float = 0.9  # share of the steps after which the softmax runs over all words
    preferred: int = 32  # pairs of a poem and a reader's correction of it in an update
    preferred_from: float = 0.843  # share of the steps after which they are read
    preference: float = 1.0  # weight of their loss
    strength: float = 0.1  # see preferences.PreferenceLoss
    width: int = 224  # of a word vector
    hidden: int = 384  # of each LSTM layer
    drop_word: float = 0.06  # see nets.word_lstm; each poem is read about two dozen times
    drop_input: float = 0.2
    drop_hidden: float = 0.25
    drop_output: float = 0.35
    drop_weight: float = 0.25
    seed: int = 1


class PoetRecipe:
    """The recipe of the poet."""

    name = "poet"

    def __init__(
        self,
        dataset: PoetDataset,
        settings: PoetSettings,
        workers: Workers = ALONE,
        earlier: Path | None = None,
        marks: Marks | None = None,
    ) -> None:
        torch.manual_seed(settings.seed)
        self.dataset, self.settings, self._workers = dataset, settings, workers
        config = WordLstmConfig(
            words=len(dataset.vocabulary),
            positions=POSITIONS,
            kinds=len(KINDS),
            theme=dataset.themes.shape[1],
            **{name: getattr(settings, name) for name in _OF_THE_NET},
        )
        self.net, self.average = WordLstm(config), WordLstm(config).eval()
        self._initialise()
        if earlier is not None:
            self._begin_with(earlier)
        self.average.load_state_dict(self.net.state_dict())
        preferences = Preferences(marks or Marks.of(()), dataset.vocabulary, dataset.word_vectors)
        how: dict[str, Any] = {"pairs": settings.preferred, "strength": settings.strength, "common": settings.common}
        prefers = settings.preferred > 0 and len(preferences) > 0
        self.preference = PreferenceLoss(preferences, self.net, **how) if prefers else None
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), lr=settings.rate, betas=(0.9, 0.99), weight_decay=settings.decay, foreach=True
        )
        self.places = places_of(dataset)
        self._haiku, self._machine = dataset.rows("train"), dataset.rows("machine")
        self._stanzas = dataset.rows("train", stanzas=True)
        form = np.array([name.startswith("575") for name in KINDS])
        self._form = self._haiku[form[dataset.kinds[self._haiku]]]
        if not len(self._haiku):
            raise InputError("there is no haiku to train on in haiku.jsonl.zst")
        self._batches: dict[tuple[str, int], list[NDArray[np.int64]]] = {}

    def _initialise(self) -> None:
        """Initialise the word vectors from MiniLM's, rotated onto their principal components."""
        vectors = self.dataset.word_vectors
        if not vectors.any():
            return
        body = vectors[len(SPECIALS) :] - vectors[len(SPECIALS) :].mean(0)
        _, _, directions = np.linalg.svd(body, full_matrices=False)
        turned = body @ directions[: self.settings.width].T
        turned *= 0.1 / turned.std()
        with torch.no_grad():
            self.net.words.weight[len(SPECIALS) :, : turned.shape[1]] = torch.from_numpy(turned.astype(np.float32))

    def _begin_with(self, earlier: Path) -> None:
        """Take the weights of a poet of the same words and sizes."""
        net, vocabulary = load_net(earlier)
        sizes = (self.settings.width, self.settings.hidden)
        if vocabulary != self.dataset.vocabulary or (net.config.width, net.config.hidden) != sizes:
            raise InputError(f"the poet in {earlier} has other words or sizes than the one that is trained")
        self.net.load_state_dict(net.state_dict())

    def modules(self) -> dict[str, torch.nn.Module]:
        """The net, its average, and the reference of the preferences where there are any."""
        nets: dict[str, torch.nn.Module] = {"net": self.net, "average": self.average}
        return nets | ({} if self.preference is None else {"reference": self.preference.reference})

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The one optimiser."""
        return {"net": self.optimizer}

    def step(self, number: int, total: int) -> dict[str, float]:
        """Make one update."""
        rng = np.random.default_rng([self.settings.seed, number])
        self._workers.seed(int(rng.integers(2**31)))
        plain = number >= self.settings.plain_from * total
        rows, drop_both = self._draw(number, total)
        tokens, places, kinds, themes = self._inputs(rows, rng, drop_both)
        seen, own = tokens.numel(), self._workers.share(len(rows))
        tokens, places, kinds, themes = tokens[:, own.rows], places[:, own.rows], kinds[own.rows], themes[own.rows]
        self.net.train()
        with native_lstm():
            signal = self.net(tokens[:-1], places[:-1], kinds, themes)
            full = number >= self.settings.full_from * total
            loss = self._loss(signal.flatten(0, 1), tokens[1:].flatten(), rng, full=full)
            if self.preference is not None and number >= self.settings.preferred_from * total:
                if number - 1 < self.settings.preferred_from * total:
                    self.preference.begin_with(self.average)
                preferred = self.preference(self.net, rng, self._workers)
                loss = loss + preferred * (self.settings.preference / max(own.weight, 1e-9))  # update() weighs the sum
            rate = self._rate(number, total)
            self._workers.update(self.optimizer, loss, rate=rate, weight=own.weight, most=1.0)
        decay = self.settings.plain_average if plain else self.settings.average
        loop.update_average(self.average, self.net, decay=decay, step=number)
        return {"loss": float(loss.detach()), "places": float(seen)}

    def read(self) -> dict[str, int]:
        """How many haiku by a language model, and how many corrections, it reads."""
        corrections = 0 if self.preference is None else len(self.preference.preferences)
        return {"machine": len(self._machine), "corrections": corrections}

    def evaluate(self) -> dict[str, float]:
        """Perplexity of the validation haiku, without and with kind and theme."""
        rows = self.dataset.rows("validation")
        found = {
            "perplexity": perplexity(self.average, self.dataset, self.places, rows),
            "perplexity_told": perplexity(self.average, self.dataset, self.places, rows, conditional=True),
        }
        if self.preference is not None:
            found["corrected"] = self.preference.preferences.accuracy(self.average)
        return found

    def _rate(self, number: int, total: int) -> float:
        settings, share = self.settings, number / total
        if share >= settings.plain_from:
            return settings.rate * settings.plain_rate * (1 - share) / (1 - settings.plain_from)
        rise = min(1.0, (number + 1) / settings.warm_up)
        fall = 0.5 * (1 + float(np.cos(np.pi * share / settings.plain_from)))
        return settings.rate * rise * (settings.plain_rate + (1 - settings.plain_rate) * fall)

    def _draw(self, number: int, total: int) -> tuple[NDArray[np.int64], float]:
        """The poems of update `number`, all of one length, and the share of them read with neither kind nor theme."""
        settings, share = self.settings, number / total
        is_plain = share >= settings.plain_from
        if number % 2 and len(self._stanzas) and number < settings.verse_until * total:
            return self._batch("stanzas", self._stanzas, number // 2), settings.drop_both
        if number % 2 and len(self._machine) and share >= settings.machine_from:
            return self._batch("machine", self._machine, number // 2), _MACHINE_DROP_BOTH
        if number % 2 and len(self._form) and settings.form_from <= share and not is_plain:
            return self._batch("form", self._form, number // 2), 0.0
        return self._batch("haiku", self._haiku, number), _FINAL_DROP_BOTH if is_plain else settings.drop_both

    def _batch(self, name: str, rows: NDArray[np.int64], index: int) -> NDArray[np.int64]:
        sweep, at = divmod(index, len(self._sweep(name, rows, 0)))
        batches = self._sweep(name, rows, sweep)
        return batches[at % len(batches)]

    def _sweep(self, name: str, rows: NDArray[np.int64], sweep: int) -> list[NDArray[np.int64]]:
        """Every poem of a set once, in shuffled batches of equal length."""
        key = (name, sweep)
        if key not in self._batches:
            rng = np.random.default_rng([self.settings.seed, sweep, len(name)])
            rows = rng.permutation(rows)
            lengths = np.array([len(self.dataset.tokens[row]) for row in rows])
            batches = []
            for length in np.unique(lengths):
                members = rows[lengths == length]
                batches += [
                    members[at : at + self.settings.batch] for at in range(0, len(members), self.settings.batch)
                ]
            self._batches = {kept: value for kept, value in self._batches.items() if kept[0] != name or kept[1] == 0}
            self._batches[key] = [batches[at] for at in rng.permutation(len(batches))]
        return self._batches[key]

    def _inputs(
        self, rows: NDArray[np.int64], rng: np.random.Generator, drop_both: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        settings = self.settings
        tokens = np.stack([self.dataset.tokens[row] for row in rows], 1)
        places = np.stack([self.places[row] for row in rows], 1)
        themes = self._themes(rows, tokens, rng)
        both = rng.random(len(rows)) < drop_both
        kindless = both | (rng.random(len(rows)) < (settings.drop_kind if drop_both else 0.0))
        kinds = np.where(kindless, NO_KIND, self.dataset.kinds[rows])
        themes[both | (rng.random(len(rows)) < settings.drop_theme)] = 0
        return torch.from_numpy(tokens), torch.from_numpy(places), torch.from_numpy(kinds), torch.from_numpy(themes)

    def _themes(
        self, rows: NDArray[np.int64], tokens: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """Themes that a reader might give: the whole poem's vector, or some of its rarer words; with a little noise."""
        themes = self.dataset.themes[rows].copy()
        for column in range(len(rows)):
            if not themes[column].any() or rng.random() < 0.4:
                of_words = word_theme(tokens[:, column], self.dataset.word_vectors, rng)
                themes[column] = of_words if of_words.any() else themes[column]
        blur = rng.normal(0, 1, themes.shape) * rng.uniform(0, self.settings.noise, (len(rows), 1))
        themes += np.where(themes.any(1, keepdims=True), blur, 0).astype(np.float32)
        return themes

    def _loss(self, signal: Tensor, targets: Tensor, rng: np.random.Generator, *, full: bool) -> Tensor:
        """Cross entropy; before the last steps over sampled candidates, weighted for the rest."""
        words, common = self.net.config.words, self.settings.common
        if full or common + self.settings.sampled >= words:
            return F.cross_entropy(self.net.score(signal), targets)
        surely = np.union1d(np.arange(common), targets.numpy())
        rest = np.setdiff1d(np.arange(common, words), surely, assume_unique=True)
        drawn = rng.choice(rest, min(self.settings.sampled, len(rest)), replace=False)
        candidates = torch.from_numpy(np.concatenate([surely, drawn]))
        scores = self.net.score(signal, candidates)
        weight = torch.zeros(len(candidates))
        weight[len(surely) :] = float(np.log(len(rest) / len(drawn)))
        names = torch.from_numpy(np.searchsorted(surely, targets.numpy()).astype(np.int64))
        return F.cross_entropy(scores + weight, names)


def _dataset(
    data: Path, folder: Path, settings: PoetSettings, limit: int | None, log: Callable[[str], None]
) -> PoetDataset:
    """The verse; for a trial ten times `limit` poems of each file, with all words."""
    how: dict[str, Any] = {"most": settings.most, "log": log}
    how["machine"] = machine_haiku(data) if settings.machine_from < 1 else None
    if limit is None:
        return build(data, folder, least=settings.least, themed=settings.themed, **how)
    return build(data, folder, least=1, themed=min(limit, settings.themed), limit=limit * 10, **how)


def train(
    *,
    data: Path,
    folder: Path,
    out: Path,
    minutes: float | None = None,
    steps: int | None = None,
    limit: int | None = None,
    log: Callable[[str], None] = print,
    settings: PoetSettings | None = None,
    scorer: PoemScorerSettings | None = None,
    corpus: Mapping[str, Any] | None = None,
    workers: Workers = ALONE,
    earlier: Path | None = None,
) -> dict[str, Any]:
    """Train, or continue training, and export the model; after the last update train its poem scorer too.

    Args:
        data: the folder with the files of verse.
        folder: checkpoints, log and encoded corpus.
        limit: use only ten times as many poems of each file, to try the code.
        corpus: which version of the corpus the haiku are, for the model's card: name, verses, sha256.
        earlier: the folder of a poet whose words and weights a training without a checkpoint begins with.

    Returns:
        The metrics written to metrics.json; {} in a worker that is not the first.

    Raises:
        NotFound: the data are missing.
        InputError: the earlier poet has other sizes.
        ModelMissing, ModelCorrupt: the earlier poet cannot be read.
    """
    settings = settings or PoetSettings()
    with workers.first():
        if earlier is not None:  # its words are kept
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "vocabulary.txt").write_text(load_net(earlier)[1].text(), encoding="ascii")
        dataset = _dataset(data, folder, settings, limit, log)
    marks = read_marks(data, dataset.vocabulary) if settings.preferred else None
    recipe = PoetRecipe(dataset, settings, workers, earlier, marks)
    began = time.monotonic()  # the budget is of training: preparing the data and writing the model are not counted
    total = steps or settings.steps
    outcome = loop.run(recipe, folder, steps=total, minutes=minutes, evaluate_every=1500, log=log, workers=workers)
    if not workers.is_first:
        return {}
    left = None if minutes is None else minutes - (time.monotonic() - began) / 60
    training = asdict(settings) | {"steps": outcome.step, "of": outcome.total, "seconds": round(outcome.seconds)}
    training |= recipe.read() | ({"corpus": dict(corpus)} if corpus else {})
    training |= {"earlier": read_json(earlier / "config.json")["training"]} if earlier is not None else {}
    metrics = {f"{name}_validation": round(value, 2) for name, value in outcome.metrics.items()}
    log(f"writing {out}")
    metrics = export(
        recipe.average, dataset, data=data, out=out, training=training, metrics=metrics, scenes=settings.themed > 0
    )
    if not outcome.finished or (left is not None and left <= 0):
        log("the poet can write; run the same command again to continue and, after the last update, train its scorer")
        return metrics
    marks = marks or read_marks(data, dataset.vocabulary)
    how: dict[str, Any] = {"settings": scorer, "minutes": left, "threads": torch.get_num_threads(), "log": log}
    return describe(out, poem_scorer.train(dataset=dataset, folder=folder / "critic", out=out, marks=marks, **how))


def main() -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description="Train the poet and export the model.")
    parser.add_argument("--data", type=Path, required=True, help="folder with haiku.jsonl.zst and pd_poetry.jsonl.zst")
    parser.add_argument("--minutes", type=float, help="wall-clock budget of this sitting")
    parser.add_argument("--steps", type=int, help="updates of the whole run")
    parser.add_argument("--folder", type=Path, default=loop.training_folder("poet"), help="checkpoints and log")
    parser.add_argument("--out", type=Path, default=Path("models/poet"), help="where the model is exported")
    parser.add_argument("--settings", type=Path, help="a TOML file such as config/train/poet.toml")
    parser.add_argument(
        "--from", dest="earlier", type=Path, help="a poet's folder whose words and weights it begins with"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of the processor")
    given = vars(parser.parse_args())
    torch.set_num_threads(given.pop("threads"))
    given["settings"] = loop.read_settings(PoetSettings, given["settings"])
    print(f"exported {given['out']}: {train(**given)}")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
