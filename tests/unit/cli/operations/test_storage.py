"""`auria storage` shows where pictures are, and moves them to a bucket and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.platforms.picture_storage import StorageStandIn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _pictures(home: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in (home / "pictures").glob("*/*")}


def test_without_a_bucket_everything_is_on_the_disk(auria: Callable[..., tuple[int, str, str]], home: Path):
    """There is nothing to move, and the message names the setting."""
    (home / "pictures" / "run-1").mkdir(parents=True)
    (home / "pictures" / "run-1" / "post.jpg").write_bytes(b"x" * 100_000)
    assert auria("storage", "show")[1] == "on the disk: pictures of 1 draft, 0.1 MB\n"
    code, _, said = auria("storage", "move")
    assert code == 4
    assert "storage.pictures names no bucket" in said


def test_there_and_back(auria: Callable[..., tuple[int, str, str]], home: Path, monkeypatch: pytest.MonkeyPatch):
    """What was moved leaves the disk, and comes back as it was; no key is printed."""
    pytest.importorskip("obstore", reason="the extra s3 is not installed: pip install 'auria-bot[s3]'")
    for number in range(2):
        (home / "pictures" / f"run-{number}").mkdir(parents=True)
        (home / "pictures" / f"run-{number}" / "post.jpg").write_bytes(b"%d" % number * 100_000)
    before = _pictures(home)
    with StorageStandIn() as server:
        for name, value in {
            "STORAGE__PICTURES": f"s3://{server.bucket}/auria",
            "STORAGE__ENDPOINT": server.address,
            "STORAGE__REGION": server.region,
            "SECRET_STORAGE_ACCESS_KEY": server.key_id,
            "SECRET_STORAGE_SECRET_KEY": server.secret,
        }.items():
            monkeypatch.setenv(f"AURIA_{name}", value)
        assert "to move them to the bucket: auria storage move" in auria("storage", "show")[2]
        code, out, err = auria("storage", "move")
        assert (code, out) == (0, "moved pictures of 2 drafts, 0.2 MB, to s3://pictures/auria\n")
        assert not _pictures(home)
        assert json.loads(auria("storage", "show", "--json")[1])["in_bucket"] == 2
        assert server.secret not in out + err
        assert auria("storage", "move", "--back")[0] == 0
    assert _pictures(home) == before
