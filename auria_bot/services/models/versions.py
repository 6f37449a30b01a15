"""Versions of models, and what a registry does with them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from auria_bot.errors import InputError, InvalidTransition

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = [
    "INSTALLED",
    "ModelRegistry",
    "ModelVersion",
    "checked_promotions",
    "compared",
    "installed_stays",
    "none_promoted",
    "not_in_force",
    "still_in_force",
    "without_repeats",
]

INSTALLED: Final = "installed"
"""The name of the version that came with the program, or lies in the folder that the setting `models` names."""

_NAME = re.compile(r"v[1-9]\d{0,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """A version of a model."""

    model: str
    name: str  # "v3", or INSTALLED
    registered_at: datetime | None = None  # aware, UTC; None for the installed one
    sha256: str = ""  # of its SHA256SUMS; artworks name it
    metrics: Mapping[str, float]  # by name; those of a table within are named table.number
    data: str = ""  # what it was trained on
    note: str = ""
    program: str = ""  # the version of auria_bot that trained it
    experiment: str = ""  # the name of its training's record
    is_promoted: bool = False
    is_removed: bool = False  # its files are gone; what is known of it stays

    def to_json(self) -> dict[str, Any]:
        """The version, ready for JSON."""
        at = None if self.registered_at is None else self.registered_at.isoformat()
        return asdict(self) | {"registered_at": at, "metrics": dict(self.metrics)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ModelVersion:
        """Read what `to_json` wrote; unknown fields of a newer version are left out.

        Raises:
            ValueError, KeyError, TypeError, AttributeError: it is no version's record.
        """
        known = {item.name for item in fields(cls)}
        data = {name: item for name, item in value.items() if name in known}
        if not _NAME.fullmatch(data["name"]):
            raise ValueError(f"{data['name'][:40]!r} is not the name of a version")
        at = data.get("registered_at")
        if not all(isinstance(figure, int | float) for figure in data["metrics"].values()):
            raise ValueError("its figures are no numbers")
        return cls(**data | {"registered_at": None if at is None else datetime.fromisoformat(at)})


class ModelRegistry(Protocol):
    """The versions of all models, and which of them are in force.

    Usage::

        version = registry.register("captioner", folder, metrics={"cider_d": 0.51}, data="flickr8k and 40 ratings")
        registry.promote("captioner", version.name)
        registry.rollback("captioner")
    """

    def models(self) -> tuple[str, ...]:
        """The models that have versions."""

    def versions(self, model: str) -> tuple[ModelVersion, ...]:
        """The versions of a model, the newest first and the installed one last."""

    def version(self, model: str, name: str) -> ModelVersion:
        """One version.

        Raises:
            NotFound: there is no such version.
        """

    def promoted(self, model: str) -> str:
        """The name of the version in force."""

    def folder(self, model: str, name: str = "") -> Path:
        """The files of a version on this machine, by default of the one in force.

        Raises:
            NotFound: there is no such version, or its files were removed.
        """

    def register(
        self,
        model: str,
        files: Path,
        *,
        metrics: Mapping[str, Any],
        data: str = "",
        note: str = "",
        record: Path | None = None,
    ) -> ModelVersion:
        """Copy a trained model into the registry as a new version, which nothing serves yet.

        Args:
            model: the model's name, such as "captioner".
            files: its folder.
            metrics: figures of its training; numbers, or tables of them.
            data: what it was trained on.
            record: the folder with the record of its training.

        Raises:
            ModelError: the files do not match their checksums.
            DiskError: the registry cannot be written.
        """

    def promote(self, model: str, name: str, *, instead_of: str | None = None) -> ModelVersion:
        """Put a version in force: studio and model server use it from then on.

        Args:
            name: the version's name, or INSTALLED.
            instead_of: the version that must be in force now; None for any. So of two that promote at once, each after
                a comparison with the version in force, one wins.

        Raises:
            NotFound: there is no such version.
            InvalidTransition: another version is in force than `instead_of`.
            ModelError: the files do not match their checksums.
        """

    def rollback(self, model: str) -> ModelVersion:
        """Go back to the version that was in force before.

        Raises:
            InvalidTransition: none was.
            NotFound: its files were removed.
        """

    def remove(self, model: str, name: str) -> ModelVersion:
        """Delete the files of a version; what is known of it stays, since artworks may name its hash.

        A rollback passes it over.

        Raises:
            NotFound: there is no such version.
            InputError: it is the installed one.
            InvalidTransition: it is in force.
        """

    def refresh(self) -> None:
        """Bring what is served up to date with what was promoted and installed."""


def compared(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, tuple[float | None, float | None]]:
    """Every figure that either of two versions has, by name; None where one lacks it."""
    return {name: (first.get(name), second.get(name)) for name in sorted({*first, *second})}


def checked_promotions(value: Mapping[str, Any]) -> list[str]:
    """The promotions of a model from their record, the one in force last.

    Raises:
        ValueError, KeyError, TypeError: it is no such record.
    """
    names = [str(name) for name in value["promotions"]]
    for name in names:
        if name != INSTALLED and not _NAME.fullmatch(name):
            raise ValueError(f"{name[:40]!r} is not the name of a version")
    return names


def without_repeats(names: list[str]) -> list[str]:
    """Promotions of which some were taken out: one that follows itself counts once."""
    return [name for at, name in enumerate(names) if not at or names[at - 1] != name]


def not_in_force(model: str, name: str, *, now: str, expected: str) -> InvalidTransition:
    """The error of a promotion that was overtaken by another."""
    return InvalidTransition(
        f"version {now} of the {model} was promoted meanwhile, not {expected}; compare with it first",
        hint=f"auria models compare {model} {now} {name}",
    )


def still_in_force(model: str, name: str) -> InvalidTransition:
    """The error of a removal of what is in force."""
    return InvalidTransition(
        f"version {name} of the {model} is in force; promote another one first", hint=f"auria models rollback {model}"
    )


def none_promoted(model: str) -> InvalidTransition:
    """The error of a rollback where nothing was promoted."""
    return InvalidTransition(f"no version of the {model} was promoted; the installed one is in force")


def installed_stays(model: str) -> InputError:
    """The error of a removal of the installed version."""
    return InputError(f"the installed {model} belongs to the program and is not removed here")
