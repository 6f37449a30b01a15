"""Trains the captioner in service with ratings of its captions, and promotes the result when it is better."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from auria_bot.errors import InputError, TextRejected
from auria_bot.files import write_json
from auria_bot.services.captions.ratings import checked_correction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from auria_bot.domain.rating import Rating
    from auria_bot.services.models.experiments import ExperimentLog
    from auria_bot.services.models.versions import ModelRegistry
    from auria_bot.settings.schema import Settings

__all__ = ["CaptionerTuner", "TuningResult", "captions_to_learn"]

_WEIGHTS: Final = {5: 3, 4: 2, 3: 1}
"""How often a caption counts by its stars; with fewer it is not learnt."""
_CORRECTION: Final = 3  # how often a better caption counts
_HELD_OUT: Final = 5  # every fifth picture, by its hash


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningResult:
    """What a training with ratings came to."""

    version: str  # in the registry
    path: Path
    is_promoted: bool
    figures: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The result, ready for JSON."""
        return {
            "model": "captioner",
            "version": self.version,
            "path": str(self.path),
            "promoted": self.is_promoted,
            **self.figures,
        }


def captions_to_learn(ratings: Sequence[Rating]) -> dict[str, dict[str, int]]:
    """For each kept picture the captions to learn, each with how often it counts.

    A caption with few stars is not learnt; a better caption is, if it passes the checks of today.
    """
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for rating in ratings:
        if not rating.picture:
            continue
        weight = _WEIGHTS.get(rating.stars or 0, 0)
        try:
            correction = checked_correction(rating.correction)
        except TextRejected:
            correction = ""
        for text, count in ((rating.caption, weight), (correction, _CORRECTION if correction else 0)):
            if count:
                found[rating.picture][text] = max(count, found[rating.picture].get(text, 0))
    return {picture: captions for picture, captions in found.items() if captions}


class CaptionerTuner:
    """Trains with ratings.

    Usage::

        result = tuner.tune(ratings.recent(), data=None, minutes=30, steps=None)
    """

    def __init__(
        self,
        *,
        settings: Settings,
        registry: ModelRegistry,
        experiments: ExperimentLog,
        recipe: Any,
        report: Callable[[str], None],
    ) -> None:
        """`recipe` is the module with `tune`; `report` is called with messages."""
        self._settings, self._registry, self._recipe, self._report = settings, registry, recipe, report
        self._experiments = experiments

    def unlearnt(self, ratings: Sequence[Rating]) -> int:
        """How many ratings can be learnt from beyond those that the training with most of them had."""
        learnt = captions_to_learn(ratings)
        known = max((one.metrics.get("ratings.ratings", 0) for one in self._registry.versions("captioner")), default=0)
        return max(0, sum(rating.picture in learnt for rating in ratings) - int(known))

    def tune(self, ratings: Sequence[Rating], *, data: Path, minutes: float | None, steps: int | None) -> TuningResult:
        """Train on the ratings with pictures, compare with the captioner in service, and promote what is better.

        Args:
            data: the folder of the archives that the captioner was trained on.
            minutes: budget of this call; the same call continues a stopped training.
            steps: updates in all.

        Raises:
            InputError: too few ratings have pictures.
            InvalidTransition: another version was promoted meanwhile.
        """
        before = self._registry.promoted("captioner")
        start, learnt = self._registry.folder("captioner", before), captions_to_learn(ratings)
        rated = self._rated(learnt)
        run = self._settings.home / "train" / "captioner" / f"ratings-{_run_name(before, learnt)}"
        out = run / "model"
        asked = {"minutes": minutes, "steps": steps, "begins_with": before, "rated_pictures": len(rated)}
        with self._experiments.record("captioner", data=data, run=run, settings=asked) as experiment:
            done = self._recipe.tune(
                data=data, folder=run, start=start, rated=rated, out=out, minutes=minutes, steps=steps, log=self._report
            )
            used = [rating for rating in ratings if rating.picture in learnt]
            counts = {
                "ratings": len(used),
                "corrections": sum(bool(rating.correction) for rating in used),
                "pictures": len(rated),
                "held_out": sum(picture.is_held_out for picture in rated),
            }
            figures = {"ratings": counts, "before": dict(done.before), "after": dict(done.after), "steps": done.steps}
            experiment.finish(out, figures)
        write_json(out / "metrics.json", figures, pretty=True, mode=None)
        card = start / "card.md"
        told = card.read_text(encoding="utf-8") if card.is_file() else "# captioner\n"
        (out / "card.md").write_text(told + self._recipe.describe(done, counts), encoding="utf-8")
        trained_on = f"{data.name} and {counts['ratings']} ratings"
        made = self._registry.register(
            "captioner", out, metrics=figures, data=trained_on, note=f"from {before}", record=experiment.folder
        )
        experiment.registered(made.name)
        if done.is_better:
            self._registry.promote("captioner", made.name, instead_of=before)
        else:
            self._report("the new captioner is not better; the one in service stays")
        path = self._registry.folder("captioner", made.name)
        return TuningResult(version=made.name, path=path, is_promoted=done.is_better, figures=figures)

    def _rated(self, learnt: Mapping[str, Mapping[str, int]]) -> list[Any]:
        """The pictures that are still there, as the recipe takes them."""
        rated = [
            self._recipe.RatedPicture(
                path=self._settings.home / picture,
                captions=tuple(sorted(captions.items())),
                is_held_out=int(hashlib.sha256(picture.encode()).hexdigest()[:8], 16) % _HELD_OUT == 0,
            )
            for picture, captions in sorted(learnt.items())
            if (self._settings.home / picture).is_file()
        ]
        if all(picture.is_held_out for picture in rated):
            raise InputError(
                f"{len(rated)} rated pictures may be kept and have a caption to learn; that is too few to train on",
                hint="auria ratings lists what was given",
            )
        return rated


def _run_name(before: str, learnt: Mapping[str, Mapping[str, int]]) -> str:
    """The name of a run: the same for the same beginning and the same ratings, so that it can be continued."""
    return hashlib.sha256(json.dumps([before, learnt], sort_keys=True).encode()).hexdigest()[:12]
