"""The poet's network, a word LSTM conditioned on theme, kind of poem and syllable position, and the poem scorer's.

Two LSTM layers between tied word vectors, regularised as in Merity, Keskar and Socher, Regularizing and Optimizing LSTM
Language Models, 2017 (arXiv:1708.02182): one dropout mask for a whole poem, whole words dropped, recurrent weights
dropped. Beside the word it reads the syllables of the line so far, the kind of poem, and a sentence vector as theme;
kind and theme may be absent (zero).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["INPUTS", "OUTPUTS", "PoemScorer", "PoemScorerConfig", "SteppedWordLstm", "WordLstm", "WordLstmConfig"]

INPUTS = ("token", "position", "kind", "theme", "hidden", "cell")
OUTPUTS = ("likelihoods", "hidden_next", "cell_next")


@dataclass(frozen=True, slots=True, kw_only=True)
class WordLstmConfig:
    """The network's shape and regularisation."""

    words: int = 7600  # vocabulary, specials included
    width: int = 256  # of a word vector
    hidden: int = 448  # of each LSTM layer
    layers: int = 2
    positions: int = 48  # positions in a poem, see corpus.language.verse_position
    kinds: int = 15  # kinds of poem, 0 for none
    theme: int = 384  # of a sentence vector
    drop_word: float = 0.05  # share of words whose vector is dropped
    drop_input: float = 0.2  # of the input's channels
    drop_hidden: float = 0.2  # of the channels between layers
    drop_output: float = 0.3  # of the channels before the softmax
    drop_weight: float = 0.2  # of the recurrent weights


