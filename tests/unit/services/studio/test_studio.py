"""The studio, end to end, with fakes for makers and everything else real."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.artwork import Artwork, Style
from auria_bot.domain.draft import DraftState
from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.errors import InputError, InvalidTransition, NoGoodPicture, NotFound, TextRejected, UnknownName
from auria_bot.execution.local import ChildProcessExecutor
from auria_bot.services.studio.plan import draw_mood
from auria_bot.services.studio.run_store import Run
from tests.applications import fake_application
from tests.engaged import add_sent
from tests.factories import NOW

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.errors import AuriaError
    from auria_bot.services.studio.run_store import RunEvent


def files_of(application: Application, folder: str) -> dict[str, bytes]:
    """A draft's pictures."""
    return {path.name: path.read_bytes() for path in (application.pictures.root / folder).iterdir()}


def test_a_run_becomes_drafts_and_leaves_nothing_behind(application: Application) -> None:
    """Each draft has its pictures, waits for review, and the workspace is empty again."""
    events: list[RunEvent] = []
    made = application.studio.make(ArtworkRequest(count=2, theme="fog", mood="lonely"), progress=events.append)
    assert [draft.state for draft in made.drafts] == [DraftState.MADE] * 2
    assert [draft.artwork.theme for draft in made.drafts] == ["fog", "fog"]
    assert {(draft.artwork.mood, draft.artwork.mood_source) for draft in made.drafts} == {("lonely", "given")}
    for draft in made.drafts:
        assert sorted(files_of(application, draft.folder)) == ["card.jpg", "full.png", "painting.png", "post.jpg"]
    assert application.runs.names() == []
    assert application.runs.events(made.run) == tuple(events)
    assert application.review.drafts() == tuple(reversed(made.drafts))
    assert {event.artwork for event in events} == {1, 2}
    assert dict(made.steps).keys() >= {"poem", "finish"}


def test_the_same_seed_makes_the_same_artwork_in_the_same_home(application: Application) -> None:
    """The same seed gives the same bytes although an equal artwork exists already."""
    first = application.studio.make(ArtworkRequest(seed=11, theme="fog")).drafts[0]
    application.studio.make(ArtworkRequest(count=2))
    second = application.studio.make(ArtworkRequest(seed=11, theme="fog")).drafts[0]
    assert first.artwork == second.artwork
    assert files_of(application, first.folder) == files_of(application, second.folder)
    assert first.id != second.id


def test_without_a_seed_one_is_drawn_and_recorded_and_the_past_is_avoided(application: Application) -> None:
    """Every run is new: other seeds, poems, styles and pictures."""
    drafts = [application.studio.make(ArtworkRequest()).drafts[0] for _ in range(3)]
    assert len({draft.artwork.seed for draft in drafts}) == 3
    assert len({draft.artwork.haiku for draft in drafts}) == 3
    assert len({draft.artwork.style.key for draft in drafts}) == 3
    assert len({draft.artwork.fingerprint for draft in drafts}) == 3


def test_a_mood_can_be_drawn(application: Application) -> None:
    """It is recorded that it was drawn."""
    artwork = application.studio.make(ArtworkRequest(mood="draw", seed=3)).drafts[0].artwork
    assert (artwork.mood, artwork.mood_source) == (draw_mood(3), "drawn")


def test_a_season_chooses_the_theme(application: Application) -> None:
    """The same seed chooses the same one; an unknown season is refused with the known ones."""
    request = application.studio.with_theme(ArtworkRequest(season="Winter", seed=3))
    made = application.studio.make(ArtworkRequest(season="winter", seed=3)).drafts[0]
    assert made.artwork.theme == request.theme
    assert request.season == "winter"
    with pytest.raises(UnknownName, match="spring"):
        application.studio.make(ArtworkRequest(season="monsoon"))


def _let_them_love(application: Application, mood: str, style: str) -> None:
    """A past in which followers loved one mood and one painting, and cared little for all else."""
    with application.store.begin() as unit:
        for number in range(1, 61):
            loved, at = number <= 30, NOW - timedelta(days=number)
            changes = {"mood": mood, "style": Style(key=style, title="T", artist="A", year="")} if loved else {}
            add_sent(unit, number, at=at, likes=500 if loved else 5, age=timedelta(days=7), **changes)


