"""A record of every training: what it was asked, on which data and which program, its curves, figures and artefacts.

`experiments/MODEL/TIME/` in the home holds `experiment.json` and, in `curves/`, the logs of the run. A record is
written when a training begins, so that one that failed or was killed is known too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from auria_bot import __version__
from auria_bot.art.training.training_log import parse_row
from auria_bot.errors import InputError
from auria_bot.files import acquire_lock, disk_errors, sha256_of, write_json
from auria_bot.services.models.catalogue import numbers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

__all__ = ["LOCK", "Experiment", "ExperimentLog"]

RECORD: Final = "experiment.json"
LOCK: Final = "running.lock"
"""The file in a run's folder that is locked while it is trained."""

_PACKAGES: Final = ("numpy", "torch", "onnx", "transformers", "diffusers")
_GIT_TIME: Final = 10  # seconds


@dataclass(slots=True, kw_only=True)
class Experiment:
    """A training that runs; `finish` says what came of it."""

    folder: Path
    known: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name: the time of its beginning, in UTC."""
        return self.folder.name

    def finish(self, model: Path, figures: Mapping[str, Any]) -> None:
        """Record the figures, and the files of the trained model by hash."""
        self.known |= {"figures": dict(numbers_of(figures)), "artefacts": _files(model)}
        config = _json(model / "config.json")
        if isinstance(config, dict) and isinstance(config.get("training"), dict):
            self.known["settings"] |= config["training"]

    def registered(self, version: str) -> None:
        """Record as which version the model was registered."""
        self.known["version"] = version
        self.write()

    def write(self) -> None:
        """Write the record.

        Raises:
            DiskError: it cannot be written.
        """
        with disk_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.folder / RECORD, self.known, pretty=True)


class ExperimentLog:
    """The records of a home.

    Usage::

        with log.record("poet", data=folder, run=run, settings={"steps": 1000}) as experiment:
            figures = train(...)
            experiment.finish(model, figures)
        log.curves("poet", experiment.name)
    """

    def __init__(self, home: Path, *, clock: Callable[[], datetime]) -> None:
        """Keep records in a home; its folder is made with the first one."""
        self._folder, self._clock = home / "experiments", clock

    @contextlib.contextmanager
    def record(self, model: str, *, data: Path, run: Path, settings: Mapping[str, Any]) -> Iterator[Experiment]:
        """Keep a record of the training that the block does.

        Args:
            run: the training's folder, whose logs are the curves.

        Raises:
            InputError: the same training runs already.
            DiskError: the record cannot be written.
        """
        with _running(run, model):
            yield from self._recorded(model, data=data, run=run, settings=settings)

    def _recorded(self, model: str, *, data: Path, run: Path, settings: Mapping[str, Any]) -> Iterator[Experiment]:
        begun = self._clock()
        experiment = Experiment(folder=_free(self._folder / model / f"{begun:%Y%m%dT%H%M%S}"))
        experiment.known |= {
            "model": model,
            "state": "running",
            "begun": begun.isoformat(),
            "settings": {name: value for name, value in settings.items() if value is not None},
            "data": _data(data),
            "program": _program(),
        }
        experiment.write()
        try:
            yield experiment
            experiment.known["state"] = "finished"
        except BaseException as error:
            experiment.known |= {"state": "failed", "error": f"{type(error).__name__}: {error}"[:500]}
            raise
        finally:
            ended = self._clock()
            experiment.known |= {"ended": ended.isoformat(), "seconds": round((ended - begun).total_seconds(), 1)}
            _keep_curves(run, experiment.folder / "curves")
            experiment.write()

    def curves(self, model: str, name: str) -> dict[str, list[tuple[int, float]]]:
        """The curves of an experiment by name, each as steps and values; {} where there are none."""
        found: dict[str, list[tuple[int, float]]] = {}
        for file in sorted((self._folder / model / name / "curves").glob("*.jsonl")) if name else ():
            for line in file.read_text(encoding="utf-8").splitlines():
                if (row := parse_row(line)) is not None:
                    for figure, value in row.figures.items():
                        found.setdefault(f"{file.stem}.{figure}", []).append((row.step, value))
        return found


@contextlib.contextmanager
def _running(run: Path, model: str) -> Iterator[None]:
    """Hold the lock of a run, so that it is trained once at a time, and others see that it is."""
    with disk_errors(run):
        run.mkdir(parents=True, exist_ok=True)
        lock = acquire_lock(run / LOCK, wait=0.0)
    if lock is None:
        raise InputError(f"a training in {run} is running already; to see it: auria train {model} --watch")
    try:
        yield
    finally:
        os.close(lock)


def _free(folder: Path) -> Path:
    """A folder that is not there yet: of two in one second the later has a number."""
    number, found = 1, folder
    while found.exists():
        number += 1
        found = folder.with_name(f"{folder.name}-{number}")
    return found


def _keep_curves(run: Path, target: Path) -> None:
    """Copy the logs of a run, whose parts each have one; the name says which part."""
    for log in sorted(run.rglob("log.jsonl")) if run.is_dir() else ():
        part = "-".join(log.parent.relative_to(run).parts) or "training"
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(log, target / f"{part}.jsonl")


def _data(folder: Path) -> dict[str, Any]:
    """The version of the data: its files by hash, and one hash over them all."""
    files = _files(folder)
    told = "".join(f"{one['sha256']}  {name}\n" for name, one in files.items())
    return {"name": _text(folder.name), "sha256": hashlib.sha256(told.encode()).hexdigest(), "files": files}


def _files(folder: Path) -> dict[str, dict[str, Any]]:
    """The files of a folder with their hashes and sizes; hidden ones are left out."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    named = {_text(path.relative_to(folder).as_posix()): path for path in paths}
    return {
        name: {"sha256": sha256_of(path), "bytes": path.stat().st_size}
        for name, path in named.items()
        if not name.startswith(".") and "/." not in name
    }


def _text(name: str) -> str:
    """A file's name as text that can be stored: of bytes that are no UTF-8, their numbers."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _program() -> dict[str, Any]:
    """Version, commit where the program runs from a checkout, packages and machine."""
    from importlib.metadata import PackageNotFoundError, version

    packages = {}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            packages[name] = version(name)
    return {
        "version": __version__,
        **_commit(Path(__file__).resolve().parents[3]),
        "python": platform.python_version(),
        "packages": packages,
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }


def _commit(checkout: Path) -> dict[str, Any]:
    """The commit, and whether files were changed since; {} where this is no checkout or git is missing."""
    if not (checkout / ".git").exists():
        return {}
    asked = []
    for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no")):
        try:
            done = subprocess.run(  # noqa: S603 - fixed words
                ["git", "-C", str(checkout), *words],  # noqa: S607 - the user's git
                capture_output=True,
                text=True,
                check=True,
                timeout=_GIT_TIME,
            )
        except (OSError, subprocess.SubprocessError):
            return {}
        asked.append(done.stdout.strip())
    return {"commit": asked[0], "changed": bool(asked[1])}


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
