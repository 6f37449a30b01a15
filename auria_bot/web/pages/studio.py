"""The live studio: a visitor asks for an artwork, watches it come, and may keep it or offer it to the operator."""

from __future__ import annotations

import re
import secrets
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from auria_bot.domain.artwork import ArtworkFile
from auria_bot.domain.mood import MOODS
from auria_bot.errors import InputError, NotFound, TooManyAttempts, VisitorRefused
from auria_bot.services.visitors.studio import LONGEST_THEME
from auria_bot.web.event_stream import event_stream, first_event, sent_event
from auria_bot.web.language import language_choice
from auria_bot.web.links import READ
from auria_bot.web.middleware import check_origin, client_network

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auria_bot.services.studio.run_store import RunEvent
    from auria_bot.services.visitors.studio import VisitorStudio
    from auria_bot.services.visitors.works import VisitorWork
    from auria_bot.web.app import WebApp
    from auria_bot.web.language import Language

__all__ = ["COOKIE", "STAGES", "studio_router"]

COOKIE = "auria_visitor"
"""The cookie with a random token that says whose artwork it is."""

STAGES: Final = {
    "poem": ("poem",),
    "mood": ("mood",),
    "sketch": ("painting",),
    "painting": ("enlarge",),
    "strokes": ("style",),
    "words": ("caption", "words"),
    "finish": ("finish",),
}
"""What visitors see happen, with the studio's steps behind it."""

_PRIVATE: Final = {"Cache-Control": "no-store"}
_YEAR = 365 * 86_400  # seconds
_KEY = re.compile("[0-9a-f]{32}")
_MOST_STREAMS, _MOST_STREAMS_EACH = 64, 8  # open at a time, and of one network


def studio_router(web: WebApp) -> APIRouter:
    """The routes of the live studio; none where the settings keep it closed."""
    router = APIRouter(prefix="/studio", include_in_schema=False, default_response_class=HTMLResponse)
    if web.services.settings.web.studio:
        _add_asking(router, web)
        _add_watching(router, web)
        _add_decisions(router, web)
    return router


@dataclass(slots=True)
class _Seen:
    """What there is to see of an artwork so far."""

    position: int = 0  # events
    lines: Sequence[str] = ()
    mood: str = ""
    style: str = ""
    alt_text: str = ""
    picture: str = ""  # its address
    layer: str = ""  # such as "2/3"
    done: set[str] = field(default_factory=set)  # steps
    now: str = ""  # the step that is worked on

    def add(self, event: RunEvent, key: str) -> None:
        """Take an event into account."""
        self.position += 1
        if event.state == "rejected":  # another picture is painted
            self.done -= {"painting", "enlarge", "style"}
            return
        facts = event.facts
        self.lines = facts.get("lines", self.lines)
        self.mood, self.style = facts.get("mood", self.mood), facts.get("style", self.style)
        self.alt_text = facts.get("alt_text", self.alt_text)
        self.picture = _picture_of(event, key, self.position) or self.picture
        if event.state == "started":
            self.now, self.layer = event.step, ""
        elif event.state == "progress":
            self.layer = f"{facts['layer']}/{facts['layers']}"
        else:
            self.done.add(event.step)


def _add_asking(router: APIRouter, web: WebApp) -> None:
    studio = web.services.visitor_studio

    def form(request: Request, status: int = 200, **values: Any) -> Response:
        try:
            current = studio.current(request.cookies.get(COOKIE, "")[:100])
        except VisitorRefused as error:
            current, values = None, {**values, "closed": error.reason}
        shown = {"theme": "", "mood": "", "refused": "", "closed": "", **values}
        body = web.renderer.page(
            "studio.html",
            web.view(request),
            current=current,
            moods=list(MOODS),
            waiting=studio.queue_length,
            longest=LONGEST_THEME,
            **shown,
        )
        return HTMLResponse(body, status, headers=_PRIVATE)

    @router.api_route("", methods=READ)
    def ask_page(request: Request) -> Response:
        return language_choice(request) or form(request)

    @router.post("")
    def ask(request: Request, theme: Annotated[str, Form()] = "", mood: Annotated[str, Form()] = "") -> Response:
        check_origin(request, web.services.public_url)
        visitor = request.cookies.get(COOKIE, "")[:100] or secrets.token_urlsafe(24)
        try:
            work = studio.ask(theme=theme, mood=mood, visitor=visitor, address=client_network(request))
        except (VisitorRefused, InputError) as error:
            reason = getattr(error, "reason", "theme")
            status = 422 if reason == "theme" else error.http_status
            answer = form(request, status, theme=theme[:LONGEST_THEME], mood=mood[:20], refused=reason)
            if isinstance(error, TooManyAttempts) and status != 422:
                answer.headers["Retry-After"] = str(error.seconds)
            return answer
        answer = RedirectResponse(f"/studio/{work.key}", 303, headers=_PRIVATE)
        is_secure = web.services.public_url.startswith("https://")
        answer.set_cookie(
            COOKIE, visitor, max_age=_YEAR, path="/studio", httponly=True, samesite="lax", secure=is_secure
        )
        return answer


