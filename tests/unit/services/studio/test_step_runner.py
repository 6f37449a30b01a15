"""The steps, worked through in this process."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.artwork import Artwork, ArtworkInProgress
from auria_bot.errors import SettingsError
from auria_bot.services.studio.plan import ArtworkRequest, BackendSpec, Plan, sketch_seed
from auria_bot.services.studio.run_store import RunStore, State
from auria_bot.services.studio.step_runner import Progress, StepRunner, configure
from auria_bot.services.studio.steps import STEPS, step_named
from auria_bot.testing import FakeConfig, FakePainter

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.domain.interfaces import SafetyResult
    from auria_bot.services.studio.run_store import Run

ROLES = ("poet", "mood-reader", "painter", "gate", "enlarger", "stylist", "captioner", "scribe", "finisher")
NAMES = [step.name for step in STEPS]


def begin(folder: Path, *, count: int = 1, seed: int = 7, options: dict[str, Any] | None = None, **changes: Any) -> Run:
    """A run of fakes, ready to be worked on."""
    tools = {
        role: BackendSpec(name="fake", options=(options or {}).get(role, {}), models=str(folder)) for role in ROLES
    }
    plan = Plan(
        run="run", seed=seed, count=count, wish=ArtworkRequest(), tools=tools, candidates=2, rounds=3, **changes
    )
    states = [
        State(number=number, start=ArtworkInProgress(key=f"{number:02d}", seed=sketch_seed(seed, number)))
        for number in range(1, count + 1)
    ]
    return RunStore(folder).create(plan, states)


def work(run: Run, steps: list[str] = NAMES) -> list[Progress]:
    """Work through some steps in this process; what was told."""
    told: list[Progress] = []
    StepRunner(run, steps=steps, tell=told.append, listen=lambda _: contextlib.nullcontext()).work()
    return told


def test_a_sketch_becomes_an_artwork(tmp_path: Path) -> None:
    """After the last step nothing is missing, and every maker's model is named by its hash."""
    with begin(tmp_path) as run:
        told = work(run)
        state = run.load(1)
    artwork = Artwork.from_sketch(state.sketch)
    assert state.finished
    assert [event.step for event in told if event.state == "done"] == NAMES
    assert {name.partition(":")[0] for name, _ in artwork.models} == set(ROLES)
    assert artwork.mood_source == "read"
    assert [step for step, _ in state.sketch.seconds] == NAMES


def test_the_batch_passes_through_each_step(tmp_path: Path) -> None:
    """All sketches are at the same step, so each model is needed at one time only."""
    with begin(tmp_path, count=3) as run:
        told = [event.step for event in work(run) if event.state == "done"]
    assert told == [name for name in NAMES for _ in range(3)]


def test_sketches_of_a_batch_avoid_each_other(tmp_path: Path) -> None:
    """Poems, styles and pictures of one run are all different."""
    with begin(tmp_path, count=6) as run:
        work(run)
        sketches = [state.sketch for state in run.states()]
    assert len({sketch.haiku for sketch in sketches}) == 6
    assert len({sketch.style.key for sketch in sketches if sketch.style}) == 6
    assert len({sketch.fingerprint for sketch in sketches}) == 6


def test_the_first_sketch_of_a_batch_is_that_of_a_single_run(tmp_path: Path) -> None:
    """What comes later in a batch changes nothing of what comes before."""
    with begin(tmp_path / "one") as one, begin(tmp_path / "many", count=3) as many:
        work(one)
        work(many)
        assert Artwork.from_sketch(one.load(1).sketch) == Artwork.from_sketch(many.load(1).sketch)
        assert (one.sketch_folder(1) / "post.jpg").read_bytes() == (many.sketch_folder(1) / "post.jpg").read_bytes()


def test_finished_steps_are_not_done_again(tmp_path: Path) -> None:
    """A second workshop goes on where the first one ended."""
    with begin(tmp_path) as run:
        work(run, NAMES[:4])
        assert [done.step for done in run.load(1).done] == NAMES[:4]
        told = work(run)
    assert [event.step for event in told if event.state == "reused"] == NAMES[:4]
    assert [event.step for event in told if event.state == "started"] == NAMES[4:]


