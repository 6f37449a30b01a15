"""How far an artwork of a run is: where it began, which steps are completed, why it failed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from auria_bot import errors
from auria_bot.domain.artwork import ArtworkInProgress
from auria_bot.errors import AuriaError, StepFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GIVEN", "ArtworkState", "CompletedStep", "Failure"]

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
        kind = getattr(errors, self.error, StepFailed)
        where = f"; its log: {self.log}" if self.log else ""
        error = kind(f"step {self.step!r} of artwork {self.artwork}: {self.message}{where}")
        return error if isinstance(error, AuriaError) else StepFailed(str(error))


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
