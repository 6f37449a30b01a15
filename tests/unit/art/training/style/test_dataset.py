"""Content pictures."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from auria_bot.art.evaluation.stylist import invented_scene
from auria_bot.art.training.style.dataset import ContentPictures
from auria_bot.errors import InputError, PictureError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_is_read_with_its_subfolders(tmp_path: Path):
    """Other files are left out; without a picture the message says what to name."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="--content DIR"):
        ContentPictures(tmp_path)
    (tmp_path / "sea").mkdir()
    invented_scene(1, 64).save(tmp_path / "sea" / "one.JPG")
    invented_scene(2, 64).save(tmp_path / "two.png")
    assert len(ContentPictures(tmp_path)) == 2


def test_of_an_archive_only_the_split_is_read(tmp_path: Path):
    """Its captions say which picture is of which; a path or a bare name is taken."""
    rows = [{"file": "a.webp", "split": "train"}, {"file": "images/b.webp", "split": "test"}]
    with zipfile.ZipFile(tmp_path / "flickr8k.zip", "w") as archive:
        archive.writestr("captions.jsonl", "\n".join(map(json.dumps, rows)))
        for name, colour in (("a", "red"), ("b", "blue")):
            content = io.BytesIO()
            Image.new("RGB", (40, 30), colour).save(content, "WEBP", lossless=True)
            archive.writestr(f"images/{name}.webp", content.getvalue())
    training, held_out = ContentPictures(tmp_path), ContentPictures(tmp_path, split="test")
    assert (len(training), len(held_out)) == (1, 1)
    assert training.picture(0).getpixel((0, 0)) == (255, 0, 0)
    assert held_out.picture(0).getpixel((0, 0)) == (0, 0, 255)


@pytest.mark.parametrize("size", [(128, 96), (40, 200), (9, 8)])
def test_crops_are_squares_of_the_side_and_repeatable(tmp_path: Path, size: tuple[int, int]):
    """Also of smaller and of narrow pictures; the same random numbers give the same crop."""
    invented_scene(3, 200).resize(size).save(tmp_path / "one.png")
    content = ContentPictures(tmp_path)
    for seed in range(6):
        crop = content.crop(np.random.default_rng(seed), side=32)
        assert (crop.shape, crop.dtype) == ((32, 32, 3), np.float32)
        assert crop.min() >= 0
        assert crop.max() <= 1
        assert np.array_equal(crop, content.crop(np.random.default_rng(seed), side=32))


@pytest.mark.parametrize("rows", [None, b"[]", b"{}", b"\xff"])
def test_an_archive_that_cannot_be_read_is_refused_by_name(tmp_path: Path, rows: bytes | None):
    """One that is cut short, and one whose list is missing or something else."""
    with zipfile.ZipFile(tmp_path / "flickr8k.zip", "w") as archive:
        archive.writestr("captions.jsonl" if rows else "other", rows or b"")
    with pytest.raises(InputError, match=r"flickr8k\.zip is damaged"):
        ContentPictures(tmp_path)
    content = (tmp_path / "flickr8k.zip").read_bytes()
    (tmp_path / "flickr8k.zip").write_bytes(content[:-10])
    with pytest.raises(InputError, match=r"flickr8k\.zip is damaged"):
        ContentPictures(tmp_path)


def test_a_damaged_photograph_is_passed_over(tmp_path: Path):
    """Only where none can be read, it is told."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"no picture")
    with pytest.raises(PictureError, match="is not a picture"):
        ContentPictures(tmp_path).crop(np.random.default_rng(1), side=32)
    invented_scene(1, 64).save(tmp_path / "c.png")
    content = ContentPictures(tmp_path)
    for seed in range(6):
        assert content.crop(np.random.default_rng(seed), side=32).shape == (32, 32, 3)