def test_what_was_loved_is_felt_again(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a request, the mood is drawn by what followers loved, and the loved painting comes first."""
    monkeypatch.setattr("auria_bot.services.studio.planner.new_seed", lambda: 2026)
    _let_them_love(application, "stormy", "fake-07")
    drafts = application.studio.make(ArtworkRequest(count=8)).drafts
    learned = [draft.artwork.mood for draft in drafts if draft.artwork.mood_source == "learned"]
    assert len(learned) >= 2
    assert learned.count("stormy") >= len(learned) / 2
    assert {draft.artwork.mood_source for draft in drafts} <= {"learned", "read"}
    assert drafts[0].artwork.style.key == "fake-07"
    seasonal = application.studio.make(ArtworkRequest(count=8, theme="first frost", season="winter")).drafts
    assert "learned" in {draft.artwork.mood_source for draft in seasonal}


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ({"mood": "serene"}, "given"),
        ({"mood": "read"}, "read"),
        ({"mood": "draw"}, "drawn"),
        ({"seed": 5}, "read"),
        ({"theme": "fog"}, "read"),
    ],
)
def test_what_is_asked_for_goes_before_preferences(
    application: Application, given: dict[str, Any], source: str
) -> None:
    """A mood, theme or seed of the operator's is followed as if nothing had been loved."""
    _let_them_love(application, "stormy", "fake-07")
    drafts = application.studio.make(ArtworkRequest(count=3, **given)).drafts
    assert {draft.artwork.mood_source for draft in drafts} == {source}


def test_a_seed_makes_the_same_whatever_was_loved(application: Application) -> None:
    """Learning changes nothing about a given seed, nor about a given painting."""
    before = application.studio.make(ArtworkRequest(seed=5)).drafts[0].artwork
    _let_them_love(application, "stormy", "fake-07")
    assert application.studio.make(ArtworkRequest(seed=5)).drafts[0].artwork == before
    assert application.studio.make(ArtworkRequest(style="fake-03")).drafts[0].artwork.style.key == "fake-03"


def test_the_strength_is_as_it_was_asked_for(application: Application) -> None:
    """Also where the draft is restyled, until another mood or strength is asked for."""
    draft = application.studio.make(ArtworkRequest(strength=0.3, seed=1)).drafts[0]
    assert draft.artwork.style.strength == 0.3
    assert application.studio.restyle(draft, ArtworkRequest()).drafts[0].artwork.style.strength == 0.3
    assert application.studio.restyle(draft, ArtworkRequest(strength=0.9)).drafts[0].artwork.style.strength == 0.9
    mood = "stormy" if draft.artwork.mood != "stormy" else "serene"
    assert application.studio.restyle(draft, ArtworkRequest(mood=mood)).drafts[0].artwork.style.strength != 0.3
    with pytest.raises(InputError, match="0 to 1"):
        application.studio.make(ArtworkRequest(strength=1.5))


def test_a_style_that_does_not_exist_is_refused_before_any_work(application: Application) -> None:
    """No run is begun."""

    def find(wanted: str) -> None:
        raise UnknownName(wanted)

    application.studio._planner._find_style = find
    with pytest.raises(UnknownName, match="Klee"):
        application.studio.make(ArtworkRequest(style="Klee"))
    assert not application.studio.unfinished()


def test_a_draft_is_restyled_in_what_was_loved(application: Application) -> None:
    """The loved painting comes first there too, unless it is the one to be replaced."""
    _let_them_love(application, "stormy", "fake-07")
    draft = application.studio.make(ArtworkRequest(style="fake-03")).drafts[0]
    restyled = application.studio.restyle(draft, ArtworkRequest()).drafts[0]
    assert restyled.artwork.style.key == "fake-07"
    assert application.studio.restyle(restyled, ArtworkRequest()).drafts[0].artwork.style.key != "fake-07"


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"count": 0}, InputError),
        ({"count": 1001}, InputError),
        ({"seed": -1}, InputError),
        ({"seed": 2**63}, InputError),
        ({"mood": "hangry"}, UnknownName),
        ({"mode": "cubist"}, InputError),
        ({"theme": "see www.example.com"}, TextRejected),
        ({"theme": "x" * 10_000_000}, InputError),
        ({"theme": "a\u202eb"}, TextRejected),
    ],
)
def test_an_impossible_request_starts_nothing(
    application: Application, given: dict[str, Any], error: type[Exception]
) -> None:
    """No folder, no draft, no child process."""
    with pytest.raises(error):
        application.studio.make(ArtworkRequest(**given))
    assert not (application.settings.home / "studio").exists()


def test_a_style_that_is_not_there_is_final(application: Application) -> None:
    """An unknown style is reported with the known ones; the run is not kept for resuming."""
    with pytest.raises(UnknownName, match="fake-00"):
        application.studio.make(ArtworkRequest(style="Mona Lisa"))
    assert application.studio.unfinished() == ()


