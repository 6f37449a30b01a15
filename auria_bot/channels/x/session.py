"""The HTTP session under tweepy, and what failed answers of X mean.

The session has a configured address, time limits, no redirects, and no secrets in logs. Failures tell whether the post
may be out, and whether to wait, to give up or to ask the operator: 401, 402, 403 (about a text, about the account, a
duplicate), 429 and 5xx are told apart. Messages quote X without keys and tokens.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from auria_bot.channels.answers import as_object, clock_ahead, retry_seconds, timely_adapter, whole
from auria_bot.errors import OutcomeUnknown, Rejected, Throttled, Unauthorised
from auria_bot.redaction import redacted
from auria_bot.url_validation import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.errors import ChannelError

__all__ = ["Answered", "DuplicateText", "ErrorClassifier", "Stage", "TweepySession", "kind_of", "silence_loggers"]

_LOGGERS = ("tweepy", "requests_oauthlib", "oauthlib")


class TweepySession:
    """Replaces tweepy's session: uses the configured address and time-outs, follows no redirects."""

    def __init__(self, session: Any, address: str, timeouts: tuple[float, float]) -> None:
        self._session, self._address, self._timeouts = session, address, timeouts
        self._session.mount(address, timely_adapter())
        self._session.trust_env = not is_loopback(urlsplit(address).hostname or "")
        self.ahead = timedelta()  # how far X's clock is ahead of this machine's
        self.access = ""  # what the access token allows: "read", "read-write" ...

    def request(self, method: str, url: str, **options: Any) -> Any:
        """Send a request and read the whole answer.

        Raises:
            Answered: the status is not 2xx.
        """
        route = urlsplit(url).path
        response = self._session.request(
            method, self._address + route, timeout=self._timeouts, allow_redirects=False, stream=True, **options
        )
        whole(response, self._timeouts[1])
        if (ahead := clock_ahead(response.headers)) is not None:  # without a date the offset stays as it was
            self.ahead = ahead
        self.access = str(response.headers.get("x-access-level", self.access))
        if not 200 <= response.status_code < 300:
            raise Answered(
                response.status_code, response.headers, response.content, response.reason or "no reason given"
            )
        return response


def _warnings_only(record: logging.LogRecord) -> bool:
    """A log filter: at lower levels the libraries log headers, signatures and bodies."""
    return record.levelno >= logging.WARNING


def silence_loggers() -> None:
    """Add the filter to each of the libraries' loggers: a filter does not apply to child loggers."""
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in _LOGGERS:
            logging.getLogger(name).addFilter(_warnings_only)  # adding it again changes nothing


_GRACE = timedelta(seconds=1)  # after the reset of a limit
_LONGEST = 90_000  # seconds: the limits of a day are the longest
_SKEW = timedelta(minutes=4)  # X takes signatures of clocks that are up to five minutes off
_CONSOLE = "https://console.x.com"

_CREDIT = frozenset({"credits", "usage-capped", "spend-cap-reached"})
_ACCOUNT = frozenset({"client-forbidden", "unsupported-authentication", "account-suspended"})
"""Last parts of problem types that concern the account, not one post."""

_ACCOUNT_MESSAGE = re.compile(r"suspend|locked|access (?:this feature|level)|subset of|enrolled|verify", re.IGNORECASE)
_DUPLICATE = re.compile(r"duplicate", re.IGNORECASE)


class Stage(Enum):
    """What a request does."""

    READING = "reading"  # changes nothing
    PREPARING = "preparing"  # an upload that is not visible
    VISIBLE = "visible"  # creates the post


class DuplicateText(OutcomeUnknown):
    """X has the same text already, from an earlier attempt or another post."""


