"""Engagement, and what was learnt from it: moods and styles."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Query, Security
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.errors import NotFound
from auria_bot.services.accounts.api_keys import ApiKey
from auria_bot.services.engagement import report as reports
from auria_bot.web.api.answers import Cursor, Limit, Page, answer, cursor_of, cursor_values, page
from auria_bot.web.api.schemas import Moment

if TYPE_CHECKING:
    from auria_bot.services.engagement.report import EngagementReport
    from auria_bot.web.api.access import Access
    from auria_bot.web.app import WebApp

__all__ = [
    "EngagementSummary",
    "EngagementTotals",
    "Mood",
    "PostEngagement",
    "StylePreference",
    "engagement_router",
]

_Since = Annotated[Moment | None, Query(description="Only posts since then; all if empty.")]
_Channel = Annotated[str, Query(max_length=60, description="Only this channel; all if empty.")]


class _Counts(BaseModel):
    """What a platform counts; null where it does not."""

    likes: int | None
    reposts: int | None
    replies: int | None
    quotes: int | None
    saves: int | None
    views: int | None


class EngagementTotals(_Counts):
    """The engagement of some posts, added up."""

    name: str
    posts: int
    measured: int = Field(description="Posts with known counts.")
    vanished: int = Field(description="Posts that are no longer on their platform.")
    points: int | None = Field(description="A like is one, a reply or a save two, a repost or a quote three.")
    mean: float | None = Field(description="Points a measured post.")
    rate: float | None = Field(description="Points a hundred followers, averaged over posts.")
    cost: float = Field(description="US dollars.")


class EngagementSummary(BaseModel):
    """The engagement of a period, by several kinds of groups."""

    time_zone: str = Field(description="In which hours, days and months are counted.")
    total: EngagementTotals
    channels: list[EngagementTotals]
    moods: list[EngagementTotals]
    styles: list[EngagementTotals]
    hours: list[EngagementTotals]
    days: list[EngagementTotals]
    months: list[EngagementTotals]


class PostEngagement(_Counts):
    """The latest counts of a post."""

    post: int
    draft: int
    channel: str
    posted_at: datetime
    mood: str
    style: str
    poem: str
    points: int | None
    rate: float | None
    followers: int | None
    cost: float
    url: str
    measured_at: datetime | None
    vanished_at: datetime | None


class _Preference(BaseModel):
    artworks: int = Field(description="Published and measured.")
    mean: float = Field(description="Of their rewards: 0 is average, 1 is one standard deviation better.")
    low: float = Field(description="The mean lies between low and high with probability 0.8.")
    high: float


class Mood(_Preference):
    """A mood, and how it was received."""

    name: str
    parent: str = Field(description="Its emotion in WikiArt Emotions.")
    description: str
    valence: float
    arousal: float
    strength: float = Field(description="Of the style.")
    words: list[str]
    chance: float = Field(description="Of being drawn next, when a mood is drawn.")
    drawn: float = Field(description="Of being the mood of the next artwork by preference.")


class StylePreference(_Preference):
    """A painting that was used, and how it was received."""

    key: str
    title: str
    artist: str
    year: str
    weight: float = Field(description="In the choice of the next style; 1 for one that was never used.")


def engagement_router(web: WebApp, access: Access) -> APIRouter:
    """The routes of engagement, moods and styles."""
    router = APIRouter(tags=["engagement"])
    _add_engagement(router, web, access)
    _add_preferences(router, web, access)
    return router


def _add_engagement(router: APIRouter, web: WebApp, access: Access) -> None:
    services = web.services
    reader = Security(access.caller, scopes=["read"])

    def report(since: datetime | None, channel: str) -> EngagementReport:
        known = services.engagement_reporter.channels() | set(services.settings.channels)
        if channel and channel not in known:
            raise NotFound(f"no channel named {channel[:40]!r}; known: {', '.join(sorted(known))}")
        return services.engagement_reporter.report(since=since, channel=channel or None)

    @router.get("/engagement", response_model=EngagementSummary)
    def get_engagement(
        request: Request,
        _: ApiKey = reader,
        since: _Since = None,
        channel: _Channel = "",
    ) -> Response:
        """The engagement of published posts, by channel, mood, style and time."""
        found = report(since, channel)
        shown = services.engagement_reporter.artworks([one.draft_id for one in found.posts[: reports.LATEST]])
        values = reports.report_json(found, shown, time_zone=services.settings.time_zone)
        return answer(request, EngagementSummary.model_validate(values))

    @router.get("/engagement/posts", response_model=Page[PostEngagement])
    def list_engagement(
        request: Request,
        _: ApiKey = reader,
        since: _Since = None,
        channel: _Channel = "",
        limit: Limit = 20,
        cursor: Cursor = "",
    ) -> Response:
        """The latest counts of each published post, newest first."""
        place = cursor_values(cursor, (float, int))
        posts = [
            one
            for one in report(since, channel).posts
            if place is None or (one.posted_at.timestamp(), one.post_id) < (place[0], place[1])
        ]
        rows = sorted(posts, key=lambda one: (one.posted_at, one.post_id), reverse=True)[: limit + 1]
        artworks = services.engagement_reporter.artworks([one.draft_id for one in rows])
        found = page(
            rows,
            limit,
            lambda one: PostEngagement.model_validate(reports.post_engagement_json(one, artworks)),
            lambda one: cursor_of(one.posted_at.timestamp(), one.post_id),
        )
        return answer(request, found)


def _add_preferences(router: APIRouter, web: WebApp, access: Access) -> None:
    services = web.services
    reader = Security(access.caller, scopes=["read"])

    @router.get("/moods", response_model=Page[Mood])
    def list_moods(
        request: Request,
        _: ApiKey = reader,
        order: Annotated[Literal["name", "chance"], Query(description="By name, or the likeliest first.")] = "name",
    ) -> Response:
        """Every mood with its chance, learnt from engagement."""
        moods = [Mood.model_validate(one) for one in reports.moods_json(services.preferences.preferences())]
        moods.sort(key=lambda one: one.name if order == "name" else (-one.chance, one.name))
        return answer(request, Page[Mood](items=moods, next=None))

    @router.get("/styles", response_model=Page[StylePreference])
    def list_styles(
        request: Request,
        _: ApiKey = reader,
        limit: Limit = 20,
        cursor: Cursor = "",
    ) -> Response:
        """The paintings that published artworks were restyled after, with their weight, by key."""
        place = cursor_values(cursor, (str,))
        rows = sorted(reports.styles_json(services.preferences.preferences()), key=lambda one: str(one["key"]))
        rows = [one for one in rows if place is None or one["key"] > place[0]][: limit + 1]
        artworks = services.engagement_reporter.style_artworks([one["key"] for one in rows])

        def value(row: dict[str, object]) -> StylePreference:
            style = artworks[str(row["key"])].style
            named = {"title": style.title, "artist": style.artist, "year": style.year}
            return StylePreference.model_validate(row | named)

        return answer(request, page(rows, limit, value, lambda one: cursor_of(str(one["key"]))))
