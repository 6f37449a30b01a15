"""Messages about wrong settings: where the setting was made, its value unless secret, and what is allowed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from auria_bot.redaction import redacted

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["PREFIX", "SECRET_NAME", "Sources", "explain", "rule"]

PREFIX = "AURIA_"
"""The prefix of all of Auria's environment variables."""

SECRET_NAME = re.compile(r"password|passwd|secret|token|api_?key|credential", re.IGNORECASE)
"""Matches the names of settings whose values are never shown."""

Sources = Mapping[tuple[str, ...], str]
"""For each setting by its path, the file or variable that set it last."""


def explain(error: ValidationError, section: type[BaseModel], merged: Mapping[str, Any], sources: Sources) -> str:
    """One line for each error.

    Args:
        error: pydantic's.
        section: the class of all settings.
        merged: the values that were validated.
        sources: the origin of each value.
    """
    names = _known_names(section)
    lines = (_explain_one(dict(item), names, merged, sources) for item in error.errors(include_url=False))
    return "\n".join(dict.fromkeys(lines))


def _explain_one(error: dict[str, Any], names: list[str], merged: Mapping[str, Any], sources: Sources) -> str:
    path = tuple(str(part) for part in error["loc"])
    key = ".".join(path)
    source = next((sources[path[:n]] for n in range(len(path), 0, -1) if path[:n] in sources), "the settings")
    if error["type"] == "extra_forbidden":
        return f"{source}: there is no setting {key[:80]}; {_hint(path, names, variable=source.startswith(PREFIX))}"
    if error["type"] == "missing":
        return f"{source}: {key} is missing; give it a value"
    value: Any = merged
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else value
    secret = path[:2] in {("database", "url"), ("notify", "addresses")} or SECRET_NAME.search(key)
    shown = "is wrong" if secret else f"is {redacted(repr(value)[:2000])[:60]}"
    return f"{source}: {key} {shown}; {rule(error)}"


def _hint(path: tuple[str, ...], names: list[str], *, variable: bool) -> str:
    """The name that was probably meant, or the names that are known in this section."""
    above = "".join(f"{part}." for part in path[:-1])
    siblings = {name.removeprefix(above): name for name in names if name.rpartition(".")[0] == above.rstrip(".")}
    flat = {name.replace(".", "_"): name for name in names}
    near = [flat[name] for name in difflib.get_close_matches("_".join(path)[:200], flat, n=1, cutoff=0.9)]
    near = near or [siblings[name] for name in difflib.get_close_matches(path[-1][:200], siblings, n=1, cutoff=0.6)]
    names_shown = near or list(siblings.values())
    if variable:
        names_shown = [PREFIX + name.replace(".", "__").upper() for name in names_shown]
    return f"did you mean {names_shown[0]}?" if near else f"known here: {', '.join(names_shown)}"


_TYPES = {
    "bool": "true or false",
    "date": "a date",
    "dict": "a table",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "model": "a table",
    "model_attributes": "a table",
    "string": "a text",
    "tuple": "a list",
}


def rule(error: Mapping[str, Any]) -> str:
    """What is allowed, as a sentence: pydantic's error without its terms."""
    kind, message = str(error["type"]), str(error["msg"])
    if kind == "string_pattern_mismatch":
        return 'it must be a BCP 47 tag such as "en" or "pt-BR"'
    name, _, suffix = kind.rpartition("_")
    if suffix in {"type", "parsing"} and name in _TYPES:
        return f"it must be {_TYPES[name]}"
    message = message.removeprefix("Value error, ").removeprefix("Input ").split(", unable to parse")[0]
    return message if message.startswith("it ") else f"it {message.replace('should ', 'must ', 1)}"


def _known_names(section: type[BaseModel], above: str = "") -> list[str]:
    found = []
    for name, field in section.model_fields.items():
        found.append(above + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += _known_names(field.annotation, f"{above}{name}.")
    return found