def test_a_bad_sketch_loses_no_other_and_can_be_tried_again(tmp_path: Path) -> None:
    """The good drafts are there at once; when the cause is gone, `resume` makes the missing one, and only that."""
    repaired = tmp_path / "repaired"
    options = {"enlarger": {"faults": {"/02/": "crash"}, "repaired": str(repaired)}}
    with closing(fake_application(tmp_path / "home", **options)) as application:
        made = application.studio.make(ArtworkRequest(count=3))
        assert [draft.folder[-2:] for draft in made.drafts] == ["01", "03"]
        assert [(failure.artwork, failure.step) for failure in made.failures] == [(2, "enlarge")]
        (waiting,) = application.studio.unfinished()
        assert (waiting.finished, waiting.count, len(waiting.failures)) == (2, 3, 1)
        (again,) = application.studio.resume(waiting.run)
        assert len(again.failures) == 1
        repaired.touch()
        (done,) = application.studio.resume()
        assert len(done.drafts) == 3
        assert len(application.review.drafts()) == 3
        assert application.studio.unfinished() == ()


def test_when_nothing_comes_about_the_first_failure_is_raised(tmp_path: Path) -> None:
    """Its class decides the exit code, its message names the step and the log; the run can be resumed."""
    with closing(fake_application(tmp_path / "home", painter={"faults": {"": "blank"}})) as application:
        with pytest.raises(NoGoodPicture, match=r"step 'painting' of artwork 1: .*its log: "):
            application.studio.make(ArtworkRequest())
        (waiting,) = application.studio.unfinished()
        application.studio.discard(waiting.run)
        assert application.studio.unfinished() == ()
        with pytest.raises(NotFound):
            application.studio.discard(waiting.run)


