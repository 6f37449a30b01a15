"""How far an artwork of a run is."""

from __future__ import annotations

import json

from auria_bot.domain.artwork import ArtworkInProgress, Style
from auria_bot.errors import ModelMissing, StepCrashed
from auria_bot.services.studio.artwork_state import ArtworkState, CompletedStep, Failure


def state(**changes: object) -> ArtworkState:
    """An artwork at its beginning."""
    return ArtworkState(number=1, start=ArtworkInProgress(key="01", seed=1), **changes)


def test_a_state_survives_json() -> None:
    """Steps, failure and draft are read back as they were."""
    full = state(
        done=(CompletedStep(step="poem", key="k", seconds=0.5, changes={"mood": "serene"}),),
        finished=True,
        draft=4,
        failure=Failure(artwork=1, step="mood", error="StepCrashed", message="m", log="l"),
    )
    assert ArtworkState.from_json(json.loads(json.dumps(full.to_json()))) == full


def test_an_artwork_is_its_start_and_what_was_done_since() -> None:
    """Rewinding takes back the step and all after it, and nothing else."""
    style = {"key": "s", "title": "t", "artist": "a", "year": "", "mode": "painterly", "strength": 0.5}
    full = state(
        done=(
            CompletedStep(step="mood", key="1", seconds=0.0, changes={"mood": "serene"}),
            CompletedStep(step="style", key="2", seconds=0.0, changes={"style": style}),
            CompletedStep(step="caption", key="3", seconds=0.0, changes={"caption": "c"}),
        )
    )
    assert full.artwork.style == Style(**style)
    before = full.before("style").artwork
    assert (before.mood, before.style, before.caption) == ("serene", None, None)


def test_a_failure_becomes_its_own_error() -> None:
    """The exit code of the child's error is kept; what Auria does not know is a crash."""
    failure = Failure(artwork=2, step="poem", error="ModelMissing", message="gone", log="/x.log")
    error = failure.to_error()
    assert isinstance(error, ModelMissing)
    assert "step 'poem' of artwork 2: gone; its log: /x.log" in str(error)
    assert isinstance(Failure(artwork=1, step="s", error="StepCrashed", message="", log="").to_error(), StepCrashed)
