"""The page where a visitor brings a picture, sees its caption with the region of each word, and rates it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, File, Form, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from auria_bot.errors import AuriaError, ModelServerBusy, PictureError, TooManyAttempts
from auria_bot.redaction import redacted
from auria_bot.services.accounts.rate_limit import RateLimit
from auria_bot.services.captions.ratings import GivenRating
from auria_bot.web.links import READ
from auria_bot.web.middleware import POLICY, check_origin, client_network

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.web.app import WebApp

__all__ = ["captions_router"]

_HOUR: Final = 3600.0  # seconds
_RATINGS: Final = 5  # ratings that may be given for each picture that may be brought
_HEADERS: Final = {
    "Cache-Control": "no-store",
    # The visitor's picture is shown from within the page, because it is kept nowhere.
    "Content-Security-Policy": POLICY.replace("img-src 'self'", "img-src 'self' data:"),
}
_THIRDS: Final = (
    ("upper-left", "top", "upper-right"),
    ("left", "middle", "right"),
    ("lower-left", "bottom", "lower-right"),
)


def captions_router(web: WebApp) -> APIRouter:
    """The routes of the page."""
    router = APIRouter(prefix="/captions", include_in_schema=False, default_response_class=HTMLResponse)
    services, chosen = web.services, web.services.settings.captions
    pictures = RateLimit(calls=chosen.per_hour, period=_HOUR)
    ratings = RateLimit(calls=chosen.per_hour * _RATINGS, period=_HOUR)

    def page(request: Request, error: AuriaError | None = None, **values: Any) -> Response:
        shown = {"answer": None, "message": "", "thanks": False, "largest_mb": chosen.largest_mb, **values}
        status, headers = 200, dict(_HEADERS)
        if error is not None:
            status, shown["message"] = error.http_status, _told(web, request, error)
            if seconds := getattr(error, "seconds", 0):
                headers["Retry-After"] = str(seconds)
        body = web.renderer.page("captions.html", web.view(request, "/captions"), **shown)
        return HTMLResponse(body, status, headers=headers)

    @router.api_route("", methods=READ)
    def empty(request: Request) -> Response:
        return page(request)

    @router.post("")
    def bring(request: Request, picture: Annotated[UploadFile | None, File()] = None) -> Response:
        try:
            check_origin(request, services.public_url)
            _count(pictures, request)
            content = picture.file.read() if picture else b""
            if not content:
                raise PictureError("no picture was chosen")
            answer = services.caption_front.caption(content, drawn=True)
        except AuriaError as error:
            return page(request, error)
        return page(request, answer=_placed(answer))

    @router.post("/ratings")
    def rate(
        request: Request,
        receipt: Annotated[str, Form(max_length=10_000)] = "",
        choice: Annotated[int, Form(ge=0, le=100)] = 0,
        stars: Annotated[str, Form(pattern=r"^[1-5]?$")] = "",
        correction: Annotated[str, Form(max_length=1000)] = "",
        consent: Annotated[str, Form(max_length=10)] = "",
        small: Annotated[str, Form(alias="copy", max_length=600_000)] = "",
    ) -> Response:
        given = GivenRating(
            receipt=receipt,
            choice=choice,
            stars=int(stars) if stars else None,
            correction=correction,
            picture=small if consent else "",
        )
        try:
            check_origin(request, services.public_url)
            _count(ratings, request)
            services.caption_ratings.rate(given, source="page")
        except AuriaError as error:
            return page(request, error)
        return page(request, thanks=True)

    return router


def _count(limit: RateLimit, request: Request) -> None:
    allowance = limit.take(client_network(request))
    if not allowance.is_allowed:
        raise TooManyAttempts(
            f"that was the most for now; the next is possible in {allowance.wait} s", seconds=allowance.wait
        )


def _told(web: WebApp, request: Request, error: AuriaError) -> str:
    """The error for a visitor; what only an operator can mend is said without its details."""
    text = web.view(request).language.text
    if isinstance(error, ModelServerBusy):
        return text("captions.busy")
    if error.http_status >= 500:
        return text("captions.away")
    kind = "captions.refused" if request.url.path.endswith("/ratings") else "captions.unusable"
    return text(kind, reason=redacted(str(error)))


def _placed(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer with numbered words, each with the third of the picture where it was seen most."""
    captions, number = [], 0
    for caption in answer["captions"]:
        words = []
        for word in caption["words"]:
            number += 1
            words.append({**word, "number": number, "place": _place(word["attention"])})
        captions.append({**caption, "words": words})
    return {**answer, "captions": captions}


def _place(attention: list[list[float]]) -> str:
    row, column = max(
        ((y, x) for y, line in enumerate(attention) for x in range(len(line))), key=lambda at: attention[at[0]][at[1]]
    )
    return _THIRDS[row * 3 // len(attention)][column * 3 // len(attention[0])]
