"""What platforms answered: fields of their JSON, whether a request reached them, and a file of what was learned.

What is missing, null or of another type becomes an empty value or None. A channel decides what a missing field means;
where it is needed to tell whether a post is out, the outcome stays unknown.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from queue import Empty, SimpleQueue
from threading import Thread, local
from typing import TYPE_CHECKING, Any

from auria_bot import files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = [
    "EXCHANGE",
    "FAST",
    "LONGEST_ANSWER",
    "UPLOAD",
    "ChannelCache",
    "as_count",
    "as_id",
    "as_items",
    "as_object",
    "as_text",
    "as_time",
    "clock_ahead",
    "is_late",
    "never_sent",
    "reset_at",
    "retry_seconds",
    "timely_adapter",
    "timely_hook",
    "whole",
    "within",
]

EXCHANGE = 4.0
"""How many of its time-outs a channel gives a request with its whole answer, for `within`."""

UPLOAD = 120.0
"""The same for a request that carries a picture or a film."""

FAST = timedelta(days=1)
"""How fast this machine's clock may have been at an attempt: a like post that seems older by less may be its post."""

LONGEST_ANSWER = 16 << 20  # bytes, unpacked; no answer of a platform comes near
_LONGEST_WAIT = 86_400.0  # seconds that a server may ask for
_MOST = 2**53  # the largest count that JSON carries without loss
_call = local()  # `begin_by`, of this thread's call by `within`: when it must have begun to send


