"""Every training leaves a record, whatever came of it."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.services.models import experiments
from auria_bot.services.models.experiments import Experiment, ExperimentLog
from tests.factories import NOW

if TYPE_CHECKING:
    from pathlib import Path


def log(home: Path) -> ExperimentLog:
    """A log whose clock goes on by a minute each time."""
    times = iter(NOW + timedelta(minutes=number) for number in range(100))
    return ExperimentLog(home, clock=lambda: next(times))


def known(experiment: Experiment) -> dict[str, Any]:
    """The record as it is on disk."""
    found: dict[str, Any] = json.loads((experiment.folder / "experiment.json").read_text())
    return found


def test_a_training_is_recorded_with_everything_it_depends_on(tmp_path: Path):
    """Settings, the version of the data, program and packages; then figures, files by hash, curves and the version."""
    data, run, model = (tmp_path / name for name in ("data", "run", "model"))
    for folder in (data, run / "critic", model):
        folder.mkdir(parents=True)
    (data / "haiku.jsonl").write_text("verse")
    (data / ".hidden").write_text("x")
    (model / "weights").write_text("new")
    (model / "config.json").write_text('{"training": {"batch": 16}}')
    (run / "critic" / "log.jsonl").write_text('{"step": 1, "seconds": 2, "loss": 0.5}\n{"step": 2, "loss": 0.25}\n{"st')
    records = log(tmp_path / "home")
    with records.record("poet", data=data, run=run, settings={"steps": 5, "minutes": None}) as experiment:
        assert known(experiment)["state"] == "running"
        experiment.finish(model, {"test": {"loss": 0.25}})
    experiment.registered("v3")
    found = known(experiment)
    assert (found["state"], found["seconds"], found["version"]) == ("finished", 60.0, "v3")
    assert found["settings"] == {"steps": 5, "batch": 16}
    assert list(found["data"]["files"]) == ["haiku.jsonl"]
    assert len(found["data"]["sha256"]) == 64
    assert found["figures"] == {"test.loss": 0.25}
    assert found["artefacts"]["weights"]["bytes"] == 3
    assert {"version", "python", "packages", "machine"} <= set(found["program"])
    curves = {"critic.loss": [(1, 0.5), (2, 0.25)]}
    assert records.curves("poet", experiment.name) == curves
    assert records.curves("poet", "") == {}


def test_other_data_have_another_version(tmp_path: Path):
    """One changed byte changes the hash of the data."""
    (tmp_path / "verse").write_text("a")
    first = experiments._data(tmp_path)["sha256"]
    (tmp_path / "verse").write_text("b")
    assert experiments._data(tmp_path)["sha256"] != first


def test_a_failed_training_is_recorded_too(tmp_path: Path):
    """With its error; two that begin in the same second have a record each."""
    records = ExperimentLog(tmp_path, clock=lambda: NOW)
    with pytest.raises(ValueError, match="no data"), records.record("poet", data=tmp_path, run=tmp_path, settings={}):
        raise ValueError("no data")
    with records.record("poet", data=tmp_path, run=tmp_path, settings={}) as second:
        pass
    (first,) = (path for path in (tmp_path / "experiments" / "poet").iterdir() if path.name != second.name)
    found = json.loads((first / "experiment.json").read_text())
    assert (found["state"], found["error"]) == ("failed", "ValueError: no data")
    assert second.name == f"{first.name}-2"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_the_commit_of_a_checkout_is_recorded(tmp_path: Path):
    """And whether files were changed since; outside a checkout there is none."""
    import subprocess

    assert experiments._commit(tmp_path) == {}
    (tmp_path / ".git").mkdir()  # a damaged checkout
    assert experiments._commit(tmp_path) == {}
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    (tmp_path / "file").write_text("a")
    for words in (["init", "-q"], ["add", "file"], ["commit", "-qm", "a"]):
        subprocess.run([*git, *words], check=True)
    found = experiments._commit(tmp_path)
    assert (len(found["commit"]), found["changed"]) == (40, False)
    (tmp_path / "file").write_text("b")
    assert experiments._commit(tmp_path)["changed"] is True
