"""Show, Attend and Tell: an LSTM that writes a caption word by word and attends to the picture before each word.

Xu et al. 2015, https://arxiv.org/abs/1502.03044, soft attention: the annotation vectors are the cells of a
convolutional grid, their weights come from a small perceptron on (cell, state), the context is gated by the scalar beta
(section 4.2.1), the words come from the deep output layer (equation 7), and training adds the doubly stochastic
penalty. Beyond the paper: annotations are first projected to a smaller width, the output layer shares its matrix with
the word embedding (Press and Wolf 2017), and the cell is written out, so that what depends on the word alone, and the
attention's keys, are computed once for all time steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Encode", "EncodedPicture", "ShowAttendTell", "ShowAttendTellConfig", "Step", "TeacherForcing"]

_ROWS = 32  # finished captions leave the batch in groups of this size, because each cut copies the gradient


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowAttendTellConfig:
    """The network's sizes."""

    words: int  # size of the vocabulary, special tokens included
    features: int = 1280  # channels of the image encoder's grid
    annotation: int = 256  # width of a cell after projection
    embedding: int = 224  # width of a word
    hidden: int = 320  # width of the LSTM
    attention: int = 128  # width of the attention's perceptron
    dropout: float = 0.4  # of annotations, words and the output layer, in training only


class EncodedPicture(NamedTuple):
    """What is computed once per picture."""

    annotations: Tensor  # (n, cells, annotation)
    keys: Tensor  # (n, cells, attention)
    hidden: Tensor  # (n, hidden), the LSTM's first state
    memory: Tensor  # (n, hidden)


class TeacherForcing(NamedTuple):
    """The outputs of teacher forcing for a batch of captions sorted by falling length."""

    logits: Tensor  # (tokens, words), time-major
    targets: Tensor  # (tokens,)
    penalty: Tensor  # (), mean over captions and cells of (1 - sum of attention over time)^2


