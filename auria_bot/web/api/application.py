"""The application behind /api/v1: its routers, what surrounds them, and its OpenAPI document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from auria_bot.web.api.access import Access, ApiMiddleware
from auria_bot.web.api.artworks import artworks_router
from auria_bot.web.api.captions import captions_router
from auria_bot.web.api.document import describe
from auria_bot.web.api.drafts import drafts_router
from auria_bot.web.api.engagement import engagement_router
from auria_bot.web.api.pipelines import pipelines_router
from auria_bot.web.api.posts import posts_router
from auria_bot.web.api.problems import add_problem_handlers
from auria_bot.web.api.runs import runs_router
from auria_bot.web.api.styles import styles_router

if TYPE_CHECKING:
    from auria_bot.web.app import WebApp

__all__ = ["api_application"]


def api_application(web: WebApp) -> FastAPI:
    """The REST interface as an ASGI application to mount."""
    api = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    access = Access(web.services)
    resources = (artworks_router, drafts_router, runs_router, pipelines_router, posts_router, engagement_router)
    for make in (*resources, captions_router, styles_router):
        api.include_router(make(web, access))
    add_problem_handlers(api)
    api.add_middleware(ApiMiddleware)
    describe(api)
    return api
