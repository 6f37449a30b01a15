"""A published pipeline is a whole copy of a checked file; what a program gives counts where the file says nothing."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.domain.pipeline import ROLES, ArtworkRequest
from auria_bot.errors import InputError, InvalidTransition, NotFound, StepFailed
from auria_bot.execution.work_unit import Requirements, UnitProgress, WorkUnit
from auria_bot.services.studio import published_pipelines as module
from auria_bot.services.studio.pipelines import PipelineRunner
from auria_bot.services.studio.plan import BackendSpec, Plan, StudioConfig
from auria_bot.services.studio.published_pipelines import PublishedPipelines
from auria_bot.services.studio.run_store import RunEvent
from auria_bot.testing import FakeClock
from tests.executors import RemoteLikeExecutor

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.services.studio.pipelines import Pipeline
    from auria_bot.services.studio.run_store import RunEvent

FILE = """
seed = 7
theme = "rain"
[steps.poem]
[steps.large]
step = "enlarge"
picture = "scan.png"
[steps.painted]
step = "style"
after = ["poem", "large"]
mood = "stormy"
"""


def runner() -> PipelineRunner:
    """One over fakes."""
    backends = {role: BackendSpec(name="fake") for role in ROLES}

    def plan(seed: int) -> Plan:
        return Plan(run="pipeline", seed=seed, request=ArtworkRequest(seed=seed), backends=backends, size=96)

    return PipelineRunner(RemoteLikeExecutor(), config=StudioConfig(backends=backends), plan=plan)


@pytest.fixture
def published(tmp_path: Path) -> PublishedPipelines:
    """Nothing is published; themes with "bad" in them must not be used."""
    return PublishedPipelines(
        folder=tmp_path / "pipelines",
        runner=runner,
        clock=FakeClock(),
        faults=lambda text: ["it is bad"] if "bad" in text else [],
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of the operator's, beside its picture."""
    Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(tmp_path / "scan.png")
    (tmp_path / "own.toml").write_text(FILE, encoding="utf-8")
    return tmp_path / "own.toml"


def test_what_was_published_needs_nothing_of_the_operators(published: PublishedPipelines, file: Path):
    """The file and its picture are copied; it runs when both are gone, and gives pictures and words by step."""
    made = published.publish(file, "postcard")
    assert made.steps[-1] == ("painted", "style")
    assert published.list() == (made,)
    file.unlink()
    (file.parent / "scan.png").unlink()
    events: list[RunEvent] = []
    done = published.run("postcard", published.prepare("postcard", {}), "key1", report=events.append)
    assert done == published.outcome("key1", of="postcard")
    found = {step.name: step for step in done.steps}
    assert done.seed == 7
    assert len(found["poem"].found["haiku"]["lines"]) == 3
    assert found["painted"].pictures == ("painted-styled.png",)
    with Image.open(published.picture("key1", "painted-styled.png", of="postcard")) as picture:
        assert picture.format == "PNG"
    assert [(event.step, event.state) for event in events if event.step == "painted"] == [
        ("painted", "started"),
        ("painted", "done"),
    ]
    assert not list((file.parent / "pipelines" / ".runs").glob(".new*"))


def test_what_is_given_counts_where_the_file_says_nothing_of_a_step(published: PublishedPipelines, file: Path):
    """Theme and seed are replaced, the mood of one step stays, and what cannot be used is refused before anything runs."""
    published.publish(file, "postcard")
    chosen = published.prepare("postcard", {"theme": "snow", "mood": "serene", "seed": 3})
    options = {step.name: step.options for step in chosen.steps}
    assert chosen.seed == 3
    assert (options["poem"]["theme"], options["poem"]["mood"], options["painted"]["mood"]) == (
        "snow",
        "serene",
        "stormy",
    )
    with pytest.raises(InputError, match="the theme cannot be used: it is bad"):
        published.prepare("postcard", {"theme": "bad"})
    with pytest.raises(InputError, match="a poem has three lines"):
        published.prepare("postcard", {"poem": "one line"})
    with pytest.raises(NotFound, match="auria pipeline list"):
        published.prepare("other", {})


def test_names_and_replacing(published: PublishedPipelines, file: Path):
    """A name is taken once unless it is replaced; unpublished it is gone, and no name leads out."""
    published.publish(file, "postcard")
    with pytest.raises(InvalidTransition, match="--replace"):
        published.publish(file, "postcard")
    file.write_text("[steps.poem]\n", encoding="utf-8")
    assert published.publish(file, "postcard", replace=True).steps == (("poem", "poem"),)
    published.unpublish("postcard")
    assert published.list() == ()
    for name in ("../x", "", "UPPER", ".runs"):
        with pytest.raises(InputError, match="is no name for a pipeline"):
            published.publish(file, name)
    with pytest.raises(NotFound):
        published.unpublish("postcard")
    file.write_text("[steps.style]\n", encoding="utf-8")
    with pytest.raises(InputError, match="needs"):
        published.publish(file, "broken")
    assert published.list() == ()


def test_a_replacement_that_was_broken_off_takes_nothing_away(
    published: PublishedPipelines, file: Path, tmp_path: Path
):
    """Between its two renames the pipeline before is served, listed, replaced and taken away as any other."""
    made = published.publish(file, "postcard")
    place, old = tmp_path / "pipelines" / "postcard", tmp_path / "pipelines" / ".old-postcard"
    place.rename(old)
    assert published.list() == (made,)
    assert published.prepare("postcard", {}).seed == 7
    with pytest.raises(InvalidTransition, match="there is a pipeline postcard already"):
        published.publish(file, "postcard")
    published.publish(file, "postcard", replace=True)
    assert place.is_dir()
    assert not old.exists()
    place.rename(old)
    published.unpublish("postcard")
    assert published.list() == ()
    published.publish(file, "postcard")
    shutil.copytree(place, old)  # as if the replacement had been broken off at its very end
    published.unpublish("postcard")
    assert published.list() == ()
    assert [path.name for path in (tmp_path / "pipelines").iterdir()] == [".lock"]


