"""Restyling of pictures that programs bring; the list of styles is in `engagement`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Query, Security
from starlette.responses import Response

from auria_bot.domain.model_requests import StyleRequest
from auria_bot.domain.pipeline import SEEDS
from auria_bot.web.api.captions import PICTURE_BODY, sent_picture
from auria_bot.web.api.schemas import Mode
from auria_bot.web.links import CANONICAL

if TYPE_CHECKING:
    from auria_bot.web.api.access import Access
    from auria_bot.web.app import WebApp

__all__ = ["styles_router"]

_JPEG: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}, "description": "A JPEG."}
}


def styles_router(web: WebApp, access: Access) -> APIRouter:
    """The route that restyles."""
    router = APIRouter(tags=["styles"])
    restyler = Security(access.caller, scopes=["restyle"])
    sent = sent_picture(restyler)

    @router.post("/styles", response_class=Response, responses=_JPEG, openapi_extra=PICTURE_BODY)
    def restyle_picture(
        style: Annotated[
            str,
            Query(min_length=1, max_length=120, description="A painting's key or title, an artist, or a style's name."),
        ],
        picture: bytes = sent,
        mode: Annotated[Mode, Query(description="Stroke by stroke, by a network, or colours only.")] = "painterly",
        strength: Annotated[float, Query(ge=0, le=1, description="Of the style.")] = 0.8,
        seed: Annotated[int, Query(ge=0, lt=SEEDS, description="Of the strokes."), CANONICAL] = 0,
    ) -> Response:
        """Restyle a picture after a painting, in its own size up to 2048 pixels a side; nothing of it is kept."""
        wanted = StyleRequest(style=style, mode=mode, strength=strength, seed=seed)
        restyled = web.services.caption_front.restyle(picture, wanted)
        return Response(restyled, media_type="image/jpeg", headers={"Cache-Control": "no-store"})

    return router
