"""The export of the public pages as files."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import InputError
from auria_bot.web.export import export_site
from tests.exhibited import exhibited, publish

if TYPE_CHECKING:
    from pathlib import Path


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its relative name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_link_of_an_export_leads_to_a_file_of_it(tmp_path: Path) -> None:
    """Pages, pictures, style and feeds are all there, and no address begins with a slash."""
    folder = tmp_path / "out"
    result = export_site(exhibited(tmp_path / "home", 3), folder)
    assert (result.works, result.written) == (3, len(files(folder)) - 1)
    for page in folder.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        found = re.findall(r'(?:href|src)="([^"#]+)', text)
        found += [part.split()[0] for group in re.findall(r'srcset="([^"]+)"', text) for part in group.split(",")]
        local = [link for link in found if not link.startswith(("https://", "file://", "http://"))]
        assert local
        assert [link for link in local if not (page.parent / link).resolve().is_file()] == [], page


def test_an_export_writes_only_what_changed(tmp_path: Path) -> None:
    """The second time nothing; after a new work its pages, pictures and neighbours."""
    application, folder = exhibited(tmp_path / "home", 2), tmp_path / "out"
    export_site(application, folder)
    assert export_site(application, folder).written == 0
    publish(application, 3)
    application.gallery._checked = float("-inf")
    assert export_site(application, folder).written > 5
    assert (folder / "artworks" / "3-old-pond-number-3.html").is_file()


def test_what_is_no_longer_published_is_removed_and_nothing_else(tmp_path: Path) -> None:
    """Files that the export did not write stay."""
    application, folder = exhibited(tmp_path / "home", 2), tmp_path / "out"
    export_site(application, folder)
    (folder / "CNAME").write_text("auria.example.org")
    with application.store.begin() as unit:
        unit.samples.mark_vanished(1, at=application.clock())
    application.gallery._checked = float("-inf")
    assert export_site(application, folder).removed > 0
    assert not (folder / "artworks" / "1-old-pond-number-1.html").exists()
    assert not (folder / "pictures" / "1").exists()
    assert (folder / "CNAME").read_text() == "auria.example.org"


def test_pictures_of_before_stay_while_their_work_is_published(tmp_path: Path) -> None:
    """Feeds that were read refer to them; the next exports know them, too."""
    application, folder = exhibited(tmp_path / "home", 1), tmp_path / "out"
    export_site(application, folder)
    earlier = folder / "pictures" / "1" / "640.webp"
    earlier.write_bytes(b"of before")
    manifest = folder / ".auria-export.json"
    manifest.write_text(json.dumps([*json.loads(manifest.read_text()), "pictures/1/640.webp"]))
    for _ in range(2):
        assert export_site(application, folder).removed == 0
        assert earlier.read_bytes() == b"of before"


def test_an_interrupted_export_is_completed_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is known as an export, with every file that it wrote."""
    application, folder = exhibited(tmp_path / "home", 2), tmp_path / "out"
    with monkeypatch.context() as broken:
        broken.setattr("auria_bot.web.feeds.atom", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            export_site(application, folder)
    assert (folder / "artworks" / "1-old-pond-number-1.html").is_file()
    with application.store.begin() as unit:
        unit.samples.mark_vanished(1, at=application.clock())
    application.gallery._checked = float("-inf")
    assert export_site(application, folder).removed > 0
    assert not (folder / "artworks" / "1-old-pond-number-1.html").exists()
    assert (folder / "feed.xml").is_file()


def test_what_a_killed_first_export_left_is_no_other_file(tmp_path: Path) -> None:
    """The manifest is written first; one that was begun keeps nobody out."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / ".new-.auria-export.json-00aa11bb.json").write_text("[")
    assert export_site(exhibited(tmp_path / "home", 1), tmp_path / "site").works == 1


def test_a_folder_with_other_files_is_not_touched(tmp_path: Path) -> None:
    """Neither one without a manifest, nor one whose manifest names files outside it."""
    application = exhibited(tmp_path / "home", 1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    with pytest.raises(InputError, match="not an export"):
        export_site(application, tmp_path / "full")
    for content in ('["../full/thesis.txt"]', "[1]", "{", '["/etc/passwd"]'):
        (tmp_path / "full" / ".auria-export.json").write_text(content)
        with pytest.raises(InputError, match="damaged"):
            export_site(application, tmp_path / "full")
    assert (tmp_path / "full" / "thesis.txt").is_file()


def test_an_export_in_another_language(tmp_path: Path) -> None:
    """Every page is in it; a language without a catalogue is refused."""
    application = exhibited(tmp_path / "home", 1)
    export_site(application, tmp_path / "out", language="de")
    assert '<html lang="de">' in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    with pytest.raises(InputError, match="known: en, de"):
        export_site(application, tmp_path / "other", language="tlh")
