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
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from auria_bot.errors import InputError, InvalidTransition, NotFound
from auria_bot.files import disk_errors, file_lock, write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from auria_bot.settings.schema import Settings

__all__ = ["INSTALLED", "ModelRegistry", "ModelVersion"]

INSTALLED: Final = "installed"
"""The name of the version that came with the program, or lies in the folder that the setting `models` names."""

_NOTE, _PROMOTIONS = "version.json", "promotions.json"
_NAME = re.compile(r"v[1-9]\d{0,8}")
_MODEL = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


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


class ModelRegistry:
    """The versions of all models.

    Usage::

        version = registry.register("captioner", folder, metrics={"cider_d": 0.51}, data="flickr8k and 40 ratings")
        registry.promote("captioner", version.name)
        registry.rollback("captioner")
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], datetime]) -> None:
        """Use the registry in the home of these settings; it is made when the first version is registered."""
        self._folder, self._installed, self._clock = settings.home / "registry", settings.installed_models, clock
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
        """One version.

        Raises:
            NotFound: there is no such version.
        """
        from auria_bot.services.models.catalogue import model_hash, model_metrics

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
            known = json.loads(note.read_text(encoding="utf-8")) if _NAME.fullmatch(name) else None
        except (OSError, ValueError):
            known = None
        if not isinstance(known, dict):
            raise NotFound(
                f"there is no version {name[:40]!r} of the {model[:40]}", hint=f"auria models show {model[:40]}"
            )
        known["registered_at"] = datetime.fromisoformat(known["registered_at"])
        return ModelVersion(**(known | {"is_promoted": is_promoted}))

    def promoted(self, model: str) -> str:
        """The name of the version in force."""
        return (self._promotions(model) or [INSTALLED])[-1]

    def folder(self, model: str, name: str = "") -> Path:
        """The files of a version, by default of the one in force.

        Raises:
            NotFound: there is no such version, or its files were removed.
        """
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
        """Copy a trained model into the registry as a new version, which nothing serves yet.

        Args:
            model: the model's name, such as "captioner".
            files: its folder.
            metrics: figures of its training; numbers, or tables of them.
            data: what it was trained on.
            note: anything else.
            record: the folder with the record of its training.

        Raises:
            ModelError: the files do not match their checksums.
            DiskError: the registry cannot be written.
        """
        from auria_bot import __version__
        from auria_bot.art import checkpoint
        from auria_bot.services.models.catalogue import numbers_of

        own = self._own(model)
        with disk_errors(own):
            own.mkdir(parents=True, exist_ok=True)
            scratch = own / f".new-{secrets.token_hex(4)}"
            try:
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
                with file_lock(self._folder / ".lock"):
                    taken = [int(path.name[1:]) for path in own.glob("v*") if _NAME.fullmatch(path.name)]
                    version = replace(version, name=f"v{max(taken, default=0) + 1}")
                    write_json(scratch / _NOTE, version.to_json(), pretty=True)
                    scratch.rename(own / version.name)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
        return version

    def promote(self, model: str, name: str, *, instead_of: str | None = None) -> ModelVersion:
        """Put a version in force: studio and model server use it from then on.

        Args:
            model: the model's name.
            name: the version's name, or INSTALLED.
            instead_of: the version that must be in force now; None for any. So of two that promote at once, each after
                a comparison with the version in force, one wins.

        Raises:
            NotFound: there is no such version.
            InvalidTransition: another version is in force than `instead_of`.
            ModelError: the files do not match their checksums.
        """
        from auria_bot.art import checkpoint

        version = self.version(model, name)
        if name != INSTALLED:
            checkpoint.verify(self.folder(model, name))
        with self._changing(model) as promotions:
            now = (promotions or [INSTALLED])[-1]
            if instead_of is not None and now != instead_of:
                raise InvalidTransition(
                    f"version {now} of the {model} was promoted meanwhile, not {instead_of}; compare with it first",
                    hint=f"auria models compare {model} {now} {name}",
                )
            if now != name:
                self.folder(model, name)  # it may have been removed while it was verified
                promotions.append(name)
        return replace(version, is_promoted=True)

    def rollback(self, model: str) -> ModelVersion:
        """Go back to the version that was in force before.

        Raises:
            InvalidTransition: none was.
            NotFound: its files were removed.
        """
        with self._changing(model) as promotions:
            if not promotions:
                raise InvalidTransition(f"no version of the {model} was promoted; the installed one is in force")
            promotions.pop()
            self.folder(model, (promotions or [INSTALLED])[-1])
        return self.version(model, self.promoted(model))

    def compare(self, model: str, one: str, other: str) -> dict[str, tuple[float | None, float | None]]:
        """Every figure that either of two versions has, by name; None where one lacks it.

        Raises:
            NotFound: there is no such version.
        """
        first, second = self.version(model, one).metrics, self.version(model, other).metrics
        return {name: (first.get(name), second.get(name)) for name in sorted({*first, *second})}

    def remove(self, model: str, name: str) -> ModelVersion:
        """Delete the files of a version; what is known of it stays, since artworks may name its hash.

        A rollback passes it over.

        Raises:
            NotFound: there is no such version.
            InputError: it is the installed one.
            InvalidTransition: it is in force.
        """
        version = self.version(model, name)
        if name == INSTALLED:
            raise InputError(f"the installed {model} belongs to the program and is not removed here")
        with self._changing(model) as promotions:
            if promotions and promotions[-1] == name:
                raise InvalidTransition(
                    f"version {name} of the {model} is in force; promote another one first",
                    hint=f"auria models rollback {model}",
                )
            promotions[:] = _without_repeats([one for one in promotions if one != name])
            removed = replace(version, is_removed=True)
            write_json(self._own(model) / name / _NOTE, removed.to_json(), pretty=True)
            shutil.rmtree(self._own(model) / name / "files", ignore_errors=True)
        return removed

    def refresh(self) -> None:
        """Bring the served folder up to date with the installed models; without promotions there is nothing to do."""
        if self._served.is_dir():
            with file_lock(self._folder / ".lock"):
                self._link()

    def _own(self, model: str) -> Path:
        return self._folder / _checked(model)

    def _promotions(self, model: str) -> list[str]:
        try:
            found = json.loads((self._own(model) / _PROMOTIONS).read_text(encoding="utf-8"))["promotions"]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{self._own(model) / _PROMOTIONS} cannot be read: {error}; restore or delete it"
            ) from None
        return [str(name) for name in found]

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
        self._served.mkdir(parents=True, exist_ok=True)
        wanted = {one.name: one for one in self._installed.glob("[!.]*") if one.is_dir()}
        wanted |= {model: self.folder(model) for model in self.models() if self._promotions(model)}
        for name, target in wanted.items():
            _replace_link(self._served / name, target.resolve())
        for link in self._served.iterdir():
            if link.name not in wanted:
                _remove(link)


def _checked(model: str) -> str:
    if not _MODEL.fullmatch(model) or model == "served":
        raise NotFound(f"there is no model {model[:40]!r}", hint="auria models")
    return model


def _without_repeats(names: list[str]) -> list[str]:
    return [name for at, name in enumerate(names) if not at or names[at - 1] != name]


def _replace_link(link: Path, target: Path) -> None:
    """Make a link lead to a folder; where links cannot be made, copy the folder."""
    if link.is_symlink() and link.resolve() == target:
        return
    fresh = link.with_name(f".{link.name}.new")
    _remove(fresh)
    try:
        fresh.symlink_to(target, target_is_directory=True)
    except OSError:  # Windows, without the right to make links
        if (link / "SHA256SUMS").is_file() and _sums(link) == _sums(target):
            return
        shutil.copytree(target, fresh)
        _remove(link)
    fresh.replace(link)


def _sums(folder: Path) -> bytes:
    path = folder / "SHA256SUMS"
    return path.read_bytes() if path.is_file() else b""


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    elif path.is_dir():
        shutil.rmtree(path)
