"""Tests of auria_bot.art.training.film.train and of the recipe, with nets of a few channels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from auria_bot.art.checkpoint import load_weights, read_json, save_weights  # noqa: E402 - after the check that torch is there
from auria_bot.art.films.generator import FilmGenerator  # noqa: E402
from auria_bot.art.nets.lite0 import Lite0  # noqa: E402
from auria_bot.art.nets.projected_critic import CriticConfig  # noqa: E402
from auria_bot.art.nets.stylegan2 import Config  # noqa: E402
from auria_bot.art.training.film import recipe  # noqa: E402
from auria_bot.art.training.film.export import load_generator  # noqa: E402
from auria_bot.art.training.film.recipe import FilmSettings, as_frames, as_pixels  # noqa: E402
from auria_bot.art.training.film.train import settings_of_size, train  # noqa: E402
from auria_bot.art.training.workers import Workers  # noqa: E402
from auria_bot.errors import InputError  # noqa: E402
from tests.unit.art.training.film.test_frames import footage_set  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

TINY = FilmSettings(
    batch=4,
    path_every=2,
    judged=8,
    generator=Config(height=16, width=28, channels=(8, 8, 4), z=8, w=8, mapping_layers=1),
    projected=CriticConfig(height=64, width=64, channels=8, group=2),
)


@pytest.fixture(scope="module")
def lite0() -> Lite0:
    """A frozen classifier of random weights."""
    torch.manual_seed(1)
    return Lite0().eval().requires_grad_(requires_grad=False)


@pytest.fixture(scope="module")
def earlier_model(tmp_path_factory: pytest.TempPathFactory, lite0: Lite0) -> Path:
    """A film model that a training can begin with."""
    return trained(tmp_path_factory.mktemp("earlier"), lite0, "first", steps=1) / "film-waves"


def trained(
    tmp_path: Path,
    lite0: Lite0,
    name: str,
    *,
    steps: int,
    settings: FilmSettings = TINY,
    earlier: Path | None = None,
    export: bool = True,
) -> Path:
    """A training of so many updates in all; its folder."""
    footage = tmp_path / "waves"
    if not footage.exists():
        footage_set(footage)
    folder = tmp_path / name
    train(
        data=footage,
        folder=folder,
        out=folder / "film-waves" if export else None,
        steps=steps,
        lite0=lite0,
        settings=settings,
        earlier=earlier,
        log=lambda _: None,
    )
    return folder


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """What the newest checkpoint holds."""
    return load_weights(folder / read_json(folder / "latest.json")["file"])


def test_a_resumed_training_is_the_same_training(tmp_path: Path, lite0: Lite0) -> None:
    """Two updates and two more give the weights of four, averages and the usual path length included."""
    at_once = weights(trained(tmp_path, lite0, "once", steps=4))
    trained(tmp_path, lite0, "twice", steps=2, settings=replace(TINY, cool=1))
    straight = weights(trained(tmp_path, lite0, "straight", steps=4, settings=replace(TINY, cool=1)))
    assert set(straight) == set(at_once)
    resumed = weights(trained(tmp_path, lite0, "twice", steps=4, settings=replace(TINY, cool=1)))
    different = [key for key in straight if not torch.allclose(straight[key], resumed[key], atol=1e-6)]
    assert not different or all(key.startswith("optimizer") for key in different)


def test_the_export_is_the_best_average(tmp_path: Path, lite0: Lite0) -> None:
    """The frames of the exported model are those of the average that was judged best; samples and figures are kept."""
    folder = trained(tmp_path, lite0, "run", steps=2)
    film = FilmGenerator(folder / "film-waves", threads=1)
    assert (film.shape.height, film.shape.width) == (16, 28)
    assert read_json(folder / "film-waves" / "config.json")["trained"] == {"steps": 2, "pictures": 8}
    assert read_json(folder / "best.json")["fd_lite0"] > 0
    assert (folder / "samples.png").is_file()
    mean = load_weights(folder / "best.safetensors")["mapping.mean"].numpy()
    assert np.allclose(film.map(film.latents(0, 1), 0.0)[0], mean, atol=1e-3)


def test_a_training_begins_with_an_earlier_model(tmp_path: Path, lite0: Lite0, earlier_model: Path) -> None:
    """At first the critic learns alone, so that the generator is not led astray; then both do, from its weights."""
    earlier = load_generator(earlier_model).state_dict()
    alone = weights(trained(tmp_path, lite0, "second", steps=2, earlier=earlier_model))
    mine = {key.removeprefix("module.net."): value for key, value in alone.items() if key.startswith("module.net.")}
    assert all(torch.equal(earlier[key], value) for key, value in mine.items() if key != "mapping.mean")
    sooner = weights(trained(tmp_path, lite0, "third", steps=1, earlier=earlier_model))
    assert any(not torch.equal(sooner[key], alone[key]) for key in sooner if key.startswith("module.critic"))


def test_a_training_goes_on_as_it_was_begun(tmp_path: Path, lite0: Lite0, earlier_model: Path) -> None:
    """The critic goes on alone where the model is not named again; it does not where one is named only later."""
    first = trained(tmp_path, lite0, "with", steps=1, earlier=earlier_model, export=False)
    before, after = weights(first), weights(trained(tmp_path, lite0, "with", steps=2, export=False))
    names = [key for key in before if key.startswith("module.net.") and not key.endswith("mapping.mean")]
    assert all(torch.equal(before[key], after[key]) for key in names)
    before = weights(trained(tmp_path, lite0, "without", steps=1, export=False))
    after = weights(trained(tmp_path, lite0, "without", steps=2, earlier=earlier_model, export=False))
    assert any(not torch.equal(before[key], after[key]) for key in names)


def test_a_checkpoint_of_an_earlier_version_is_continued(tmp_path: Path, lite0: Lite0) -> None:
    """It does not say how the training was begun."""
    folder = trained(tmp_path, lite0, "run", steps=1, export=False)
    path = folder / read_json(folder / "latest.json")["file"]
    save_weights(path, {key: one for key, one in load_weights(path).items() if not key.startswith("module.first")})
    assert read_json(trained(tmp_path, lite0, "run", steps=2, export=False) / "latest.json")["step"] == 2


def test_both_learn_after_the_critic(
    tmp_path: Path, lite0: Lite0, earlier_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once its first updates are made."""
    monkeypatch.setattr(recipe, "_CRITIC_FIRST", 1)
    earlier = load_generator(earlier_model).state_dict()
    both = weights(trained(tmp_path, lite0, "second", steps=2, earlier=earlier_model))
    assert any(
        not torch.equal(value, both[f"module.net.{key}"]) for key, value in earlier.items() if key != "mapping.mean"
    )


