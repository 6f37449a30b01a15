"""The commented-out channels in config/auria.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from auria_bot import registry

EXAMPLE = re.compile(
    r'^# \[channels\.\w+\]\n(?:#.*\n)*?# backend = "(\w+)"\n(?:#.*\n)*?# (options = \{.*\})$', re.MULTILINE
)
EXAMPLES = dict(EXAMPLE.findall((Path(__file__).parents[3] / "config" / "auria.toml").read_text(encoding="utf-8")))


@pytest.mark.parametrize("backend", EXAMPLES)
def test_an_example_shows_the_defaults(backend: str) -> None:
    """Its options are real ones, and hold the default but where the operator must say something."""
    options = tomllib.loads(EXAMPLES[backend])["options"]
    config = registry.find("channel", backend).Config
    made, usual = config(**options), config()
    for name in set(options) - {"handle", "instance"}:
        value, default = getattr(made, name), getattr(usual, name)
        assert (tuple(value) if isinstance(value, list) else value) == default, name


def test_the_social_channels_are_shown() -> None:
    """Those that are registered."""
    assert {"bluesky", "mastodon"} <= set(EXAMPLES)
