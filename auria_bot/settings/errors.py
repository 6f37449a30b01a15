"""What is wrong with a setting, said in a sentence: where it stands, its value unless secret, what is allowed.

Knows pydantic's errors and the names of the settings; does not know where settings come from.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from auria_bot.redaction import redacted

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["PREFIX", "SECRET_NAME", "Sources", "explain"]

PREFIX = "AURIA_"
"""What the name of every environment variable of Auria's begins with."""

SECRET_NAME = re.compile(r"password|passwd|secret|token|api_?key|credential", re.IGNORECASE)
"""Finds names of settings whose values are never shown."""

Sources = Mapping[tuple[str, ...], str]
"""Which file or variable each setting was last set by, by the setting's path."""


def explain(error: ValidationError, section: type[BaseModel], merged: Mapping[str, Any], sources: Sources) -> str:
    """One line for each fault.

    Args:
        error: what pydantic found.
        section: the class of all settings.
        merged: the values it looked at.
        sources: where each value came from.
    """
    names = _known_names(section)
    lines = (_explain_one(dict(one), names, merged, sources) for one in error.errors(include_url=False))
    return "\n".join(dict.fromkeys(lines))


def _explain_one(one: dict[str, Any], names: list[str], merged: Mapping[str, Any], sources: Sources) -> str:
    path = tuple(str(part) for part in one["loc"])
    key = ".".join(path)
    source = next((sources[path[:n]] for n in range(len(path), 0, -1) if path[:n] in sources), "the settings")
    if one["type"] == "extra_forbidden":
        return f"{source}: there is no setting {key[:80]}; {_hint(path, names, variable=source.startswith(PREFIX))}"
    if one["type"] == "missing":
        return f"{source}: {key} is missing; give it a value"
    value: Any = merged
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else value
    secret = path[:2] in {("database", "url"), ("notify", "addresses")} or SECRET_NAME.search(key)
    shown = "is wrong" if secret else f"is {redacted(repr(value)[:2000])[:60]}"
    return f"{source}: {key} {shown}; {_rule(one)}"


def _hint(path: tuple[str, ...], names: list[str], *, variable: bool) -> str:
    """The name that was probably meant, or those that would be known in this place."""
    above = "".join(f"{part}." for part in path[:-1])
    siblings = {name.removeprefix(above): name for name in names if name.rpartition(".")[0] == above.rstrip(".")}
    flat = {name.replace(".", "_"): name for name in names}
    near = [flat[name] for name in difflib.get_close_matches("_".join(path)[:200], flat, n=1, cutoff=0.9)]
    near = near or [siblings[name] for name in difflib.get_close_matches(path[-1][:200], siblings, n=1, cutoff=0.6)]
    told = near or list(siblings.values())
    if variable:
        told = [PREFIX + name.replace(".", "__").upper() for name in told]
    return f"did you mean {told[0]}?" if near else f"known here: {', '.join(told)}"


def _rule(one: Mapping[str, Any]) -> str:
    """What pydantic's error allows, as a sentence without its jargon."""
    kind, message = str(one["type"]), str(one["msg"])
    if kind in {"model_type", "dict_type", "model_attributes_type"}:
        return "it must be a table"
    if kind == "string_pattern_mismatch":
        return 'it must be a BCP 47 tag such as "en" or "pt-BR"'
    message = message.removeprefix("Value error, ").removeprefix("Input ").split(", unable to parse")[0]
    return message if message.startswith("it ") else f"it {message.replace('should ', 'must ', 1)}"


def _known_names(section: type[BaseModel], above: str = "") -> list[str]:
    found = []
    for name, field in section.model_fields.items():
        found.append(above + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found += _known_names(field.annotation, f"{above}{name}.")
    return found