class Answered(Exception):
    """An answer whose status is not 2xx."""

    def __init__(self, status: int, headers: Mapping[str, str], content: bytes, reason: str) -> None:
        super().__init__(status)
        self.status, self._headers = status, headers
        try:
            problem = json.loads(content)
        except (ValueError, RecursionError):
            problem = {}
        self.problem: dict[str, Any] = as_object(problem)
        first = self.problem.get("errors")
        nested = as_object(first[0]) if isinstance(first, list) and first else {}
        found = (
            self.problem.get("detail"),
            self.problem.get("message"),
            nested.get("message"),
            nested.get("detail"),
            self.problem.get("title"),
        )
        self.message = next((text for text in found if isinstance(text, str) and text), reason)

    def until(self, ahead: timedelta) -> datetime | None:
        """When the limit is reset, by this machine's clock; None if X does not say. X's clock is `ahead` of it."""
        resets = [
            self._number(f"{prefix}-reset")
            for prefix in ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
            if prefix == "x-rate-limit" or self._number(f"{prefix}-remaining") == 0
        ]
        known = [reset for reset in resets if reset is not None]
        now = datetime.now(UTC)
        asked = retry_seconds(self._headers.get("retry-after"), ahead)
        wait = max(known) - (now + ahead).timestamp() if known else asked
        if wait is None:
            return None
        return now + timedelta(seconds=min(max(wait, 0), _LONGEST)) + _GRACE

    def _number(self, header: str) -> float | None:
        value = str(self._headers.get(header, ""))
        return float(value) if value.isascii() and value.isdecimal() and len(value) < 15 else None


class ErrorClassifier:
    """Turns failed answers into channel errors."""

    def __init__(self, name: str) -> None:
        self._name = name

    def error(self, answered: Answered, stage: Stage, *, ahead: timedelta) -> ChannelError:
        """The error for a failed answer.

        Args:
            ahead: how far X's clock is ahead of this machine's.
        """
        status, kind = answered.status, kind_of(answered.problem)
        message = f"X answers {status}: {_clean(answered.message)}"
        found: ChannelError
        if status == 402 or kind in _CREDIT:
            found = Unauthorised(f"{message}; the credit at X is used up: buy more at {_CONSOLE}")
        elif status == 429:
            found = Throttled(message, until=answered.until(ahead))
        elif status == 401:
            found = Unauthorised(f"{message}; {self._advice(ahead)}")
        elif status == 403:
            found = self._forbidden(answered, message, stage)
        elif status >= 500 or status == 408:
            found = OutcomeUnknown(message) if stage is Stage.VISIBLE else Throttled(message)
        elif status < 400 or status in {404, 405}:
            found = Unauthorised(f"{message}; is the channel's address right?")
        else:
            found = OutcomeUnknown(message) if stage is Stage.READING else Rejected(message)
        return found

    def _advice(self, ahead: timedelta) -> str:
        if abs(ahead) > _SKEW:
            return (
                f"this machine's clock is {abs(round(ahead.total_seconds() / 60))} minutes off from X's: set it right"
            )
        return f"make new keys, then `auria channels add {self._name}`"

    def _forbidden(self, answered: Answered, message: str, stage: Stage) -> ChannelError:
        """The error for a 403: about this text, the account, or from a proxy in front of X."""
        kind = kind_of(answered.problem)
        if not answered.problem:
            return Throttled(f"{message}; it came from a proxy in front of X")
        if kind == "oauth1-permissions" or "app permissions" in answered.message:
            return Unauthorised(
                f"{message}; give the app 'Read and write', make a new access token, then `auria channels add"
                f" {self._name}`"
            )
        if kind in _ACCOUNT or _ACCOUNT_MESSAGE.search(answered.message):
            return Unauthorised(f"{message}; look at the account, and at {_CONSOLE}")
        if stage is not Stage.VISIBLE:
            return Unauthorised(message)
        return DuplicateText(message) if _DUPLICATE.search(answered.message) else Rejected(message)


def _clean(message: str) -> str:
    """X's message on one line, at most 200 characters, without secrets."""
    printable = "".join(character if character.isprintable() else " " for character in redacted(message))
    return " ".join(printable.split())[:200] or "no message"


def kind_of(problem: Mapping[str, Any]) -> str:
    """The last part of a problem's type, such as "resource-not-found"."""
    return str(problem.get("type", "")).rsplit("/", 1)[-1]