def test_pipelines_are_published_one_at_a_time(published: PublishedPipelines, file: Path, tmp_path: Path):
    """Of many at once each finishes, and the last one is whole."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: published.publish(file, "postcard", replace=True), range(24)))
    assert {one.name for one in made} == {"postcard"}
    assert len(published.list()) == 1
    assert sorted(path.name for path in (tmp_path / "pipelines").iterdir()) == [".lock", "postcard"]


def test_results_of_the_latest_runs_are_kept(
    published: PublishedPipelines, file: Path, monkeypatch: pytest.MonkeyPatch
):
    """Older ones give way; a failed run leaves nothing; a result belongs to its pipeline."""
    monkeypatch.setattr(module, "_MOST", 2)
    file.write_text("[steps.poem]\n", encoding="utf-8")
    published.publish(file, "verse")
    for number in range(3):
        published.run("verse", published.prepare("verse", {"seed": number}), f"key{number}")
        os.utime(file.parent / "pipelines" / ".runs" / f"key{number}", (number, number))
    published.run("verse", published.prepare("verse", {"seed": 9}), "key9")
    with pytest.raises(NotFound, match="the latest 2 are kept"):
        published.outcome("key0", of="verse")
    with pytest.raises(NotFound):
        published.outcome("key9", of="postcard")
    with pytest.raises(NotFound):
        published.picture("key9", "../published.json", of="verse")
    chosen = published.prepare("verse", {})
    monkeypatch.setattr(PipelineRunner, "run", lambda *_, **__: (_ for _ in ()).throw(StepFailed("the paper tore")))
    with pytest.raises(StepFailed):
        published.run("verse", chosen, "torn")
    assert sorted(path.name for path in (file.parent / "pipelines" / ".runs").iterdir()) == ["key2", "key9"]


def test_a_pipeline_whose_facts_are_damaged_is_told(published: PublishedPipelines, file: Path, tmp_path: Path):
    """With what to do."""
    published.publish(file, "postcard")
    (facts,) = (tmp_path / "pipelines" / "postcard").glob("*.json")
    facts.write_text("{", encoding="utf-8")
    with pytest.raises(NotFound, match="postcard is damaged; publish it again with --replace"):
        published.get("postcard")


@pytest.mark.parametrize("damaged", ["pipeline.toml", "published.json"])
@pytest.mark.parametrize("content", [None, "[steps"])
def test_a_pipeline_that_cannot_be_read_can_be_taken_away(
    published: PublishedPipelines, file: Path, tmp_path: Path, damaged: str, content: str | None
):
    """What lies outside the folder of pipelines, or is none, cannot."""
    published.publish(file, "postcard")
    kept = tmp_path / "pipelines" / "postcard" / damaged
    kept.unlink()
    if content is not None:
        kept.write_text(content, encoding="utf-8")
    published.unpublish("postcard")
    assert not kept.parent.exists()
    for name in ("postcard", "../pipelines", ".", ".lock"):
        with pytest.raises(NotFound, match="there is no pipeline"):
            published.unpublish(name)


def test_a_pipeline_that_cannot_be_read_hides_no_other(
    published: PublishedPipelines,
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    """It is left out of the list and logged by its name, also where it is taken away in that moment."""
    for name in ("broken", "damaged", "gone", "postcard"):
        published.publish(file, name)
    (tmp_path / "pipelines" / "broken" / "pipeline.toml").write_text("[steps", encoding="utf-8")
    (tmp_path / "pipelines" / "damaged" / "published.json").write_text("[]", encoding="utf-8")
    prepare = PublishedPipelines.prepare

    def overtaken(self: PublishedPipelines, name: str, given: dict[str, str]) -> Pipeline:
        if name == "gone":
            shutil.rmtree(tmp_path / "pipelines" / name)
        return prepare(self, name, given)

    monkeypatch.setattr(PublishedPipelines, "prepare", overtaken)
    assert [one.name for one in published.list()] == ["postcard"]
    messages = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [message.split(" is left out")[0] for message in messages] == [
        "Pipeline 'broken'",
        "Pipeline 'damaged'",
        "Pipeline 'gone'",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("[steps", "pipeline postcard is not valid TOML"),
        ("seed = 7", "pipeline postcard names no steps"),
        ("season = 1\n[steps.poem]", "pipeline postcard: there is no setting 'season'"),
        ("[steps.large]\nstep = 'enlarge'\npicture = 'none.png'", "there is no file none.png of pipeline postcard"),
    ],
)
def test_errors_name_the_pipeline_instead_of_its_path(
    published: PublishedPipelines, file: Path, tmp_path: Path, change: str, message: str
):
    """They reach programs, which need not know where the server keeps it."""
    published.publish(file, "postcard")
    (tmp_path / "pipelines" / "postcard" / "pipeline.toml").write_text(change, encoding="utf-8")
    with pytest.raises((InputError, NotFound), match=message) as raised:
        published.get("postcard")
    assert str(tmp_path) not in str(raised.value)


def test_what_a_step_shows_meanwhile_is_no_event_of_a_run():
    """Layers of strokes are for the live studio."""
    unit = WorkUnit(
        name="painted",
        order=(4, 1),
        function="a:b",
        request={},
        state={},
        group="painted",
        requirements=Requirements(),
        deadline=5.0,
    )
    told: list[RunEvent] = []
    tell = module._told_to(told.append)
    assert tell is not None
    tell(UnitProgress(unit=unit, facts={"layer": 1}, files={}))
    assert told == []
