"""The serving captioner, with the models that ship."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from auria_bot.art import runtime
from auria_bot.art.captioners.show_attend_tell import CaptionModel, ShowAttendTell
from auria_bot.art.captioners.vocabulary import tokenise
from auria_bot.art.captioners.vocabulary_mask import SCENE_WORDS, tells_of_others
from auria_bot.corpus.language.shipped_tables import models_folder
from auria_bot.domain.interfaces import Captioner
from auria_bot.errors import ModelCorrupt, ModelMissing, PictureError

if TYPE_CHECKING:
    from pathlib import Path


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
    """It begins with a capital, ends with a full stop, tells of nature alone and is the same every time."""
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
        assert not tells_of_others(said)


def test_an_unsure_caption_claims_nothing() -> None:
    """Where the net is not sure enough, only nature and the measured colours are told."""
    unsure = ShowAttendTell(ShowAttendTell.Config(least_sure=0.0), models_folder())
    assert unsure.describe_image(Image.new("RGB", (64, 64), "white")) == "A scene from nature, in white."


def test_scene_words_are_what_keeps_people_away() -> None:
    """What the net sees in noise is a man in a shirt; with the mask it can only be nature."""
    teller = CaptionModel(models_folder() / "captioner")
    grid = np.random.default_rng(0).gamma(0.3, 1.0, (1, 7, 7, 1280)).clip(0, 6).astype(np.float32)
    said = {}
    for scenes in (False, True):
        forbidden = teller.mask(SCENE_WORDS, outside=True) if scenes else None
        best = teller.tell(grid, forbidden=forbidden)[0]
        said[scenes] = " ".join(teller.vocabulary.decode(best.numbers))
    assert tells_of_others(said[False])
    assert not tells_of_others(said[True])
    assert set(tokenise(said[True])) <= SCENE_WORDS


def test_a_broken_picture_is_a_picture_error(captioner: ShowAttendTell, tmp_path: Path) -> None:
    """Half a PNG is refused by name."""
    path = tmp_path / "half.png"
    _landscape(0).save(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(PictureError, match=r"half\.png"):
        captioner.describe(path)


def test_models_are_named_by_hash(captioner: ShowAttendTell) -> None:
    """Provenance names the eye and the teller."""
    assert {name: len(digest) for name, digest in captioner.models().items()} == {"captioner": 64, "lite0": 64}


def test_missing_and_garbled_models_are_told_apart(tmp_path: Path) -> None:
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
    tellers = [CaptionModel(models_folder() / "captioner", runtime_name=name) for name in runtime.RUNTIMES]
    for beams in (1, 5):
        first, second = (teller.tell(grid, beams=beams)[0] for teller in tellers)
        assert first.numbers == second.numbers
        assert first.log_probability == pytest.approx(second.log_probability, abs=1e-3)


def test_serving_needs_no_torch() -> None:
    """The modules that serve import torch nowhere."""
    import subprocess

    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path; from PIL import Image\n"
        "from auria_bot.art.captioners.show_attend_tell import ShowAttendTell as S\n"
        "from auria_bot.corpus.language.shipped_tables import models_folder\n"
        "print(S(S.Config(), models_folder()).describe_image(Image.new('RGB', (64, 64), 'navy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "blue" in done.stdout
