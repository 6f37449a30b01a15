"""The pages before axe-core and the Tab key: the small form of the benchmark web-accessible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from auria_bot.domain.artwork import Haiku, Style
from auria_bot.settings.web import WebSettings
from tests.browser import browser, missing, served
from tests.exhibited import publish
from tests.operators import with_operators
from tests.scenarios.desk import busy_desk, open_to_visitors
from tests.scenarios.web_accessible import examine, has_axe, illegible_in, pages_of, sign_in

if TYPE_CHECKING:
    from pathlib import Path

REASON = missing() or ("" if has_axe() else "axe-playwright-python is not installed")

pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)


@pytest.mark.parametrize("part", range(3))
def test_every_page_is_accessible_on_a_phone(tmp_path: Path, part: int) -> None:
    """No violation in light, and the Tab key reaches everything and comes to an end."""
    application = busy_desk(tmp_path)
    open_to_visitors(application)
    with served(application) as site, browser() as chromium:
        found = examine(chromium, site, pages_of(application)[part::3], widths=(390,), schemes=("light",))
    application.close()
    assert found.violations == ()
    assert found.traps == ()


def test_long_words_are_broken_where_the_screen_ends(tmp_path: Path) -> None:
    """A title, a poem, a painting and an alt text of one word each make no page wider than a phone."""
    application, word = with_operators(tmp_path, drafts=0), "Donaudampfschifffahrtsgesellschaft" * 4
    application.settings = application.settings.model_copy(update={"web": WebSettings(title=word[:100])})
    publish(
        application,
        haiku=Haiku(lines=(word, word, word), syllables=(5, 7, 5)),
        style=Style(key="long", title=word, artist=word, year="1870"),
        alt_text=word * 2,
        post_text=word,
        theme=word,
    )
    paths = [f"/artworks/{application.gallery.entries()[0].slug}", "/", "/browse", "/search?q=a", "/wall", "/nowhere"]
    paths += ["/desk?state=published", "/desk/drafts/1", "/desk/posts/1", "/desk/calendar", "/desk/account"]
    with served(application) as site, browser() as chromium:
        page = chromium.new_page(viewport={"width": 390, "height": 844})
        sign_in(page, site)
        faults = list[str]()
        for path in paths:
            answer = page.goto(site + path)
            assert answer.status == (404 if path == "/nowhere" else 200), path
            assert page.url == site + path
            faults += illegible_in(page, path)
    application.close()
    assert faults == []


_SHADES = """() => {
  const light = (colour) => colour.match(/[0-9.]+/g).slice(0, 3).map(Number).reduce((sum, one, at) => sum + one * [0.21, 0.72, 0.07][at], 0);
  const paper = light(getComputedStyle(document.documentElement).backgroundColor), cell = document.querySelector(".heat tbody td");
  return [1, 2, 3, 4, 5].map((shade) => { cell.className = `s${shade}`; return Math.abs(light(getComputedStyle(cell).backgroundColor) - paper); });
}"""
_FORMS = """selector => [...document.querySelectorAll(selector)].map((one) => {
  const style = getComputedStyle(one);
  return [one.classList[1], style.borderLeftStyle, style.borderLeftWidth];
})"""
_ALIGNED = """() => [...document.querySelectorAll("table.bars")].map((table) => [
  [...table.querySelectorAll("thead th")].slice(1, 4).map((one) => getComputedStyle(one).textAlign),
  [...table.querySelectorAll("tbody tr:first-child td")].slice(0, 3).map((one) => getComputedStyle(one).textAlign),
])"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_desk_says_nothing_by_colour_alone(tmp_path: Path, scheme: Literal["light", "dark"]) -> None:
    """Entries of the calendar differ in form as their legend does; a better hour stands out more from the paper."""
    application = busy_desk(tmp_path)
    with served(application) as site, browser() as chromium:
        page = chromium.new_page(viewport={"width": 1024, "height": 900}, color_scheme=scheme, locale="en-GB")
        sign_in(page, site)
        page.goto(f"{site}/desk/calendar")
        legend = {kind: tuple(form) for kind, *form in page.evaluate(_FORMS, ".legend .dot")}
        assert len(set(legend.values())) == len(legend) == 4
        shown = [(kind, tuple(form)) for kind, *form in page.evaluate(_FORMS, ".entry:not(.free)")]
        assert shown
        assert all(legend[kind] == form for kind, form in shown)
        page.goto(f"{site}/desk/moods")
        assert all(heads == cells for heads, cells in page.evaluate(_ALIGNED))
        assert "-0.00" not in page.inner_text("main")
        page.goto(f"{site}/desk/engagement?period=all")
        shades = page.evaluate(_SHADES)
        assert shades == sorted(shades)
        faults = illegible_in(page, "1024")
        page.set_viewport_size({"width": 320, "height": 800})
        faults += illegible_in(page, "320")
    application.close()
    assert faults == []
