"""The Dockerfile is linted, and every RUN step's commands are carried out, without an engine.

In a scratch folder that stands for the image: each COPY of the build is made there from what git knows, each RUN runs with the
image's paths led there, by this machine's Python. What only an engine can do is not tried: the base image and what apt-get brings into
it, the user's account, the image's size, the volume. VARIANT=cuda is not tried: torch for GPUs weighs gigabytes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["ROOT", "instructions", "lint"]

ROOT = Path(__file__).resolve().parents[2]
_EXTRAS = "notify"
_ALONE = ("useradd", "apt-get")  # what changes the machine itself


def instructions(text: str) -> list[tuple[str, str]]:
    """A Dockerfile's instructions and their words, lines joined, comments left out."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", " ", lines)
    found = (line.strip().partition(" ") for line in joined.splitlines() if line.strip())
    return [(name.upper(), words.strip()) for name, _, words in found]


def lint(file: Path) -> str | None:
    """What hadolint finds; None where it is not installed."""
    program = shutil.which("hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if program is None:
        return None
    done = subprocess.run([program, str(file)], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def _copy(words: str, target: Path) -> None:
    """What a COPY would take from a fresh clone."""
    *sources, place = words.split()
    for source in sources:
        known = subprocess.run(
            ["git", "ls-files", "-z", "--", source], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split("\0")
        for name in filter(None, known):
            file = (
                target
                / (place if (ROOT / source).is_dir() else "")
                / Path(name).relative_to(source if (ROOT / source).is_dir() else ".")
            )
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, file)


def _run(words: str, image: Path) -> str | None:
    """Carry a RUN out with the image's paths led into the scratch folder; what went wrong."""
    command = re.sub(r"(?<![\w/.])/(venv|tmp)\b", lambda path: str(image / path[1]), words)
    command = re.sub(r"\bpython -m venv\b", f"{sys.executable} -m venv", command)
    environment = {"PATH": os.environ["PATH"], "HOME": str(image), "VARIANT": "cpu", "EXTRAS": _EXTRAS}
    environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    done = subprocess.run(
        ["sh", "-ec", command],
        cwd=image / "src",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    return None if done.returncode == 0 else f"RUN {words[:80]}: {done.stderr.strip()[-400:]}"
