"""Posts: what became of each draft on each channel, and the decisions on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import APIRouter, Path, Query, Security
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.domain.draft import LAST_ID
from auria_bot.domain.post import PostState
from auria_bot.errors import InvalidTransition, PreconditionFailed
from auria_bot.services.accounts.api_keys import ApiKey
from auria_bot.services.serialization import post_json
from auria_bot.web.api.answers import (
    Cursor,
    IfMatch,
    Limit,
    Page,
    answer,
    check_unchanged,
    cursor_of,
    page,
    place_before,
)
from auria_bot.web.api.schemas import Post, PostDetail, PostOutcome, PostTime
from auria_bot.web.links import CANONICAL

if TYPE_CHECKING:
    from auria_bot.domain import post as domain
    from auria_bot.web.api.access import Access
    from auria_bot.web.app import WebApp

__all__ = ["posts_router"]

PostId = Annotated[int, Path(ge=1, le=LAST_ID), CANONICAL]
_STATES = tuple(map(str, PostState))
_State = Literal[_STATES]  # type: ignore[valid-type]  # the names are known when this is imported


def posts_router(web: WebApp, access: Access) -> APIRouter:
    """The routes of posts."""
    router = APIRouter(prefix="/posts", tags=["posts"])
    _add_reads(router, web, access)
    _add_decisions(router, web, access)
    return router


def _add_reads(router: APIRouter, web: WebApp, access: Access) -> None:
    publisher = web.services.publisher
    reader = Security(access.caller, scopes=["read"])

    @router.get("", response_model=Page[Post])
    def list_posts(
        request: Request,
        _: ApiKey = reader,
        state: Annotated[list[_State] | None, Query(max_length=9, description="Any of these; all if none.")] = None,
        draft: Annotated[
            int | None, Query(ge=1, le=LAST_ID, description="Only those of this draft."), CANONICAL
        ] = None,
        limit: Limit = 20,
        cursor: Cursor = "",
    ) -> Response:
        """Posts, newest first."""
        before = place_before(cursor)
        states = [PostState(name) for name in state or ()]
        rows = publisher.posts(states, draft_id=draft, before=before, limit=limit + 1)
        return answer(request, page(rows, limit, _value, lambda one: cursor_of(one.id)))

    @router.get("/{post_id}", response_model=PostDetail)
    def get_post(request: Request, post_id: PostId, _: ApiKey = reader) -> Response:
        """A post with every attempt to publish or to withdraw it."""
        return answer(request, _detail(web, post_id)[1])


def _add_decisions(router: APIRouter, web: WebApp, access: Access) -> None:
    services = web.services
    decider = Security(access.caller, scopes=["decide"])

    @router.post("/{post_id}/outcome", response_model=PostDetail)
    def resolve_post(
        request: Request,
        post_id: PostId,
        outcome: PostOutcome,
        key: ApiKey = decider,
        if_match: IfMatch = None,
    ) -> Response:
        """Say what became of a post that needs attention, or that a published one is deleted."""
        read = _unchanged(web, post_id, if_match)
        services.publisher_as(key.author).decisions.decide(
            post_id, outcome.decision, url=outcome.url, identifier=outcome.identifier, unchanged=read
        )
        return answer(request, _detail(web, post_id)[1])

    @router.put("/{post_id}/time", response_model=PostDetail)
    def set_time(
        request: Request,
        post_id: PostId,
        time: PostTime,
        key: ApiKey = decider,
        if_match: IfMatch = None,
    ) -> Response:
        """Give a waiting post its own time; a cancelled one is queued again."""
        read = _unchanged(web, post_id, if_match)
        services.publisher_as(key.author).decisions.set_time(post_id, time.at, unchanged=read)
        return answer(request, _detail(web, post_id)[1])

    @router.post("/{post_id}/withdrawal", status_code=202, response_model=PostDetail)
    def withdraw_post(
        request: Request,
        post_id: PostId,
        key: ApiKey = decider,
        if_match: IfMatch = None,
    ) -> Response:
        """Cancel a post that is not published yet; have a published one deleted by the next round of publishing."""
        read = _unchanged(web, post_id, if_match)
        publisher = services.publisher_as(key.author)
        (plan,) = publisher.withdrawal.plan([post_id])
        if read is not None and plan.post != read:
            raise PreconditionFailed
        if plan.action == "none":
            raise InvalidTransition(plan.problem)
        publisher.withdrawal.request([plan])
        return answer(request, _detail(web, post_id)[1], status=202)


def _unchanged(web: WebApp, post_id: int, if_match: str | None) -> domain.Post | None:
    """The post as it must still be when it is decided on; None if the client does not ask for that."""
    post, value = _detail(web, post_id)
    return post if check_unchanged(value, if_match) else None


def _value(post: domain.Post) -> Post:
    return Post.model_validate(post_json(post))


def _detail(web: WebApp, post_id: int) -> tuple[domain.Post, PostDetail]:
    post, attempts = web.services.publisher.post(post_id)
    return post, PostDetail.model_validate(post_json(post, attempts))
