"""How the painter is measured."""

from __future__ import annotations

import json

import numpy as np
import pytest
import zstandard

torch = pytest.importorskip("torch")

from auria_bot.art.evaluation import painter as evaluation  # noqa: E402 - after the skip
from auria_bot.art.evaluation.painter import SUBJECTS, naming, read_haiku  # noqa: E402
from auria_bot.art.evaluation.painter_judges import (  # noqa: E402
    Encoder,
    SceneClassifier,
    at_side,
    features,
    frechet,
    train_encoder,
)
from auria_bot.art.painters.attn import Canvas  # noqa: E402
from auria_bot.art.painters.prompt_vocabulary import SCENES  # noqa: E402
from auria_bot.art.training.painter.dataset import Scenes  # noqa: E402
from auria_bot.domain.artwork import Haiku  # noqa: E402
from auria_bot.errors import InputError  # noqa: E402

COLOURS = np.random.default_rng(9).integers(20, 235, (len(SCENES), 3))
COLOURS[:9] = [
    (40, 90, 200),
    (120, 110, 100),
    (230, 240, 250),
    (30, 90, 30),
    (250, 250, 200),
    (240, 220, 40),
    (200, 20, 40),
    (250, 180, 10),
    (230, 100, 180),
]


@pytest.fixture(scope="module")
def scenes():
    """Plain coloured pictures, one colour and one sentence direction for each scene."""
    rng = np.random.default_rng(0)
    count = 20 * len(SCENES)
    scene = np.arange(count) % len(SCENES)
    pictures = np.clip(
        COLOURS[scene][:, None, None, None] + rng.integers(-20, 20, (count, 2, 64, 64, 3)), 0, 255
    ).astype(np.uint8)
    sentences = np.eye(384, dtype=np.float16)[: len(SCENES)]
    return Scenes(
        pictures=pictures,
        scene=scene,
        light=["day"] * count,
        split=np.where(np.arange(count) // len(SCENES) % 4 == 3, 2, 0),
        relit=np.zeros(count, bool),
        archive=np.where(scene < 9, 0, 2),
        caption=np.repeat(scene[:, None], 4, axis=1),
        own=np.full(count, 2),
        texts=list(SCENES),
        sentences=sentences,
        words=np.zeros((len(SCENES), 384), np.float16),
        start=np.arange(len(SCENES) + 1),
    )


class Brush:
    """A stand-in for the painter: paints the plain colour of the first scene named, darker at night, greener or whiter as asked."""

    def imagine(self, text, *, seed, count, scene=None):
        """One canvas."""
        scene = next((number for number, name in enumerate(SCENES) if name in text), 0)
        colour = COLOURS[scene].astype(float)
        colour = colour * 0.2 if "night" in text else colour
        colour = np.array([240.0, 240, 245]) if "snow" in text else colour
        colour = np.array([220.0, 120, 30]) if "autumn" in text or "sunset" in text else colour
        noise = np.random.default_rng(seed).normal(0, 10, (64, 64, 3))
        return (
            Canvas(
                pixels=np.clip(colour + noise, 0, 255).astype(np.uint8),
                score=0.0,
                vector=np.zeros(1, np.float32),
                number=0,
            ),
        )


def test_frechet_of_shifted_normals():
    """For two normal clouds the distance is the squared shift plus that of the spreads."""
    rng = np.random.default_rng(1)
    one, other = rng.normal(0, 1, (500, 6)), rng.normal(0, 2, (500, 6)) + 3
    assert abs(frechet(one.astype(np.float32), other.astype(np.float32)) - 6 * (9 + 1)) < 6
    assert abs(frechet(one.astype(np.float32), one.astype(np.float32))) < 1e-6


def test_classifier_and_cache(scenes, tmp_path):
    """The classifier finds scenes in test pictures, and the cached one gives the same answers."""
    rows = scenes.rows(2)
    found = features(scenes.pictures[rows, 0])
    first = SceneClassifier(scenes, tmp_path, steps=60)(found)
    assert (first == scenes.scene[rows]).mean() > 0.8
    assert np.array_equal(first, SceneClassifier(scenes, tmp_path)(found))


def test_encoder_learns(scenes, tmp_path):
    """After some updates the right sentence is found far more often than by chance."""
    net = train_encoder(scenes, tmp_path, steps=25, log=lambda _: None)
    rows = scenes.rows(2)[: len(SCENES)]
    assert net.right_of_100(scenes.pictures[rows, 0], scenes.sentences[scenes.scene[rows]].astype(np.float32)) > 0.3
    assert (tmp_path / "encoder.safetensors").exists()


def test_right_of_100_by_chance():
    """An encoder that sees nothing finds about one in a hundred."""
    torch.manual_seed(0)
    rng = np.random.default_rng(2)
    share = Encoder().right_of_100(
        rng.integers(0, 255, (100, 64, 64, 3)).astype(np.uint8), rng.normal(0, 1, (100, 384)).astype(np.float32)
    )
    assert share < 0.1


def test_control():
    """A painter that follows light and colour words keeps every pair, one that ignores them none."""

    class Blind:
        def imagine(self, text, *, seed, count, scene=None):
            return Brush().imagine("sea", seed=seed, count=count)

    assert set(evaluation.control(Brush(), seeds=3)["control"].values()) == {3}
    assert sum(evaluation.control(Blind(), seeds=3)["control"].values()) == 0


def test_variety(scenes):
    """Four seeds that differ by grain only are far less apart than real pictures need be; the figures are finite and positive."""
    found = evaluation.variety(Brush(), scenes)
    assert 0 < found["variety"] < 0.3
    assert found["variety_real"] > 0


def test_groups_hold_no_caption_twice(scenes):
    """Within each group of a hundred the captions are different."""
    rows, captions = evaluation._different(scenes, 40)
    assert len(rows) == len(captions) == 40
    assert len(set(captions[:9])) == 9
    assert (scenes.split[rows] == 2).all()


def test_verdict():
    """Each part of the bar is needed."""
    good = {
        "scene": 0.8,
        "scene_real": 0.8,
        "haiku_scene": 0.8,
        "caption": 0.2,
        "caption_real": 0.2,
        "haiku_caption": 0.2,
        "control": {"a": 19, "b": 20},
        "control_seeds": 20,
        "variety": 0.4,
        "variety_real": 0.7,
        "recognised": 0.6,
        "recognised_real": 0.7,
        "subjects": {"city": {"pictures": 9, "found": 0.5, "found_real": 0.5}},
        "fd_lite0": 700.0,
        "fd_lite0_real": 600.0,
        "earlier": {"fd_lite0": 850.0, "variety": 0.35},
    }
    assert evaluation.verdict(good)
    for worse in (
        {"scene": 0.7},
        {"haiku_scene": 0.1},
        {"caption": 0.1},
        {"haiku_caption": 0.1},
        {"control": {"a": 18, "b": 20}},
        {"variety": 0.3},
        {"earlier": {"fd_lite0": 850.0, "variety": 0.45}},
        {"recognised": 0.4},
        {"fd_lite0": 730.0},
        {"subjects": {"city": {"pictures": 9, "found": 0.4, "found_real": 0.5}}},
    ):
        assert not evaluation.verdict(good | worse)


def test_pictures_are_judged_at_one_size():
    """Pictures of 96 pixels are made smaller, those of 64 are left as they are."""
    pictures = np.random.default_rng(5).integers(0, 255, (3, 96, 96, 3)).astype(np.uint8)
    assert at_side(pictures).shape == (3, 64, 64, 3)
    assert at_side(pictures[:, :64, :64]) is not None
    assert np.array_equal(at_side(pictures[:, :64, :64]), pictures[:, :64, :64])


def test_an_answer_can_be_limited(scenes, tmp_path):
    """Asked among some scenes only, the classifier names no other."""
    found = features(scenes.pictures[scenes.rows(2), 0])
    among = SCENES[:4]
    assert set(SceneClassifier(scenes, tmp_path, steps=10)(found, among)) <= set(range(4))


def poem(*lines):
    """A haiku of these lines."""
    return Haiku(lines=lines, syllables=(5, 7, 5))


def test_one_subject_is_named():
    """A poem counts for a subject only when it names no other, and no more than asked are taken."""
    sea, both, none = poem("the old sea", "a", "b"), poem("the sea", "and the river", "b"), poem("tea", "a", "b")
    found = naming([both, none, sea, sea, sea], 2)
    assert found["sea"] == [sea, sea]
    assert sum(map(len, found.values())) == 2


def test_subjects_are_scenes():
    """There are ten, each of them a scene, and no word names two."""
    assert set(SUBJECTS) <= set(SCENES)
    assert len(SUBJECTS) == 10
    words = [word for known in SUBJECTS.values() for word in known]
    assert len(words) == len(set(words))


def test_haiku_are_read(tmp_path):
    """Of the file only 5-7-5 are read, and with a count only those about nature."""
    rows = [
        {"lines": ["a", "b", "c"], "form": "575", "nature": 1},
        {"lines": ["d", "e", "f"], "form": "575", "nature": 0},
        {"lines": ["g", "h", "i"], "form": "free", "nature": 1},
    ]
    text = "\n".join(json.dumps(row) for row in rows).encode()
    (tmp_path / "haiku.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(text))
    assert [each.lines for each in read_haiku(tmp_path)] == [("a", "b", "c"), ("d", "e", "f")]
    assert [each.lines for each in read_haiku(tmp_path, 5)] == [("a", "b", "c")]


def test_no_haiku(tmp_path):
    """A missing file of haiku is named."""
    with pytest.raises(InputError, match="haiku"):
        read_haiku(tmp_path, 10)
