"""Pictures in S3-compatible storage: signatures as Amazon publishes them, and a storage that verifies them."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.channels.instagram.graph_api import quiet_client
from auria_bot.channels.media.endpoint import PictureHost
from auria_bot.channels.media.storage import MediaHost, PictureStorage, StorageKeys, presigned, signed_headers
from auria_bot.errors import Rejected, Throttled, Unauthorised
from tests.connections import one_answer
from tests.platforms import MemorySecrets
from tests.platforms.http_server import HttpServer
from tests.platforms.picture_storage import StorageStandIn

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Iterator
    from pathlib import Path


# The key and the signatures below are those of Amazon's documentation of Signature Version 4.
EXAMPLE = StorageKeys(
    key_id="AKIAIOSFODNN7EXAMPLE",
    secret="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",  # noqa: S106 - as published
    region="us-east-1",
)
WHEN = datetime(2013, 5, 24, tzinfo=UTC)


@pytest.fixture
def platform() -> Iterator[StorageStandIn]:
    """A storage."""
    with StorageStandIn() as made:
        yield made


@pytest.fixture
def keys(platform: StorageStandIn) -> StorageKeys:
    """Its keys."""
    return StorageKeys(key_id=platform.key_id, secret=platform.secret, region=platform.region)


def storage(platform: StorageStandIn, keys: StorageKeys, **options: object) -> PictureStorage:
    """A way to it."""
    return PictureStorage(platform.address, platform.bucket, keys, prefix="auria/", client=quiet_client(2), **options)  # type: ignore[arg-type]


def fetch(address: str) -> bytes:
    """What the platform's crawler gets."""
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - loopback
        return bytes(answer.read())


def test_an_address_is_signed_as_amazon_says() -> None:
    """The documentation's own example comes out."""
    made = presigned("GET", "https://examplebucket.s3.amazonaws.com/test.txt", EXAMPLE, at=WHEN, lasts=86400)
    assert made.endswith("X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")


def test_a_request_is_signed_as_amazon_says() -> None:
    """The documentation's own example of a PUT comes out."""
    headers = signed_headers(
        "PUT",
        "https://examplebucket.s3.amazonaws.com/test%24file.text",
        EXAMPLE,
        at=WHEN,
        content=b"Welcome to Amazon S3.",
        extra={"date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
    )
    assert headers["authorization"].endswith("98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")


def test_a_picture_is_put_fetched_and_removed(platform: StorageStandIn, keys: StorageKeys) -> None:
    """By an address that is all the permission there is."""
    mine = storage(platform, keys)
    address = mine.put(b"picture", lasts=60)
    assert fetch(address) == b"picture"
    with pytest.raises(urllib.error.HTTPError, match="403") as wrong:
        fetch(address.partition("?")[0])
    wrong.value.close()
    mine.remove(address)
    mine.remove(address)
    assert platform.objects == {}


def test_an_address_expires(platform: StorageStandIn, keys: StorageKeys) -> None:
    """The storage no longer opens it."""
    early = storage(platform, keys, clock=lambda: datetime.now(UTC) - timedelta(minutes=5))
    address = early.put(b"picture", lasts=60)
    with pytest.raises(urllib.error.HTTPError, match="403") as wrong:
        fetch(address)
    wrong.value.close()


@pytest.mark.parametrize("change", [{"secret": "another"}, {"key_id": "another"}, {"region": "us-east-1"}])
def test_wrong_keys_are_told(platform: StorageStandIn, keys: StorageKeys, change: dict[str, str]) -> None:
    """Without the keys."""
    with pytest.raises(Unauthorised, match="403") as told:
        storage(platform, replace(keys, **change)).put(b"picture", lasts=60)
    assert keys.secret not in str(told.value) + repr(keys)
    assert platform.objects == {}


def test_a_storage_that_is_away(platform: StorageStandIn, keys: StorageKeys) -> None:
    """Later; a bucket that is not there is for the operator."""
    platform.down = True
    with pytest.raises(Throttled):
        storage(platform, keys).put(b"picture", lasts=60)
    platform.down = False
    with pytest.raises(Throttled):
        PictureStorage("http://127.0.0.1:1", "b", keys, prefix="", client=quiet_client(1)).put(b"picture", lasts=60)
    with pytest.raises(Rejected, match="bucket"):
        PictureStorage(platform.address, "other", keys, prefix="", client=quiet_client(1)).put(b"picture", lasts=60)


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


def test_only_the_beginning_of_what_answers_is_read(tmp_path: Path) -> None:
    """The address may lead to something endless."""
    sent: list[int] = []

    def pour(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not over.is_set() and sum(sent) < 50_000_000:
            connection.sendall(bytes(100_000))
            sent.append(100_000)

    with one_answer(pour) as address, pytest.raises(Unauthorised, match="cannot be fetched"):
        way(tmp_path / "public", public_url=address).check(quiet_client(5))
    assert sum(sent) < 50_000_000
