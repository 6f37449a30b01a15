"""Artworks for visitors, made by fakes in child processes."""

from __future__ import annotations

import threading
from collections import Counter
from errno import ENOSPC
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from auria_bot.domain.artwork import VISITOR
from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.errors import InputError, InvalidTransition, NotFound, NotPermitted, UnknownName, VisitorRefused
from auria_bot.services.visitors.works import WorkState
from auria_bot.settings.web import WebSettings
from tests.applications import fake_application

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.services.visitors.studio import VisitorStudio
    from auria_bot.services.visitors.works import VisitorWork

HERE = {"visitor": "cookie-1", "address": "203.0.113.7"}


def opened(home: Path, *, options: dict[str, Any] | None = None, **settings: Any) -> Application:
    """An application whose studio is open to visitors."""
    application = fake_application(home, **(options or {}))
    web = WebSettings(studio=True, **settings)
    quiet = application.settings.maintenance.model_copy(update={"min_free_mb": 0})
    application.settings = application.settings.model_copy(update={"web": web, "maintenance": quiet})
    return application


def ended(studio: VisitorStudio, key: str) -> VisitorWork:
    """An artwork once it has ended, well or not."""
    for _ in range(1200):
        if not (work := studio.work(key)).is_open:
            return work
        threading.Event().wait(0.05)
    raise AssertionError("it does not end")


class Busy:
    """Auria's own work, which begins and ends as a test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, application: Application, *, free: int = 0) -> None:
        self.now, self._free = True, free  # for so many looks it has not begun
        monkeypatch.setattr(application.runs, "is_busy", self)
        monkeypatch.setattr("auria_bot.services.visitors.studio._POLL", 0.01)

    def __call__(self) -> bool:
        self._free -= 1
        return self.now and self._free < 0


def test_an_artwork_is_made_and_touches_nothing_of_the_operators(tmp_path: Path) -> None:
    """No draft, no run of the operator's; the visitor's folder holds it whole."""
    application = opened(tmp_path)
    studio = application.visitor_studio
    asked = studio.ask(theme=" autumn rain ", mood="serene", **HERE)
    work = ended(studio, asked.key)
    assert (work.state, work.theme, work.mood) == (WorkState.DONE, "autumn rain", "serene")
    assert work.finished.origin == VISITOR
    assert studio.picture(work.key, "post").is_file()
    shown = [
        studio.picture(work.key, name) for name in ("painting.png", "enlarged.png", "layer-2.jpg")
    ]  # by a browser that is late
    assert [path.name for path in shown] == [work.finished.files[kind].name for kind in ("painting", "post", "post")]
    with pytest.raises(NotFound):
        studio.picture(work.key, "layer-x.jpg")
    assert application.review.drafts() == ()
    assert application.runs.names() == []
    assert "203.0.113.7" not in "".join(path.read_text() for path in tmp_path.rglob("work.json"))
    assert "cookie-1" not in "".join(path.read_text() for path in tmp_path.rglob("work.json"))


def test_it_gives_way_to_auria_s_own_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two steps; what was made so far is seen, and it goes on where it was."""
    application = opened(tmp_path)
    studio, busy = application.visitor_studio, Busy(monkeypatch, application, free=3)
    studio.ask(**HERE)
    key = studio.current("cookie-1").key  # type: ignore[union-attr]
    for _ in range(1200):
        moment = studio.watch(key)
        assert moment is not None
        if moment.is_paused and moment.events:
            break
        threading.Event().wait(0.02)
    assert moment is not None
    seen = moment.events
    assert [(event.step, event.state) for event in seen if event.state == "done"] == [
        ("poem", "done"),
        ("mood", "done"),
        ("painting", "done"),
    ]
    assert len(seen[1].facts["lines"]) == 3
    assert studio.picture(key, "painting.png").parent.is_relative_to(studio._runs.root)
    busy.now = False
    assert ended(studio, key).state is WorkState.DONE
    assert studio.watch(key) is None


