"""The registry of trained models: versions in a folder, which of them is served, and the way back to an earlier one.

`registry/MODEL/vN/` in the home holds the files of a version and `version.json`, what is known of it; neither changes
after registration. `registry/MODEL/promotions.json` says which versions were promoted, the one in force last.
`registry/served/` is a folder of models as the roles read it: a link to the promoted version of each model that has
one, and to the installed one of each other. A link is replaced at once, so that a reader sees one version or the other.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from auria_bot import __version__
from auria_bot.art import checkpoint
from auria_bot.errors import InputError, ModelError, NotFound
from auria_bot.files import disk_errors, file_lock, remove_strays, write_json
from auria_bot.services.models.catalogue import model_hash, model_metrics, numbers_of
from auria_bot.services.models.served_folder import link_folders
from auria_bot.services.models.versions import (
    INSTALLED,
    ModelVersion,
    checked_promotions,
    installed_stays,
    none_promoted,
    not_in_force,
    still_in_force,
    without_repeats,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from auria_bot.settings.schema import Settings

__all__ = ["FolderRegistry"]

_NOTE, _PROMOTIONS = "version.json", "promotions.json"
_NAME = re.compile(r"v[1-9]\d{0,8}")
_MODEL = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class FolderRegistry:
    """The versions of all models in a folder: a `ModelRegistry`, and the copy that is kept of one elsewhere."""

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime], copy_of: str = "") -> None:
        """Use the registry in the home of these settings; it is made when the first version is registered.

        Args:
            copy_of: the kind of registry that this is a local copy of; such a copy has a folder of its own.
        """
        self._folder, self._installed, self._clock = (
            settings.home / "registry" / copy_of,
            settings.installed_models,
            clock,
        )
        self._served = settings.served_models

    def models(self) -> tuple[str, ...]:
        """The models that have versions."""
        found = [path.parent.parent.name for path in self._folder.glob(f"*/v*/{_NOTE}")]
        return tuple(sorted(set(found) - {self._served.name}))

    def versions(self, model: str) -> tuple[ModelVersion, ...]:
        """The versions of a model, the newest first and the installed one last."""
        names = sorted(int(path.name[1:]) for path in self._own(model).glob("v*") if _NAME.fullmatch(path.name))
        found = [self.version(model, f"v{number}") for number in reversed(names)]
        installed = self._installed / model
        return (*found, self.version(model, INSTALLED)) if installed.is_dir() else tuple(found)

    def version(self, model: str, name: str) -> ModelVersion:
        """One version; raises NotFound."""
        is_promoted = self.promoted(model) == name
        if name == INSTALLED:
            folder = self.folder(model, name)
            return ModelVersion(
                model=model,
                name=name,
                sha256=model_hash(folder),
                metrics=model_metrics(folder),
                is_promoted=is_promoted,
            )
        note = self._own(model) / name / _NOTE
        try:
            known: Any = json.loads(note.read_text(encoding="utf-8")) if _NAME.fullmatch(name) else None
            return replace(ModelVersion.from_json(known), is_promoted=is_promoted)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise NotFound(
                f"there is no version {name[:40]!r} of the {model[:40]}", hint=f"auria models show {model[:40]}"
            ) from None

    def promoted(self, model: str) -> str:
        """The name of the version in force."""
        return (self._promotions(model) or [INSTALLED])[-1]

    def folder(self, model: str, name: str = "") -> Path:
        """The files of a version, by default of the one in force; raises NotFound."""
        name = name or self.promoted(model)
        folder = self._installed / _checked(model) if name == INSTALLED else self._own(model) / name / "files"
        if not folder.is_dir():
            raise NotFound(
                f"there are no files of version {name[:40]!r} of the {model[:40]}",
                hint=f"auria models show {model[:40]}",
            )
        return folder

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
        """Copy a trained model into the registry; see `ModelRegistry.register`."""
        own = self._own(model)
        with (
            self.staged(model, files, metrics=metrics, data=data, note=note, record=record) as (scratch, unnamed),
            file_lock(self._folder / ".lock"),
        ):
            taken = [int(path.name[1:]) for path in own.glob("v*") if _NAME.fullmatch(path.name)]
            version = replace(unnamed, name=f"v{max(taken, default=0) + 1}")
            self.keep(version, scratch)
        return version

    @contextlib.contextmanager
    def staged(
        self, model: str, files: Path, *, metrics: Mapping[str, Any], data: str, note: str, record: Path | None
    ) -> Iterator[tuple[Path, ModelVersion]]:
        """A copy of a trained model beside its versions, with checksums, and what is known of it; it has no name yet.

        Raises:
            ModelError: the files do not match their checksums.
            DiskError: the registry cannot be written.
        """
        with self.scratch(model) as scratch:
            shutil.copytree(files, scratch / "files", ignore=shutil.ignore_patterns(".*"))
            if not (scratch / "files" / checkpoint.CHECKSUMS).is_file():
                checkpoint.write_checksums(scratch / "files")
            version = ModelVersion(
                model=model,
                name="",
                registered_at=self._clock(),
                sha256=checkpoint.verify(scratch / "files"),
                metrics=dict(numbers_of(metrics)),
                data=data,
                note=note,
                program=__version__,
                experiment=record.name if record else "",
            )
            yield scratch, version

    @contextlib.contextmanager
    def scratch(self, model: str) -> Iterator[Path]:
        """The path of a folder beside the versions of a model; what is left of it at the end is deleted.

        Raises:
            DiskError: the registry cannot be written.
        """
        own = self._own(model)
        with disk_errors(own):
            own.mkdir(parents=True, exist_ok=True)
            remove_strays(own, old_only=True)
            folder = own / f".new-{secrets.token_hex(4)}"
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def keep(self, version: ModelVersion, scratch: Path | None = None) -> None:
        """Write what is known of a version, and move its files here from a scratch folder's `files`."""
        place = self._own(version.model) / version.name
        with disk_errors(place):
            if scratch is not None and not place.exists():
                write_json(scratch / _NOTE, version.to_json(), pretty=True)
                scratch.rename(place)
                return
            place.mkdir(parents=True, exist_ok=True)
            write_json(place / _NOTE, version.to_json(), pretty=True)
            if scratch is not None and not (place / "files").exists():
                (scratch / "files").rename(place / "files")
            if version.is_removed:
                shutil.rmtree(place / "files", ignore_errors=True)

    def set_promotions(self, model: str, names: Sequence[str]) -> None:
        """Take over the promotions of a registry elsewhere; the files of the last one are here.

        Raises:
            NotFound: they are not.
        """
        if names != self._promotions(model):
            with self._changing(model) as promotions:
                promotions[:] = names

    def promote(self, model: str, name: str, *, instead_of: str | None = None) -> ModelVersion:
        """Put a version in force; see `ModelRegistry.promote`."""
        version = self.version(model, name)
        if name != INSTALLED:
            checkpoint.verify(self.folder(model, name))
        with self._changing(model) as promotions:
            now = (promotions or [INSTALLED])[-1]
            if instead_of is not None and now != instead_of:
                raise not_in_force(model, name, now=now, expected=instead_of)
            if now != name:
                self.folder(model, name)  # it may have been removed while it was verified
                promotions.append(name)
        return replace(version, is_promoted=True)

    def rollback(self, model: str) -> ModelVersion:
        """Go back to the version that was in force before; see `ModelRegistry.rollback`."""
        with self._changing(model) as promotions:
            if not promotions:
                raise none_promoted(model)
            promotions.pop()
            self.folder(model, (promotions or [INSTALLED])[-1])
        return self.version(model, self.promoted(model))

    def remove(self, model: str, name: str) -> ModelVersion:
        """Delete the files of a version; see `ModelRegistry.remove`."""
        version = self.version(model, name)
        if name == INSTALLED:
            raise installed_stays(model)
        with self._changing(model) as promotions:
            if promotions and promotions[-1] == name:
                raise still_in_force(model, name)
            promotions[:] = without_repeats([one for one in promotions if one != name])
            removed = replace(version, is_removed=True)
            write_json(self._own(model) / name / _NOTE, removed.to_json(), pretty=True)
            shutil.rmtree(self._own(model) / name / "files", ignore_errors=True)
        return removed

    def refresh(self) -> None:
        """Bring the served folder up to date with the installed models; without promotions there is nothing to do."""
        if self._served.is_dir():
            with file_lock(self._folder / ".lock"):
                self._link()

    def settle(self) -> tuple[str, ...]:
        """Make the registry whole after a restore that brought records, but not the files of every version.

        A version whose files are missing, or are others than those registered, counts as removed; where it was in
        force, the one before it is. The links to what is served are made anew.

        Returns:
            The versions that are not in force any more, such as "captioner v3".

        Raises:
            DiskError: the registry cannot be written.
        """
        if not self._folder.is_dir():
            return ()
        lost = []
        with disk_errors(self._folder), file_lock(self._folder / ".lock"):
            for model in self.models():
                promotions = self._promotions(model)
                gone = [one for one in self.versions(model) if one.name != INSTALLED and not self._is_whole(one)]
                for version in gone:
                    removed = replace(version, is_promoted=False, is_removed=True)
                    write_json(self._own(model) / version.name / _NOTE, removed.to_json(), pretty=True)
                names = {version.name for version in gone}
                lost += [f"{model} {name}" for name in promotions[-1:] if name in names]
                if names & set(promotions):
                    left = without_repeats([name for name in promotions if name not in names])
                    write_json(self._own(model) / _PROMOTIONS, {"promotions": left}, pretty=True)
            if self._served.is_dir() or any(self._promotions(model) for model in self.models()):
                self._link()
        return tuple(lost)

    def _is_whole(self, version: ModelVersion) -> bool:
        try:
            return checkpoint.verify(self.folder(version.model, version.name)) == version.sha256
        except (ModelError, NotFound):
            return False

    def _own(self, model: str) -> Path:
        return self._folder / _checked(model)

    def _promotions(self, model: str) -> list[str]:
        try:
            return checked_promotions(json.loads((self._own(model) / _PROMOTIONS).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{self._own(model) / _PROMOTIONS} cannot be read: {error}; restore or delete it"
            ) from None

    @contextlib.contextmanager
    def _changing(self, model: str) -> Iterator[list[str]]:
        """The promotions of a model, under a lock; what the block made of them is in force at its end."""
        own = self._own(model)
        with disk_errors(own):
            own.mkdir(parents=True, exist_ok=True)
            with file_lock(self._folder / ".lock"):
                promotions = self._promotions(model)
                yield promotions
                write_json(own / _PROMOTIONS, {"promotions": promotions}, pretty=True)
                self._link()

    def _link(self) -> None:
        """Make every link of the served folder lead to the version in force."""
        wanted = {one.name: one for one in self._installed.glob("[!.]*") if one.is_dir()}
        wanted |= {model: self.folder(model) for model in self.models() if self._promotions(model)}
        link_folders(self._served, wanted)


def _checked(model: str) -> str:
    if not _MODEL.fullmatch(model) or model in {"served", "mlflow"}:
        raise NotFound(f"there is no model {model[:40]!r}", hint="auria models")
    return model
