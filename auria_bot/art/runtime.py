"""Run ONNX networks with ONNX Runtime, or OpenVINO if chosen; the same input gives the same bytes on the same device.

The device is the processor unless `compute_on` names another one, which only ONNX Runtime has.

ONNX Runtime is preferred because a studio's child process starts cold: it loads these small networks in a quarter of
the time that OpenVINO needs to compile them, and in half of the memory. OpenVINO is faster for large convolutions and
supports bfloat16, so "bf16" selects it. Networks that OpenVINO compiled are cached in a folder if `keep_compiled_in`
names one; its own cache is not used, because that ignores the compile options and the content of the ONNX file.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import numpy as np

from auria_bot import files
from auria_bot.errors import BackendMissing, ModelCorrupt, ModelMissing, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = [
    "RUNTIMES",
    "Network",
    "Precision",
    "RuntimeChoice",
    "compute_on",
    "keep_compiled_in",
    "load",
    "providers",
    "torch_device",
]

log = logging.getLogger(__name__)

RuntimeChoice = Literal["auto", "onnxruntime", "openvino"]
"""A runtime by name, or "auto" for the first that is installed."""
Precision = Literal["f32", "bf16"]
"""What networks compute in."""
RUNTIMES = get_args(RuntimeChoice)[1:]
"""The runtimes, the preferred one first."""
_CACHE_SECONDS = 30 * 86_400.0  # after which an unused file is removed
_CACHE: list[Path] = []
"""The cache folder, if there is one."""
_DEVICE = ["cpu"]
"""Where networks compute."""
_CPU = "CPUExecutionProvider"
_PROVIDERS = {
    "cpu": (),
    "cuda": ("CUDAExecutionProvider",),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider"),
    "mps": ("CoreMLExecutionProvider",),
    "auto": ("CUDAExecutionProvider", "CoreMLExecutionProvider"),
}
"""ONNX Runtime's providers for a device, the preferred one first; the processor follows."""
_PROVIDER_OPTIONS = {  # the usual search takes the algorithm that was fastest just then, which changes the bytes
    "CUDAExecutionProvider": {"cudnn_conv_algo_search": "DEFAULT", "use_tf32": "0"}
}


class Network(Protocol):
    """A loaded network."""

    runtime: str  # one of RUNTIMES
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the network once; every named input must be given, every named output is returned."""
        ...


def load(path: Path, *, runtime: str = "auto", threads: int = 0, precision: str = "f32") -> Network:
    """Load an ONNX file.

    Args:
        runtime: "auto", "openvino" or "onnxruntime".
        threads: threads to compute with; 0 for every core of this process, or as many as OMP_NUM_THREADS says.
        precision: "f32", or "bf16" to let OpenVINO compute in bfloat16 where the processor supports it.

    Raises:
        ModelMissing: there is no such file.
        ModelCorrupt: the file is not an ONNX network.
        BackendMissing: the runtime is not installed.
        UnknownName: no such runtime.
    """
    if runtime not in {"auto", *RUNTIMES}:
        raise UnknownName(f"no runtime named {runtime!r}; known: auto, {', '.join(RUNTIMES)}")
    if not path.is_file():
        raise ModelMissing(f"{path} is missing; reinstall auria-bot or run `auria train`")
    preferred = RUNTIMES if precision == "f32" else RUNTIMES[::-1]
    for name in preferred if runtime == "auto" else (runtime,):
        try:
            if name == "openvino":
                return _OpenVino(path, threads or _cores(), precision)
            return _OnnxRuntime(path, threads or _cores())
        except ImportError:
            continue
    raise BackendMissing(
        f"runtime {runtime!r} is not installed; `pip install 'auria-bot[openvino]'` or `pip install onnxruntime`"
    )


def _cores() -> int:
    """The cores that this process may use; a cluster's worker is told by OMP_NUM_THREADS how many are its own."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(told)) if told.isdecimal() and int(told) > 0 else cores


def compute_on(device: str) -> None:
    """Load networks for a device from now on: "cpu", "cuda", "tensorrt", "mps", or "auto" for a GPU where there is one.

    Raises:
        UnknownName: no such device.
    """
    if device not in _PROVIDERS:
        raise UnknownName(f"no device named {device!r}; known: {', '.join(_PROVIDERS)}")
    _DEVICE[0] = device


def providers(device: str, available: Sequence[str]) -> tuple[str, ...]:
    """ONNX Runtime's providers for a device, the processor last; `available` are those that this build has."""
    found = tuple(name for name in _PROVIDERS[device] if name in available)
    if not found and device not in {"cpu", "auto"}:
        _say_once(
            f"device {device} is not available to ONNX Runtime ({', '.join(available)});"
            " networks compute on the processor"
        )
    return (*found, _CPU)


