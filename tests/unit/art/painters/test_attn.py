"""The packaged painter, as it is served."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.checkpoint import write_checksums
from auria_bot.art.colour import to_lab
from auria_bot.art.painters.attn import AttnPainter, aesthetic_score, shown_scene
from auria_bot.art.painters.retouching import find_moon, grain
from auria_bot.domain.artwork import Haiku
from auria_bot.domain.interfaces import Painter
from auria_bot.domain.mood import MOODS
from auria_bot.errors import DiskError, InputError, ModelCorrupt, ModelMissing

MODELS = Path(__file__).resolve().parents[4] / "models"
MOON = Haiku(lines=("moon above the sea", "the fishing boats are sleeping", "on a silver road"), syllables=(5, 7, 5))


def size_of(path):
    """Width and height of a picture file."""
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return picture.size


@pytest.fixture(scope="module")
def painter():
    """The packaged model, with few candidates."""
    return AttnPainter(AttnPainter.Config(candidates=4), models=MODELS)


def test_role_and_files(painter, tmp_path):
    """It fills the Painter role: PNG files of 96 x 96, the best score first."""
    made = painter.paint(MOON, seed=7, count=3, folder=tmp_path / "new", mood=MOODS["serene"], theme="the sea at night")
    assert isinstance(painter, Painter)
    assert [size_of(each.path) for each in made] == [(96, 96)] * 3
    assert [each.score for each in made] == sorted((each.score for each in made), reverse=True)
    assert set(painter.models()) == {"painter", "minilm", "ranker"}
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "painting-0.png",
        "painting-1.png",
        "painting-2.png",
    ]


def test_deterministic(painter, tmp_path):
    """The same poem and seed give the same bytes; another seed another picture."""
    one, again, other = (
        painter.paint(MOON, seed=seed, count=1, folder=tmp_path / name)[0]
        for seed, name in ((3, "a"), (3, "b"), (4, "c"))
    )
    assert one.path.read_bytes() == again.path.read_bytes()
    assert one.path.read_bytes() != other.path.read_bytes()


def test_a_moon_is_a_clean_disc(painter, tmp_path):
    """In four of five seeds a poem of the moon has one, round and even, in the painting that is chosen."""
    found = 0
    for seed in range(5):
        made = painter.paint(MOON, seed=seed, count=1, folder=tmp_path / str(seed))[0]
        with Image.open(made.path) as picture:
            found += find_moon(to_lab(np.asarray(picture)), clean=True) is not None
    assert found >= 4


def test_flowers_at_night_can_be_seen(painter, tmp_path):
    """They are no black square: a tenth of the painting is as light as a petal, and the dark is blue."""
    poem = Haiku(
        lines=("roses after midnight", "the garden wall is dreaming", "nobody walks there"), syllables=(5, 7, 5)
    )
    for seed in range(3):
        made = painter.paint(poem, seed=seed, count=12, folder=tmp_path / str(seed))[0]  # of as many as is usual
        with Image.open(made.path) as picture:
            lab = to_lab(np.asarray(picture))
        assert np.percentile(lab[..., 0], 90) > 38
        dark = lab[lab[..., 0] < np.percentile(lab[..., 0], 20)]
        assert dark[:, 2].mean() < 5


def test_speckle_is_calmed(painter, tmp_path):
    """The painted file has less grain than the network's output."""
    poem = Haiku(
        lines=("snow in the old woods", "each branch of the ancient pines", "bends without a sound"),
        syllables=(5, 7, 5),
    )
    made = painter.paint(poem, seed=4, count=4, folder=tmp_path)
    raw = painter.imagine(painter.prompt(poem, seed=4).text, seed=4, count=4)
    after = []
    for each in made:
        with Image.open(each.path) as picture:
            after.append(grain(to_lab(np.asarray(picture))[..., 0]).mean())
    assert np.mean(after) < 0.7 * np.mean([grain(to_lab(canvas.pixels)[..., 0]).mean() for canvas in raw])


