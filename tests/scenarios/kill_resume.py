"""Runs of `auria make` killed with SIGKILL at random moments, then `auria make --resume`.

Every run has a fresh home and makes three drafts; its moment and its victim (the program, the studio's child process,
or both at once) are drawn by a seeded generator, from the moment at which the run's plan is written to the time at which an
undisturbed run ends; one in ten dies before there is a plan. After the kill, everything that
is visible must be whole; after resuming, all three drafts must be there, once, and each picture and each word must be the same as in an undisturbed
run of the same seed. One exception: when the child alone dies, its artwork counts as failed and the others go on without it, so those after
it cannot know which painting it would have taken; they must be whole, and may differ, and it is told how many do. Some runs are played by
fakes that take their time, the others by the real models.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.bootstrap.application import build
from auria_bot.domain.pipeline import ROLES
from auria_bot.settings.loading import load
from tests.processes import children

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Trial", "compared", "figures", "reference", "trial"]

COUNT = 3
SEED = 20261121
PAUSE = 0.03  # seconds that a fake takes for each call
NAMES = {"painting.png", "full.png", "post.jpg", "card.jpg"}
VICTIMS = ("program", "child", "both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What became of one killed run."""

    victim: str
    moment: float  # seconds after the plan was written; of a negative one, seconds after the start
    stage: str  # "before" the run began, "under way" or "over"
    faults: tuple[str, ...]
    drafts: int = COUNT  # that were compared with those of an undisturbed run
    free: int = 0  # of them: those after an artwork that failed because the child alone was killed; they may differ
    differing: int = 0  # of the free ones: those that do differ


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    return kept | {"AURIA_HOME": str(home)}


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "auria_bot", *words]


def _home(folder: Path, *, real: bool) -> Path:
    """A new home, with fakes for makers unless real ones are wanted."""
    folder.mkdir(parents=True)
    if not real:
        sections = "".join(f'[{section}]\nbackend = "fake"\noptions = {{ seconds = {PAUSE} }}\n' for section in ROLES)
        (folder / "auria.toml").write_text(sections, encoding="utf-8")
    return folder


def _contents(home: Path) -> dict[str, object]:
    """All drafts, without what is different in every run: the artwork and the bytes of the pictures, by artwork."""
    found: dict[str, object] = {}
    with closing(build(load({"AURIA_HOME": str(home)}))) as application:
        for draft in application.review.drafts():
            folder = home / "pictures" / draft.folder
            pictures = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
            key = draft.folder.rsplit("-", 1)[1]
            if key in found:
                found[f"{key} again"] = draft
            found[key] = (draft.artwork.to_json(), draft.picture_sha256, pictures)
    return found


