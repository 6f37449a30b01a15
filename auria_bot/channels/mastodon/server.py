"""HTTP requests to a server with Mastodon's API, and the classification of its failures.

No request follows a redirect, so the token is sent to no other server, and each has a time-out. Servers other than
Mastodon differ in details: answers are JSON only if asked for, and rate limits may be dates, epochs, seconds or
unreadable.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from auria_bot.channels.answers import as_object
from auria_bot.errors import BackendMissing, ChannelError, OutcomeUnknown, Rejected, Throttled, Unauthorised
from auria_bot.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.domain.interfaces import Secrets

__all__ = ["Answer", "MastodonServer", "Missing"]

_QUOTED = 300  # characters of a server's message that are quoted
_LONGEST = timedelta(hours=24)  # a wait for a rate limit


class Missing(Rejected):
    """The server has no such object or endpoint: 404 or 410."""


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
            timeout: seconds to connect, and between two bytes of an answer.
        """
        self._address, self._name, self._secrets, self._timeout = address, name, secrets, timeout

    def get(self, path: str, **params: str) -> Answer:
        """Read.

        Raises:
            Missing: there is no such object.
            ChannelError: by the status of the answer.
            BackendMissing: the package requests is not installed.
        """
        return self._request("GET", path, sent=False, params=params)

    def post(
        self, path: str, *, sent: bool = False, headers: Mapping[str, str] | None = None, **options: Any
    ) -> Answer:
        """Send a form.

        Args:
            path: of the endpoint.
            sent: whether this is the visible request; then an uncertain outcome is OutcomeUnknown.
            headers: additional ones.
            options: `data` and `files`, as `requests` takes them.

        Raises:
            Missing: there is no such endpoint.
            ChannelError: by the status of the answer.
            BackendMissing: the package requests is not installed.
        """
        return self._request("POST", path, sent=sent, headers=headers, **options)

    def _request(
        self, method: str, path: str, *, sent: bool, headers: Mapping[str, str] | None = None, **options: Any
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
        try:
            response = requests.request(
                method,
                self._address + path,
                headers=fixed | dict(headers or {}),
                timeout=self._timeout,
                allow_redirects=False,
                **options,
            )
        except (requests.RequestException, OSError, UnicodeError) as error:
            kind = type(error).__name__
            if sent and not _never_sent(error):
                raise OutcomeUnknown(f"the connection to {self._address} broke ({kind})") from None
            raise Throttled(f"{self._address} cannot be reached ({kind})") from None
        if not 200 <= response.status_code < 300:
            raise self._failure(response.status_code, response.headers, response.text, sent=sent)
        try:
            return Answer(status=response.status_code, content=response.json())
        except (ValueError, RecursionError):
            message = f"{self._address} answered with something that is not JSON"
            raise OutcomeUnknown(message) if sent else Throttled(message) from None

    def _failure(self, status: int, headers: Mapping[str, str], text: str, *, sent: bool) -> ChannelError:
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
        if status == 422 and "processing" in quoted:
            return Throttled(message)  # the picture is not ready
        if status >= 500 or status < 400 or status in {408, 409}:
            return OutcomeUnknown(message) if sent else Throttled(message)
        return Missing(message) if status in {404, 410} else Rejected(message)


def _reason(text: str) -> str:
    """The message in a failed answer: of its JSON if there is one, never a page of HTML."""
    with contextlib.suppress(ValueError, RecursionError):
        problem = as_object(json.loads(text))
        found = (problem.get(key) for key in ("error_description", "error", "message"))
        return next((reason for reason in found if isinstance(reason, str) and reason), "")
    return "" if "<" in text else text


def _reset(headers: Mapping[str, str]) -> datetime | None:
    """When a rate limit ends: an ISO date, seconds since 1970 or from now; None if that is unreadable or missing."""
    now = datetime.now(UTC)
    for name in ("X-RateLimit-Reset", "Retry-After"):
        value = str(headers.get(name, "")).strip()
        with contextlib.suppress(ValueError, OverflowError, OSError):
            if value.replace(".", "", 1).isdigit():
                seconds = float(value)
                if seconds > 1e11:
                    seconds /= 1000  # milliseconds
                at = datetime.fromtimestamp(seconds, UTC) if seconds > 1e9 else now + timedelta(seconds=seconds)
            else:
                at = datetime.fromisoformat(value)
            return min(max(at if at.tzinfo else at.replace(tzinfo=UTC), now), now + _LONGEST).astimezone(UTC)
    return None


def _never_sent(error: BaseException) -> bool:
    """Whether a connection failed before the first byte of the request."""
    from requests import ConnectTimeout
    from urllib3.exceptions import NewConnectionError

    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError)
