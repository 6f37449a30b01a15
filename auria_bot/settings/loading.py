"""Every setting, frozen: the only reader of Auria's environment variables and TOML files.

Sources, the later wins: the shipped config/auria.toml; `auria.toml` in the home, or the file that AURIA_CONFIG
names; environment variables `AURIA_...`, where `__` leads into a section (AURIA_DATABASE__URL). Knows names and
ranges; does not know which backends exist or what their options mean.

Import this module inside functions where a start must be quick: it brings pydantic with it.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin
from urllib.parse import unquote

from pydantic import BaseModel, Field, ValidationError, field_validator

from auria_bot.errors import SettingsError
from auria_bot.redaction import SECRET_PREFIX, redacted, register_secret
from auria_bot.settings.errors import PREFIX, SECRET_NAME, explain
from auria_bot.settings.schema import (
    BackendSettings,
    ChannelSettings,
    CorpusSettings,
    DaemonSettings,
    DatabaseSettings,
    HealthSettings,
    JobSettings,
    LearningSettings,
    LoggingSettings,
    NotifySettings,
    PostingSettings,
    ReviewSettings,
    ScheduleSettings,
    Section,
    StudioSettings,
    TrackingSettings,
    UpkeepSettings,
)

__all__ = [
    "BackendSettings",
    "ChannelSettings",
    "CorpusSettings",
    "DaemonSettings",
    "DatabaseSettings",
    "JobSettings",
    "LearningSettings",
    "LoggingSettings",
    "PostingSettings",
    "ReviewSettings",
    "ScheduleSettings",
    "Settings",
    "StudioSettings",
    "TrackingSettings",
    "default_home",
    "load",
    "own_file",
    "shipped",
]

_CONFIG = "AURIA_CONFIG"


def _backend(name: str) -> Any:
    return Field(default_factory=lambda: BackendSettings(backend=name))


def _folder_channel() -> dict[str, ChannelSettings]:
    return {"folder": ChannelSettings(backend="folder", options={"directory": "published"})}


class Settings(Section):
    """Every setting. Made by `load`, or directly (with the code's defaults) in tests."""

    home: Path = Field(default_factory=lambda: default_home(os.environ))
    """The folder of everything that Auria keeps; absolute."""
    models: Path | None = None
    """The folder of trained models; the shipped ones when not given."""
    data: Path | None = None
    """The folder of training data; needed by `auria train` only."""
    time_zone: str = "UTC"
    """The operator's time zone, a name of the IANA database."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    """The language Auria writes in, a BCP 47 tag."""
    hemisphere: Literal["north", "south"] = "north"
    """Where you live: what season a date is in."""
    database: DatabaseSettings = DatabaseSettings()
    studio: StudioSettings = StudioSettings()
    poet: BackendSettings = _backend("word-lstm")
    mood: BackendSettings = _backend("minilm")
    painter: BackendSettings = _backend("attn")
    gate: BackendSettings = _backend("standard")
    enlarger: BackendSettings = _backend("real-esrgan")
    stylist: BackendSettings = _backend("magenta")
    captioner: BackendSettings = _backend("show-attend-tell")
    scribe: BackendSettings = _backend("plain")
    finisher: BackendSettings = _backend("print")
    review: ReviewSettings = ReviewSettings()
    channels: dict[str, ChannelSettings] = Field(default_factory=_folder_channel)
    """Every channel by the operator's name for it."""
    tracking: TrackingSettings = TrackingSettings()
    learning: LearningSettings = LearningSettings()
    corpus: CorpusSettings = CorpusSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    daemon: DaemonSettings = DaemonSettings()
    notify: NotifySettings = NotifySettings()
    health: HealthSettings = HealthSettings()
    upkeep: UpkeepSettings = UpkeepSettings()
    logging: LoggingSettings = LoggingSettings()

    @field_validator("home", "models", "data")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().absolute()

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        from zoneinfo import ZoneInfo, available_timezones

        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            near = difflib.get_close_matches(name, available_timezones(), n=3, cutoff=0.5)
            hint = f", such as {', '.join(near)}" if near else ", such as Europe/Paris"
            raise ValueError(f"it must be a name of the IANA time zone database{hint}") from None
        return name

    @property
    def models_folder(self) -> Path:
        """The folder of trained models."""
        return self.models if self.models is not None else shipped("models")

    @property
    def database_url(self) -> str:
        """The database's whole URL; it may hold a password, so it is never shown or logged."""
        url = self.database.url.get_secret_value() or "sqlite:///auria.db"
        scheme, _, file = url.partition(":///")
        if scheme.lower() != "sqlite":
            return url
        # What a URL would read as an escape or a query is part of the home's name.
        home = str(self.home).replace("%", "%25").replace("?", "%3F").replace("#", "%23")
        return f"sqlite:///{os.path.join(home, os.path.expanduser(file))}"  # noqa: PTH111, PTH118 - a URL, not a path

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form with every secret masked: to show, or to hand to a step's process."""
        value: dict[str, Any] = _masked(self.model_dump(mode="json"))
        value["database"]["url"] = redacted(self.database_url)
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Settings:
        """Read what `to_json` wrote; masked secrets stay masked."""
        return cls.model_validate(dict(value))

    def __repr__(self) -> str:
        return f"Settings({self.to_json()})"

    __str__ = __repr__


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: "***" if isinstance(item, str) and item and SECRET_NAME.search(key) else _masked(item)
            for key, item in value.items()
        }
    return [_masked(item) for item in value] if isinstance(value, list) else value


