"""The plan of a run: everything that its artworks depend on, written down before work begins and never changed.

So a worker needs no settings, and a resumed run makes what the interrupted one would have made:

- **Seeds.** The first artwork's seed is the run's own, so giving a draft's recorded seed makes it again. The others are
  derived from it by SHA-256.
- **Recent work.** Recent poems, style keys and fingerprints are copied into the plan. With a seed given by the operator
  they are left out: the artwork then depends on request, options and models alone, and making it twice in the same home
  gives the same bytes instead of a refusal as its own duplicate. Within a run, each artwork avoids what those before
  it chose.

An `ArtworkState` tells how far an artwork of a run is.
"""

from __future__ import annotations

import hashlib
import secrets
from bisect import bisect_right
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.domain.artwork import ArtworkInProgress, Haiku
from auria_bot.domain.mood import MOODS, find_mood
from auria_bot.domain.pipeline import SEEDS, ArtworkRequest
from auria_bot.errors import AuriaError, InputError, StepFailed, error_of
from auria_bot.execution.work_unit import Requirements

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FORMAT",
    "GIVEN",
    "ArtworkState",
    "BackendSpec",
    "CompletedStep",
    "Failure",
    "Plan",
    "StudioConfig",
    "artwork_seed",
    "derive",
    "draw_mood",
    "new_seed",
]


FORMAT = 2
"""Version of the plan's JSON; a run begun with another format is not resumed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSpec:
    """The backend that plays a role in a run."""

    name: str  # in the registry
    options: dict[str, Any] = field(default_factory=dict)  # for its Config
    models: str = ""  # the folder with the trained models
    python: str = ""  # the interpreter it runs in; "" for the program's own


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioConfig:
    """The settings that every run begins with."""

    backends: Mapping[str, BackendSpec]  # by role
    shared_options: Mapping[str, Any] = field(default_factory=dict)  # for every backend whose Config has such a field
    candidates: int = 4  # pictures painted in a round, of which the best is kept
    rounds: int = 3  # rounds of painting before an artwork is given up
    size: int = 512  # pixels of the short side of the picture that is restyled
    recent: int = 30  # how many of the latest drafts a run without a given seed avoids to repeat
    hemisphere: str = "north"  # decides what season it is
    deadline: float = 180.0  # seconds a step of one artwork may take
    deadlines: Mapping[str, float] = field(default_factory=dict)  # seconds, by step, where they differ
    requirements: Mapping[str, Requirements] = field(default_factory=dict)  # by step, where it has some

    def deadline_of(self, step: str) -> float:
        """The seconds that a step may take."""
        return self.deadlines.get(step, self.deadline)

    def requirements_of(self, step: str) -> Requirements:
        """The environment and the compute that a step asks for; its interpreter is the plan's."""
        return self.requirements.get(step, Requirements())


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that a run depends on; see the module."""

    run: str  # its folder's name
    seed: int
    request: ArtworkRequest  # validated
    backends: Mapping[str, BackendSpec]  # by role
    shared_options: Mapping[str, Any] = field(default_factory=dict)
    candidates: int = 4
    rounds: int = 3
    size: int = 512
    recent_poems: tuple[Haiku, ...] = ()  # the newest first
    recent_styles: tuple[str, ...] = ()  # the newest first
    fingerprints: tuple[str, ...] = ()  # of earlier pictures
    format: int = FORMAT

    @property
    def count(self) -> int:
        """How many artworks are to be made."""
        return self.request.count

    def on_this_machine(self, config: StudioConfig) -> Plan:
        """The plan of another machine with this one's folders and interpreters where its own are not here."""
        backends = {
            role: replace(spec, models=own.models, python=own.python)
            if (own := config.backends.get(role)) is not None and not Path(spec.models).is_dir()
            else spec
            for role, spec in self.backends.items()
        }
        shared, here = dict(self.shared_options), config.shared_options
        if not all(Path(bank).is_dir() for bank in shared.get("banks", ())):
            shared["banks"] = list(here.get("banks", ()))
        if "cache" in shared and not Path(shared["cache"]).is_relative_to(Path(here.get("cache", "/")).parent):
            shared["cache"] = here["cache"]
        return replace(self, backends=backends, shared_options=shared)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Plan:
        """Read what `to_json` wrote.

        Raises:
            InputError: another version wrote it.
        """
        if value.get("format") != FORMAT:
            raise InputError(
                f"the run's plan has format {value.get('format')!r}, of another version of auria;"
                f" this one reads {FORMAT}"
            )
        data = {item.name: value[item.name] for item in fields(cls)}
        data["request"] = ArtworkRequest(**data["request"])
        data["backends"] = {role: BackendSpec(**backend) for role, backend in data["backends"].items()}
        data["recent_poems"] = tuple(Haiku.from_json(poem) for poem in data["recent_poems"])
        data["recent_styles"] = tuple(data["recent_styles"])
        data["fingerprints"] = tuple(data["fingerprints"])
        return cls(**data)