def test_light_follows_words(painter):
    """Night is darker than noon and sunset warmer than a blue sea, in every one of five seeds."""

    def mean(text, seed):
        return painter.imagine(text, seed=seed, count=4)[0].pixels.astype(float).mean(axis=(0, 1))

    for seed in range(5):
        assert mean("sea at night", seed).sum() < mean("sea at noon", seed).sum()
        sunset, blue = mean("sea at sunset", seed), mean("blue sea in daylight", seed)
        assert sunset[0] - sunset[2] > blue[0] - blue[2]


def test_seeds_differ(painter):
    """Four seeds of one poem are four pictures."""
    pictures = [
        painter.imagine("mountain in daylight", seed=seed, count=4)[0].pixels.astype(float) / 127.5 for seed in range(4)
    ]
    apart = [np.sqrt(((a - b) ** 2).mean()) for index, a in enumerate(pictures) for b in pictures[index + 1 :]]
    assert min(apart) > 0.15


def test_pictures_are_not_flat(painter):
    """No picture is blank, for poems of any kind."""
    for number, text in enumerate(("", "a", "error 404", "forest " * 400, "\u202e\x00<svg>")):
        assert painter.imagine(text, seed=number, count=1)[0].pixels.std() > 6


def test_a_model_says_how_far_its_light_spreads(painter, tmp_path):
    """Each picture's light is stretched around its mean, not its colours; one that says nothing is served as it paints."""
    shutil.copytree(MODELS / "painter", tmp_path / "painter")
    config = tmp_path / "painter" / "config.json"
    facts = json.loads(config.read_text())
    del facts["serving"]["contrast"]
    config.write_text(json.dumps(facts))
    write_checksums(tmp_path / "painter")
    plain = AttnPainter(AttnPainter.Config(candidates=4), models=tmp_path)
    before, after = (each.imagine("forest in daylight", seed=5, count=1)[0].pixels for each in (plain, painter))
    assert after.std() > 1.05 * before.std()
    assert abs(float(after.mean()) - float(before.mean())) < 3.0
    chroma = [float(np.ptp(pixels.astype(float), axis=2).mean()) for pixels in (before, after)]
    assert abs(chroma[1] / chroma[0] - 1) < 0.04


def test_out_of_range(painter):
    """Counts and seeds out of range are refused with their value."""
    with pytest.raises(InputError, match="0"):
        painter.imagine("sea", seed=1, count=0)
    with pytest.raises(InputError, match="-1"):
        painter.imagine("sea", seed=-1, count=1)


