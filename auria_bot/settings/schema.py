"""All settings in one frozen value, with the code's defaults."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from auria_bot.redaction import redacted
from auria_bot.settings.captions import CaptionSettings
from auria_bot.settings.execution import ExecutionSettings
from auria_bot.settings.locations import default_home, shipped
from auria_bot.settings.models import RegistrySettings
from auria_bot.settings.options import SECRET_NAME
from auria_bot.settings.sections import (
    BackendSettings,
    ChannelSettings,
    CorpusSettings,
    DaemonSettings,
    DatabaseSettings,
    HealthSettings,
    LearningSettings,
    LoggingSettings,
    MaintenanceSettings,
    NotifySettings,
    ReviewSettings,
    ScheduleSettings,
    Section,
    StudioSettings,
    TrackingSettings,
)
from auria_bot.settings.storage import StorageSettings
from auria_bot.settings.web import WebSettings

__all__ = ["Settings"]


def _backend(name: str) -> Any:
    return Field(default_factory=lambda: BackendSettings(backend=name))


def _folder_channel() -> dict[str, ChannelSettings]:
    return {"folder": ChannelSettings(backend="folder", options={"directory": "published"})}


_OFFSET = re.compile(r"(?:GMT|UTC|Z)?\s*([+\-\N{MINUS SIGN}])\s*(\d{1,2})(?::?([0-5]\d))?(?:\s*h)?", re.IGNORECASE)
"""An offset where a place is wanted, such as GMT+2; "Etc/GMT+2" lies two hours behind, so it is never offered."""
_PLACES = [
    "Pacific/Pago_Pago",
    "Pacific/Honolulu",
    "America/Anchorage",
    "America/Los_Angeles",
    "America/Denver",
    "America/Chicago",
    "America/New_York",
    "America/Halifax",
    "America/Sao_Paulo",
    "Atlantic/South_Georgia",
    "Atlantic/Azores",
    "Europe/London",
    "Europe/Paris",
    "Europe/Athens",
    "Europe/Istanbul",
    "Asia/Dubai",
    "Asia/Karachi",
    "Asia/Dhaka",
    "Asia/Bangkok",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Pacific/Noumea",
    "Pacific/Auckland",
    "Pacific/Tongatapu",
    "Pacific/Kiritimati",
]  # of the whole hours from -11 to +14, in standard time
_PLACES_BETWEEN = {
    -210: "America/St_Johns",
    210: "Asia/Tehran",
    270: "Asia/Kabul",
    330: "Asia/Kolkata",
    345: "Asia/Kathmandu",
    390: "Asia/Yangon",
    570: "Australia/Adelaide",
}


def _places_at(name: str) -> list[str]:
    """A place whose standard time has the offset that a name states; none for other names."""
    if (found := _OFFSET.fullmatch(name.strip())) is None:
        return []
    minutes = (1 if found[1] == "+" else -1) * (int(found[2]) * 60 + int(found[3] or 0))
    if minutes % 60 == 0 and -11 <= minutes // 60 <= 14:
        return [_PLACES[minutes // 60 + 11]]
    return [_PLACES_BETWEEN[minutes]] if minutes in _PLACES_BETWEEN else []


class Settings(Section):
    """Every setting. `load` makes it; tests construct it with the code's defaults."""

    home: Path = Field(default_factory=lambda: default_home(os.environ))
    """Folder of all of Auria's data; absolute."""
    models: Path | None = None
    """Folder of trained models; None for those that came with the program."""
    data: Path | None = None
    """Folder of training data, needed by `auria train` only."""
    time_zone: str = "UTC"
    """The operator's time zone, a name of the IANA database."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] = "en"
    """Language of the texts, a BCP 47 tag."""
    hemisphere: Literal["north", "south"] = "north"
    """The operator's hemisphere, which decides the season of a date."""
    database: DatabaseSettings = DatabaseSettings()
    studio: StudioSettings = StudioSettings()
    poet: BackendSettings = _backend("word-lstm")
    mood_reader: BackendSettings = _backend("minilm")
    painter: BackendSettings = _backend("attn")
    safety_filter: BackendSettings = _backend("standard")
    enlarger: BackendSettings = _backend("real-esrgan")
    stylist: BackendSettings = _backend("magenta")
    captioner: BackendSettings = _backend("show-attend-tell")
    text_writer: BackendSettings = _backend("plain")
    exporter: BackendSettings = _backend("print")
    execution: ExecutionSettings = ExecutionSettings()
    review: ReviewSettings = ReviewSettings()
    channels: dict[str, ChannelSettings] = Field(default_factory=_folder_channel)
    """Channels by the operator's name for each."""
    tracking: TrackingSettings = TrackingSettings()
    learning: LearningSettings = LearningSettings()
    corpus: CorpusSettings = CorpusSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    daemon: DaemonSettings = DaemonSettings()
    notify: NotifySettings = NotifySettings()
    health: HealthSettings = HealthSettings()
    web: WebSettings = WebSettings()
    captions: CaptionSettings = CaptionSettings()
    registry: RegistrySettings = RegistrySettings()
    storage: StorageSettings = StorageSettings()
    maintenance: MaintenanceSettings = MaintenanceSettings()
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
            places = [zone for zone in available_timezones() if not zone.startswith("Etc/")]
            is_offset = _OFFSET.fullmatch(name.strip()) is not None
            near = _places_at(name) if is_offset else difflib.get_close_matches(name, places, n=3, cutoff=0.5)
            hint = f", such as {', '.join(near or ['Europe/Paris'])}"
            if is_offset and near:
                hint += " for that offset; a place also knows about summer time"
            raise ValueError(f"it must be a name of the IANA time zone database{hint}") from None
        return name

    @property
    def channel_conflicts(self) -> tuple[str, ...]:
        """What does not fit together among the channels: names that are none, a folder that two publish to."""
        named = [("review.channels names", name) for name in self.review.channels]
        named += [("schedule.channels has times for", name) for name in self.schedule.channels]
        found = [
            f"{where} {name!r}, which is no channel; known: {', '.join(self.channels)}"
            for where, name in named
            if name not in self.channels
        ]
        return (*found, *self.shared_folders.values())

    @property
    def shared_folders(self) -> Mapping[str, str]:
        """The folder channels whose directory an earlier channel publishes to already, with a sentence about each."""
        owners, found = dict[str, str](), dict[str, str]()
        for name, channel in self.channels.items():
            if channel.backend != "folder":
                continue
            place = os.path.realpath(self.home / Path(str(channel.options.get("directory", "published"))).expanduser())
            if (owner := owners.setdefault(place, name)) != name:
                found[name] = f"the channels {owner} and {name} both publish to {place}; set another directory"
        return found

    @property
    def models_folder(self) -> Path:
        """The folder of trained models in force: those that were promoted, beside the installed ones."""
        return self.served_models if self.served_models.is_dir() else self.installed_models

    @property
    def installed_models(self) -> Path:
        """The folder of the models that came with the program, or that the setting `models` names."""
        return self.models if self.models is not None else shipped("models")

    @property
    def served_models(self) -> Path:
        """The folder that the registry of models keeps; it is made when a version is first promoted."""
        return self.home / "registry" / "served"

    @property
    def database_url(self) -> str:
        """The database's full URL; it may contain a password and must not be shown or logged."""
        url = self.database.url.get_secret_value() or "sqlite:///auria.db"
        scheme, _, file = url.partition(":///")
        if scheme.lower() != "sqlite":
            return url
        # Characters that have a meaning in a URL may be part of the home's name.
        home = str(self.home).replace("%", "%25").replace("?", "%3F").replace("#", "%23")
        return f"sqlite:///{os.path.join(home, os.path.expanduser(file))}"  # noqa: PTH111, PTH118 - a URL, not a path

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form with every secret masked, to show."""
        value: dict[str, Any] = _masked(self.model_dump(mode="json"))
        value["database"]["url"] = redacted(self.database_url)
        return value

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
