"""What surrounds every request: an id, security headers, a limit of the body's size, and a deadline.

Written as plain ASGI, because it must see the body and the answer as streams.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from auria_bot.errors import NotPermitted
from auria_bot.services.accounts.rate_limit import network_of
from auria_bot.web.api.problems import problem
from auria_bot.web.metrics import RequestCounts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["POLICY", "RequestGuard", "check_origin", "client_network", "host_name"]

log = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; font-src 'self'; script-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of every page."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_LARGEST_BODY = 256 * 1024  # bytes
_MOST_LARGE, _MOST_LARGE_EACH = 12, 4  # larger ones that are received and worked on at a time, and of one network
_PROCESS = secrets.token_hex(4)  # the beginning of every request's id
_DEADLINE = 60.0  # seconds from a request's first line to the end of its answer; event streams have none
_CHARSET = re.compile(r'charset[^=;]*=[\s"]*([^\s;"]*)')  # of a content type's parameters
_SLOWEST = 50_000  # bytes a second at which a longer answer, such as a film, must be taken


class _BodyTooLarge(HTTPException):
    """The body is larger than allowed; applications that read it answer with this status."""

    def __init__(self, largest: int) -> None:
        super().__init__(413, f"a request may have at most {largest // 1024} kB", {"Connection": "close"})


class RequestGuard:
    """Bounds each request, and adds headers to its answer."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        is_secure: bool,
        hosts: frozenset[str] = frozenset(),
        larger: Mapping[str, int] | None = None,
        counts: RequestCounts | None = None,
    ) -> None:
        """Wrap an application.

        Args:
            app: the application.
            is_secure: whether the public address is https.
            hosts: the names by which the site may be called, without ports; any if empty.
            larger: the most bytes of a body that is sent to one of these paths, where it is not the usual limit.
            counts: counts the requests.
        """
        self._app, self._hosts, self._larger = app, hosts, larger or {}
        self._counts = counts or RequestCounts()
        self._large = Counter[str]()  # requests with a large body, by network
        self._numbers = count()
        lasting = {"Strict-Transport-Security": "max-age=31536000"} if is_secure else {}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in (_HEADERS | lasting).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, begun, status, streams = f"{_PROCESS}{next(self._numbers):08x}", time.monotonic(), 0, False
        scope.setdefault("state", {})["request_id"] = request_id
        self._counts.begin()

        async def sending(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status, own = message["status"], dict(message["headers"])
                streams = own.get(b"content-type", b"").startswith(b"text/event-stream")
                added = [header for header in self._headers if header[0] not in own]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode()), *added]
                now, length = asyncio.get_running_loop().time(), own.get(b"content-length", b"")
                if streams:
                    deadline.reschedule(None)
                elif length.isdigit() and int(length) > _SLOWEST * _DEADLINE:
                    deadline.reschedule(now + int(length) / _SLOWEST)
            await send(message)

        try:
            async with asyncio.timeout(_DEADLINE) as deadline:
                await self._answer(scope, receive, sending)
        except TimeoutError:
            if not status:
                await _refusal(scope, 408, "the request took too long")(scope, receive, sending)
        finally:
            seconds = time.monotonic() - begun
            self._counts.end(scope, status, None if streams else seconds)
            level = logging.INFO if _is_api(scope) else logging.DEBUG  # the query is left out: it may hold secrets
            if not streams and log.isEnabledFor(level):
                extra = {"seconds": round(seconds, 4), "request": request_id}
                if key := scope["state"].get("api_key", ""):
                    extra["key"] = key
                log.log(level, "%s %s: %s", scope["method"], scope["path"][:200], status, extra=extra)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if self._hosts and host_name(headers.get("host", "")) not in self._hosts:
            await _refusal(scope, 421, "this site is not known by that name")(scope, receive, send)
            return
        declared, largest = headers.get("content-length", "0"), self._larger.get(scope["path"], _LARGEST_BODY)
        if not declared.isdigit() or int(declared) > largest:
            await _refusal(scope, 413, _BodyTooLarge(largest).detail)(scope, receive, send)
            return
        if not _is_utf_8(headers.get("content-type", "")):
            await _refusal(scope, 415, "forms are read as UTF-8")(scope, receive, send)
            return
        received = 0

        async def receiving() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > largest:
                raise _BodyTooLarge(largest)
            return message

        is_large = int(declared) > _LARGEST_BODY or (largest > _LARGEST_BODY and "transfer-encoding" in headers)
        who = client_network(Request(scope)) if is_large else ""
        if is_large and (self._large.total() >= _MOST_LARGE or self._large[who] >= _MOST_LARGE_EACH):
            await _refusal(scope, 503, "too many pictures arrive; come back in a moment")(scope, receive, send)
            return
        self._large[who] += is_large
        try:
            await self._app(scope, receiving, send)
        except _BodyTooLarge as error:
            await _refusal(scope, 413, error.detail)(scope, receive, send)
        finally:
            self._large[who] -= is_large
            if not self._large[who]:
                del self._large[who]


def _is_utf_8(content_type: str) -> bool:
    """Whether a form in parts names no other encoding: some would make texts that cannot be written anywhere."""
    kind, _, parameters = content_type.lower().partition(";")
    return kind.strip() != "multipart/form-data" or set(_CHARSET.findall(parameters)) <= {"utf-8", "utf8"}


def _is_api(scope: Scope) -> bool:
    return str(scope["path"]).startswith("/api/")


def _refusal(scope: Scope, status: int, reason: str) -> Response:
    """The answer to a request that reaches no application."""
    headers = {"Connection": "close"} if status in {408, 413, 415, 503} else {}
    if status == 503:
        headers["Retry-After"] = "5"
    if _is_api(scope):
        return problem(Request(scope), status, detail=reason, headers=headers)
    return PlainTextResponse(f"{reason[:1].upper()}{reason[1:]}.\n", status, headers)


def host_name(host: str) -> str:
    """A host in lower case, without its port."""
    return re.sub(r":\d*\Z", "", host).lower()


def client_network(request: Request) -> str:
    """From where a request comes, as limits count it."""
    return network_of(request.client.host if request.client else "")


def check_origin(request: Request, public_url: str) -> None:
    """Refuse a form of another site.

    Raises:
        NotPermitted: the browser says that it came from elsewhere.
    """
    own = {public_url, f"{request.url.scheme}://{request.headers.get('host', '')}"}
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    if (origin is not None and origin not in own) or site not in {"same-origin", "none"}:
        raise NotPermitted("the form came from another site")
