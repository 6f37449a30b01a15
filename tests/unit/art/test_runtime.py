"""Both runtimes give what torch gives, and refuse what is no net."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from auria_bot.art import runtime
from auria_bot.corpus.language.words import models_folder
from auria_bot.errors import ModelCorrupt, ModelMissing, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


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


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    """A cache that is on for one test."""
    runtime.keep_compiled_in(tmp_path / "cache")
    yield tmp_path / "cache"
    runtime.keep_compiled_in(None)


def test_what_was_kept_comes_back(cache: Path) -> None:
    """Byte for byte, and nothing comes back under another key."""
    runtime._write_compiled("key", b"net")
    assert runtime._read_compiled("key") == b"net"
    assert runtime._read_compiled("other") is None
    assert [path.name for path in cache.iterdir()] == ["key.compiled"]


def test_a_damaged_file_is_not_used(cache: Path) -> None:
    """Cut short, changed or empty: as if it were not there."""
    runtime._write_compiled("key", b"net")
    path = cache / "key.compiled"
    whole = path.read_bytes()
    for spoilt in (whole[:-1], whole[:-1] + b"T", b"", whole[:10]):
        path.write_bytes(spoilt)
        assert runtime._read_compiled("key") is None


def test_nothing_is_kept_unless_a_folder_is_named(tmp_path: Path) -> None:
    """Compiled models are cached only in a named folder, and one that cannot be written is no error."""
    runtime._write_compiled("key", b"net")
    assert runtime._read_compiled("key") is None
    (tmp_path / "file").write_text("")
    runtime.keep_compiled_in(tmp_path / "file" / "cache")
    runtime._write_compiled("key", b"net")
    runtime.keep_compiled_in(None)


def test_what_nobody_used_for_long_is_cleared_away(cache: Path) -> None:
    """Older versions of a net do not pile up."""
    runtime._write_compiled("old", b"1")
    os.utime(cache / "old.compiled", (0, 0))
    runtime._write_compiled("new", b"2")
    assert [path.name for path in cache.iterdir()] == ["new.compiled"]


def test_a_kept_net_answers_as_a_new_one(cache: Path) -> None:
    """The second load is from the cache, the third finds it spoilt and compiles again: three times the same bytes."""
    pytest.importorskip("openvino")
    path = models_folder() / "enlarger" / "model.onnx"
    picture = np.random.default_rng(0).random((1, 3, 12, 9), np.float32)

    def answer() -> NDArray[np.float32]:
        return runtime.load(path, runtime="openvino", threads=1).run({"picture": picture})["enlarged"]

    first = answer()
    (kept,) = cache.iterdir()
    written = kept.stat().st_ino
    second = answer()
    assert kept.stat().st_ino == written
    runtime._write_compiled(kept.stem, b"whole, but no net")
    third = answer()
    assert first.tobytes() == second.tobytes() == third.tobytes()
    assert len(kept.read_bytes()) > 10_000


@pytest.mark.parametrize(
    ("wanted", "cuda", "mps", "expected"),
    [
        ("auto", True, True, "cuda"),
        ("auto", False, True, "mps"),
        ("auto", False, False, "cpu"),
        ("cpu", True, True, "cpu"),
    ],
)
def test_torch_computes_where_it_is_told_or_fastest(wanted: str, cuda: bool, mps: bool, expected: str) -> None:
    """A device that is named is taken as it stands."""
    torch = SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: cuda),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
    )
    assert runtime.torch_device(wanted, torch) == expected


@pytest.mark.parametrize(("told", "most"), [("1", 1), ("", 4096), ("0", 4096), ("2,1", 4096), ("100000", 4096)])
def test_a_worker_of_a_cluster_is_told_how_many_cores_are_its_own(
    monkeypatch: pytest.MonkeyPatch, told: str, most: int
) -> None:
    """By the variable that numerical libraries read too; it adds none, and what is no number counts as nothing."""
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert 1 <= runtime._cores() <= most


@pytest.fixture
def _device() -> Iterator[None]:
    runtime._say_once.cache_clear()
    yield
    runtime.compute_on("cpu")


GPU = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
APPLE = ["CoreMLExecutionProvider", "CPUExecutionProvider"]
PLAIN = ["AzureExecutionProvider", "CPUExecutionProvider"]


@pytest.mark.usefixtures("_device")
@pytest.mark.parametrize(
    ("device", "available", "chosen"),
    [
        ("cpu", GPU, []),
        ("auto", GPU, ["CUDAExecutionProvider"]),
        ("auto", APPLE, ["CoreMLExecutionProvider"]),
        ("auto", PLAIN, []),
        ("cuda", GPU, ["CUDAExecutionProvider"]),
        ("cuda", PLAIN, []),
        ("tensorrt", GPU, ["TensorrtExecutionProvider", "CUDAExecutionProvider"]),
        ("tensorrt", GPU[1:], ["CUDAExecutionProvider"]),
        ("mps", APPLE, ["CoreMLExecutionProvider"]),
        ("mps", PLAIN, []),
    ],
)
def test_a_device_chooses_among_the_providers_that_are_there(
    caplog: pytest.LogCaptureFixture, device: str, available: list[str], chosen: list[str]
) -> None:
    """The processor is always the last; where a device that was named is not there, one line says so."""
    for _ in range(2):
        assert runtime.providers(device, available) == (*chosen, "CPUExecutionProvider")
    said = [] if chosen or device in {"cpu", "auto"} else [f"device {device} is not available to ONNX Runtime"]
    assert [record.message.partition(" (")[0] for record in caplog.records] == said


@pytest.mark.usefixtures("_device")
def test_a_provider_that_fails_gives_way_to_the_processor(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As with a GPU that has no memory left, or a library that does not load; it is said once."""
    import onnxruntime

    real = onnxruntime.InferenceSession
    asked: list[list[str]] = []

    def session(path: str, options: object, providers: list[tuple[str, dict[str, str]]]) -> object:
        asked.append([name for name, _ in providers])
        if len(asked) == 1:
            raise RuntimeError("CUDA failure 2: out of memory")
        return real(path, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: GPU)
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    runtime.compute_on("cuda")
    runtime.load(models_folder() / "lite0" / "model.onnx", runtime="onnxruntime", threads=1)
    assert asked == [["CUDAExecutionProvider", "CPUExecutionProvider"], ["CPUExecutionProvider"]]
    assert "device cuda cannot be used (CUDA failure 2: out of memory)" in caplog.records[0].message


@pytest.mark.usefixtures("_device")
def test_a_device_that_does_not_exist_is_refused() -> None:
    """The message lists those that do."""
    with pytest.raises(UnknownName, match="no device named 'gpu'; known: cpu, cuda, tensorrt, mps, auto"):
        runtime.compute_on("gpu")
