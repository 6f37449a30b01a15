"""Every page before axe-core, in light and dark, and by the Tab key from its first element to its last.

axe-core comes with the package axe-playwright-python (MPL-2.0); it is used in tests and never copied.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from tests.operators import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.bootstrap.application import Application

__all__ = ["Findings", "examine", "has_axe", "illegible_in", "pages_of", "sign_in", "violations_in"]

_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
_MOST_STOPS = 400  # presses of Tab on a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found."""

    pages: int
    violations: tuple[str, ...]  # page, scheme, rule and element
    traps: tuple[str, ...]  # pages that the Tab key does not leave, or where it skips an element


def has_axe() -> bool:
    """Whether axe-core is there."""
    return find_spec("axe_playwright_python") is not None


def pages_of(application: Application) -> tuple[str, ...]:
    """The address of every kind of page of a busy desk's application, the public ones first."""
    entry = application.gallery.entries()[0]
    drafts = application.review.drafts(["made"])
    posts = application.publisher.posts()
    return (
        "/",
        "/browse",
        "/search?q=river",
        "/search?q=nothing-like-it",
        f"/artworks/{entry.slug}",
        f"/moods/{entry.mood}",
        "/nowhere",
        "/wall",
        "/api",
        *(("/captions",) if application.settings.captions.page else ()),
        *_studio_pages(application),
        "/desk",
        "/desk?state=published",
        f"/desk/drafts/{drafts[0].id}",
        "/desk/calendar",
        "/desk/posts",
        "/desk/posts?group=waiting",
        *(f"/desk/posts/{post.id}" for post in posts[:2]),
        *(f"/desk/drafts/{draft.id}/versions" for draft in drafts if len(application.review.versions(draft.id)) > 1),
        "/desk/channels",
        "/desk/engagement?period=all",
        "/desk/moods",
        "/desk/health",
        "/desk/notices",
        "/desk/journal",
        "/desk/account",
    )


def _studio_pages(application: Application) -> tuple[str, ...]:
    """The studio's pages, one with a finished artwork; none where it is closed."""
    if not application.settings.web.studio:
        return ()
    studio = application.visitor_studio
    key = studio.ask(theme="autumn rain", visitor="somebody", address="192.0.2.1").key
    for _ in range(6000):
        if not studio.work(key).is_open:
            return "/studio", f"/studio/{key}"
        threading.Event().wait(0.05)
    raise RuntimeError("the studio does not finish a visitor's artwork")


def examine(
    chromium: Any, site: str, paths: Sequence[str], *, widths: Sequence[int] = (390, 1440), schemes: Sequence[str]
) -> Findings:
    """Look at pages as an owner who has signed in, on screens of these widths."""
    violations, traps = list[str](), list[str]()
    for scheme in schemes:
        for width in widths:
            context = chromium.new_context(
                viewport={"width": width, "height": 900}, color_scheme=scheme, locale="en-GB", reduced_motion="reduce"
            )
            page = context.new_page()
            page.goto(f"{site}/desk/sign-in")
            violations += violations_in(page, f"/desk/sign-in {scheme} {width}")
            sign_in(page, site)
            for path in paths:
                page.goto(site + path, wait_until="load")
                violations += violations_in(page, f"{path} {scheme} {width}")
                violations += illegible_in(page, f"{path} {scheme} {width}")
                if scheme == schemes[0]:
                    traps += _traps(page, f"{path} {width}")
            context.close()
    return Findings(pages=len(paths) + 1, violations=tuple(violations), traps=tuple(traps))


def sign_in(page: Any, site: str, name: str = "ada") -> None:
    """Sign an operator in."""
    page.goto(f"{site}/desk/sign-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/desk")


def violations_in(page: Any, where: str) -> list[str]:
    """What axe-core finds wrong in the page that is shown."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, rules)", _RULES)["violations"]
    return [
        f"{where}: {one['id']} at {node['target'][0]} ({node['failureSummary'].splitlines()[-1].strip()[:160]})"
        for one in found
        for node in one["nodes"]
    ]


_ILLEGIBLE = """() => {
  const faults = [], page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) faults.push(`it is ${page.scrollWidth} pixels wide`);
  for (const text of document.querySelectorAll("svg text")) {
    const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
    if (size < 9) faults.push(`“${text.textContent}” is written ${size.toFixed(1)} pixels high`);
  }
  return faults;
}"""


def illegible_in(page: Any, where: str) -> list[str]:
    """What makes the page that is shown wider than the screen, or is written too small to be read."""
    return [f"{where}: {fault}" for fault in page.evaluate(_ILLEGIBLE)]


_NEXT = """() => {
  const now = document.activeElement;
  if (!now || now === document.body) return "";
  if (!window.seen) window.seen = new Map();
  if (!window.seen.has(now)) window.seen.set(now, window.seen.size + 1);
  const box = now.getBoundingClientRect();
  return window.seen.get(now) + (box.width && box.height ? "" : " invisible: " + now.outerHTML.slice(0, 80));
}"""
_REACHABLE = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")].filter(
  one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility({ visibilityProperty: true }) && one.type !== "hidden"
    && !one.closest("details:not([open]) > :not(summary)")).length"""


def _traps(page: Any, where: str) -> list[str]:
    """What the Tab key does not reach, or does not leave."""
    wanted, seen = int(page.evaluate(_REACHABLE)), list[str]()
    page.evaluate("document.body.focus()")
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        now = str(page.evaluate(_NEXT))
        if seen and now == seen[-1]:
            continue  # another part of the same field, such as a month
        if not now or now in seen:
            break
        seen.append(now)
    else:
        return [f"{where}: the Tab key does not come to an end"]
    return [] if len(seen) >= wanted else [f"{where}: {len(seen)} of {wanted} elements are reached by the Tab key"]
