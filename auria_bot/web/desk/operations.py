"""Health, the schedule with its missed times, notices, and the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from fastapi import Depends, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.domain.draft import LAST_ID
from auria_bot.errors import AuriaError
from auria_bot.redaction import redacted_error
from auria_bot.services.accounts.accounts import Session
from auria_bot.services.operations.doctor import examine_apart
from auria_bot.services.schedule.jobs import PROGRAM
from auria_bot.web.desk.access import seen
from auria_bot.web.links import CANONICAL, READ

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fastapi import APIRouter

    from auria_bot.web.desk.access import DeskRoutes

__all__ = ["add_operations"]

_Item = TypeVar("_Item")
_COMING = 8.0  # days in which every job has a time
_ENTRIES = 60  # of the journal on a page


def add_operations(router: APIRouter, desk: DeskRoutes) -> None:
    """Add the routes."""
    _add_health(router, desk)
    _add_records(router, desk)


def _add_health(router: APIRouter, desk: DeskRoutes) -> None:
    reader, decider = Depends(desk.reader), Depends(desk.decider)
    services = desk.services

    def shown(request: Request, session: Session, **values: Any) -> Response:
        scheduler, lease = services.job_scheduler, services.job_scheduler.leader()
        return desk.page(
            "health.html",
            request,
            session,
            **{
                "troubles": services.health.report().troubles,
                "lease": lease,
                "is_led": scheduler.is_led(),
                "inventory": services.job_planner.inventory(),
                "asked": scheduler.asked(),
                "coming": _first_of_each(scheduler.upcoming(days=_COMING), lambda time: time.job),
                "last": _first_of_each(scheduler.history(), lambda run: run.slot.job),
                "findings": None,
                "message": "",
                **values,
            },
        )

    @router.api_route("/health", methods=READ)
    def health(request: Request, session: Session = reader) -> Response:
        return shown(request, session)

    @router.post("/health/examine")
    def examine(request: Request, session: Session = decider) -> Response:
        """Run the checks of `auria doctor`, in a process of their own."""
        try:
            return shown(request, session, findings=examine_apart(PROGRAM))
        except AuriaError as error:
            return shown(request, session, message=redacted_error(error))

    @router.post("/health/missed")
    def missed(
        session: Session = decider, job: Annotated[str, Form(max_length=200)] = "", run: Annotated[bool, Form()] = False
    ) -> Response:
        """Make up for a missed time of a job, or skip it."""
        services.job_scheduler_as(session.name).decide(job, run=run)
        return seen("/desk/health", "caught_up" if run else "skipped", job)


def _first_of_each(found: Iterable[_Item], job: Callable[[_Item], str]) -> list[_Item]:
    """The first of each job, in their order."""
    firsts: dict[str, _Item] = {}
    for one in found:
        firsts.setdefault(job(one), one)
    return list(firsts.values())


def _add_records(router: APIRouter, desk: DeskRoutes) -> None:
    reader, decider = Depends(desk.reader), Depends(desk.decider)
    services = desk.services

    @router.api_route("/notices", methods=READ)
    def notices(request: Request, session: Session = reader) -> Response:
        return desk.page("notices.html", request, session, notices=services.notices.open())

    @router.post("/notices/dismiss")
    def dismiss(session: Session = decider, notice: Annotated[int, Form(ge=1, le=LAST_ID)] = LAST_ID) -> Response:
        """Take a notice off the list."""
        dismissed = services.notices_as(session.name).dismiss(notice)
        return seen("/desk/notices", "dismissed", dismissed.title)

    @router.api_route("/journal", methods=READ)
    def journal(
        request: Request,
        session: Session = reader,
        before: Annotated[int, Query(ge=1, le=LAST_ID), CANONICAL] = LAST_ID,
    ) -> Response:
        found = services.review.journal(before=before, limit=_ENTRIES + 1)
        return desk.page(
            "journal.html",
            request,
            session,
            entries=found[:_ENTRIES],
            earlier=found[_ENTRIES - 1].id if len(found) > _ENTRIES else None,
        )
