"""A poet of the operator's own choice: any causal language model that transformers can load.

The model is prompted and writes freely; what it writes is cut to 5-7-5 where a run of its words allows it, and
passes the same checks and the same choice as the poems of the poet that ships. Needs auria-bot[torch].
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from auria_bot.art import minilm
from auria_bot.art.poets import ranking
from auria_bot.art.poets.checks import faults, lines_of, usable_theme
from auria_bot.art.poets.decoding import DecodedPoem
from auria_bot.corpus.language.syllables import FORM, counts
from auria_bot.corpus.language.words import spoken, words
from auria_bot.corpus.originality import CopyGuard
from auria_bot.domain.artwork import Haiku
from auria_bot.domain.interfaces import Verse
from auria_bot.errors import BackendMissing, InputError, ModelCorrupt, ModelMissing, SettingsError, StepFailed
from auria_bot.files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from auria_bot.domain.mood import Mood

__all__ = ["CausalLm", "CausalLmConfig", "recut"]

_ASK = "Write a haiku of three lines with 5, 7 and 5 syllables{theme}{mood}. Answer with the three lines only."
_OPEN = "A haiku{theme}{mood}:\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalLmConfig:
    """What the operator may set."""

    model: str = ""  # a folder, or a name on the hub
    allow_download: bool = False  # whether a name on the hub may be fetched over the network
    allow_pickle: bool = False  # whether weights that are no safetensors may be read: loading these can run code
    device: str = "auto"  # "auto", "cpu", "cuda", "mps"
    candidates: int = 24  # usable poems looked for, for one that is shown
    considered: int = 24  # of them, compared by meaning
    batch: int = 8  # texts written at once
    rounds: int = 24  # batches after which she makes do with what there is
    new_tokens: int = 48  # most tokens of one text
    temperature: float = 0.9
    top_p: float = 0.95
    prompt: str = ""  # your own; {theme} and {mood} are filled in; empty for a fitting one


class CausalLm:
    """Writes haiku with a language model from transformers.

    Args:
        config: the model and how it writes.
        models: the folder with the shipped models; the copy guard of models/poet is used where it is there.

    Raises:
        SettingsError: no model is named.
        BackendMissing: torch or transformers is not installed.
        ModelMissing: the model cannot be found.
        ModelCorrupt: the model cannot be read.
    """

    Config = CausalLmConfig

    def __init__(self, config: CausalLmConfig, *, models: Path) -> None:
        if not config.model:
            raise SettingsError(
                "the causal-lm poet needs a model: set its option `model` to a folder or a name on the hub"
            )
        try:
            import torch
            import transformers
        except ImportError:
            raise BackendMissing(
                "the causal-lm poet needs torch and transformers; run: pip install 'auria-bot[torch]'"
            ) from None
        self.config = config
        folder = Path(config.model)
        if not folder.is_dir() and (not config.allow_download or _looks_like_path(config.model)):
            raise ModelMissing(
                f"there is no model folder {config.model}; give a folder, or a name on the hub with allow_download ="
                " true"
            )
        options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": not config.allow_download}
        try:
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(config.model, **options)
            loader: Any = transformers.AutoModelForCausalLM
            weights = None if config.allow_pickle else True  # None takes what there is
            self._net: Any = loader.from_pretrained(config.model, use_safetensors=weights, **options)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            kind = ModelCorrupt if folder.is_dir() else ModelMissing
            raise kind(f"the model {config.model} cannot be loaded: {str(error).splitlines()[0][:200]}") from None
        self._device = _device(config.device, torch)
        self._net.to(self._device).eval()
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        guard = models / "poet" / "originality.bin"
        self._guard = CopyGuard.load(guard) if guard.is_file() else None

    def models(self) -> Mapping[str, str]:
        """Her model (a hash over its files, or over its name on the hub), and the sentence encoder."""
        folder = Path(self.config.model)
        hashed = hashlib.sha256(self.config.model.encode())
        if folder.is_dir():
            hashed = hashlib.sha256()
            for path in sorted(path for path in folder.rglob("*") if path.is_file()):
                hashed.update(f"{path.relative_to(folder)} {sha256_of(path)}\n".encode())
        return {"poet": hashed.hexdigest(), "minilm": sha256_of(minilm.network_path())}

    def compose(
        self,
        *,
        seed: int,
        count: int = 1,
        theme: str | None = None,
        mood: Mood | None = None,
        recent: Sequence[Haiku] = (),
    ) -> tuple[Verse, ...]:
        """Write `count` different haiku, the best first; far from `recent` ones.

        Raises:
            InputError: the theme, or the count, cannot be used.
            TextRejected: the theme holds what must not be published.
            StepFailed: the model wrote too few lines that are 5-7-5 and in good form.
        """
        if count < 1:
            raise InputError(f"cannot write {count} haiku; ask for at least one")
        theme = usable_theme(theme)
        pool = self._pool(seed, max(self.config.candidates, 2 * count), count, theme, mood)
        wish = ", ".join(part for part in (theme, mood.description if mood else None) if part)
        vector = self._encoder.encode([wish])[0] if wish else np.zeros(minilm.DIMENSIONS, np.float32)
        best = ranking.rank(
            pool,
            count=count,
            themes=np.repeat(vector[None], len(pool), 0),
            encode=self._encoder.encode,
            recent=[[words(line) for line in haiku.lines] for haiku in recent],
            considered=self.config.considered,
            weights=ranking.RankingWeights(),
        )
        if len(best) < count:
            raise StepFailed(
                f"the model {self.config.model} wrote only {len(best)} of {count} usable haiku; raise its option "
                "`rounds`, or choose a model that was taught verse"
            )
        return tuple(Verse(haiku=_haiku(pool[index].lines), score=score) for index, score in best)

    def _pool(self, seed: int, enough: int, least: int, theme: str | None, mood: Mood | None) -> list[DecodedPoem]:
        """Usable poems: `enough`, or what all the rounds gave."""
        prompt = self._prompt(theme, mood)
        found: dict[tuple[tuple[str, ...], ...], None] = {}
        for text in self._texts(prompt, seed):
            lines = recut(lines_of(text))
            if lines is not None and not faults(lines, self._guard):
                found[lines] = None
            if len(found) >= max(enough, least):
                break
        return [self._judged(lines) for lines in found]

    def _prompt(self, theme: str | None, mood: Mood | None) -> str:
        filled = {"theme": f" about {theme}" if theme else "", "mood": f" in a {mood.name} mood" if mood else ""}
        if self.config.prompt:
            return self.config.prompt.replace("{theme}", theme or "").replace("{mood}", mood.name if mood else "")
        if getattr(self._tokenizer, "chat_template", None):
            asked = [{"role": "user", "content": _ASK.format(**filled)}]
            return str(self._tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True))
        return _OPEN.format(**filled)

    def _texts(self, prompt: str, seed: int) -> Iterator[str]:
        import torch

        inputs = self._tokenizer(prompt, return_tensors="pt", return_token_type_ids=False).to(self._device)
        asked = inputs["input_ids"].shape[1]
        for number in range(self.config.rounds):
            with torch.random.fork_rng(), torch.no_grad():
                torch.manual_seed(int.from_bytes(hashlib.sha256(f"{seed} {number}".encode()).digest()[:6], "big"))
                written = self._net.generate(
                    **inputs,
                    do_sample=True,
                    temperature=self.config.temperature,
                    top_p=self.config.top_p,
                    top_k=0,
                    max_new_tokens=self.config.new_tokens,
                    num_return_sequences=self.config.batch,
                    pad_token_id=self._tokenizer.pad_token_id,
                )
            yield from self._tokenizer.batch_decode(written[:, asked:], skip_special_tokens=True)

    def _judged(self, lines: tuple[tuple[str, ...], ...]) -> DecodedPoem:
        """The poem with the model's own likelihood of it."""
        import torch

        text = "\n".join(spoken(line) for line in lines)
        numbers = self._tokenizer(text, return_tensors="pt", return_token_type_ids=False).to(self._device)["input_ids"]
        with torch.no_grad():
            scores = self._net(input_ids=numbers).logits[0, :-1].float().log_softmax(-1)
        each = scores.gather(1, numbers[0, 1:, None])[:, 0]
        likely = float(each.sum()) / max(1, sum(map(len, lines)))
        return DecodedPoem(lines=lines, likelihood=likely, plain=likely, breaks=0.0, lowest=0.0)

    @cached_property
    def _encoder(self) -> minilm.MiniLM:
        return minilm.MiniLM()


def recut(lines: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...] | None:
    """The first run of words that falls into 5, 7 and 5 syllables, as lines; None where there is none.

    Lines that are in form already are taken as they are; else the line breaks are moved, and words before and
    after the run are dropped.
    """
    flat = [word for line in lines for word in line if not word.isdigit()]
    reached = list(accumulate((counts(word)[0] for word in flat), initial=0))
    places = {total: place for place, total in enumerate(reached)}
    starts = [0, *(len([word for line in lines[:number] for word in line]) for number in range(1, len(lines)))]
    for start in [*starts, *range(len(flat))]:
        if start >= len(reached):
            continue
        goals = [reached[start] + total for total in accumulate(FORM)]
        if all(goal in places for goal in goals):
            cuts = [start, *(places[goal] for goal in goals)]
            return tuple(tuple(flat[begin:end]) for begin, end in pairwise(cuts))
    return None


def _looks_like_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or "\\" in name


def _device(wanted: str, torch: Any) -> str:
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _haiku(lines: tuple[tuple[str, ...], ...]) -> Haiku:
    first, second, third = (spoken(line) for line in lines)
    return Haiku(lines=(first, second, third), syllables=FORM)
