"""What surrounds every request: an id, security headers, a limit of the body's size, and a deadline.

Written as plain ASGI, because it must see the body and the answer as streams.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from auria_bot.errors import NotPermitted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["POLICY", "RequestGuard", "check_origin", "host_name"]

log = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; font-src 'self'; script-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
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
_DEADLINE = 60.0  # seconds from a request's first line to the end of its answer; event streams have none


class _BodyTooLarge(Exception):
    pass


class RequestGuard:
    """Bounds each request, and adds headers to its answer."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        is_secure: bool,
        hosts: frozenset[str] = frozenset(),
        larger: Mapping[str, int] | None = None,
    ) -> None:
        """Wrap an application.

        Args:
            app: the application.
            is_secure: whether the public address is https.
            hosts: the names by which the site may be called, without ports; any if empty.
            larger: the most bytes of a body that is sent to one of these paths, where it is not the usual limit.
        """
        self._app, self._hosts, self._larger = app, hosts, larger or {}
        self._headers = _HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if is_secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, begun, status, streams = secrets.token_hex(8), time.monotonic(), 0, False
        scope.setdefault("state", {})["request_id"] = request_id

        async def sending(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                streams = headers.get("content-type", "").startswith("text/event-stream")
                headers["X-Request-Id"] = request_id
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                if streams:
                    deadline.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(_DEADLINE) as deadline:
                await self._answer(scope, receive, sending)
        except TimeoutError:
            if not status:
                await PlainTextResponse("The request took too long.\n", 408, {"Connection": "close"})(
                    scope, receive, sending
                )
        finally:
            if not streams:
                seconds = round(time.monotonic() - begun, 4)
                log.debug("%s %s: %s", scope["method"], scope["path"][:200], status, extra={"seconds": seconds})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if self._hosts and host_name(headers.get("host", "")) not in self._hosts:
            await PlainTextResponse("This site is not known by that name.\n", 421)(scope, receive, send)
            return
        declared, largest = headers.get("content-length", "0"), self._larger.get(scope["path"], _LARGEST_BODY)
        if not declared.isdigit() or int(declared) > largest:
            await self._too_large(scope, receive, send, largest)
            return
        received = 0

        async def receiving() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > largest:
                raise _BodyTooLarge
            return message

        try:
            await self._app(scope, receiving, send)
        except _BodyTooLarge:
            await self._too_large(scope, receive, send, largest)

    async def _too_large(self, scope: Scope, receive: Receive, send: Send, largest: int) -> None:
        text = f"A request may have at most {largest // 1024} kB.\n"
        await PlainTextResponse(text, 413, {"Connection": "close"})(scope, receive, send)


def host_name(host: str) -> str:
    """A host in lower case, without its port."""
    return re.sub(r":\d*\Z", "", host).lower()


def check_origin(request: Request, public_url: str) -> None:
    """Refuse a form of another site.

    Raises:
        NotPermitted: the browser says that it came from elsewhere.
    """
    own = {public_url, f"{request.url.scheme}://{request.headers.get('host', '')}"}
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "same-origin")
    if (origin is not None and origin not in own) or site not in {"same-origin", "none"}:
        raise NotPermitted("the form came from another site")
