"""Writes 5-7-5 verse with a causal language model: exact by construction, many poems at once, with cached keys.

The model is run once on the prompt and then a token at a time on every poem that is not finished. Scores are those of
the tokens that the lexicon's words are made of; the others are never computed. What breaks the form is masked
(word_trie), what repeats is made unlikely.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from auria_bot.art.poets.decoding import DecodedPoem, draw
from auria_bot.art.poets.word_trie import FIRST, INNER, LAST, ROOT
from auria_bot.corpus.language.syllables import FORM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from auria_bot.art.poets.word_trie import WordTrie

__all__ = ["SubwordDecoder", "SubwordSampling"]

_AVOID = np.float32(1e6)  # smaller than a mask, because the form comes first
_SHORTLIST = 80  # columns looked at for each token


@dataclass(frozen=True, slots=True, kw_only=True)
class SubwordSampling:
    """Temperature, truncation and penalties of sampling."""

    temperature: float = 0.8
    opening: float = 1.1  # temperature of a poem's first word
    top_k: int = 60  # most tokens sampled from
    top_p: float = 0.92  # probability mass sampled from
    repetition: float = 4.0  # taken from a word that begins like a content word the poem has, in nats
    least: float = 0.02  # probability mass that the form must leave; a poem that is left with less is given up


class _Poem:
    """One poem that is being written."""

    def __init__(self) -> None:
        self.node, self.line, self.rest = ROOT, 0, FORM[0]
        self.lines: list[list[int]] = [[]]
        self.scores: list[float] = []  # of each word
        self.breaks: list[float] = []  # of each line's end
        self.opening = 0.0
        self.used: list[int] = []  # columns that would begin a word again
        self.last = -1  # the column that began the last word
        self.score = 0.0  # of the word in hand
        self.given_up = False

    @property
    def done(self) -> bool:
        return self.line == len(FORM)

    @property
    def place(self) -> int:
        if self.line == len(FORM) - 1:
            return LAST
        return INNER if self.lines[0] else FIRST


class SubwordDecoder:
    """Samples poems from a causal language model.

    Args:
        net: a causal language model of transformers, in evaluation mode.
    """

    def __init__(self, net: Any, trie: WordTrie) -> None:
        import torch

        self._net, self._trie = net, trie
        head = net.get_output_embeddings()
        self._tokens = torch.from_numpy(trie.tokens).to(head.weight.device)
        self._head = head.weight.detach()[self._tokens]
        bias = getattr(head, "bias", None)
        self._bias = None if bias is None else bias.detach()[self._tokens]

    def sample(
        self, prompt: Sequence[int], *, count: int, rng: np.random.Generator, params: SubwordSampling
    ) -> list[DecodedPoem]:
        """Sample poems that follow a prompt; those are given up in which the form forbids what the model would write.

        Args:
            rng: source of randomness; a poem depends on its place in the batch and on nothing that the others write.

        Returns:
            The finished poems, at most `count`.
        """
        import torch

        poems = [_Poem() for _ in range(count)]
        chances = rng.random((count, 4 * sum(FORM)))
        going = np.arange(count)
        device = self._tokens.device
        name = _cache_name(self._net.base_model)
        with torch.inference_mode():
            given = torch.tensor([list(prompt)], device=device)
            output = self._net.base_model(input_ids=given, use_cache=True)
            cache, hidden = getattr(output, name), output.last_hidden_state[:, -1].expand(count, -1)
            cache.batch_repeat_interleave(count)
            for number in range(chances.shape[1]):
                scores = torch.nn.functional.linear(hidden, self._head, self._bias).float().log_softmax(-1)
                columns, mass = self._choose(scores, [poems[row] for row in going], chances[going, number], params)
                self._take(poems, going, columns, scores)
                for row in going[mass <= params.least].tolist():
                    poems[row].given_up = True
                kept = np.flatnonzero([not (poems[row].done or poems[row].given_up) for row in going.tolist()])
                going = going[kept]
                if not len(going):
                    break
                if len(kept) < len(columns):
                    cache.batch_select_indices(torch.from_numpy(kept).to(device))
                fed = self._tokens[torch.from_numpy(columns[kept]).to(device)][:, None]
                output = self._net.base_model(input_ids=fed, use_cache=True, **{name: cache})
                hidden = output.last_hidden_state[:, -1]
        return [self._finished(poem) for poem in poems if poem.done and not poem.given_up]

    def _choose(
        self, scores: Any, poems: list[_Poem], chances: NDArray[np.float64], params: SubwordSampling
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(poems,) the column of each poem's next token, and the probability mass of what it could be."""
        import torch

        trie = self._trie
        choices = [trie.choices(poem.node, poem.place, poem.rest) for poem in poems]
        mask = trie.masks[[base for base, _ in choices]]
        for row, (poem, (_, further)) in enumerate(zip(poems, choices, strict=True)):
            mask[row, poem.used] -= params.repetition
            if poem.last >= 0:
                mask[row, poem.last] -= _AVOID
            mask[row, trie.unsuited.get(trie.words[poem.node], [])] -= _AVOID
            mask[row, further] = 0
        masked = scores + torch.from_numpy(mask).to(scores.device)
        mass: NDArray[np.float32] = masked.logsumexp(-1).exp().cpu().numpy()
        values, columns = (part.cpu().numpy() for part in masked.topk(min(_SHORTLIST, masked.shape[1])))
        opening = np.array([poem.place == FIRST for poem in poems])
        heat = np.where(opening, params.opening, params.temperature)[:, None]
        tempered = np.where(values < -_AVOID * 10, values, values / heat).astype(np.float32)
        picked = draw(tempered, chances, params.top_k, params.top_p, columns)
        chosen: NDArray[np.int64] = columns[np.arange(len(poems)), picked]
        return chosen, mass

    def _take(self, poems: list[_Poem], going: NDArray[np.int64], columns: NDArray[np.int64], scores: Any) -> None:
        """Write a token to each poem that goes on."""
        import torch

        gained = scores.gather(1, torch.from_numpy(columns).to(scores.device)[:, None])[:, 0].tolist()
        for row, column, score in zip(going.tolist(), columns.tolist(), gained, strict=True):
            self._write(poems[row], column, score)

    def _write(self, poem: _Poem, column: int, score: float) -> None:
        trie = self._trie
        if trie.goes_on(poem.node, column, poem.place, poem.rest):
            poem.node = trie.children[poem.node][column]
            poem.score += score
            return
        if poem.node != ROOT:
            self._complete(poem)
        if column == trie.newline:
            poem.breaks.append(score)
            if not poem.line:
                poem.opening = sum(poem.scores)
            poem.line, poem.node, poem.last = poem.line + 1, ROOT, -1
            if not poem.done:
                poem.rest = FORM[poem.line]
                poem.lines.append([])
        else:
            poem.node, poem.score, poem.last = trie.children[ROOT][column], score, column

    def _complete(self, poem: _Poem) -> None:
        """Close the word in hand."""
        lexicon, word = self._trie.lexicon, self._trie.words[poem.node]
        poem.rest -= self._trie.syllables(word)
        poem.lines[-1].append(word)
        poem.scores.append(poem.score)
        if lexicon.content[word]:
            poem.used += {*self._trie.openings[lexicon.related[word]].tolist()} - {self._trie.newline}

    def _finished(self, poem: _Poem) -> DecodedPoem:
        names = self._trie.lexicon.vocabulary.words
        likely = float(np.mean(poem.scores))
        return DecodedPoem(
            lines=tuple(tuple(names[word] for word in line) for line in poem.lines),
            likelihood=likely,
            plain=likely,
            breaks=float(np.mean(poem.breaks)),
            lowest=min(poem.scores),
            opening=poem.opening,
        )


def _cache_name(model: Any) -> str:
    """The name of a model's cache of keys and values, which newer releases of transformers changed."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"
