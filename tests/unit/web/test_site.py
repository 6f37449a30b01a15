"""The public pages as a browser without JavaScript finds them."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from auria_bot.art.portraits.portrait import PortraitRequest
from auria_bot.domain.artwork import Haiku, Style
from auria_bot.settings.web import WebSettings
from tests.exhibited import HOST, exhibited, publish, visitor
from tests.unit.services.portraits.test_portraits import portraits

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = '"><script>alert(1)</script>{{ 7*7 }}'


def test_the_home_page_shows_the_newest_work_first(tmp_path: Path) -> None:
    """Each work is there with its poem and its whole alt text; the first picture is not lazy."""
    page = visitor(exhibited(tmp_path, 3)).get("/").text
    assert re.findall(r'href="(/artworks/[^"]+)"', page) == [
        f"/artworks/{number}-old-pond-number-{number}" for number in (3, 2, 1)
    ]
    assert page.count('alt="A painting of lake ') == 3
    assert page.count('loading="lazy"') == 2
    assert page.index('fetchpriority="high"') < page.index('loading="lazy"')


def test_pictures_are_offered_in_sizes_and_formats(tmp_path: Path) -> None:
    """AVIF and WebP stand before JPEG, with width and height so that nothing shifts; each file can be read."""
    browser = visitor(exhibited(tmp_path, 1))
    page = browser.get("/artworks/1-old-pond-number-1").text
    assert page.index("image/avif") < page.index("image/webp") < page.index('src="/pictures/1/400.jpg"')
    assert 'width="400" height="500"' in page
    for suffix, kind in (("avif", "image/avif"), ("webp", "image/webp"), ("jpg", "image/jpeg")):
        answer = browser.get(f"/pictures/1/320.{suffix}")
        assert answer.headers["content-type"] == kind
        assert "immutable" in answer.headers["cache-control"]


def test_a_works_page_has_its_poem_alt_text_and_lineage(tmp_path: Path) -> None:
    """Seed, models by hash, painting, dates and posts are told."""
    application = exhibited(tmp_path, 1)
    page = unescape(visitor(application).get("/artworks/1-old-pond-number-1").text)
    for part in (
        "<span>a frog leaps into the moon</span>",
        "A painting of lake 1.",
        str(2**63 - 1),
        "a" * 64,
        "b" * 12,
        "The Wave 1",
        "by G. Courbet",
        "22 November 2026",
        'href="https://example.org/1"',
        "read from the poem",
    ):
        assert part in page, part


def test_a_works_page_describes_itself_to_programs(tmp_path: Path) -> None:
    """Open Graph, oEmbed, schema.org and the lasting address."""
    page = visitor(exhibited(tmp_path, 1)).get("/artworks/1-old-pond-number-1").text
    address = f"{HOST}/artworks/1-old-pond-number-1"
    assert f'<link rel="canonical" href="{address}">' in page
    assert f'<meta property="og:image" content="{HOST}/pictures/1/400.jpg">' in page
    assert "application/json+oembed" in page
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])
    assert (data["@type"], data["url"], data["image"]["width"]) == ("VisualArtwork", address, 400)


def test_an_address_lasts(tmp_path: Path) -> None:
    """The number alone leads to the page, and so do other words after it."""
    browser = visitor(exhibited(tmp_path, 1))
    for path in ("/artworks/1", "/artworks/1-other-words", "/artworks/1-old-pond-number-1/"):
        answer = browser.get(path)
        assert (answer.status_code, browser.get(answer.headers["location"]).status_code) in {(301, 200), (301, 301)}
    assert browser.get("/artworks/1").headers["location"] == "/artworks/1-old-pond-number-1"


def test_what_strangers_wrote_is_text_everywhere(tmp_path: Path) -> None:
    """A poem, alt text, theme, title and address with markup show as they are; other schemes are no links."""
    application = exhibited(tmp_path, 0)
    publish(
        application,
        1,
        haiku=Haiku(lines=(HOSTILE, HOSTILE, "moon"), syllables=(5, 7, 5)),
        style=Style(key="k<", title=HOSTILE, artist=HOSTILE, year="<i>"),
        alt_text=HOSTILE,
        theme=HOSTILE,
        mood_source="<i>",
        models=((f"poet:x:{HOSTILE}", "<b>"),),
        url="javascript:alert(1)",
    )
    browser = visitor(application)
    slug = application.gallery.entries()[0].slug
    for path in ("/", f"/artworks/{slug}", "/browse", "/paintings/k%3C", f"/search?q={HOSTILE}", "/search?q=moon"):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        assert "<script>" not in answer.text, path
        assert 'href="javascript' not in answer.text
        assert "49" not in re.sub(r'"[^"]*"', "", answer.text)
    page = browser.get(f"/artworks/{slug}").text
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])
    assert data["description"] == HOSTILE


@pytest.mark.parametrize(
    ("path", "works"),
    [
        ("/moods/serene", [3, 2, 1]),
        ("/paintings/style-1", [3, 1]),
        ("/subjects/lake", [3, 2, 1]),
        ("/years/2026", [3, 2, 1]),
        ("/search?q=number+2", [2]),
        ("/search?q=&mood=serene&year=2026", [3, 2, 1]),
        ("/search", []),
    ],
)
def test_pages_to_browse_by(tmp_path: Path, path: str, works: list[int]) -> None:
    """Each lists what it says, the newest first."""
    page = visitor(exhibited(tmp_path, 3)).get(path).text
    assert [int(number) for number in re.findall(r'<h2 class="poem".*?/artworks/(\d+)-', page)] == works


def test_long_listings_are_paged(tmp_path: Path) -> None:
    """Newer and older pages are linked, and the first one has one address."""
    application = exhibited(tmp_path, 3)
    application.settings = application.settings.model_copy(update={"web": WebSettings(page_size=2)})
    browser = visitor(application)
    assert 'rel="next" href="/page/2"' in browser.get("/").text
    assert 'rel="prev" href="/moods/serene"' in browser.get("/moods/serene/page/2").text
    assert 'rel="next"' not in browser.get("/page/2").text
    assert browser.get("/page/1").headers["location"] == "/"
    assert browser.get("/moods/serene/page/1").headers["location"] == "/moods/serene"
    assert "page=2" in browser.get("/search?q=frog").text


@pytest.mark.parametrize(
    "path",
    [
        "/artworks/9",
        "/artworks/x",
        "/artworks/99999999999999999999",
        "/page/9",
        "/page/0",
        "/moods/nothing",
        "/nothing/serene",
        "/moods/serene/page/7",
        "/pictures/1/333.jpg",
        "/pictures/1/320.gif",
        "/pictures/9/320.jpg",
        "/pictures/1/..%2f..%2fauria.db",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/search?q=frog&page=9",
        "/search?q=frog&page=x",
        "/%00",
        "/moods/%ff",
    ],
)
def test_what_is_not_there_is_404(tmp_path: Path, path: str) -> None:
    """Nothing outside the site is reached, and nothing breaks."""
    assert visitor(exhibited(tmp_path, 1)).get(path).status_code == 404


def test_an_empty_gallery_says_so(tmp_path: Path) -> None:
    """Every page works before the first work is published."""
    browser = visitor(exhibited(tmp_path, 0))
    assert "still bare" in browser.get("/").text
    assert browser.get("/browse").status_code == 200
    assert "Nothing was found" in browser.get("/search?q=moon").text


def test_a_work_without_its_picture_is_still_shown(tmp_path: Path) -> None:
    """The alt text stands in for the picture."""
    application = exhibited(tmp_path, 1)
    application.pictures.path("run-1", "full.png").unlink()
    page = visitor(application).get("/artworks/1-old-pond-number-1").text
    assert 'role="img" aria-label="A painting of lake 1."' in page
    assert "og:image" not in page


def test_the_portrait_in_use_stands_on_every_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As icon and beside the name, with an address that changes with it; without one the pages have the plain icon."""
    application = exhibited(tmp_path, 0)
    browser = visitor(application)
    assert "icon.svg" in browser.get("/").text
    assert browser.get("/portrait/icon.png").status_code == 404
    made = portraits(tmp_path)
    monkeypatch.setattr(application, "portraits", made)
    page = browser.get("/").text
    assert "/portrait/" not in page
    version = made.use(PortraitRequest(seed=3)).version
    page = browser.get("/").text
    assert page.count(f'"/portrait/icon.png?v={version}"') == 2
    assert 'og:image" content="http' in page
    assert browser.get("/portrait/512.jpg").headers["content-type"] == "image/jpeg"
    assert browser.get("/portrait/portrait.json").status_code == 404
