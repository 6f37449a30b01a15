"""What belongs in a backup beside the database, which paths a restore accepts, and what their records may say.

    pictures/FOLDER/FILE                      of drafts
    visitors/KEY/FILE                         artworks of the live studio that their visitors keep
    ratings/SHA256.jpg                        pictures that were kept with a rating, with consent
    registry/MODEL/promotions.json            which versions of a model were put in service
    registry/MODEL/vN/version.json            what is known of a version: figures, hash, data
    registry/MODEL/vN/files/...               its files, of the versions that the setting chooses

Not in a backup: settings, secrets (operators and keys of programs are among them), caches and copies, models that came
with the program, a registry on a server, footage, films, records of trainings.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from auria_bot.errors import AuriaError, StoreError
from auria_bot.services.models.versions import ModelVersion, checked_promotions
from auria_bot.services.visitors.works import VisitorWork

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["NOT_INCLUDED", "ModelFiles", "check_record", "contents", "holdings", "is_accepted"]

NOT_INCLUDED: Final = "settings, secrets, operators and keys, footage, films, training records, published pipelines"
"""What an operator might look for in a backup in vain."""

_NAME = r"[^./\\\x00-\x1f][^/\\\x00-\x1f]*"
_VERSION = r"registry/(?!(?:served|mlflow)/)[a-z0-9][a-z0-9-]{0,63}/v[1-9]\d{0,8}"
_PATHS = re.compile(
    rf"pictures/{_NAME}/(?!\.\.?$)[^/\\\x00-\x1f]+"
    rf"|visitors/[0-9a-f]{{32}}/{_NAME}"
    r"|ratings/[0-9a-f]{64}\.jpg"
    rf"|{_VERSION}/(?:version\.json|files/(?:{_NAME}/){{0,3}}{_NAME})"
    r"|registry/(?!(?:served|mlflow)/)[a-z0-9][a-z0-9-]{0,63}/promotions\.json"
)
_RECORD_LIMIT = 1 << 20  # bytes of a record


class ModelFiles(StrEnum):
    """Of which versions in the registry a backup holds the files."""

    IN_SERVICE = "in-service"  # the version of each model that is in service
    ALL = "all"
    NONE = "none"


def is_accepted(name: str) -> bool:
    """Whether a path relative to the home is one that a backup may hold."""
    return _PATHS.fullmatch(name) is not None


def contents(home: Path, models: ModelFiles) -> Sequence[tuple[str, Path]]:
    """The files of a home that belong in a backup, by their paths relative to it; no links."""
    found = [*home.glob("pictures/[!.]*/*"), *home.glob("ratings/*.jpg")]
    found += [
        file for record in home.glob("visitors/*/work.json") if _is_kept(record) for file in record.parent.glob("*")
    ]
    found += [*home.glob("registry/*/promotions.json"), *home.glob("registry/*/v*/version.json")]
    found += [file for folder in _model_folders(home, models) for file in folder.rglob("*")]
    named = {file.relative_to(home).as_posix(): file for file in found if file.is_file() and not file.is_symlink()}
    return [(name, file) for name, file in sorted(named.items()) if is_accepted(name)]


def holdings(names: Iterable[str]) -> dict[str, int]:
    """How much of each kind these paths are: drafts, visitors' works, ratings' pictures, versions, with files."""
    found: dict[str, set[str]] = defaultdict(set)
    for name in names:
        kind, _, rest = name.partition("/")
        if kind == "registry":
            parts = rest.split("/")
            if len(parts) > 2:
                found["versions" if parts[2] == "version.json" else "version_files"].add("/".join(parts[:2]))
        elif rest:
            found[kind].add(rest.partition("/")[0])
    kinds = {"drafts": "pictures", "visitors": "visitors", "ratings": "ratings"}
    kinds |= {"versions": "versions", "version_files": "version_files"}
    return {name: len(found[kind]) for name, kind in kinds.items()}


def check_record(name: str, file: Path) -> None:
    """Check what a record of a backup says, since it will be believed: keys, names of files, promotions.

    Raises:
        StoreError: no record that Auria writes says so.
    """
    parts = name.split("/")
    try:
        match parts:
            case ["visitors", key, "work.json"]:
                _expect(VisitorWork.from_json(_read(file)).key, key)
            case ["registry", model, version, "version.json"]:
                known = ModelVersion.from_json(_read(file))
                _expect(f"{known.model} {known.name}", f"{model} {version}")
            case ["registry", _, "promotions.json"]:
                checked_promotions(_read(file))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, AuriaError) as error:
        raise StoreError(f"{name} of the backup cannot be used ({str(error)[:200]}); take another backup") from None


def _expect(found: str, expected: str) -> None:
    if found != expected:
        raise ValueError(f"it is the record of {found[:60]!r}, not of {expected!r}")


def _read(file: Path) -> Any:
    if file.stat().st_size > _RECORD_LIMIT:
        raise ValueError("it is too long")
    return json.loads(file.read_text(encoding="utf-8"))


def _is_kept(record: Path) -> bool:
    try:
        work = VisitorWork.from_json(_read(record))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False
    return work.is_kept and work.key == record.parent.name


def _model_folders(home: Path, models: ModelFiles) -> Iterator[Path]:
    """The folders of files of the versions that are chosen."""
    if models is ModelFiles.ALL:
        yield from home.glob("registry/*/v*/files")
    elif models is ModelFiles.IN_SERVICE:
        for file in home.glob("registry/*/promotions.json"):
            try:
                promoted = checked_promotions(_read(file))
            except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue
            if promoted:
                yield file.parent / promoted[-1] / "files"
