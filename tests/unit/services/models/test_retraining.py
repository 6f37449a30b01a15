"""A poet trained on the corpus takes the place of the one in service only when she is better."""

from __future__ import annotations

import json
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.corpus.item import from_row
from auria_bot.corpus.sources.rows import Row
from auria_bot.corpus.versions import CorpusVersion
from auria_bot.errors import InputError, NotFound
from auria_bot.services.models.retraining import PoetRetrainer, RetrainingResult, growth, share_of
from tests.factories import NOW
from tests.house import fake_house

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application

EDITION = CorpusVersion(name="v2", made_at=NOW, verses=110, sha256="ab", settings={})


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Application]:
    """A house with a poet in service and a version of the corpus."""
    with closing(fake_house(tmp_path / "home")) as opened:
        (opened.settings.models_folder / "poet").mkdir(parents=True)
        (opened.settings.models_folder / "poet" / "weights").write_text("old")
        with opened.store.begin() as unit:
            unit.verses.add(
                [from_row(Row(text="an old silent pond/a frog jumps into the pond/splash! silence again"), origin="f")]
            )
        opened.version_builder.make()
        yield opened


def recipe(asked: dict[str, Any]) -> Any:
    """A recipe that writes a model at once."""

    def train(**given: Any) -> dict[str, Any]:
        asked.update(given)
        given["out"].mkdir(parents=True, exist_ok=True)
        (given["out"] / "weights").write_text("new")
        return {}

    return SimpleNamespace(train=train)


def judge(*, better: bool) -> Any:
    """A judge with a settled opinion."""
    return SimpleNamespace(compare=lambda **_: SimpleNamespace(better=better, candidate=10.0, incumbent=20.0, poems=3))


def retrain(
    house: Application,
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
        settings=house.settings, versions=house.version_builder, recipe=recipe, comparison=comparison, report=report
    )
    return retrainer.retrain(version, data=data, minutes=minutes, steps=steps, least=least)


@pytest.mark.parametrize("better", [True, False])
def test_only_the_better_one_takes_the_place(house: Application, tmp_path: Path, better: bool):
    """The other is kept aside; the version's name goes to the card, and other verse is read with it."""
    (tmp_path / "pd_poetry.jsonl.zst").write_bytes(b"verse")
    asked: dict[str, Any] = {}
    done = retrain(
        house, "newest", recipe=recipe(asked), comparison=judge(better=better), data=tmp_path, minutes=1.0, steps=5
    )
    name = house.version_builder.find().name
    assert (done.corpus, done.trained, done.replaced) == (name, True, better)
    assert asked["corpus"] == {"name": name, "verses": 1, "sha256": house.version_builder.find().sha256}
    assert sorted(path.name for path in asked["data"].iterdir()) == ["haiku.jsonl.zst", "pd_poetry.jsonl.zst"]
    models = house.settings.models_folder
    assert (models / "poet" / "weights").read_text() == ("new" if better else "old")
    assert (models / ".poet.before" / "weights").exists() is better
    again = retrain(house, "newest", recipe=recipe({}), comparison=judge(better=better), least=0.1)
    assert (again.trained, again.figures) == (False, {"grown": 0.0})


def test_growth_is_measured_from_the_last_version_trained_on(tmp_path: Path):
    """Whether it was tried only, or is in service; None where nobody knows."""
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


def test_slips_are_told(house: Application):
    """No share, no such version."""
    with pytest.raises(InputError, match="10%"):
        share_of("much")
    with pytest.raises(NotFound, match="known"):
        retrain(house, "v9")


def test_what_came_with_the_program_is_never_changed(
    house: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The better one goes into the home, with the other models beside her."""
    monkeypatch.setattr("auria_bot.settings.locations.shipped", lambda _name: house.settings.models_folder)
    (house.settings.models_folder / "painter").mkdir()
    messages: list[str] = []
    done = retrain(house, "", recipe=recipe({}), comparison=judge(better=True), least=0.5, report=messages.append)
    place = house.settings.home / "models"
    assert done.to_json()["path"] == str(place / "poet")
    assert (place / "poet" / "weights").read_text() == "new"
    assert (place / "painter").is_dir()
    assert (house.settings.models_folder / "poet" / "weights").read_text() == "old"
    assert f"AURIA_MODELS={place}" in "\n".join(messages)
