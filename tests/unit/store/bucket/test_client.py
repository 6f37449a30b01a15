"""A bucket holds whole files or none; what it refuses or does not answer is told in one sentence without secrets."""

from __future__ import annotations

import hashlib
import socket
import time
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import NotFound, StorageAway
from auria_bot.secret_store import SecretStore
from auria_bot.settings.storage import StorageSettings
from auria_bot.store.bucket import client as module
from auria_bot.store.bucket.client import Bucket
from tests.platforms.picture_storage import StorageStandIn
from tests.platforms.proxy import FaultyProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("obstore", reason="the extra s3 is not installed: pip install 'auria-bot[s3]'")


@pytest.fixture
def server() -> Iterator[StorageStandIn]:
    """A storage; tests/live has a real one in its place."""
    with StorageStandIn() as started:
        yield started


def opened(server: StorageStandIn, home: Path, *, address: str = "", wrong_key: str = "", **options: object) -> Bucket:
    """A bucket there, with a prefix of its own."""
    chosen = {"pictures": f"s3://{server.bucket}/{home.name.replace('[', '_').replace(']', '')}/auria"} | {
        "endpoint": address or server.address,
        "region": server.region,
        "timeout": 5.0,
    }
    names = {
        "AURIA_SECRET_STORAGE_ACCESS_KEY": server.key_id,
        "AURIA_SECRET_STORAGE_SECRET_KEY": wrong_key or server.secret,
    }
    secrets = SecretStore(home, "storage", environment=names)
    return Bucket(StorageSettings.model_validate(chosen | options), secrets=secrets)


def test_files_are_written_listed_read_and_deleted(server: StorageStandIn, tmp_path: Path):
    """What was written is given back byte for byte, and is gone when it is deleted."""
    bucket, source, content = opened(server, tmp_path), tmp_path / "a.png", b"picture" * 1000
    source.write_bytes(content)
    assert bucket.put("pictures/1/a.png", source)
    assert bucket.put("pictures/1/b.json", b"{}")
    assert bucket.put("pictures/2/c.png", source)
    assert dict(bucket.files("pictures/1")) == {"pictures/1/a.png": 7000, "pictures/1/b.json": 2}
    assert len(list(bucket.files("pictures"))) == 3
    assert bucket.folders("pictures") == ["1", "2"]
    bucket.download("pictures/1/a.png", tmp_path / "copy" / "a.png", sha256=hashlib.sha256(content).hexdigest())
    assert (tmp_path / "copy" / "a.png").read_bytes() == content
    assert bucket.read("pictures/1/b.json") == b"{}"
    bucket.delete(["pictures/1/a.png", "pictures/1/gone"])
    with pytest.raises(NotFound):
        bucket.read("pictures/1/a.png")


def test_a_file_is_written_once(server: StorageStandIn, tmp_path: Path):
    """The first content of a key that is written once stays."""
    bucket = opened(server, tmp_path)
    assert bucket.put("one", b"first", once=True)
    assert not bucket.put("one", b"second", once=True)
    assert bucket.read("one") == b"first"
    bucket.check()


def test_a_large_film_arrives_whole(server: StorageStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Files are sent and read in parts without holding them in memory as a whole."""
    monkeypatch.setattr(module, "_PART", 32 << 20 if isinstance(server, StorageStandIn) else 8 << 20)
    bucket, source = opened(server, tmp_path), tmp_path / "film.mp4"
    source.write_bytes(bytes(range(256)) * 70_000)
    bucket.put("film.mp4", source)
    bucket.download("film.mp4", tmp_path / "back.mp4")
    assert (tmp_path / "back.mp4").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("fault", ["500", "cut-before", "cut-within", "garbage"])
def test_a_fault_that_passes_is_not_noticed(server: StorageStandIn, tmp_path: Path, fault: str):
    """An answer that fails once is asked for again, and a file is the one that was written."""
    opened(server, tmp_path).put("a", content := b"x" * 300_000)
    digest = hashlib.sha256(content).hexdigest()
    with FaultyProxy(int(server.address.rpartition(":")[2]), mutation=lambda method, _: method == "GET") as proxy:
        proxy.fail_next(fault)
        opened(server, tmp_path, address=proxy.address).download("a", tmp_path / "back", sha256=digest)
    assert (tmp_path / "back").read_bytes() == content


def test_wrong_bytes_are_never_taken(server: StorageStandIn, tmp_path: Path):
    """Where another content lies in the bucket than was written, nothing appears on the disk."""
    bucket = opened(server, tmp_path)
    bucket.put("a", b"other")
    with pytest.raises(StorageAway, match=r"is not what was written: its SHA-256 is .*, not 2cf24dba5fb0"):
        bucket.download("a", tmp_path / "back", sha256=hashlib.sha256(b"hello").hexdigest())
    assert not list(tmp_path.glob("*back*")) + list(tmp_path.glob(".new-*"))


def test_wrong_keys_are_told(server: StorageStandIn, tmp_path: Path):
    """The message names bucket and reason, and neither key."""
    with pytest.raises(StorageAway, match=r"refuses to read s3://pictures/.*: 403 SignatureDoesNotMatch") as caught:
        opened(server, tmp_path, wrong_key="wrong-secret-0123456789").read("a")
    assert server.key_id not in str(caught.value)
    assert "wrong-secret" not in str(caught.value)


def test_a_missing_bucket_is_told(server: StorageStandIn, tmp_path: Path):
    """It is not taken for a missing file."""
    with pytest.raises(StorageAway, match="404 NoSuchBucket"):
        opened(server, tmp_path, pictures="s3://elsewhere/auria").read("a")


def test_a_storage_that_is_away_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """After one request without an answer the next ones fail without waiting, for a moment."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        address = f"http://127.0.0.1:{held.getsockname()[1]}"
    bucket = opened(StorageStandIn(), tmp_path, address=address, timeout=0.2)
    with pytest.raises(StorageAway, match=r"127\.0\.0\.1:\d+ does not answer for s3://pictures/") as first:
        bucket.read("a")
    with pytest.raises(StorageAway) as second:
        bucket.read("b")
    assert second.value is first.value
    monkeypatch.setattr(time, "monotonic", lambda: 1e12)
    with pytest.raises(StorageAway) as third:
        bucket.read("b")
    assert third.value is not first.value


def test_a_silent_storage_is_given_up(server: StorageStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A request without progress ends after the setting's time, and says so."""
    monkeypatch.setattr(module, "_ATTEMPTS", 1)
    with FaultyProxy(int(server.address.rpartition(":")[2]), mutation=lambda *_: True) as proxy:
        proxy.fail_next("slow")
        with pytest.raises(StorageAway, match="no answer in time"):
            opened(server, tmp_path, address=proxy.address, timeout=0.3).read("a")
