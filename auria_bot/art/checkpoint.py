"""Trained models on disk: safetensors, JSON, ONNX and their checksums; nothing is unpickled."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot import files
from auria_bot.errors import ModelCorrupt, ModelMissing
from auria_bot.files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from torch import nn

__all__ = [
    "export_onnx",
    "load_model_weights",
    "load_onnx_weights",
    "load_weights",
    "part_of",
    "read_json",
    "save_rest",
    "save_weights",
    "verified",
    "verify",
    "write_checksums",
    "write_json",
]

CHECKSUMS = "SHA256SUMS"
_HALF = "__half"  # ends the names of initialisers that are stored in half precision
_UNPINNED = {"card.md", "metrics.json", CHECKSUMS}  # text and figures may be corrected without new weights


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_json(path, value, pretty=True, mode=None)


def read_json(path: Path) -> Any:
    """Read a model's JSON file.

    Raises:
        ModelMissing: there is no such file.
        ModelCorrupt: it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelMissing(f"{path} is missing; reinstall auria-bot or run `auria train`") from None
    except (ValueError, OSError) as error:
        raise ModelCorrupt(f"{path} cannot be read as JSON: {error}") from None


def save_weights(path: Path, tensors: Mapping[str, torch.Tensor], *, half: bool = False) -> None:
    """Save tensors as safetensors, atomically; floating ones in float16 if `half`."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    ready = {
        name: (tensor.detach().half() if half and tensor.is_floating_point() else tensor.detach()).contiguous().clone()
        for name, tensor in tensors.items()
    }
    with files.atomic_path(path, mode=None) as scratch:
        save_file(ready, scratch)


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """Load tensors saved by `save_weights`; half precision is returned as float32.

    Raises:
        ModelMissing: there is no such file.
        ModelCorrupt: it is not a safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except FileNotFoundError:
        raise ModelMissing(f"{path} is missing; reinstall auria-bot or run `auria train`") from None
    except (SafetensorError, OSError) as error:
        raise ModelCorrupt(f"{path} is not a readable safetensors file: {error}") from None
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


def load_onnx_weights(path: Path) -> dict[str, torch.Tensor]:
    """The weights that an ONNX file holds under the names of the module that it was exported from, in float32.

    Names that the exporter made up (`onnx::...`) are left out: those tensors were folded or transposed.

    Raises:
        ModelMissing: there is no such file.
        ModelCorrupt: it is not an ONNX file.
    """
    import numpy as np
    import onnx
    import torch

    try:
        graph = onnx.load(path).graph
    except FileNotFoundError:
        raise ModelMissing(f"{path} is missing; reinstall auria-bot or run `auria train`") from None
    except Exception as error:  # noqa: BLE001 - protobuf's errors share no public base class
        raise ModelCorrupt(f"{path} is not a readable ONNX net: {str(error)[:80]}") from None
    return {
        one.name.removesuffix(_HALF): torch.from_numpy(onnx.numpy_helper.to_array(one).astype(np.float32))
        for one in graph.initializer
        if not one.name.startswith("onnx::")
    }


def load_model_weights(folder: Path, *, graphs: str = "*.onnx", prefix: str = "") -> dict[str, torch.Tensor]:
    """The weights of a model whose ONNX files hold most of them; weights.safetensors holds what they do not.

    Args:
        graphs: pattern of the names of the ONNX files.
        prefix: what the names of weights begin with in the ONNX files, and is left out.

    Raises:
        ModelMissing: the folder has neither.
        ModelCorrupt: a file is damaged.
    """
    found: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob(graphs)):
        found |= {name.removeprefix(prefix): weights for name, weights in load_onnx_weights(path).items()}
    rest = folder / "weights.safetensors"
    if rest.is_file() or not found:
        found |= load_weights(rest)
    return found


