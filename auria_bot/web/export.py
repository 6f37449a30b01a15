"""Writes the public pages as files: the same pages as on the running site, with links between files.

A manifest in the folder names every file that was written, so that a later export removes what is no longer published
and touches nothing else.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.errors import InputError, NotFound
from auria_bot.files import atomic_path, disk_errors, remove_strays, write_atomic
from auria_bot.services.gallery.picture_sizes import FORMATS
from auria_bot.services.portraits.portraits import FILES
from auria_bot.web import feeds
from auria_bot.web.app import site_of
from auria_bot.web.language import available, find_language
from auria_bot.web.links import file_of, film_path, picture_path, portrait_path, reading_path
from auria_bot.web.rendering import View

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auria_bot.bootstrap.application import Application
    from auria_bot.web.language import Language

__all__ = ["ExportResult", "export_site"]

_MANIFEST = ".auria-export.json"
_MODE = 0o644  # a web server reads the files
_ASSETS = ("site.css", "icon.svg", "eb-garamond-regular.woff2", "eb-garamond-italic.woff2")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What an export came to."""

    works: int
    pages: int
    written: int  # files that are new or changed
    removed: int


def export_site(
    services: Application, folder: Path, *, language: str = "", progress: Callable[[int, int, str], None] | None = None
) -> ExportResult:
    """Write all public pages, pictures and feeds into a folder.

    Args:
        services: whose gallery is exported.
        folder: is created; must be empty, or hold an earlier export.
        language: a tag of the pages; "" for that of the settings.
        progress: called before the pictures of each new work, with works done, works in all and its poem's first line.

    Raises:
        InputError: the folder holds other files, or there is no such language.
        DiskError: it cannot be written.
    """
    if language and language not in available():
        raise InputError(f"no catalogue for the language {language[:20]!r}; known: {', '.join(available())}")
    folder = folder.expanduser().absolute()
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        earlier = _manifest(folder)
        export = _Export(services, folder, find_language(language or services.settings.language), progress)
        _write_manifest(folder, earlier)
        try:
            export.write()
        finally:
            _write_manifest(folder, earlier | export.files)  # also when interrupted: the next export goes on from there
        export.keep_pictures(earlier)
        removed = _remove(folder, earlier - export.files)
        _write_manifest(folder, export.files)
    works = len(services.gallery.entries())
    return ExportResult(works=works, pages=export.pages, written=export.written, removed=removed)


class _Export:
    """One export."""

    def __init__(
        self,
        services: Application,
        folder: Path,
        language: Language,
        progress: Callable[[int, int, str], None] | None,
    ) -> None:
        self._folder, self._language, self._progress = folder, language, progress
        self._base = services.settings.web.url or folder.as_uri()
        self._site, self._renderer = site_of(services)
        self._portrait = services.portraits.current
        self.files: set[str] = set()
        self._ready: set[Path] = set()  # folders that are there, without what a killed export left in them
        self.pages = self.written = 0

    def write(self) -> None:
        """Write everything; pictures first, so that no page refers to a missing one."""
        for name in _ASSETS:
            self._write(f"static/{name}", resources.files("auria_bot.web").joinpath("static", name).read_bytes())
        if (portrait := self._portrait()) is not None:
            for name in FILES:
                self._write(file_of(portrait_path(name)), portrait.file(name).read_bytes())
        for path, source in self._pictures():
            self._copy(path, source)
        for path in self._site.paths():
            self._write(file_of(path), self._site.page(self._view(path)).encode())
            self.pages += 1
        self._write("feed.xml", feeds.atom(self._site, self._view("/feed.xml")))
        feed = feeds.json_feed(self._site, self._view("/feed.json"))
        self._write("feed.json", json.dumps(feed, ensure_ascii=False).encode())
        self._write("sitemap.xml", feeds.sitemap(self._site, self._view("/sitemap.xml")))
        lost = self._renderer.page("error.html", self._view("/404"), status=404, message="", reference="")
        self._write("404.html", lost.encode())

    def keep_pictures(self, earlier: set[str]) -> None:
        """Keep the pictures of an earlier export, in other widths, of works that are there: feeds refer to them."""
        folders = {str(Path(name).parent) for name in self.files if name.startswith("pictures/")}
        self.files |= {name for name in earlier if str(Path(name).parent) in folders}

    def _view(self, path: str) -> View:
        return View(path, self._language, base=self._base, exported=True)

    def _pictures(self) -> Iterator[tuple[str, Path]]:
        entries = self._site.gallery.entries()
        for number, entry in enumerate(entries):
            draft = self._site.gallery.work(entry.id).draft
            if self._progress is not None and not (self._folder / "pictures" / str(entry.id)).is_dir():
                self._progress(number, len(entries), draft.artwork.haiku.lines[0])
            for width in self._site.sizes.widths(draft):
                for suffix in FORMATS:
                    yield file_of(picture_path(entry.id, width, suffix)), self._site.sizes.file(draft, width, suffix)
            with contextlib.suppress(NotFound):
                film = self._site.sizes.film(draft)
                yield file_of(film_path(entry.id, film.name)), film
            if (reading := self._site.readings.find(draft.artwork.haiku)) is not None:
                yield file_of(reading_path(entry.id, reading.name)), reading

    def _write(self, name: str, content: bytes) -> None:
        self.files.add(name)
        target = self._folder / name
        if not target.is_file() or target.read_bytes() != content:
            self._make_ready(target.parent)
            write_atomic(target, content, mode=_MODE, durable=False)
            self.written += 1

    def _copy(self, name: str, source: Path) -> None:
        """Copy a picture; one of the same size is there already, because published pictures never change."""
        self.files.add(name)
        target = self._folder / name
        if not target.is_file() or target.stat().st_size != source.stat().st_size:
            self._make_ready(target.parent)
            with atomic_path(target, mode=_MODE, durable=False) as scratch:
                shutil.copyfile(source, scratch)
            self.written += 1

    def _make_ready(self, folder: Path) -> None:
        """Make a folder and look through it once: it may hold thousands of files."""
        if folder not in self._ready:
            folder.mkdir(parents=True, exist_ok=True)
            remove_strays(folder, old_only=True)
            self._ready.add(folder)


def _manifest(folder: Path) -> set[str]:
    """The files of the export that the folder holds; none if it is empty.

    Raises:
        InputError: the folder holds other files, or its manifest is damaged.
    """
    try:
        names = set(json.loads((folder / _MANIFEST).read_text(encoding="utf-8")))
        safe = all(
            isinstance(name, str) and not Path(name).is_absolute() and ".." not in Path(name).parts for name in names
        )
    except FileNotFoundError:
        if any(not path.name.startswith(f".new-{_MANIFEST}") for path in folder.iterdir()):  # of a killed first export
            raise InputError(f"{folder} holds files that are not an export; name an empty or a new folder") from None
        return set()
    except (ValueError, TypeError):
        safe, names = False, set[str]()
    if not safe:
        raise InputError(f"{folder / _MANIFEST} is damaged; delete the folder and export again")
    return names


def _write_manifest(folder: Path, names: set[str]) -> None:
    write_atomic(folder / _MANIFEST, json.dumps(sorted(names), indent=0), mode=_MODE, durable=False)


def _remove(folder: Path, names: set[str]) -> int:
    for name in names:
        (folder / name).unlink(missing_ok=True)
        parent = (folder / name).parent
        while parent != folder and parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
            parent = parent.parent
    return len(names)