def test_unwritable(painter, tmp_path):
    """A folder that cannot be written is a DiskError."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DiskError):
        painter.paint(MOON, seed=1, count=1, folder=tmp_path / "file")


def test_missing(tmp_path):
    """A missing model is named."""
    with pytest.raises(ModelMissing, match="painter"):
        AttnPainter(models=tmp_path)


@pytest.mark.parametrize("name", ["model.onnx", "sketcher.onnx", "meanings.safetensors"])
def test_corrupt(tmp_path, name):
    """A file that was changed is refused before it is used."""
    shutil.copytree(MODELS / "painter", tmp_path / "painter")
    with (tmp_path / "painter" / name).open("r+b") as file:
        file.seek(200)
        file.write(b"\xff\xfe\xfd")
    with pytest.raises(ModelCorrupt, match=name):
        AttnPainter(models=tmp_path)


def test_runtimes_agree(painter):
    """OpenVINO and ONNX Runtime paint the same picture, to within two of 255 nearly everywhere."""
    pytest.importorskip("openvino")
    other = AttnPainter(AttnPainter.Config(candidates=2, runtime="onnxruntime"), models=MODELS)
    one = AttnPainter(AttnPainter.Config(candidates=2, runtime="openvino"), models=MODELS)
    a = {canvas.number: canvas for canvas in one.imagine("sea at sunset", seed=5, count=2)}
    b = {canvas.number: canvas for canvas in other.imagine("sea at sunset", seed=5, count=2)}
    for number, canvas in a.items():
        difference = np.abs(canvas.pixels.astype(int) - b[number].pixels.astype(int))
        assert np.quantile(difference, 0.99) <= 2
        assert abs(canvas.score - b[number].score) < 0.01


def test_serves_without_torch():
    """Importing the painter imports no torch."""
    code = "import sys, auria_bot.art.painters.attn; print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
        == "False"
    )


def test_the_scene_asked_for_counts(painter):
    """A candidate gains as far as it shows the scene asked for rather than another; without one nothing changes."""
    text = "the day is long, water in daylight"
    without, other = (painter.imagine(text, seed=0, count=12, scene=scene) for scene in (None, "nonsense"))
    asked = painter.imagine(text, seed=0, count=12, scene="boat")
    assert {canvas.evidence for canvas in (*without, *other)} == {0.0}
    assert [canvas.number for canvas in without] == [canvas.number for canvas in other]
    assert {canvas.number: canvas.score for canvas in asked} == {canvas.number: canvas.score for canvas in without}
    assert [canvas.total for canvas in asked] == sorted((canvas.total for canvas in asked), reverse=True)
    gained = {canvas.number: canvas.evidence for canvas in asked}
    assert min(gained.values()) < 0.0
    assert max(gained.values()) <= np.float32(0.2)
    assert gained[asked[0].number] > gained[without[0].number]


def test_only_what_is_shown_is_said() -> None:
    """A painting is described as asked if that is among its three likeliest scenes, else as the likeliest."""
    shown = dict(zip(("sea", "boat", "city", "bird"), np.eye(4, dtype=np.float32), strict=True))
    assert shown_scene("city", np.array([0.9, 0.5, 0.4, 0.1], np.float32), shown) == "city"
    assert shown_scene("bird", np.array([0.9, 0.5, 0.4, 0.1], np.float32), shown) == "sea"
    assert shown_scene("bird", np.array([0.9, 0.5, 0.4, 0.1], np.float32), {}) == "bird"


def plain(lightness: float = 55, a: float = 0, b: float = 0) -> np.ndarray:
    """One colour all over, CIELAB."""
    return np.full((64, 64, 3), (lightness, a, b), np.float32)


def land() -> np.ndarray:
    """A blue sky over golden land."""
    lab = plain(80, -5, -35)
    lab[36:] = (48, 12, 45)
    return lab


def test_colour_and_form_score_higher() -> None:
    """A landscape scores higher than the same without colour, and that higher than a plain area."""
    grey = land()
    grey[..., 1:] = 0
    assert aesthetic_score(land()) > aesthetic_score(grey) + 0.1 > aesthetic_score(plain()) + 0.15


def test_speckle_scores_lower() -> None:
    """Grain lowers the score."""
    rough = land()
    rough[..., 0] += np.random.default_rng(3).normal(0, 12, (64, 64)).astype(np.float32)
    assert aesthetic_score(rough) < aesthetic_score(land()) - 0.03


def test_black_and_blank_score_lower() -> None:
    """A picture too dark to be seen, and blank paper, score lower than grey."""
    assert aesthetic_score(plain(6)) < aesthetic_score(plain())
    assert aesthetic_score(plain(99)) < aesthetic_score(plain()) - 0.2


def test_a_portrait_stands_out_in_the_middle() -> None:
    """The same flower scores higher in the middle than in a corner for a portrait; otherwise its place does not matter."""
    middle, corner = plain(40, -20, 20), plain(40, -20, 20)
    middle[16:48, 16:48] = corner[:32, :32] = (65, 60, 20)
    assert aesthetic_score(middle, portrait=True) > aesthetic_score(corner, portrait=True) + 0.05
    assert abs(aesthetic_score(middle) - aesthetic_score(corner)) < 1e-6


def test_any_size_is_scored() -> None:
    """Sides need not be multiples of eight."""
    assert np.isfinite(aesthetic_score(np.zeros((67, 70, 3), np.float32), portrait=True))
