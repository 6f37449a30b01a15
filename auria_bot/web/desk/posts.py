"""Posts: their states, every attempt, and the operator's decisions on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import Depends, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.domain.draft import LAST_ID
from auria_bot.domain.job_schedule import moment
from auria_bot.domain.post import Post, PostState
from auria_bot.errors import AuriaError, InputError, InvalidTransition
from auria_bot.redaction import redacted_error
from auria_bot.services.accounts.accounts import Session
from auria_bot.services.publishing.post_decisions import MOVABLE, decisions_on
from auria_bot.web.desk.access import Typed, seen
from auria_bot.web.links import CANONICAL, READ, Number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fastapi import APIRouter

    from auria_bot.web.desk.access import DeskRoutes

__all__ = ["GROUPS", "add_posts", "typed_time"]

GROUPS: Final[Mapping[str, frozenset[PostState]]] = {
    "attention": frozenset({PostState.NEEDS_ATTENTION, PostState.UNKNOWN, PostState.WITHDRAWING}),
    "waiting": frozenset({PostState.WAITING, PostState.SENDING}),
    "sent": frozenset({PostState.SENT}),
    "ended": frozenset({PostState.FAILED, PostState.CANCELLED, PostState.WITHDRAWN}),
}
"""What the list of posts can be filtered by."""

_LISTED = 100


def add_posts(router: APIRouter, desk: DeskRoutes) -> None:
    """Add the routes."""
    _add_reading(router, desk)
    _add_decisions(router, desk)
    _add_publishing(router, desk)


def typed_time(desk: DeskRoutes, date: str, time: str) -> datetime:
    """The time that a form names in the operator's time zone; no date is today.

    Raises:
        InputError: it is no time.
    """
    return moment(f"{date} {time}".strip()[:40], now=desk.services.clock(), zone=desk.services.zone)


def _post_page(
    desk: DeskRoutes, request: Request, session: Session, post_id: int, error: AuriaError | None = None
) -> Response:
    """The page of a post, with what was refused."""
    publisher = desk.services.publisher
    post, attempts = publisher.post(post_id)
    draft = desk.services.review.draft(post.draft_id)
    with_plan = post.state in {PostState.SENT, PostState.WAITING, *GROUPS["attention"]}
    return desk.page(
        "post.html",
        request,
        session,
        error.http_status if error else 200,
        post=post,
        attempts=attempts,
        draft=draft,
        widths=desk.services.picture_sizes.widths(draft),
        size=desk.services.picture_sizes.size(draft),
        decisions=decisions_on(post),
        is_movable=post.state in MOVABLE,
        plan=publisher.withdrawal.plan([post_id])[0] if with_plan else None,
        history=[entry for entry in desk.services.review.journal(post.draft_id) if _concerns(entry.details, post)],
        message=redacted_error(error) if error else "",
    )


def _concerns(details: str, post: Post) -> bool:
    """Whether an entry of the draft's journal is about this post."""
    words = details.split()
    return post.channel in {word.strip(",:") for word in words}


def _add_reading(router: APIRouter, desk: DeskRoutes) -> None:
    reader = Depends(desk.reader)
    services = desk.services

    @router.api_route("/posts", methods=READ)
    def posts(
        request: Request,
        session: Session = reader,
        group: str = "",
        draft: Annotated[int | None, Query(ge=1, le=LAST_ID), CANONICAL] = None,
    ) -> Response:
        needed = services.publisher.posts(GROUPS["attention"], limit=_LISTED)
        chosen = group if group in GROUPS else "attention" if needed and draft is None else "waiting"
        found = (
            services.publisher.posts(draft_id=draft)
            if draft
            else needed
            if chosen == "attention"
            else services.publisher.posts(GROUPS[chosen], limit=_LISTED)
        )
        drafts = {one: services.review.draft(one) for one in {post.draft_id for post in found}}
        return desk.page(
            "posts.html",
            request,
            session,
            posts=found,
            drafts=drafts,
            sizes={one: services.picture_sizes.widths(kept) for one, kept in drafts.items()},
            group="" if draft else chosen,
            groups=list(GROUPS),
            needed=len(needed),
            draft_id=draft,
        )

    @router.api_route("/posts/{post_id}", methods=READ)
    def post(request: Request, post_id: Number, session: Session = reader) -> Response:
        return _post_page(desk, request, session, post_id)


def _add_decisions(router: APIRouter, desk: DeskRoutes) -> None:
    decider = Depends(desk.decider)
    services = desk.services

    @router.post("/posts/{post_id}/time")
    def time(
        request: Request, post_id: Number, session: Session = decider, date: Typed = "", time: Typed = ""
    ) -> Response:
        try:
            services.publisher_as(session.name).decisions.set_time(post_id, typed_time(desk, date, time))
        except (InputError, InvalidTransition) as error:
            return _post_page(desk, request, session, post_id, error)
        return seen(f"/desk/posts/{post_id}", "timed", post_id)

    @router.post("/posts/{post_id}/decide")
    def decide(
        request: Request,
        post_id: Number,
        session: Session = decider,
        decision: Typed = "",
        url: Annotated[str, Form(max_length=2000)] = "",
        identifier: Annotated[str, Form(max_length=200)] = "",
    ) -> Response:
        try:
            services.publisher_as(session.name).decisions.decide(post_id, decision, url=url, identifier=identifier)
        except (InputError, InvalidTransition) as error:
            return _post_page(desk, request, session, post_id, error)
        return seen(f"/desk/posts/{post_id}", "decided", post_id)

    @router.post("/posts/{post_id}/withdraw")
    def withdraw(request: Request, post_id: Number, session: Session = decider) -> Response:
        publisher = services.publisher_as(session.name)
        try:
            result = publisher.withdraw(publisher.withdrawal.plan([post_id]))
        except InvalidTransition as error:
            return _post_page(desk, request, session, post_id, error)
        if result.problems:
            return _post_page(desk, request, session, post_id, InvalidTransition("; ".join(result.problems)))
        return seen(f"/desk/posts/{post_id}", "withdrawn", post_id)


def _add_publishing(router: APIRouter, desk: DeskRoutes) -> None:
    decider = Depends(desk.decider)
    services = desk.services

    @router.post("/posts/publish")
    def publish(session: Session = decider) -> Response:
        """Publish what is due, as `auria publish` does."""
        publisher = services.publisher_as(session.name)
        done = publisher.publish()
        sent = sum(post.state is PostState.SENT for post in done.posts)
        if done.problems:
            return seen("/desk/posts", "published.problems", sent)
        return seen("/desk/posts", "published" if done.posts else "published.none", sent)
