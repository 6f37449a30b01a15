"""Addresses of pages: paths on the running site, or files beside each other in an export; their methods and numbers."""

from __future__ import annotations

import os.path
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from auria_bot.services.gallery.index import GalleryEntry

__all__ = [
    "CANONICAL",
    "FACET_PATHS",
    "READ",
    "Number",
    "artwork_path",
    "facet_path",
    "file_of",
    "film_path",
    "picture_path",
    "portrait_path",
    "reading_path",
    "relative",
]

FACET_PATHS = {"mood": "moods", "season": "seasons", "style": "paintings", "subject": "subjects", "year": "years"}
"""The first part of the address of each facet's pages."""

_FILE = re.compile(r"\.(?:avif|css|ico|jpg|js|json|m4a|mp4|png|svg|txt|wav|webm|webp|woff2|xml)\Z")


READ: Final = ["GET", "HEAD"]
"""The methods of a page, a file or an event stream."""

_NUMBER = re.compile(r"0|-?[1-9][0-9]*")


def _canonical(value: object) -> object:
    """A number of an address, if it is written as everywhere: pydantic alone also takes " 1", "+1", "01" and "1.0"."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise PydanticCustomError("int_parsing", "Input should be a whole number in digits, such as 12")
    return value


CANONICAL = BeforeValidator(_canonical)
"""Gives each whole number in a path or a query one spelling, so that an address has one too; stands after its range."""

Number = Annotated[int, CANONICAL]
"""Such a number, of any range."""


def artwork_path(entry: GalleryEntry) -> str:
    """The lasting address of an artwork's page."""
    return f"/artworks/{entry.slug}"


def facet_path(facet: str, value: str, number: int = 1) -> str:
    """The address of a page of artworks with a facet's value; facet "" means all artworks."""
    start = f"/{FACET_PATHS[facet]}/{value.replace(' ', '-')}" if facet else ""
    return (start if number == 1 else f"{start}/page/{number}") or "/"


def picture_path(artwork_id: int, width: int, suffix: str) -> str:
    """The address of an artwork's picture in a width and a format."""
    return f"/pictures/{artwork_id}/{width}.{suffix}"


def portrait_path(name: str) -> str:
    """The address of a file of the portrait in use."""
    return f"/portrait/{name}"


def film_path(artwork_id: int, name: str) -> str:
    """The address of an artwork's film, whose file has that name."""
    return f"/films/{artwork_id}{PurePath(name).suffix}"


def reading_path(artwork_id: int, name: str) -> str:
    """The address of an artwork's poem read aloud, whose file has that name."""
    return f"/readings/{artwork_id}{PurePath(name).suffix}"


def file_of(path: str) -> str:
    """The file of an export that stands for a page or a file of the site."""
    path = path.partition("?")[0].strip("/")
    if not path:
        return "index.html"
    return path if _FILE.search(path) else f"{path}.html"


def relative(path: str, page: str) -> str:
    """The address of a page or a file of the site, as it is written in another page of an export."""
    return os.path.relpath(file_of(path), os.path.dirname(file_of(page)) or ".").replace(os.sep, "/")  # noqa: PTH120
