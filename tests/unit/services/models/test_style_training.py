"""Training the network of one painting: names, folders and versions."""

from __future__ import annotations

import shutil
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.errors import BackendMissing, InputError, NotFound
from auria_bot.services.models import style_training, training
from auria_bot.services.models.experiments import ExperimentLog
from auria_bot.services.models.folder_registry import FolderRegistry
from auria_bot.services.models.style_training import train_style
from auria_bot.services.models.trainer import Trainer
from auria_bot.settings.schema import Settings
from tests.factories import NOW
from tests.style_networks import MODELS, write_inverting_network

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the recipe was called with; in its place one that trains nothing."""
    pytest.importorskip("onnx")
    given: dict[str, Any] = {}

    def train(**options: Any) -> dict[str, float]:
        given.update(options)
        made = write_inverting_network(options["folder"] / "made", options["name"])
        shutil.copytree(made, options["out"], dirs_exist_ok=True)
        shutil.rmtree(options["folder"] / "made")
        return {"sample_style": 0.5}

    recipe = ModuleType("auria_bot.art.training.style.train")
    recipe.train, recipe.StyleSettings = train, SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, recipe.__name__, recipe)
    return given


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home beside the shipped style bank, and a picture."""
    (tmp_path / "models").mkdir()
    for name in ("stylist", "styles"):
        (tmp_path / "models" / name).symlink_to(MODELS / name, target_is_directory=True)
    (tmp_path / "The Harbour.png").touch()
    return Settings(home=tmp_path / "home", models=tmp_path / "models")


def trained(settings: Settings, tmp_path: Path, **options: Any) -> style_training.TrainedStyle:
    """Train with the defaults of the command."""
    given = {"name": None, "content": tmp_path, "style_weight": None} | options
    how = {name: given.pop(name) for name in ("minutes", "target", "is_trial") if name in given}
    registry = FolderRegistry(settings, clock=lambda: NOW)
    records = ExperimentLog(settings.home, clock=lambda: NOW)
    trainer = Trainer(home=settings.home, registry=registry, experiments=records, log=print, **how)
    return train_style(settings, tmp_path / "The Harbour.png", trainer=trainer, **given)


def test_the_first_version_is_in_service_at_once(asked: dict[str, Any], settings: Settings, tmp_path: Path):
    """Under the painting's title; a later one is not."""
    done = trained(settings, tmp_path, minutes=2.0, style_weight=5.0)
    assert (done.style, done.model, done.trained.version, done.is_promoted) == (
        "the-harbour",
        "style-the-harbour",
        "v1",
        True,
    )
    assert (asked["settings"].style_weight, asked["minutes"], asked["content"]) == (5.0, 2.0, tmp_path)
    assert asked["painting"].title == "The Harbour"
    assert (settings.models_folder / "style-the-harbour" / "model.onnx").is_file()
    again = trained(settings, tmp_path)
    assert (again.trained.version, again.is_promoted) == ("v2", False)


def test_a_named_folder_takes_the_place_of_the_registry(asked: dict[str, Any], settings: Settings, tmp_path: Path):
    """Nothing is registered then."""
    done = trained(settings, tmp_path, name="My Harbour!", target=tmp_path / "out")
    assert (done.style, done.trained.version, done.is_promoted) == ("my-harbour", "", False)
    assert (tmp_path / "out" / "model.onnx").is_file()
    assert asked["name"] == "my-harbour"


def test_a_trial_puts_no_style_in_service(asked: dict[str, Any], settings: Settings, tmp_path: Path):
    """The first one neither."""
    done = trained(settings, tmp_path, is_trial=True)
    assert (done.is_promoted, done.trained.is_trial, asked["limit"] > 0) == (False, True, True)
    assert not (settings.home / "registry").exists()


@pytest.mark.usefixtures("asked")
def test_what_cannot_be_trained_is_refused(settings: Settings, tmp_path: Path):
    """A name that the style bank has, a picture that is not there, and no photographs."""
    with pytest.raises(InputError, match="give another name"):
        trained(settings, tmp_path, name="Vincent van Gogh Irises")
    with pytest.raises(InputError, match="--data DIR"):
        trained(settings, tmp_path, content=None)
    (tmp_path / "The Harbour.png").unlink()
    with pytest.raises(NotFound, match="picture of a painting"):
        trained(settings, tmp_path)


def test_a_missing_package_is_named(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With the command that installs it."""

    def missing(_: str) -> Any:
        raise ModuleNotFoundError(name="torch")

    monkeypatch.setattr(training, "import_module", missing)
    with pytest.raises(BackendMissing, match=r"'torch'; try: pip install 'auria-bot\[torch\]'"):
        trained(settings, tmp_path)
