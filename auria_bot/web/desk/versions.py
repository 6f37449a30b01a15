"""New versions of drafts: made in the background, followed while they are made, and compared with the earlier ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.domain.pipeline import STEPS, ArtworkRequest
from auria_bot.errors import NotFound
from auria_bot.services.accounts.accounts import Session
from auria_bot.web.desk.access import Typed, seen
from auria_bot.web.event_stream import event_stream, first_event, looks_at
from auria_bot.web.links import READ, Number

if TYPE_CHECKING:
    from fastapi import APIRouter

    from auria_bot.services.studio.run_store import RunEvent
    from auria_bot.web.desk.access import DeskRoutes

__all__ = ["add_versions"]


def add_versions(router: APIRouter, desk: DeskRoutes) -> None:
    """Add the routes."""
    reader, decider = Depends(desk.reader), Depends(desk.decider)
    services = desk.services

    @router.post("/drafts/{draft_id}/restyle")
    def restyle(
        draft_id: Number, session: Session = decider, mood: Typed = "", style: Typed = "", mode: Typed = ""
    ) -> Response:
        request = ArtworkRequest(mood=mood or None, style=style or None, mode=mode or None).validated()
        review = services.review_as(session.name)
        run = desk.runs.start(draft_id, lambda report: review.restyle(draft_id, request, progress=report))
        return seen(f"/desk/runs/{run.key}")

    @router.post("/drafts/{draft_id}/repaint")
    def repaint(draft_id: Number, session: Session = decider) -> Response:
        review = services.review_as(session.name)
        run = desk.runs.start(draft_id, lambda report: review.repaint(draft_id, ArtworkRequest(), progress=report))
        return seen(f"/desk/runs/{run.key}")

    @router.api_route("/drafts/{draft_id}/versions", methods=READ)
    def versions(request: Request, draft_id: Number, session: Session = reader, other: Number = 0) -> Response:
        """Two versions side by side: this one, and another one or the one before it."""
        family = services.review.versions(draft_id)
        if len(family) < 2:
            raise NotFound(f"draft {draft_id} has one version only")
        ids = [one.id for one in family]
        beside = other if other in ids and other != draft_id else _neighbour(ids, draft_id)
        shown = sorted((family[ids.index(draft_id)], family[ids.index(beside)]), key=lambda draft: draft.id)
        return desk.page(
            "versions.html",
            request,
            session,
            versions=family,
            shown=shown,
            widths={one.id: services.picture_sizes.widths(one) for one in shown},
            sizes={one.id: services.picture_sizes.size(one) for one in shown},
            usual=services.settings.review.channels,
        )

    @router.api_route("/runs/{key}", methods=READ)
    def run_page(request: Request, key: str, session: Session = reader) -> Response:
        run = desk.runs.get(key)
        if run.new_draft is not None:
            return seen(f"/desk/drafts/{run.new_draft}", "remade", run.draft_id)
        done = {event.step for event in run.events() if event.state in {"done", "reused"}}
        return desk.page("run.html", request, session, run=run, steps=[step.name for step in STEPS], finished=done)

    @router.api_route("/runs/{key}/events", methods=READ)
    def events(request: Request, key: str, _: Session = reader) -> Response:
        def shown(_: int, event: RunEvent) -> dict[str, object]:
            return {"step": event.step, "state": event.state, "message": event.message}

        return event_stream(request, looks_at(desk.runs.get(key), first_event(request), shown))


def _neighbour(ids: list[int], draft_id: int) -> int:
    """The version before a version, or the one after the first."""
    place = ids.index(draft_id)
    return ids[place - 1] if place else ids[1]
