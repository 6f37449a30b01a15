"""How answers are made: entity tags, conditional requests, and pages with cursors."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import math
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from fastapi import Header, Query
from pydantic import BaseModel, Field
from starlette.responses import FileResponse, Response

from auria_bot.domain.draft import LAST_ID
from auria_bot.errors import DiskError, NotFound, PreconditionFailed
from auria_bot.services.accounts.idempotency import StoredAnswer
from auria_bot.web.links import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from starlette.requests import Request

    from auria_bot.web.app import WebApp

__all__ = [
    "Cursor",
    "IdempotencyKey",
    "IfMatch",
    "Limit",
    "Page",
    "answer",
    "check_unchanged",
    "cursor_of",
    "cursor_values",
    "file_answer",
    "once",
    "page",
    "place_before",
]

_Item = TypeVar("_Item", bound=BaseModel)
_Row = TypeVar("_Row")

Limit = Annotated[int, Query(ge=1, le=100, description="Most items of the answer."), CANONICAL]
Cursor = Annotated[
    str,
    Query(
        max_length=200, pattern=r"^[A-Za-z0-9_-]*$", description="The `next` of the page before; empty for the first."
    ),
]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=200,
        description="The ETag of what is decided on: refused with 412 if it changed since it was read.",
    ),
]


IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Chosen by the client: a repetition with the same key gets the first answer, for 24 hours.",
    ),
]


class Page(BaseModel, Generic[_Item]):
    """Part of a list."""

    items: list[_Item]
    next: str | None = Field(description="The cursor of the next page; null if this is the last one.")


def cursor_of(*values: str | float) -> str:
    """The cursor of a place in a list."""
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def cursor_values(cursor: str, kinds: Sequence[type]) -> list[Any] | None:
    """The values of a cursor, of these kinds; None for the beginning of the list.

    Raises:
        NotFound: the cursor was not given by this list.
    """
    if not cursor:
        return None
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        values = None
    if (
        not isinstance(values, list)
        or [type(value) for value in values] != list(kinds)
        or any(isinstance(value, float) and not math.isfinite(value) for value in values)
    ):
        raise NotFound("there is no such page: the cursor was not given by this list; begin without one")
    return values


def place_before(cursor: str) -> int:
    """The id before which a list by ids goes on.

    Raises:
        NotFound: the cursor was not given by this list.
    """
    place = cursor_values(cursor, (int,))
    return LAST_ID if place is None else min(max(place[0], 0), LAST_ID)


def page(rows: Sequence[_Row], limit: int, item: Callable[[_Row], _Item], cursor: Callable[[_Row], str]) -> Page[_Item]:
    """A page of `limit` rows, of which one more was read to see whether there are more."""
    shown = rows[:limit]
    following = cursor(shown[-1]) if len(rows) > limit else None
    return Page[Any](items=[item(row) for row in shown], next=following)


def answer(
    request: Request,
    value: BaseModel,
    *,
    status: int = 200,
    is_public: bool = False,
    headers: dict[str, str] | None = None,
) -> Response:
    """A value as JSON with its entity tag; 304 without it where the client has it already."""
    body = value.model_dump_json().encode()
    tag = _tag(body)
    caching = "public, max-age=60" if is_public else "private, no-cache"
    sent = {"ETag": tag, "Cache-Control": caching, **(headers or {})}
    if request.method == "GET" and _matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=sent)
    return Response(body, status, headers=sent, media_type="application/json")


def file_answer(request: Request, path: Path, *, media_type: str, caching: str) -> Response:
    """A file with its entity tag; 304 without it where the client has it already. No parts of it are offered.

    Raises:
        NotFound: it was deleted meanwhile.
    """
    try:
        found = path.stat()
    except OSError:
        raise NotFound("the file is not there any more") from None
    headers = {"Cache-Control": caching, "Accept-Ranges": "none"}
    whole = FileResponse(path, media_type=media_type, headers=headers, stat_result=found)
    tag = whole.headers["etag"]
    if _matches(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers={"ETag": tag, "Cache-Control": caching})
    return whole


def once(
    web: WebApp,
    request: Request,
    who: str,
    key: str | None,
    carry_out: Callable[[], Response],
    content: BaseModel | None = None,
) -> Response:
    """The answer to a request that is carried out once, however often it is sent with the same Idempotency-Key.

    A request that fails changed nothing, and may be corrected and sent again with its key.

    Raises:
        InvalidTransition: the same request is being carried out.
        InputError: the key belongs to another request.
    """
    if key is None:
        return carry_out()
    requests = web.services.answered_requests
    sent = "\n".join((request.method, request.url.path, content.model_dump_json() if content else ""))
    digest = hashlib.sha256(sent.encode()).hexdigest()
    if (known := requests.begin(who, key, digest)) is not None:
        return Response(
            known.body, known.status, {**known.headers, "Idempotency-Replayed": "true"}, media_type="application/json"
        )
    try:
        made = carry_out()
    except BaseException:
        with contextlib.suppress(DiskError):  # its own error counts; the record expires after some minutes
            requests.abandon(who, key)
        raise
    headers = {name: made.headers[name] for name in ("Location", "ETag", "Cache-Control") if name in made.headers}
    requests.finish(
        who, key, digest, StoredAnswer(status=made.status_code, headers=headers, body=bytes(made.body).decode())
    )
    return made


def check_unchanged(value: BaseModel, if_match: str | None) -> bool:
    """Whether the client asked for a value to be unchanged, and it is.

    Raises:
        PreconditionFailed: it changed since the client read it.
    """
    if if_match is None or if_match.strip() == "*":
        return False
    if not _matches(if_match, _tag(value.model_dump_json().encode())):
        raise PreconditionFailed
    return True


def _tag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _matches(header: str, tag: str) -> bool:
    given = [one.strip().removeprefix("W/") for one in header.split(",")]
    return tag in given or given == ["*"]
