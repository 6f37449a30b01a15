"""How much sense poems make, judged by a language model fine-tuned on haiku that their poet's teacher did not read.

    python -m auria_bot.art.evaluation.poem_sense --judge FOLDER POEMS.jsonl [MORE.jsonl ...]

Three figures a poem: how likely its tokens are, how likely its least likely word is, and how much likelier its second
and third line are after the lines before them than alone. The first likes the bland, so it is a floor, not a rank.
"""

from __future__ import annotations

import argparse
import itertools
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional as F

from auria_bot.art.checkpoint import load_weights
from auria_bot.art.poets.causal_lm import adapted
from auria_bot.art.poets.verse_tokens import Header, VerseTokens
from auria_bot.corpus import verses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Sense", "SenseJudge", "floor_of", "shares_below"]

_BATCH = 32  # texts in one pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sense:
    """What the judge finds of one poem, in nats."""

    likelihood: float  # mean log-probability of its tokens under an empty header
    lowest: float  # log-probability of its least likely word
    coherence: float  # what a token of the later lines gains by the lines before them


class SenseJudge:
    """Reads poems.

    Args:
        net: a causal language model of transformers.
        written: (tokens,) what the softmax is restricted to; None for all tokens.
    """

    def __init__(self, net: Any, tokens: VerseTokens, written: torch.Tensor | None = None) -> None:
        self._net, self._tokens = net.eval(), tokens
        head = net.get_output_embeddings().weight.detach()
        self._written = torch.arange(len(head)) if written is None else written.long()
        self._head = head[self._written]
        self._place = torch.full((len(head),), -1)
        self._place[self._written] = torch.arange(len(self._written))

    @classmethod
    def load(cls, folder: Path) -> SenseJudge:
        """The judge of an adapters' folder.

        Raises:
            BackendMissing: the language model is not installed.
            ModelMissing, ModelCorrupt: the adapters cannot be used.
        """
        tokenizer, net = adapted(folder)
        written = load_weights(folder / "adapters.safetensors").get("written")
        return cls(net, VerseTokens(tokenizer), written)

    def judge(self, poems: Sequence[Sequence[Sequence[str]]]) -> list[Sense]:
        """The sense of each poem, given as lines of folded words."""
        whole = self._scores(poems)
        later = self._scores([[line] for poem in poems for line in poem[1:]])
        found, at = [], 0
        for poem, scores in zip(poems, whole, strict=True):
            alone = later[at : at + len(poem) - 1]
            at += len(poem) - 1
            within = scores[len(self._tokens.poem(poem[:1])) :]
            found.append(
                Sense(
                    likelihood=float(scores.mean()),
                    lowest=min(self._words(poem, scores)),
                    coherence=float(within.mean() - np.concatenate(alone).mean()) if alone else 0.0,
                )
            )
        return found

    def _words(self, poem: Sequence[Sequence[str]], scores: NDArray[np.float64]) -> list[float]:
        """The log-probability of each word."""
        found, at = [], 0
        for line in poem:
            for word in line:
                size = len(self._tokens.word(word))
                found.append(float(scores[at : at + size].sum()))
                at += size
            at += 1
        return found

    @torch.inference_mode()
    def _scores(self, texts: Sequence[Sequence[Sequence[str]]]) -> list[NDArray[np.float64]]:
        """The log-probability of every token of each text under an empty header; a token never asked for has -20."""
        head = self._tokens.header(Header())
        bodies = [self._tokens.poem(text) for text in texts]
        scores: list[NDArray[np.float64]] = [np.zeros(0)] * len(texts)
        order = sorted(range(len(texts)), key=lambda number: len(bodies[number]))
        for begin in range(0, len(order), _BATCH):
            rows = order[begin : begin + _BATCH]
            longest = max(len(bodies[row]) for row in rows)
            given = torch.tensor([[*head, *bodies[row], *[0] * (longest - len(bodies[row]))] for row in rows])
            hidden = self._net.base_model(input_ids=given[:, :-1], use_cache=False).last_hidden_state
            likely = F.linear(hidden[:, len(head) - 1 :], self._head).float().log_softmax(-1)
            wanted = self._place[given[:, len(head) :]]
            each = likely.gather(2, wanted.clamp(min=0)[..., None])[..., 0].masked_fill(wanted < 0, -20.0)
            for row, values in zip(rows, each, strict=True):
                scores[row] = values[: len(bodies[row])].double().numpy()
        return scores


def shares_below(judged: Sequence[Sense], floor: Sense) -> dict[str, float]:
    """The share of poems under the floor, by each figure and by any."""
    under = np.array([[value < asdict(floor)[name] for name, value in asdict(sense).items()] for sense in judged])
    names = list(asdict(floor))
    return {name: float(under[:, at].mean()) for at, name in enumerate(names)} | {"any": float(under.any(1).mean())}


def floor_of(human: Sequence[Sense], *, share: float = 0.05) -> Sense:
    """The floor under which that share of human haiku lies, by each figure."""
    columns = {name: [asdict(sense)[name] for sense in human] for name in asdict(human[0])}
    return Sense(**{name: float(np.quantile(values, share)) for name, values in columns.items()})


def main() -> None:
    """Judge files of verse from the command line; the floor is taken from the first."""
    parser = argparse.ArgumentParser(description="Judge how much sense poems make.")
    parser.add_argument("--judge", type=Path, required=True, help="folder of adapters that did not teach the poet")
    parser.add_argument("--most", type=int, default=500, help="poems of each file")
    parser.add_argument("--share", type=float, default=0.05, help="share of the first file under each floor")
    parser.add_argument("files", type=Path, nargs="+", metavar="POEMS", help=".jsonl, plain or compressed")
    given = parser.parse_args()
    judge, floor = SenseJudge.load(given.judge), None
    for path in given.files:
        judged = judge.judge([verse.tokens for verse in itertools.islice(verses.read(path), given.most)])
        floor = floor or floor_of(judged, share=given.share)
        means = {name: round(float(np.mean([asdict(sense)[name] for sense in judged])), 3) for name in asdict(floor)}
        row = {"file": str(path), "poems": len(judged), "means": means, "below": shares_below(judged, floor)}
        print(json.dumps(row))  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
