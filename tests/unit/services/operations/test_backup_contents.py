"""What belongs in a backup, and what its records may say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import StoreError
from auria_bot.services.models.folder_registry import FolderRegistry
from auria_bot.services.operations import backup_contents
from auria_bot.services.operations.backup_contents import ModelFiles, check_record, contents, holdings, is_accepted
from auria_bot.services.visitors.works import VisitorWork, VisitorWorks, WorkState
from auria_bot.settings.schema import Settings
from tests.factories import NOW, artwork

if TYPE_CHECKING:
    from pathlib import Path

_WORK = VisitorWork(
    key="a" * 32, owner="0" * 64, theme="", mood="", asked_at=NOW, state=WorkState.DONE, artwork=artwork(1).to_json()
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A draft's picture, a kept artwork of a visitor and one that is not, a rating picture, and two versions of a model."""
    home = tmp_path / "home"
    works = VisitorWorks(home / "visitors")
    works.load()
    for key, is_kept in (("a" * 32, True), ("b" * 32, False)):
        works.save(replace(_WORK, key=key, is_kept=is_kept))
        (home / "visitors" / key / "post.jpg").write_bytes(b"x")
    for name in ("pictures/run-1/post.jpg", f"ratings/{'c' * 64}.jpg", "ratings/.lock", "auria.toml", "styles/x"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(b"x")
    (home / "pictures" / "run-1" / "link.jpg").symlink_to(home / "auria.toml")
    (tmp_path / "models" / "captioner").mkdir(parents=True)
    registry = FolderRegistry(Settings(home=home, models=tmp_path / "models"), clock=lambda: NOW)
    (tmp_path / "trained").mkdir()
    for content in ("one", "two"):
        (tmp_path / "trained" / "model.onnx").write_text(content)
        registry.register("captioner", tmp_path / "trained", metrics={})
    registry.promote("captioner", "v2")
    return home


@pytest.mark.parametrize(
    ("models", "versions"), [(ModelFiles.IN_SERVICE, ["v2"]), (ModelFiles.ALL, ["v1", "v2"]), (ModelFiles.NONE, [])]
)
def test_everything_that_cannot_be_made_again_is_there(home: Path, models: ModelFiles, versions: list[str]):
    """And no link, nothing that was not kept, no settings, and no links of the registry."""
    names = [name for name, _ in contents(home, models)]
    assert names == sorted(
        [
            "pictures/run-1/post.jpg",
            f"ratings/{'c' * 64}.jpg",
            f"visitors/{'a' * 32}/post.jpg",
            f"visitors/{'a' * 32}/work.json",
            "registry/captioner/promotions.json",
            "registry/captioner/v1/version.json",
            "registry/captioner/v2/version.json",
            *(f"registry/captioner/{name}/files/{file}" for name in versions for file in ("SHA256SUMS", "model.onnx")),
        ]
    )
    assert holdings([*names, "auria.db"]) == {
        "drafts": 1,
        "visitors": 1,
        "ratings": 1,
        "versions": 2,
        "version_files": len(versions),
    }
    for name in names:
        check_record(name, home / name)


def test_of_a_model_that_was_rolled_back_no_files_are_in_service(home: Path, tmp_path: Path):
    """The installed one comes with the program; its records are backed up."""
    FolderRegistry(Settings(home=home, models=tmp_path / "models"), clock=lambda: NOW).rollback("captioner")
    names = [name for name, _ in contents(home, ModelFiles.IN_SERVICE)]
    assert "registry/captioner/promotions.json" in names
    assert not any("/files/" in name for name in names)


def test_a_record_without_end_is_not_read(home: Path, monkeypatch: pytest.MonkeyPatch):
    """It would fill the memory."""
    monkeypatch.setattr(backup_contents, "_RECORD_LIMIT", 10)
    with pytest.raises(StoreError, match=r"cannot be used \(it is too long\)"):
        check_record("registry/captioner/promotions.json", home / "registry" / "captioner" / "promotions.json")


def test_damaged_records_cost_their_own_files_only(home: Path):
    """The rest is backed up."""
    (home / "visitors" / ("a" * 32) / "work.json").write_text("[")
    (home / "registry" / "captioner" / "promotions.json").write_text('{"promotions": ["../../.."]}')
    names = [name for name, _ in contents(home, ModelFiles.IN_SERVICE)]
    assert "pictures/run-1/post.jpg" in names
    assert not any(name.startswith("visitors/") or "/files/" in name for name in names)


@pytest.mark.parametrize(
    "name",
    [
        "visitors/../auria.toml",
        "visitors/.lock",
        "visitors/short/work.json",
        f"visitors/{'a' * 32}/../work.json",
        f"visitors/{'a' * 32}/.hidden",
        f"visitors/{'a' * 32}/deep/work.json",
        f"ratings/{'a' * 63}.jpg",
        f"ratings/{'a' * 64}.jpg/x",
        "registry/served/captioner",
        "registry/served/v1/version.json",
        "registry/mlflow/v1/version.json",
        "registry/captioner/v0/version.json",
        "registry/captioner/v1/files",
        "registry/captioner/v1/files/../../x",
        "registry/captioner/v1/files/a/b/c/d/e",
        "registry/.lock",
    ],
)
def test_other_paths_are_not_accepted(name: str):
    """A path is a known kind's, without dots that lead elsewhere."""
    assert not is_accepted(name)


@pytest.mark.parametrize(
    ("name", "record"),
    [
        (f"visitors/{'b' * 32}/work.json", _WORK.to_json()),
        (f"visitors/{'a' * 32}/work.json", []),
        (f"visitors/{'a' * 32}/work.json", {**_WORK.to_json(), "key": "../pictures"}),
        (
            f"visitors/{'a' * 32}/work.json",
            {**_WORK.to_json(), "artwork": {"files": {"post": {"name": "../../secrets/x.json"}}}},
        ),
        ("registry/captioner/promotions.json", {"promotions": ["../../../outside"]}),
        ("registry/captioner/promotions.json", {}),
        ("registry/captioner/v1/version.json", {"model": "captioner", "name": "v2", "metrics": {}}),
        ("registry/captioner/v1/version.json", {"model": "poet", "name": "v1", "metrics": {}}),
        ("registry/captioner/v1/version.json", {"model": "captioner", "name": "v1", "metrics": {"a": "b"}}),
        ("registry/captioner/v1/version.json", None),
    ],
)
def test_a_record_that_auria_did_not_write_is_refused(tmp_path: Path, name: str, record: object):
    """What it says would be believed: where files are, and what is in service."""
    (tmp_path / "record").write_text(json.dumps(record))
    with pytest.raises(StoreError, match="take another backup"):
        check_record(name, tmp_path / "record")