def test_an_earlier_model_of_another_size_is_refused(tmp_path: Path, lite0: Lite0, earlier_model: Path) -> None:
    """Its weights would not fit."""
    wider = replace(TINY, generator=replace(TINY.generator, w=16))
    with pytest.raises(InputError, match="other sizes"):
        trained(tmp_path, lite0, "second", steps=1, settings=wider, earlier=earlier_model)


def test_checkpointing_changes_no_gradient(tmp_path: Path, lite0: Lite0) -> None:
    """Layers that are computed again give the same update, with the path length too."""
    plain = weights(trained(tmp_path, lite0, "plain", steps=2))
    again = weights(trained(tmp_path, lite0, "again", steps=2, settings=replace(TINY, checkpointing=True)))
    assert all(torch.allclose(plain[key], again[key], atol=1e-4) for key in plain if key.startswith("module.net"))


def test_a_training_keeps_its_critic(tmp_path: Path, lite0: Lite0) -> None:
    """One that was begun with the other critic, or before critics were noted, is refused before anything is read."""
    folder = trained(tmp_path, lite0, "run", steps=1)
    (folder / "critic.json").unlink()
    with pytest.raises(InputError, match="cannot go on with 'standard'"):
        trained(tmp_path, lite0, "run", steps=2, settings=replace(TINY, critic="standard"))
    with pytest.raises(InputError, match="there are: projected, standard"):
        FilmSettings(critic="wgan")


def test_a_batch_has_no_more_workers_than_frames(tmp_path: Path) -> None:
    """Refused before anything is read."""
    with pytest.raises(InputError, match="5 workers cannot share a batch of 4 frames"):
        train(data=tmp_path, folder=tmp_path, settings=TINY, workers=Workers(rank=0, size=5, device="cpu"))


def test_nets_follow_from_the_size() -> None:
    """A start of about four rows, as many doublings as are needed, and Lite0 at multiples of 32 pixels."""
    wide = settings_of_size(64, 112)
    assert wide.generator.start == (4, 7)
    assert (wide.projected.height, wide.projected.width) == (96, 160)
    large = settings_of_size(1080, 1920)
    assert large.generator.start == (5, 8)
    assert max(large.projected.height, large.projected.width) <= 512
    with pytest.raises(InputError, match="no recipe"):
        settings_of_size(4096, 4096)


def test_pixels_survive_the_way_to_frames_and_back() -> None:
    """Every value of 8 bits."""
    pixels = np.arange(256 * 3, dtype=np.uint8).reshape(1, 16, 16, 3)
    assert np.array_equal(as_pixels(as_frames(pixels)), pixels)
