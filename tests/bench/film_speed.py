"""The benchmark film-speed: a film model's speed beside PyTorch's, a whole film's at 1920 x 1080, and its memory.

Each measure is the processor's time, of which a busy machine takes nothing away.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from typing import Any

from tests.bench import Result

__all__ = ["run"]

FASTER, MEMORY = 3.0, 800.0  # times PyTorch's speed; MB
FRAMES = 3000


def run(frames: int = FRAMES, shown: int = 20) -> Result:
    """Measure in child processes: the generator, the same network in PyTorch, whole frames, and the memory of many."""
    own, torch, film = (_measured(what, shown) for what in ("own", "torch", "film"))
    memory = _measured("memory", frames)
    ratio = torch["seconds"] / own["seconds"]
    figures = (
        f"generator {1 / own['seconds']:.0f} frames a second of a core, {ratio:.1f} times PyTorch's"
        f" {1 / torch['seconds']:.0f}; whole film at 1920 x 1080 {1 / film['seconds']:.1f}; {frames:,} frames:"
        f" {memory['middle']:.0f} MB half-way, {memory['memory']:.0f} MB at the end"
    )
    bar = f"generator at least {FASTER:g} times PyTorch's; memory flat, at most {MEMORY:g} MB"
    flat = memory["memory"] < memory["middle"] * 1.1
    return Result(
        name="film-speed", figures=figures, bar=bar, passed=ratio >= FASTER and flat and memory["memory"] <= MEMORY
    )


def _measured(what: str, count: int) -> dict[str, Any]:
    call = [sys.executable, "-m", "tests.bench.film_speed", what, str(count)]
    return dict(json.loads(subprocess.run(call, capture_output=True, text=True, check=True).stdout.splitlines()[-1]))


def _seconds(work: Any, count: int) -> float:
    """Seconds of the processor for each frame, after one call to warm up."""
    work()
    began = time.process_time()
    for _ in range(max(1, count // 10)):
        work()
    return (time.process_time() - began) / (8 * max(1, count // 10))


def _child(what: str, count: int) -> dict[str, float]:
    from fractions import Fraction

    from auria_bot.art.films.video_writer import FORMATS
    from auria_bot.bootstrap.application import build
    from auria_bot.services.films.film_plan import FilmRequest
    from auria_bot.settings.loading import load

    with tempfile.TemporaryDirectory(prefix="auria-film-speed-") as scratch:
        app = build(load({"AURIA_HOME": scratch}))
        planner = app.film_planner
        name = "waves"
        if what == "own":
            maker = planner.model(name)
            w, noise = maker.map(maker.latents(1, 8)), maker.noise(1)
            return {"seconds": _seconds(lambda: maker.frames(w, noise), 10 * count)}
        if what == "torch":
            return {"seconds": _in_torch(app.settings.models_folder / f"film-{name}", 10 * count)}
        wide = what == "film"
        size = (1920, 1080) if wide else (320, 180)
        request = FilmRequest(seconds=Fraction(max(count, 100), 25), rate=Fraction(25), size=size, seed=7, loop=True)
        planned = planner.plan(name, request, FORMATS[".mp4"])
        return _film(planned, count, scratch)


def _film(planned: Any, count: int, folder: str) -> dict[str, float]:
    """Write frames, and look at the memory half-way and at the end."""
    from auria_bot.art.films.video_writer import VideoWriter

    timing = planned.frames.timing
    with VideoWriter.create(_path(folder), planned.form, size=timing.size, rate=timing.rate) as writer:
        began, middle = time.process_time(), 0.0
        for number, frame in enumerate(planned.frames.frames(0, count)):
            writer.write(frame)
            if number == count // 2:
                middle = _resident()
        return {"seconds": (time.process_time() - began) / count, "middle": middle, "memory": _resident()}


def _path(folder: str) -> Any:
    from pathlib import Path

    return Path(folder) / "film"


def _resident() -> float:
    """The largest resident size so far, in MB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _in_torch(folder: Any, count: int) -> float:
    """Seconds for a frame of a plain generator of the same shape in PyTorch, in single precision."""
    import torch

    from auria_bot.art.checkpoint import read_json
    from auria_bot.art.nets.stylegan2 import Config, Generator

    known = Config.__dataclass_fields__
    found = {key: value for key, value in read_json(folder / "config.json")["generator"].items() if key in known}
    config = Config(**found | {"channels": tuple(found["channels"])})
    net = Generator(config).eval()
    with torch.inference_mode():
        styles, noise = net.mapping(torch.randn(8, config.z)), net.noise(1)
        return _seconds(lambda: net(styles, noise), count)


if __name__ == "__main__":
    print(json.dumps(_child(sys.argv[1], int(sys.argv[2]))))
