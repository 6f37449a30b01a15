"""Tests of auria_bot.services.footage.film_training."""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from auria_bot.art import evaluation
from auria_bot.art.training import film as recipes
from auria_bot.errors import InputError, ModelCorrupt, NotFound
from auria_bot.services.footage.film_training import (
    earlier_film_model,
    evaluate_film,
    film_model,
    footage_folder,
    frame_size,
    parsed_size,
    plan_film,
    train_film,
)
from auria_bot.services.footage.library import Footage, FootageLibrary
from auria_bot.services.models import training
from auria_bot.settings.schema import Settings
from tests.unit.services.models.test_trainer import make_trainer


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What recipe, evaluation and plan were called with; in their place what trains and measures nothing."""
    given: dict[str, Any] = {}

    def train(**options: Any) -> dict[str, float]:
        given.update(options)
        options["out"].mkdir(parents=True)
        (options["out"] / "config.json").write_text("{}")
        return {"distance": 0.5}

    def evaluate(**options: Any) -> dict[str, float]:
        given.update(options)
        return {"distance": 0.5}

    film = SimpleNamespace(train=train, settings_of_size=lambda height, width: f"{width} wide, {height} high")
    monkeypatch.setattr(training, "recipe", {"film": film}.__getitem__)
    monkeypatch.setattr(evaluation, "film", SimpleNamespace(evaluate=evaluate), raising=False)
    plan = SimpleNamespace(SIZES=((64, 64), (128, 72)), plan=lambda sizes, log: list(sizes))
    monkeypatch.setattr(recipes, "plan", plan, raising=False)
    return given


@pytest.mark.parametrize(
    ("folder", "model"),
    [
        ("waves", "film-waves"),
        ("North Sea (2)", "film-north-sea-2"),
        ("海", "film-footage"),
        ("x" * 60, f"film-{'x' * 48}"),
    ],
)
def test_a_model_is_named_after_its_footage(tmp_path: Path, folder: str, model: str) -> None:
    """In letters, digits and hyphens, as the registry wants them."""
    assert film_model(Path(folder), tmp_path) == model


@pytest.mark.usefixtures("asked")
def test_footage_of_nearly_the_same_name_has_a_model_of_its_own(tmp_path: Path) -> None:
    """The one that was trained first keeps the plain name, and no training goes on with the other's frames."""
    for name in ("baltic_waves", "baltic-waves"):
        train_film(tmp_path / name, make_trainer(tmp_path / "home"), size=(112, 64))
    names = [
        film_model(tmp_path / name, tmp_path / "home") for name in ("baltic_waves", "baltic-waves", "Baltic_Waves")
    ]
    assert names[0] == "film-baltic-waves"
    assert len(set(names)) == 3
    assert all(re.fullmatch("film-baltic-waves-[0-9a-f]{8}", name) for name in names[1:])
    assert len(list((tmp_path / "home" / "train").iterdir())) == 2


@pytest.mark.usefixtures("asked")
def test_the_model_of_a_long_name_stays_as_short_with_a_digest(tmp_path: Path) -> None:
    """As long as a plain name may be."""
    train_film(tmp_path / ("x" * 60), make_trainer(tmp_path / "home"), size=(112, 64))
    name = film_model(tmp_path / ("x" * 61), tmp_path / "home")
    assert re.fullmatch(f"film-{'x' * 39}-[0-9a-f]{{8}}", name)


@pytest.mark.usefixtures("asked")
def test_a_folder_whose_name_is_not_utf8_is_trained_on(tmp_path: Path) -> None:
    """As old archives hold; the next training is of the same model, and another such folder has another."""
    one, other = (tmp_path / os.fsdecode(name) for name in (b"mer-\xe9", b"mer-\xe8"))
    one.mkdir()
    (one / os.fsdecode(b"\xe9t\xe9.mp4")).write_bytes(b"x")
    train_film(one, make_trainer(tmp_path / "home"), size=(112, 64))
    assert film_model(one, tmp_path / "home") == "film-mer"
    assert film_model(other, tmp_path / "home") != "film-mer"


def test_footage_is_a_set_or_a_folder(tmp_path: Path) -> None:
    """What has a slash or begins with a dot is a folder; anything else the name of a set."""
    library = FootageLibrary(tmp_path)
    library.save(Footage(name="waves", width=64, height=64, shape="square"))
    assert footage_folder(library, "waves") == tmp_path / "footage" / "waves"
    assert footage_folder(library, str(tmp_path)) == tmp_path
    with pytest.raises(NotFound):
        footage_folder(library, "storms")
    with pytest.raises(NotFound, match="no folder"):
        footage_folder(library, "./storms")


