"""The folders of runs in the making."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.artwork import ArtworkInProgress, Style
from auria_bot.errors import DiskError, InputError, InvalidTransition, ModelMissing, NotFound, StepCrashed
from auria_bot.services.studio.plan import ArtworkRequest, Plan
from auria_bot.services.studio.run_store import CompletedStep, Failure, RunStore, State

if TYPE_CHECKING:
    from pathlib import Path


def plan(run: str = "run", count: int = 1) -> Plan:
    """A plan of so many sketches."""
    return Plan(run=run, seed=1, count=count, wish=ArtworkRequest(), tools={})


def state(number: int = 1, **changes: object) -> State:
    """A sketch at its beginning."""
    return State(number=number, start=ArtworkInProgress(key=f"{number:02d}", seed=number), **changes)


def test_a_run_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """Its folder holds plan, lock and every sketch the moment it has its name."""
    workspace = RunStore(tmp_path / "studio")
    source = tmp_path / "given.png"
    source.write_bytes(b"picture")
    assert workspace.names() == []
    with workspace.create(plan(count=2), [state(1), state(2)], {2: {"painting.png": source}}) as run:
        assert workspace.names() == ["run"]
        assert [each.number for each in run.states()] == [1, 2]
        assert (run.sketch_folder(2) / "painting.png").read_bytes() == b"picture"


def test_two_processes_cannot_work_on_one_run(tmp_path: Path) -> None:
    """The second is refused as long as the first holds the lock, also where the first is another process."""
    workspace = RunStore(tmp_path)
    workspace.create(plan(), [state()]).close()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import fcntl,sys;f=open(sys.argv[1],'a');fcntl.flock(f,2);print('held',flush=True);input()",
            str(tmp_path / "run" / "lock"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(InvalidTransition, match="another process"):
        workspace.open("run", wait=0.1)
    holder.kill()
    holder.communicate()
    workspace.open("run", wait=2.0).close()


@pytest.mark.parametrize("name", ["nope", "", "../run", "/etc"])
def test_only_a_runs_name_opens_a_run(tmp_path: Path, name: str) -> None:
    """A path does not."""
    workspace = RunStore(tmp_path / "studio")
    workspace.create(plan(), [state()]).close()
    with pytest.raises(NotFound, match="unfinished: run"):
        workspace.open(name)


def test_a_damaged_plan_is_explained(tmp_path: Path) -> None:
    """The message says which file, and how to give the run up; the lock is let go."""
    workspace = RunStore(tmp_path)
    workspace.create(plan(), [state()]).close()
    (tmp_path / "run" / "plan.json").write_text("{")
    for _ in range(2):
        with pytest.raises(InputError, match="remove"):
            workspace.open("run", wait=0.0)


def test_a_killed_write_leaves_nothing_that_is_read(tmp_path: Path) -> None:
    """Temporary files beside a state are cleared when the run is taken up."""
    workspace = RunStore(tmp_path)
    workspace.create(plan(), [state()]).close()
    stray = tmp_path / "run" / "01" / ".new-state.json-abc123.json"
    stray.write_text('{"half')
    with workspace.open("run") as run:
        assert run.load(1) == state()
    assert not stray.exists()


def test_a_removed_run_is_gone(tmp_path: Path) -> None:
    """Nothing of it is left; and what a killed removal left is swept away by the next run."""
    workspace = RunStore(tmp_path)
    with workspace.create(plan(), [state()]) as run:
        workspace.remove(run)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".done-old").mkdir()
    stale = tmp_path / ".new-old"
    stale.mkdir()
    os.utime(stale, (0, 0))
    workspace.create(plan("next"), [state()]).close()
    assert workspace.names() == ["next"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["next"]


def test_a_state_survives_json() -> None:
    """Steps, failure and draft are read back as they were."""
    full = state(
        done=(CompletedStep(step="poem", key="k", seconds=0.5, changes={"mood": "serene"}),),
        finished=True,
        draft=4,
        failure=Failure(sketch=1, step="mood", error="StepCrashed", message="m", log="l"),
    )
    assert State.from_json(json.loads(json.dumps(full.to_json()))) == full


def test_a_sketch_is_its_start_and_what_was_done_since() -> None:
    """Rewinding takes back the step and all after it, and nothing else."""
    style = {"key": "s", "title": "t", "artist": "a", "year": "", "mode": "painterly", "strength": 0.5}
    full = state(
        done=(
            CompletedStep(step="mood", key="1", seconds=0.0, changes={"mood": "serene"}),
            CompletedStep(step="style", key="2", seconds=0.0, changes={"style": style}),
            CompletedStep(step="caption", key="3", seconds=0.0, changes={"caption": "c"}),
        )
    )
    assert full.sketch.style == Style(**style)
    before = full.rewound("style").sketch
    assert (before.mood, before.style, before.caption) == ("serene", None, None)


def test_a_failure_becomes_its_own_error() -> None:
    """The exit code of the child's error is kept; what Auria does not know is a crash."""
    failure = Failure(sketch=2, step="poem", error="ModelMissing", message="gone", log="/x.log")
    error = failure.to_error()
    assert isinstance(error, ModelMissing)
    assert "step 'poem' of sketch 2: gone; its log: /x.log" in str(error)
    assert isinstance(Failure(sketch=1, step="s", error="StepCrashed", message="", log="").to_error(), StepCrashed)


def test_an_unwritable_disk_is_a_disk_error(tmp_path: Path) -> None:
    """Also where a file stands in the folder's place."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="cannot be written"):
        RunStore(tmp_path / "file" / "studio").create(plan(), [state()])


def test_a_damaged_state_is_told_with_what_to_do(tmp_path: Path) -> None:
    """The file is named."""
    with RunStore(tmp_path).create(plan(), [state()]) as run:
        next(run.folder.rglob("*01*.json"), run.folder / "01" / "state.json").write_text("{")
        with pytest.raises(InputError, match="remove"):
            run.load(1)


def test_strays_of_a_killed_process_are_cleared_away_unless_somebody_holds_them(tmp_path: Path) -> None:
    """Young ones may be about to be locked, locked ones are at work."""
    import fcntl

    workspace = RunStore(tmp_path)
    for name in (".new-old", ".new-young", ".new-held"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
    for name in (".new-old", ".new-held"):
        os.utime(tmp_path / name, (1.0, 1.0))
    with (tmp_path / ".new-held" / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        workspace.create(plan(), [state()]).close()
    assert sorted(path.name for path in tmp_path.glob(".new-*")) == [".new-held", ".new-young"]
