"""The folders of unfinished runs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.artwork import ArtworkFile, ArtworkInProgress
from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.errors import DiskError, InputError, InvalidTransition, NotFound
from auria_bot.services.studio.plan import ArtworkState, Plan
from auria_bot.services.studio.run_store import EventLog, RunEvent, RunStore, read_events

if TYPE_CHECKING:
    from pathlib import Path


def plan(run: str = "run", count: int = 1) -> Plan:
    """A plan of so many artworks."""
    return Plan(run=run, seed=1, request=ArtworkRequest(count=count), backends={})


def state(number: int = 1, **changes: object) -> ArtworkState:
    """An artwork at its beginning."""
    return ArtworkState(number=number, start=ArtworkInProgress(key=f"{number:02d}", seed=number), **changes)


def test_a_run_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """Its folder has plan, lock and every artwork the moment it has its name."""
    runs = RunStore(tmp_path / "studio")
    source = tmp_path / "given.png"
    source.write_bytes(b"picture")
    assert runs.names() == []
    with runs.create(plan(count=2), [state(1), state(2)], {"painting.png": source}) as run:
        assert runs.names() == ["run"]
        assert [each.number for each in run.states()] == [1, 2]
        assert (run.artwork_folder(1) / "painting.png").read_bytes() == b"picture"


def test_two_processes_cannot_work_on_one_run(tmp_path: Path) -> None:
    """The second is refused as long as the first holds the lock, also where the first is another process."""
    runs = RunStore(tmp_path)
    runs.create(plan(), [state()]).close()
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
        runs.open("run", wait=0.1)
    holder.kill()
    holder.communicate()
    runs.open("run", wait=2.0).close()


@pytest.mark.parametrize("name", ["nope", "", "../run", "/etc"])
def test_only_a_runs_name_opens_a_run(tmp_path: Path, name: str) -> None:
    """A path does not."""
    runs = RunStore(tmp_path / "studio")
    runs.create(plan(), [state()]).close()
    with pytest.raises(NotFound, match="unfinished: run"):
        runs.open(name)


def test_a_damaged_plan_is_explained(tmp_path: Path) -> None:
    """The message says which file, and how to give the run up; the lock is let go."""
    runs = RunStore(tmp_path)
    runs.create(plan(), [state()]).close()
    (tmp_path / "run" / "plan.json").write_text("{")
    for _ in range(2):
        with pytest.raises(InputError, match="auria make --discard run"):
            runs.open("run", wait=0.0)


def test_a_killed_write_leaves_nothing_that_is_read(tmp_path: Path) -> None:
    """Temporary files beside a state are cleared when the run is taken up."""
    runs = RunStore(tmp_path)
    runs.create(plan(), [state()]).close()
    stray = tmp_path / "run" / "01" / ".new-state.json-abc123.json"
    stray.write_text('{"half')
    with runs.open("run") as run:
        assert run.load(1) == state()
    assert not stray.exists()


def test_a_finished_run_is_gone_but_for_its_events(tmp_path: Path) -> None:
    """A page that follows the run can read them to their end; those of runs long ago are removed."""
    runs = RunStore(tmp_path)
    for number in range(1, 53):
        with runs.create(plan(f"run-{number:02d}"), [state()]) as run:
            event = EventLog(run.events_path).append(RunEvent(artwork=1, step="poem", state="started"))
            assert runs.events(run.folder.name) == (event,)
            runs.finish(run)
    assert [path.name for path in tmp_path.iterdir()] == [".events"]
    assert runs.names() == []
    assert len(runs.events("run-52")) == len(runs.events("run-03")) == 1
    for name in ("run-02", "../run-52", ""):
        with pytest.raises(NotFound):
            runs.events(name)


def test_a_run_without_events_has_none(tmp_path: Path) -> None:
    """It was created, and nothing happened yet."""
    runs = RunStore(tmp_path)
    runs.create(plan(), [state()]).close()
    assert runs.events("run") == ()


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 1, "wish": {}}'])
def test_a_run_that_cannot_be_read_can_be_discarded(tmp_path: Path, content: str) -> None:
    """Also one that an earlier version began; the message says how, and the others stay."""
    runs = RunStore(tmp_path)
    runs.create(plan(), [state()]).close()
    runs.create(plan("other"), [state()]).close()
    (tmp_path / "run" / "plan.json").write_text(content)
    with pytest.raises(InputError, match="auria make --discard run"):
        runs.open("run")
    runs.discard("run", dry_run=True)
    assert runs.names() == ["other", "run"]
    runs.discard("run")
    assert runs.names() == ["other"]


def test_a_run_at_work_is_not_discarded(tmp_path: Path) -> None:
    """Its process holds the lock."""
    runs = RunStore(tmp_path)
    with runs.create(plan(), [state()]), pytest.raises(InvalidTransition, match="working on run run"):
        runs.discard("run", wait=0.0)
    assert runs.names() == ["run"]


def test_what_killed_processes_left_is_swept_away(tmp_path: Path) -> None:
    """By the next run that begins."""
    runs = RunStore(tmp_path)
    (tmp_path / ".done-old").mkdir()
    stale = tmp_path / ".new-old"
    stale.mkdir()
    os.utime(stale, (0, 0))
    runs.create(plan("next"), [state()]).close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["next"]


def test_an_unwritable_disk_is_a_disk_error(tmp_path: Path) -> None:
    """Also where a file stands in the folder's place."""
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="cannot be written"):
        RunStore(tmp_path / "file" / "studio").create(plan(), [state()])


