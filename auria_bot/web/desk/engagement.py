"""Engagement with plots, and what was learned from it: moods and paintings, and why they are chosen."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.services.accounts.accounts import Session
from auria_bot.services.engagement.report import DAYS
from auria_bot.web.desk.charts import HEIGHT, WIDTH, bar_chart, line_chart
from auria_bot.web.links import READ

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import APIRouter

    from auria_bot.web.desk.access import DeskRoutes

__all__ = ["add_engagement"]

_PERIODS: Final[Mapping[str, int]] = {"30d": 30, "90d": 90, "1y": 365, "all": 0}
"""Days of what can be looked at; 0 for all."""

_LATEST, _BEST = 20, 12
_SHADES = 5  # of the table of times


def add_engagement(router: APIRouter, desk: DeskRoutes) -> None:
    """Add the routes."""
    reader = Depends(desk.reader)
    services = desk.services

    @router.api_route("/engagement", methods=READ)
    def engagement(request: Request, session: Session = reader, period: str = "90d", channel: str = "") -> Response:
        reporter, chosen = services.engagement_reporter, period if period in _PERIODS else "90d"
        days, channels = _PERIODS[chosen], sorted(reporter.channels())
        only = channel if channel in channels else None
        since = services.clock() - timedelta(days=days) if days else None
        report = reporter.report(since=since, channel=only)
        latest, styles = report.posts[:_LATEST], report.by("style")[:_BEST]
        followers = {
            name: [(one.at, one.followers) for one in rows if one.followers is not None]
            for name, rows in report.followers.items()
        }
        return desk.page(
            "engagement.html",
            request,
            session,
            report=report,
            total=report.total(),
            latest=latest,
            styles=styles,
            artworks=reporter.artworks([*(one.draft_id for one in latest), *(one.example for one in styles)]),
            moods=[one for one in report.by("mood") if one.rate is not None][:_BEST],
            followers=line_chart(followers),
            weeks=bar_chart(report.weeks()),
            times=_shaded(report.rates()),
            days=DAYS,
            width=WIDTH,
            height=HEIGHT,
            period=chosen,
            periods=list(_PERIODS),
            channel=only or "",
            channels=channels,
        )

    @router.api_route("/moods", methods=READ)
    def moods(request: Request, session: Session = reader) -> Response:
        found = services.preferences.preferences()
        styles = [*found.styles[:_BEST]]
        return desk.page(
            "moods.html",
            request,
            session,
            preferences=found,
            styles=styles,
            paintings=services.engagement_reporter.style_artworks([one.name for one in styles]),
        )


def _shaded(rates: list[list[float | None]]) -> list[list[tuple[float | None, int]]]:
    """Each rate with its shade from 1 to 5; 0 where nothing was published."""
    most = max((rate for row in rates for rate in row if rate is not None), default=0.0) or 1.0
    return [
        [(rate, 0 if rate is None else 1 + min(_SHADES - 1, int(max(rate, 0.0) / most * _SHADES))) for rate in row]
        for row in rates
    ]
