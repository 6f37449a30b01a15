"""Channels: their state and last error, pausing, resuming and checking them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.errors import AuriaError
from auria_bot.redaction import redacted_error
from auria_bot.services.accounts.accounts import Session
from auria_bot.web.desk.access import seen
from auria_bot.web.links import READ

if TYPE_CHECKING:
    from fastapi import APIRouter

    from auria_bot.web.desk.access import DeskRoutes

__all__ = ["add_channels"]


def add_channels(router: APIRouter, desk: DeskRoutes) -> None:
    """Add the routes."""
    reader, decider = Depends(desk.reader), Depends(desk.decider)
    services = desk.services

    def shown(request: Request, session: Session, status: int = 200, *, name: str = "", answer: str = "") -> Response:
        """The list, with what a platform answered to the check of a channel."""
        return desk.page(
            "channels.html",
            request,
            session,
            status,
            channels=services.channel_administration.statuses(),
            troubles=services.publisher.last_troubles(),
            answered=name,
            answer=answer,
        )

    @router.api_route("/channels", methods=READ)
    def channels(request: Request, session: Session = reader) -> Response:
        return shown(request, session)

    @router.post("/channels/{name}/pause")
    def pause(name: str, session: Session = decider, reason: Annotated[str, Form(max_length=500)] = "") -> Response:
        services.publisher_as(session.name).pause(name, reason=reason)
        return seen("/desk/channels", "paused", name)

    @router.post("/channels/{name}/resume")
    def resume(request: Request, name: str, session: Session = decider) -> Response:
        """Check a channel, and end its pause when the check succeeds."""
        services.channel_administration.require(name)
        try:
            services.publisher_as(session.name).resume(name)
        except AuriaError as error:
            return shown(request, session, error.http_status, name=name, answer=redacted_error(error))
        return seen("/desk/channels", "resumed", name)

    @router.post("/channels/{name}/check")
    def check(request: Request, name: str, session: Session = decider) -> Response:
        services.channel_administration.require(name)
        try:
            answer = services.publisher_as(session.name).check(name)
        except AuriaError as error:
            return shown(request, session, error.http_status, name=name, answer=redacted_error(error))
        return shown(request, session, name=name, answer=answer)
