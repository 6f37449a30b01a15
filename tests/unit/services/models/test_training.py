"""Training and evaluation: recipes, data and folders."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from inspect import signature
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.corpus.item import from_row
from auria_bot.corpus.sources.rows import Row
from auria_bot.corpus.verses import CorpusVersion
from auria_bot.errors import BackendMissing, InputError, NotFound, UnknownName
from auria_bot.services.models import training
from auria_bot.services.models.experiments import ExperimentLog
from auria_bot.services.models.folder_registry import FolderRegistry
from auria_bot.services.models.trainer import Trainer
from auria_bot.services.models.training import PoetRetrainer, RetrainingResult, growth, share_of
from auria_bot.settings.schema import Settings
from tests.applications import fake_application
from tests.factories import NOW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home beside a folder with another model."""
    (tmp_path / "models" / "painter").mkdir(parents=True)
    (tmp_path / "models" / "README").touch()
    return Settings(home=tmp_path / "home", models=tmp_path / "models")


def recipe(monkeypatch: pytest.MonkeyPatch, name: str = "auria_bot.art.training.poet.train", **functions: Any) -> None:
    """Put a module with these functions in the place of a recipe."""
    module = ModuleType(name)
    for key, function in functions.items():
        setattr(module, key, function)
    monkeypatch.setitem(sys.modules, name, module)


def test_an_unknown_model_is_answered_with_the_known_ones():
    """The stylist is evaluated but not trained."""
    with pytest.raises(UnknownName, match=r"known: poet, painter, captioner, haiku-lm, film, style$"):
        training.recipe("stylist")


def test_an_unknown_model_is_named_before_missing_data(settings: Settings):
    """Else the operator looks for data that no command needs."""
    with pytest.raises(UnknownName, match=r"'painting' here; known: poet.*, stylist, film-NAME$"):
        training.evaluate(settings, "painting", data=None, folder=None)


