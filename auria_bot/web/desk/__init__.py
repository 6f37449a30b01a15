"""The operator's desk, a module for each kind of thing that is looked at and decided there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from auria_bot.web.desk.access import COOKIE, DeskRoutes
from auria_bot.web.desk.accounts import add_accounts
from auria_bot.web.desk.calendar import add_calendar
from auria_bot.web.desk.channels import add_channels
from auria_bot.web.desk.drafts import add_drafts
from auria_bot.web.desk.engagement import add_engagement
from auria_bot.web.desk.operations import add_operations
from auria_bot.web.desk.passkeys import add_passkeys
from auria_bot.web.desk.posts import add_posts
from auria_bot.web.desk.versions import add_versions

if TYPE_CHECKING:
    from auria_bot.web.app import WebApp

__all__ = ["COOKIE", "desk_router"]


_ROUTES = (
    add_accounts,
    add_passkeys,
    add_drafts,
    add_versions,
    add_posts,
    add_calendar,
    add_channels,
    add_engagement,
    add_operations,
)


def desk_router(web: WebApp) -> APIRouter:
    """The routes of the desk."""
    router = APIRouter(prefix="/desk", include_in_schema=False, default_response_class=HTMLResponse)
    desk = DeskRoutes(web)
    for add in _ROUTES:
        add(router, desk)
    return router