def test_one_at_a_time_for_each_visitor_and_a_bounded_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each refusal says why; the length of the queue is known."""
    application = opened(tmp_path, studio_queue=2, studio_per_visitor=2)
    Busy(monkeypatch, application)
    studio = application.visitor_studio
    first = studio.ask(**HERE)
    reasons = []
    for visitor, address in (("cookie-1", "1.1.1.1"), ("cookie-2", "1.1.1.1"), ("cookie-3", "1.1.1.1")):
        try:
            studio.ask(visitor=visitor, address=address)
        except VisitorRefused as error:
            reasons.append(error.reason)
    assert reasons == ["one", "queue"]
    second = studio.current("cookie-2")
    assert second is not None
    assert studio.queue_length == 2
    assert [moment.ahead for key in (first.key, second.key) if (moment := studio.watch(key))] == [0, 1]
    assert studio.current("cookie-3") is None
    assert studio.outcomes == {"refused_one": 1, "refused_queue": 1}
    with pytest.raises(InvalidTransition):
        studio.keep(first.key, visitor="cookie-1")


@pytest.mark.parametrize(
    "theme", ["what the fuck", "Angela Merkel", "see https://example.org", "x\u202ey", "a@b.example"]
)
def test_a_theme_that_must_not_be_published_is_refused(tmp_path: Path, theme: str) -> None:
    """And nothing is begun or counted."""
    application = opened(tmp_path)
    with pytest.raises(InputError):
        application.visitor_studio.ask(theme=theme, **HERE)
    assert application.visitor_studio.queue_length == 0


def test_what_cannot_be_asked_for(tmp_path: Path) -> None:
    """A long theme, or a mood that there is not."""
    studio = opened(tmp_path).visitor_studio
    with pytest.raises(InputError, match="81 characters"):
        studio.ask(theme="x" * 81, **HERE)
    with pytest.raises(UnknownName):
        studio.ask(mood="hungry", **HERE)


def test_only_the_visitor_keeps_offers_and_deletes(tmp_path: Path) -> None:
    """An offer makes a draft that waits, says where it came from, and is never made twice."""
    application = opened(tmp_path, studio_kept=1)
    studio = application.visitor_studio
    key = ended(studio, studio.ask(**HERE).key).key
    for action in (studio.keep, studio.offer, studio.remove):
        with pytest.raises(NotPermitted):
            action(key, visitor="cookie-2")
    assert studio.keep(key, visitor="cookie-1").is_kept
    offered = studio.offer(key, visitor="cookie-1")
    assert studio.offer(key, visitor="cookie-1").draft == offered.draft
    (draft,) = application.review.drafts()
    assert (draft.id, draft.state, draft.artwork.origin) == (offered.draft, "made", VISITOR)
    with application.store.read() as unit:
        entry = unit.journal.list(draft_id=draft.id)[0]
    assert (entry.who, entry.action) == (VISITOR, "offer")
    studio.remove(key, visitor="cookie-1")
    with pytest.raises(NotFound):
        studio.work(key)
    assert application.review.draft(draft.id).state == "made"


def test_a_failure_is_an_end(tmp_path: Path) -> None:
    """The visitor may ask again; no run is left."""
    application = opened(tmp_path, options={"painter": {"faults": {"/": "raise"}}})
    studio = application.visitor_studio
    work = ended(studio, studio.ask(**HERE).key)
    assert work.state is WorkState.FAILED
    with pytest.raises(NotFound):
        studio.picture(work.key, "post")
    with pytest.raises(InvalidTransition):
        studio.offer(work.key, visitor="cookie-1")
    assert not list((tmp_path / "visitors" / ".runs").glob("[!.]*"))
    assert studio.ask(**HERE).state is WorkState.WAITING


def test_work_goes_on_after_a_disk_that_took_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An artwork whose end cannot be written has failed, and the next one is made."""
    application = opened(tmp_path)
    studio, works = application.visitor_studio, "auria_bot.services.visitors.works.write_json"
    busy = Busy(monkeypatch, application)
    first = studio.ask(**HERE)
    with monkeypatch.context() as full:
        full.setattr(works, Mock(side_effect=OSError(ENOSPC, "No space left on device")))
        busy.now = False
        assert ended(studio, first.key).state is WorkState.FAILED
    assert studio.outcomes == {"failed": 1}
    assert ended(studio, studio.ask(**HERE).key).state is WorkState.DONE


@pytest.mark.parametrize(("broken", "state"), [("_planner.new", WorkState.FAILED), ("_runs.finish", WorkState.DONE)])
def test_work_goes_on_after_what_nobody_expects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, state: WorkState
) -> None:
    """An artwork ends once: what fails after it was made does not undo it."""
    studio = opened(tmp_path).visitor_studio
    happened = threading.Event()

    def fail(*_: object, **__: object) -> None:
        happened.set()
        raise RuntimeError("nobody expects this")

    with monkeypatch.context() as patch:
        part, method = broken.split(".")
        patch.setattr(getattr(studio, part), method, fail)
        assert ended(studio, studio.ask(**HERE).key).state is state
        assert happened.wait(60)
    assert ended(studio, studio.ask(visitor="cookie-2", address="203.0.113.8").key).state is WorkState.DONE
    assert studio.outcomes == Counter({state: 1}) + Counter({WorkState.DONE: 1})


def test_what_a_killed_server_left_is_cleared_away(tmp_path: Path) -> None:
    """Its unfinished run is removed when the next one opens the studio."""
    application = opened(tmp_path)
    studio = application.visitor_studio
    planned = studio._planner.new(ArtworkRequest(theme="rain", seed=1), origin=VISITOR)
    studio._runs.create(planned.plan, planned.states).close()
    assert len(studio._runs.names()) == 1
    assert studio.current("cookie-1") is None
    assert studio._runs.names() == []


def test_one_server_at_a_time_has_the_studio(tmp_path: Path) -> None:
    """Another server of the same home says that it is open elsewhere."""
    first, second = opened(tmp_path).visitor_studio, opened(tmp_path).visitor_studio
    assert first.current("cookie-1") is None
    with pytest.raises(VisitorRefused, match="another server"):
        second.ask(**HERE)


def test_a_full_disk_closes_the_studio(tmp_path: Path) -> None:
    """Its work comes last."""
    application = opened(tmp_path)
    full = application.settings.maintenance.model_copy(update={"min_free_mb": 100_000_000})
    application.settings = application.settings.model_copy(update={"maintenance": full})
    with pytest.raises(VisitorRefused, match="disk"):
        application.visitor_studio.ask(**HERE)


def test_so_many_are_kept_and_no_more(tmp_path: Path) -> None:
    """Keeping one again changes nothing."""
    application = opened(tmp_path, studio_kept=1)
    studio = application.visitor_studio
    first = ended(studio, studio.ask(**HERE).key)
    assert studio.keep(first.key, visitor="cookie-1") == studio.keep(first.key, visitor="cookie-1")
    second = ended(studio, studio.ask(visitor="cookie-2", address="203.0.113.8").key)
    with pytest.raises(VisitorRefused, match="no more artworks can be kept here"):
        studio.keep(second.key, visitor="cookie-2")