@pytest.mark.parametrize("text", ["112", "112x", "16x16", "112x64x3", "9999x64", "-64x64"])
def test_a_size_is_width_and_height(text: str) -> None:
    """Within what a model can have; anything else is refused."""
    assert parsed_size("112x64") == (112, 64)
    with pytest.raises(InputError, match="width and height"):
        parsed_size(text)


def test_a_training_is_one_of_its_size(asked: dict[str, Any], tmp_path: Path) -> None:
    """Another size is another training of the same model; the page of its figures is named."""
    told: list[str] = []
    trainer = make_trainer(tmp_path / "home", target=tmp_path / "out", log=told.append)
    done = train_film(tmp_path / "waves", trainer, size=(112, 64))
    assert (done.path, done.metrics) == (tmp_path / "out", {"distance": 0.5})
    assert (asked["data"], asked["settings"]) == (tmp_path / "waves", "112 wide, 64 high")
    place = tmp_path / "home" / "train" / "film-waves" / "112x64"
    assert asked["folder"] == place
    assert f"{place / 'training.html'}; Ctrl-C saves and stops" in told[0]


def test_a_training_begins_with_a_model(asked: dict[str, Any], tmp_path: Path) -> None:
    """Named with or without film-, or by its folder; its frames give the size."""
    folder = tmp_path / "models" / "film-waves"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"film": {"width": 96, "height": 54}}')
    for name in ("waves", "film-waves", str(folder)):
        assert earlier_film_model(tmp_path / "models", name) == folder
    assert frame_size(folder) == "96x54"
    train_film(tmp_path / "waves", make_trainer(tmp_path / "home"), size=(96, 54), earlier=folder)
    assert asked["earlier"] == folder
    record = next((tmp_path / "home" / "experiments").rglob("*.json")).read_text()
    assert '"from": "film-waves"' in record
    told: list[str] = []
    (tmp_path / "home" / "train" / "film-waves" / "96x54" / "latest.json").write_text("{}")
    again = make_trainer(tmp_path / "home", log=told.append, target=tmp_path / "out")
    train_film(tmp_path / "waves", again, size=(96, 54), earlier=folder)
    assert any("goes on from where it stopped, not from film-waves" in line for line in told)


@pytest.mark.parametrize("name", ["storms", "./storms", "../film-waves"])
def test_a_model_that_is_not_there_begins_nothing(tmp_path: Path, name: str) -> None:
    """It is named."""
    with pytest.raises(NotFound, match=f"no film model {name}"):
        earlier_film_model(tmp_path / "models", name)


def test_a_folder_of_another_model_has_no_frames(tmp_path: Path) -> None:
    """Its config says nothing of a film."""
    (tmp_path / "config.json").write_text('{"name": "poet"}')
    with pytest.raises(ModelCorrupt, match="not that of a film model"):
        frame_size(tmp_path)


def test_a_trial_has_no_page_to_look_at(asked: dict[str, Any], tmp_path: Path) -> None:
    """Nothing of it is kept."""
    told: list[str] = []
    trainer = make_trainer(tmp_path / "home", is_trial=True, log=told.append)
    assert train_film(tmp_path / "waves", trainer, size=(112, 64)).is_trial
    assert asked["limit"] > 0
    assert not any("training.html" in line for line in told)


def test_evaluations_of_a_model_share_what_they_decode(asked: dict[str, Any], tmp_path: Path) -> None:
    """The frames are kept in the home, beside the trainings."""
    settings = Settings(home=tmp_path / "home", models=tmp_path / "models")
    found = evaluate_film(settings, tmp_path / "waves", tmp_path / "model", sheet=None, vgg=None, log=print)
    assert found == {"distance": 0.5}
    assert asked["cache"] == tmp_path / "home" / "train" / "film-waves" / "frames"
    assert (asked["data"], asked["model"]) == (tmp_path / "waves", tmp_path / "model")


@pytest.mark.usefixtures("asked")
def test_the_memory_is_planned_for_one_size_or_the_usual_ones() -> None:
    """As the operator asks."""
    assert plan_film((112, 64), log=print) == [(112, 64)]
    assert plan_film(None, log=print) == [(64, 64), (128, 72)]
