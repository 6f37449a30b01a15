"""Renders the folder channel's gallery as HTML pages without scripts.

Everything that comes from a post is escaped. The same posts give the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from auria_bot.channels.text_limits import ANY_HASHTAG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

__all__ = ["PER_PAGE", "GalleryItem", "pages"]

_POLICY = "default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'"
PER_PAGE = 60
"""Posts on one page."""

_CREDIT = re.compile(
    r"(?:after|manner of|taken from) \u201c(?P<title>[^\u201d]{1,200})\u201d"
    r" (?P<byline>(?:by|attributed to|after|in the style of) [^\n;]{1,160}?)\.(?= It | Poem|\s*$)"
)
"""The credit of a painting in an alt text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryItem:
    """A post in the gallery."""

    name: str  # of its folder, and its anchor on the page
    at: datetime
    text: str
    alt_text: str
    picture: str  # relative to the page
    width: int  # pixels; 0 where unknown
    height: int


def pages(items: Sequence[GalleryItem], *, title: str, subtitle: str, language: str) -> Mapping[str, str]:
    """All pages by file name: index.html with the newest posts, then page-2.html ..."""
    chunks = [items[at : at + PER_PAGE] for at in range(0, len(items), PER_PAGE)] or [[]]
    return {
        _file(number): _page(chunk, number, len(chunks), title=title, subtitle=subtitle, language=language)
        for number, chunk in enumerate(chunks, start=1)
    }


@cache
def _style() -> str:
    return resources.files("auria_bot.channels.folder").joinpath("gallery.css").read_text(encoding="utf-8")


def _file(number: int) -> str:
    return "index.html" if number == 1 else f"page-{number}.html"


def _parts(text: str) -> tuple[list[str], list[str], list[str]]:
    """A post's text as the lines of its poem, its other lines, and its hashtags."""
    first, *rest = re.split(r"\n\s*\n", text.strip(), maxsplit=1)
    poem = [line.strip() for line in first.splitlines() if line.strip()]
    tags = list(dict.fromkeys(ANY_HASHTAG.findall("\n".join(rest))))
    other = [line.strip() for block in rest for line in ANY_HASHTAG.sub("", block).splitlines()]
    return poem, [line for line in other if line], tags


def _article(item: GalleryItem, *, first: bool) -> str:
    poem, other, tags = _parts(item.text)
    size = f' width="{item.width}" height="{item.height}"' if item.width and item.height else ""
    loading = ' fetchpriority="high"' if first else ' loading="lazy" decoding="async"'
    lines = "".join(f"<span>{escape(line)}</span> " for line in poem).rstrip()
    credit = _CREDIT.search(item.alt_text) or _CREDIT.search(item.text)
    notes = [f"<p>{escape(line)}</p>" for line in other if not line.startswith("—")]
    if credit and not any("after " in line for line in other):
        notes.append(f"<p>After <cite>{escape(credit['title'])}</cite> {escape(credit['byline'])}</p>")
    if tags:
        notes.append(f'<p class="tags">{escape(" ".join(tags))}</p>')
    day = f"{item.at.day} {item.at:%B %Y}"
    anchor, picture = escape(item.name, quote=True), escape(item.picture, quote=True)
    image = f'<img src="{picture}" alt="{escape(item.alt_text, quote=True)}"{size}{loading}>'
    return f"""<article id="{anchor}" aria-labelledby="{anchor}-poem">
<a class="picture" href="{picture}" aria-label="The picture in full size">{image}</a>
<div class="words">
<h2 class="poem" id="{anchor}-poem">{lines}</h2>
<footer>
{chr(10).join(notes)}
<p><a href="#{anchor}"><time datetime="{item.at.isoformat()}">{day}</time></a></p>
</footer>
</div>
</article>"""


def _page(items: Sequence[GalleryItem], number: int, count: int, *, title: str, subtitle: str, language: str) -> str:
    head = escape(title) if number == 1 else f"{escape(title)}, page {number}"
    shown = [_article(item, first=number == 1 and at == 0) for at, item in enumerate(items)]
    body = "\n".join(shown) or '<p class="empty">No pictures yet.</p>'
    steps = []
    if number > 1:
        steps.append(f'<a rel="prev" href="{_file(number - 1)}">Newer</a>')
    if number < count:
        steps.append(f'<a rel="next" href="{_file(number + 1)}">Older</a>')
    turn = f'<nav aria-label="Pages">{" ".join(steps)}</nav>' if steps else ""
    return f"""<!doctype html>
<html lang="{escape(language, quote=True)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="color-scheme" content="light dark">
<meta name="description" content="{escape(subtitle, quote=True)}">
<meta name="generator" content="auria_bot">
<title>{head}</title>
<style>
{_style()}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
<p>{escape(subtitle)}</p>
</header>
<main class="{"front" if number == 1 else "back"}">
{body}
</main>
{turn}
<footer class="colophon">
<p>Poems and pictures by Auria, a computer program. Each was reviewed and approved by a human.</p>
</footer>
</body>
</html>
"""
