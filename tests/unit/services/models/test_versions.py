"""What every registry of models does: in a folder, and on an MLflow server (a stand-in here, the real one in tests/live)."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import InputError, InvalidTransition, NotFound
from auria_bot.services.models.experiments import ExperimentLog
from auria_bot.services.models.folder_registry import FolderRegistry
from auria_bot.services.models.mlflow.client import MlflowClient
from auria_bot.services.models.mlflow.registry import MlflowRegistry
from auria_bot.services.models.versions import INSTALLED, ModelRegistry, ModelVersion, compared
from auria_bot.settings.schema import Settings
from tests.factories import NOW
from tests.platforms.mlflow import MlflowStandIn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a registry is, and a machine that uses it."""

    tmp_path: Path
    address: str = ""  # of a server; "" for a folder

    def settings(self, machine: str = "a") -> Settings:
        """A machine with an installed captioner and painter; those of a folder share the home."""
        models = self.tmp_path / "models"
        for name in ("captioner", "painter"):
            (models / name).mkdir(parents=True, exist_ok=True)
            (models / name / "weights").write_text("installed")
        return Settings(home=self.tmp_path / (machine if self.address else "home"), models=models)

    def registry(self, machine: str = "a") -> ModelRegistry:
        """The registry as a machine sees it."""
        settings = self.settings(machine)
        if not self.address:
            return FolderRegistry(settings, clock=lambda: NOW)
        return MlflowRegistry(
            client=MlflowClient(self.address),
            copy=FolderRegistry(settings, clock=lambda: NOW, copy_of="mlflow"),
            experiments=ExperimentLog(settings.home, clock=lambda: NOW),
            every=0.0,
        )

    def trained(self, content: str, score: float = 0.5, machine: str = "a") -> ModelVersion:
        """Register a captioner with this content."""
        folder = self.tmp_path / "trained"
        (folder / "sub").mkdir(parents=True, exist_ok=True)
        (folder / "weights").write_text(content)
        (folder / "sub" / "words.txt").write_text("sea")
        figures = {"test": {"cider_d": score}, "name": "x"}
        return self.registry(machine).register("captioner", folder, metrics=figures, data="photographs")

    def served(self, model: str = "captioner", machine: str = "a") -> str:
        """The content that the roles would load on a machine."""
        return (self.settings(machine).models_folder / model / "weights").read_text()


