"""The backends by kind and name. They are listed as strings; a class is imported when it is requested.

Another distribution adds a backend through an entry point of the group `auria_bot.<kind>`, for example

    [project.entry-points."auria_bot.painter"]
    watercolour = "my_painter:Watercolour"
"""

from __future__ import annotations

import logging
from functools import cache
from importlib import import_module
from typing import Any

from auria_bot.errors import BackendMissing, SettingsError, UnknownName

__all__ = ["BACKENDS", "find", "find_chosen", "names"]

log = logging.getLogger(__name__)

BACKENDS: dict[str, dict[str, str]] = {
    "poet": {
        "word-lstm": "auria_bot.art.poets.word_lstm:WordLstm",
        "causal-lm": "auria_bot.art.poets.causal_lm:CausalLm",
        "fake": "auria_bot.testing:FakePoet",
    },
    "mood_reader": {
        "minilm": "auria_bot.art.mood_classifier:MiniLmMoodReader",
        "fake": "auria_bot.testing:FakeMoodReader",
    },
    "painter": {
        "attn": "auria_bot.art.painters.attn:AttnPainter",
        "diffusers": "auria_bot.art.painters.diffusers:DiffusersPainter",
        "fake": "auria_bot.testing:FakePainter",
    },
    "safety_filter": {
        "standard": "auria_bot.art.safety_filter:StandardSafetyFilter",
        "fake": "auria_bot.testing:FakeSafetyFilter",
    },
    "enlarger": {
        "real-esrgan": "auria_bot.art.real_esrgan:RealEsrgan",
        "fake": "auria_bot.testing:FakeEnlarger",
    },
    "stylist": {
        "magenta": "auria_bot.art.stylists.magenta:Magenta",
        "photorealistic": "auria_bot.art.stylists.magenta:Photorealistic",
        "fake": "auria_bot.testing:FakeStylist",
    },
    "captioner": {
        "show-attend-tell": "auria_bot.art.captioners.show_attend_tell:ShowAttendTell",
        "blip": "auria_bot.art.captioners.blip:Blip",
        "fake": "auria_bot.testing:FakeCaptioner",
    },
    "text_writer": {
        "plain": "auria_bot.art.alt_text:PlainTextWriter",
        "fake": "auria_bot.testing:FakeTextWriter",
    },
    "exporter": {
        "print": "auria_bot.art.exporters.exporter:PrintExporter",
        "fake": "auria_bot.testing:FakeExporter",
    },
    "channel": {
        "folder": "auria_bot.channels.folder.channel:FolderChannel",
        "x": "auria_bot.channels.x.channel:XChannel",
        "bluesky": "auria_bot.channels.bluesky.channel:BlueskyChannel",
        "mastodon": "auria_bot.channels.mastodon.channel:MastodonChannel",
        "instagram": "auria_bot.channels.instagram.private_channel:InstagramChannel",
        "instagram_graph": "auria_bot.channels.instagram.graph_channel:InstagramGraphChannel",
        "fake": "auria_bot.testing:FakeChannel",
    },
}
"""Kind, then name, then "module:Class". The kinds are the roles of `domain.pipeline`, and the channels."""

_FORMER_KINDS = {"safety_filter": "gate", "text_writer": "scribe", "exporter": "finisher"}
"""Former names of kinds; entry points of these groups are still read in this version, with a notice."""


def names(kind: str) -> tuple[str, ...]:
    """The names of a kind: Auria's own, then those of other distributions.

    Raises:
        UnknownName: there is no such kind.
    """
    own = _own(kind)
    return (*own, *sorted(set(_entry_points(kind)) - set(own)))


def find(kind: str, name: str) -> type[Any]:
    """Import the class of that kind and name.

    Raises:
        UnknownName: there is none; the message lists the known names.
        BackendMissing: its module needs a package that is not installed.
    """
    target = _own(kind).get(name)
    if target is None:
        target = _entry_points(kind).get(name)
    if target is None:
        raise UnknownName(f"no {kind} named {name[:40]!r}; known: {', '.join(names(kind))}")
    module, _, attribute = target.partition(":")
    try:
        found: type[Any] = getattr(import_module(module), attribute)
    except AttributeError as error:
        raise BackendMissing(f"the {kind} {name!r} refers to {target}, which does not exist") from error
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "auria_bot":
            raise
        raise BackendMissing(
            f"the {kind} {name!r} needs the package {error.name!r}, which is not installed;"
            f" try: pip install 'auria-bot[torch]' or pip install {error.name}"
        ) from error
    return found


def find_chosen(kind: str, name: str, *, section: str) -> type[Any]:
    """Import the class that a section of the settings names as its backend.

    Raises:
        SettingsError: there is none of that name.
        BackendMissing: its module needs a package that is not installed.
    """
    try:
        return find(kind, name)
    except UnknownName as error:
        raise SettingsError(f"{section}.backend: {error}") from None


def _own(kind: str) -> dict[str, str]:
    try:
        return BACKENDS[kind]
    except KeyError:
        raise UnknownName(f"no kind of backend named {kind[:40]!r}; known: {', '.join(BACKENDS)}") from None


def _entry_points(kind: str) -> dict[str, str]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow, and rarely needed

    found: dict[str, str] = {}
    if former := _FORMER_KINDS.get(kind):
        for point in entry_points(group=f"auria_bot.{former}"):
            _notify(point.name, former, kind)
            found[point.name] = point.value
    return found | {point.name: point.value for point in entry_points(group=f"auria_bot.{kind}")}


@cache
def _notify(name: str, former: str, kind: str) -> None:
    """Log once that an entry point of a former group was read."""
    log.warning(
        "The entry point %s is in the group auria_bot.%s, which is now called auria_bot.%s; the old group is read until"
        " the next version",
        name,
        former,
        kind,
    )
