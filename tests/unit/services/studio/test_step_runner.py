"""The steps of a run, worked through by an executor that gets nothing but the units."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.artwork import Artwork, ArtworkInProgress
from auria_bot.domain.pipeline import ROLES, STEPS, ArtworkRequest, provenance_name
from auria_bot.execution.work_unit import Requirements
from auria_bot.services.studio import step_worker
from auria_bot.services.studio.plan import GIVEN, ArtworkState, BackendSpec, Plan, StudioConfig, artwork_seed
from auria_bot.services.studio.run_store import RunStore
from auria_bot.services.studio.step_runner import StepRunner
from auria_bot.testing import FakeSafetyFilter
from tests.executors import RemoteLikeExecutor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.domain.interfaces import SafetyResult
    from auria_bot.execution.work_unit import UnitEvent
    from auria_bot.services.studio.run_store import Run, RunEvent

NAMES = [step.name for step in STEPS]


@pytest.fixture(autouse=True)
def _memory_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here steps share the process with all other tests, whose memory takes half a second to search after each."""
    monkeypatch.setattr(step_worker, "_return_memory", lambda: None)


def begin(folder: Path, *, count: int = 1, seed: int = 7, options: dict[str, Any] | None = None, **changes: Any) -> Run:
    """A run of fakes, ready to be worked on."""
    backends = {
        role: BackendSpec(name="fake", options=(options or {}).get(role, {}), models=str(folder)) for role in ROLES
    }
    request = ArtworkRequest(count=count)
    plan = Plan(run="run", seed=seed, request=request, backends=backends, candidates=2, rounds=3, **changes)
    states = [
        ArtworkState(number=number, start=ArtworkInProgress(key=f"{number:02d}", seed=artwork_seed(seed, number)))
        for number in range(1, count + 1)
    ]
    return RunStore(folder).create(plan, states)


class Interrupted(Exception):
    """The run was interrupted."""


class _Interrupting(RemoteLikeExecutor):
    """Stops when a step is about to begin."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self._step = step

    def events(self) -> Iterator[UnitEvent]:
        for event in super().events():
            if event.unit.state["step"] == self._step:
                raise Interrupted
            yield event


def work(run: Run, until: str | None = None, *, is_watched: bool = False, **executor: Any) -> list[RunEvent]:
    """Work through the run in this process, or until a step is about to begin; what was reported."""
    events: list[RunEvent] = []
    chosen = _Interrupting(until) if until else RemoteLikeExecutor(**executor)
    config = StudioConfig(backends={}, deadline=20.0)
    runner = StepRunner(run, chosen, config=config, report=events.append, is_watched=is_watched)
    if until is None:
        runner.work()
        return events
    with pytest.raises(Interrupted):
        runner.work()
    return events


def test_a_request_becomes_an_artwork(tmp_path: Path) -> None:
    """After the last step nothing is missing, and every backend's models are named by their hashes."""
    with begin(tmp_path) as run:
        events = work(run)
        state = run.load(1)
    artwork = Artwork.finished(state.artwork)
    assert state.finished
    assert [event.step for event in events if event.state == "done"] == NAMES
    assert {name.partition(":")[0] for name, _ in artwork.models} == {provenance_name(role) for role in ROLES}
    assert artwork.mood_source == "read"
    assert [step for step, _ in state.artwork.seconds] == NAMES


def test_files_are_recorded_with_hash_and_size(tmp_path: Path) -> None:
    """They are what is on the disk, and the events name each step's new ones."""
    with begin(tmp_path) as run:
        events = work(run)
        files = run.load(1).artwork.files
        assert {kind: file.size for kind, file in files.items()} == {
            kind: (run.artwork_folder(1) / file.name).stat().st_size for kind, file in files.items()
        }
    assert list(files) == ["painting", "enlarged", "styled", "full", "post", "card"]
    found = {event.step: list(event.files) for event in events if event.files}
    assert found == {
        "painting": ["painting"],
        "enlarge": ["enlarged"],
        "style": ["styled"],
        "finish": ["full", "post", "card"],
    }


def test_the_batch_passes_through_each_step(tmp_path: Path) -> None:
    """Where one worker does everything, all artworks are at the same step, so each model is needed at one time only."""
    with begin(tmp_path, count=3) as run:
        events = [event.step for event in work(run) if event.state == "done"]
    assert events == [name for name in NAMES for _ in range(3)]


def test_artworks_of_a_batch_avoid_each_other(tmp_path: Path) -> None:
    """Poems, styles and pictures of one run are all different."""
    with begin(tmp_path, count=6) as run:
        work(run)
        artworks = [state.artwork for state in run.states()]
    assert len({artwork.haiku for artwork in artworks}) == 6
    assert len({artwork.style.key for artwork in artworks if artwork.style}) == 6
    assert len({artwork.fingerprint for artwork in artworks}) == 6


