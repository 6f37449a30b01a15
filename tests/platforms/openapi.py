"""Checks requests and answers against an OpenAPI 3.0 document: parameters, bodies, and the schemas' keywords that it uses."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Contract"]

_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


class Contract:
    """An OpenAPI document."""

    def __init__(self, path: Path) -> None:
        """Read it."""
        self._document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))

    def request(self, method: str, path: str, query: list[tuple[str, str]], body: Any) -> list[str]:
        """What is wrong with a request.

        Args:
            method: such as GET.
            path: without a query.
            query: names and values, decoded.
            body: parsed JSON; None without one.
        """
        found = self._operation(method, path)
        if found is None:
            return [f"{method} {path} is not in the contract"]
        operation, values = found
        known = {item["name"]: item for item in map(self._resolved, operation.get("parameters", []))}
        wrong = [f"the parameter {name} is unknown" for name, _ in query if name not in known]
        given = values | dict(query)
        for name, parameter in known.items():
            if name in given:
                wrong += self._check(_decoded(given[name], parameter["schema"]), parameter["schema"], name)
            elif parameter.get("required"):
                wrong.append(f"the parameter {name} is missing")
        wanted = operation.get("requestBody")
        if wanted and body is not None:
            wrong += self._check(body, wanted["content"]["application/json"]["schema"], "body")
        elif body is not None or (wanted and wanted.get("required")):
            wrong.append("the body is missing, or not expected")
        return wrong

    def answer(self, method: str, path: str, status: int, media_type: str, body: Any) -> list[str]:
        """What is wrong with an answer, given as parsed JSON."""
        found = self._operation(method, path)
        if found is None:
            return [f"{method} {path} is not in the contract"]
        answers = found[0]["responses"]
        stated = answers.get(str(status)) or (answers.get("default") if status >= 400 else None)
        if stated is None:
            return [f"the status {status} is not in the contract"]
        kind = media_type.partition(";")[0].strip()
        if kind not in stated["content"]:
            return [f"the media type {kind} is not in the contract"]
        return self._check(body, stated["content"][kind]["schema"], "answer")

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any], dict[str, str]] | None:
        """The operation of a path, and the values in the path."""
        for template in sorted(self._document["paths"], key=lambda template: "{" in template):
            names = re.findall(r"\{(\w+)\}", template)
            match = re.fullmatch(re.sub(r"\\\{\w+\\\}", "([^/]+)", re.escape(template)), path)
            operation = self._document["paths"][template].get(method.lower())
            if match and operation:
                return operation, dict(zip(names, match.groups(), strict=True))
        return None

    def _resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in part:
            target: Any = self._document
            for name in part["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            part = target
        return part

    def _check(self, value: Any, schema: dict[str, Any], at: str) -> list[str]:
        """Every place where a value breaks a schema."""
        schema = self._resolved(schema)
        if value is None and schema.get("nullable"):
            return []
        if choices := schema.get("oneOf") or schema.get("anyOf"):
            mapping = schema.get("discriminator", {}).get("mapping")
            if mapping:
                name = value.get(schema["discriminator"]["propertyName"]) if isinstance(value, dict) else None
                return (
                    self._check(value, {"$ref": mapping[name]}, at)
                    if name in mapping
                    else [f"{at}: unknown type {name}"]
                )
            tried = [self._check(value, choice, at) for choice in choices]
            return [] if any(not wrong for wrong in tried) else tried[0]
        kind = schema.get("type")
        if kind and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
            return [f"{at}: {value!r:.40} is not {kind}"]
        wrong = []
        if "enum" in schema and value not in schema["enum"]:
            wrong.append(f"{at}: {value!r:.60} is not one of the allowed values")
        if isinstance(value, dict):
            wrong += self._check_object(value, schema, at)
        elif isinstance(value, list):
            if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
                wrong.append(f"{at}: {len(value)} items")
            wrong += [part for item in value for part in self._check(item, schema.get("items", {}), f"{at}[]")]
        elif isinstance(value, str):
            wrong += _check_text(value, schema, at)
        elif isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get(
            "maximum", value
        ):
            wrong.append(f"{at}: {value} is out of range")
        return wrong

    def _check_object(self, value: dict[str, Any], schema: dict[str, Any], at: str) -> list[str]:
        known = schema.get("properties", {})
        wrong = [f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        if schema.get("additionalProperties") is False:
            wrong += [f"{at}.{name} is unknown" for name in value if name not in known]
        return wrong + [
            part
            for name, item in value.items()
            if name in known
            for part in self._check(item, known[name], f"{at}.{name}")
        ]


def _check_text(value: str, schema: dict[str, Any], at: str) -> list[str]:
    wrong = []
    if "pattern" in schema and not re.search(schema["pattern"], value):
        wrong.append(f"{at}: {value[:40]!r} does not match {schema['pattern']}")
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        wrong.append(f"{at}: {len(value)} characters")
    if schema.get("format") == "date-time":
        try:
            datetime.fromisoformat(value)
        except ValueError:
            wrong.append(f"{at}: {value[:40]!r} is not a time")
    return wrong


def _decoded(value: str, schema: dict[str, Any]) -> Any:
    """A parameter's value by its type; lists are separated by commas."""
    if schema.get("type") == "array":
        return value.split(",")
    return int(value) if schema.get("type") == "integer" and value.lstrip("-").isdigit() else value
