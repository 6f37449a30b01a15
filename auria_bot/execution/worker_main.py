"""The studio's child process: loads the models, works through a run's steps, ends.

Started by `auria_bot.execution.local` as `python -m auria_bot.execution.worker_main FOLDER --steps A,B`.
It sends its progress to its parent, writes the output of a step into the step's own log, and dies with its parent.
Knows no settings and no database.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import gc
import json
import os
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.art import runtime
from auria_bot.execution.parent_watch import send, watch_parent
from auria_bot.services.studio.plan import Plan
from auria_bot.services.studio.run_store import Run
from auria_bot.services.studio.step_runner import StepRunner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auria_bot.services.studio.step_runner import Progress

__all__ = ["listening", "main"]


def main(arguments: list[str] | None = None) -> int:
    """Do the steps; the exit code is 0 also where sketches failed, for their states tell."""
    parser = argparse.ArgumentParser(prog="auria_bot.execution.worker_main")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", required=True)
    given = parser.parse_args(arguments)
    watch_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and ends the child in order
    faulthandler.enable()
    plan = Plan.from_json(json.loads((given.folder / "plan.json").read_text(encoding="utf-8")))
    run = Run(folder=given.folder, plan=plan, lock=-1)
    if cache := plan.offers.get("cache"):
        runtime.keep_compiled_in(Path(cache))

    def tell(progress: Progress) -> None:
        send(asdict(progress))

    StepRunner(run, steps=given.steps.split(","), tell=tell, listen=listening, trim=_trim).work()
    sys.stdout.flush()
    os._exit(0)  # the models need no tidying up, which takes a runtime up to a second


def _trim() -> None:
    """Give freed memory back to the system, where the C library is glibc: its heap would keep it.

    What torch made hangs together in cycles, which only the collector frees; its walk over all there is costs the other
    makers more than it brings.
    """
    import ctypes

    if "torch" in sys.modules:
        gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def listening(log: Path) -> Iterator[None]:
    """Send what is written to stdout and stderr, by Python or by native code, into a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for target, source in enumerate(kept, start=1):
            os.dup2(source, target)
            os.close(source)


if __name__ == "__main__":
    sys.exit(main())
