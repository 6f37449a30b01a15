"""Runs ONNX nets on the CPU: ONNX Runtime, or OpenVINO where that is chosen.

Knows one thing: arrays in, arrays out, the same bytes every time on the same machine. Does not know any
model.

ONNX Runtime comes first because a studio's child process is cold: it has these small nets ready in a quarter of the time that
OpenVINO takes to compile them, and in half of the memory. OpenVINO computes large convolutions faster, and alone knows
bfloat16, so it is what "bf16" asks for.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from auria_bot.art import compile_cache
from auria_bot.errors import BackendMissing, ModelCorrupt, ModelMissing, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["RUNTIMES", "Network", "load"]

RUNTIMES = ("onnxruntime", "openvino")
"""The runtimes, the preferred one first."""


class Network(Protocol):
    """A loaded net."""

    runtime: str  # one of RUNTIMES
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the net once; every named input must be given, every named output comes back."""
        ...


def load(path: Path, *, runtime: str = "auto", threads: int | None = None, precision: str = "f32") -> Network:
    """Load an ONNX file.

    Args:
        path: the .onnx file.
        runtime: "auto", "openvino" or "onnxruntime".
        threads: how many threads to compute with; by default every core this process may use.
        precision: "f32", or "bf16" to let OpenVINO compute in bfloat16 where the processor has it.

    Raises:
        ModelMissing: there is no such file.
        ModelCorrupt: the file is not an ONNX net.
        BackendMissing: the runtime is not installed.
        UnknownName: no such runtime.
    """
    if runtime not in {"auto", *RUNTIMES}:
        raise UnknownName(f"no runtime named {runtime!r}; known: auto, {', '.join(RUNTIMES)}")
    if not path.is_file():
        raise ModelMissing(f"{path} is missing; reinstall auria-bot or run `auria train`")
    workers = (
        threads or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else threads or os.cpu_count() or 1
    )
    preferred = RUNTIMES if precision == "f32" else RUNTIMES[::-1]
    for name in preferred if runtime == "auto" else (runtime,):
        try:
            if name == "openvino":
                return _OpenVino(path, workers, precision)
            return _OnnxRuntime(path, workers)
        except ImportError:
            continue
    raise BackendMissing(
        f"runtime {runtime!r} is not installed; `pip install 'auria-bot[openvino]'` or `pip install onnxruntime`"
    )


def _kept(core: Any, key: str, options: Mapping[str, Any]) -> Any:
    """A net that an earlier process compiled with the same program on the same machine, or None."""
    data = compile_cache.read(key)
    if data is None:
        return None
    try:
        return core.import_model(data, "CPU", dict(options))
    except RuntimeError:
        return None


class _OpenVino:
    """OpenVINO on the CPU. It compiles a net longer than it runs it, so what it compiled can be kept: see `compiled`."""

    runtime = "openvino"

    def __init__(self, path: Path, threads: int, precision: str) -> None:
        import openvino

        core = openvino.Core()
        options = {
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": precision,
            # By default it rounds what goes into a layer of int8 weights to 8 bits where the processor can multiply those.
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
            "NUM_STREAMS": 1,
        }
        machine = [core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")]
        key = hashlib.sha256(repr((openvino.__version__, machine, sorted(options.items()))).encode())
        key.update(path.read_bytes())
        self._compiled = _kept(core, key.hexdigest(), options)
        if self._compiled is None:
            try:
                self._compiled = core.compile_model(str(path), "CPU", options)
            except RuntimeError as error:
                raise ModelCorrupt(f"{path} is not a readable ONNX net: {str(error).splitlines()[-1]}") from None
            if compile_cache.is_on():
                compile_cache.write(key.hexdigest(), self._compiled.export_model().getvalue())
        self._request = self._compiled.create_infer_request()
        self.inputs = tuple(port.get_any_name() for port in self._compiled.inputs)
        self.outputs = tuple(port.get_any_name() for port in self._compiled.outputs)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the net once."""
        results = self._request.infer({name: np.ascontiguousarray(inputs[name]) for name in self.inputs})
        return {name: np.array(results[index]) for index, name in enumerate(self.outputs)}


class _OnnxRuntime:
    """ONNX Runtime on the CPU."""

    runtime = "onnxruntime"

    def __init__(self, path: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Threads that wait shall leave the cores to others.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_mem_pattern = False  # a plan for all buffers at once saves no time here, and holds a third more
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - its exceptions share no public base class
            raise ModelCorrupt(f"{path} is not a readable ONNX net: {str(error).splitlines()[0]}") from None
        self.inputs = tuple(port.name for port in self._session.get_inputs())
        self.outputs = tuple(port.name for port in self._session.get_outputs())

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the net once."""
        values = self._session.run(list(self.outputs), {name: inputs[name] for name in self.inputs})
        return dict(zip(self.outputs, values, strict=True))
