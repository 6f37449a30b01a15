"""Renders plain pages that list the posts of a folder, for whoever opens it without a web server.

The gallery with its designs, sizes and feeds is written by `auria web export`. These pages need nothing but the
standard library, since a folder is published to without the extra `web`. Everything that comes from a post is escaped;
the same posts give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

__all__ = ["PER_PAGE", "ListedPost", "pages"]

PER_PAGE = 60
"""Posts on one page."""

_POLICY = "default-src 'none'; img-src 'self' file:; media-src 'self' file:; style-src 'unsafe-inline'"
_HEAD = f"""<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="color-scheme" content="light dark">
<style>
body{{max-width:40rem;margin:2rem auto;padding:0 1.2rem;font:1.1rem/1.5 Georgia,serif}}
article{{margin:3rem 0}}
img,video{{display:block;width:100%;height:auto}}
h2,p{{font-size:1em;font-weight:400;white-space:pre-line;overflow-wrap:anywhere}}
</style>"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPost:
    """A post in the list."""

    name: str  # of its folder, and its anchor on the page
    at: datetime
    text: str
    alt_text: str
    picture: str  # relative to the page
    width: int  # pixels; 0 where unknown
    height: int
    film: str = ""  # relative to the page; "" for a picture


def pages(posts: Sequence[ListedPost], *, title: str, subtitle: str, language: str) -> Mapping[str, str]:
    """All pages by file name: index.html with the first posts, then page-2.html ..."""
    chunks = [posts[at : at + PER_PAGE] for at in range(0, len(posts), PER_PAGE)] or [[]]
    return {
        _file(number): _page(chunk, number, len(chunks), title=title, subtitle=subtitle, language=language)
        for number, chunk in enumerate(chunks, start=1)
    }


def _file(number: int) -> str:
    return "index.html" if number == 1 else f"page-{number}.html"


def _article(post: ListedPost) -> str:
    poem, _, rest = post.text.strip().partition("\n\n")
    picture = escape(post.picture)
    size = f' width="{post.width}" height="{post.height}"' if post.width and post.height else ""
    shown = f'<a href="{picture}"><img src="{picture}" alt="{escape(post.alt_text)}"{size} loading="lazy"></a>'
    if post.film:
        shown = (
            f'<video src="{escape(post.film)}" poster="{picture}" aria-label="{escape(post.alt_text)}"{size} controls'
            ' preload="none"></video>'
        )
    return f"""<article id="{escape(post.name)}">
{shown}
<h2>{escape(poem)}</h2>
<p>{escape(rest.strip())}</p>
<p><time datetime="{post.at.isoformat()}">{post.at.day} {post.at:%B %Y}</time></p>
</article>"""


def _page(posts: Sequence[ListedPost], number: int, count: int, *, title: str, subtitle: str, language: str) -> str:
    steps = [f'<a rel="prev" href="{_file(number - 1)}">Newer</a>'] if number > 1 else []
    steps += [f'<a rel="next" href="{_file(number + 1)}">Older</a>'] if number < count else []
    body = "\n".join(map(_article, posts)) or "<p>No pictures yet.</p>"
    turn = f'<nav aria-label="Pages">{" ".join(steps)}</nav>\n' if steps else ""
    return f"""<!doctype html>
<html lang="{escape(language)}">
<head>
{_HEAD}
<title>{escape(title)}{f", page {number}" if number > 1 else ""}</title>
</head>
<body>
<header><h1>{escape(title)}</h1><p>{escape(subtitle)}</p></header>
<main>
{body}
</main>
{turn}</body>
</html>
"""
