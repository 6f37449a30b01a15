"""The HTTP session under tweepy: a configured address, time limits, no redirects, and no secrets in logs."""

from __future__ import annotations

import contextlib
import logging
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from auria_bot.channels.x.errors import Answered
from auria_bot.url_validation import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TweepySession", "never_sent", "silence_loggers", "within"]

_LOGGERS = ("tweepy", "requests_oauthlib", "oauthlib")


class TweepySession:
    """Replaces tweepy's session: uses the configured address and time-outs, follows no redirects."""

    def __init__(self, session: Any, address: str, timeouts: tuple[float, float]) -> None:
        self._session, self._address, self._timeouts = session, address, timeouts
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
            method, self._address + route, timeout=self._timeouts, allow_redirects=False, **options
        )
        with contextlib.suppress(ValueError, OverflowError):  # without a date the offset stays as it was
            at = parsedate_to_datetime(response.headers.get("date", ""))
            self.ahead = at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)
        if abs(self.ahead) < timedelta(seconds=2):
            self.ahead = timedelta()  # the header counts whole seconds
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


def within(call: Callable[[], Any], deadline: float) -> Any:
    """Call a function with a time limit: the library's time-outs start anew with every byte.

    A call that takes longer goes on in its thread, which ends with the connection.

    Raises:
        TimeoutError: it takes longer.
    """
    results: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            results.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - handed over and raised in the caller's thread
            results.put((None, error))

    Thread(target=run, daemon=True, name="x-request").start()
    try:
        result, error = results.get(timeout=deadline)
    except Empty:
        raise TimeoutError(f"no complete answer within {deadline:g} seconds") from None
    if error is not None:
        raise error
    return result


def never_sent(error: BaseException) -> bool:
    """Whether a request failed before its first byte: name not resolved, no route, nothing listening."""
    from requests import ConnectTimeout
    from urllib3.exceptions import NewConnectionError

    cause = error.args[0] if error.args else None
    return isinstance(error, ConnectTimeout) or isinstance(getattr(cause, "reason", None), NewConnectionError)
