"""The captioner's training: tiny archives, tiny nets, the whole way from captions to a serving model."""

from __future__ import annotations

import io
import json
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from PIL import Image

from auria_bot.art.captioners.show_attend_tell import CaptionModel
from auria_bot.art.captioners.vocabulary import START, UNKNOWN
from auria_bot.art.checkpoint import verify
from auria_bot.art.training.captioner import train as train_module
from auria_bot.art.training.captioner.dataset import ARCHIVES, Captioned, FeatureStore, colourless, read_archive
from auria_bot.art.training.captioner.train import CaptionerRecipe, Source, build_vocabulary, numbered, train
from auria_bot.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

_SPLITS = ("train", "train", "train", "val", "test")


def _archive(path: Path, said: list[str]) -> None:
    """An archive of five pictures of one colour each, one of them for each place in _SPLITS."""
    with zipfile.ZipFile(path, "w") as bundle:
        rows = []
        for number, split in enumerate(_SPLITS):
            buffer = io.BytesIO()
            Image.new("RGB", (40, 30), (50 * number, 90, 200 - 40 * number)).save(buffer, "WEBP")
            bundle.writestr(f"images/{number}.webp", buffer.getvalue())
            rows.append(json.dumps({"file": f"{number}.webp", "captions": said, "split": split}))
        bundle.writestr("captions.jsonl", "\n".join(rows))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The three archives, tiny."""
    folder = tmp_path_factory.mktemp("data")
    _archive(folder / ARCHIVES["flickr"], ["A dog runs on the beach .", "the dog near water", "a dog"])
    _archive(folder / ARCHIVES["scenes"], ["calm sea under a clear blue sky", "a skier near the sea"])
    _archive(folder / ARCHIVES["flowers"], ["an orange rose flower", "orange rose on a grey background"])
    return folder


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    """The shipped recipe, made tiny."""
    shipped = Path(__file__).parents[5] / "config" / "train" / "captioner.toml"
    text = shipped.read_text(encoding="utf-8")
    settings = tomllib.loads(text)
    for old, new in (
        ("views", 2),
        ("minimum_count", 1),
        ("evaluate_every", 50),
        ("flickr", 2),
        ("annotation", 6),
        ("painted", 0),
        ("embedding", 5),
        ("hidden", 7),
        ("attention", 4),
        ("warm_up", 2),
    ):
        value = (
            settings.get(old) or settings["batch"].get(old) or settings["net"].get(old) or settings["optimiser"][old]
        )
        text = text.replace(f"\n{old} = {value}", f"\n{old} = {new}")
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_training_gives_a_model_that_serves(data: Path, recipe_file: Path, tmp_path: Path) -> None:
    """One command reads, trains, exports; what it exports tells captions from words of the training split only."""
    figures = train(
        data=data,
        folder=tmp_path / "f",
        out=tmp_path / "m",
        steps=3,
        recipe_file=recipe_file,
        log=lambda _: None,
        measure=True,
    )
    assert figures["steps"] == 3
    measured = json.loads((tmp_path / "m" / "metrics.json").read_text())["test"]
    assert measured["pictures"] == 1
    assert {"bleu_4", "meteor_exact_stem", "rouge_l", "cider_d", "published"} <= set(measured)
    assert np.isfinite(figures["validation_loss"])
    assert len(verify(tmp_path / "m")) == 64
    caption_model = CaptionModel(tmp_path / "m")
    grid = np.random.default_rng(0).uniform(0, 3, (1, 7, 7, 1280)).astype(np.float32)
    found, _ = caption_model.attend(grid, beams=3)
    assert found[0].numbers == caption_model.attend(grid, beams=3)[0][0].numbers
    assert set(caption_model.vocabulary.decode(found[0].numbers)) <= set(caption_model.vocabulary.words)


def test_a_resumed_run_is_the_same_run(data: Path, recipe_file: Path, tmp_path: Path) -> None:
    """Stopping after two of four updates changes no weight."""
    quiet: Callable[[str], None] = lambda _: None  # noqa: E731
    common = {"data": data, "recipe_file": recipe_file, "log": quiet, "steps": 4}
    train(**common, folder=tmp_path / "whole", out=tmp_path / "a")
    train(**common, folder=tmp_path / "halves", out=tmp_path / "b", minutes=0.0)
    assert json.loads((tmp_path / "halves" / "latest.json").read_text())["step"] < 4
    train(**common, folder=tmp_path / "halves", out=tmp_path / "b")
    assert (tmp_path / "a" / "weights.safetensors").read_bytes() == (
        tmp_path / "b" / "weights.safetensors"
    ).read_bytes()


def test_the_net_learns_what_it_is_shown(data: Path, recipe_file: Path, tmp_path: Path) -> None:
    """On three pictures that look unlike, the loss falls by far."""
    settings = tomllib.loads(recipe_file.read_text())
    settings["net"] |= {"annotation": 16, "embedding": 16, "hidden": 24, "attention": 8, "dropout": 0.0}
    settings["optimiser"] |= {"rate": 2e-2, "smoothing": 0.0}
    settings["batch"] = {"flickr": 3}
    words = build_vocabulary({"flickr": read_archive(data, "flickr")}, 1)
    features = (np.eye(3, 1280)[:, None, None, :] * np.full((3, 1, 49, 1), 120)).astype(np.uint8)
    said = numbered(
        [
            Captioned(archive="flickr", file="", captions=(text,), split="train")
            for text in ("a dog", "the beach", "water runs")
        ],
        words,
    )
    source = Source(features, said)
    recipe = CaptionerRecipe(
        settings=settings,
        vocabulary=words,
        sources={"flickr": source},
        validation=(source, read_archive(data, "flickr")[:3]),
    )
    losses = [recipe.step(number, 60)["loss"] for number in range(60)]
    assert losses[-1] < 0.2 * losses[0]


def test_batches_depend_on_the_number_alone(data: Path, recipe_file: Path) -> None:
    """Every pass shows every picture once, in an order drawn by seed and pass."""
    rows = [row for number in range(5) for row in train_module._rows(10, number, 4, seed=1)]
    assert sorted(rows[:10]) == list(range(10))
    assert sorted(rows[10:]) == list(range(10))
    assert rows[:10] != rows[10:]
    assert train_module._rows(10, 3, 4, seed=1) == rows[12:16]


def test_long_captions_are_left_out_and_one_always_stays() -> None:
    """A picture whose captions are all too long keeps the shortest, cut."""
    long = " ".join(["sea"] * 30)
    words = build_vocabulary({"flickr": [Captioned(archive="flickr", file="", captions=(long,), split="train")]}, 1)
    only_long = Captioned(archive="flickr", file="", captions=(long,), split="train")
    both = Captioned(archive="flickr", file="", captions=(long, "sea dog"), split="train")
    first, second = numbered([only_long, both], words)
    assert [len(caption) for caption in first] == [20]
    assert second == ((4, UNKNOWN),)


def test_collated_captions_are_sorted_and_framed() -> None:
    """Start, words, end; the longest first; each with its picture."""
    owners, tokens, lengths = train_module.collate([((7,),), ((5, 6), (8, 9, 5))])
    assert owners.tolist() == [1, 1, 0]
    assert lengths == [4, 3, 2]
    assert tokens.tolist() == [[START, 8, 9, 5, 2], [START, 5, 6, 2, 0], [START, 7, 2, 0, 0]]
    assert torch.is_tensor(tokens)


def test_painted_captions_lose_their_colours() -> None:
    """What a painting's colours would make untrue is not said of a restyled picture."""
    rose = Captioned(
        archive="flowers",
        file="",
        captions=("an orange rose flower", "orange rose on a grey background"),
        split="train",
    )
    sea = Captioned(
        archive="scenes",
        file="",
        captions=("open sea under an orange evening sky", "the sea with teal water"),
        split="train",
    )
    nothing = Captioned(archive="scenes", file="", captions=("grey sky",), split="train")
    kept = colourless(rose)
    assert kept is not None
    assert kept.captions == ("a rose flower",)
    assert colourless(sea).captions == ("open sea under an evening sky",)  # type: ignore[union-attr]
    assert colourless(nothing) is None


