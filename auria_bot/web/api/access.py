"""Who calls the REST interface: keys, their scopes, and how often each may call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from auria_bot.errors import NotPermitted, SignInRequired, TooManyAttempts
from auria_bot.services.accounts.api_keys import KEY_PREFIX, SCOPES, ApiKey
from auria_bot.services.accounts.rate_limit import RateLimit
from auria_bot.web.middleware import client_network

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from auria_bot.bootstrap.application import Application

__all__ = ["Access", "ApiMiddleware"]

_WRONG_KEYS = 10  # wrong keys that an address may send at once; then one every six seconds
_BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="key",
    bearerFormat=f"{KEY_PREFIX}...",
    description="A key of `auria keys add`. Scopes: " + "; ".join(f"`{name}`: {what}" for name, what in SCOPES.items()),
)


class Access:
    """Decides who may call."""

    def __init__(self, services: Application) -> None:
        self._keys = services.api_keys
        self._calls = RateLimit(calls=services.settings.web.api_calls)
        self._wrong_keys = RateLimit(calls=_WRONG_KEYS)

    def visitor(self, request: Request) -> None:
        """Somebody who needs no key.

        Raises:
            TooManyAttempts: the address calls too often.
        """
        self._count(request, f"address {client_network(request)}")

    def caller(
        self,
        request: Request,
        scopes: SecurityScopes,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    ) -> ApiKey:
        """The key of a request, which must have these scopes.

        Raises:
            SignInRequired: there is no key, or it is not in force.
            NotPermitted: it has not the scope.
            TooManyAttempts: the key is used too often, or the address sent too many wrong ones.
        """
        wrong = f"address {client_network(request)}"
        if credentials is None:
            self.visitor(request)
            raise SignInRequired("a key is needed, as a bearer token; `auria keys add NAME` makes one")
        key = self._keys.find(credentials.credentials)
        if key is None:
            # A right key is never kept waiting by wrong ones from the same address.
            if wait := self._wrong_keys.take(wrong).wait:
                raise TooManyAttempts(f"too many wrong keys; the next attempt is possible in {wait} s", seconds=wait)
            raise SignInRequired("this key is not in force; `auria keys list` shows which are")
        request.state.api_key = key.name
        self._count(request, key.author)
        if missing := [scope for scope in scopes.scopes if scope not in key.scopes]:
            raise NotPermitted(f"the key {key.name} has not the scope {', '.join(missing)}")
        return key

    def _count(self, request: Request, who: str) -> None:
        allowance = self._calls.take(who)
        request.state.allowance = allowance
        if not allowance.is_allowed:
            wait = allowance.wait
            raise TooManyAttempts(
                f"at most {allowance.limit} calls a minute; the next one is possible in {wait} s", seconds=wait
            )


class ApiMiddleware:
    """Says in every answer how many calls remain, and answers HEAD as GET without the content, and Range as a whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_head = scope.get("method") == "HEAD"
        scope.setdefault("state", {})["is_head"] = is_head  # for answers that have no end

        async def sending(message: Message) -> None:
            if is_head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            if message["type"] == "http.response.start":
                _add_headers(MutableHeaders(scope=message), scope)
            await send(message)

        # No answer comes in parts. The scope stays the same object where it can: metrics read the route from it.
        scope["headers"] = [header for header in scope.get("headers", ()) if header[0] != b"range"]
        await self._app({**scope, "method": "GET"} if is_head else scope, receive, sending)


def _add_headers(headers: MutableHeaders, scope: Scope) -> None:
    allowance = scope.get("state", {}).get("allowance")
    if allowance is not None:
        headers["RateLimit-Limit"] = str(allowance.limit)
        headers["RateLimit-Remaining"] = str(allowance.remaining)
        headers["RateLimit-Reset"] = str(allowance.reset)
