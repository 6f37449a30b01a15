"""The OpenAPI document: what FastAPI derives from the routes, with the answers and headers that all of them share."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi.openapi.utils import get_openapi

from auria_bot import __version__
from auria_bot.web.api.problems import PROBLEM, Problem

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["describe"]

_DESCRIPTION = """\
Auria writes a haiku, paints it, restyles the painting in a mood, and shows the result to her operator.

- **Keys** are sent as `Authorization: Bearer KEY`. `auria keys add NAME --scope read` makes one. Published artworks
  need none.
- **Lists** are pages: ask again with `cursor` set to the `next` of the answer. Items that are added meanwhile do not
  move a page.
- **Reads** have an `ETag`; with `If-None-Match` an unchanged one is answered with 304. With `If-Match` a decision is
  refused with 412 if its subject changed since it was read.
- **`Idempotency-Key`** makes it safe to repeat what creates something: the first answer is kept for 24 hours and given
  again.
- **Errors** are problem documents (RFC 9457). `RateLimit-Remaining` says how many calls are left, `Retry-After` how
  long to wait.
"""

_ERRORS = {
    "400": "The body cannot be read.",
    "401": "The key is missing or not in force.",
    "403": "The key has not the scope.",
    "404": "There is no such thing.",
    "408": "The request took too long.",
    "409": "The state does not allow it.",
    "412": "It changed since it was read.",
    "413": "The request is too large.",
    "422": "The request is invalid.",
    "429": "There are too many calls, or too much is being done already; wait as long as `Retry-After` says.",
    "500": "Something failed unexpectedly; the log has the details.",
    "502": "A platform does not answer as it should.",
    "503": "The database, the disk or the model server cannot be used at the moment.",
}
_ALWAYS = {"429", "500", "503"}
_HEADERS = {
    "RateLimit-Limit": "Calls a minute.",
    "RateLimit-Remaining": "Calls that are left at once.",
    "RateLimit-Reset": "Seconds until all of them are possible again.",
}


def describe(api: FastAPI) -> None:
    """Give an application its document."""

    @cache
    def document() -> dict[str, Any]:
        made = get_openapi(
            title="Auria",
            version=__version__,
            summary="The REST interface of an artist who lives on a server.",
            description=_DESCRIPTION,
            routes=api.routes,
            servers=[{"url": "/api/v1"}],
        )
        schemas = made["components"]["schemas"]
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs") | {"Problem": problem}
        for path in made["paths"].values():
            for method, operation in path.items():
                _complete(operation, method)
        return made

    api.openapi = document  # type: ignore[method-assign]  # FastAPI's documented way to change the document


def _complete(operation: dict[str, Any], method: str) -> None:
    """Add the answers that an operation's form implies."""
    parameters = operation.get("parameters", [])
    places, names = {one["in"] for one in parameters}, {one["name"] for one in parameters}
    codes = set(_ALWAYS)
    codes |= {"401", "403"} if "security" in operation else set()
    codes |= {"404"} if "path" in places or names & {"cursor", "channel"} else set()
    codes |= {"422"} if parameters or "requestBody" in operation else set()
    codes |= {"400"} if "requestBody" in operation else set()
    codes |= {"408", "409", "413"} if method != "get" else set()
    codes |= {"412"} if "If-Match" in names else set()
    responses = operation["responses"]
    for code, answer in responses.items():
        if code.startswith("2"):
            if answer["description"] == "Successful Response":
                answer["description"] = "It is done." if method != "get" else "What was asked for."
            answer.setdefault("headers", {}).update(_described(_HEADERS, "integer"))
            if method == "get":
                answer["headers"] |= _described({"ETag": "Changes with the content."}, "string")
    if method == "get":
        responses["304"] = {"description": "It is as the client has it."}
    schema = {"$ref": "#/components/schemas/Problem"}
    for code in sorted(codes):
        content = {PROBLEM: {"schema": schema}}
        responses[code] = {"description": _ERRORS[code], "content": content}
    responses["429"]["headers"] = _described({"Retry-After": "Seconds to wait."}, "integer")
    operation["responses"] = dict(sorted(responses.items()))


def _described(headers: dict[str, str], kind: str) -> dict[str, Any]:
    return {name: {"description": what, "schema": {"type": kind}} for name, what in headers.items()}