def part_of(weights: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """The weights whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def save_rest(
    folder: Path, weights: Mapping[str, torch.Tensor], *, graphs: str = "*.onnx", prefix: str = "", half: bool = False
) -> None:
    """Write weights.safetensors with what a model's ONNX files do not hold, or none where they hold all.

    `load_model_weights` joins them.

    Args:
        weights: all of the model.
    """
    held = {name.removeprefix(prefix) for path in folder.glob(graphs) for name in load_onnx_weights(path)}
    rest = {name: tensor for name, tensor in weights.items() if name not in held}
    if rest:
        save_weights(folder / "weights.safetensors", rest, half=half)
    else:
        (folder / "weights.safetensors").unlink(missing_ok=True)


def verified(path: Path) -> Path:
    """The path of a model's file, after its folder was checked.

    Raises:
        ModelMissing, ModelCorrupt: as `verify`.
    """
    verify(path.parent)
    return path


def write_checksums(folder: Path) -> None:
    """Write SHA256SUMS over every file of a model's folder that is used for inference."""
    named = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    rows = [
        f"{sha256_of(path)}  {name.as_posix()}\n"
        for name, path in named.items()
        if name.name not in _UNPINNED and not any(part.startswith(".") for part in name.parts)
    ]
    files.write_atomic(folder / CHECKSUMS, "".join(rows), mode=None)


def verify(folder: Path) -> str:
    """Check a model's files against its SHA256SUMS and return the hash that identifies the model.

    Returns:
        The SHA-256 of SHA256SUMS itself, in hexadecimal: it changes when any file changes.

    Raises:
        ModelMissing: the folder, its checksums or a listed file is missing.
        ModelCorrupt: a file differs from its checksum.
    """
    sums = folder / CHECKSUMS
    if not sums.is_file():
        raise ModelMissing(f"{sums} is missing; reinstall auria-bot or run `auria train {folder.name}`")
    for row in sums.read_text(encoding="utf-8", errors="replace").splitlines():
        expected, _, name = row.partition("  ")
        path = folder / name
        if not path.is_file():
            raise ModelMissing(f"{path} is missing; reinstall auria-bot or run `auria train {folder.name}`")
        if sha256_of(path) != expected:
            raise ModelCorrupt(
                f"{path} does not match its checksum; reinstall auria-bot or run `auria train {folder.name}`"
            )
    return sha256_of(sums)


def export_onnx(
    module: nn.Module,
    inputs: tuple[torch.Tensor, ...],
    path: Path,
    *,
    input_names: Sequence[str],
    output_names: Sequence[str],
    dynamic_axes: Mapping[str, Mapping[int, str]],
    half: bool = True,
    fold: bool = True,
) -> None:
    """Export a module to ONNX, with weights stored in float16 and computed in float32 if `half`.

    Args:
        inputs: example inputs, in `input_names`' order.
        dynamic_axes: for each input or output, the axes that may vary, by name.
        half: store large float32 initialisers as float16 followed by a Cast; runtimes fold the Cast once at load.
        fold: compute what depends on weights alone; otherwise runtimes do it at load, and all weights keep their names.
    """
    import onnx
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    files.remove_strays(path.parent, old_only=True)
    scratch = Path(tempfile.mkdtemp(dir=path.parent, prefix=".new-"))
    try:
        raw = scratch / "raw.onnx"
        axes = {name: dict(named) for name, named in dynamic_axes.items()}
        with warnings.catch_warnings():
            # The TorchScript exporter is deprecated, yet it alone needs no onnxscript and takes axes by name.
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.onnx.export(
                module.eval(),
                inputs,
                str(raw),
                input_names=list(input_names),
                output_names=list(output_names),
                dynamic_axes=axes,
                opset_version=17,
                dynamo=False,
                do_constant_folding=fold,
            )
        graph = onnx.load(raw)
        if half:
            _halve(graph)
        onnx.checker.check_model(graph)
        onnx.save(graph, raw)
        raw.replace(path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _halve(model: Any) -> None:
    """Store each large float32 initialiser as float16, followed by a Cast back."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for initialiser in model.graph.initializer:
        if initialiser.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(initialiser)
        if values.size < 64:
            continue
        name = initialiser.name
        stored = numpy_helper.from_array(values.astype(np.float16), f"{name}{_HALF}")
        casts.append(helper.make_node("Cast", [stored.name], [name], to=TensorProto.FLOAT, name=f"{name}__cast"))
        initialiser.CopyFrom(stored)
    for cast in reversed(casts):
        model.graph.node.insert(0, cast)
