"""A newcomer's first minutes: a fresh clone, an empty home, `make demo`, then `make test`; by the oldest pip and the newest too.

What is cloned is the last commit. Nothing but Python, pip, make and the machine's package index is there: the home is
empty, and no setting of Auria's, virtual environment or path of this one is passed on. A second index, on the loopback
interface, offers newer releases of five locked packages, as if they had come out today.

The first clone makes its environments itself and runs all tests. For the pip that came with the first release of this Python and
for the newest, environments that hold nothing but that pip are laid into further clones; there the tests of the
installation run, and the packages must be the first clone's, one by one.
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
from tests.scenarios.package_index import PackageIndex, Release

__all__ = ["run"]

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 300.0  # seconds for `make demo` in all
OLDEST = {11: "pip==22.3", 12: "pip==23.2.1", 13: "pip==24.2"}  # what ensurepip of 3.11.0, 3.12.0 and 3.13.0 brings
NEWER = [  # some of everything: wanted with an extra, pinned by another, compiled, pure, needed to build
    Release(name="coverage", version="9999.0", extras=("toml",)),
    Release(name="pydantic-core", version="9999.0"),
    Release(name="numpy", version="9999.0"),
    Release(name="rich", version="9999.0"),
    Release(name="hatchling", version="9999.0"),
]
ENVIRONMENTS = (".venv", ".venv-test")


def run() -> Result:
    """Both commands with Python's own pip, then with the oldest and the newest."""
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="auria fresh ") as scratch, PackageIndex(NEWER) as index:
        places = [Path(scratch) / name for name in ("own pip", "oldest pip", "newest pip")]
        figures, first = _newcomer(places[0], index, problems)
        expected = _packages(places[0])
        oldest = OLDEST.get(sys.version_info.minor)
        for place, pip in zip(places[1:], (oldest, "pip"), strict=True):
            if pip is not None:
                figures += f"; {_other_pip(place, index, pip, expected, problems)}"
        if missed := {release.name for release in NEWER} - index.asked:
            problems.append(f"{', '.join(sorted(missed))} never looked up in the index of newer releases")
    for problem in problems:
        print(f"  {problem}", file=sys.stderr)
    bar = "both pass with each pip while five locked packages have newer releases, make demo under 5 min"
    return Result(name="fresh", figures=figures, bar=bar, passed=not problems and first < LIMIT)


def _newcomer(place: Path, index: PackageIndex, problems: list[str]) -> tuple[str, float]:
    """Clone, demo, test; a second `make demo` shows what an up-to-date one costs. Returns the figures and the first one's seconds."""
    clone = _clone(place)
    demo, first = _make(clone, index, "demo")
    problems += _look(clone) if demo.returncode == 0 else [f"make demo failed: {demo.stderr[-500:]}"]
    _, second = _make(clone, index, "demo")
    test, third = _make(clone, index, "test")
    closing = next(
        (line for line in reversed(test.stdout.splitlines()) if re.search(r"\d+ passed", line)), "no closing line"
    )
    if test.returncode != 0:
        problems.append(f"make test failed: {test.stdout[-800:]} {test.stderr[-300:]}")
    return f"make demo {first:.0f} s, again {second:.0f} s; make test {third:.0f} s: {closing.strip('= ')}", first


def _other_pip(place: Path, index: PackageIndex, pip: str, expected: list[str], problems: list[str]) -> str:
    """Both commands in a clone whose environments hold this pip; its version and the seconds they took."""
    clone = _clone(place)
    for name in ENVIRONMENTS:
        subprocess.run([sys.executable, "-m", "venv", str(clone / name)], check=True)
        _python(clone / name, "-m", "pip", "install", "-qq", "--upgrade", pip)
    version = _python(clone / ENVIRONMENTS[0], "-c", "import pip; print(pip.__version__)").strip()
    seconds = 0.0
    for target in (["demo", "COUNT=1"], ["test", "ARGS=tests/acceptance/test_setting_up.py"]):
        done, took = _make(clone, index, *target)
        seconds += took
        if done.returncode != 0:
            problems.append(f"make {target[0]} failed with pip {version}: {done.stdout[-500:]} {done.stderr[-500:]}")
    if differing := set(expected) ^ set(_packages(place)):
        problems.append(f"pip {version} installed other packages: {', '.join(sorted(differing))[:300]}")
    return f"pip {version} the same {len(expected)} packages in {seconds:.0f} s"


def _clone(place: Path) -> Path:
    """A clone of the last commit, with blanks in its path, and an empty home beside it."""
    (place / "home").mkdir(parents=True)
    subprocess.run(["git", "clone", "-q", str(ROOT), str(place / "auria bot")], check=True)
    return place / "auria bot"


def _python(environment: Path, *arguments: str) -> str:
    """What an environment's Python prints; nothing where there is none."""
    python = environment / "bin" / "python"
    command = [str(python), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout if python.exists() else ""


def _packages(place: Path) -> list[str]:
    """The packages of both environments of a clone with their versions, pip's own left out."""
    code = (
        "import importlib.metadata as m; print(*sorted(f'{d.name}=={d.version}' for d in m.distributions()), sep='\\n')"
    )
    found = [
        f"{name}: {line}" for name in ENVIRONMENTS for line in _python(place / "auria bot" / name, "-c", code).split()
    ]
    return [line for line in found if " pip==" not in line]


def _make(clone: Path, index: PackageIndex, *target: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run a target as a newcomer would; the process and the seconds it took."""
    kept = ("PATH", "LANG", "TERM", "TMPDIR", "SSL_CERT_FILE")
    env = {name: value for name, value in os.environ.items() if name in kept or name.startswith("PIP_")} | {
        "HOME": str(clone.parent / "home"),
        "PIP_EXTRA_INDEX_URL": f"{os.environ.get('PIP_EXTRA_INDEX_URL', '')} {index.url}".strip(),
    }
    own = str(Path(sys.prefix) / "bin")
    env["PATH"] = os.pathsep.join(part for part in env["PATH"].split(os.pathsep) if part != own)
    begun = time.perf_counter()
    done = subprocess.run(["make", *target], cwd=clone, env=env, capture_output=True, text=True, check=False)
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