class ShowAttendTell(nn.Module):
    """The captioning net."""

    def __init__(self, config: ShowAttendTellConfig) -> None:
        super().__init__()
        self.config = config
        gates = 4 * config.hidden
        self.project = nn.Linear(config.features, config.annotation)
        self.key = nn.Linear(config.annotation, config.attention, bias=False)
        self.score = nn.Linear(config.attention, 1, bias=False)
        self.first = nn.Linear(config.annotation, 2 * config.hidden)
        self.embed = nn.Embedding(config.words, config.embedding, padding_idx=0)
        self.word_gates = nn.Linear(config.embedding, gates)
        self.state_gates = nn.Linear(config.hidden, gates + config.attention + 1)  # gates, query, beta
        self.context_gates = nn.Linear(config.annotation, gates, bias=False)
        self.state_out = nn.Linear(config.hidden, config.embedding)
        self.context_out = nn.Linear(config.annotation, config.embedding, bias=False)
        self.bias = nn.Parameter(torch.zeros(config.words))
        self.drop = nn.Dropout(config.dropout)
        nn.init.normal_(self.embed.weight, std=config.embedding**-0.5)
        with torch.no_grad():
            self.embed.weight[0].zero_()
            self.word_gates.bias[config.hidden : 2 * config.hidden].fill_(1.0)  # forget gates start open

    def encode(self, grid: Tensor) -> EncodedPicture:
        """Encode pictures: `grid` (n, cells, features), the image encoder's values in [0, 6]."""
        annotations = self.drop(functional.relu(self.project(grid)))  # (n, cells, annotation)
        hidden, memory = torch.tanh(self.first(annotations.mean(1))).chunk(2, dim=1)
        return EncodedPicture(annotations, self.key(annotations), hidden, memory)

    def advance(
        self, picture: EncodedPicture, word_gates: Tensor, mix: Callable[[Tensor], Tensor] | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One time step from `picture.hidden` and `picture.memory`: hidden, memory, context, weights.

        `mix` turns weights (n, cells) into contexts (n, annotation); by default over `picture.annotations`.
        """
        width = self.config.hidden
        state_gates, query, beta = self.state_gates(picture.hidden).split((4 * width, self.config.attention, 1), dim=1)
        scores = self.score(torch.tanh(picture.keys + query[:, None])).squeeze(2)  # (n, cells)
        weights = torch.softmax(scores, dim=1)
        mixed = torch.bmm(weights[:, None], picture.annotations).squeeze(1) if mix is None else mix(weights)
        context = torch.sigmoid(beta) * mixed  # (n, annotation)
        enter, keep, show, value = (word_gates + state_gates + self.context_gates(context)).chunk(4, dim=1)
        memory = torch.sigmoid(keep) * picture.memory + torch.sigmoid(enter) * torch.tanh(value)
        return torch.sigmoid(show) * torch.tanh(memory), memory, context, weights

    def word_logits(self, words: Tensor, hidden: Tensor, context: Tensor) -> Tensor:
        """Logits of the next word, (n, words), from the embedded last word, the state and the context."""
        deep = words + self.state_out(self.drop(hidden)) + self.context_out(context)
        return functional.linear(self.drop(torch.tanh(deep)), self.embed.weight, self.bias)

    def forward(self, grid: Tensor, owners: Tensor, tokens: Tensor, lengths: Sequence[int]) -> TeacherForcing:
        """Teacher forcing.

        Args:
            grid: (pictures, cells, features).
            owners: (captions,), the picture of each caption.
            tokens: (captions, longest + 1), start, words, end, padding; captions sorted by falling length.
            lengths: how many words each caption is to predict, its end included.
        """
        encoded = self.encode(grid)
        keys, hidden, memory = (part[owners] for part in encoded[1:])
        slots, most = _slots(owners)
        alive = [sum(length > time for length in lengths) for time in range(lengths[0])]
        inputs = torch.cat([tokens[:active, time] for time, active in enumerate(alive)])
        embedded = self.drop(self.embed(inputs))  # (tokens, embedding)
        words = embedded.split(alive)
        word_gates = self.word_gates(embedded).split(alive)

        def mix(weights: Tensor) -> Tensor:
            places = slots[: len(weights)]
            spread = weights.new_zeros(len(grid) * most, weights.shape[1]).index_copy(0, places, weights)
            mixed = torch.bmm(spread.view(len(grid), most, -1), encoded.annotations)  # (pictures, most, annotation)
            return mixed.flatten(0, 1)[places]

        outputs: list[tuple[Tensor, Tensor, Tensor]] = []
        attended: list[Tensor] = []
        for time, active in enumerate(alive):
            kept = min(len(hidden), -(-active // _ROWS) * _ROWS)
            keys = keys[:kept] if kept < len(keys) else keys
            now = EncodedPicture(encoded.annotations, keys, hidden[:kept], memory[:kept])
            hidden, memory, context, weights = self.advance(
                now, functional.pad(word_gates[time], (0, 0, 0, kept - active)), mix
            )
            outputs.append((words[time], hidden[:active], context[:active]))
            attended.append(functional.pad(weights[:active], (0, 0, 0, len(lengths) - active)))
        logits = self.word_logits(*(torch.cat(parts) for parts in zip(*outputs, strict=True)))
        targets = torch.cat([tokens[:active, time + 1] for time, active in enumerate(alive)])
        penalty = (1.0 - torch.stack(attended).sum(0)).square().mean()
        return TeacherForcing(logits, targets, penalty)


def _slots(owners: Tensor) -> tuple[Tensor, int]:
    """A place for each caption in a table of pictures times captions, and the most captions of one picture.

    In that table, attention reads a picture's cells once for all of its captions.
    """
    counts: dict[int, int] = {}
    ranks: list[int] = []
    for owner in owners.tolist():
        ranks.append(counts.get(owner, 0))
        counts[owner] = ranks[-1] + 1
    most = max(counts.values())
    return owners * most + torch.tensor(ranks), most


class Encode(nn.Module):
    """The part that runs once per picture, for export: grid -> annotations, keys, hidden, memory."""

    def __init__(self, net: ShowAttendTell) -> None:
        super().__init__()
        self.net = net

    def forward(self, grid: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """`grid` (n, rows, columns, features)."""
        picture: EncodedPicture = self.net.encode(grid.flatten(1, 2))
        return picture.annotations, picture.keys, picture.hidden, picture.memory


class Step(nn.Module):
    """The part that runs once per word for every beam, for export."""

    def __init__(self, net: ShowAttendTell) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, word: Tensor, annotations: Tensor, keys: Tensor, hidden: Tensor, memory: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Log-probabilities (n, words), hidden, memory, weights (n, cells); annotations and keys may have n = 1."""
        embedded = self.net.embed(word)
        count = word.shape[0]
        picture = EncodedPicture(annotations.expand(count, -1, -1), keys.expand(count, -1, -1), hidden, memory)
        hidden, memory, context, weights = self.net.advance(picture, self.net.word_gates(embedded))
        scores = torch.log_softmax(self.net.word_logits(embedded, hidden, context), dim=1)
        return scores, hidden, memory, weights
