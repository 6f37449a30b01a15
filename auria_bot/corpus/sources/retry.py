"""Requests to Reddit: retried on failure, delayed as asked, every wait reported, and counted.

A request is repeated after a broken connection, a time-out, an unreadable answer, a server fault and "too many
requests"; all requests only read, so repeating is harmless.
"""

from __future__ import annotations

import io
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from auria_bot.errors import ChannelError, Throttled
from auria_bot.redaction import register_secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.settings.sections import RedditSettings

__all__ = ["RequestCounter", "RetryPolicy", "Waiting", "requestor"]

Waiting: TypeAlias = Callable[[float, str], None]
"""Called before a wait with its seconds and the reason."""

_LARGEST = 32 << 20  # bytes of an answer: a full page takes less than one
_BROKEN = frozenset({408, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_LEAST_REST = 5.0  # seconds after a "too many requests" that names no time
_QUIET = 0.5  # seconds: a shorter wait is not worth a word


@dataclass(slots=True, kw_only=True)
class RequestCounter:
    """The requests made so far, and what Reddit says is left."""

    requests: int = 0
    repeated: int = 0  # of them, again
    waited: float = 0.0  # seconds, on Reddit's or a fault's behalf
    remaining: int | None = None  # requests that are left in this window
    tell: Waiting | None = None
    sleep: Callable[[float], None] = time.sleep

    def hear(self, headers: Mapping[str, str]) -> None:
        """Record the limits stated in an answer."""
        if (left := _number(headers.get("x-ratelimit-remaining"))) is not None:
            self.remaining = int(left)

    def pace(self, seconds: float, max_wait: float) -> None:
        """Report and wait as long as prawcore would silently wait before its next request.

        Raises:
            Throttled: it takes longer than the longest wait allowed.
        """
        if seconds > 0:
            self.wait(seconds, "Reddit's limit", max_wait)

    def wait(self, seconds: float, why: str, max_wait: float) -> None:
        """Report a wait, then wait.

        Raises:
            Throttled: it takes longer than the longest wait allowed.
        """
        if seconds > max_wait:
            until = datetime.now(UTC) + timedelta(seconds=seconds)
            raise Throttled(f"{why}: again after {until:%Y-%m-%d %H:%M:%S} UTC; what was read is kept", until=until)
        if self.tell is not None and seconds >= _QUIET:
            self.tell(seconds, why)
        self.waited += seconds
        self.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How requests are made."""

    access: RedditSettings
    meter: RequestCounter

    def carried(self, once: Callable[[], Any]) -> Any:
        """The answer of a request, repeated while it fails.

        Raises:
            Throttled: Reddit asks to wait longer than allowed, or again and again.
            ChannelError: no answer.
        """
        why, attempts = "", self.access.attempts
        for attempt in range(1, attempts + 1):
            self.meter.requests += 1
            self.meter.repeated += attempt > 1
            try:
                answer = once()
            except _Failed as failure:
                why, rest = str(failure), 0.0
            else:
                self.meter.hear(answer.headers)
                if answer.status_code == 429:
                    why, rest = "Reddit asks to wait", _rest(answer.headers)
                elif answer.status_code in _BROKEN:
                    why = f"Reddit answers {answer.status_code}"
                    rest = _number(answer.headers.get("retry-after")) or 0.0
                else:
                    return answer
                if attempt == attempts and answer.status_code == 429:
                    until = datetime.now(UTC) + timedelta(seconds=rest)
                    raise Throttled(f"Reddit asks to wait, {attempt} times in a row", until=until)
            if attempt < attempts:
                # Random jitter, so that many clients of a recovered server do not all ask at once.
                grown = self.access.retry_delay * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
                self.meter.wait(max(rest, grown), why, self.access.max_wait)
        raise ChannelError(f"{why}, {attempts} times in a row; `auria corpus refresh` goes on from here later")


class _Failed(Exception):
    """No answer, or an unreadable one."""


def requestor() -> type[Any]:
    """The class by which PRAW sends its requests; its argument `policy` is a RetryPolicy."""
    import prawcore

    class Requestor(prawcore.Requestor):
        """Sends requests under a retry policy."""

        def __init__(self, *, policy: RetryPolicy, **more: Any) -> None:
            super().__init__(**more)
            self._policy = policy

        def request(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> Any:  # noqa: ARG002
            """Send a request, repeated where it fails; redirects are not followed."""
            kwargs |= {"allow_redirects": False, "stream": True}
            return self._policy.carried(lambda: _sent(self._http, self._policy.access.timeout, args, kwargs))

    return Requestor


def _sent(session: Any, timeout: float, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Send once, and read the whole answer within the time.

    Raises:
        _Failed: no answer in time, a broken one, or one that is not JSON.
    """
    import requests
    import urllib3

    until = time.monotonic() + timeout
    try:
        answer = session.request(*args, timeout=timeout, **kwargs)
        with answer:
            data = b""
            while part := answer.raw.read1(
                1 << 16, decode_content=True
            ):  # what is there, where read() waits for all of it
                data += part
                if len(data) > _LARGEST:
                    raise _Failed(f"Reddit's answer is larger than {_LARGEST >> 20} MiB")
                if time.monotonic() > until:
                    raise _Failed(f"Reddit's answer takes longer than {timeout:g} s")
    except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
        raise _Failed(f"Reddit does not answer within {timeout:g} s") from None
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise _Failed(f"the connection to Reddit failed ({_innermost(error)})") from None
    answer.raw = io.BytesIO(data)  # from where `content` and `json` read it
    if answer.status_code == 200:
        _read(data)
    return answer


def _read(data: bytes) -> None:
    """Check that an answer is JSON, and register a token in it as a secret.

    Raises:
        _Failed: it is not.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise _Failed("Reddit's answer is not JSON") from None
    if isinstance(found, dict) and isinstance(token := found.get("access_token"), str):
        register_secret(token)


def _rest(headers: Mapping[str, str]) -> float:
    """Seconds that a "too many requests" asks for."""
    waits = [_number(headers.get(name)) for name in ("retry-after", "x-ratelimit-reset")]
    return max([seconds for seconds in waits if seconds is not None], default=_LEAST_REST)


def _number(text: str | None) -> float | None:
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if 0 <= found < 1e9 else None


def _innermost(error: BaseException) -> str:
    """The type of the first error; its message may contain an address with a secret."""
    seen = 0
    while (cause := error.__context__ or error.__cause__) is not None and seen < 10:
        error, seen = cause, seen + 1
    return type(error).__name__