@pytest.mark.parametrize("moment", ["work", "pictures", "drafts", "finish"])
def test_a_run_killed_anywhere_is_finished_once(
    application: Application, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Killed in any step or while drafts are stored, a resumed run makes each draft exactly once."""

    class Killed(BaseException):
        pass

    calls = {"n": 0}

    def dying(real: Callable[..., Any], at: int) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            calls["n"] += 1
            if calls["n"] == at:
                raise Killed
            return real(*args, **named)

        return call

    from auria_bot.services.studio.run_store import RunStore
    from auria_bot.store.drafts import Drafts
    from auria_bot.store.files import Pictures

    place: dict[str, tuple[Any, str, int]] = {
        "work": (Run, "save", 8),
        "pictures": (Pictures, "keep", 2),
        "drafts": (Drafts, "add", 2),
        "finish": (RunStore, "finish", 1),
    }
    owner, name, at = place[moment]
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, dying(getattr(owner, name), at))
        with pytest.raises(Killed):
            application.studio.make(ArtworkRequest(count=3, seed=5))
    application.studio.resume()
    drafts = application.review.drafts()
    assert [draft.folder[-2:] for draft in reversed(drafts)] == ["01", "02", "03"]
    assert len(list(application.pictures.root.iterdir())) == 3
    assert application.studio.unfinished() == ()
    fresh = application.studio.make(ArtworkRequest(count=3, seed=5))
    assert [draft.artwork for draft in fresh.drafts] == [draft.artwork for draft in reversed(drafts)]


def test_a_run_at_work_is_not_taken_up(application: Application) -> None:
    """It is left out of the unfinished ones, and `resume` by name is refused."""

    def look(event: RunEvent) -> None:
        if (event.step, event.state) == ("style", "started"):
            (name,) = application.runs.names()
            assert application.studio.unfinished() == ()
            with pytest.raises(InvalidTransition, match="working on run"):
                application.runs.open(name, wait=0.0)

    application.studio.make(ArtworkRequest(), progress=look)


def test_a_run_that_another_finished_is_skipped(application: Application) -> None:
    """Where somebody wants to be told, it is; else it is an error."""
    told: list[AuriaError] = []
    assert application.studio.resume("2026-11-01-gone", skipped=told.append) == ()
    assert [type(error) for error in told] == [NotFound]
    with pytest.raises(NotFound):
        application.studio.resume("2026-11-01-gone")


def test_a_restyled_draft_keeps_poem_and_painting(application: Application) -> None:
    """Only the later steps are done; the mood that was asked for chooses another style."""
    events: list[RunEvent] = []
    old = application.studio.make(ArtworkRequest(seed=3)).drafts[0]
    new = application.studio.restyle(
        old, ArtworkRequest(mood="stormy", mode="photorealistic"), progress=events.append
    ).drafts[0]
    assert new.artwork.haiku == old.artwork.haiku
    assert files_of(application, new.folder)["painting.png"] == files_of(application, old.folder)["painting.png"]
    assert files_of(application, new.folder)["post.jpg"] != files_of(application, old.folder)["post.jpg"]
    assert (new.artwork.mood, new.artwork.style.mode) == ("stormy", "photorealistic")
    assert new.artwork.style.key != old.artwork.style.key
    started = [event.step for event in events if event.state == "started"]
    assert started == ["enlarge", "style", "caption", "words", "finish"]
    assert {name.partition(":")[0] for name, _ in new.artwork.models} == {
        name.partition(":")[0] for name, _ in old.artwork.models
    }


def test_a_restyle_with_a_seed_is_repeatable(application: Application) -> None:
    """The same request with the same seed gives the same bytes."""
    old = application.studio.make(ArtworkRequest(seed=3)).drafts[0]
    one, two = (application.studio.restyle(old, ArtworkRequest(style="fake-07", seed=9)).drafts[0] for _ in range(2))
    assert one.artwork == two.artwork
    assert files_of(application, one.folder) == files_of(application, two.folder)
    assert one.artwork.style.key == "fake-07"


def test_a_repainted_draft_keeps_its_poem_only(application: Application) -> None:
    """The picture is another one."""
    old = application.studio.make(ArtworkRequest(seed=3)).drafts[0]
    new = application.studio.repaint(old, ArtworkRequest()).drafts[0]
    assert (new.artwork.haiku, new.artwork.mood) == (old.artwork.haiku, old.artwork.mood)
    assert files_of(application, new.folder)["painting.png"] != files_of(application, old.folder)["painting.png"]


def test_the_parent_imports_no_runtime(application: Application) -> None:
    """Making a draft brings neither numpy nor a runtime into the program's own process."""
    import subprocess
    import sys

    script = (
        "import sys\nfrom pathlib import Path\nfrom tests.applications import fake_application\n"
        "from auria_bot.domain.pipeline import ArtworkRequest\n"
        "application = fake_application(Path(sys.argv[1]))\napplication.studio.make(ArtworkRequest())\n"
        "print([n for n in ('numpy', 'torch', 'onnxruntime', 'openvino', 'PIL') if n in sys.modules])\n"
    )
    home = str(application.settings.home / "other")
    done = subprocess.run([sys.executable, "-c", script, home], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_size_of_the_worker_is_known(application: Application) -> None:
    """Its peak is reported with the drafts."""
    assert application.studio.make(ArtworkRequest()).peak_bytes > 1 << 20


def test_a_resumed_run_keeps_its_plan(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drafts made in between change nothing: what was made lately was written down when the run began."""
    with monkeypatch.context() as patch:
        patch.setattr(ChildProcessExecutor, "open", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            application.studio.make(ArtworkRequest())
    (name,) = application.runs.names()
    with application.runs.open(name) as run:
        plan = run.plan
    assert plan.recent_poems == ()
    application.studio.make(ArtworkRequest())
    (made,) = application.studio.resume()
    assert made.seed == plan.seed
    assert replace(made.drafts[0], state=DraftState.MADE) == made.drafts[0]


def test_a_run_of_an_earlier_version_is_told_and_can_be_discarded(application: Application) -> None:
    """It is listed with what to do, it stops no other run, and nothing else is lost when it is given up."""
    draft = application.studio.make(ArtworkRequest()).drafts[0]
    folder = application.runs.root / "20260101-000000-abcdef"
    (folder / "01").mkdir(parents=True)
    (folder / "plan.json").write_text('{"format": 1, "run": "20260101-000000-abcdef", "seed": 1, "count": 1}')
    (run,) = application.studio.unfinished()
    assert run.problem == (
        "run 20260101-000000-abcdef: the run's plan has format 1, of another version of auria; this one reads 2;"
        " give it up: auria make --discard 20260101-000000-abcdef"
    )
    with pytest.raises(InputError, match="another version"):
        application.studio.resume(run.run)
    application.studio.discard(run.run)
    assert application.studio.unfinished() == ()
    assert application.review.drafts() == (draft,)


def test_a_draft_of_an_earlier_version_can_be_restyled(application: Application) -> None:
    """Its files had no hashes, and its pictures' names stood in fields of their own."""
    old = application.studio.make(ArtworkRequest(seed=3)).drafts[0]
    value = old.artwork.to_json()
    names = {kind: file["name"] for kind, file in value.pop("files").items()}
    earlier = replace(old, artwork=Artwork.from_json({**value, **names}))
    new = application.studio.restyle(earlier, ArtworkRequest(mood="stormy")).drafts[0]
    assert files_of(application, new.folder)["painting.png"] == files_of(application, old.folder)["painting.png"]


def test_a_request_is_checked_before_any_work(application: Application) -> None:
    """What cannot be made is refused; what can be leaves no run."""
    with pytest.raises(UnknownName):
        application.studio.check(ArtworkRequest(mood="hungry"))
    with pytest.raises(TextRejected, match="the theme cannot be used"):
        application.studio.check(ArtworkRequest(theme="see https://example.org"))
    application.studio.check(ArtworkRequest(mood="serene", theme="rain"))
    assert application.runs.names() == []
