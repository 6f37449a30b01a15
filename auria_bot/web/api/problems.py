"""Errors as problem documents (RFC 9457), made from the one error tree in `auria_bot.errors`."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from auria_bot.errors import AuriaError, ModelServerBusy, SignInRequired, TooManyAttempts
from auria_bot.redaction import redacted

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

__all__ = ["PROBLEM", "InvalidField", "Problem", "add_problem_handlers", "invalid_fields", "problem"]

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
"""The media type of every error."""

_MOST_ERRORS = 20  # invalid fields that one answer names


class InvalidField(BaseModel):
    """A part of a request that is invalid."""

    location: str = Field(description="Where it is, such as `body.text` or `query.limit`.")
    message: str


class Problem(BaseModel):
    """Why a request was refused, as RFC 9457 describes it."""

    type: str = Field(description="Identifies the kind of problem.", examples=["urn:auria:problem:not-found"])
    title: str = Field(description="The kind of problem in words.", examples=["There is no such thing."])
    status: int = Field(ge=400, le=599, examples=[404])
    detail: str = Field(description="What is wrong with this request.", examples=["there is no draft 7"])
    instance: str = Field(description="Identifies this answer; the log has it too.", examples=["urn:auria:request:8a"])
    errors: list[InvalidField] = Field(default=[], description="The invalid fields, where there are any.")


def problem(
    request: Request,
    status: int,
    *,
    kind: str = "",
    title: str = "",
    detail: str = "",
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The answer to a request that is refused; kind and title follow from the status where they are not given."""
    phrase = HTTPStatus(status).phrase
    content = {
        "type": f"urn:auria:problem:{kind or phrase.lower().replace(' ', '-')}",
        "title": title or phrase,
        "status": status,
        "detail": detail or title or phrase,
        "instance": f"urn:auria:request:{getattr(request.state, 'request_id', '')}",
        "errors": errors or [],
    }
    return JSONResponse(content, status, headers={"Cache-Control": "no-store", **(headers or {})}, media_type=PROBLEM)


def add_problem_handlers(api: FastAPI) -> None:
    """Answer every error of an application with a problem document."""

    @api.exception_handler(AuriaError)
    def expected(request: Request, error: AuriaError) -> Response:
        status, headers = error.http_status, dict[str, str]()
        if status >= 500:
            log.error("A request failed: %s", error)
        if isinstance(error, SignInRequired):
            headers["WWW-Authenticate"] = 'Bearer realm="Auria"'
        if isinstance(error, TooManyAttempts | ModelServerBusy):
            headers["Retry-After"] = str(error.seconds)
        kind = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
        title = (type(error).__doc__ or "").strip().splitlines()[0]
        detail = redacted(str(error)) if status < 500 else ""  # what failed inside is nobody's business
        return problem(request, status, kind=kind, title=title, detail=detail, headers=headers)

    @api.exception_handler(RequestValidationError)
    def malformed(request: Request, error: RequestValidationError) -> Response:
        found = invalid_fields(error)
        if found is None:
            return problem(request, 404, title="There is no such thing.")
        named = "; ".join(f"{one['location']}: {one['message']}" for one in found[:3])
        return problem(
            request, 422, kind="invalid-request", title="The request is invalid.", detail=named, errors=found
        )

    @api.exception_handler(HTTPException)
    def refused(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(_methods(api, request))
        return problem(request, error.status_code, detail=str(error.detail), headers=headers)

    @api.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> Response:
        log.error("A request failed unexpectedly", exc_info=error)
        return problem(request, 500)


def invalid_fields(error: RequestValidationError) -> list[dict[str, str]] | None:
    """The first invalid parts of a request, each with `location` and `message`; None if its path names nothing."""
    errors = error.errors()
    if any(one["loc"][:1] == ("path",) for one in errors):
        return None
    return [_invalid(one) for one in errors[:_MOST_ERRORS]]


def _invalid(error: dict[str, Any]) -> dict[str, str]:
    """One of pydantic's errors, without the value that was sent."""
    return {"location": ".".join(str(part)[:60] for part in error["loc"])[:300], "message": str(error["msg"])[:300]}


def _methods(api: FastAPI, request: Request) -> list[str]:
    """The methods that are allowed at a request's path, as the document says."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    for template, operations in api.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", template), path):
            return sorted(method.upper() for method in operations)
    return ["GET"]
