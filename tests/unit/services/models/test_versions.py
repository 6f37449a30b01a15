"""The registry of models: versions, what is served, and the way back."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from auria_bot.art import checkpoint
from auria_bot.errors import InputError, InvalidTransition, ModelCorrupt, NotFound
from auria_bot.services.models.versions import INSTALLED, ModelRegistry, ModelVersion
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
def registry(settings: Settings) -> ModelRegistry:
    """An empty one."""
    return ModelRegistry(settings, clock=lambda: NOW)


def trained(tmp_path: Path, registry: ModelRegistry, content: str, score: float = 0.5) -> ModelVersion:
    """Register a captioner with this content."""
    folder = tmp_path / "trained"
    folder.mkdir(exist_ok=True)
    (folder / "weights").write_text(content)
    return registry.register("captioner", folder, metrics={"test": {"cider_d": score}, "name": "x"}, data="photographs")


def served(settings: Settings, model: str = "captioner") -> str:
    """The content that the roles would load."""
    return (settings.models_folder / model / "weights").read_text()


def test_a_version_is_served_from_its_promotion_on(tmp_path: Path, settings: Settings, registry: ModelRegistry):
    """Registering changes nothing; promoting and rolling back change the folder of models in force, other models stay."""
    assert (registry.promoted("captioner"), registry.models()) == (INSTALLED, ())
    first, second = trained(tmp_path, registry, "one"), trained(tmp_path, registry, "two", 0.6)
    assert (first.name, second.name, served(settings)) == ("v1", "v2", "installed")
    assert settings.models_folder == settings.installed_models
    for name, content in (("v1", "one"), ("v2", "two")):
        assert registry.promote("captioner", name).is_promoted
        assert (served(settings), served(settings, "painter")) == (content, "installed")
    assert registry.rollback("captioner").name == "v1"
    assert served(settings) == "one"
    assert registry.rollback("captioner").name == INSTALLED
    assert served(settings) == "installed"
    with pytest.raises(InvalidTransition, match="installed one is in force"):
        registry.rollback("captioner")
    assert registry.models() == ("captioner",)


def test_what_is_known_of_a_version(tmp_path: Path, registry: ModelRegistry):
    """Its figures, hash, data and time; two versions are compared by every figure that either has."""
    trained(tmp_path, registry, "one", 0.5)
    trained(tmp_path, registry, "two", 0.6)
    newest, older, installed = registry.versions("captioner")
    assert (newest.name, older.name, installed.name) == ("v2", "v1", INSTALLED)
    assert (newest.metrics, newest.data, newest.registered_at) == ({"test.cider_d": 0.6}, "photographs", NOW)
    assert len({newest.sha256, older.sha256, installed.sha256}) == 3
    assert json.loads(json.dumps(newest.to_json()))["registered_at"] == NOW.isoformat()
    assert registry.compare("captioner", "v1", "v2") == {"test.cider_d": (0.5, 0.6)}
    assert registry.compare("captioner", "v1", INSTALLED) == {"test.cider_d": (0.5, None)}


def test_a_removed_version_is_remembered_by_its_hash(tmp_path: Path, registry: ModelRegistry):
    """What is in force cannot be removed; of what is removed, hash and figures stay and its number is not given again."""
    first = trained(tmp_path, registry, "one")
    registry.promote("captioner", "v1")
    with pytest.raises(InvalidTransition, match="promote another"):
        registry.remove("captioner", "v1")
    registry.rollback("captioner")
    assert registry.remove("captioner", "v1").is_removed
    assert registry.version("captioner", "v1").sha256 == first.sha256
    with pytest.raises(NotFound, match="no files"):
        registry.promote("captioner", "v1")
    assert trained(tmp_path, registry, "three").name == "v2"
    with pytest.raises(InputError, match="belongs to the program"):
        registry.remove("captioner", INSTALLED)


def test_a_rollback_passes_over_what_was_removed(tmp_path: Path, settings: Settings, registry: ModelRegistry):
    """The versions before a removed one can still be returned to."""
    for content in ("one", "two", "three"):
        registry.promote("captioner", trained(tmp_path, registry, content).name)
    registry.remove("captioner", "v2")
    assert registry.rollback("captioner").name == "v1"
    assert served(settings) == "one"


@pytest.mark.parametrize(
    ("model", "name"), [("captioner", "v9"), ("captioner", "../v1"), ("../x", "v1"), ("served", "v1")]
)
def test_unknown_names_are_refused(tmp_path: Path, registry: ModelRegistry, model: str, name: str):
    """No such version, and nothing outside the registry."""
    trained(tmp_path, registry, "one")
    with pytest.raises(NotFound):
        registry.promote(model, name)


def test_a_damaged_version_is_not_promoted(tmp_path: Path, settings: Settings, registry: ModelRegistry):
    """Its files must match their checksums."""
    version = trained(tmp_path, registry, "one")
    (registry.folder("captioner", version.name) / "weights").write_text("changed")
    with pytest.raises(ModelCorrupt):
        registry.promote("captioner", version.name)
    assert served(settings) == "installed"


def test_a_version_that_is_removed_while_it_is_verified_is_not_promoted(
    tmp_path: Path, settings: Settings, registry: ModelRegistry, monkeypatch: pytest.MonkeyPatch
):
    """What is in force stays."""
    name = trained(tmp_path, registry, "one").name
    monkeypatch.setattr(checkpoint, "verify", lambda _: registry.remove("captioner", name).sha256)
    with pytest.raises(NotFound, match="no files"):
        registry.promote("captioner", name)
    assert registry.promoted("captioner") == INSTALLED
    assert served(settings) == "installed"


def test_of_two_that_promote_at_once_one_wins(tmp_path: Path, settings: Settings, registry: ModelRegistry):
    """Each names the version that it was compared with; the second is told that another was promoted meanwhile."""
    names = [trained(tmp_path, registry, content).name for content in ("one", "two", "three", "four")]
    results: list[str] = []

    def promote(name: str) -> None:
        try:
            own = ModelRegistry(settings, clock=lambda: NOW)
            results.append(own.promote("captioner", name, instead_of=INSTALLED).name)
        except InvalidTransition as error:
            results.append(str(error))

    threads = [threading.Thread(target=promote, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [result for result in results if result in names]
    assert len(winners) == 1
    assert registry.promoted("captioner") == winners[0]
    assert sum("compare with it first" in result for result in results) == 3


def test_the_installed_models_may_change(tmp_path: Path, settings: Settings, registry: ModelRegistry):
    """After an upgrade of the program, models that were not promoted are its newest ones."""
    registry.promote("captioner", trained(tmp_path, registry, "one").name)
    (settings.installed_models / "poet").mkdir()
    (settings.installed_models / "painter" / "weights").write_text("newer")
    registry.refresh()
    assert sorted(one.name for one in settings.models_folder.iterdir()) == ["captioner", "painter", "poet"]
    assert (served(settings, "painter"), served(settings)) == ("newer", "one")
