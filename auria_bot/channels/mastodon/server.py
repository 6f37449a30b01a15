"""HTTP requests to a server with Mastodon's API, the classification of its failures, and the limits that it states.

No request follows a redirect, so the token is sent to no other server, and each has a time-out. Servers other than
Mastodon differ in details: answers are JSON only if asked for, and rate limits may be dates, epochs, seconds or
unreadable.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import time
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from auria_bot.channels import answers
from auria_bot.channels.answers import as_object, as_text, never_sent, whole, within
from auria_bot.channels.text_limits import graphemes
from auria_bot.domain.interfaces import Limits
from auria_bot.domain.post import FilmLimits
from auria_bot.errors import BackendMissing, ChannelError, OutcomeUnknown, Rejected, Throttled, Unauthorised
from auria_bot.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.domain.interfaces import Secrets

__all__ = ["ACCOUNT", "Answer", "InstanceLimits", "MastodonServer", "Missing", "plain_text"]

ACCOUNT = "/api/v1/accounts/verify_credentials"
"""The account that the token belongs to; every server has this."""

_QUOTED = 300  # characters of a server's message that are quoted
_LONGEST = timedelta(hours=24)  # a wait for a rate limit


class Missing(Rejected):
    """The server has no such object or endpoint: 404, 410 or, for a change, 405."""

    def __init__(self, message: str, *, explained: bool = True) -> None:
        super().__init__(message)
        self.explained = explained
        """Whether the API says so; else it may be a proxy whose server is down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A successful answer."""

    status: int
    content: Any  # parsed JSON


class MastodonServer:
    """An account's server.

    Usage::

        server = MastodonServer("https://mastodon.example", name="mastodon", secrets=secrets, timeout=30)
        server.get("/api/v1/accounts/verify_credentials").content
    """

    def __init__(self, address: str, *, name: str, secrets: Secrets, timeout: float) -> None:
        """Store the arguments; nothing is sent.

        Args:
            address: the server's, checked.
            name: of the channel, for messages.
            secrets: hold the access token.
            timeout: seconds to connect, and between two bytes of an answer; all of it may take a few times as long.
        """
        self._address, self._name, self._secrets, self._timeout = address, name, secrets, timeout

    def get(self, path: str, *, needed: bool = False, **params: str) -> Answer:
        """Read.

        Args:
            needed: as of `post`.

        Raises:
            Missing: there is no such object.
            ChannelError: by the status of the answer.
            BackendMissing: the package requests is not installed.
        """
        return self._request("GET", path, sent=False, needed=needed, params=params)

    def lookup(self, path: str) -> dict[str, Any] | None:
        """Read an object; None if there is none.

        An answer without the API's error may be a proxy's whose server is down: it counts if it is repeated after the
        account was read.

        Raises:
            ChannelError: by the status of the answer.
            BackendMissing: the package requests is not installed.
        """
        try:
            return as_object(self.get(path).content)
        except Missing as error:
            if not error.explained:
                self.get(ACCOUNT, needed=True)
                with contextlib.suppress(Missing):
                    return as_object(self.get(path).content)
            return None

    def limits(self) -> InstanceLimits | None:
        """The server's limits, which are saved by the caller; None if it has no Mastodon API, or is down.

        Raises:
            ChannelError: by the status of the answer.
            BackendMissing: the package requests is not installed.
        """
        for path in ("/api/v2/instance", "/api/v1/instance", "/api/v1/instance/"):
            with contextlib.suppress(Rejected):  # this version is not supported
                return InstanceLimits.read(as_object(self.get(path).content), instance=self._address, at=time.time())
        return None

    def post(
        self,
        path: str,
        *,
        sent: bool = False,
        needed: bool = False,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Answer:
        """Send a form.

        Args:
            sent: whether this is the visible request; then an uncertain outcome is OutcomeUnknown.
            needed: whether every server has this endpoint, as that of the visible request: if it is missing without
                an error of the API, the server is down behind its proxy.
            options: `data` and `files`, as `requests` takes them.

        Raises:
            Missing: there is no such endpoint.
            ChannelError: by the status of the answer.
            BackendMissing: the package requests is not installed.
        """
        return self._request("POST", path, sent=sent, needed=needed or sent, headers=headers, **options)

    def patch(self, path: str, **options: Any) -> Answer:
        """Change something that is the same when it is changed twice; raises as `post`."""
        return self._request("PATCH", path, sent=False, **options)

    def delete(self, path: str) -> Answer:
        """Delete; an uncertain outcome is OutcomeUnknown.

        Raises:
            Missing: there is no such object or endpoint.
            ChannelError: by the status of the answer.
            BackendMissing: the package requests is not installed.
        """
        return self._request("DELETE", path, sent=True)

    def _request(
        self,
        method: str,
        path: str,
        *,
        sent: bool,
        needed: bool = False,
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Answer:
        token = self._secrets.get("access_token")
        if not self._address or not token:
            missing = "access token" if self._address else "instance"
            raise Unauthorised(f"{self._name} has no {missing}; run: auria channels add {self._name}")
        try:
            import requests
        except ImportError:
            raise BackendMissing("Mastodon needs a package: pip install 'auria-bot[mastodon]'") from None
        fixed = {
            "Accept": "application/json",
            "Authorization": f"Bearer {token}",
            "Connection": "close",  # a stale connection would make an outcome unknown
            "User-Agent": "auria-bot",
        }

        def ask() -> Any:
            with requests.Session() as session:
                session.mount(self._address, answers.timely_adapter())
                response = session.request(
                    method,
                    self._address + path,
                    headers=fixed | dict(headers or {}),
                    timeout=self._timeout,
                    allow_redirects=False,
                    stream=True,
                    **options,
                )
                return whole(response, self._timeout)

        try:
            response = within(ask, self._timeout * (answers.UPLOAD if "files" in options else answers.EXCHANGE))
        except (requests.RequestException, OSError, UnicodeError) as error:
            kind = type(error).__name__
            if sent and not never_sent(error):
                raise OutcomeUnknown(f"the connection to {self._address} broke ({kind})") from None
            raise Throttled(f"{self._address} cannot be reached ({kind})") from None
        if not 200 <= response.status_code < 300:
            raise self._failure(method, response.status_code, response.headers, response.text, sent=sent, needed=needed)
        try:
            return Answer(status=response.status_code, content=response.json())
        except (ValueError, RecursionError):
            message = f"{self._address} answered with something that is not JSON"
            raise OutcomeUnknown(message) if sent else Throttled(message) from None

    def _failure(
        self, method: str, status: int, headers: Mapping[str, str], text: str, *, sent: bool, needed: bool
    ) -> ChannelError:
        """The error for an answer whose status is not 2xx."""
        quoted = redacted(" ".join(_reason(text).split()))[:_QUOTED]
        message = f"{self._address} answered {status}" + (f": {quoted}" if quoted else "")
        if status == 429:
            return Throttled(message, until=_reset(headers))
        if 300 <= status < 400 and not sent:
            return Unauthorised(
                f"{self._address} redirects to another address; set instance of {self._name} to the server's"
                " own address"
            )
        if status in {401, 403}:
            return Unauthorised(message)
        if status == 422 and sent and "processing" in quoted:
            return Throttled(message)  # the picture or film is not ready
        explained = _is_explained(text)
        away = needed and status in {404, 405, 410} and not explained
        if status >= 500 or status < 400 or status in {408, 409} or away:
            return OutcomeUnknown(message) if sent else Throttled(message)
        missing = status in {404, 410} or (status == 405 and method != "GET")
        return Missing(message, explained=explained) if missing else Rejected(message)


def _is_explained(text: str) -> bool:
    """Whether a failed answer is one of the API, which are JSON objects."""
    with contextlib.suppress(ValueError, RecursionError):
        return bool(as_object(json.loads(text)))
    return False


def _reason(text: str) -> str:
    """The message in a failed answer: of its JSON if there is one, never a page of HTML."""
    with contextlib.suppress(ValueError, RecursionError):
        problem = as_object(json.loads(text))
        found = (problem.get(key) for key in ("error_description", "error", "message"))
        return next((reason for reason in found if isinstance(reason, str) and reason), "")
    return "" if "<" in text else text


def _reset(headers: Mapping[str, str]) -> datetime | None:
    """When a rate limit ends: a date, seconds since 1970 or from now; None if that is unreadable or missing.

    Dates are told by the server's clock.
    """
    now, ahead = datetime.now(UTC), answers.clock_ahead(headers)
    for name in ("X-RateLimit-Reset", "Retry-After"):
        value = str(headers.get(name, "")).strip()
        with contextlib.suppress(ValueError, OverflowError, OSError):
            if value.replace(".", "", 1).isdigit():
                at = answers.reset_at(float(value), ahead)
            else:
                at = datetime.fromisoformat(value)
                at = (at if at.tzinfo else at.replace(tzinfo=UTC)) - (ahead or timedelta())
            return min(max(at, now), now + _LONGEST).astimezone(UTC)
    wait = answers.retry_seconds(headers.get("Retry-After"), ahead)
    return None if wait is None else answers.reset_at(wait)


# Only what a server surely recognises as an address: the rest of a longer one counts by its letters.
_URL = re.compile(r"(?<![\w@#/.])https?://(?:[\w-]+\.)+[a-z]{2,}(?::\d+)?(?:[/?#][!-~]*)?", re.IGNORECASE)
_TRAIL = ".,;:!?'\")]}>"
_MENTION = re.compile(r"(?<![\w/])(@\w(?:[\w.-]*\w)?)@[A-Za-z0-9.-]+[A-Za-z0-9]")
_ALT_CHARACTERS = {"pixelfed": 1000}  # by software that does not state it
_MOST = 2**53  # a larger limit is an error


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceLimits:
    """A server's limits; the defaults are Mastodon's."""

    instance: str = ""  # the server's address
    read_at: float = 0.0  # seconds since 1970
    characters: int = 500
    url_characters: int = 23  # that an address counts, whatever its length
    alt_characters: int = 1500
    picture_bytes: int = 8_000_000
    picture_pixels: int = 16_777_216  # width x height
    film_bytes: int = 40_000_000
    film_pixels: int = 2_304_000  # width x height of a frame
    film_rate: int = 60  # frames a second

    @classmethod
    def read(cls, answer: Mapping[str, Any], *, instance: str, at: float) -> InstanceLimits:
        """Read a server's description (/api/v2/instance, or version 1); limits that it does not state are defaults."""
        stated = as_object(answer.get("configuration"))
        statuses, media = as_object(stated.get("statuses")), as_object(stated.get("media_attachments"))
        software = as_text(answer.get("version")).casefold()
        known_alt = next((limit for name, limit in _ALT_CHARACTERS.items() if name in software), None)
        found = {
            "characters": (statuses.get("max_characters"), answer.get("max_toot_chars")),
            "url_characters": (statuses.get("characters_reserved_per_url"),),
            "alt_characters": (media.get("description_limit"), answer.get("description_limit"), known_alt),
            "picture_bytes": (media.get("image_size_limit"), answer.get("upload_limit")),
            "picture_pixels": (media.get("image_matrix_limit"),),
            "film_bytes": (media.get("video_size_limit"), answer.get("upload_limit")),
            "film_pixels": (media.get("video_matrix_limit"),),
            "film_rate": (media.get("video_frame_rate_limit"),),
        }
        limits = {name: next(filter(None, map(_limit, values)), None) for name, values in found.items()}
        stated_limits: dict[str, Any] = {name: value for name, value in limits.items() if value}
        return replace(cls(instance=instance, read_at=at), **stated_limits)

    @classmethod
    def load(cls, saved: Mapping[str, Any], *, instance: str) -> InstanceLimits | None:
        """Restore saved limits; None if they are another server's, or damaged."""
        numbers = {item.name: saved.get(item.name) for item in fields(cls) if item.name != "instance"}
        if saved.get("instance") != instance or not all(
            isinstance(value, int | float) and 0 < value < _MOST for value in numbers.values()
        ):
            return None
        return cls(instance=instance, **numbers)  # type: ignore[arg-type]  # checked just above

    def save(self) -> dict[str, Any]:
        """The limits as JSON values."""
        return asdict(self)

    def limits(self) -> Limits:
        """The limits of the channel."""
        return Limits(
            characters=self.characters,
            alt_characters=self.alt_characters,
            picture_bytes=self.picture_bytes,
            picture_pixels=math.isqrt(self.picture_pixels),
            film=FilmLimits(
                bytes=self.film_bytes,
                pixels=min(1920, math.isqrt(self.film_pixels * 16 // 9)),
                rate=float(self.film_rate),
            ),
        )

    def count(self, text: str) -> int:
        """A text's characters as the server counts them: addresses have a fixed length, mentions no server."""

        def shorter(found: re.Match[str]) -> str:
            address = found[0].rstrip(_TRAIL)
            return "x" * self.url_characters + found[0][len(address) :]

        return graphemes(_MENTION.sub(r"\1", _URL.sub(shorter, text)))


def _limit(value: Any) -> int | None:
    """A positive number, which some servers give as text; 0, -1 and null mean that no limit is stated."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:20]) < _MOST else None


def plain_text(content: str) -> str:
    """The text of a status's HTML, with single spaces."""
    reader = _Reader()
    reader.feed(content)
    reader.close()
    return " ".join("".join(reader.parts).split())


class _Reader(HTMLParser):
    """Collects text; paragraphs and line breaks become white space."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the library's signature
        if tag in {"br", "p", "div"}:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        self.parts.append(data)
