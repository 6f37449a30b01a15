"""The operator's desk: signing in, drafts to review, decisions, and previews for each channel."""

from __future__ import annotations

import asyncio
import json
from hmac import compare_digest
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response, StreamingResponse

from auria_bot.domain.mood import MOODS
from auria_bot.domain.pipeline import MODES, STEPS, ArtworkRequest
from auria_bot.errors import InputError, NotPermitted, SignInRequired
from auria_bot.services.accounts.accounts import Session
from auria_bot.services.gallery.picture_sizes import FORMATS
from auria_bot.services.studio.review import LONGEST_ALT, LONGEST_TEXT
from auria_bot.web.runs import BackgroundRuns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from auria_bot.domain.draft import Draft
    from auria_bot.web.app import WebApp
    from auria_bot.web.runs import BackgroundRun

__all__ = ["COOKIE", "desk_router"]

COOKIE = "auria_session"
"""The cookie with a session's token."""

STATES = ("made", "approved", "scheduled", "published", "rejected")
_LISTED = 60  # drafts of a state
_MONTH = 30 * 86_400  # seconds
_PRIVATE = {"Cache-Control": "no-store"}
_TICK = 0.25  # seconds between two looks for events


def desk_router(web: WebApp) -> APIRouter:
    """The routes of the desk."""
    router = APIRouter(prefix="/desk", include_in_schema=False, default_response_class=HTMLResponse)
    desk = _DeskRoutes(web)
    _add_accounts(router, desk)
    _add_reading(router, desk)
    _add_decisions(router, desk)
    _add_runs(router, desk)
    return router


class _DeskRoutes:
    """What the routes share."""

    def __init__(self, web: WebApp) -> None:
        self.web, self.services, self.runs = web, web.services, BackgroundRuns()

    def reader(self, request: Request) -> Session:
        """The session of a request.

        Raises:
            SignInRequired: there is none.
        """
        session = self.services.accounts.session(request.cookies.get(COOKIE, "")[:200])
        if session is None:
            raise SignInRequired
        return session

    def writer(self, request: Request, csrf: Annotated[str, Form()] = "") -> Session:
        """The session of a form, which must come from a page of this session.

        Raises:
            SignInRequired: nobody is signed in.
            NotPermitted: the form came from elsewhere, or the operator may only look.
        """
        session = self.reader(request)
        self.check_origin(request)
        if not compare_digest(csrf.encode(), session.csrf.encode()):
            raise NotPermitted("the form is out of date; load the page again")
        return session

    def decider(self, request: Request, csrf: Annotated[str, Form()] = "") -> Session:
        """The same for a decision.

        Raises:
            SignInRequired: nobody is signed in.
            NotPermitted: the form came from elsewhere, or the operator may only look.
        """
        session = self.writer(request, csrf)
        if not session.may_decide:
            raise NotPermitted("viewers look; ask an editor to decide")
        return session

    def check_origin(self, request: Request) -> None:
        """Refuse a form of another site.

        Raises:
            NotPermitted: the browser says that it came from elsewhere.
        """
        own = {self.services.public_url, f"{request.url.scheme}://{request.headers.get('host', '')}"}
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
        if (origin is not None and origin not in own) or site not in {"same-origin", "none"}:
            raise NotPermitted("the form came from another site")

    def page(
        self, template: str, request: Request, session: Session | None, status: int = 200, **values: Any
    ) -> Response:
        """Render a page of the desk."""
        view = self.web.view(request)
        view.signed_in = session.name if session else ""
        body = self.web.renderer.page(f"desk/{template}", view, session=session, **values)
        return HTMLResponse(body, status, headers=_PRIVATE)

    def draft_page(
        self, request: Request, session: Session, draft: Draft, status: int = 200, **values: Any
    ) -> Response:
        """The page of a draft, with what was typed and why it was refused."""
        waiting = [one.id for one in reversed(self.services.review.drafts(["made"], limit=_LISTED))]
        later = next(
            (one for one in waiting if one > draft.id), next((one for one in waiting if one != draft.id), None)
        )
        shown = {"typed_text": draft.text, "typed_alt": draft.alt_text, "message": "", **values}
        return self.page(
            "draft.html",
            request,
            session,
            status,
            draft=draft,
            previews=self.services.post_creator.preview_draft(draft),
            usual=draft.channels or self.services.settings.review.channels,
            moods=list(MOODS),
            modes=MODES,
            next_id=later,
            waiting=len(waiting),
            most_text=LONGEST_TEXT,
            most_alt=LONGEST_ALT,
            widths=self.services.picture_sizes.widths(draft),
            **shown,
        )


