"""The pages before axe-core and the Tab key: the small form of the benchmark web-accessible."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
