"""Options of backends: checked against the backend's Config dataclass, and converted to it."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from auria_bot.errors import InputError, SettingsError, UnknownName
from auria_bot.redaction import redacted
from auria_bot.settings.errors import SECRET_NAME, rule
from auria_bot.settings.renamed import notify_renamed

__all__ = ["configure", "option_from_text"]


def configure(
    section: str, backend: type[Any], options: Mapping[str, Any], shared: Mapping[str, Any] | None = None
) -> Any:
    """A backend's Config.

    Args:
        section: where the options are set, such as "painter" or "channels.x".
        backend: a class with a dataclass `Config`.
        options: the operator's, of JSON's types; former names are those in the backend's FORMER_OPTIONS.
        shared: options for any backend that has a field of that name; `options` override them.

    Raises:
        SettingsError: an unknown option, or a value of another type than its field.
    """
    options = _current_names(section, backend, options)
    for name in options:
        if name not in _names(backend):
            raise SettingsError(f"{section}.options: {_unknown(backend, name)}")
    known = {item.name for item in fields(backend.Config)}
    values = {name: value for name, value in (shared or {}).items() if name in known} | dict(options)
    try:
        # Strict JSON: a list may become a tuple and 1 a float, but "1" is no number.
        return TypeAdapter(backend.Config).validate_json(json.dumps(values, default=str), strict=True)
    except ValidationError as error:
        raise SettingsError("\n".join(_faults(f"{section}.options", values, error))) from None


def option_from_text(section: str, backend: type[Any], name: str, text: str) -> Any:
    """The value of an option that was given as text, of JSON's types; a list is written in TOML or with commas.

    Raises:
        UnknownName: the backend has no such option.
        InputError: the text is no value of the option's type.
    """
    name = _former_names(backend).get(name, name)
    if name not in _names(backend):
        raise UnknownName(f"{section}.options: {_unknown(backend, name)}")
    adapter: TypeAdapter[Any] = TypeAdapter(get_type_hints(backend.Config)[name])
    try:
        value = adapter.validate_strings(text.strip())
    except ValidationError as error:
        try:
            value = adapter.validate_python(_listed(text))
        except ValidationError:
            raise InputError(f"{name} is {redacted(text.strip())[:40]!r}; {_rule(error)}") from None
    return adapter.dump_python(value, mode="json")


def _former_names(backend: type[Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = getattr(backend, "FORMER_OPTIONS", {})
    return found


def _current_names(section: str, backend: type[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The options under their current names; where both names are given, the current one wins."""
    former = _former_names(backend)
    for name in former.keys() & options.keys():
        notify_renamed("the settings", f"{section}.options.{name}", f"{section}.options.{former[name]}")
    renamed = {former[name]: value for name, value in options.items() if name in former}
    return renamed | {name: value for name, value in options.items() if name not in former}


def _names(backend: type[Any]) -> list[str]:
    """The options that may be set; a channel's name is that of its section."""
    return [item.name for item in fields(backend.Config) if item.name != "name"]


def _unknown(backend: type[Any], name: str) -> str:
    known = _names(backend)
    near = difflib.get_close_matches(name[:80], known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"there is no option {name[:40]!r}; {hint}known: {', '.join(known) or 'none'}"


def _listed(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        return [part.strip() for part in text.split(",") if part.strip()]


def _rule(error: ValidationError) -> str:
    return rule(dict(error.errors(include_url=False)[0]))


def _faults(section: str, values: Mapping[str, Any], error: ValidationError) -> list[str]:
    """One line for each wrong option."""
    lines: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        name = str(fault["loc"][0]) if fault["loc"] else ""
        if fault["type"] == "missing":
            line = f"{section}.{name} is missing; give it a value"
        elif not name:
            line = f"{section}: {rule(dict(fault))}"
        else:
            shown = "is wrong" if SECRET_NAME.search(name) else f"is {redacted(repr(values.get(name)))[:60]}"
            line = f"{section}.{name} {shown}; {rule(dict(fault))}"
        lines.setdefault(name, line)
    return list(lines.values())
