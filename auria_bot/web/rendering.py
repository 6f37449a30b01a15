"""Renders the templates: what every page needs, and how addresses are written on the running site and in an export."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.runtime import Context
from markupsafe import Markup, escape

from auria_bot.services.gallery.picture_sizes import FORMATS, widths_below
from auria_bot.services.portraits.portraits import ALT_TEXT
from auria_bot.web.language import DEFAULT, Language, available, find_language
from auria_bot.web.links import (
    FACET_PATHS,
    artwork_path,
    facet_path,
    file_of,
    film_path,
    picture_path,
    portrait_path,
    reading_path,
    relative,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auria_bot.services.gallery.index import Card
    from auria_bot.services.gallery.picture_sizes import PictureSizes
    from auria_bot.services.portraits.portraits import Portrait
    from auria_bot.settings.web import WebSettings

__all__ = ["HTML", "Renderer", "ShownPicture", "View", "page_key"]

HTML = "text/html; charset=utf-8"
"""The media type of a page."""

_USUAL_WIDTH = 960  # pixels
_MOST_CARDS = 256  # rendered ones that are kept
_TEMPLATES = ("base.html", "macros.html", "listing.html", "artwork.html", "browse.html")  # of the pages seen most


class View:
    """How one page is written: its path, its language, and whether it belongs to an export."""

    def __init__(self, path: str, language: Language, *, base: str, exported: bool = False) -> None:
        """Describe a page.

        Args:
            path: of the page on the site, such as "/artworks/12-the-pond".
            language: of the page.
            base: the site's public address, without a slash at the end.
            exported: links lead to files beside the page.
        """
        self.path, self.language, self.base, self.exported = path, language, base, exported

    def link(self, path: str) -> str:
        """The address of another page or file, as this page writes it."""
        return relative(path, self.path) if self.exported else path

    def absolute(self, path: str) -> str:
        """The full address of a page or file."""
        return f"{self.base}/{file_of(path).removesuffix('index.html')}" if self.exported else self.base + path


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPicture:
    """A picture as a page offers it; without widths if its file is missing."""

    width: int  # pixels
    height: int
    widths: tuple[int, ...]  # that are offered, the smallest first
    sources: Mapping[str, Markup]  # by the suffix of FORMATS: addresses with their widths, as srcset names them
    usual: str  # the address of a JPEG for browsers that do not choose


def page_key(language: Language, path: str) -> str:
    """What a public page is kept under: all that it depends on besides what is published."""
    return f"{language.tag} {path}"


class _Context(Context):
    """Calls functions without asking each whether it wants the context: none here does."""

    def call(self, called: Callable[..., Any], /, *values: Any, **named: Any) -> Any:
        """Call a function or a macro from a template."""
        named.pop("_block_vars", None)
        named.pop("_loop_vars", None)
        return called(*values, **named)


class Renderer:
    """Renders pages from templates. Safe for use by several threads."""

    def __init__(
        self, site: WebSettings, sizes: PictureSizes, *, portrait: Callable[[], Portrait | None], captions: bool = False
    ) -> None:
        """Render for a site, with the portrait in use, and a way to the page of captions where there is one."""
        self._site, self._sizes, self._portrait = site, sizes, portrait
        self._cards: OrderedDict[tuple[object, ...], tuple[Card, Markup]] = OrderedDict()
        self._lock = threading.Lock()
        self._environment = Environment(
            loader=PackageLoader("auria_bot.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.context_class = _Context
        self._environment.globals |= {
            "site": site,
            "has_captions": captions,
            "facet_path": facet_path,
            "facet_paths": FACET_PATHS,
            "artwork_path": artwork_path,
            "picture_path": picture_path,
            "portrait_alt_text": ALT_TEXT,
            "film_path": film_path,
            "reading_path": reading_path,
            "languages": [find_language(tag) for tag in available()],
            "known_strings": find_language(DEFAULT).keys,
        }
        self._environment.filters["ld_json"] = _ld_json

    def compile(self) -> None:
        """Compile the templates of the pages that are seen most; else their first visitors wait for that."""
        for name in _TEMPLATES:
            self._environment.get_template(name)

    def page(self, template: str, view: View, **values: Any) -> str:
        """Render a template for a view."""
        portrait = self._portrait()
        return self._environment.get_template(template).render(
            view=view,
            link=view.link,
            absolute=view.absolute,
            asset=partial(_asset, view),
            t=view.language.text,
            language=view.language,
            picture=partial(self.picture, view),
            card=partial(self.card, view),
            portrait=(lambda name: _versioned(view, portrait_path(name), portrait.version)) if portrait else None,
            **values,
        )

    def picture(self, view: View, card: Card) -> ShownPicture:
        """What an `<img>` needs."""
        width, height = self._sizes.size_of(card.folder, card.file)
        widths = widths_below(width)
        sources, usual = {}, ""
        if widths:
            number, fitting = card.entry.id, max((each for each in widths if each <= _USUAL_WIDTH), default=widths[-1])
            for suffix in FORMATS:
                links = [f"{view.link(picture_path(number, each, suffix))} {each}w" for each in widths]
                sources[suffix] = escape(", ".join(links))
            usual = view.link(picture_path(number, fitting, "jpg"))
        return ShownPicture(width=width, height=height, widths=widths, sources=sources, usual=usual)

    def card(self, view: View, work: Card, sizes: str, level: str = "h2", first: bool = False) -> Markup:
        """An artwork among others; the latest ones are kept, because those of one mood show the same.

        Args:
            view: of the page.
            work: what is shown; the same object is rendered once.
            sizes: of its picture, as HTML's attribute of that name.
            level: the element of its heading.
            first: whether its picture is loaded before others.
        """
        key = (work.entry.id, view.language.tag, sizes, level, first)
        with self._lock:
            kept = None if view.exported else self._cards.get(key)
            if kept is not None and kept[0] is work:
                self._cards.move_to_end(key)
                return kept[1]
        shown, macros = self.picture(view, work), vars(self._environment.get_template("macros.html").module)
        made: Markup = macros["card"](work, shown, sizes, view.link, view.language, level, first)
        if shown.widths and not view.exported:
            with self._lock:
                self._cards[key] = work, made
                if len(self._cards) > _MOST_CARDS:
                    self._cards.popitem(last=False)
        return made


def _asset(view: View, name: str) -> str:
    return _versioned(view, f"/static/{name}", _version(name))


def _versioned(view: View, path: str, version: str) -> str:
    """The address of a file; on the running site it changes with the file's content."""
    return view.link(path) if view.exported else f"{path}?v={version}"


@cache
def _version(name: str) -> str:
    content = resources.files("auria_bot.web").joinpath("static", name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:10]


def _ld_json(value: Any) -> Markup:
    """A value as JSON within a script element: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704 - escaped