def test_the_data_are_the_argument_or_the_setting(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """Without either, the message says how to name them."""
    recipe(monkeypatch, evaluate=lambda **given: given)
    given = training.evaluate(settings.model_copy(update={"data": tmp_path}), "poet", data=None, folder=None)
    assert given == {"data": tmp_path, "model": tmp_path / "models" / "poet"}
    with pytest.raises(InputError, match="auria evaluate poet --data DIR"):
        training.evaluate(settings, "poet", data=None, folder=None)
    with pytest.raises(NotFound, match="not a folder"):
        training.evaluate(settings, "poet", data=tmp_path / "nowhere", folder=None)


def test_a_model_without_evaluation_in_its_recipe_has_a_module_of_its_own(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """It is found under art.evaluation."""
    recipe(monkeypatch)
    recipe(monkeypatch, "auria_bot.art.evaluation.poet", evaluate=lambda **_: {"perplexity": 1.0})
    assert training.evaluate(settings, "poet", data=tmp_path, folder=tmp_path) == {"perplexity": 1.0}


def test_two_models_are_compared_by_every_figure_that_either_has(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """None stands for one that the other lacks."""
    figures = {"one": {"loss": 0.5, "old": 1}, "two": {"loss": 0.25, "test": {"new": 2}}}
    recipe(monkeypatch, evaluate=lambda *, data, model: figures[model.name])
    found = training.evaluate_two(settings, "poet", [tmp_path / "one", tmp_path / "two"], data=tmp_path)
    assert found == {"loss": (0.5, 0.25), "old": (1, None), "test.new": (None, 2)}


def test_ratings_are_trained_with_by_a_module_of_their_own(monkeypatch: pytest.MonkeyPatch):
    """Beside the captioner's recipe."""
    recipe(monkeypatch, "auria_bot.art.training.captioner.ratings", tune="tune")
    assert training.captioner_ratings().tune == "tune"


def test_a_training_registers_a_version(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """The recipe gets data, folders and budget; the result is a version that nothing serves yet, or the named folder."""
    asked: dict[str, Any] = {}

    def train(**given: Any) -> dict[str, float]:
        asked.update(given)
        given["out"].mkdir(parents=True, exist_ok=True)
        (given["out"] / "weights").write_text("new")
        return {"perplexity": 12.5}

    recipe(monkeypatch, train=train)
    options: dict[str, Any] = {
        "home": settings.home,
        "registry": FolderRegistry(settings, clock=lambda: NOW),
        "experiments": ExperimentLog(settings.home, clock=lambda: NOW),
        "log": print,
    }
    done = training.train(settings, "poet", Trainer(**options, minutes=0.5), data=tmp_path)
    assert (asked["data"], asked["minutes"], asked["steps"]) == (tmp_path, 0.5, None)
    assert asked["out"] == tmp_path / "home" / "train" / "poet" / "model"
    assert (done.path / "weights").read_text() == "new"
    assert (done.version, done.metrics) == ("v1", {"perplexity": 12.5})
    assert options["registry"].promoted("poet") == "installed"
    done = training.train(settings, "poet", Trainer(**options, steps=2, target=tmp_path / "out"), data=tmp_path)
    assert (done.path, done.version, len(options["registry"].versions("poet"))) == (tmp_path / "out", "", 1)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch):
    """With the command that installs it; a missing module of auria_bot is a fault of its own."""

    def missing(name: str) -> Any:
        def fail(_: str) -> Any:
            raise ModuleNotFoundError(name=name)

        return fail

    monkeypatch.setattr(training, "import_module", missing("torch"))
    with pytest.raises(BackendMissing, match=r"'torch'; try: pip install 'auria-bot\[torch\]'"):
        training.recipe("poet")
    monkeypatch.setattr(training, "import_module", missing("auria_bot.art.nets"))
    with pytest.raises(ModuleNotFoundError):
        training.comparison()


def test_recipes_and_comparison_are_modules_of_this_program() -> None:
    """Each has the functions that are called of it, with the arguments that are given."""
    pytest.importorskip("torch")
    for model in training.TRAINED:
        if model == "haiku-lm":
            pytest.importorskip("transformers")
        given = {"data", "folder", "out", "minutes", "steps", "limit", "log"}
        assert given <= set(signature(training.recipe(model).train).parameters)
    assert set(signature(training.comparison().compare).parameters) == {"data", "candidate", "incumbent"}


def test_the_stylist_is_evaluated_in_both_modes(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """Over the same pictures, with the models of one folder."""
    from dataclasses import dataclass

    @dataclass
    class Scores:
        mode: str

    class Model:
        Config = dict

        def __init__(self, *_: Any) -> None:
            """Load nothing."""

    for name, attributes in {
        "auria_bot.art.real_esrgan": {"RealEsrgan": Model},
        "auria_bot.art.stylists.magenta": {"Magenta": Model},
    }.items():
        recipe(monkeypatch, name, **attributes)
    evaluation = ModuleType("stylist")
    evaluation.pictures_of = lambda data, count: [data] * count  # type: ignore[attr-defined]
    evaluation.evaluate = lambda *_, mode, log: log(mode) or Scores(mode)  # type: ignore[attr-defined]
    monkeypatch.setattr("auria_bot.art.evaluation.stylist", evaluation, raising=False)
    monkeypatch.setitem(sys.modules, "auria_bot.art.evaluation.stylist", evaluation)
    told: list[str] = []
    found = training.evaluate(settings, "stylist", data=tmp_path, folder=None, log=told.append)
    assert told == ["painterly", "photorealistic"]
    assert found == {"painterly": {"mode": "painterly"}, "photorealistic": {"mode": "photorealistic"}}


EDITION = CorpusVersion(name="v2", made_at=NOW, verses=110, sha256="ab", settings={})


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """An application with a poet in service and a version of the corpus."""
    with closing(fake_application(tmp_path / "home")) as opened:
        (opened.settings.models_folder / "poet").mkdir(parents=True)
        (opened.settings.models_folder / "poet" / "weights").write_text("old")
        with opened.store.begin() as unit:
            unit.verses.add(
                [from_row(Row(text="an old silent pond/a frog jumps into the pond/splash! silence again"), origin="f")]
            )
        opened.version_builder.make()
        yield opened


def fake_recipe(asked: dict[str, Any]) -> Any:
    """A recipe that writes a model at once."""

    def train(**given: Any) -> dict[str, Any]:
        asked.update(given)
        given["out"].mkdir(parents=True, exist_ok=True)
        (given["out"] / "weights").write_text("new")
        return {}

    return SimpleNamespace(train=train)


def judge(*, better: bool) -> Any:
    """A judge with a settled opinion."""
    return SimpleNamespace(
        compare=lambda **_: SimpleNamespace(
            better=better, candidate=10.0, incumbent=20.0, poems=3, candidate_fit=0.5, incumbent_fit=0.5
        )
    )


def retrain(
    application: Application,
    version: str,
    *,
    recipe: Any = None,
    comparison: Any = None,
    data: Path | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    least: float | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> RetrainingResult:
    """Retrain with stand-ins for training and comparison."""
    retrainer = PoetRetrainer(
        settings=application.settings,
        versions=application.version_builder,
        registry=application.model_registry,
        experiments=application.experiments,
        recipe=recipe,
        comparison=comparison,
        report=report,
    )
    return retrainer.retrain(version, data=data, minutes=minutes, steps=steps, least=least)


@pytest.mark.parametrize("better", [True, False])
def test_only_the_better_one_takes_the_place(application: Application, tmp_path: Path, better: bool):
    """The worse model is set aside; the card names the version, and other verse is read with it."""
    (tmp_path / "pd_poetry.jsonl.zst").write_bytes(b"verse")
    asked: dict[str, Any] = {}
    done = retrain(
        application,
        "newest",
        recipe=fake_recipe(asked),
        comparison=judge(better=better),
        data=tmp_path,
        minutes=1.0,
        steps=5,
    )
    name = application.version_builder.find().name
    assert (done.corpus, done.trained, done.replaced) == (name, True, better)
    assert asked["corpus"] == {"name": name, "verses": 1, "sha256": application.version_builder.find().sha256}
    assert sorted(path.name for path in asked["data"].iterdir()) == ["haiku.jsonl.zst", "pd_poetry.jsonl.zst"]
    models = application.settings.models_folder
    assert (models / "poet" / "weights").read_text() == ("new" if better else "old")
    (made, _) = application.model_registry.versions("poet")
    assert (made.name, made.is_promoted, made.metrics["candidate"]) == ("v1", better, 10.0)
    again = retrain(application, "newest", recipe=fake_recipe({}), comparison=judge(better=better), least=0.1)
    assert (again.trained, again.figures) == (False, {"grown": 0.0})


def test_a_training_that_was_cut_by_its_limit_goes_on_the_next_time(application: Application):
    """Until it is finished, the version does not count as tried, in service or not."""
    steps = {"steps": 3, "of": 5}

    def train(**given: Any) -> dict[str, Any]:
        given["out"].mkdir(parents=True, exist_ok=True)
        config = {"training": {**steps, "corpus": given["corpus"]}}
        (given["out"] / "config.json").write_text(json.dumps(config))
        return {}

    recipe = SimpleNamespace(train=train)
    again = [
        retrain(application, "newest", recipe=recipe, comparison=judge(better=better), least=0.1).trained
        for better in (False, True, True)
    ]
    assert again == [True, True, True]
    steps["steps"] = 5
    assert retrain(application, "newest", recipe=recipe, comparison=judge(better=True), least=0.1).trained
    assert not retrain(application, "newest", recipe=recipe, comparison=judge(better=True), least=0.1).trained


def test_growth_is_measured_from_the_last_version_trained_on(tmp_path: Path):
    """Growth counts from the last version trained on, in service or not; None where none is known."""
    assert growth(tmp_path, tmp_path, EDITION) is None
    (tmp_path / "config.json").write_text(json.dumps({"training": {"corpus": {"name": "v1", "verses": 80}}}))
    assert growth(tmp_path, tmp_path, EDITION) == pytest.approx(110 / 80 - 1)
    (tmp_path / "tried.json").write_text(json.dumps({"name": "v1", "verses": 100}))
    assert growth(tmp_path, tmp_path, EDITION) == pytest.approx(0.1)
    (tmp_path / "tried.json").write_text(json.dumps({"name": "v2", "verses": 110}))
    assert growth(tmp_path, tmp_path, EDITION) == 0.0
    (tmp_path / "config.json").write_text("[]")
    (tmp_path / "tried.json").write_text("{")
    assert growth(tmp_path, tmp_path, EDITION) is None


@pytest.mark.parametrize(("text", "share"), [("10%", 0.1), ("0.1", 0.1), (" 5.5 % ", 0.055), ("200%", 2.0)])
def test_shares_are_read(text: str, share: float):
    """In per cent or as a fraction."""
    assert share_of(text) == pytest.approx(share)


def test_slips_are_told(application: Application):
    """No share, no such version."""
    with pytest.raises(InputError, match="10%"):
        share_of("much")
    with pytest.raises(NotFound, match="known"):
        retrain(application, "v9")


def test_what_came_with_the_program_is_never_changed(
    application: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The better one is a version in the home, and served beside the other models."""
    monkeypatch.setattr("auria_bot.settings.schema.shipped", lambda _name: application.settings.installed_models)
    (application.settings.models_folder / "painter").mkdir()
    shipped = application.settings.installed_models
    done = retrain(application, "", recipe=fake_recipe({}), comparison=judge(better=True), least=0.5)
    assert done.to_json()["path"] == str(application.settings.home / "registry" / "poet" / "v1" / "files")
    served = application.settings.models_folder
    assert served != shipped
    assert (served / "poet" / "weights").read_text() == "new"
    assert (served / "painter").is_dir()
    assert (shipped / "poet" / "weights").read_text() == "old"
