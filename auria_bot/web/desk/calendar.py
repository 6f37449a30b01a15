"""The calendar: months of what was published and of what is to be, and moving posts to other days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.domain.draft import LAST_ID
from auria_bot.errors import AuriaError, InputError, InvalidTransition
from auria_bot.redaction import redacted_error
from auria_bot.services.accounts.accounts import Session
from auria_bot.web.desk.access import Typed, seen
from auria_bot.web.desk.posts import typed_time
from auria_bot.web.links import READ

if TYPE_CHECKING:
    from fastapi import APIRouter

    from auria_bot.services.publishing.calendar import CalendarEntry
    from auria_bot.web.desk.access import DeskRoutes

__all__ = ["add_calendar"]

_MONTH = re.compile(r"(?P<year>20[0-9]{2})-(?P<month>0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """A day of the page."""

    date: date
    entries: tuple[CalendarEntry, ...]
    is_in_month: bool


def add_calendar(router: APIRouter, desk: DeskRoutes) -> None:
    """Add the routes."""
    reader, decider = Depends(desk.reader), Depends(desk.decider)
    services = desk.services

    @router.api_route("/calendar", methods=READ)
    def calendar(request: Request, session: Session = reader, month: str = "") -> Response:
        return _page(desk, request, session, month)

    @router.post("/calendar/move")
    def move(
        request: Request,
        session: Session = decider,
        post: Annotated[int, Form(ge=0, le=LAST_ID)] = 0,
        draft: Annotated[int, Form(ge=0, le=LAST_ID)] = 0,
        date: Typed = "",
        time: Typed = "",
    ) -> Response:
        """Give a post, or all posts of an approved draft, another time."""
        publisher = services.publisher_as(session.name)
        try:
            at = typed_time(desk, date, time)
            if post:
                publisher.decisions.set_time(post, at)
            else:
                publisher.set_draft_time(draft, at)
        except (InputError, InvalidTransition) as error:
            return _page(desk, request, session, date[:7], error)
        shown = at.astimezone(services.zone)
        return seen(f"/desk/calendar?month={shown:%Y-%m}", "moved", f"{shown:%Y-%m-%d %H:%M}")


def _page(
    desk: DeskRoutes, request: Request, session: Session, month: str, error: AuriaError | None = None
) -> Response:
    """A month from the Monday before it to the Sunday after it, with what was refused."""
    today = desk.services.clock().astimezone(desk.services.zone).date()
    found = _MONTH.fullmatch(month)
    first = date(int(found["year"]), int(found["month"]), 1) if found else today.replace(day=1)
    after = (first + timedelta(days=32)).replace(day=1)
    start = first - timedelta(days=first.weekday())
    count = -(-(after - start).days // 7) * 7
    entries = desk.services.publishing_calendar.entries(start, start + timedelta(days=count - 1))
    days = [start + timedelta(days=number) for number in range(count)]
    return desk.page(
        "calendar.html",
        request,
        session,
        error.http_status if error else 200,
        days=[
            _Day(
                date=day,
                entries=tuple(entry for entry in entries if entry.at.date() == day),
                is_in_month=day.month == first.month,
            )
            for day in days
        ],
        first=first,
        before=f"{first - timedelta(days=1):%Y-%m}",
        after=f"{after:%Y-%m}",
        today=today,
        message=redacted_error(error) if error else "",
    )