@cache
def _say_once(line: str) -> None:
    log.warning(line)


def torch_device(wanted: str, torch: Any) -> str:
    """The device on which a torch model of the operator's own computes: as wanted, or for "auto" the fastest there is.

    Args:
        wanted: "auto", "cuda", "mps" or "cpu".
        torch: the module, which the base install does not have.
    """
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def keep_compiled_in(folder: Path | None) -> None:
    """Cache compiled networks in a folder from now on; None turns the cache off."""
    _CACHE[:] = [] if folder is None else [folder]


def _read_compiled(key: str) -> bytes | None:
    """The cached bytes of a key; None where the file is missing or damaged."""
    for folder in _CACHE:
        with contextlib.suppress(OSError):
            path = folder / f"{key}.compiled"
            data = path.read_bytes()
            if hashlib.sha256(data[32:]).digest() == data[:32]:
                os.utime(path)
                return data[32:]
    return None


def _write_compiled(key: str, data: bytes) -> None:
    """Cache bytes under a key, and remove files that were not used for 30 days; failures are ignored."""
    for folder in _CACHE:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.iterdir():
                if time.time() - old.stat().st_mtime > _CACHE_SECONDS:
                    old.unlink(missing_ok=True)
            files.write_atomic(folder / f"{key}.compiled", hashlib.sha256(data).digest() + data, durable=False)


def _import_compiled(core: Any, key: str, options: Mapping[str, Any]) -> Any:
    """A network that an earlier process compiled with the same program on the same machine, or None."""
    data = _read_compiled(key)
    if data is None:
        return None
    try:
        return core.import_model(data, "CPU", dict(options))
    except RuntimeError:
        return None


class _OpenVino:
    """OpenVINO on the CPU. Compiling a network takes longer than one run, so compiled networks can be cached."""

    runtime = "openvino"

    def __init__(self, path: Path, threads: int, precision: str) -> None:
        import openvino

        core = openvino.Core()
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": precision,
            # By default OpenVINO quantises the inputs of int8 layers to 8 bits where the processor supports it.
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
            "NUM_STREAMS": 1,
        }
        machine = [core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")]
        key = hashlib.sha256(repr((openvino.__version__, machine, sorted(options.items()))).encode())
        key.update(path.read_bytes())
        self._compiled = _import_compiled(core, key.hexdigest(), options)
        if self._compiled is None:
            try:
                self._compiled = core.compile_model(str(path), "CPU", options)
            except RuntimeError as error:
                raise ModelCorrupt(f"{path} is not a readable ONNX net: {str(error).splitlines()[-1]}") from None
            if _CACHE:
                _write_compiled(key.hexdigest(), self._compiled.export_model().getvalue())
        self._request = self._compiled.create_infer_request()
        self.inputs = tuple(port.get_any_name() for port in self._compiled.inputs)
        self.outputs = tuple(port.get_any_name() for port in self._compiled.outputs)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the network once."""
        results = self._request.infer({name: np.ascontiguousarray(inputs[name]) for name in self.inputs})
        return {name: np.array(results[index]) for index, name in enumerate(self.outputs)}


class _OnnxRuntime:
    """ONNX Runtime on the chosen device; where that fails, on the processor."""

    runtime = "onnxruntime"

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Waiting threads must not occupy the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_mem_pattern = False  # saves no time here and takes a third more memory
        wanted = providers(_DEVICE[0], onnxruntime.get_available_providers() if _DEVICE[0] != "cpu" else ())
        for chosen in dict.fromkeys((wanted, (_CPU,))):
            listed = [(name, _PROVIDER_OPTIONS.get(name, {})) for name in chosen]
            try:
                self._session = onnxruntime.InferenceSession(str(path), options, providers=listed)
            except Exception as error:  # noqa: BLE001 - its exceptions share no public base class
                line = str(error).splitlines()[0]
                if chosen == (_CPU,):
                    raise ModelCorrupt(f"{path} is not a readable ONNX net: {line}") from None
                _say_once(f"device {_DEVICE[0]} cannot be used ({line}); networks compute on the processor")
            else:
                break
        if self._session.get_providers()[0] != wanted[0]:
            _say_once(
                f"device {_DEVICE[0]} cannot be used ({wanted[0]} did not load); networks compute on the processor"
            )
        self.inputs = tuple(port.name for port in self._session.get_inputs())
        self.outputs = tuple(port.name for port in self._session.get_outputs())

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the network once."""
        values = self._session.run(list(self.outputs), {name: inputs[name] for name in self.inputs})
        return dict(zip(self.outputs, values, strict=True))
