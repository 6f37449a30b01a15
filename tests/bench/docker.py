"""The benchmark docker: see `tests.scenarios.docker`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.scenarios.docker import _ALONE, ROOT, _copy, _run, instructions, lint

__all__ = ["run"]


def run() -> Result:
    """Lint, then build in a scratch folder, and start what was built."""
    problems, notes = [], []
    found = lint(ROOT / "Dockerfile")
    if found is None:
        notes.append("hadolint is not installed")
    elif found.strip():
        problems.append(f"hadolint: {found.strip()[:300]}")
    done, left = 0, []
    with tempfile.TemporaryDirectory(prefix="auria-image-") as scratch:
        image = Path(scratch)
        (image / "src").mkdir()
        (image / "tmp").mkdir()
        for name, words in instructions((ROOT / "Dockerfile").read_text(encoding="utf-8")):
            if name == "COPY" and not words.startswith("--from"):
                _copy(words, image / "src")
            elif name == "RUN" and (alone := [word for word in _ALONE if word in words]):
                left += alone
            elif name == "RUN":
                problem = _run(words, image)
                problems += [problem] if problem else []
                done += 1
        auria = image / "venv" / "bin" / "auria"
        started = (
            subprocess.run([str(auria), "--version"], capture_output=True, text=True, check=False)
            if auria.exists()
            else None
        )
        if started is None or started.returncode != 0:
            problems.append("what was built does not start")
        else:
            notes.append(started.stdout.strip())
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)
    words = f"{done} RUN steps carried out, not {', '.join(left)} nor torch for GPUs; {'; '.join(notes)}; {len(problems)} problems"
    bar = "every RUN step's commands work" if found is None else "linted, every RUN step's commands work"
    return Result(name="docker", figures=words, bar=bar, passed=not problems)
