"""Where Auria's files are: the home, the operator's settings file, and the folders that came with the program."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from auria_bot.errors import SettingsError

__all__ = ["CONFIG", "default_home", "own_file", "shipped"]

CONFIG = "AURIA_CONFIG"
"""The environment variable that names another settings file than the home's."""


def shipped(name: str) -> Path:
    """The folder "models", "migrations" or "config" that came with the program, in a wheel or a checkout.

    Raises:
        SettingsError: it is missing.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_data" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise SettingsError(f"this installation of auria-bot is incomplete: the folder {name!r} is missing; reinstall it")


def default_home(environment: Mapping[str, str]) -> Path:
    """AURIA_HOME, or the platform's folder for application data.

    Raises:
        SettingsError: the user has no home folder.
    """
    if chosen := environment.get("AURIA_HOME"):
        return Path(chosen).expanduser().absolute()
    try:
        if sys.platform == "win32":
            return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "auria"
        if sys.platform == "darwin":
            return Path.home() / "Library" / "Application Support" / "auria"
        data = Path(environment.get("XDG_DATA_HOME") or "")
        # The XDG specification has relative paths ignored.
        return (data if data.is_absolute() else Path.home() / ".local" / "share") / "auria"
    except RuntimeError as error:
        raise SettingsError("there is no home folder for Auria's data; set AURIA_HOME to a folder") from error


def own_file(environment: Mapping[str, str] | None = None) -> Path:
    """The operator's own settings file, which may not be there yet: the one that AURIA_CONFIG names, or the home's."""
    env = os.environ if environment is None else environment
    named = env.get(CONFIG)
    return Path(named).expanduser().absolute() if named else default_home(env) / "auria.toml"
