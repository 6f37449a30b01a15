"""One artwork from a cold process, and a batch of ten, with the models that ship.

Each is a run of the real command, `auria make`, in a new process: in a new home, whose database is made on the way, and again in a home that
was used before. Wall time is from the start of the command to its end; memory is the largest resident size of the program plus that of the
studio's child process. Processor seconds (user and system, program and child) are stated beside the wall time, because other work on
the machine lengthens mostly the latter.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Measured", "make"]

ONE = 5.0  # seconds on the reference machine, from a cold process
MEMORY = 650  # MB, program and child together
EACH = 3.0  # seconds on the reference machine for each further artwork of a batch
BATCH = 10
SEED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One run of the command."""

    seconds: float  # wall
    processor: float  # seconds of processor time, program and child
    megabytes: float  # largest resident sizes of program and child, added up
    steps: dict[str, float]  # wall seconds a step, over all artworks


def make(count: int, *, seed: int = SEED, home: Path | None = None) -> Measured:
    """Make artworks in a home, by default in a new one."""
    with tempfile.TemporaryDirectory(prefix="auria-latency-") as scratch:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
        command = [sys.executable, "-m", "auria_bot", "make", "--count", str(count), "--seed", str(seed), "--json"]
        output = Path(scratch) / "output.json"
        place = str(home or Path(scratch) / "home")
        begun, spent, own = time.perf_counter(), _spent(), 0
        with output.open("wb") as file:
            process = subprocess.Popen(
                command, env=kept | {"AURIA_HOME": place}, stdout=file, stderr=subprocess.DEVNULL
            )
            while process.poll() is None:
                own = max(own, _largest(process.pid))
                time.sleep(0.02)
        seconds = time.perf_counter() - begun
        if process.returncode != 0:
            raise RuntimeError(f"auria make ended with {process.returncode}")
        (made,) = json.loads(output.read_text(encoding="utf-8"))
        if len(made["drafts"]) != count:
            raise RuntimeError(f"auria make made {len(made['drafts'])} of {count}")
    return Measured(
        seconds=seconds,
        processor=_spent() - spent,
        megabytes=(own + made["peak_bytes"]) / 2**20,
        steps=made["steps"],
    )


def _spent() -> float:
    """Processor seconds of all child processes so far, theirs included."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _largest(pid: int) -> int:
    """The largest resident size of a process so far, in bytes; 0 where it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    sizes = [int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:")]
    return sizes[0] if sizes else 0