def _add_watching(router: APIRouter, web: WebApp) -> None:
    studio, open_streams = web.services.visitor_studio, Counter[str]()

    @router.api_route("/{key}", methods=READ)
    def work_page(request: Request, key: str) -> Response:
        work = _work(studio, key)
        if (chosen := language_choice(request)) is not None:
            return chosen
        seen, moment = _Seen(), studio.watch(key)
        for event in moment.events if moment else ():
            seen.add(event, key)
        settings = web.services.settings.web
        body = web.renderer.page(
            "studio_work.html",
            web.view(request),
            work=work,
            artwork=work.finished if work.state == "done" else None,
            seen=seen,
            moment=moment,
            stages=STAGES,
            is_own=studio.is_own(work, visitor=request.cookies.get(COOKIE, "")[:100]),
            ends_at=work.asked_at + timedelta(days=settings.studio_days),
        )
        return HTMLResponse(body, headers={**_PRIVATE, "X-Robots-Tag": "noindex"})

    @router.api_route("/{key}/events", methods=READ)
    def events(request: Request, key: str, after: str = "0") -> Response:
        _work(studio, key)
        network = client_network(request)
        if open_streams.total() >= _MOST_STREAMS or open_streams[network] >= _MOST_STREAMS_EACH:
            raise TooManyAttempts("too many visitors watch; the page loads itself again", seconds=10)
        looks = _looks(studio, key, first_event(request, after), web.view(request).language)
        return event_stream(request, looks, open_streams=open_streams, who=network)

    @router.api_route("/{key}/pictures/{name}", methods=READ)
    def picture(key: str, name: str) -> Response:
        for _ in range(2):  # what is seen of unfinished work is kept elsewhere once it is finished
            path = studio.picture(_work(studio, key).key, name)
            with suppress(OSError):
                content = path.read_bytes()
                media_type = ArtworkFile.named(path.name).media_type
                return Response(content, media_type=media_type, headers={"Cache-Control": "private, max-age=86400"})
        raise NotFound("that picture is not there any more")


def _add_decisions(router: APIRouter, web: WebApp) -> None:
    studio = web.services.visitor_studio

    @router.post("/{key}/{action}")
    def decide(request: Request, key: str, action: str) -> Response:
        check_origin(request, web.services.public_url)
        visitor = request.cookies.get(COOKIE, "")[:100]
        _work(studio, key)
        if action == "remove":
            studio.remove(key, visitor=visitor)
            return RedirectResponse("/studio", 303, headers=_PRIVATE)
        if action not in {"keep", "offer"}:
            raise NotFound(f"there is no action {action[:20]!r}")
        (studio.keep if action == "keep" else studio.offer)(key, visitor=visitor)
        return RedirectResponse(f"/studio/{key}", 303, headers=_PRIVATE)


def _work(studio: VisitorStudio, key: str) -> VisitorWork:
    """The artwork of an address.

    Raises:
        NotFound: there is none.
    """
    if not _KEY.fullmatch(key):
        raise NotFound("there is no such artwork")
    return studio.work(key)


def _picture_of(event: RunEvent, key: str, position: int) -> str:
    """The address of what an event shows; the number makes it another one when a picture is painted anew."""
    for kind in ("layer", "enlarged", "painting"):
        if kind in event.files:
            return f"/studio/{key}/pictures/{event.files[kind].name}?v={position}"
    return ""


def _looks(studio: VisitorStudio, key: str, position: int, language: Language) -> Iterator[list[str]]:
    """What happens from a position on, as there is more of it, until the artwork has ended."""
    known = None
    while (moment := studio.watch(key, after=position)) is not None:
        found, queue = [], {"ahead": moment.ahead, "paused": moment.is_paused}
        if queue != known:
            known = queue
            found.append(sent_event("queue", queue))
        for event in moment.events:
            position += 1
            facts = dict(event.facts)
            if "mood" in facts:
                facts["mood_name"] = language.name_of("mood", facts["mood"])
            shown = {"step": event.step, "state": event.state, "facts": facts}
            picture = _picture_of(event, key, position)
            found.append(sent_event("step", {**shown, "picture": picture}, number=position))
        yield found
    yield [sent_event("end", {})]
