"""The page that describes the REST interface for people, made from its OpenAPI document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from auria_bot.web.language import language_choice
from auria_bot.web.links import READ
from auria_bot.web.rendering import HTML

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from auria_bot.web.app import WebApp
    from auria_bot.web.rendering import View

__all__ = ["Field", "Operation", "operations_of", "reference_router"]

_CODE: Final = re.compile(r"`([^`]+)`")
_STRONG: Final = re.compile(r"\*\*(.+?)\*\*")
_MOST_VALUES = 12  # that are named of what a field may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter, or a field of a body."""

    name: str
    place: str  # "path", "query", "header" or "body"
    kind: str  # such as "string", "list of integer", "read | draw"
    is_required: bool
    description: Markup


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method of a path."""

    name: str
    tag: str
    method: str
    path: str
    summary: Markup
    scopes: tuple[str, ...]  # of the key that is needed; none for everybody
    fields: tuple[Field, ...]
    bodies: tuple[str, ...]  # media types that are taken
    answers: tuple[tuple[str, Markup], ...]  # status and what it means


def reference_router(web: WebApp, document: Callable[[], Mapping[str, Any]]) -> APIRouter:
    """The route of the page; `document` gives the OpenAPI document."""
    router = APIRouter(include_in_schema=False, default_response_class=Response)

    @router.api_route("/api", methods=READ)
    def reference(request: Request) -> Response:
        if (chosen := language_choice(request)) is not None:
            return chosen

        def render(view: View) -> str:
            described = document()
            opening, *points = described["info"]["description"].strip().split("\n- ")
            return web.renderer.page(
                "reference.html",
                view,
                opening=_marked(opening),
                points=[_marked(point) for point in points],
                groups=_grouped(operations_of(described)),
                server=web.services.public_url + described["servers"][0]["url"],
            )

        return web.kept(request, "/api", HTML, render)

    return router


def operations_of(document: Mapping[str, Any]) -> tuple[Operation, ...]:
    """Every operation of an OpenAPI document, in its order."""
    return tuple(
        _operation(document, path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    )


def _grouped(operations: Sequence[Operation]) -> dict[str, list[Operation]]:
    groups: dict[str, list[Operation]] = {}
    for one in operations:
        groups.setdefault(one.tag, []).append(one)
    return groups


def _operation(document: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> Operation:
    taken = operation.get("requestBody", {}).get("content", {})
    fields = [
        Field(
            name=one["name"],
            place=one["in"],
            kind=_kind(document, one["schema"]),
            is_required=one.get("required", False),
            description=_marked(one.get("description", "")),
        )
        for one in operation.get("parameters", ())
    ]
    for content in taken.values():
        fields += _body_fields(document, content["schema"])
    return Operation(
        name=operation["operationId"],
        tag=operation["tags"][0],
        method=method.upper(),
        path=path,
        summary=_marked(operation.get("description", operation["summary"])),
        scopes=tuple(scope for one in operation.get("security", ()) for scopes in one.values() for scope in scopes),
        fields=tuple(fields),
        bodies=tuple(taken),
        answers=tuple((code, _marked(one["description"])) for code, one in operation["responses"].items()),
    )


def _body_fields(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Field]:
    """The fields of a body; where it may have several forms, a field is required if it is in each."""
    schema = _resolved(document, schema)
    forms = [_resolved(document, form) for form in schema.get("oneOf", [schema])]
    found: dict[str, list[Mapping[str, Any]]] = {}
    for form in forms:
        for name, value in form.get("properties", {}).items():
            found.setdefault(name, []).append(value)
    for name, values in found.items():
        yield Field(
            name=name,
            place="body",
            kind=" | ".join(dict.fromkeys(_kind(document, value) for value in values)),
            is_required=all(name in form.get("required", ()) for form in forms),
            description=_marked(next((value["description"] for value in values if "description" in value), "")),
        )


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a value may be, in a few words."""
    schema = _resolved(document, schema)
    if options := schema.get("anyOf") or schema.get("oneOf"):
        kinds = dict.fromkeys(_kind(document, one) for one in options if one.get("type") != "null")
        return " or ".join(kinds)
    if "const" in schema:
        return str(schema["const"])
    if values := schema.get("enum"):
        more = [f"and {len(values) - _MOST_VALUES} more"] if len(values) > _MOST_VALUES else []
        return " | ".join([*map(str, values[:_MOST_VALUES]), *more])
    if schema.get("type") == "array":
        return f"list of {_kind(document, schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "any"))


def _marked(text: str) -> Markup:
    """A text with the two marks that descriptions use, code and emphasis, as HTML."""
    safe = str(escape(" ".join(text.split())))
    return Markup(_STRONG.sub(r"<strong>\1</strong>", _CODE.sub(r"<code>\1</code>", safe)))  # noqa: S704 - escaped
