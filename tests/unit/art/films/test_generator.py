"""Tests of auria_bot.art.films.generator and of the export that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from auria_bot.art.films.generator import FilmGenerator  # noqa: E402 - after the check that torch is there
from auria_bot.art.nets.stylegan2 import Config, Generator  # noqa: E402
from auria_bot.art.training.film.export import export, load_generator  # noqa: E402
from auria_bot.errors import InputError, ModelCorrupt  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

TINY = Config(height=18, width=32, channels=(8, 8, 4), z=16, w=12, mapping_layers=2)


def untrained() -> Generator:
    """A small generator of frames of 18 x 32 pixels, with noise that counts and a mean style that is not 0."""
    torch.manual_seed(1)
    made = Generator(TINY)
    for layer in made.layers:
        torch.nn.init.constant_(layer.strength, 0.3)
    made.mapping.mean.copy_(torch.randn(12))
    return made.eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an exported model that was not trained."""
    place = tmp_path_factory.mktemp("models") / "film-tiny"
    export(untrained(), place, facts={"pictures_seen": 0})
    return place


def test_frames_are_those_of_the_network_in_torch(folder: Path) -> None:
    """Styles, noise and frames agree up to the half precision of the stored weights."""
    film, net = FilmGenerator(folder, threads=1), untrained()
    z, noise = film.latents(3, 5), film.noise(4)
    with torch.no_grad():
        styles = net.mapping(torch.from_numpy(z), truncation=0.7)
        wanted = net(styles, [torch.from_numpy(one) for one in noise]).clamp(-1, 1) * 127.5 + 127.5
    w = film.map(z, 0.7)
    assert np.allclose(w, styles[:, 0].numpy(), atol=2e-2)
    made = film.frames(w, noise)
    assert made.shape == (5, 18, 32, 3)
    assert made.dtype == np.uint8
    assert np.abs(made - wanted.permute(0, 2, 3, 1).numpy()).mean() < 2.0


def test_a_seed_stands_for_its_noise(folder: Path) -> None:
    """Other seeds give other frames, and more frames than are computed at once are the same as one by one."""
    film = FilmGenerator(folder, threads=1)
    w = film.map(film.latents(3, 19))
    made = film.frames(w, 4)
    assert np.array_equal(made, film.frames(w, film.noise(4)))
    assert not np.array_equal(made, film.frames(w, 5))
    assert np.array_equal(made[:8], film.frames(w[:8], 4))
    assert np.array_equal(film.latents(3, 4), film.latents(3, 19)[:4])


def test_each_layer_and_each_frame_can_have_its_own(folder: Path) -> None:
    """A style vector for each layer, and noise for each frame."""
    film = FilmGenerator(folder, threads=1)
    w = film.map(film.latents(1, 10))
    styles = np.repeat(w[:, None], film.shape.styles, axis=1)
    moving = [np.concatenate([film.noise(seed)[layer] for seed in range(10)]) for layer in range(len(film.shape.noise))]
    made = film.frames(styles, moving)
    assert np.array_equal(made[8:9], film.frames(w[8:9], 8))
    styles[:, film.shape.styles // 2 :] = styles[:1, film.shape.styles // 2 :]
    assert not np.array_equal(made[8], film.frames(styles, moving)[8])


def test_other_shapes_are_refused(folder: Path) -> None:
    """Style vectors and noise of another size are an error of input."""
    film = FilmGenerator(folder, threads=1)
    with pytest.raises(InputError, match="style vectors must be"):
        film.frames(np.zeros((2, 13), np.float32))
    noise = film.noise(0)
    noise[1] = noise[1][:, :, 1:]
    with pytest.raises(InputError, match="noise must be"):
        film.frames(np.zeros((2, 12), np.float32), noise)


def test_a_folder_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    """Its config.json names no sizes of a film."""
    from auria_bot.art.checkpoint import write_checksums

    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "config.json").write_text('{"name": "painter"}')
    write_checksums(tmp_path)
    with pytest.raises(ModelCorrupt, match="no film model"):
        FilmGenerator(tmp_path)


def test_the_network_is_read_back_from_the_export(folder: Path) -> None:
    """All its weights are in the ONNX files, under their names, in half precision."""
    read, wanted = load_generator(folder).state_dict(), untrained().state_dict()
    assert set(read) == set(wanted)
    assert all(torch.allclose(read[name], wanted[name], atol=2e-3, rtol=2e-3) for name in wanted)
