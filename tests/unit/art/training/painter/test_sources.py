"""What is read of the archives of training pictures."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.painters.prompt_vocabulary import LIGHT_PHRASES, SCENES
from auria_bot.art.training.painter import sources
from auria_bot.errors import InputError


@pytest.fixture
def data(tmp_path):
    """Archives of one or two small pictures."""
    row = {"file": "a.webp", "label": "sea", "split": "test", "captions": ["a blue sea"]}
    for name in ("intel_scenes.zip", "flowers_5.zip"):
        _write(tmp_path / name, [row | {"label": "rose" if "flower" in name else "sea"}], prefix="images/")
    rows = [
        {
            "file": "images/b.webp",
            "subject": "sunrise",
            "label": "sunrise",
            "split": "validation",
            "caption": "a sunrise",
        },
        {"file": "images/c.webp", "subject": "room", "label": "bedroom", "split": "train", "caption": "a bedroom"},
        {"file": "images/d.webp", "subject": "city", "label": "parking lot", "split": "train", "caption": "a car park"},
    ]
    _write(tmp_path / "pictures.zip", rows)
    return tmp_path


def _write(path, rows, prefix=""):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("captions.jsonl", "\n".join(json.dumps(row) for row in rows))
        for row in rows:
            stream = io.BytesIO()
            Image.new("RGB", (200, 150), (10, 200, 30)).save(stream, "PNG")
            archive.writestr(prefix + row["file"], stream.getvalue())


def test_only_what_can_be_painted_is_used(data):
    """Rooms and car parks are left out; a sunrise is a sky in the light of the evening."""
    found = sources.items(data)
    assert [(item.scene, item.light, item.split) for item in found] == [
        ("sea", "", 2),
        ("rose", "", 2),
        ("sky", "sunset", 1),
    ]


def test_pictures_are_made_smaller(data):
    """The shorter side comes to the size asked for, the proportions stay."""
    for picture in sources.read(data, sources.items(data), side=60):
        assert picture.shape == (60, 80, 3)
        assert np.allclose(picture[0, 0], np.array([10, 200, 30]) / 255, atol=0.01)


def test_every_subject_has_a_known_scene_and_light():
    """The tables name scenes and lights that exist."""
    assert set(sources._SCENES.values()) <= set(SCENES)
    assert set(sources._LIGHTS.values()) <= set(LIGHT_PHRASES)


def test_missing(tmp_path):
    """A missing archive is named."""
    with pytest.raises(InputError, match="intel_scenes"):
        sources.items(tmp_path)
