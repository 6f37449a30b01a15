"""Tests of auria_bot.art.training.film.published, beside a computation of its own in NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from safetensors.numpy import save_file  # noqa: E402 - after the check that torch is there

from auria_bot.art.films.generator import FilmGenerator  # noqa: E402
from auria_bot.art.training.film.export import load_generator  # noqa: E402
from auria_bot.art.training.film.published import convert, read_published  # noqa: E402
from auria_bot.errors import InputError, ModelCorrupt  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Z, W, CHANNELS = 6, 8, {4: 5, 8: 4, 16: 3}
FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64


def published() -> dict[str, NDArray[np.float32]]:
    """Random weights under the published names, with the buffers that such files hold."""
    chance = np.random.default_rng(5)
    found: dict[str, Any] = {"mapping.w_avg": chance.normal(size=W)}

    def affine(name: str, inputs: int, outputs: int, rate: float = 1.0) -> None:
        found[f"{name}.weight"] = chance.normal(size=(outputs, inputs)) / rate
        found[f"{name}.bias"] = chance.normal(size=outputs) / rate

    affine("mapping.fc0", Z, W, 0.01)
    affine("mapping.fc1", W, W, 0.01)
    before = 0
    for side, count in CHANNELS.items():
        block = f"synthesis.b{side}"
        found[f"{block}.resample_filter"] = FILTER
        if side == 4:
            found[f"{block}.const"] = chance.normal(size=(count, 4, 4))
        for layer, inputs in (("conv0", before), ("conv1", count)) if before else (("conv1", count),):
            affine(f"{block}.{layer}.affine", W, inputs)
            found[f"{block}.{layer}.weight"] = chance.normal(size=(count, inputs, 3, 3))
            found[f"{block}.{layer}.bias"] = chance.normal(size=count)
            found[f"{block}.{layer}.noise_strength"] = chance.normal(size=())
            found[f"{block}.{layer}.noise_const"] = chance.normal(size=(side, side))
            found[f"{block}.{layer}.resample_filter"] = FILTER
        affine(f"{block}.torgb.affine", W, count)
        found[f"{block}.torgb.weight"] = chance.normal(size=(3, count, 1, 1))
        found[f"{block}.torgb.bias"] = chance.normal(size=3)
        before = count
    return {name: np.asarray(value, np.float32) for name, value in found.items()}


def correlated(x: NDArray[np.float64], weight: NDArray[np.float64], margin: tuple[int, int]) -> NDArray[np.float64]:
    """(c, h, w) by (o, c, k, k), with zeros before and after."""
    padded = np.pad(x, ((0, 0), margin, margin))
    size = weight.shape[2]
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    return np.einsum("cyxij,ocij->oyx", windows, weight)


def spread(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """A zero after each pixel, both ways."""
    found = np.zeros((len(x), 2 * x.shape[1], 2 * x.shape[2]))
    found[:, ::2, ::2] = x
    return found


def filtered(x: NDArray[np.float64], margin: tuple[int, int]) -> NDArray[np.float64]:
    """Each channel by the filter, times 4."""
    return np.concatenate([correlated(one[None], 4 * FILTER[None, None], margin) for one in x])


def reference(weights: dict[str, NDArray[np.float32]], w: NDArray[np.float64], noise: list[Any]) -> NDArray[np.float64]:
    """The published forward pass of one picture: weights modulated and demodulated first, sizes doubled by zeros."""
    of = {name: value.astype(np.float64) for name, value in weights.items()}

    def scales(name: str) -> NDArray[np.float64]:
        return of[f"{name}.affine.weight"] / np.sqrt(W) @ w + of[f"{name}.affine.bias"]

    def layer(name: str, x: NDArray[np.float64], noise: Any, *, up: bool) -> NDArray[np.float64]:
        weight = of[f"{name}.weight"] * scales(name)[None, :, None, None]
        weight = weight / np.sqrt((weight**2).sum((1, 2, 3), keepdims=True) + 1e-8)
        if up:  # a convolution, not a correlation, of pixels with zeros between; then the filter
            y = filtered(correlated(spread(x), weight[:, :, ::-1, ::-1], (2, 1)), (1, 1))
        else:
            y = correlated(x, weight, (1, 1))
        y = y + noise[0, 0] * of[f"{name}.noise_strength"] + of[f"{name}.bias"][:, None, None]
        return np.where(y > 0, y, 0.2 * y) * np.sqrt(2)

    x, picture, number = of["synthesis.b4.const"], np.zeros((3, 2, 2)), 0
    for side, count in CHANNELS.items():
        block = f"synthesis.b{side}"
        for one in ("conv0", "conv1") if side > 4 else ("conv1",):
            x = layer(f"{block}.{one}", x, noise[number], up=one == "conv0")
            number += 1
        colours = of[f"{block}.torgb.weight"] * (scales(f"{block}.torgb") / np.sqrt(count))[None, :, None, None]
        picture = filtered(spread(picture), (2, 1)) + correlated(x, colours, (0, 0))
        picture = picture + of[f"{block}.torgb.bias"][:, None, None]
    return picture


def test_frames_are_those_of_the_published_forward_pass(tmp_path: Path) -> None:
    """Mapping, truncation and synthesis agree with NumPy; the export agrees up to half precision."""
    weights = published()
    save_file(weights, tmp_path / "wave.safetensors")
    net = read_published(tmp_path / "wave.safetensors")
    z = np.random.default_rng(2).normal(size=Z)
    x = z / np.sqrt((z**2).mean() + 1e-8)
    for number, inputs in ((0, Z), (1, W)):
        y = (
            weights[f"mapping.fc{number}.weight"] * (0.01 / np.sqrt(inputs)) @ x
            + 0.01 * weights[f"mapping.fc{number}.bias"]
        )
        x = np.where(y > 0, y, 0.2 * y) * np.sqrt(2)
    noise = net.noise(3)
    with torch.no_grad():
        styles = net.mapping(torch.tensor(z, dtype=torch.float32)[None])
        made = net(styles, noise)[0].numpy()
    assert np.allclose(styles[0, 0].numpy(), x, atol=1e-4)
    wanted = reference(weights, x, [one.numpy() for one in noise])
    assert wanted.shape == (3, 16, 16)
    assert np.allclose(made, wanted, atol=1e-3 * np.abs(wanted).max())

    config = convert(tmp_path / "wave.safetensors", tmp_path / "film-wave")
    assert (config.height, config.channels, config.z, config.w, config.mapping_layers) == (16, (5, 4, 3), Z, W, 2)
    film = FilmGenerator(tmp_path / "film-wave", threads=1)
    w = film.map(z[None].astype(np.float32), 0.7)
    mean = weights["mapping.w_avg"]
    assert np.allclose(w[0], mean + 0.7 * (x - mean), atol=2e-2)
    exported = film.frames(x[None].astype(np.float32), [one.numpy() for one in noise])[0]
    assert np.abs(exported - (np.clip(wanted, -1, 1) * 127.5 + 127.5).transpose(1, 2, 0)).mean() < 2.0
    assert set(load_generator(tmp_path / "film-wave").state_dict()) == set(net.state_dict())


def test_other_files_are_refused(tmp_path: Path) -> None:
    """Each with a sentence that says why: pickles are not opened, labels and other layouts are not known."""
    (tmp_path / "a.pkl").write_bytes(b"cos\nsystem\n")
    with pytest.raises(InputError, match="is a pickle"):
        read_published(tmp_path / "a.pkl")
    (tmp_path / "b.safetensors").write_bytes(b"cos\nsystem\n")
    with pytest.raises(ModelCorrupt, match="not a readable safetensors"):
        read_published(tmp_path / "b.safetensors")
    good, path = published(), tmp_path / "c.safetensors"
    empty, wide = np.zeros(3, np.float32), np.zeros((7, 4, 3, 3), np.float32)
    for change, words in (
        ({"mapping.embed.weight": empty}, "for labels"),
        ({"synthesis.input.freqs": empty}, "StyleGAN3"),
        ({"synthesis.b8.skip.weight": empty}, "b8.skip.weight is missing, unknown"),
        ({"synthesis.b8.conv1.weight": wide}, "of another shape"),
        ({"synthesis.b8.resample_filter": np.eye(4, dtype=np.float32)}, "another filter"),
    ):
        save_file(good | change, path)
        with pytest.raises(InputError, match=words):
            read_published(path)
    save_file({"weight": empty}, path)
    with pytest.raises(InputError, match="no generator in the layout"):
        read_published(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("synthesis.b8.conv1.weight", np.zeros((200_000, 0, 3, 3), np.float32)),
        ("mapping.fc0.weight", np.zeros((0, 0), np.float32)),
        ("synthesis.b8.resample_filter", np.ones((4, 4), np.int64)),
        ("mapping.w_avg", np.full(W, np.nan, np.float32)),
    ],
)
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, name: str, value: np.ndarray) -> None:
    """So are tensors without any, which would ask for terabytes in a file of a few bytes."""
    save_file(published() | {name: value}, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match=f"no numbers, or none at all: {name}"):
        read_published(tmp_path / "a.safetensors")


@pytest.mark.parametrize("name", [f"synthesis.b{'9' * 5000}.conv1.weight", "synthesis.b8.conv1.weight"])
def test_names_and_shapes_that_say_nothing_are_refused(tmp_path: Path, name: str) -> None:
    """A number of thousands of digits, and a tensor without a side."""
    save_file(published() | {name: np.ones((), np.float32)}, tmp_path / "a.safetensors")
    with pytest.raises(InputError, match="no generator"):
        read_published(tmp_path / "a.safetensors")
