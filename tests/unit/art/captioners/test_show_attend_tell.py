"""The captioner with the models that ship, and its beam search against exhaustive search in a made-up language."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from auria_bot.art import runtime
from auria_bot.art.captioners.show_attend_tell import CaptionModel, ShowAttendTell, search
from auria_bot.art.captioners.vocabulary import END, SCENE_WORDS, START, non_nature_words, tokenise
from auria_bot.corpus.language.words import models_folder
from auria_bot.domain.interfaces import Captioner
from auria_bot.errors import ModelCorrupt, ModelMissing, PictureError

if TYPE_CHECKING:
    from pathlib import Path


_WORDS = 8  # of the made-up language: 4 special, 4 real


@pytest.fixture(scope="module")
def captioner() -> ShowAttendTell:
    """With its defaults."""
    return ShowAttendTell(ShowAttendTell.Config(), models_folder())


def _landscape(seed: int) -> Image.Image:
    """A sky, a land and some noise."""
    rng = np.random.default_rng(seed)
    values = np.zeros((90, 120, 3))
    values[:45], values[45:] = rng.integers(90, 255, 3), rng.integers(0, 160, 3)
    return Image.fromarray(np.clip(values + rng.normal(0, 20, values.shape), 0, 255).astype(np.uint8))


def test_a_picture_gets_one_sentence_of_nature_and_colours(captioner: ShowAttendTell, tmp_path: Path) -> None:
    """The sentence begins with a capital, ends with a full stop, mentions nature only and is the same every time."""
    assert isinstance(captioner, Captioner)
    for seed in range(3):
        path = tmp_path / f"{seed}.png"
        _landscape(seed).save(path)
        said = captioner.describe(path)
        assert said == captioner.describe(path)
        assert said[0].isupper()
        assert said.endswith(".")
        shown = said.rpartition(", in ")[0]
        assert set(tokenise(shown)) <= SCENE_WORDS
        assert not non_nature_words(said)


def test_an_unsure_caption_claims_nothing() -> None:
    """Where the network is not confident, only nature and the measured colours are mentioned."""
    unsure = ShowAttendTell(ShowAttendTell.Config(least_sure=0.0), models_folder())
    assert unsure.describe_image(Image.new("RGB", (64, 64), "white")) == "A scene from nature, in white."


def test_the_mask_keeps_people_out() -> None:
    """On noise the network describes a man in a shirt; with the mask it describes nature."""
    caption_model = CaptionModel(models_folder() / "captioner")
    grid = np.random.default_rng(0).gamma(0.3, 1.0, (1, 7, 7, 1280)).clip(0, 6).astype(np.float32)
    said = {}
    for scenes in (False, True):
        forbidden = caption_model.mask(SCENE_WORDS) if scenes else None
        best = caption_model.attend(grid, forbidden=forbidden)[0][0]
        said[scenes] = " ".join(caption_model.vocabulary.decode(best.numbers))
    assert non_nature_words(said[False])
    assert not non_nature_words(said[True])
    assert set(tokenise(said[True])) <= SCENE_WORDS


def test_a_broken_picture_is_a_picture_error(captioner: ShowAttendTell, tmp_path: Path) -> None:
    """Half a PNG raises PictureError with its name."""
    path = tmp_path / "half.png"
    _landscape(0).save(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(PictureError, match=r"half\.png"):
        captioner.describe(path)


def test_models_are_named_by_hash(captioner: ShowAttendTell) -> None:
    """Provenance names the image encoder and the captioner."""
    assert {name: len(digest) for name, digest in captioner.models().items()} == {"captioner": 64, "lite0": 64}


def test_missing_and_broken_models_differ(tmp_path: Path) -> None:
    """No file is ModelMissing; a config without words is ModelCorrupt."""
    with pytest.raises(ModelMissing):
        CaptionModel(tmp_path)
    shutil.copytree(models_folder() / "captioner", tmp_path / "c")
    (tmp_path / "c" / "config.json").write_text(json.dumps({"longest": 20}))
    with pytest.raises(ModelCorrupt, match="vocabulary"):
        CaptionModel(tmp_path / "c")


def test_both_runtimes_say_the_same() -> None:
    """Greedy and with five beams, OpenVINO and ONNX Runtime choose the same words."""
    pytest.importorskip("openvino")
    grid = np.random.default_rng(1).gamma(0.3, 1.0, (1, 7, 7, 1280)).clip(0, 6).astype(np.float32)
    caption_models = [CaptionModel(models_folder() / "captioner", runtime_name=name) for name in runtime.RUNTIMES]
    for beams in (1, 5):
        first, second = (caption_model.attend(grid, beams=beams)[0][0] for caption_model in caption_models)
        assert first.numbers == second.numbers
        assert first.log_probability == pytest.approx(second.log_probability, abs=1e-3)


def test_serving_needs_no_torch() -> None:
    """The modules that serve import torch nowhere."""
    import subprocess

    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path; from PIL import Image\n"
        "from auria_bot.art.captioners.show_attend_tell import ShowAttendTell as S\n"
        "from auria_bot.corpus.language.words import models_folder\n"
        "print(S(S.Config(), models_folder()).describe_image(Image.new('RGB', (64, 64), 'navy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "blue" in done.stdout


class Markov:
    """A network whose next word depends on the last one only."""

    def __init__(self, seed: int) -> None:
        logits = np.random.default_rng(seed).normal(size=(_WORDS, _WORDS)) * 2
        self.table = logits - np.log(np.exp(logits).sum(1, keepdims=True))

    def __call__(self, words: np.ndarray, parents: np.ndarray) -> np.ndarray:
        assert len(words) == len(parents)
        return self.table[words].astype(np.float32)

    def of(self, caption: tuple[int, ...]) -> float:
        """Its log-probability, end included."""
        steps = itertools.pairwise((START, *caption, END))
        return float(sum(np.float32(self.table[a, b]) for a, b in steps))


def _every(longest: int) -> list[tuple[int, ...]]:
    real = range(4, _WORDS)
    return [
        caption
        for length in range(1, longest)
        for caption in itertools.product(real, repeat=length)
        if all(a != b for a, b in itertools.pairwise(caption))
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("power", [0.0, 0.7])
def test_a_wide_beam_finds_the_best_caption(seed: int, power: float) -> None:
    """With as many beams as captions, the search is exhaustive."""
    net = Markov(seed)
    best = max(_every(5), key=lambda caption: net.of(caption) / (len(caption) + 1) ** power)
    found = search(net, beams=400, longest=5, length_power=power)[0]
    assert found.numbers == best
    assert found.log_probability == pytest.approx(net.of(best), abs=1e-4)


def test_one_beam_is_greedy() -> None:
    """A single beam takes the likeliest word each time."""
    net = Markov(3)
    word, caption = START, []
    for _ in range(4):
        scores = net.table[word].copy()
        scores[[0, 1, 3]] = -np.inf
        scores[END if not caption else word] = -np.inf
        word = int(scores.argmax())
        if word == END:
            break
        caption.append(word)
    assert search(net, beams=1, longest=4)[0].numbers[: len(caption)] == tuple(caption)


def test_of_equally_likely_words_the_first_are_chosen() -> None:
    """Where scores are equal, captions continue with the words that stand first in the vocabulary."""

    def equal(words: np.ndarray, parents: np.ndarray) -> np.ndarray:
        return np.where(np.arange(500) == END, -np.inf, -1.0)[None].repeat(len(words), 0).astype(np.float32)

    assert [found.numbers for found in search(equal, beams=3, longest=2)] == [(4, 5), (4, 6), (4, 7)]


def test_forbidden_words_are_never_said() -> None:
    """No caption contains a forbidden word."""
    forbidden = np.zeros(_WORDS, bool)
    forbidden[[5, 6]] = True
    for found in search(Markov(1), beams=20, longest=6, forbidden=forbidden):
        assert not {5, 6} & set(found.numbers)


def test_words_marked_once_are_not_repeated() -> None:
    """A word marked `once` stands once in a caption; no word stands twice in a row."""
    for found in search(Markov(2), beams=30, longest=8, once=np.ones(_WORDS, bool)):
        assert len(set(found.numbers)) == len(found.numbers)
    for found in search(Markov(2), beams=30, longest=8):
        assert all(a != b for a, b in itertools.pairwise(found.numbers))


def test_a_caption_is_never_empty_and_always_found() -> None:
    """A network that wants to end at once, or never, still gives words."""

    def ends(words: np.ndarray, parents: np.ndarray) -> np.ndarray:
        return np.where(np.arange(_WORDS) == END, 0.0, -9.0)[None].repeat(len(words), 0).astype(np.float32)

    def never(words: np.ndarray, parents: np.ndarray) -> np.ndarray:
        return np.where(np.arange(_WORDS) == END, -np.inf, -1.0)[None].repeat(len(words), 0).astype(np.float32)

    assert search(ends, beams=3, longest=4)[0].numbers
    assert len(search(never, beams=3, longest=4)[0].numbers) == 4


def test_parents_follow_the_beams() -> None:
    """The words given to the network always continue the beams that `parents` names."""
    histories: list[list[tuple[int, ...]]] = [[()]]
    table = Markov(4).table

    def net(words: np.ndarray, parents: np.ndarray) -> np.ndarray:
        histories.append([(*histories[-1][parent], int(word)) for parent, word in zip(parents, words, strict=True)])
        return table[words].astype(np.float32)

    found = search(net, beams=3, longest=6)
    told = {history[1:] for step in histories for history in step}
    assert all(caption.numbers in told for caption in found)