def _seen(path: str) -> Response:
    return RedirectResponse(path, 303, headers=_PRIVATE)


def _add_accounts(router: APIRouter, desk: _DeskRoutes) -> None:
    reader, writer = Depends(desk.reader), Depends(desk.writer)
    accounts, is_secure = desk.services.accounts, desk.services.public_url.startswith("https://")

    @router.get("/sign-in")
    def sign_in_page(request: Request) -> Response:
        return desk.page("sign_in.html", request, None, message="", name="", any_operator=bool(accounts.operators()))

    @router.post("/sign-in")
    def sign_in(request: Request, name: Annotated[str, Form()] = "", password: Annotated[str, Form()] = "") -> Response:
        desk.check_origin(request)
        address = request.client.host if request.client else ""
        try:
            token = accounts.sign_in(
                name.strip(), password, address=address, agent=request.headers.get("user-agent", "")
            )
        except NotPermitted as error:
            answer = desk.page(
                "sign_in.html", request, None, error.http_status, message=str(error), name=name[:40], any_operator=True
            )
            if seconds := getattr(error, "seconds", 0):
                answer.headers["Retry-After"] = str(seconds)
            return answer
        answer = _seen("/desk")
        answer.set_cookie(
            COOKIE, token, max_age=_MONTH, path="/desk", httponly=True, samesite="strict", secure=is_secure
        )
        return answer

    @router.post("/sign-out")
    def sign_out(request: Request, _: Session = writer) -> Response:
        accounts.sign_out(request.cookies[COOKIE])
        answer = _seen("/desk/sign-in")
        answer.delete_cookie(COOKIE, path="/desk")
        return answer

    @router.get("/sessions")
    def sessions(request: Request, session: Session = reader) -> Response:
        return desk.page("sessions.html", request, session, sessions=accounts.sessions(session.name))

    @router.post("/sessions/{session_id}/end")
    def end(session_id: str, session: Session = writer) -> Response:
        accounts.end_session(session.name, session_id)
        return _seen("/desk/sessions")


def _add_reading(router: APIRouter, desk: _DeskRoutes) -> None:
    reader = Depends(desk.reader)
    services = desk.services

    @router.get("")
    def drafts(request: Request, session: Session = reader, state: str = "made") -> Response:
        chosen = state if state in STATES else "made"
        found = services.review.drafts([chosen], limit=_LISTED)
        if chosen == "made":
            found = tuple(reversed(found))  # the oldest is reviewed first
        sizes = {draft.id: services.picture_sizes.widths(draft) for draft in found}
        return desk.page("drafts.html", request, session, drafts=found, state=chosen, states=STATES, sizes=sizes)

    @router.get("/drafts/{draft_id}")
    def draft(request: Request, draft_id: int, session: Session = reader) -> Response:
        return desk.draft_page(request, session, services.review.draft(draft_id))

    @router.get("/pictures/{draft_id}/{width}.{suffix}")
    def picture(draft_id: int, width: int, suffix: str, _: Session = reader) -> Response:
        file = services.picture_sizes.file(services.review.draft(draft_id), width, suffix)
        return FileResponse(file, media_type=FORMATS[suffix], headers={"Cache-Control": "private, max-age=86400"})

    @router.get("/previews/{draft_id}/{channel}.jpg")
    def preview(draft_id: int, channel: str, _: Session = reader) -> Response:
        fitted = services.post_creator.fitted_picture(services.review.draft(draft_id), channel)
        return Response(
            fitted.content, media_type=fitted.media_type, headers={"Cache-Control": "private, max-age=3600"}
        )


