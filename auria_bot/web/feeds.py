"""What programs read: Atom and JSON Feed, the sitemap, oEmbed and robots.txt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from markupsafe import Markup

from auria_bot.errors import NotFound
from auria_bot.services.gallery.picture_sizes import widths_below
from auria_bot.web.links import artwork_path, facet_path, film_path, picture_path

if TYPE_CHECKING:
    from auria_bot.services.gallery.index import Card
    from auria_bot.web.rendering import View
    from auria_bot.web.site import Site

__all__ = ["atom", "json_feed", "oembed", "robots", "sitemap"]

_ATOM, _SITEMAP = "http://www.w3.org/2005/Atom", "http://www.sitemaps.org/schemas/sitemap/0.9"
_ARTWORK = re.compile(r"/artworks/([1-9][0-9]{0,17})(?:-[^?#]*)?(?:[?#].*)?")
_FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in XML 1.0
_NEWEST = 30  # artworks in a feed
_PICTURE_WIDTH = 960
_MOST_IN_SITEMAP = 50_000  # addresses, a limit of the protocol


def atom(site: Site, view: View) -> bytes:
    """The newest artworks as an Atom feed (RFC 4287)."""
    works = site.gallery.newest(_NEWEST)
    feed = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": "en"})
    _add(feed, "id", view.absolute("/"))
    _add(feed, "title", site.settings.title)
    _add(feed, "subtitle", site.settings.subtitle)
    _add(feed, "updated", works[0].entry.published_at.isoformat() if works else "1970-01-01T00:00:00+00:00")
    _add(feed, "link", rel="self", type="application/atom+xml", href=view.absolute("/feed.xml"))
    _add(feed, "link", rel="alternate", type="text/html", href=view.absolute("/"))
    _add(_add(feed, "author"), "name", site.settings.title)
    for work in works:
        address = view.absolute(artwork_path(work.entry))
        entry = _add(feed, "entry")
        _add(entry, "id", address)
        _add(entry, "title", " / ".join(work.lines))
        _add(entry, "link", rel="alternate", type="text/html", href=address)
        if work.film is not None:
            file, path = work.film.file, film_path(work.entry.id, work.film.file.name)
            enclosed = {"type": file.media_type, "length": str(file.size), "href": view.absolute(path)}
            _add(entry, "link", rel="enclosure", **enclosed)
        _add(entry, "published", work.entry.published_at.isoformat())
        _add(entry, "updated", work.entry.published_at.isoformat())
        _add(entry, "category", term=work.entry.mood)
        _add(entry, "summary", work.alt_text)
        _add(entry, "content", _content(site, view, work), type="html")
    return _serialised(feed)


def json_feed(site: Site, view: View) -> dict[str, Any]:
    """The newest artworks as a JSON Feed, version 1.1."""
    return {
        "version": "https://jsonfeed.org/version/1.1",
        "title": site.settings.title,
        "description": site.settings.subtitle,
        "home_page_url": view.absolute("/"),
        "feed_url": view.absolute("/feed.json"),
        "language": "en",
        "authors": [{"name": site.settings.title}],
        "items": [
            {
                "id": view.absolute(artwork_path(work.entry)),
                "url": view.absolute(artwork_path(work.entry)),
                "title": " / ".join(work.lines),
                "content_html": _content(site, view, work),
                "summary": work.alt_text,
                "image": _picture(site, view, work),
                "date_published": work.entry.published_at.isoformat(),
                "tags": [work.entry.mood, *work.entry.subjects],
                **_attached(view, work),
            }
            for work in site.gallery.newest(_NEWEST)
        ],
    }


def sitemap(site: Site, view: View) -> bytes:
    """The addresses of all artworks and of the pages to browse by."""
    urls = ET.Element("urlset", {"xmlns": _SITEMAP})
    paths = ["/", "/browse"]
    paths += [facet_path(facet, value) for facet, values in site.gallery.facets().items() for value in values]
    for path in paths:
        _add(_add(urls, "url"), "loc", view.absolute(path))
    for entry in site.gallery.entries()[: _MOST_IN_SITEMAP - len(paths)]:
        url = _add(urls, "url")
        _add(url, "loc", view.absolute(artwork_path(entry)))
        _add(url, "lastmod", f"{entry.published_at:%Y-%m-%d}")
    return _serialised(urls)


def oembed(site: Site, view: View, url: str, *, most_width: int, most_height: int) -> dict[str, Any]:
    """An artwork for embedding in another site, as a photo or a video (https://oembed.com).

    Nothing in it is larger than the limits, in pixels: a video is scaled, and has no thumbnail where none fits; an
    artwork of which no picture fits is a link.

    Raises:
        NotFound: the address is not that of a published artwork, or its picture is missing.
    """
    found = _ARTWORK.fullmatch(url.removeprefix(view.base))
    if found is None or not url.startswith(view.base):
        raise NotFound(f"{url[:120]!r} is not the address of an artwork of this site")
    work = site.gallery.work(int(found[1]))
    width, height = site.sizes.size(work.draft)
    if not width:
        raise NotFound(f"the picture of artwork {work.entry.id} is missing")
    sizes = [(one, max(1, round(height * one / width))) for one in site.sizes.widths(work.draft)]
    fitting = [(w, h) for w, h in sizes if w <= most_width and h <= most_height]

    def picture(sides: tuple[int, int]) -> str:
        return view.absolute(picture_path(work.draft.id, sides[0], "jpg"))

    embedded: dict[str, Any] = {
        "version": "1.0",
        "type": "link",
        "title": " / ".join(work.draft.artwork.haiku.lines),
        "author_name": site.settings.title,
        "author_url": view.absolute("/"),
        "provider_name": site.settings.title,
        "provider_url": view.absolute("/"),
    }
    if work.card.film is None and fitting:
        embedded |= _sized("", fitting[-1]) | {"type": "photo", "url": picture(fitting[-1])}
    elif (film := work.card.film) is not None and min(most_width, most_height) > 0:
        sides = _scaled(width, height, most_width, most_height)
        player = Markup('<video src="{}" poster="{}" width="{}" height="{}" controls preload="none"></video>')
        path, poster = film_path(work.entry.id, film.file.name), (fitting or sizes[:1])[-1]
        html = str(player.format(view.absolute(path), picture(poster), *sides))
        embedded |= _sized("", sides) | {"type": "video", "html": html}
        if fitting:
            embedded |= _sized("thumbnail_", poster) | {"thumbnail_url": picture(poster)}
    return embedded


def robots(view: View) -> str:
    """What crawlers may read: everything that is public, but no searches."""
    hidden = "".join(f"Disallow: {path}\n" for path in ("/desk", "/search", "/studio/"))
    return f"User-agent: *\n{hidden}\nSitemap: {view.absolute('/sitemap.xml')}\n"


def _scaled(width: int, height: int, most_width: int, most_height: int) -> tuple[int, int]:
    """Width and height as large as the limits allow, but no larger than they are; all in pixels, above 0."""
    scale = min(min(width, most_width) / width, min(height, most_height) / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _sized(prefix: str, sides: tuple[int, int]) -> dict[str, int]:
    return {f"{prefix}width": sides[0], f"{prefix}height": sides[1]}


def _attached(view: View, work: Card) -> dict[str, Any]:
    """The film of an artwork, as JSON Feed attaches one."""
    if work.film is None:
        return {}
    file, path = work.film.file, film_path(work.entry.id, work.film.file.name)
    attached = {"url": view.absolute(path), "mime_type": file.media_type, "size_in_bytes": file.size}
    return {"attachments": [attached | {"duration_in_seconds": work.film.seconds}]}


def _content(site: Site, view: View, work: Card) -> str:
    poem = Markup("<br>").join(work.lines)
    template = Markup('<p><img src="{}" alt="{}"></p><p>{}</p>')
    return str(template.format(_picture(site, view, work), work.alt_text, poem))


def _picture(site: Site, view: View, work: Card) -> str:
    widths = widths_below(site.sizes.size_of(work.folder, work.file)[0])
    chosen = max((width for width in widths if width <= _PICTURE_WIDTH), default=min(widths, default=0))
    return view.absolute(picture_path(work.entry.id, chosen, "jpg"))


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, name, attributes)
    element.text = None if text is None else _FORBIDDEN.sub("", text)
    return element


def _serialised(root: ET.Element) -> bytes:
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content
