"""What every page needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auria_bot.web.app import site_of
from auria_bot.web.language import find_language
from auria_bot.web.rendering import View
from tests.exhibited import exhibited

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_addresses_of_an_export_name_files(tmp_path: Path) -> None:
    """On the running site they are paths; full ones begin with the public address."""
    running = View("/moods/shy", find_language("en"), base="https://a.example")
    exported = View("/moods/shy", find_language("en"), base="https://a.example", exported=True)
    assert (running.link("/browse"), exported.link("/browse")) == ("/browse", "../browse.html")
    assert running.absolute("/browse") == "https://a.example/browse"
    assert exported.absolute("/browse") == "https://a.example/browse.html"
    assert exported.absolute("/") == "https://a.example/"


def test_static_files_have_an_address_that_changes_with_them(tmp_path: Path) -> None:
    """So browsers may keep them; JSON in a page cannot end its element."""
    _, renderer = site_of(exhibited(tmp_path, 0))
    view = View("/nowhere", find_language("en"), base="https://a.example")
    page = renderer.page("error.html", view, status=404, message="", reference="")
    assert 'href="/static/site.css?v=' in page
    shown = renderer._environment.from_string("{{ value | ld_json }}").render(value={"a": "</script><!--"})
    assert "</script" not in shown
    assert "<!--" not in shown


def test_a_card_is_rendered_once_for_each_use(tmp_path: Path) -> None:
    """The running site keeps it; another language, another place or an export has its own."""
    application = exhibited(tmp_path, 1)
    _, renderer = site_of(application)
    (work,) = application.gallery.newest(1)
    english, german = (View("/", find_language(tag), base="https://a.example") for tag in ("en", "de"))
    first = renderer.card(english, work, "92vw")
    assert renderer.card(english, work, "92vw") is first
    others = (renderer.card(german, work, "92vw"), renderer.card(english, work, "50vw", "h3"))
    assert first not in others
    exported = renderer.card(View("/", english.language, base=english.base, exported=True), work, "92vw")
    assert 'href="artworks/' in exported


def test_the_pages_seen_most_need_no_compiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once that was done before the server listens."""
    site, renderer = site_of(exhibited(tmp_path, 1))
    renderer.compile()
    compiled = list[str]()
    monkeypatch.setattr(renderer._environment, "compile", lambda *_, **__: compiled.append("a template"))
    for path in site.paths():
        assert site.page(View(path, find_language("en"), base="https://a.example"))
    assert compiled == []
