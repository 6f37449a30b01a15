"""Addresses on the site and in an export."""

from __future__ import annotations

import pytest

from auria_bot.web.links import facet_path, file_of, relative


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/", "index.html"),
        ("/page/2", "page/2.html"),
        ("/artworks/1-a", "artworks/1-a.html"),
        ("/feed.xml", "feed.xml"),
        ("/pictures/1/320.avif", "pictures/1/320.avif"),
        ("/paintings/st.-john", "paintings/st.-john.html"),
    ],
)
def test_each_page_has_a_file(path: str, file: str) -> None:
    """Pages end in .html; other files keep their names."""
    assert file_of(path) == file


def test_links_of_an_export_are_relative() -> None:
    """They work from any folder, without a web server."""
    assert relative("/", "/artworks/1-a") == "../index.html"
    assert relative("/artworks/2-b", "/artworks/1-a") == "2-b.html"
    assert relative("/static/site.css", "/moods/shy/page/2") == "../../../static/site.css"


def test_pages_of_a_facet() -> None:
    """The first page has no number, and blanks are dashes."""
    assert facet_path("", "") == "/"
    assert facet_path("", "", 2) == "/page/2"
    assert facet_path("season", "new year") == "/seasons/new-year"
    assert facet_path("style", "the-wave", 3) == "/paintings/the-wave/page/3"
