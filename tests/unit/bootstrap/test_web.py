"""What the web interface is composed of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.bootstrap.application import build
from auria_bot.settings.schema import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_the_public_address_is_the_set_one_or_the_servers(tmp_path: Path) -> None:
    """Links in feeds begin with it; a slash at its end is left out."""
    assert build(Settings(home=tmp_path)).public_url == "http://127.0.0.1:8620"
    assert build(Settings(home=tmp_path, web={"url": "https://auria.example.org/"})).public_url == (
        "https://auria.example.org"
    )
