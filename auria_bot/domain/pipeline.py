"""The studio's pipeline: every step of an artwork in order, and every role that works on it.

The one list of steps and of roles; settings, registry, progress and fakes follow it.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ROLES", "STEPS", "Step", "provenance_name", "steps_from"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of an artwork."""

    name: str
    roles: tuple[str, ...]  # the first one's interpreter runs the step
    label: str  # what is being done, for people
    sequential: bool = False  # depends on the results of the batch's earlier artworks


STEPS = (
    Step(name="poem", roles=("poet",), label="writing the poem", sequential=True),
    Step(name="mood", roles=("mood_reader",), label="choosing the mood"),
    Step(name="painting", roles=("painter", "safety_filter"), label="painting"),
    Step(name="enlarge", roles=("enlarger",), label="enlarging"),
    Step(name="style", roles=("stylist", "safety_filter"), label="restyling", sequential=True),
    Step(name="caption", roles=("captioner",), label="describing the picture"),
    Step(name="words", roles=("text_writer",), label="writing the texts"),
    Step(name="finish", roles=("exporter",), label="exporting"),
)
"""Every step, in order. Their names stand in settings, metrics and runs."""

ROLES = tuple(dict.fromkeys(role for step in STEPS for role in step.roles))
"""Every role, in the order in which they first work; each is a kind of the registry and a section of the settings."""

_PROVENANCE = {"mood_reader": "mood-reader", "safety_filter": "gate", "text_writer": "scribe", "exporter": "finisher"}


def provenance_name(role: str) -> str:
    """What a role is called in an artwork's list of models, which is also written into its pictures.

    These names never change: so drafts of every version read alike, and the same seed gives the same bytes.
    """
    return _PROVENANCE.get(role, role)


def steps_from(name: str) -> tuple[Step, ...]:
    """The step of that name and all after it.

    Raises:
        ValueError: there is no such step.
    """
    names = [step.name for step in STEPS]
    return STEPS[names.index(name) :]
