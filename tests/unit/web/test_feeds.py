"""Feeds, sitemap and oEmbed."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from auria_bot.domain.artwork import Haiku
from tests.exhibited import HOST, exhibited, publish, visitor

if TYPE_CHECKING:
    from pathlib import Path

ATOM = "{http://www.w3.org/2005/Atom}"


def parsed(text: str) -> ET.Element:
    """A document of Auria's own."""
    return ET.fromstring(text)  # noqa: S314 - it was written by the application under test


def test_the_atom_feed_has_the_newest_works(tmp_path: Path) -> None:
    """Addresses are absolute, and the content is escaped HTML."""
    application = exhibited(tmp_path, 2)
    publish(
        application,
        3,
        haiku=Haiku(lines=("a <script> & \x00\ufffe\uffff", "b", "c"), syllables=(5, 7, 5)),
        alt_text='"quoted" <b>',
    )
    answer = visitor(application).get("/feed.xml")
    feed = parsed(answer.text)
    entries = feed.findall(f"{ATOM}entry")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert [entry.findtext(f"{ATOM}id") for entry in entries][1:] == [
        f"{HOST}/artworks/2-old-pond-number-2",
        f"{HOST}/artworks/1-old-pond-number-1",
    ]
    assert entries[0].findtext(f"{ATOM}title") == "a <script> &  / b / c"
    content = entries[0].findtext(f"{ATOM}content") or ""
    assert "<script>" not in content
    assert 'alt="&#34;quoted&#34; &lt;b&gt;"' in content


def test_the_json_feed_names_pictures_and_tags(tmp_path: Path) -> None:
    """It follows JSON Feed 1.1."""
    feed = visitor(exhibited(tmp_path, 2)).get("/feed.json").json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["items"][0]["image"] == f"{HOST}/pictures/2/400.jpg"
    assert feed["items"][0]["tags"] == ["serene", "lake"]
    assert feed["items"][0]["date_published"] == "2026-11-23T12:30:15.123456+00:00"


def test_feeds_of_an_empty_gallery_are_valid(tmp_path: Path) -> None:
    """There is nothing in them."""
    browser = visitor(exhibited(tmp_path, 0))
    assert parsed(browser.get("/feed.xml").text).findall(f"{ATOM}entry") == []
    assert browser.get("/feed.json").json()["items"] == []


def test_the_sitemap_names_works_and_pages_to_browse_by(tmp_path: Path) -> None:
    """Every address in it can be read."""
    browser = visitor(exhibited(tmp_path, 3))
    found = parsed(browser.get("/sitemap.xml").text).iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
    paths = [str(element.text).removeprefix(HOST) for element in found]
    assert "/artworks/1-old-pond-number-1" in paths
    assert "/moods/serene" in paths
    assert {browser.get(path).status_code for path in paths} == {200}
    assert f"Sitemap: {HOST}/sitemap.xml" in browser.get("/robots.txt").text


def test_oembed_offers_the_largest_picture_that_fits(tmp_path: Path) -> None:
    """The size that is asked for bounds it; where none fits, it is a link, which has no picture."""
    browser = visitor(exhibited(tmp_path, 1))
    url = f"{HOST}/artworks/1-old-pond-number-1"
    whole = browser.get("/oembed", params={"url": url}).json()
    assert (whole["type"], whole["width"], whole["height"]) == ("photo", 400, 500)
    assert browser.get("/oembed", params={"url": url, "maxwidth": 399}).json()["url"].endswith("/320.jpg")
    for limits in ({"maxheight": 399}, {"maxwidth": 0}, {"maxwidth": -(10**400)}):
        none = browser.get("/oembed", params={"url": url, **limits}).json()
        assert (none["type"], none["title"]) == ("link", whole["title"])
        assert not none.keys() & {"url", "width", "height", "thumbnail_url"}


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://evil.example/artworks/1-x", 404),
        (f"{HOST}/artworks/7-x", 404),
        (f"{HOST}/artworks/x", 404),
        (f"{HOST}/artworks/\u0661", 404),
        (f"{HOST}/", 404),
        ("http://[", 404),
        ("", 404),
    ],
)
def test_oembed_knows_works_of_this_site_only(tmp_path: Path, url: str, status: int) -> None:
    """Anything else is not found."""
    assert visitor(exhibited(tmp_path, 1)).get("/oembed", params={"url": url}).status_code == status


def test_oembed_offers_json_only(tmp_path: Path) -> None:
    """501, as the protocol wants it."""
    assert visitor(exhibited(tmp_path, 1)).get("/oembed?url=x&format=xml").status_code == 501