def new_seed() -> int:
    """A random seed; it is recorded with the artwork."""
    return secrets.randbelow(SEEDS)


def derive(seed: int, *words: object) -> int:
    """A seed for one purpose: the first 63 bits of the SHA-256 of the seed and the words."""
    text = ":".join(str(word) for word in (seed, *words))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def artwork_seed(run_seed: int, number: int) -> int:
    """The seed of a run's artwork, numbered from 1; the first one's is the run's own."""
    return run_seed if number == 1 else derive(run_seed, "sketch", number)  # the word is part of every recorded seed


def draw_mood(seed: int, weights: Mapping[str, float] | None = None) -> str:
    """A mood drawn by weight (all equal when none are given); moods without a weight are not drawn."""
    shares = {name: float(weight) for name, weight in (weights or dict.fromkeys(MOODS, 1.0)).items() if weight > 0}
    names = sorted(shares)
    cumulative = list(accumulate(shares[name] for name in names))
    place = bisect_right(cumulative, derive(seed, "mood") / SEEDS * cumulative[-1])
    return find_mood(names[min(place, len(names) - 1)]).name


GIVEN = "given"
"""The key of a step whose result came with the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedStep:
    """A completed step: the hash of everything that went in, and the fields of the artwork that it changed."""

    step: str
    key: str  # SHA-256, or GIVEN
    seconds: float
    changes: dict[str, Any]  # JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an artwork was given up."""

    artwork: int  # its number in the run, from 1
    step: str
    error: str  # the class in auria_bot.errors
    message: str
    log: str  # the path of the step's log

    def to_error(self) -> AuriaError:
        """The error to raise, of its own class."""
        where = f"; its log: {self.log}" if self.log else ""
        message = f"step {self.step!r} of artwork {self.artwork}: {self.message}{where}"
        return error_of(self.error, message, otherwise=StepFailed)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtworkState:
    """An artwork of a run on its way through the steps."""

    number: int  # from 1
    start: ArtworkInProgress
    done: tuple[CompletedStep, ...] = ()
    failure: Failure | None = None
    finished: bool = False
    draft: int | None = None  # the draft it became

    @property
    def artwork(self) -> ArtworkInProgress:
        """The artwork as it is now."""
        data = self.start.to_json()
        for done in self.done:
            data.update(done.changes)
        return ArtworkInProgress.from_json(data)

    def before(self, step: str) -> ArtworkState:
        """The state before that step."""
        names = [done.step for done in self.done]
        return replace(self, done=self.done[: names.index(step)] if step in names else self.done, finished=False)

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form, read back by `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ArtworkState:
        """Read what `to_json` wrote."""
        return cls(
            number=value["number"],
            start=ArtworkInProgress.from_json(value["start"]),
            done=tuple(CompletedStep(**done) for done in value["done"]),
            failure=Failure(**value["failure"]) if value["failure"] else None,
            finished=value["finished"],
            draft=value["draft"],
        )