def test_the_order_of_work_changes_nothing(tmp_path: Path) -> None:
    """Whichever of the ready units an executor takes first, the artworks are the same, byte for byte."""
    with begin(tmp_path / "one", count=4) as one, begin(tmp_path / "other", count=4) as other:
        first, last = work(one), work(other, last_first=True)
        assert [event.step for event in first] != [event.step for event in last]
        for number in range(1, 5):
            assert Artwork.finished(one.load(number).artwork) == Artwork.finished(other.load(number).artwork)


def test_the_first_artwork_of_a_batch_is_that_of_a_single_run(tmp_path: Path) -> None:
    """What comes later in a batch changes nothing of what comes before."""
    with begin(tmp_path / "one") as one, begin(tmp_path / "many", count=3) as many:
        work(one)
        work(many)
        assert Artwork.finished(one.load(1).artwork) == Artwork.finished(many.load(1).artwork)
        assert (one.artwork_folder(1) / "post.jpg").read_bytes() == (many.artwork_folder(1) / "post.jpg").read_bytes()


def test_a_resumed_batch_does_nothing_twice(tmp_path: Path) -> None:
    """Wherever a batch was left, every completed step of every artwork still holds."""
    for cut in range(1, len(NAMES)):
        with begin(tmp_path / str(cut), count=3) as run:
            work(run, until=NAMES[cut])
            events = work(run)
        assert [event.step for event in events if event.state == "reused"].count(NAMES[0]) == 3
        assert [event.state for event in events].count("reused") == 3 * cut
        assert [event.state for event in events].count("done") == 3 * (len(NAMES) - cut)


def test_a_changed_input_has_the_step_and_all_after_it_done_again(tmp_path: Path) -> None:
    """Other options, another model or a changed file are other inputs."""
    with begin(tmp_path) as run:
        work(run, until="words")
        enlarger = replace(run.plan.backends["enlarger"], options={"seconds": 0.001})
        changed = replace(run.plan, backends={**run.plan.backends, "enlarger": enlarger})
        events = work(replace(run, plan=changed))
        assert [event.step for event in events if event.state == "done"] == NAMES[NAMES.index("enlarge") :]
    with begin(tmp_path / "other") as run:
        work(run, until="words")
        (run.artwork_folder(1) / "enlarged.png").write_bytes((run.artwork_folder(1) / "painting.png").read_bytes())
        events = work(run)
        assert next(event.step for event in events if event.state == "done") == "enlarge"


def test_a_file_that_is_gone_is_made_again(tmp_path: Path) -> None:
    """The step that wrote it is performed anew."""
    with begin(tmp_path) as run:
        work(run, until="caption")
        (run.artwork_folder(1) / "enlarged.png").unlink()
        (run.artwork_folder(1) / "painting.png").unlink()
        events = work(run)
        assert run.load(1).finished
    assert {"painting", "enlarge"} <= {event.step for event in events if event.state == "done"}


def test_a_step_that_raises_costs_its_own_artwork_only(tmp_path: Path) -> None:
    """The other artworks of the batch are finished, and the failure says where."""
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


def test_a_known_picture_gets_another_style(tmp_path: Path) -> None:
    """A fingerprint that is known already makes the safety filter reject the restyled picture; another style is tried."""
    with begin(tmp_path / "first") as run:
        work(run)
        known = run.load(1).artwork.fingerprint
    assert known
    with begin(tmp_path / "second", fingerprints=(known,)) as run:
        events = work(run)
        artwork = run.load(1).artwork
        assert run.load(1).finished
    assert [event.step for event in events if event.state == "rejected"] == []
    assert artwork.fingerprint != known


def test_a_picture_that_no_style_saves_is_painted_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the restyled picture is rejected twice, the artwork goes back to its painting, with another seed."""
    judged: list[str] = []
    judge = FakeSafetyFilter.judge

    def reject(self: FakeSafetyFilter, picture: Path, *, known: Any = ()) -> SafetyResult:
        result = judge(self, picture, known=known)
        if picture.name == "styled.png" and len(judged) < 2:
            judged.append(picture.name)
            return replace(result, passed=False, reason="too near an earlier one")
        return result

    monkeypatch.setattr(FakeSafetyFilter, "judge", reject)
    with begin(tmp_path) as run:
        events = work(run)
        state = run.load(1)
    assert [event.step for event in events if event.state == "rejected"] == ["style"]
    assert [event.step for event in events if event.state == "done"].count("painting") == 2
    assert state.artwork.rejected == ("restyled: too near an earlier one",)
    assert state.finished


def test_when_every_picture_is_rejected_the_artwork_is_given_up(tmp_path: Path) -> None:
    """NoGoodPicture says how many were tried, and why the last was rejected."""
    with begin(tmp_path, options={"painter": {"faults": {"": "blank"}}}) as run:
        work(run)
        failure = run.load(1).failure
    assert failure is not None
    assert failure.error == "NoGoodPicture"
    assert "all 6 pictures" in failure.message
    assert "blank" in failure.message


def test_a_given_picture_that_is_rejected_ends_its_artwork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be painted anew: it is the operator's."""
    judge = FakeSafetyFilter.judge

    def reject(self: FakeSafetyFilter, picture: Path, *, known: Any = ()) -> SafetyResult:
        return replace(judge(self, picture, known=known), passed=False, reason="it is too bright")

    with begin(tmp_path) as run:
        work(run, until="style")
        state = run.load(1)
        done = tuple(replace(step, key=GIVEN) if step.step == "painting" else step for step in state.done)
        run.save(replace(state, done=done))
        monkeypatch.setattr(FakeSafetyFilter, "judge", reject)
        work(run)
        failure = run.load(1).failure
    assert failure is not None
    assert failure.error == "NoGoodPicture"


