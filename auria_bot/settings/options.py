"""Options of backends, checked against the backend's Config and converted; renamed settings; messages on wrong ones.

Renamed settings are still read by their old names, with a notice, until the next version. A message names where the
setting was made, its value unless secret, and what is allowed.
"""

from __future__ import annotations

import difflib
import json
import logging
import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from auria_bot.errors import SettingsError, UnknownName, UsageError
from auria_bot.redaction import redacted

__all__ = [
    "PREFIX",
    "SECRET_NAME",
    "Sources",
    "configure",
    "current_names",
    "current_path",
    "explain",
    "former_names",
    "notify_renamed",
    "option_from_text",
    "rule",
]

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
    if not near and path[0] == "channels" and SECRET_NAME.search(path[-1]):
        return f"secrets are kept apart from settings: auria channels add {path[1][:40]}"
    names_shown = near or list(siblings.values())
    if not names_shown:
        return "take it out"
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
        UsageError: the text is no value of the option's type.
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
            raise UsageError(f"{name} is {redacted(text.strip())[:40]!r}; {_rule(error)}") from None
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


log = logging.getLogger(__name__)

_RENAMED: dict[str, dict[str, str]] = {
    "": {
        "finisher": "exporter",
        "gate": "safety_filter",
        "mood": "mood_reader",
        "scribe": "text_writer",
        "upkeep": "maintenance",
    },
    "channels.*": {"vault": "keystore"},
    "corpus": {
        "names": "keep_author_names",
        "allow": "allowed_words",
        "let_names_pass": "allow_person_names",
        "least_english": "min_english",
        "most_capitals": "max_capitals",
        "most_repeated": "max_repetition",
        "most_odd": "max_symbols",
        "least_score": "min_score",
    },
    "corpus.reddit": {
        "address": "auth_url",
        "oauth_address": "api_url",
        "patience": "max_wait",
        "back_off": "retry_delay",
        "searches": "search_terms",
        "look_requests": "check_requests",
    },
    "daemon": {"deadline": "job_timeout", "stop_after": "stop_timeout"},
    "learning": {"explore": "exploration"},
    "maintenance": {
        "backups": "backup_folder",
        "daily": "daily_backups",
        "weekly": "weekly_backups",
        "runs_days": "unfinished_days",
        "free_mb": "min_free_mb",
        "programs": "postgres_programs",
    },
    "notify": {"quiet": "muted"},
    "schedule": {"ahead": "days_ahead", "low": "low_stock_days"},
}
"""For each section by its current name: the former name of a key, and the current one."""


def former_names(section: tuple[str, ...]) -> Mapping[str, str]:
    """The former names of a section's keys, each with the current one."""
    pattern = "channels.*" if len(section) == 2 and section[0] == "channels" else ".".join(section)
    return _RENAMED.get(pattern, {})


def current_path(path: tuple[str, ...], *, source: str) -> tuple[str, ...]:
    """A setting's path with current names; `source` is the file or variable that a notice names."""
    found: tuple[str, ...] = ()
    for key in path:
        found = (*found, former_names(found).get(key, key))
    if found != path:
        notify_renamed(source, ".".join(path), ".".join(found))
    return found


def current_names(values: Mapping[str, Any], *, source: str, section: tuple[str, ...] = ()) -> dict[str, Any]:
    """A table of settings with current names; where both names are given, the current one wins."""
    found: dict[str, Any] = {}
    renamed = former_names(section)
    for key, value in sorted(values.items(), key=lambda item: item[0] not in renamed):  # former names first
        path = current_path((*section, key), source=source)
        known = found.get(path[-1])
        if isinstance(value, Mapping) and key != "options":
            value = current_names(value, source=source, section=path)  # noqa: PLW2901 - the same table
            if isinstance(known, Mapping):
                value = {**known, **value}  # noqa: PLW2901 - both tables
        found[path[-1]] = value
    return found


@cache
def notify_renamed(source: str, former: str, current: str) -> None:
    """Log once that a former name was read."""
    log.warning(
        "%s: the setting %s is now called %s; the old name works until the next version", source, former, current
    )