def shipped(name: str) -> Path:
    """The folder "models", "migrations" or "config" that came with the program, in a wheel or a checkout.

    Raises:
        SettingsError: it is missing.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_data" / name, package.parent / name):
        if folder.is_dir():
            return folder
    raise SettingsError(
        f"this installation of auria-bot is incomplete: the folder {name!r} is missing; install it again"
    )


def default_home(environment: Mapping[str, str]) -> Path:
    """AURIA_HOME, or the place where the platform keeps an application's data.

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
        raise SettingsError("there is no home folder to keep Auria's data in; set AURIA_HOME to a folder") from error


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Read every source.

    Args:
        environment: the process's own by default.

    Raises:
        SettingsError: a file cannot be read, a key is unknown or a value is wrong; the message names the file or
            variable, the key, the value (unless it is a secret) and what is allowed.
    """
    env = os.environ if environment is None else environment
    home = default_home(env)
    merged: dict[str, Any] = {"home": home}
    sources: dict[tuple[str, ...], str] = {}
    _lay_over(merged, _read(shipped("config") / "auria.toml"), "the shipped auria.toml", sources)
    if named := env.get(_CONFIG):
        file = Path(named).expanduser()
        if not file.is_file():
            raise SettingsError(f"{_CONFIG} names {named!r}, which is not a file")
        _lay_over(merged, _read(file), str(file), sources)
    elif (file := home / "auria.toml").is_file():
        values = _read(file)
        if "home" in values:
            raise SettingsError(f"{file}: home cannot be set in the home's own file; set AURIA_HOME instead")
        _lay_over(merged, values, str(file), sources)
    for name, text in sorted(env.items()):
        if name.startswith(SECRET_PREFIX):
            register_secret(text)
        elif name.startswith(PREFIX) and name != _CONFIG and text:
            path = tuple(name.removeprefix(PREFIX).lower().split("__"))
            _lay_over(merged, _nested(path, _value(path, text)), name, sources)
    _guard_secrets(merged)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise SettingsError(explain(error, Settings, merged, sources)) from None


def own_file(environment: Mapping[str, str] | None = None) -> Path:
    """The operator's own settings file, which may not be there yet: the one that AURIA_CONFIG names, or the home's."""
    env = os.environ if environment is None else environment
    named = env.get(_CONFIG)
    return Path(named).expanduser().absolute() if named else default_home(env) / "auria.toml"


def _guard_secrets(value: Mapping[str, Any]) -> None:
    """Have the log mask what stands under a telling name, and the password of an address."""
    for key, item in value.items():
        if isinstance(item, Mapping):
            _guard_secrets(item)
        elif isinstance(item, str) and SECRET_NAME.search(key):
            register_secret(item)
        elif isinstance(item, str) and (found := re.search(r"://[^:/?#@]*:(.+)@", item)):
            # What was not percent-encoded tears an address apart; its parts then show up by themselves.
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
    """Merge tables key by key; another backend takes nothing over from the options of the one before."""
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
    """A variable's text as a value: text where the setting is a text, number or path, else in TOML's notation."""
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
