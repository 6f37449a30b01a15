"""A style network that is quick and easily recognised: it inverts the picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from auria_bot.art.checkpoint import write_checksums
from auria_bot.art.stylists.style_bank import StyleBank

__all__ = ["MODELS", "write_inverting_network"]

MODELS = Path(__file__).resolve().parents[1] / "models"


def write_inverting_network(models: Path, name: str, *, key: str = "vincent-van-gogh-irises") -> Path:
    """Write models/style-NAME with that network and what the shipped bank knows of a painting; its folder."""
    from onnx import TensorProto, helper, save

    def tensor(label: str) -> object:
        return helper.make_tensor_value_info(label, TensorProto.FLOAT, [1, 3, "height", "width"])

    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    graph = helper.make_graph(
        [helper.make_node("Sub", ["one", "picture"], ["restyled"])],
        "inverting",
        [tensor("picture")],
        [tensor("restyled")],
        [one],
    )
    folder = models / f"style-{name}"
    folder.mkdir(parents=True)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), folder / "model.onnx")
    painting = replace(StyleBank.load(MODELS / "styles").find(key), key=name)
    StyleBank(paintings=(painting,)).save(folder)
    write_checksums(folder)
    return folder
