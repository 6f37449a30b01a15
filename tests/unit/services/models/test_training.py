"""Training and evaluation: recipes, data and folders."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.errors import BackendMissing, InputError, NotFound, UnknownName
from auria_bot.services.models import training
from auria_bot.settings.schema import Settings

if TYPE_CHECKING:
    from pathlib import Path


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
    with pytest.raises(UnknownName, match=r"known: poet, painter, captioner$"):
        training.recipe("stylist")


def test_the_data_are_the_argument_or_the_setting(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """Without either, the message says how to name them."""
    recipe(monkeypatch, evaluate=lambda **given: given)
    given = training.evaluate(settings.model_copy(update={"data": tmp_path}), "poet", data=None, folder=None)
    assert given == {"data": tmp_path, "model": tmp_path / "models" / "poet"}
    with pytest.raises(InputError, match="--data DIR"):
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


def test_training_completes_the_home_s_models_folder(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """The recipe gets data, folders and budget; the other models are copied beside the new one, once."""
    asked: dict[str, Any] = {}
    recipe(monkeypatch, train=lambda **given: asked.update(given) or {"perplexity": 12.5})
    (tmp_path / "home" / "models").mkdir(parents=True)
    for _ in range(2):
        done = training.train(settings, "poet", data=tmp_path, minutes=0.5, steps=None, target=None, log=print)
    assert (asked["data"], asked["minutes"], asked["steps"]) == (tmp_path, 0.5, None)
    assert done.path == asked["out"] == tmp_path / "home" / "models" / "poet"
    assert done.metrics == {"perplexity": 12.5}
    assert [path.name for path in (tmp_path / "home" / "models").iterdir()] == ["painter"]
    training.train(settings, "poet", data=tmp_path, minutes=None, steps=2, target=tmp_path / "out", log=print)
    assert not (tmp_path / "painter").exists()


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
    evaluation.evaluate = lambda *_, mode: Scores(mode)  # type: ignore[attr-defined]
    monkeypatch.setattr("auria_bot.art.evaluation.stylist", evaluation, raising=False)
    monkeypatch.setitem(sys.modules, "auria_bot.art.evaluation.stylist", evaluation)
    found = training.evaluate(settings, "stylist", data=tmp_path, folder=None)
    assert found == {"painterly": {"mode": "painterly"}, "photorealistic": {"mode": "photorealistic"}}
