"""The catalogue of the interface's strings, one JSON file for each language in `locales/`.

A string may hold fields in braces. One that depends on a number is a table with "one" and "other".
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape
from starlette.responses import RedirectResponse, Response

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from starlette.requests import Request

__all__ = ["DEFAULT", "Language", "available", "find_language", "language_choice", "negotiated"]

DEFAULT = "en"
"""The language whose catalogue is complete by definition."""

_YEAR = 365 * 86_400  # seconds
_ACCEPTED = re.compile(
    r"([a-z]{2,3})(?:-[a-z0-9-]{2,20})?(?:\s*;\s*q\s*=\s*(0(?:\.\d{1,3})?|1(?:\.0{1,3})?))?", re.IGNORECASE
)


class Language:
    """The strings of one language.

    Usage::

        language = find_language("de")
        language.text("works", count=3)     # "3 Werke"
        language.date(at)                   # "28. November 2026"
    """

    def __init__(self, tag: str, catalogue: Mapping[str, Any]) -> None:
        self.tag = tag
        self._catalogue = catalogue
        self._plain = {key: escape(text) for key, text in catalogue.items() if isinstance(text, str)}
        self._months = str(catalogue["months"]).split()

    @property
    def name(self) -> str:
        """The language's own name."""
        return str(self._catalogue["language"])

    @property
    def keys(self) -> frozenset[str]:
        """The keys of all strings."""
        return frozenset(self._catalogue)

    def text(self, key: str, **fields: object) -> Markup:
        """A string with its fields filled in, ready for HTML: fields are escaped, unless they are Markup.

        Raises:
            KeyError: there is no such string.
        """
        if not fields and (plain := self._plain.get(key)) is not None:
            return plain
        found = self._catalogue[key]
        if isinstance(found, dict):
            found = found["one" if fields.get("count") == 1 else "other"]
        return escape(found).format(**fields) if fields else escape(found)

    def name_of(self, kind: str, value: str) -> Markup:
        """The name of a mood, season or subject; an unknown value stands for itself."""
        return escape(self._catalogue.get(f"{kind}.{value}", value))

    def date(self, at: dt.datetime) -> Markup:
        """A day in words."""
        return escape(self._catalogue["date"].format(day=at.day, month=self._months[at.month - 1], year=at.year))

    def month(self, day: dt.date) -> Markup:
        """A day's month and year in words."""
        return escape(f"{self._months[day.month - 1]} {day.year}")

    def weekday(self, day: dt.date) -> Markup:
        """A day's day of the week, shortened."""
        return self.weekday_number(day.weekday())

    def weekday_number(self, number: int) -> Markup:
        """The same by its number, Monday being 0."""
        return escape(self._catalogue["weekdays"].split()[number])

    def number(self, value: int) -> Markup:
        """A whole number with its thousands separated."""
        return escape(f"{value:,}".replace(",", self._catalogue["thousands"]))


@cache
def available() -> tuple[str, ...]:
    """The tags of all languages, the default one first."""
    files = resources.files("auria_bot.web").joinpath("locales").iterdir()
    tags = {file.name.removesuffix(".json") for file in files if file.name.endswith(".json")}
    return (DEFAULT, *sorted(tags - {DEFAULT}))


@cache
def find_language(tag: str) -> Language:
    """A language; the default one stands in for a language, or a string, that is not there."""
    catalogue = _catalogue(DEFAULT)
    short = tag.lower().partition("-")[0]
    if short not in available():
        short = DEFAULT
    return Language(short, {**catalogue, **_catalogue(short)})


def negotiated(accepted: str, *, default: str) -> str:
    """The tag of the language that a browser prefers, by its header Accept-Language; `default` if none is there."""
    best, weight = default, 0.0
    for part in accepted[:200].split(",")[:10]:
        if found := _ACCEPTED.fullmatch(part.strip()):
            wanted = float(found[2] or 1)
            if wanted > weight and found[1].lower() in available():
                best, weight = found[1].lower(), wanted
    return best


def language_choice(request: Request) -> Response | None:
    """The answer to a choice in the footer: the same page, and a cookie that keeps the language; None without one."""
    chosen = request.query_params.get("lang", "")
    if chosen not in available():
        return None
    answer = RedirectResponse("/" + request.url.path.strip("/"), 303, headers={"Cache-Control": "no-store"})
    answer.set_cookie("lang", chosen, max_age=_YEAR, samesite="lax", httponly=True)
    return answer


@cache
def _catalogue(tag: str) -> Mapping[str, Any]:
    file = resources.files("auria_bot.web").joinpath("locales", f"{tag}.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
