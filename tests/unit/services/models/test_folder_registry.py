"""The registry in a folder: damaged, removed and installed files; the contract of every registry is in test_versions."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from auria_bot.art import checkpoint
from auria_bot.errors import InputError, ModelCorrupt, NotFound
from auria_bot.services.models.folder_registry import FolderRegistry
from auria_bot.services.models.versions import INSTALLED, ModelVersion
from auria_bot.settings.schema import Settings
from tests.factories import NOW

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installed captioner and painter."""
    for name in ("captioner", "painter"):
        (tmp_path / "models" / name).mkdir(parents=True)
        (tmp_path / "models" / name / "weights").write_text("installed")
    return Settings(home=tmp_path / "home", models=tmp_path / "models")


@pytest.fixture
def registry(settings: Settings) -> FolderRegistry:
    """An empty one."""
    return FolderRegistry(settings, clock=lambda: NOW)


def trained(tmp_path: Path, registry: FolderRegistry, content: str, score: float = 0.5) -> ModelVersion:
    """Register a captioner with this content."""
    folder = tmp_path / "trained"
    folder.mkdir(exist_ok=True)
    (folder / "weights").write_text(content)
    return registry.register("captioner", folder, metrics={"test": {"cider_d": score}, "name": "x"}, data="photographs")


def served(settings: Settings, model: str = "captioner") -> str:
    """The content that the roles would load."""
    return (settings.models_folder / model / "weights").read_text()


def test_what_a_killed_registration_left_goes_after_a_day(tmp_path: Path, settings: Settings, registry: FolderRegistry):
    """Copies of models are large; one that may still be written stays."""
    own = settings.home / "registry" / "captioner"
    for name, age in ((".new-killed", 172_800), (".new-busy", 0)):
        (own / name / "files").mkdir(parents=True)
        os.utime(own / name, ((own / name).stat().st_mtime - age,) * 2)
    trained(tmp_path, registry, "one")
    assert sorted(path.name for path in own.iterdir() if path.is_dir()) == [".new-busy", "v1"]


def test_a_damaged_version_is_not_promoted(tmp_path: Path, settings: Settings, registry: FolderRegistry):
    """Its files must match their checksums."""
    version = trained(tmp_path, registry, "one")
    (registry.folder("captioner", version.name) / "weights").write_text("changed")
    with pytest.raises(ModelCorrupt):
        registry.promote("captioner", version.name)
    assert served(settings) == "installed"


def test_a_version_that_is_removed_while_it_is_verified_is_not_promoted(
    tmp_path: Path, settings: Settings, registry: FolderRegistry, monkeypatch: pytest.MonkeyPatch
):
    """What is in force stays."""
    name = trained(tmp_path, registry, "one").name
    monkeypatch.setattr(checkpoint, "verify", lambda _: registry.remove("captioner", name).sha256)
    with pytest.raises(NotFound, match="no files"):
        registry.promote("captioner", name)
    assert registry.promoted("captioner") == INSTALLED
    assert served(settings) == "installed"


def test_after_a_restore_what_has_no_files_is_out_of_service(
    tmp_path: Path, settings: Settings, registry: FolderRegistry
):
    """The version before serves instead, figures and hash stay, and links are made anew, where something is served."""
    assert registry.settle() == ()
    trained(tmp_path, registry, "none of them is promoted yet")
    shutil.rmtree(registry.folder("captioner", "v1"))
    assert registry.settle() == ()
    assert not settings.served_models.exists()
    for number, content in enumerate(("one", "two", "three"), start=2):
        trained(tmp_path, registry, content)
        registry.promote("captioner", f"v{number}")
    shutil.rmtree(registry.folder("captioner", "v4"))
    (registry.folder("captioner", "v3") / "weights").write_text("damaged")
    shutil.rmtree(settings.served_models)
    assert registry.settle() == ("captioner v4",)
    assert (registry.promoted("captioner"), served(settings)) == ("v2", "one")
    assert [one.is_removed for one in registry.versions("captioner")] == [True, True, False, True, False]
    assert registry.version("captioner", "v4").metrics == {"test.cider_d": 0.5}
    assert registry.settle() == ()


def test_a_record_that_names_a_folder_elsewhere_is_refused(
    tmp_path: Path, settings: Settings, registry: FolderRegistry
):
    """A promotion is the name of a version."""
    trained(tmp_path, registry, "one")
    (settings.home / "registry" / "captioner" / "promotions.json").write_text('{"promotions": ["../../.."]}')
    with pytest.raises(InputError, match="is not the name of a version"):
        registry.promoted("captioner")


def test_the_installed_models_may_change(tmp_path: Path, settings: Settings, registry: FolderRegistry):
    """After an upgrade of the program, models that were not promoted are its newest ones."""
    registry.promote("captioner", trained(tmp_path, registry, "one").name)
    (settings.installed_models / "poet").mkdir()
    (settings.installed_models / "painter" / "weights").write_text("newer")
    registry.refresh()
    assert sorted(one.name for one in settings.models_folder.iterdir()) == ["captioner", "painter", "poet"]
    assert (served(settings, "painter"), served(settings)) == ("newer", "one")
