"""The section of the settings for the web interface."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, Field, field_validator, model_validator

from auria_bot.settings.sections import Section, host_and_port

__all__ = ["EVENTS", "WebSettings", "WebhookSettings"]

Event = Literal["draft.made", "post.sent", "post.needs_attention"]
EVENTS: tuple[Event, ...] = get_args(Event)
"""What a webhook can be told."""


class WebhookSettings(Section):
    """An address that is told of events; its secret is in the secret store."""

    url: str
    """Its https address."""
    events: tuple[Event, ...] = Field(default=EVENTS, min_length=1)
    """Of what it is told."""
    allow_private: bool = False
    """Whether it may be on this machine or in its network, and use http."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        scheme = "https?" if self.allow_private else "https"
        if not re.fullmatch(scheme + r"://[^\s/?#@\\]+(?:[/?][^\s#]*)?", self.url):
            raise ValueError('its url must look like "https://example.org/hook"; http needs allow_private = true')
        return self


class WebSettings(Section):
    """The web interface of `auria web`."""

    address: Annotated[str, AfterValidator(host_and_port)] = "127.0.0.1:8620"
    """HOST:PORT that it is served at."""
    url: str = ""
    """Its public address, such as "https://auria.example.org"; empty for http:// and the address."""
    title: str = Field(default="Auria", min_length=1, max_length=100)
    """Heading of the pages."""
    subtitle: str = Field(default="Haiku and paintings", max_length=200)
    """Line under the heading."""
    page_size: int = Field(default=24, ge=1, le=200)
    """Artworks on a page."""
    api_calls: int = Field(default=120, ge=1, le=100_000)
    """Calls of the REST interface a minute for each key, and for each address that calls without one."""
    wall_seconds: int = Field(default=40, ge=3, le=3600)
    """Seconds for which the page /wall, for a screen in a room, shows an artwork."""
    metrics: Annotated[str, AfterValidator(host_and_port)] = ""
    """HOST:PORT that serves the web server's own /healthz and /metrics; empty for none."""
    studio: bool = False
    """Whether visitors may have an artwork made and watch (/studio)."""
    studio_per_visitor: int = Field(default=3, ge=1, le=1000)
    """Most artworks a day for visitors of one address."""
    studio_per_day: int = Field(default=40, ge=1, le=10_000)
    """Most artworks a day for all visitors."""
    studio_queue: int = Field(default=6, ge=1, le=100)
    """Most visitors who wait for the studio at a time."""
    studio_days: float = Field(default=7.0, gt=0, le=3650)
    """Days after which a visitor's artwork is deleted unless it was kept."""
    studio_kept: int = Field(default=200, ge=0, le=100_000)
    """Most artworks that visitors may keep for good."""
    webhooks: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")], WebhookSettings] = Field(default={})
    """Addresses that are told of events, by the operator's name for each."""

    @field_validator("address")
    @classmethod
    def _some_address(cls, address: str) -> str:
        if not address:
            raise ValueError("it must be HOST:PORT")
        return address

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str) -> str:
        if url and not re.fullmatch(r"https?://[^\s/?#@]+", url.rstrip("/")):
            raise ValueError('it must look like "https://auria.example.org", without a path')
        return url.rstrip("/")