def test_machine_made_captions_of_people_are_not_believed(data: Path) -> None:
    """Of scenes only what tells of nature is read; what people wrote is read whole."""
    assert read_archive(data, "scenes")[0].captions == ("calm sea under a clear blue sky",)
    assert len(read_archive(data, "flickr")[0].captions) == 3


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    """The message says which folder to give."""
    with pytest.raises(NotFound, match="--data"):
        read_archive(tmp_path, "flickr")


class _Eye:
    """Counts the pictures that it is shown; its features are their mean."""

    runtime, inputs, outputs = "fake", ("pictures",), ("grid",)

    def __init__(self) -> None:
        self.seen = 0

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        pictures = inputs["pictures"]
        self.seen += len(pictures)
        return {
            "grid": np.full((len(pictures), 7, 7, 1280), 1.0, np.float32)
            * pictures.mean((1, 2, 3))[:, None, None, None]
        }


def test_features_are_computed_once(data: Path, tmp_path: Path) -> None:
    """A second filling shows the eye nothing; a changed number of views starts anew."""
    pictures, eye = read_archive(data, "flickr"), _Eye()
    store = FeatureStore(tmp_path / "f.u8", len(pictures), 3)
    store.fill(data, pictures, eye, lambda _: None)
    assert eye.seen == 15
    store.fill(data, pictures, eye, lambda _: None)
    assert eye.seen == 15
    features = store.open()
    assert features.shape == (5, 3, 49, 1280)
    np.testing.assert_array_equal(features[:, 0], features[:, 1])  # a mirrored flat picture is itself
    assert FeatureStore(tmp_path / "f.u8", len(pictures), 4).done() == 0
