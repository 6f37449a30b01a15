"""Renders the folder channel's gallery as HTML pages without scripts.

Everything that comes from a post is escaped. The same posts give the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from auria_bot.channels.text_limits import ANY_HASHTAG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

__all__ = ["PER_PAGE", "GalleryItem", "pages"]

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
    anchor = escape(item.name, quote=True)
    return f"""<article id="{anchor}" aria-labelledby="{anchor}-poem">
<a class="picture" href="{escape(item.picture, quote=True)}" aria-label="The picture in full size"><img src="{escape(item.picture, quote=True)}" alt="{escape(item.alt_text, quote=True)}"{size}{loading}></a>
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
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<meta name="description" content="{escape(subtitle, quote=True)}">
<meta name="generator" content="auria_bot">
<title>{head}</title>
<style>{_STYLE}</style>
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


_STYLE = """
:root{--paper:#f7f4ee;--ink:#26231e;--soft:#6f685d;--line:#ddd6c9;--mat:#fffdf9;--shade:rgba(60,48,30,.16);--mark:#8a4b2a}
@media (prefers-color-scheme:dark){:root{--paper:#161513;--ink:#ece6da;--soft:#a39b8c;--line:#35322c;--mat:#201e1b;--shade:rgba(0,0,0,.55);--mark:#e0a27c}}
*{box-sizing:border-box;margin:0}
html{font:112.5%/1.6 "Iowan Old Style","Palatino Linotype",Palatino,"URW Palladio L",P052,"Book Antiqua",Georgia,serif;background:var(--paper);color:var(--ink);-webkit-text-size-adjust:100%}
body{max-width:76rem;margin:0 auto;padding:0 clamp(1.1rem,4vw,3.5rem)}
body>header{padding:clamp(2.5rem,8vw,6rem) 0 clamp(2rem,5vw,3.5rem);text-align:center}
h1{font-weight:400;font-size:clamp(2.6rem,8vw,4.8rem);line-height:1;letter-spacing:.04em}
body>header p{margin-top:.9rem;color:var(--soft);font-style:italic;font-size:1.1rem}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr));gap:clamp(2.8rem,6vw,4.5rem) clamp(1.8rem,4vw,3.2rem);align-items:start}
article{scroll-margin-top:2rem}
.picture{display:block;background:var(--mat);padding:clamp(.55rem,1.4vw,.9rem);box-shadow:0 1px 2px var(--shade),0 14px 34px -12px var(--shade);border-radius:2px}
.picture img{display:block;width:100%;height:auto;background:var(--line)}
.words{padding:1.35rem .2rem 0}
.poem{font-weight:400;font-size:1.22rem;line-height:1.55;text-wrap:balance}
.poem span{display:block}
article footer{margin-top:1rem;padding-top:.8rem;border-top:1px solid var(--line);color:var(--soft);font-size:.86rem;line-height:1.55;overflow-wrap:anywhere}
.front>article:first-child{grid-column:1/-1;display:grid;grid-template-columns:minmax(0,1.08fr) minmax(0,.92fr);gap:clamp(1.5rem,5vw,4.5rem);align-items:center;padding-bottom:clamp(1rem,3vw,2rem)}
.front>article:first-child .words{padding:0}
.front>article:first-child .poem{font-size:clamp(1.45rem,2.7vw,2.15rem);line-height:1.5}
.front>article:first-child footer{margin-top:2rem}
a{color:inherit;text-decoration-color:var(--line);text-underline-offset:.22em}
a:hover{color:var(--mark);text-decoration-color:currentColor}
a:focus-visible{outline:3px solid var(--mark);outline-offset:4px;border-radius:2px}
.empty{grid-column:1/-1;text-align:center;font-style:italic;color:var(--soft);padding:4rem 0}
nav{display:flex;gap:2rem;justify-content:center;padding-top:4rem}
.colophon{margin-top:clamp(3.5rem,8vw,6rem);padding:1.6rem 0 3rem;border-top:1px solid var(--line);color:var(--soft);font-size:.86rem;text-align:center}
@media (max-width:46rem){.front>article:first-child{grid-template-columns:1fr}.front>article:first-child .poem{font-size:1.4rem}}
@media print{:root{--paper:#fff;--mat:#fff;--shade:transparent}article{break-inside:avoid}}
"""
