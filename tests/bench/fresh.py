"""A newcomer's first minutes: a fresh clone, an empty home, `make demo`, then `make test`.

What is cloned is the last commit. Nothing but Python, pip, make and the machine's package index is there: the home is
empty, and no setting of Auria's, virtual environment or path of this one is passed on.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import Result

__all__ = ["run"]

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 300.0  # seconds for `make demo` in all


def run() -> Result:
    """Clone, demo, test; a second `make demo` shows what an up-to-date one costs."""
    with tempfile.TemporaryDirectory(prefix="auria fresh ") as scratch:  # with blanks in its path
        home, clone = Path(scratch) / "home", Path(scratch) / "auria bot"
        home.mkdir()
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        demo, first = _make(clone, home, "demo")
        problems = _look(clone) if demo.returncode == 0 else [f"make demo failed: {demo.stderr[-500:]}"]
        _, second = _make(clone, home, "demo")
        test, third = _make(clone, home, "test")
    closing = next(
        (line for line in reversed(test.stdout.splitlines()) if re.search(r"\d+ passed", line)), "no closing line"
    )
    if test.returncode != 0:
        problems.append(f"make test failed: {test.stdout[-800:]} {test.stderr[-300:]}")
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)
    words = f"make demo {first:.0f} s, again {second:.0f} s; make test {third:.0f} s: {closing.strip('= ')}"
    return Result(
        name="fresh", figures=words, bar="both pass, make demo under 5 min", passed=not problems and first < LIMIT
    )


def _make(clone: Path, home: Path, target: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a target as a newcomer would."""
    kept = ("PATH", "LANG", "TERM", "TMPDIR", "SSL_CERT_FILE")
    env = {name: value for name, value in os.environ.items() if name in kept or name.startswith("PIP_")} | {
        "HOME": str(home)
    }
    own = str(Path(sys.prefix) / "bin")
    env["PATH"] = os.pathsep.join(part for part in env["PATH"].split(os.pathsep) if part != own)
    begun = time.perf_counter()
    done = subprocess.run(["make", target], cwd=clone, env=env, capture_output=True, text=True, check=False)
    return done, time.perf_counter() - begun


def _look(clone: Path) -> list[str]:
    """What the demo left undone."""
    problems = []
    if list((clone / ".venv").glob("lib/python3*/site-packages/torch")):
        problems.append("the demo's environment holds torch")
    if not (clone / "demo" / "contact-sheet.jpg").is_file():
        problems.append("there is no contact sheet")
    if len(list((clone / "demo" / "pictures").glob("*/card.jpg"))) < 3:
        problems.append("fewer than three artworks were made")
    if dirty := subprocess.run(
        ["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True
    ).stdout:
        problems.append(f"files appeared that git does not ignore: {dirty[:200]}")
    return problems
