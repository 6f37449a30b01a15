"""A registry of models on an MLflow server, which several machines share.

What is served is a local copy (`registry/mlflow/` in the home), so studio and model server go on while the server is
away. A version is a version of the registered model `auria-MODEL`, with its run, figures and files. MLflow cannot
change something only if it is as expected. But it numbers what is appended: so each change of what is in force is
appended to a second registered model, `auria-MODEL-promotions`, and takes effect only if what it expects is in force
when its turn comes. Everybody who reads these changes in their order comes to the same result. The alias `promoted`
follows, for those who look at MLflow's pages.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from auria_bot.art import checkpoint
from auria_bot.errors import ModelCorrupt, NotFound, RegistryAway
from auria_bot.redaction import redacted_error
from auria_bot.services.models.versions import (
    INSTALLED,
    ModelVersion,
    installed_stays,
    none_promoted,
    not_in_force,
    still_in_force,
    without_repeats,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from auria_bot.services.models.experiments import ExperimentLog
    from auria_bot.services.models.folder_registry import FolderRegistry
    from auria_bot.services.models.mlflow.client import MlflowClient

__all__ = ["MlflowRegistry", "State", "replay"]

log = logging.getLogger(__name__)

_PREFIX, _CHANGES = "auria-", "-promotions"
_TAG: Final = "auria"
_ALIAS_TRIES = 3


@dataclass(slots=True, kw_only=True)
class State:
    """What is in force of a model after some changes."""

    promotions: list[str] = field(default_factory=list)  # the one in force last
    removed: set[str] = field(default_factory=set)
    void: set[int] = field(default_factory=set)  # numbers of the changes that came too late

    @property
    def now(self) -> str:
        """The version in force."""
        return self.promotions[-1] if self.promotions else INSTALLED


def replay(changes: Iterable[tuple[int, Mapping[str, Any]]]) -> State:
    """What is in force after changes, given with their numbers and in their order."""
    state = State()
    for number, change in changes:
        action, version, expected = change.get("action"), str(change.get("version")), change.get("instead_of")
        if action == "promote" and version not in state.removed and expected in {None, state.now}:
            if state.now != version:
                state.promotions.append(version)
        elif action == "rollback" and state.promotions and state.now == version:
            state.promotions.pop()
        elif action == "remove" and state.now != version:
            state.removed.add(version)
            state.promotions[:] = without_repeats([one for one in state.promotions if one != version])
        else:
            state.void.add(number)
    return state


class MlflowRegistry:
    """The versions of all models on a server; a `ModelRegistry`."""

    def __init__(self, *, client: MlflowClient, copy: FolderRegistry, experiments: ExperimentLog, every: float) -> None:
        """Use a server.

        Args:
            copy: what of it is on this machine.
            experiments: where the curves of trainings are.
            every: seconds between two looks for newly promoted versions.
        """
        self._client, self._copy, self._experiments = client, copy, experiments
        self._every = every
        self._looked: dict[str, float] = {}

    def models(self) -> tuple[str, ...]:
        """The models that have versions; those of the copy while the server is away."""
        try:
            names = [name.removeprefix(_PREFIX) for name in self._client.models(_PREFIX)]
        except RegistryAway as error:
            log.warning("%s; the copy on this machine is used", redacted_error(error))
            return self._copy.models()
        return tuple(sorted(name for name in names if not name.endswith(_CHANGES)))

    def versions(self, model: str) -> tuple[ModelVersion, ...]:
        """The versions of a model, the newest first and the installed one last."""
        self._look(model, now=True)
        return self._copy.versions(model)

    def version(self, model: str, name: str) -> ModelVersion:
        """One version; raises NotFound."""
        try:
            found = self._copy.version(model, name)
            self._look(model)
        except NotFound:
            self._look(model, now=True)
            return self._copy.version(model, name)
        return replace(found, is_promoted=self._copy.promoted(model) == name)

    def promoted(self, model: str) -> str:
        """The name of the version in force."""
        self._look(model)
        return self._copy.promoted(model)

    def folder(self, model: str, name: str = "") -> Path:
        """The files of a version, fetched where they are not here yet; raises NotFound."""
        name = name or self.promoted(model)
        try:
            return self._copy.folder(model, name)
        except NotFound:
            if name == INSTALLED or self.version(model, name).is_removed:
                raise
        self._fetch(model, name)
        return self._copy.folder(model, name)

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
        """Upload a trained model as a new version, which nothing serves yet; raises RegistryAway too."""
        with self._copy.staged(model, files, metrics=metrics, data=data, note=note, record=record) as (scratch, made):
            run, place = self._client.start_run(_PREFIX + model, f"{model} {made.sha256[:12]}")
            self._client.upload(scratch / "files", f"{place}/files")
            if record is not None:
                self._client.upload(record, f"{place}/experiment")
            settings = {"data": data, "note": note, "sha256": made.sha256, "program": made.program}
            curves = self._experiments.curves(model, made.experiment)
            curves |= {name: [(0, value)] for name, value in made.metrics.items()}
            self._client.finish_run(run, settings=settings, curves=_named(curves))
            tags = {_TAG: json.dumps(made.to_json())}
            number = self._client.create_version(_PREFIX + model, run=run, source=f"{place}/files", tags=tags)
            version = replace(made, name=f"v{number}")
            self._copy.keep(version, scratch)
        return version

    def promote(self, model: str, name: str, *, instead_of: str | None = None) -> ModelVersion:
        """Put a version in force; see `ModelRegistry.promote`. Raises RegistryAway too."""
        version = self.version(model, name)
        if name != INSTALLED:
            self._verify(version, checkpoint.verify(self.folder(model, name)))
        before = self._state(model)
        if instead_of is not None and before.now != instead_of:
            raise not_in_force(model, name, now=before.now, expected=instead_of)
        if before.now != name:
            number, after = self._change(model, action="promote", version=name, instead_of=instead_of)
            if number in after.void and name in after.removed:
                raise NotFound(
                    f"there are no files of version {name} of the {model}", hint=f"auria models show {model}"
                )
            if number in after.void:
                raise not_in_force(model, name, now=after.now, expected=instead_of or before.now)
        self._look(model, now=True)
        return replace(version, is_promoted=True)

    def rollback(self, model: str) -> ModelVersion:
        """Go back to the version that was in force before; see `ModelRegistry.rollback`."""
        before = self._state(model)
        if not before.promotions:
            raise none_promoted(model)
        self.folder(model, ([INSTALLED, *before.promotions])[-2])
        number, after = self._change(model, action="rollback", version=before.now)
        if number in after.void:
            raise not_in_force(model, before.now, now=after.now, expected=before.now)
        self._look(model, now=True)
        return self._copy.version(model, self._copy.promoted(model))

    def remove(self, model: str, name: str) -> ModelVersion:
        """Delete the files of a version here and on the server; see `ModelRegistry.remove`."""
        version = self.version(model, name)
        if name == INSTALLED:
            raise installed_stays(model)
        number, after = self._change(model, action="remove", version=name)
        if number in after.void:
            raise still_in_force(model, name)
        for found, source, _ in self._client.versions(_PREFIX + model):
            if f"v{found}" == name:
                self._client.delete(source)
        self._look(model, now=True)
        return replace(version, is_removed=True, is_promoted=False)

    def refresh(self) -> None:
        """Take over what was promoted elsewhere, and what was installed here."""
        for model in self.models():
            self._look(model, now=True)
        self._copy.refresh()

    def _look(self, model: str, *, now: bool = False) -> None:
        """Take over what the server knows of a model, if it was not asked lately; a server that is away is no error."""
        time_ = time.monotonic()
        if not now and time_ - self._looked.get(model, -self._every) < self._every:
            return
        self._looked[model] = time_
        try:
            self._take_over(model)
        except (RegistryAway, NotFound, ModelCorrupt) as error:
            log.warning("%s; the copy on this machine is used", redacted_error(error))

    def _take_over(self, model: str) -> None:
        state = self._state(model)
        for number, _, tags in self._client.versions(_PREFIX + model):
            known = json.loads(tags.get(_TAG, "null"))
            if known:  # a version that somebody else made in MLflow has no tag
                own = {
                    "name": f"v{number}",
                    "registered_at": datetime.fromisoformat(known["registered_at"]),
                    "is_removed": f"v{number}" in state.removed,
                }
                self._keep(ModelVersion(**(known | own)))
        if state.now != INSTALLED:
            self._fetch(model, state.now)
        self._copy.set_promotions(model, state.promotions)

    def _keep(self, version: ModelVersion) -> None:
        """Write what is known of a version to the copy, where it is new there."""
        try:
            here = replace(self._copy.version(version.model, version.name), is_promoted=version.is_promoted)
        except NotFound:
            here = None
        if here != version:
            self._copy.keep(version)

    def _fetch(self, model: str, name: str) -> None:
        """Have the files of a version on this machine, and be sure that they are what was registered.

        Raises:
            NotFound: the server has none.
            ModelCorrupt: they are others.
        """
        version = self._copy.version(model, name)
        try:
            self._copy.folder(model, name)
        except NotFound:
            sources = {f"v{number}": source for number, source, _ in self._client.versions(_PREFIX + model)}
            with self._copy.scratch(model) as scratch:
                self._client.download(sources.get(name, ""), scratch / "files")
                self._verify(version, checkpoint.verify(scratch / "files"))
                self._copy.keep(version, scratch)

    @staticmethod
    def _verify(version: ModelVersion, sha256: str) -> None:
        if sha256 != version.sha256:
            raise ModelCorrupt(
                f"the files of version {version.name} of the {version.model} are not those that were registered"
                f" ({sha256[:12]} instead of {version.sha256[:12]})"
            )

    def _state(self, model: str) -> State:
        rows = self._client.versions(_PREFIX + model + _CHANGES)
        return replay((number, json.loads(tags.get(_TAG, "{}"))) for number, _, tags in rows)

    def _change(self, model: str, **change: Any) -> tuple[int, State]:
        """Append a change; its number, and what is in force after it and all before it."""
        told = " ".join(str(change[key]) for key in ("action", "version"))
        run, place = self._client.start_run(_PREFIX + model, told)
        self._client.finish_run(run, settings=change, curves={})
        changes = _PREFIX + model + _CHANGES
        number = self._client.create_version(changes, run=run, source=place, tags={_TAG: json.dumps(change)})
        state = self._state(model)
        self._show(model, state)
        return number, state

    def _show(self, model: str, state: State) -> None:
        """Have the alias lead to what is in force.

        The change counts without it, so a refusal is no error: MLflow refuses one of two that set an alias at once.
        Nor is it set only once: of two changes, the later may set it first.
        """
        for _ in range(_ALIAS_TRIES):
            try:
                if state.now == INSTALLED:
                    self._client.remove_alias(_PREFIX + model, "promoted")
                else:
                    self._client.set_alias(_PREFIX + model, "promoted", int(state.now.removeprefix("v")))
                shown, state = state.now, self._state(model)
            except RegistryAway as error:
                log.info("the alias of the %s was not set: %s", model, redacted_error(error))
                continue
            if state.now == shown:
                return


def _named(curves: Mapping[str, Any]) -> dict[str, Any]:
    """Curves under names that MLflow takes: letters, digits, and some signs."""
    return {
        "".join(sign if sign.isalnum() or sign in "_-. /" else "_" for sign in name): curve
        for name, curve in curves.items()
    }
