"""Both runtimes give what torch gives, and refuse what is no net."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from auria_bot.art import runtime
from auria_bot.corpus.language.shipped_tables import models_folder
from auria_bot.errors import ModelCorrupt, ModelMissing, UnknownName

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, np.ndarray]:
    """A small net on disk, an input for it and torch's answer."""
    torch = pytest.importorskip("torch")
    from auria_bot.art.checkpoint import export_onnx

    torch.manual_seed(0)
    module = (
        torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 2, 1))
        .half()
        .float()
    )
    path = tmp_path_factory.mktemp("net") / "model.onnx"
    picture = torch.randn(1, 3, 9, 7)
    export_onnx(
        module,
        (picture,),
        path,
        input_names=["picture"],
        output_names=["out"],
        dynamic_axes={"picture": {0: "n", 2: "h", 3: "w"}},
    )
    bigger = torch.randn(2, 3, 5, 11)
    return path, bigger.numpy(), module(bigger).detach().numpy()


@pytest.mark.parametrize("name", runtime.RUNTIMES)
def test_runtimes_agree_with_torch(net: tuple[Path, np.ndarray, np.ndarray], name: str) -> None:
    """The same input gives torch's answer within 1e-5, twice the same bytes, for sizes not seen at export."""
    path, picture, expected = net
    loaded = runtime.load(path, runtime=name, threads=1)
    assert loaded.runtime == name
    assert (loaded.inputs, loaded.outputs) == (("picture",), ("out",))
    first = loaded.run({"picture": picture})["out"]
    np.testing.assert_allclose(first, expected, atol=1e-5)
    assert first.tobytes() == loaded.run({"picture": picture})["out"].tobytes()


@pytest.mark.parametrize("name", runtime.RUNTIMES)
def test_a_broken_file_is_corrupt(tmp_path: Path, name: str) -> None:
    """Garbage is refused as a corrupt model."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"garbage" * 100)
    with pytest.raises(ModelCorrupt, match=r"model\.onnx"):
        runtime.load(path, runtime=name)


def test_missing_file_and_unknown_runtime(tmp_path: Path) -> None:
    """A missing file and a runtime that does not exist are named."""
    with pytest.raises(ModelMissing):
        runtime.load(tmp_path / "none.onnx")
    with pytest.raises(UnknownName, match="openvino"):
        runtime.load(tmp_path / "none.onnx", runtime="abacus")


def test_onnx_runtime_comes_first_and_openvino_for_bfloat16(net: tuple[Path, np.ndarray, np.ndarray]) -> None:
    """What starts fastest serves, unless bfloat16 is asked for, which only OpenVINO has."""
    path, _, _ = net
    assert runtime.load(path, threads=1).runtime == "onnxruntime"
    assert runtime.load(path, threads=1, precision="bf16").runtime == "openvino"


def test_openvino_rounds_nothing_by_itself() -> None:
    """In a net with int8 weights, OpenVINO computes what ONNX Runtime does, also where it could multiply in int8."""
    rng = np.random.default_rng(0)
    feeds = {
        "picture": rng.random((1, 24, 32, 3), np.float32),
        "style": rng.normal(0, 0.3, (1, 1, 1, 100)).astype(np.float32),
    }
    path = models_folder() / "stylist" / "model.onnx"
    one, other = (runtime.load(path, runtime=name, threads=1).run(feeds)["restyled"] for name in runtime.RUNTIMES)
    assert np.abs(one - other).max() < 1e-4