def test_a_damaged_state_is_told_with_what_to_do(tmp_path: Path) -> None:
    """The file is named."""
    with RunStore(tmp_path).create(plan(), [state()]) as run:
        next(run.folder.rglob("*01*.json"), run.folder / "01" / "state.json").write_text("{")
        with pytest.raises(InputError, match="auria make --discard run"):
            run.load(1)


def test_strays_of_a_killed_process_are_cleared_away_unless_somebody_holds_them(tmp_path: Path) -> None:
    """Young ones may be about to be locked, locked ones are at work."""
    import fcntl

    runs = RunStore(tmp_path)
    for name in (".new-old", ".new-young", ".new-held"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
    for name in (".new-old", ".new-held"):
        os.utime(tmp_path / name, (1.0, 1.0))
    with (tmp_path / ".new-held" / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        runs.create(plan(), [state()]).close()
    assert sorted(path.name for path in tmp_path.glob(".new-*")) == [".new-held", ".new-young"]


def event(step: str = "poem", **changes: object) -> RunEvent:
    """An event of the first artwork."""
    return RunEvent(artwork=1, step=step, state="done", **changes)


def test_events_are_read_as_they_were_kept(tmp_path: Path) -> None:
    """With their files, positions and times, from any position on."""
    log = EventLog(tmp_path / "events.jsonl")
    kept = [log.append(event(files={"painting": ArtworkFile.named("painting.png", sha256="a", size=3)}))]
    kept.append(log.append(event("mood", seconds=0.5, message="“ü”\nx")))
    assert [item.position for item in kept] == [1, 2]
    assert all(item.at.endswith("+00:00") for item in kept)
    assert read_events(tmp_path / "events.jsonl") == tuple(kept)
    assert read_events(tmp_path / "events.jsonl", after=1) == (kept[1],)
    assert read_events(tmp_path / "events.jsonl", after=9) == ()


def test_a_torn_line_is_skipped_and_counted(tmp_path: Path) -> None:
    """A process that was killed while writing leaves one; positions stay the numbers of lines."""
    path = tmp_path / "events.jsonl"
    first = EventLog(path).append(event())
    with path.open("ab") as file:
        file.write(b'{"artwork": 1, "st')
    assert read_events(path) == (first,)
    third = EventLog(path).append(event("mood"))
    assert third.position == 3
    assert read_events(path) == (first, third)
    assert read_events(path, after=2) == (third,)


def test_a_full_disk_is_a_disk_error(tmp_path: Path) -> None:
    """The file is named."""
    (tmp_path / "events.jsonl").mkdir()
    with pytest.raises(DiskError, match=r"events\.jsonl"):
        EventLog(tmp_path / "events.jsonl")
    log = EventLog(tmp_path / "other.jsonl")
    (tmp_path / "other.jsonl").mkdir()
    with pytest.raises(DiskError, match=r"other\.jsonl"):
        log.append(event())


def test_a_run_that_is_worked_on_makes_the_store_busy(tmp_path: Path) -> None:
    """A stopped one does not, nor one whose lock is gone."""
    store = RunStore(tmp_path)
    assert not store.is_busy()
    with store.create(plan(), [state()]):
        assert store.is_busy()
    assert not store.is_busy()
    (tmp_path / "run" / "lock").unlink()
    (tmp_path / "run" / "lock").mkdir()
    assert not store.is_busy()


def test_what_a_step_prints_has_a_place(tmp_path: Path) -> None:
    """By artwork and step."""
    with RunStore(tmp_path).create(plan(), [state()]) as run:
        assert run.log(1, "poem") == tmp_path / "run" / "logs" / "01-poem.log"
