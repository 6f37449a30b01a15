"""Captions of pictures that programs bring, and ratings of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Security
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.domain.rating import LONGEST_CORRECTION
from auria_bot.services.accounts.api_keys import ApiKey
from auria_bot.services.captions.ratings import GivenRating
from auria_bot.web.api.answers import answer
from auria_bot.web.api.schemas import CLEANED

if TYPE_CHECKING:
    from auria_bot.web.api.access import Access
    from auria_bot.web.app import WebApp

__all__ = [
    "PICTURE_BODY",
    "Caption",
    "CaptionModel",
    "CaptionWord",
    "CaptionedPicture",
    "NewRating",
    "RatingKept",
    "captions_router",
    "sent_picture",
]

PICTURE_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary", "minLength": 1, "description": "A picture file."}
            }
        },
    }
}
"""How the OpenAPI document describes the body of a picture."""


class CaptionWord(BaseModel):
    """A word of a caption, and where it was seen."""

    text: str
    attention: list[list[float]] = Field(
        description="Shares of attention over a grid of the picture, rows from the top; all together are 1."
    )
    veil: str | None = Field(
        default=None, description="A small PNG in Base64 to lay over the picture, dark where the word was not seen."
    )


class Caption(BaseModel):
    """A caption."""

    text: str
    confidence: float = Field(ge=0, le=1, description="The geometric mean of the words' probabilities.")
    words: list[CaptionWord]


class CaptionModel(BaseModel):
    """The model that captioned a picture."""

    name: str
    version: str
    sha256: str


class CaptionedPicture(BaseModel):
    """A picture's captions."""

    model: CaptionModel
    width: int = Field(description="Pixels of the picture, upright.")
    height: int
    captions: list[Caption] = Field(description="Those of the beam search, the best first.")
    picture: str | None = Field(default=None, description="A small JPEG of the picture in Base64, if `drawn`.")
    receipt: str = Field(description="Hand it in with a rating; it is valid for two hours.")


class NewRating(BaseModel):
    """What somebody thinks of a caption."""

    receipt: Annotated[str, Field(max_length=10_000), CLEANED] = Field(
        description="The receipt that came with the captions."
    )
    choice: int = Field(default=0, ge=0, le=100, description="Which of the captions, counted from 0.")
    stars: int | None = Field(default=None, ge=1, le=5)
    correction: Annotated[str, Field(max_length=LONGEST_CORRECTION), CLEANED] = Field(
        default="", description="A better caption, in English."
    )
    picture: Annotated[str, Field(max_length=600_000), CLEANED] = Field(
        default="",
        description="The small copy that came with the captions, if whose picture it is agrees that it is kept.",
    )


class RatingKept(BaseModel):
    """A rating that was kept."""

    id: int
    caption: str
    stars: int | None
    correction: str
    keeps_picture: bool


def sent_picture(caller: Any) -> Any:
    """The dependency that gives a request's body, which is received only once the caller's key was looked at."""

    async def received(request: Request, _: ApiKey = caller) -> bytes:
        return await request.body()

    return Depends(received)


def captions_router(web: WebApp, access: Access) -> APIRouter:
    """The routes of captions and ratings."""
    router = APIRouter(tags=["captions"])
    captioner = Security(access.caller, scopes=["caption"])

    sent = sent_picture(captioner)

    @router.post("/captions", response_model=CaptionedPicture, openapi_extra=PICTURE_BODY)
    def caption_picture(
        request: Request,
        picture: bytes = sent,
        drawn: Annotated[bool, Query(description="Add a small copy of the picture and a veil for each word.")] = False,
    ) -> Response:
        """Caption a picture of anything; nothing of it is kept."""
        found = web.services.caption_front.caption(picture, drawn=drawn)
        return answer(request, CaptionedPicture.model_validate(found))

    @router.post("/ratings", status_code=201, response_model=RatingKept)
    def rate_caption(request: Request, rating: NewRating, key: ApiKey = captioner) -> Response:
        """Rate a caption with stars or a better one; a second rating of it by the same key replaces the first."""
        kept = web.services.caption_ratings.rate(GivenRating(**rating.model_dump()), source=key.author)
        value = RatingKept(
            id=kept.id,
            caption=kept.caption,
            stars=kept.stars,
            correction=kept.correction,
            keeps_picture=bool(kept.picture),
        )
        return answer(request, value, status=201)

    return router