def test_a_requested_mode_reaches_the_style(tmp_path: Path) -> None:
    """The mode of the artwork is the mode of its style."""
    with begin(tmp_path) as run:
        state = run.load(1)
        run.save(replace(state, start=state.start.evolve(style_mode="photorealistic", wanted_style="fake-03")))
        work(run)
        style = run.load(1).artwork.style
    assert style is not None
    assert (style.mode, style.key) == ("photorealistic", "fake-03")


def test_a_step_announces_those_that_the_same_process_performs(tmp_path: Path) -> None:
    """One that asks for other compute, or for another interpreter, has a process of its own."""
    run = begin(tmp_path)
    backends = {**run.plan.backends, "captioner": replace(run.plan.backends["captioner"], python="/opt/python")}
    config = StudioConfig(backends={}, requirements={"style": Requirements(gpus=1.0)})
    runner = StepRunner(
        replace(run, plan=replace(run.plan, backends=backends)), RemoteLikeExecutor(), config=config, report=print
    )
    assert runner._following(STEPS[0]) == ["mood", "painting", "enlarge", "words", "finish"]
    assert runner._following(STEPS[-1]) == []


def test_a_plan_that_names_no_backend_fails_the_step(tmp_path: Path) -> None:
    """The message names the role."""
    with begin(tmp_path) as run:
        backends = {role: backend for role, backend in run.plan.backends.items() if role != "painter"}
        work(replace(run, plan=replace(run.plan, backends=backends)))
        failure = run.load(1).failure
    assert failure is not None
    assert "names no painter" in failure.message


def test_a_completed_step_whose_backend_is_gone_fails(tmp_path: Path) -> None:
    """It cannot be checked, nor performed anew."""
    with begin(tmp_path) as run:
        work(run, until="painting")
        poet = replace(run.plan.backends["poet"], name="nobody")
        work(replace(run, plan=replace(run.plan, backends={**run.plan.backends, "poet": poet})))
        failure = run.load(1).failure
    assert failure is not None
    assert failure.step == "poem"
    assert "nobody" in failure.message


def test_events_are_kept_with_the_run(tmp_path: Path) -> None:
    """In order, across interruptions, and readable from any position on."""
    with begin(tmp_path, count=2) as run:
        first = work(run, until="painting")
        second = work(run)
    runs = RunStore(tmp_path)
    assert runs.events("run") == (*first, *second)
    assert runs.events("run", after=len(first)) == tuple(second)
    assert [event.position for event in runs.events("run")] == list(range(1, len(first) + len(second) + 1))


def test_a_watched_run_shows_what_there_is_so_far(tmp_path: Path) -> None:
    """Poem, mood and alt text with the steps that wrote them, each layer of strokes; the artwork is the same."""
    with begin(tmp_path / "a") as run:
        unwatched = work(run)
        expected = Artwork.finished(run.load(1).artwork)
    with begin(tmp_path / "b") as run:
        events = work(run, is_watched=True)
        assert Artwork.finished(run.load(1).artwork) == expected
        layers = [event for event in events if event.state == "progress"]
        assert [(event.step, dict(event.facts)) for event in layers] == [
            ("style", {"layer": 1, "layers": 2}),
            ("style", {"layer": 2, "layers": 2}),
        ]
        assert all((run.artwork_folder(1) / event.files["layer"].name).is_file() for event in layers)
    assert not [event for event in unwatched if event.state == "progress"]
    facts = {event.step: event.facts for event in events if event.state == "done"}
    assert facts["poem"]["lines"] == list(expected.haiku.lines)
    assert facts["mood"]["mood"] == expected.mood
    assert facts["style"]["style"] == expected.style.credit
    assert facts["words"]["alt_text"] == expected.alt_text


def test_a_resumed_run_shows_again_what_it_reuses(tmp_path: Path) -> None:
    """So whoever watches only the second part sees the whole."""
    with begin(tmp_path) as run:
        work(run, "enlarge")
        events = work(run)
    reused = {event.step: event for event in events if event.state == "reused"}
    assert len(reused["poem"].facts["lines"]) == 3
    assert reused["painting"].files["painting"].name == "painting.png"