def as_object(value: Any) -> dict[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_items(value: Any) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def as_time(value: Any) -> datetime | None:
    """A time in ISO 8601, in UTC as is one without an offset; None for anything else."""
    try:
        found = datetime.fromisoformat(as_text(value))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def as_count(value: Any) -> int | None:
    """The value if it is a whole number of at least 0, else None: not known."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST else None


def as_id(value: Any) -> str:
    """An identifier, given as a string or a positive number; "" for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else ""


def clock_ahead(headers: Mapping[str, str]) -> timedelta | None:
    """How far a server's clock is ahead of this machine's, by the header Date of its answer; None without one.

    Less than two seconds are none: the header counts whole ones.
    """
    try:
        at = parsedate_to_datetime(headers.get("date") or headers.get("Date") or "")
        ahead = at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return ahead if abs(ahead) >= timedelta(seconds=2) else timedelta()


def reset_at(seconds: float, ahead: timedelta | None = None) -> datetime:
    """When a rate limit ends, which servers state in seconds from now, or in seconds or milliseconds since 1970.

    Args:
        seconds: the server's number.
        ahead: how far its clock is ahead of this machine's, by which the time is told.

    Raises:
        ValueError, OverflowError, OSError: it is no such number, such as an infinite one.
    """
    if seconds < 1e9:
        return datetime.now(UTC) + timedelta(seconds=seconds)
    at = datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    return at - (ahead or timedelta())


def retry_seconds(value: object, ahead: timedelta | None = None) -> float | None:
    """How long a header Retry-After asks to wait, at most a day; None if it is missing, past or unreadable.

    Args:
        value: the header's, a number of seconds or an HTTP date.
        ahead: how far the server's clock is ahead of this machine's, if that is known.
    """
    text = str(value).strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        now = datetime.now(UTC) + (ahead or timedelta())
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()
    return min(seconds, _LONGEST_WAIT) if math.isfinite(seconds) and seconds >= 0 else None


def whole(response: Any, seconds: float) -> Any:
    """A response of the package requests, asked for as a stream, after all of its body was read.

    Args:
        response: a large one, or one that grows when it is unpacked, is given up before it fills the memory.
        seconds: that the body may take; the package's own time-out begins anew with every byte.

    Raises:
        requests.RequestException: the body is too long or too slow, or the connection broke.
    """
    from requests.exceptions import ConnectionError as BrokenConnection
    from requests.exceptions import ReadTimeout
    from urllib3.exceptions import HTTPError

    until, content = time.monotonic() + seconds, bytearray()
    try:
        with response:
            while part := response.raw.read1(1 << 16, decode_content=True):
                content += part
                if len(content) > LONGEST_ANSWER or time.monotonic() > until:
                    raise ReadTimeout("the answer is too long or too slow")
    except (HTTPError, OSError) as error:
        if isinstance(error, ReadTimeout):
            raise
        raise BrokenConnection(type(error).__name__) from None
    response._content, response._content_consumed = bytes(content), True  # noqa: SLF001 - where it keeps what it read
    return response


def within(call: Callable[[], Any], deadline: float) -> Any:
    """Call a function with a time limit: the library's time-outs start anew with every byte.

    A call that takes longer goes on in its thread, which ends with the connection. Where its connection is timely
    (`timely_adapter`, `timely_hook`), it sends nothing any more.

    Raises:
        TimeoutError: it takes longer.
    """
    results: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()

    def run() -> None:
        _call.begin_by = begin_by
        try:
            results.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - handed over and raised in the caller's thread
            results.put((None, error))

    begin_by = time.monotonic() + deadline / 2
    Thread(target=run, daemon=True, name="request").start()
    try:
        result, error = results.get(timeout=deadline)
    except Empty:
        raise TimeoutError(f"no complete answer within {deadline:g} seconds") from None
    if error is not None:
        raise error
    return result


def is_late() -> bool:
    """Whether this thread's call by `within` has used up half of its time, so that it must not send a request any more.

    A name server or an address that does not answer may hold a request up until its caller has given it up, and even
    found that its post is not out.
    """
    return time.monotonic() > getattr(_call, "begin_by", math.inf)


def timely_adapter() -> Any:
    """An adapter of the package requests that sends no request late; one that it does not send is a ConnectTimeout."""
    from requests.adapters import HTTPAdapter

    class TimelyAdapter(HTTPAdapter):
        def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
            pool: Any = super().get_connection_with_tls_context(*args, **options)
            pool.ConnectionCls = _timely(getattr(pool.ConnectionCls, "plain", pool.ConnectionCls))
            return pool

    return TimelyAdapter()


@cache
def _timely(kind: Any) -> Any:
    """A connection of urllib3 that is not used if it was made too late."""
    from urllib3.exceptions import ConnectTimeoutError

    class TimelyConnection(kind):  # type: ignore[misc]  # its class depends on the proxy
        plain = kind

        def connect(self) -> None:
            super().connect()
            if is_late():
                self.close()
                raise ConnectTimeoutError(self, "the connection took too long")

    return TimelyConnection


def timely_hook(refusal: type[Exception]) -> Callable[[Any], None]:
    """A hook for the requests of an httpx client, which sends none late: it raises `refusal`."""

    def trace(event: str, _: object) -> None:
        if event.endswith("send_request_headers.started") and is_late():
            raise refusal("the connection took too long")

    def hook(request: Any) -> None:
        request.extensions["trace"] = trace

    return hook


def never_sent(error: BaseException) -> bool:
    """Whether a request of the package requests failed before its first byte: no such name, no route, no listener."""
    from requests import ConnectTimeout
    from urllib3.exceptions import NewConnectionError

    cause = error.args[0] if error.args else None
    return isinstance(error, ConnectTimeout) or isinstance(getattr(cause, "reason", None), NewConnectionError)


class ChannelCache:
    """A file `channels/NAME.json` in the home; a file that cannot be read or written counts as missing."""

    def __init__(self, home: Path, channel: str) -> None:
        self._path = home / "channels" / f"{re.sub(r'[^A-Za-z0-9_-]', '_', channel)}.json"

    def load(self) -> dict[str, Any]:
        """What was saved last; empty without a readable file."""
        with contextlib.suppress(OSError, ValueError, RecursionError):
            return as_object(json.loads(self._path.read_text(encoding="utf-8")))
        return {}

    def save(self, values: dict[str, Any]) -> None:
        """Replace the file."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            files.write_atomic(self._path, json.dumps(values).encode(), durable=False)
