"""Runs benchmarks: `python -m tests.bench [NAME ...]`, all of them when no name is given.

A benchmark is a module of this folder with `run() -> Result`; `poet_form.py` is called poet-form. Each prints one line;
the exit code is 1 when a bar was missed and 2 for a name that is not there.
"""

from __future__ import annotations

import signal
import sys
import traceback
from importlib import import_module
from pathlib import Path

from tests.bench import Result

__all__ = ["found", "main"]


def found() -> dict[str, str]:
    """Every benchmark's name and its module."""
    files = sorted(Path(__file__).parent.glob("[a-z]*.py"))
    return {
        file.stem.replace("_", "-"): f"tests.bench.{file.stem}"
        for file in files
        if "def run(" in file.read_text("utf-8")
    }


def main(names: list[str]) -> int:
    """Run the named benchmarks and print a line for each; the exit code."""
    known = found()
    if unknown := [name for name in names if name.replace("_", "-") not in known]:
        print(f"no benchmark named {', '.join(unknown)}; known: {', '.join(known)}", file=sys.stderr)
        return 2
    passed = True
    for name in [name.replace("_", "-") for name in names] or known:
        try:
            result = import_module(known[name]).run()
        except Exception as error:  # noqa: BLE001 - one broken benchmark must not hide the others
            traceback.print_exc()
            result = Result(name=name, figures=f"{type(error).__name__}: {error}"[:300], bar="it runs", passed=False)
        print(result.line(), flush=True)
        passed = passed and result.passed
    return 0 if passed else 1


def _stop(*_: object) -> None:
    """End as by an exception, so that servers and folders that a benchmark began are taken away."""
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    sys.exit(main(sys.argv[1:]))
