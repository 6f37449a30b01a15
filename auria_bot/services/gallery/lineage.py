"""How an artwork came about: the models that worked on it, and the corpus that its poet learned from."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auria_bot.errors import NotFound
from auria_bot.files import sha256_of

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.domain.artwork import Artwork

__all__ = ["CorpusVersions", "ModelUsed", "models_used"]

_ROLES = {"scribe": "text-writer", "gate": "safety-filter", "finisher": "exporter"}  # names of earlier versions


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelUsed:
    """A model that worked on an artwork."""

    role: str  # such as "painter"
    backend: str  # such as "attn"
    name: str  # the model's
    sha256: str


def models_used(artwork: Artwork) -> tuple[ModelUsed, ...]:
    """The models that worked on an artwork, by role."""
    found = []
    for key, sha256 in artwork.models:
        role, backend, name = (*key.split(":", 2), "", "")[:3]
        found.append(ModelUsed(role=_ROLES.get(role, role), backend=backend, name=name, sha256=sha256))
    return tuple(sorted(found, key=lambda used: (used.role, used.name)))


class CorpusVersions:
    """Finds the version of the corpus that a poet was trained on, among the poets on this machine."""

    def __init__(self, *, models: Path, home: Path) -> None:
        """`models` is the folder of trained models in service, `home` that of Auria's data."""
        self._models, self._home = models, home
        self._known: dict[str, str] = {}  # by the poet's hash, for the poets that were looked for

    def of(self, artwork: Artwork) -> str:
        """The version's name; "" if the poet was not trained on a version, or is not on this machine."""
        poet = next((used.sha256 for used in models_used(artwork) if (used.role, used.name) == ("poet", "poet")), "")
        if poet not in self._known:
            self._known[poet] = self._trained_on(poet)
        return self._known[poet]

    def _trained_on(self, poet: str) -> str:
        retrained = sorted((self._home / "train" / "poet-corpus").glob("*/model"))
        for folder in (self._models / "poet", self._models / ".poet.before", *retrained):
            with contextlib.suppress(NotFound, OSError, ValueError, KeyError, TypeError):
                if sha256_of(folder / "SHA256SUMS") == poet:
                    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
                    return str(config["training"]["corpus"]["name"])
        return ""
