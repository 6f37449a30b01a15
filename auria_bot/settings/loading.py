"""Reads every setting: the only reader of Auria's environment variables and TOML files.

Sources, the later wins: the shipped config/auria.toml; `auria.toml` in the home, or the file that AURIA_CONFIG
names; environment variables `AURIA_...`, where `__` leads into a section (AURIA_DATABASE__URL).
Which backends exist and what their options mean is checked in bootstrap.

Import this module inside functions where a start must be quick: it imports pydantic.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin
from urllib.parse import unquote

from pydantic import BaseModel, ValidationError

from auria_bot.errors import SettingsError
from auria_bot.redaction import SECRET_PREFIX, register_secret
from auria_bot.settings.locations import CONFIG, default_home, shipped
from auria_bot.settings.options import PREFIX, SECRET_NAME, current_names, current_path, explain
from auria_bot.settings.schema import Settings

__all__ = ["load"]


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read every source.

    Raises:
        SettingsError: a file cannot be read, a key is unknown or a value is wrong; the message names the file or
            variable, the key, the value (unless it is a secret) and the allowed values.
    """
    try:
        return _loaded(os.environ if environment is None else environment)
    except RecursionError:
        raise SettingsError("the settings are nested too deeply; the settings file is none of Auria's") from None


def _loaded(env: Mapping[str, str]) -> Settings:
    home = default_home(env)
    merged: dict[str, Any] = {"home": home}
    sources: dict[tuple[str, ...], str] = {}
    _lay_over(merged, _read(shipped("config") / "auria.toml"), "the shipped auria.toml", sources)
    if named := env.get(CONFIG):
        file = Path(named).expanduser()
        if not file.is_file():
            raise SettingsError(f"{CONFIG} names {named!r}, which is not a file")
        _lay_over(merged, current_names(_read(file), source=str(file)), str(file), sources)
    elif os.path.lexists(file := home / "auria.toml"):  # a folder or a link to nothing is not passed over
        values = current_names(_read(file), source=str(file))
        if "home" in values:
            raise SettingsError(f"{file}: home cannot be set in the home's own file; set AURIA_HOME instead")
        _lay_over(merged, values, str(file), sources)
    for name, text in sorted(env.items()):
        if name.startswith(SECRET_PREFIX):
            register_secret(text)
        elif name.startswith(PREFIX) and name != CONFIG and text:
            path = current_path(tuple(name.removeprefix(PREFIX).lower().split("__")), source=name)
            _lay_over(merged, _nested(path, _value(path, text)), name, sources)
    _register_secrets(merged)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise SettingsError(explain(error, Settings, merged, sources)) from None


def _register_secrets(value: Mapping[str, Any]) -> None:
    """Register values with names such as "token", and the passwords of URLs, for redaction."""
    for key, item in value.items():
        if isinstance(item, Mapping):
            _register_secrets(item)
        elif isinstance(item, str) and SECRET_NAME.search(key):
            register_secret(item)
        elif isinstance(item, str) and (found := re.search(r"://[^:/?#@]*:(.+)@", item)):
            # Unencoded characters split a URL at the wrong places; its parts may then appear by themselves.
            parts = (part for part in re.split(r"[@:/?#]", found[1]) if not part.isalpha())
            for secret in (found[1], *parts):
                register_secret(secret)
                register_secret(unquote(secret))


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file} is not UTF-8 text") from error
    except tomllib.TOMLDecodeError as error:
        # The parser's message gives line and column, and quotes at most one character.
        raise SettingsError(f"{file} is not valid TOML: {error}") from None


def _lay_over(
    below: dict[str, Any],
    above: Mapping[str, Any],
    source: str,
    sources: dict[tuple[str, ...], str],
    path: tuple[str, ...] = (),
) -> None:
    """Merge tables key by key; another backend does not inherit the options of the former one."""
    if "backend" in above and above["backend"] != below.get("backend"):
        below.pop("options", None)
    for key, value in above.items():
        if isinstance(value, dict) and value and isinstance(below.get(key, {}), dict):
            _lay_over(below.setdefault(key, {}), value, source, sources, (*path, key))
        else:
            below[key] = value
        sources[(*path, key)] = source


def _nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    return dict(value)


def _value(path: tuple[str, ...], text: str) -> Any:
    """A variable's value: the text itself for texts, numbers and paths, else parsed as TOML."""
    expected: Any = Settings
    for key in path:
        if get_origin(expected) is dict:
            expected = get_args(expected)[1]
        elif isinstance(expected, type) and issubclass(expected, BaseModel) and key in expected.model_fields:
            expected = expected.model_fields[key].annotation
        else:
            break
    is_section = isinstance(expected, type) and issubclass(expected, BaseModel)
    if is_section or expected is Any or get_origin(expected) is dict:
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
    if get_origin(expected) is tuple:
        return [item.strip() for item in text.strip("[] ").replace('"', "").split(",") if item.strip()]
    return text