def _add_decisions(router: APIRouter, desk: _DeskRoutes) -> None:
    decider = Depends(desk.decider)
    services = desk.services

    def onwards(draft_id: int) -> Response:
        """The next draft that waits, or the list."""
        waiting = [one.id for one in reversed(services.review.drafts(["made"], limit=_LISTED))]
        following = next((one for one in waiting if one > draft_id), next(iter(waiting), None))
        return _seen("/desk" if following is None else f"/desk/drafts/{following}")

    @router.post("/drafts/{draft_id}/approve")
    def approve(
        draft_id: int,
        session: Session = decider,
        channel: Annotated[list[str] | None, Form()] = None,
    ) -> Response:
        if not channel:
            raise InputError("choose at least one channel")
        services.review_as(session.name).approve([draft_id], channels=channel)
        return onwards(draft_id)

    @router.post("/drafts/{draft_id}/reject")
    def reject(draft_id: int, session: Session = decider, reason: Annotated[str, Form()] = "") -> Response:
        services.review_as(session.name).reject(draft_id, reason=reason)
        return onwards(draft_id)

    @router.post("/drafts/{draft_id}/undo")
    def undo(draft_id: int, session: Session = decider) -> Response:
        services.review_as(session.name).undo(draft_id)
        return _seen(f"/desk/drafts/{draft_id}")

    @router.post("/drafts/{draft_id}/edit")
    def edit(
        request: Request,
        draft_id: int,
        session: Session = decider,
        text: Annotated[str, Form()] = "",
        alt_text: Annotated[str, Form()] = "",
    ) -> Response:
        text, alt_text = text.replace("\r\n", "\n"), alt_text.replace("\r\n", "\n")
        try:
            services.review_as(session.name).edit(draft_id, text=text, alt_text=alt_text)
        except InputError as error:
            return desk.draft_page(
                request,
                session,
                services.review.draft(draft_id),
                422,
                typed_text=text,
                typed_alt=alt_text,
                message=str(error),
            )
        return _seen(f"/desk/drafts/{draft_id}")


def _add_runs(router: APIRouter, desk: _DeskRoutes) -> None:
    reader, decider = Depends(desk.reader), Depends(desk.decider)
    services = desk.services

    @router.post("/drafts/{draft_id}/restyle")
    def restyle(
        draft_id: int,
        session: Session = decider,
        mood: Annotated[str, Form()] = "",
        style: Annotated[str, Form()] = "",
        mode: Annotated[str, Form()] = "",
    ) -> Response:
        request = ArtworkRequest(mood=mood or None, style=style or None, mode=mode or None).validated()
        review = services.review_as(session.name)
        run = desk.runs.start(draft_id, lambda report: review.restyle(draft_id, request, progress=report))
        return _seen(f"/desk/runs/{run.key}")

    @router.post("/drafts/{draft_id}/repaint")
    def repaint(draft_id: int, session: Session = decider) -> Response:
        review = services.review_as(session.name)
        run = desk.runs.start(draft_id, lambda report: review.repaint(draft_id, ArtworkRequest(), progress=report))
        return _seen(f"/desk/runs/{run.key}")

    @router.get("/runs/{key}")
    def run_page(request: Request, key: str, session: Session = reader) -> Response:
        run = desk.runs.get(key)
        if run.new_draft is not None:
            return _seen(f"/desk/drafts/{run.new_draft}")
        done = {event.step for event in run.events() if event.state in {"done", "reused"}}
        return desk.page("run.html", request, session, run=run, steps=[step.name for step in STEPS], done=done)

    @router.get("/runs/{key}/events")
    def events(request: Request, key: str, _: Session = reader) -> Response:
        last = request.headers.get("last-event-id", "0")
        position = int(last) if last.isdecimal() and len(last) < 6 else 0
        stream = _event_stream(desk.runs.get(key), position)
        return StreamingResponse(
            stream, media_type="text/event-stream", headers={**_PRIVATE, "X-Accel-Buffering": "no"}
        )


async def _event_stream(run: BackgroundRun, position: int) -> AsyncIterator[str]:
    """The events of a run after a position, each with its number, so that a browser can go on where it stopped."""
    idle = 0.0
    while True:
        is_done = run.is_done  # before the events, so that none is missed
        for event in run.events(position):
            position += 1
            data = json.dumps({"step": event.step, "state": event.state, "message": event.message})
            yield f"id: {position}\nevent: step\ndata: {data}\n\n"
            idle = 0.0
        if is_done:
            yield f"event: end\ndata: {json.dumps({'draft': run.new_draft, 'error': run.error})}\n\n"
            return
        idle += _TICK
        if idle >= 15:
            idle = 0.0
            yield ": still working\n\n"
        await asyncio.sleep(_TICK)
