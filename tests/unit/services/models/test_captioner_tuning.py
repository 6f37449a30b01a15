"""Training the captioner with ratings: what is learnt, and when the result is promoted."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.rating import Rating
from auria_bot.errors import InputError
from auria_bot.services.models.captioner_tuning import captions_to_learn
from tests.applications import fake_application
from tests.factories import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application

RATING = Rating(
    id=1,
    at=NOW,
    source="page",
    picture_sha256="",
    picture="ratings/a.jpg",
    caption="A dog.",
    model_version="installed",
    model_sha256="ab",
    stars=5,
    correction="",
)


@dataclass(frozen=True, kw_only=True)
class RatedPicture:
    """As the recipe takes it."""

    path: Path
    captions: tuple[tuple[str, int], ...]
    is_held_out: bool


class Recipe:
    """Writes a model at once."""

    RatedPicture = RatedPicture

    def __init__(self, *, better: bool) -> None:
        self.better, self.given = better, dict[str, Any]()

    def tune(self, **given: Any) -> Any:
        self.given = given
        given["out"].mkdir(parents=True, exist_ok=True)
        (given["out"] / "weights").write_text("tuned")
        return SimpleNamespace(before={"cider_d": 0.4}, after={"cider_d": 0.5}, steps=7, is_better=self.better)

    def describe(self, _: Any, counts: Any) -> str:
        return f"{counts['ratings']} ratings"


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """With an installed captioner, and ten kept pictures."""
    with closing(fake_application(tmp_path / "home")) as made:
        (made.settings.installed_models / "captioner").mkdir(parents=True)
        (made.settings.installed_models / "captioner" / "card.md").write_text("The card.\n")
        (made.settings.home / "ratings").mkdir()
        for number in range(10):
            (made.settings.home / f"ratings/{number}.jpg").touch()
        yield made


def test_stars_and_better_captions_weigh() -> None:
    """More stars count more, few stars nothing; a better caption counts most if it passes the checks; pictures must be kept."""
    ratings = [
        RATING,
        replace(RATING, stars=3, caption="A cat."),
        replace(RATING, stars=4, caption="A cat."),
        replace(RATING, stars=1, caption="A car.", correction="two dogs"),
        replace(RATING, stars=None, caption="A car.", correction="see https://spam.example"),
        replace(RATING, picture="", caption="A bird."),
        replace(RATING, picture="ratings/b.jpg", stars=2),
    ]
    assert captions_to_learn(ratings) == {"ratings/a.jpg": {"A dog.": 3, "A cat.": 2, "two dogs": 3}}


@pytest.mark.parametrize("better", [True, False])
def test_only_a_better_one_is_promoted(application: Application, tmp_path: Path, better: bool) -> None:
    """Both are versions with a card that says how many ratings there were; some pictures are held out."""
    recipe = Recipe(better=better)
    tuner = application.captioner_tuner(recipe=recipe, report=lambda _: None)
    ratings = [replace(RATING, picture=f"ratings/{number}.jpg") for number in range(12)]  # two are gone
    assert tuner.unlearnt(ratings) == 12
    done = tuner.tune(ratings, data=tmp_path, minutes=None, steps=5)
    assert (tuner.unlearnt(ratings), tuner.unlearnt([*ratings, RATING])) == (0, 1)
    registry = application.model_registry
    assert (done.version, done.is_promoted) == ("v1", better)
    assert registry.promoted("captioner") == ("v1" if better else "installed")
    assert (done.path / "card.md").read_text() == "The card.\n12 ratings"
    assert registry.version("captioner", "v1").metrics["after.cider_d"] == 0.5
    rated = recipe.given["rated"]
    assert (len(rated), recipe.given["start"]) == (10, application.settings.installed_models / "captioner")
    assert 0 < sum(picture.is_held_out for picture in rated) < 10
    assert done.to_json()["promoted"] is better


def test_without_pictures_there_is_nothing_to_train_on(application: Application, tmp_path: Path) -> None:
    """The message names how many there are."""
    tuner = application.captioner_tuner(recipe=Recipe(better=True), report=lambda _: None)
    with pytest.raises(InputError, match="0 rated pictures"):
        tuner.tune([replace(RATING, picture="")], data=tmp_path, minutes=None, steps=None)
