"""Writes TOML: edits the operator's settings file without changing its comments, order and line ends.

The new text is parsed before it replaces the file, and must contain exactly the intended change.
"""

from __future__ import annotations

import copy
import stat
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tomlkit

from auria_bot.errors import NotFound, SettingsError
from auria_bot.files import disk_errors, file_lock, remove_strays, write_atomic
from auria_bot.settings.options import former_names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["SettingsFile", "as_toml"]

_HEAD = "# Settings here override the defaults; `auria config` shows all settings in force.\n"


class SettingsFile:
    """A settings file, which may not exist yet.

    Usage::

        SettingsFile(home / "auria.toml").set_channel("x", {"backend": "x", "options": {}})
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def channels(self) -> Mapping[str, Any]:
        """The channels in this file, by name.

        Raises:
            SettingsError: it cannot be read.
        """
        found = self._parsed(self._read()).get("channels", {})
        return found if isinstance(found, dict) else {}

    def set_channel(self, name: str, values: Mapping[str, Any]) -> None:
        """Set keys of a channel's table, which is appended if it is missing; other keys are kept.

        Raises:
            SettingsError: the file cannot be read, or cannot be edited automatically.
            DiskError: it cannot be written.
        """

        def change(text: str, before: dict[str, Any]) -> str:
            if name not in before.get("channels", {}):
                lines = [f"{key} = {tomlkit.item(value).as_string()}" for key, value in _inline(values).items()]
                newline = "\r\n" if "\r\n" in text else "\n"
                block = newline.join([f"[channels.{name}]", *lines, ""])
                gap = "" if not text else newline if text.endswith("\n") else newline * 2
                return f"{text or _HEAD + newline}{gap}{block}"
            document = tomlkit.parse(text)
            channels: Any = document["channels"]
            _forget_former(channels[name], values)
            _lay_over(channels[name], _inline(values))
            return tomlkit.dumps(document)

        def meant(plain: dict[str, Any]) -> None:
            table = plain.setdefault("channels", {}).setdefault(name, {})
            _forget_former(table, values)
            _lay_over(table, values)

        self._edit(change, meant)

    def remove_channel(self, name: str) -> None:
        """Remove a channel's table.

        Raises:
            NotFound: it is not in this file.
            SettingsError: the file cannot be read, or cannot be edited automatically.
            DiskError: it cannot be written.
        """

        def change(text: str, before: dict[str, Any]) -> str:
            if name not in before.get("channels", {}):
                raise NotFound(f"{self.file} has no [channels.{name}]")
            document = tomlkit.parse(text)
            channels: Any = document["channels"]
            del channels[name]
            if not channels:
                del document["channels"]
            return tomlkit.dumps(document)

        def meant(plain: dict[str, Any]) -> None:
            del plain["channels"][name]
            if not plain["channels"]:
                del plain["channels"]

        self._edit(change, meant)

    def _edit(self, change: Callable[[str, dict[str, Any]], str], meant: Callable[[dict[str, Any]], None]) -> None:
        """Rewrite the file under a lock.

        Args:
            change: returns the new text for the old text and its values.
            meant: applies the intended change to the values, to check the new text.
        """
        with disk_errors(self.file):
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with file_lock(self.file.parent / f".{self.file.name}.lock"):
                text = self._read()
                wanted = self._parsed(text)
                new = change(text, copy.deepcopy(wanted))
                meant(wanted)
                try:
                    same = tomllib.loads(new) == wanted
                except tomllib.TOMLDecodeError:
                    same = False
                if not same:
                    raise SettingsError(f"{self.file} cannot be edited automatically; edit the file by hand")
                mode = stat.S_IMODE(self.file.stat().st_mode) if self.file.exists() else 0o600
                remove_strays(self.file.resolve().parent, self.file.resolve().name)
                write_atomic(self.file, new, mode=mode)

    def _read(self) -> str:
        try:
            return self.file.read_bytes().decode("utf-8-sig")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise SettingsError(f"{self.file} cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise SettingsError(f"{self.file} is not UTF-8 text") from None

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{self.file} is not valid TOML: {error}") from None
        except RecursionError:
            raise SettingsError(f"{self.file} is not valid TOML: it is nested too deeply") from None


def as_toml(values: Mapping[str, Any]) -> str:
    """Settings in TOML; options and empty tables in one line, None left out."""

    def plain(table: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in table.items():
            if isinstance(value, Mapping) and (key == "options" or not value):
                found |= _inline({key: value})
            elif isinstance(value, Mapping):
                found[key] = plain(value)
            elif value is not None:
                found[key] = value
        return found

    return tomlkit.dumps(plain(values))


def _inline(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values, with each table in one line."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found[key] = value
        if isinstance(value, Mapping):
            found[key] = tomlkit.inline_table()
            found[key].update(value)
    return found


def _forget_former(table: Any, values: Mapping[str, Any]) -> None:
    """Remove the former names of keys that are set under their current names."""
    for former, current in former_names(("channels", "*")).items():
        if current in values and former in table:
            del table[former]


def _lay_over(below: Any, above: Mapping[str, Any]) -> None:
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping):
            _lay_over(below[key], value)
        else:
            below[key] = value