class WordLstm(nn.Module):
    """Next-word scores for whole poems (training) or one step at a time (inference)."""

    def __init__(self, config: WordLstmConfig) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.words, config.width)
        self.position = nn.Embedding(config.positions, config.width)
        self.kind = nn.Embedding(config.kinds, config.width, padding_idx=0)
        self.theme = nn.Linear(config.theme, config.width, bias=False)
        self.theme_out = nn.Linear(config.width, config.width, bias=False)
        self.layers = nn.ModuleList(
            nn.LSTM(config.width if layer == 0 else config.hidden, config.hidden) for layer in range(config.layers)
        )  # one module a layer, so that each one's recurrent weights can be dropped by name
        self.output = nn.Linear(config.hidden, config.width)
        self.bias = nn.Parameter(torch.zeros(config.words))
        for table in (self.words, self.position, self.kind):
            nn.init.normal_(table.weight, std=0.1)
        nn.init.zeros_(self.kind.weight[0])
        nn.init.normal_(self.theme_out.weight, std=0.01)

    def forward(self, tokens: Tensor, positions: Tensor, kinds: Tensor, themes: Tensor) -> Tensor:
        """Features of each place in each poem, to be compared with word vectors.

        Args:
            tokens: (places, poems) word numbers, the first <start>.
            positions: (places, poems) the position after each token.
            kinds: (poems,) kinds of poem, 0 for none.
            themes: (poems, 384) unit sentence vectors, zero for none.

        Returns:
            (places, poems, width); `score` turns it into the words' scores.
        """
        config = self.config
        meaning = self._meaning(themes)  # (poems, width)
        vectors = F.embedding(tokens, self._dropped_words())
        signal = _locked(
            vectors + self.position(positions) + self.kind(kinds) + meaning, config.drop_input, self.training
        )
        for index, layer in enumerate(self.layers):
            recurrent = F.dropout(layer.get_parameter("weight_hh_l0"), config.drop_weight, self.training)
            signal, _ = torch.func.functional_call(layer, {"weight_hh_l0": recurrent}, (signal,))
            if index + 1 < config.layers:
                signal = _locked(signal, config.drop_hidden, self.training)
        signal = self.output(signal) + self.theme_out(meaning)
        return _locked(signal, config.drop_output, self.training)

    def score(self, signal: Tensor, candidates: Tensor | None = None) -> Tensor:
        """Scores (logits) of all words, or of `candidates` (k,), for signals (..., width)."""
        if candidates is None:
            return F.linear(signal, self.words.weight, self.bias)
        return F.linear(signal, self.words.weight[candidates], self.bias[candidates])

    def step(
        self, token: Tensor, position: Tensor, kind: Tensor, theme: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One step in evaluation mode, in plain matrix products, as it is exported.

        Args:
            token: (poems,) the word just written.
            position: (poems,) the position after it.
            kind: (poems,) kind of poem.
            theme: (poems, 384) sentence vector.
            hidden: (layers, poems, hidden) state.
            cell: (layers, poems, hidden) state.

        Returns:
            Log-probabilities of the next word (poems, words), and the new states.
        """
        meaning = self._meaning(theme)
        signal = self.words(token) + self.position(position) + self.kind(kind) + meaning
        hiddens, cells = [], []
        for index, layer in enumerate(self.layers):
            entry, recurrent = layer.get_parameter("weight_ih_l0"), layer.get_parameter("weight_hh_l0")
            bias = layer.get_parameter("bias_ih_l0") + layer.get_parameter("bias_hh_l0")
            gates = F.linear(signal, entry, bias) + F.linear(hidden[index], recurrent)  # (poems, 4 hidden)
            enter, forget, fresh, leave = gates.chunk(4, dim=1)
            memory = forget.sigmoid() * cell[index] + enter.sigmoid() * fresh.tanh()
            signal = leave.sigmoid() * memory.tanh()
            hiddens.append(signal)
            cells.append(memory)
        scores = self.score(self.output(signal) + self.theme_out(meaning))
        return scores.log_softmax(dim=1), torch.stack(hiddens), torch.stack(cells)

    def _meaning(self, themes: Tensor) -> Tensor:
        """(poems, width) the projected theme; the unit vector is scaled to unit variance first."""
        meaning: Tensor = self.theme(themes * self.config.theme**0.5)
        return meaning

    def _dropped_words(self) -> Tensor:
        share = self.config.drop_word
        if not self.training or share == 0:
            return self.words.weight
        keep = torch.rand(self.config.words, 1) >= share
        return self.words.weight * keep / (1 - share)


class SteppedWordLstm(nn.Module):
    """The network with `step` as its forward pass, for export."""

    def __init__(self, net: WordLstm) -> None:
        super().__init__()
        self.net = net

    def forward(
        self, token: Tensor, position: Tensor, kind: Tensor, theme: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """See `WordLstm.step`."""
        return self.net.step(token, position, kind, theme, hidden, cell)


def _locked(signal: Tensor, share: float, training: bool) -> Tensor:
    """Dropout whose mask is the same for every place of a poem; signal is (places, poems, channels)."""
    if not training or share == 0:
        return signal
    mask = torch.empty(1, *signal.shape[1:]).bernoulli_(1 - share).div_(1 - share)
    return signal * mask


_JUDGED = 192  # features between the pooled outputs and the logit


@dataclass(frozen=True, slots=True, kw_only=True)
class PoemScorerConfig:
    """The network's shape and regularisation."""

    words: int = 7600  # vocabulary of the poet, specials included
    width: int = 224  # of a word vector
    hidden: int = 384  # of each LSTM layer
    layers: int = 2
    drop_word: float = 0.06  # share of words dropped
    drop_input: float = 0.2  # share of each layer's input channels dropped
    drop_output: float = 0.4  # dropout of the pooled outputs


class PoemScorer(nn.Module):
    """A logit for each poem: above 0 for what the poet read or should have written, below 0 for what it wrote."""

    def __init__(self, config: PoemScorerConfig) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.words, config.width)
        self.layers = nn.ModuleList(
            nn.LSTM(config.hidden if layer else config.width, config.hidden, batch_first=True)
            for layer in range(config.layers)
        )
        self.weigh = nn.Sequential(
            nn.Dropout(config.drop_output),
            nn.Linear(2 * config.layers * config.hidden, _JUDGED),
            nn.GELU(),
            nn.Dropout(config.drop_output),
            nn.Linear(_JUDGED, 1),
        )
        self.blur = nn.Dropout1d(config.drop_input)
        nn.init.normal_(self.words.weight, std=0.3)

    def forward(self, tokens: Tensor) -> Tensor:
        """Score poems.

        Args:
            tokens: (poems, PLACES) word numbers from <start> on, 0 after the end.

        Returns:
            (poems,) logits.
        """
        there = (tokens > 0).to(self.words.weight.dtype).unsqueeze(2)  # (poems, places, 1)
        signal = self.words(tokens) * there
        if self.training:
            signal = signal * (torch.rand(tokens.shape) >= self.config.drop_word).unsqueeze(2)
        pooled = []
        for layer in self.layers:
            if self.training:
                signal = self.blur(signal.transpose(1, 2)).transpose(1, 2)
            signal, _ = layer(signal)  # (poems, places, hidden)
            pooled += [
                (signal * there).sum(1) / there.sum(1).clamp(min=1),
                (signal * there - 2 * (1 - there)).amax(1),  # an LSTM's output lies between -1 and 1
            ]
        logits: Tensor = self.weigh(torch.cat(pooled, 1)).squeeze(1)
        return logits

    @torch.no_grad()
    def begin_with(self, poet: Mapping[str, Tensor]) -> None:
        """Begin with the poet's word vectors, rotated onto their principal components, and with its LSTM layers.

        Args:
            poet: the weights of nets.word_lstm.WordLstm; layers are left out where their sizes are others.
        """
        vectors = poet["words.weight"]
        mean = vectors.mean(0)
        _, _, directions = torch.linalg.svd(vectors - mean, full_matrices=False)
        basis = directions[: self.config.width]  # (width, the poet's)
        turned = (vectors - mean) @ basis.T
        recurrent = poet.get("layers.0.weight_hh_l0")
        if (
            recurrent is None
            or recurrent.shape[1] != self.config.hidden
            or turned.shape[1] != self.config.width  # the poet's vectors are narrower
        ):
            self.words.weight[:, : turned.shape[1]] = turned * (0.3 / turned.std().clamp(min=1e-6))
            return
        self.words.weight.copy_(turned)
        for number, layer in enumerate(self.layers):
            if f"layers.{number}.weight_hh_l0" not in poet:
                break
            given = {name: poet[f"layers.{number}.{name}"] for name, _ in layer.named_parameters()}
            if number == 0:
                entry = given["weight_ih_l0"]
                given |= {"weight_ih_l0": entry @ basis.T, "bias_ih_l0": given["bias_ih_l0"] + entry @ mean}
            layer.load_state_dict(given)
