"""The smaller form of the bar runtime-parity: the same words and nearly the same numbers in torch and both runtimes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest

from auria_bot.corpus.language.words import models_folder
from auria_bot.errors import InputError
from tests.scenarios.export_pairs import AS_WORDS, export_pairs, scenery
from tests.scenarios.parity import (
    PictureFigures,
    bf16_log_probability,
    compare,
    greedy_captions,
    greedy_poems,
    has_bf16,
    measure_pictures,
    worst_loss,
)

pytest.importorskip("openvino")

PLAIN = PictureFigures(control={"noon": 5, "snow": 4}, seeds=5, score=0.6, colour_left=0.4, edges=0.9)


def test_poet_and_captioner_say_the_same_everywhere() -> None:
    """Greedy words from torch, OpenVINO and ONNX Runtime are equal."""
    models = models_folder()
    for told in (greedy_poems(models, poems=2, words=8), greedy_captions(models, pictures=1, words=6)):
        assert set(told) == {"torch", "openvino", "onnxruntime"}
        assert np.array_equal(told["torch"], told["openvino"])
        assert np.array_equal(told["torch"], told["onnxruntime"])


@pytest.mark.parametrize("name", ["captioner-encode", "painter-sketch", "enlarger", "stylist-brush"])
def test_nets_agree(name: str) -> None:
    """No output differs by more than one step of an 8-bit picture's range; bfloat16 stays within 2 %."""
    (twin,) = (twin for twin in export_pairs(models_folder()) if twin.name == name)
    if "picture" in twin.inputs:  # a corner is enough: bfloat16 takes long where the processor has none
        twin = replace(twin, inputs={"picture": np.ascontiguousarray(twin.inputs["picture"][..., :24, :24])})
    compared = compare(twin, models_folder())
    assert compared.runtimes <= 1 / 255
    assert compared.torch is not None
    assert compared.torch <= 1 / 255
    assert compared.bf16 is not None
    assert compared.bf16 <= 0.02


def test_every_network_is_compared_on_inputs_that_fit() -> None:
    """Each ONNX file under models/ has a pair, whose inputs have its names and sizes, or chooses words."""
    models, pairs = models_folder(), export_pairs(models_folder())
    files = {path.relative_to(models).as_posix() for path in models.rglob("*.onnx")}
    assert {pair.file for pair in pairs} | set(AS_WORDS) == files
    for pair in pairs:
        wanted = {
            each.name: [size.dim_value for size in each.type.tensor_type.shape.dim]
            for each in onnx.load(models / pair.file).graph.input
        }
        given = {name: [*value.shape] for name, value in pair.inputs.items()}
        assert set(given) == set(wanted), pair.name
        for name, sizes in wanted.items():
            fitting = [size or mine for size, mine in zip(sizes, given[name], strict=True)]
            assert given[name] == fitting, (pair.name, name)


def test_bfloat16_leaves_the_poet_its_words() -> None:
    """The mean log-probability of given words moves by less than a hundredth."""
    tokens = np.arange(4, 20).reshape(2, 8)
    plain, rounded = bf16_log_probability(models_folder(), tokens)
    assert plain < 0
    assert abs(plain - rounded) < 0.01 * abs(plain)


def test_scenery_is_drawn_by_its_seed_and_in_range() -> None:
    """Pictures from 0 to 1 with large forms: neighbours are alike."""
    first, again = (scenery(np.random.default_rng(3), 2, 32) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (2, 3, 32, 32)
    assert first.min() == 0.0
    assert first.max() == 1.0
    assert np.abs(np.diff(first)).mean() < 0.75 * np.abs(first - first[:, :, ::-1, ::-1]).mean()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, 0.0),
        ({"score": 0.7, "colour_left": 0.3, "edges": 0.95}, 0.0),
        ({"control": {"noon": 5, "snow": 3}}, 0.2),
        ({"score": 0.55}, 0.05),
        ({"colour_left": 0.43, "edges": 0.89}, 0.03),
    ],
)
def test_the_figure_that_suffers_most_counts(change: dict[str, object], expected: float) -> None:
    """What gets better makes up for nothing."""
    assert worst_loss(PLAIN, replace(PLAIN, **change)) == pytest.approx(expected)


def test_only_like_is_compared_with_like() -> None:
    """Other seeds or prompts are refused."""
    with pytest.raises(InputError, match="measure both anew"):
        worst_loss(PLAIN, replace(PLAIN, seeds=6))


@pytest.mark.slow
def test_bfloat16_costs_the_pictures_nothing() -> None:
    """With the models that ship, no measure of painter or stylist gets worse by more than a fiftieth."""
    if not has_bf16():
        pytest.skip("this processor has no bfloat16")
    f32, bf16 = (measure_pictures(models_folder(), precision=each, seeds=1, pairs=2) for each in ("f32", "bf16"))
    assert worst_loss(f32, bf16) <= 0.02
