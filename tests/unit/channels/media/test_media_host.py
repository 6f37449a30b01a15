"""A picture's way outside: which one, what is missing, and whether it leads anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.channels.instagram.graph_api import quiet_client
from auria_bot.channels.media.endpoint import PictureHost
from auria_bot.channels.media.media_host import MediaHost
from auria_bot.channels.media.storage import PictureStorage
from auria_bot.errors import Unauthorised
from tests.platforms import MemorySecrets
from tests.platforms.http_server import HttpServer

if TYPE_CHECKING:
    from pathlib import Path

KEYS = {"storage_key_id": "id", "storage_secret": "secret"}


def way(folder: Path, secrets: dict[str, str] | None = None, **options: Any) -> MediaHost:
    """A way with these options."""
    values = {"public_url": "", "storage": "", "bucket": "", "region": "eu", "prefix": ""} | options
    return MediaHost(secrets=MemorySecrets(secrets), channel="ig", folder=folder, **values)


def test_an_endpoint_of_ones_own_goes_before_a_storage(tmp_path: Path) -> None:
    """Where both are set."""
    both = way(tmp_path, KEYS, public_url="https://auria.example", storage="https://s3.example", bucket="b")
    assert isinstance(both.open(quiet_client(1)), PictureHost)
    storage = way(tmp_path, KEYS, storage="https://s3.example", bucket="b")
    assert isinstance(storage.open(quiet_client(1)), PictureStorage)


@pytest.mark.parametrize(
    ("secrets", "options", "words"),
    [
        ({}, {}, "public_url"),
        (KEYS, {"storage": "https://s3.example"}, "bucket"),
        ({}, {"storage": "https://s3.example", "bucket": "b"}, "auria channels add ig"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, secrets: dict[str, str], options: dict[str, str], words: str) -> None:
    """With what to do."""
    with pytest.raises(Unauthorised, match=words):
        way(tmp_path, secrets, **options).open(quiet_client(1))


def test_an_address_that_leads_elsewhere_is_found_out(tmp_path: Path) -> None:
    """Something answers there, but not the endpoint; the probe is taken away again."""
    with HttpServer(lambda *_: (200, {}, b"Welcome")) as server:
        wrong = way(tmp_path / "public", public_url=server.address)
        with pytest.raises(Unauthorised, match="cannot be fetched"):
            wrong.check(quiet_client(5))
    assert list((tmp_path / "public").iterdir()) == []


def test_a_way_that_cannot_be_tried_from_here_may_be_good(tmp_path: Path) -> None:
    """Many a network does not reach its own public address from inside."""
    assert "could not be tested" in way(tmp_path, public_url="http://127.0.0.1:1").check(quiet_client(1))
