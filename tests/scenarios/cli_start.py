"""How soon `auria --help` stands on the screen, and what it imports for it.

The bar is on wall time, the median of many runs after one that warms the file cache; processor time is stated beside
it, because other work on the machine lengthens only the former. What was imported is read from the started interpreter's own sys.modules.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

__all__ = ["BAR", "HEAVY", "imported", "seconds"]

HEAVY = (
    "torch",
    "pydantic",
    "sqlalchemy",
    "numpy",
    "onnxruntime",
    "openvino",
    "PIL",
    "rich",
    "transformers",
    "alembic",
)
"""What a start must not import."""

BAR = 0.1  # seconds on the reference machine

_HELP = [sys.executable, "-m", "auria_bot", "--help"]

_PROBE = """
import json, sys
from auria_bot.cli import main
sys.argv = ["auria", "--help"]
try:
    main()
finally:
    print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def imported() -> set[str]:
    """The top-level modules in a process that has printed its help."""
    done = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr))


def seconds(runs: int) -> list[tuple[float, float]]:
    """Wall time and processor time of so many runs, one after another."""
    subprocess.run(_HELP, check=True, capture_output=True)
    times = []
    for _ in range(runs):
        begun, spent = time.perf_counter(), _spent()
        subprocess.run(_HELP, check=True, capture_output=True)
        times.append((time.perf_counter() - begun, _spent() - spent))
    return times


def _spent() -> float:
    """Processor seconds of all child processes so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