def test_a_changed_input_has_the_step_and_all_after_it_done_again(tmp_path: Path) -> None:
    """Other options, another model or a changed picture are other inputs."""
    with begin(tmp_path) as run:
        work(run, NAMES[:6])
        tools = {**run.plan.tools, "enlarger": replace(run.plan.tools["enlarger"], options={"seconds": 0.001})}
        told = work(replace(run, plan=replace(run.plan, tools=tools)))
        assert [event.step for event in told if event.state == "started"] == NAMES[NAMES.index("enlarge") :]
    with begin(tmp_path / "other") as run:
        work(run, NAMES[:6])
        enlarged = run.sketch_folder(1) / "enlarged.png"
        (run.sketch_folder(1) / "painting.png").replace(enlarged)
        told = work(run)
        assert next(event.step for event in told if event.state == "started") == "painting"


def test_a_step_that_raises_gives_up_its_own_sketch_only(tmp_path: Path) -> None:
    """The other sketches of the batch are finished, and the failure says where."""
    with begin(tmp_path, count=3, options={"enlarger": {"faults": {"/02/": "raise"}}}) as run:
        work(run)
        one, two, three = run.states()
    assert one.finished
    assert three.finished
    assert two.failure is not None
    assert (two.failure.step, two.failure.error) == ("enlarge", "StepCrashed")
    assert "told to fail" in two.failure.message


def test_running_out_of_memory_is_told_apart(tmp_path: Path) -> None:
    """A MemoryError is reported as what it is."""
    with begin(tmp_path, options={"captioner": {"faults": {"": "memory-error"}}}) as run:
        work(run)
        failure = run.load(1).failure
    assert failure is not None
    assert failure.error == "StepOutOfMemory"


def test_a_dropped_candidate_gives_way_to_the_next(tmp_path: Path) -> None:
    """Known fingerprints make the gate drop what was painted; new seeds are painted until one passes."""
    with begin(tmp_path / "first") as run:
        work(run)
        known = run.load(1).sketch.fingerprint
        gate_saw = run.load(1).sketch.painting_score
    assert known
    assert gate_saw == 1.0
    with begin(tmp_path / "second", known=(known,)) as run:
        told = work(run)
        sketch = run.load(1).sketch
    assert [event.step for event in told if event.state == "dropped"] == []
    assert sketch.fingerprint != known  # another style was enough
    assert run.load(1).finished