@pytest.fixture(params=["folder", "mlflow"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty registry of each kind."""
    with ExitStack() as stack:
        address = stack.enter_context(MlflowStandIn()).address if request.param == "mlflow" else ""
        yield Place(tmp_path=tmp_path, address=address)


def test_a_version_is_served_from_its_promotion_on(place: Place):
    """Registering changes nothing; promoting and rolling back change the folder of models in force, other models stay."""
    registry = place.registry()
    assert (registry.promoted("captioner"), registry.models()) == (INSTALLED, ())
    first, second = place.trained("one"), place.trained("two", 0.6)
    assert (first.name, second.name, place.served()) == ("v1", "v2", "installed")
    for name, content in (("v1", "one"), ("v2", "two")):
        assert registry.promote("captioner", name).is_promoted
        assert (place.served(), place.served("painter")) == (content, "installed")
    assert registry.rollback("captioner").name == "v1"
    assert place.served() == "one"
    assert registry.rollback("captioner").name == INSTALLED
    assert place.served() == "installed"
    with pytest.raises(InvalidTransition, match="installed one is in force"):
        registry.rollback("captioner")
    assert registry.models() == ("captioner",)


def test_what_is_in_force_may_be_promoted_again(place: Place):
    """Nothing changes by it; the installed model can be promoted like the others, and be rolled back from."""
    registry = place.registry()
    for content in ("one", "two"):
        registry.promote("captioner", place.trained(content).name)
    assert registry.promote("captioner", "v2").is_promoted
    assert registry.rollback("captioner").name == "v1"
    assert registry.promote("captioner", INSTALLED).is_promoted
    assert place.served() == "installed"
    assert registry.rollback("captioner").name == "v1"
    assert place.served() == "one"


def test_what_is_known_of_a_version(place: Place):
    """Its figures, hash, data and time; two versions are compared by every figure that either has."""
    place.trained("one", 0.5)
    place.trained("two", 0.6)
    registry = place.registry()
    newest, older, installed = registry.versions("captioner")
    assert (newest.name, older.name, installed.name) == ("v2", "v1", INSTALLED)
    assert (newest.metrics, newest.data, newest.registered_at) == ({"test.cider_d": 0.6}, "photographs", NOW)
    assert len({newest.sha256, older.sha256, installed.sha256}) == 3
    assert json.loads(json.dumps(newest.to_json()))["registered_at"] == NOW.isoformat()
    assert compared(older.metrics, newest.metrics) == {"test.cider_d": (0.5, 0.6)}
    assert compared(older.metrics, installed.metrics) == {"test.cider_d": (0.5, None)}


def test_a_removed_version_is_remembered_by_its_hash(place: Place):
    """What is in force cannot be removed; of what is removed, hash and figures stay and its number is not given again."""
    first, registry = place.trained("one"), place.registry()
    registry.promote("captioner", "v1")
    with pytest.raises(InvalidTransition, match="promote another"):
        registry.remove("captioner", "v1")
    registry.rollback("captioner")
    assert registry.remove("captioner", "v1").is_removed
    known = registry.version("captioner", "v1")
    assert (known.sha256, known.is_removed) == (first.sha256, True)
    with pytest.raises(NotFound, match="no files"):
        registry.promote("captioner", "v1")
    assert place.trained("three").name == "v2"
    with pytest.raises(InputError, match="belongs to the program"):
        registry.remove("captioner", INSTALLED)


def test_a_rollback_passes_over_what_was_removed(place: Place):
    """The versions before a removed one can still be returned to."""
    registry = place.registry()
    for content in ("one", "two", "three"):
        registry.promote("captioner", place.trained(content).name)
    registry.remove("captioner", "v2")
    assert registry.rollback("captioner").name == "v1"
    assert place.served() == "one"


@pytest.mark.parametrize(
    ("model", "name"), [("captioner", "v9"), ("captioner", "../v1"), ("../x", "v1"), ("served", "v1")]
)
def test_unknown_names_are_refused(place: Place, model: str, name: str):
    """No such version, and nothing outside the registry."""
    place.trained("one")
    with pytest.raises(NotFound):
        place.registry().promote(model, name)


def test_of_two_that_promote_at_once_one_wins(place: Place):
    """Each names the version that it was compared with; the others are told that another was promoted meanwhile."""
    names = [place.trained(content).name for content in ("one", "two", "three", "four")]
    results: list[str] = []

    def promote(name: str) -> None:
        try:
            own = place.registry(name)
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
    assert place.registry().promoted("captioner") == winners[0]
    assert sum("compare with it first" in result for result in results) == 3


def test_another_machine_serves_what_was_promoted(place: Place):
    """With the same bytes, and it sees the same versions; where it had another installed model, that stays its own."""
    place.trained("one")
    place.registry().promote("captioner", "v1")
    other = place.registry("b")
    other.refresh()
    assert (place.served(machine="b"), other.promoted("captioner")) == ("one", "v1")
    assert other.version("captioner", "v1") == place.registry().version("captioner", "v1")
    other.rollback("captioner")
    assert place.registry().promoted("captioner") == INSTALLED
    assert place.served() == "installed"


@pytest.mark.parametrize("name", ["v0", "installed", "../v1", "v1 "])
def test_a_record_of_something_else_is_not_read(name: str):
    """The name of a version is that of a folder."""
    record = ModelVersion(model="captioner", name="v1", metrics={}).to_json()
    assert ModelVersion.from_json(record).name == "v1"
    with pytest.raises(ValueError, match="is not the name of a version"):
        ModelVersion.from_json({**record, "name": name})
