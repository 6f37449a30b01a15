"""Runs: artworks that are being made in the background, and what happens meanwhile."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Security
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.errors import TooManyAttempts
from auria_bot.services.accounts.api_keys import ApiKey
from auria_bot.web.api.answers import IdempotencyKey, Page, answer, once
from auria_bot.web.api.schemas import NewArtwork, Run, RunEvent, RunEvents
from auria_bot.web.event_stream import event_stream, first_event, looks_at
from auria_bot.web.links import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.domain.draft import Draft
    from auria_bot.services.studio import run_store
    from auria_bot.web.api.access import Access
    from auria_bot.web.app import WebApp
    from auria_bot.web.runs import BackgroundRun

__all__ = ["RUN_BEGUN", "run_begun", "run_value", "runs_router"]

RunId = Annotated[str, Path(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]
RUN_BEGUN: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "It is being made; `Location` is where to watch it.",
        "model": Run,
        "headers": {"Location": {"description": "The run.", "schema": {"type": "string"}}},
    }
}
"""The answer to what begins a run."""

_MOST_STREAMS = 8  # open at a time, of a key
_STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The events, or a stream of them: `step` for each, with its position as id, and `end`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
_After = Annotated[int, Query(ge=0, le=99_999, description="The last position that is known."), CANONICAL]
_LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="As `after`, for a stream whose connection broke; it takes precedence. Anything else counts as 0.",
    ),
]


def runs_router(web: WebApp, access: Access) -> APIRouter:
    """The routes of runs."""
    router = APIRouter(prefix="/runs", tags=["runs"])
    services = web.services
    reader = Security(access.caller, scopes=["read"])
    maker = Security(access.caller, scopes=["make"])
    open_streams = Counter[str]()

    @router.get("", response_model=Page[Run])
    def list_runs(request: Request, _: ApiKey = reader) -> Response:
        """The latest runs, newest first; those of before the last start of the site are forgotten."""
        return answer(request, Page[Run](items=[run_value(run) for run in web.runs.list()], next=None))

    @router.post("", status_code=202, response_model=Run, responses=RUN_BEGUN)
    def make_artwork(
        request: Request, requested: NewArtwork, key: ApiKey = maker, idempotency_key: IdempotencyKey = None
    ) -> Response:
        """Make a new artwork, which becomes a draft for review."""
        wanted = ArtworkRequest(**requested.model_dump()).validated()
        services.studio.check(wanted)

        def work(report: Callable[[run_store.RunEvent], None]) -> Draft:
            return services.studio.make(wanted, progress=report).drafts[0]

        return once(
            web,
            request,
            key.author,
            idempotency_key,
            lambda: run_begun(request, web.runs.start(None, work)),
            content=requested,
        )

    @router.get("/{run_id}", response_model=Run)
    def get_run(request: Request, run_id: RunId, _: ApiKey = reader) -> Response:
        """A run and what came of it."""
        return answer(request, run_value(web.runs.get(run_id)))

    @router.get("/{run_id}/events", response_model=RunEvents, responses=_STREAMED)
    def list_events(
        request: Request,
        run_id: RunId,
        key: ApiKey = reader,
        after: _After = 0,
        _last_event_id: _LastEventId = None,
    ) -> Response:
        """What happened in a run after a position; as server-sent events, as it happens, to those who accept them."""
        run = web.runs.get(run_id)
        if "text/event-stream" in request.headers.get("accept", ""):
            if open_streams[key.author] >= _MOST_STREAMS:
                raise TooManyAttempts(f"a key watches at most {_MOST_STREAMS} runs at a time", seconds=10)
            first = first_event(request, str(after))
            looks = looks_at(run, first, lambda position, event: _event(position, event).model_dump(mode="json"))
            return event_stream(request, looks, open_streams=open_streams, who=key.author)
        value = run_value(run)  # before the events, so that none is missed
        items = [_event(after + number, event) for number, event in enumerate(run.events(after), start=1)]
        return answer(request, RunEvents(state=value.state, draft=value.draft, error=value.error, items=items))

    return router


def _event(position: int, event: run_store.RunEvent) -> RunEvent:
    return RunEvent(
        position=position,
        at=event.at,
        step=event.step,
        state=event.state,
        seconds=round(event.seconds, 3),
        message=event.message,
        facts=dict(event.facts),
    )


def run_value(run: BackgroundRun) -> Run:
    """A run as it is sent."""
    return Run.model_validate(
        {
            "id": run.key,
            "state": run.state,
            "of": run.draft_id,
            "pipeline": run.pipeline or None,
            "draft": run.new_draft,
            "error": run.error,
            "events": len(run.events()),
        }
    )


def run_begun(request: Request, run: BackgroundRun) -> Response:
    """The answer to what began a run."""
    location = f"{request.scope.get('root_path', '')}/runs/{run.key}"
    return answer(request, run_value(run), status=202, headers={"Location": location})
