"""The tests on a busy machine: `make test` while a process for each core does nothing but burn it.

`ARGS` in the environment chooses tests, as for `make test`: `make bench NAME=busy ARGS=tests/unit/domain` is a small form.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import Result

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["burning", "run"]

ROOT = Path(__file__).resolve().parents[2]
BURN = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    for _ in range(10**6): pass"


@contextlib.contextmanager
def burning(cores: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """So many processes that each keep a core busy; they end with the block, and with this process."""
    with contextlib.ExitStack() as stack:
        burners = []
        for _ in range(cores):
            burners.append(stack.enter_context(subprocess.Popen([sys.executable, "-S", "-E", "-c", BURN])))
            stack.callback(burners[-1].kill)
        yield burners


def run(cores: int = os.cpu_count() or 1) -> Result:
    """Run the tests once."""
    begun = time.monotonic()
    with burning(cores) as burners:
        done = subprocess.run(["make", "test"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
        burnt = [burner.poll() is None for burner in burners]
    minutes = (time.monotonic() - begun) / 60
    last = re.findall(r"^(?:=+ )?(\d+ (?:passed|failed).*?)(?: =+)?$", done.stdout, re.MULTILINE)
    if done.returncode:
        print(done.stdout[-5000:], file=sys.stderr)
    chosen = os.environ.get("ARGS", "")
    figures = (
        f"make test {chosen}".strip() + f": {last[-1] if last else f'exit code {done.returncode}'}; {minutes:.1f} min"
    )
    return Result(
        name="busy",
        figures=f"{figures} while {sum(burnt)} processes burnt {cores} cores",
        bar="passes",
        passed=done.returncode == 0 and all(burnt),
    )