def test_a_picture_that_no_style_saves_is_painted_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the gate drops the restyled picture twice, the sketch goes back to its painting, with another seed."""
    from auria_bot.testing import FakeSafetyFilter

    judged: list[str] = []
    real = FakeSafetyFilter.judge

    def judge(self: FakeSafetyFilter, picture: Path, *, known: Any = ()) -> SafetyResult:
        verdict = real(self, picture, known=known)
        if picture.name == "styled.png" and len(judged) < 2:
            judged.append(picture.name)
            return replace(verdict, passed=False, reason="too near an earlier one")
        return verdict

    monkeypatch.setattr(FakeSafetyFilter, "judge", judge)
    with begin(tmp_path) as run:
        told = work(run)
        state = run.load(1)
    assert [event.step for event in told if event.state == "dropped"] == ["style"]
    assert [event.step for event in told if event.state == "done"].count("painting") == 2
    assert state.sketch.rejected == ("restyled: too near an earlier one",)
    assert state.finished


def test_when_every_picture_is_dropped_the_sketch_is_given_up(tmp_path: Path) -> None:
    """NoGoodPicture says how many were tried, and why the last was dropped."""
    with begin(tmp_path, options={"painter": {"faults": {"": "blank"}}}) as run:
        work(run)
        failure = run.load(1).failure
    assert failure is not None
    assert failure.error == "NoGoodPicture"
    assert "all 6 pictures" in failure.message
    assert "blank" in failure.message


def test_a_step_of_another_interpreter_is_left_for_it(tmp_path: Path) -> None:
    """A workshop does the steps it is given, and no later one; the next one goes on."""
    with begin(tmp_path, count=2) as run:
        work(run, ["poem", "mood", "enlarge", "style"])
        assert [len(state.done) for state in run.states()] == [2, 2]
        work(run, ["painting"])
        assert [len(state.done) for state in run.states()] == [3, 3]
        work(run, [name for name in NAMES if name != "painting"])
        assert all(state.finished for state in run.states())


def test_a_backend_is_configured_from_options_and_offers() -> None:
    """Options win over offers; an offer without a field is left out; an unknown option is named."""
    made = configure("painter", FakePainter, {"seconds": 1.0}, {"seconds": 2.0, "repaired": "x", "threads": 3})
    assert made == FakeConfig(seconds=1.0, repaired="x")
    with pytest.raises(SettingsError, match="no option 'colour'; known: seconds, faults, repaired"):
        configure("painter", FakePainter, {"colour": 1}, {})


def test_a_photorealistic_wish_reaches_the_style(tmp_path: Path) -> None:
    """The mode of the sketch is the mode of its style."""
    with begin(tmp_path) as run:
        state = run.load(1)
        run.save(replace(state, start=state.start.evolve(style_mode="photorealistic", wanted_style="fake-03")))
        work(run)
        style = run.load(1).sketch.style
    assert style is not None
    assert (style.mode, style.key) == ("photorealistic", "fake-03")


def test_steps_are_found_by_name() -> None:
    """An unknown step lists the known ones."""
    assert step_named("style").roles == ("stylist", "gate")
    with pytest.raises(Exception, match="known: poem, mood"):
        step_named("dance")


def test_a_resumed_batch_does_nothing_twice(tmp_path: Path) -> None:
    """Wherever a batch was left, every finished step of every sketch still holds."""
    for cut in range(1, len(NAMES)):
        with begin(tmp_path / str(cut), count=3) as run:
            work(run, NAMES[:cut])
            told = work(run)
        assert [event.state for event in told].count("reused") == 3 * cut
        assert [event.state for event in told].count("started") == 3 * (len(NAMES) - cut)


def test_a_picture_that_is_gone_is_made_again(tmp_path: Path) -> None:
    """What a finished step's result depended on cannot be read any more: the step before it is done anew."""
    with begin(tmp_path) as run:
        work(run, NAMES[: NAMES.index("style") + 1])
        (run.sketch_folder(1) / "enlarged.png").unlink()
        (run.sketch_folder(1) / "painting.png").unlink()
        told = work(run)
        assert run.load(1).finished
    assert "painting" in {event.step for event in told if event.state == "done"}


def test_a_given_picture_that_is_dropped_ends_its_sketch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be painted anew: it is the operator's."""
    from auria_bot.services.studio import step_runner
    from auria_bot.services.studio.run_store import GIVEN, CompletedStep
    from auria_bot.testing import FakeSafetyFilter

    with begin(tmp_path) as run:
        work(run, NAMES[: NAMES.index("enlarge") + 1])
        state = run.load(1)
        done = tuple(
            CompletedStep(**{**_fields(one), "key": GIVEN}) if one.step == "painting" else one for one in state.done
        )
        run.save(replace(state, done=done))
        judge = FakeSafetyFilter.judge

        def refuse(self: FakeSafetyFilter, picture: Path, *, known: Any = ()) -> SafetyResult:
            return replace(judge(self, picture, known=known), passed=False, reason="it is too bright")

        monkeypatch.setattr(FakeSafetyFilter, "judge", refuse)
        work(run)
        failure = run.load(1).failure
    assert failure is not None
    assert failure.error == "NoGoodPicture"
    assert step_runner.NoGoodPicture.__name__ == failure.error


def _fields(done: Any) -> dict[str, Any]:
    return {name: getattr(done, name) for name in type(done).__dataclass_fields__}


def test_a_plan_that_names_no_maker_fails_the_step(tmp_path: Path) -> None:
    """A plan of an older program may lack a role."""
    with begin(tmp_path) as run:
        tools = {role: tool for role, tool in run.plan.tools.items() if role != "painter"}
        work(replace(run, plan=replace(run.plan, tools=tools)))
        failure = run.load(1).failure
    assert failure is not None
    assert "names no painter" in failure.message


def test_a_finished_step_whose_maker_is_gone_is_done_again(tmp_path: Path) -> None:
    """And says in its own log what is wrong."""
    with begin(tmp_path) as run:
        work(run, NAMES[:2])
        tools = {**run.plan.tools, "poet": replace(run.plan.tools["poet"], name="nobody")}
        work(replace(run, plan=replace(run.plan, tools=tools)))
        failure = run.load(1).failure
    assert failure is not None
    assert failure.step == "poem"
    assert "nobody" in failure.message