def reference(folder: Path, *, real: bool = False) -> tuple[dict[str, object], float]:
    """What an undisturbed run makes, and how many seconds it takes from its plan to its end."""
    home = _home(folder, real=real)
    process = subprocess.Popen(_make(), env=_environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _await_plan(home, process)
    planned = time.monotonic()
    if process.wait() != 0:
        raise RuntimeError(f"the undisturbed run ended with exit code {process.returncode}")
    return _contents(home), time.monotonic() - planned


def _await_plan(home: Path, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and not any((home / "studio").glob("[!.]*/plan.json")):
        time.sleep(0.005)


def _make() -> list[str]:
    return _command("make", "--count", str(COUNT), "--seed", str(SEED), "--theme", "autumn rain", "--json")


def trial(folder: Path, expected: dict[str, object], *, moment: float, victim: str, real: bool = False) -> Trial:
    """Kill one run and resume it.

    Args:
        folder: a new home.
        expected: what an undisturbed run makes.
        moment: seconds from the plan to the kill; of a negative one, seconds from the start.
        victim: one of VICTIMS.
        real: with the real models.
    """
    home = _home(folder, real=real)
    process = subprocess.Popen(_make(), env=_environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if moment >= 0:
        _await_plan(home, process)
    time.sleep(abs(moment))
    workers = children(process.pid)
    over = process.poll() is not None
    if victim in {"program", "both"} and not over:
        process.kill()
    for child in workers if victim in {"child", "both"} else []:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()
    faults = [f"after the kill: {fault}" for fault in _half_written(home)]
    begun = any((home / "studio").glob("[!.]*/plan.json")) or any((home / "pictures").glob("[!.]*"))
    stage = (
        "over" if over or (begun and not any((home / "studio").glob("[!.]*"))) else "under way" if begun else "before"
    )
    free = _after_the_failed(home) if victim == "child" else set[str]()
    done = subprocess.run(
        _command("make", "--resume", "--json"), env=_environment(home), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        faults.append(f"resuming ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    if any((home / "studio").glob("[!.]*")):
        faults.append("an unfinished run is left after resuming")
    if stage == "before":
        subprocess.run(_make(), env=_environment(home), check=True, capture_output=True)
    faults += [f"after resuming: {fault}" for fault in _half_written(home)]
    made = _contents(home)
    wrong, differing = compared(made, expected, free)
    faults += wrong
    if not faults:
        shutil.rmtree(home)
    return Trial(
        victim=victim,
        moment=round(moment, 3),
        stage=stage,
        faults=tuple(faults),
        drafts=len(made),
        free=len(free),
        differing=len(differing),
    )


def compared(
    made: Mapping[str, object], expected: Mapping[str, object], free: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is wrong with the drafts of a run, and which of those that may differ do.

    Args:
        made: the drafts, by artwork.
        expected: those of an undisturbed run.
        free: the artworks that may differ.
    """
    faults = [] if made.keys() == expected.keys() else [f"drafts {sorted(made)} instead of {sorted(expected)}"]
    other = [key for key in expected if key in made and made[key] != expected[key]]
    faults += [f"draft {key} differs from the undisturbed run's" for key in other if key not in free]
    return tuple(faults), tuple(key for key in other if key in free)


def _after_the_failed(home: Path) -> set[str]:
    """The drafts that come after the first artwork that failed, by artwork."""
    if not (home / "auria.db").exists():
        return set()
    with closing(build(load({"AURIA_HOME": str(home)}))) as application:
        failed = [bad.artwork for one in application.studio.unfinished() for bad in one.failures]
    return {f"{number:02d}" for number in range(min(failed, default=COUNT) + 1, COUNT + 1)}


def _half_written(home: Path) -> Iterator[str]:
    """Everything visible that is not whole. Names that begin with a dot are out of sight, on purpose."""
    from PIL import Image

    for path in home.rglob("*"):
        parts = path.relative_to(home).parts
        if any(part.startswith(".") for part in parts) or not path.is_file():
            continue
        if path.suffix == ".json":
            try:
                json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                yield f"{path} is not whole"
        if path.suffix in {".png", ".jpg"}:
            try:
                with Image.open(path) as image:
                    image.load()
            except (OSError, SyntaxError):
                yield f"{path} is not whole"
    for folder in (home / "pictures").glob("[!.]*"):
        if {path.name for path in folder.iterdir()} != NAMES:
            yield f"{folder} is not whole"
    if (home / "auria.db").exists():
        with closing(build(load({"AURIA_HOME": str(home)}))) as application:
            for draft in application.review.drafts():
                if not (home / "pictures" / draft.folder).is_dir():
                    yield f"draft {draft.id} has no pictures"


def figures(trials: Sequence[Trial]) -> str:
    """How many runs were finished, and how many of their drafts are an undisturbed run's; a run with faults proves none of its drafts."""
    whole = [one for one in trials if not one.faults]
    same = sum(one.drafts - one.differing for one in whole)
    stages = Counter(one.stage for one in trials)
    return (
        f"{len(whole)} of {len(trials)} killed runs whole and finished by --resume, {same} of {sum(one.drafts for one in trials)} drafts"
        f" byte for byte as undisturbed; {sum(one.free for one in trials)} came after one that failed with its killed child,"
        f" {sum(one.differing for one in trials)} of them differ; killed before the run began {stages['before']},"
        f" under way {stages['under way']}, over {stages['over']}"
    )
