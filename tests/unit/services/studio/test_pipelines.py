"""An operator's own order of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.domain.interfaces import SafetyResult
from auria_bot.domain.pipeline import ROLES, STEPS, ArtworkRequest
from auria_bot.errors import InputError, NoGoodPicture, NotFound, StepCrashed, UnknownName
from auria_bot.execution.work_unit import UnitFinished
from auria_bot.services.studio.pipelines import NEEDS, Pipeline, PipelineRunner, PipelineStep, StepResult
from auria_bot.services.studio.plan import BackendSpec, Plan, StudioConfig
from auria_bot.testing import FakeSafetyFilter
from tests.executors import RemoteLikeExecutor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auria_bot.execution.work_unit import UnitEvent


def read(folder: Path, text: str) -> Pipeline:
    """The pipeline of a file with that text, beside a picture."""
    Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(folder / "scan.png")
    (folder / "own.toml").write_text(text, encoding="utf-8")
    return Pipeline.read(folder / "own.toml")


def run(
    pipeline: Pipeline, folder: Path, *, report: Callable[[UnitEvent], None] | None = None, **faults: str
) -> dict[str, StepResult]:
    """Run it with fakes, of which some have a fault in every call."""
    backends = {
        role: BackendSpec(name="fake", options={"faults": {"": faults[role]}} if role in faults else {})
        for role in ROLES
    }

    def plan(seed: int) -> Plan:
        return Plan(run="pipeline", seed=seed, request=ArtworkRequest(seed=seed), backends=backends, size=96)

    runner = PipelineRunner(RemoteLikeExecutor(), config=StudioConfig(backends=backends), plan=plan)
    (folder / "scratch").mkdir()
    return {result.name: result for result in runner.run(pipeline, folder / "scratch", report=report)}


BRANCHES = """
seed = 7
theme = "rain"
[steps.poem]
[steps.feeling]
step = "mood"
after = "poem"
[steps.large]
step = "enlarge"
picture = "scan.png"
[steps.one]
step = "style"
after = ["feeling", "large"]
style = "fake-03"
[steps.other]
step = "style"
after = ["feeling", "large"]
mode = "ink"
"""


def test_steps_branch_and_join(tmp_path: Path) -> None:
    """Two styles of one picture, with the mood of one poem; the same seed gives the same bytes."""
    found = run(read(tmp_path, BRANCHES), tmp_path)
    assert found["one"].changes["style"]["key"] == "fake-03"
    assert found["other"].changes["style"]["mode"] == "ink"
    assert found["one"].files["styled"] == tmp_path / "scratch" / "one" / "styled.png"
    assert found["large"].files["enlarged"].is_file()
    again = tmp_path / "again"
    again.mkdir()
    other = run(read(again, BRANCHES), again)
    assert other["other"].files["styled"].read_bytes() == found["other"].files["styled"].read_bytes()


def test_what_is_given_takes_the_place_of_a_step() -> None:
    """A poem and a mood."""
    step = PipelineStep(name="painting", step="painting", options={"poem": "a / b / c", "mood": "stormy"})
    assert Pipeline.single(step, seed=3).seed == 3


def test_a_mood_that_is_given_is_that_of_the_picture(tmp_path: Path) -> None:
    """Nothing reads it from the poem; what happens is reported on the way."""
    step = PipelineStep(name="painting", step="painting", options={"poem": "a / b / c", "mood": "stormy"})
    seen: list[UnitEvent] = []
    assert run(Pipeline.single(step, seed=3), tmp_path, report=seen.append)["painting"].files["painting"].is_file()
    finished = next(event for event in seen if isinstance(event, UnitFinished))
    assert finished.unit.state["artwork"]["mood"] == "stormy"
    assert finished.unit.state["artwork"]["mood_source"] == "given"


def test_a_picture_that_every_style_makes_unfit_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason of the safety filter; a pipeline paints no other one."""
    reason = SafetyResult(passed=False, reason="it is too bright", nudity=0.0, fingerprint="0" * 16)
    monkeypatch.setattr(FakeSafetyFilter, "judge", lambda *_, **__: reason)
    with pytest.raises(NoGoodPicture, match=r"step '(one|other)': the picture was rejected \(.*it is too bright"):
        run(read(tmp_path, BRANCHES), tmp_path)


def test_a_single_step_gets_what_is_given(tmp_path: Path) -> None:
    """Its mood is read from the poem that was given."""
    step = PipelineStep(name="mood", step="mood", options={"poem": "a\nb\nc"})
    found = run(Pipeline.single(step), tmp_path)
    assert set(found["mood"].changes) >= {"mood", "mood_source"}


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", InputError, "names no steps"),
        ("steps = 3", InputError, "names no steps"),
        ("[steps.a]\nstep = 'paint'", UnknownName, "no step named 'paint'; known: poem, mood, painting"),
        ("[steps.a]\nstep = 'poem'\nafter = 'b'", UnknownName, "is after 'b', which is not there; others: none"),
        ("[steps.poem]\nafter = 5", InputError, "step 'poem': after is the name of a step, or a list"),
        ("[steps.mood]", InputError, r"needs a poem: let it come after a step 'poem', or give a poem"),
        ("[steps.enlarge]", InputError, r"the picture 'painting': let it come after a step 'painting', or give a pict"),
        (
            "[steps.a]\nstep='mood'\nafter='b'\npoem='a/b/c'\n[steps.b]\nstep='mood'\nafter='a'\npoem='a/b/c'",
            InputError,
            "wait for each other",
        ),
        ("[steps.caption]\npicture = 'none.png'", NotFound, "there is no file"),
        ("[steps.poem]\npicture = 'scan.png'", InputError, "works on no picture"),
        ("[steps.poem]\nstyles = 'x'", InputError, "no setting 'styles'; known: step, after"),
        ("colour = 1\n[steps.poem]", InputError, "no setting 'colour'"),
        ("seed = -1\n[steps.poem]", InputError, "the seed -1 is out of range"),
        ("[steps.'../a']\nstep = 'poem'", InputError, "a name has letters"),
        ("[steps.mood]\npoem = 'a / b'", InputError, "this one has 2"),
        ("[steps.painting]\npoem = 'a/b/c'\nmood = 'sleepyish'", UnknownName, "sleepyish"),
        ("[steps.poem]\nmode = 'chalk'", InputError, "no mode named 'chalk'; known: oil"),
        ("[steps.poem]\nstrength = 2", InputError, "strength 2 is out of range"),
        ("[steps", InputError, "not valid TOML"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_runs(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    """The message names the step, and what is possible."""
    with pytest.raises(error, match=message):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Before anything else."""
    with pytest.raises(NotFound, match=r"own\.toml cannot be read"):
        Pipeline.read(tmp_path / "own.toml")


def test_a_step_that_fails_is_named(tmp_path: Path) -> None:
    """The error is its own, and does not say that something can be resumed."""
    with pytest.raises(StepCrashed, match=r"step '(one|other)': RuntimeError") as caught:
        run(read(tmp_path, BRANCHES), tmp_path, stylist="raise")
    assert caught.value.hint == ""


def test_the_table_of_needs_has_every_step() -> None:
    """In their order."""
    assert tuple(NEEDS) == tuple(step.name for step in STEPS)
