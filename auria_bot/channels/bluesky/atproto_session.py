"""An account on a server of the AT protocol: its session, kept between processes, and what a server's failures mean.

Logging in is limited to 30 times in 5 minutes and 300 a day, so the session is kept among the secrets, renewed by its
refresh token, and only when that is refused is the app password used. No request follows a redirect, so nothing secret
can be led elsewhere. Knows atproto; does not know posts.
"""

from __future__ import annotations

import contextlib
import json
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auria_bot.errors import (
    BackendMissing,
    ChannelError,
    DiskError,
    OutcomeUnknown,
    Rejected,
    SettingsError,
    Throttled,
    Unauthorised,
)
from auria_bot.redaction import redacted
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auria_bot.domain.interfaces import Secrets

__all__ = ["ENTRYWAY", "AtprotoSession", "code_of", "meaning", "open_client", "refusal"]

log = logging.getLogger(__name__)

ENTRYWAY = "https://bsky.social"
"""Bluesky's front door: a login there names the server that keeps the account, which is then asked itself."""

_PASSWORD = "app_password"  # noqa: S105 - a secret's name
_SESSION = "session"
_WORDS = 300  # characters of a server's answer that are shown
_STALE = frozenset({"ExpiredToken", "InvalidToken"})
_REDIRECT = "UnsupportedProtocol"  # of httpx, as `_stay` raises it
_FINAL = frozenset({"AccountTakedown", "AccountDeactivated"})


class AtprotoSession:
    """An account, reached through its session.

    Usage::

        account = Account(service="https://bsky.social", handle="auria.example", name="bluesky", secrets=secrets, timeout=30)
        account.call(lambda client: client.invoke_query("com.atproto.server.getSession"))
    """

    def __init__(self, *, service: str, handle: str, name: str, secrets: Secrets, timeout: float) -> None:
        """Reach for nothing yet.

        Args:
            service: the server's address; `ENTRYWAY` leads on to the account's own, any other is used as it is.
            handle: the account's handle or DID.
            name: the operator's name for the channel, for messages.
            secrets: where the app password is read and the session kept.
            timeout: seconds that a request may take to connect, and to go on after each byte.

        Raises:
            SettingsError: the address is none.
        """
        self.service = checked_address(service, setting=f"service of channel {name}")
        self.handle = handle.strip().removeprefix("@").lower()
        self._name, self._secrets, self._timeout = name, secrets, timeout
        self._client: Any = None

    @property
    def did(self) -> str:
        """The account's identifier, which never changes; opens the session."""
        return str(self._session(self.client()).did)

    @property
    def scope(self) -> str:
        """What the session may do, as its token says."""
        return str(self._session(self.client()).access_jwt_payload.scope or "")

    def client(self) -> Any:
        """The client, with the kept session or after logging in.

        Raises:
            Unauthorised: there is no valid session, and no password or not the right one.
            Throttled: the server cannot be reached, or asks to wait.
            BackendMissing: the package atproto is not installed.
        """
        if self._client is None:
            client = open_client(self.service, self._timeout)
            client.on_session_change(lambda event, session: self._changed(client, event, session))
            self._client = client if self._resume(client) else self._log_in(client)
        return self._client

    def call(self, ask: Callable[[Any], Any], *, sent: bool = False) -> Any:
        """What `ask(client)` gives; a session that ran out is renewed once, and asked again.

        A server that refuses a token has not acted, so asking again is no second mutation.

        Args:
            ask: makes one request.
            sent: whether that request is the visible mutation.

        Raises:
            Rejected: the server does not want it.
            Throttled: not now; nothing was done.
            Unauthorised: the credentials are not accepted.
            OutcomeUnknown: it may or may not have been done; only where `sent`.
        """
        client = self.client()
        try:
            try:
                return ask(client)
            except Exception as error:
                if not _is_stale(error):
                    raise
            self._renew(client)
            return ask(client)
        except ChannelError:
            raise
        except Exception as error:  # noqa: BLE001 - the client raises what its own libraries do
            raise meaning(error, self.service, sent=sent) from None

    def _resume(self, client: Any) -> bool:
        """Take up the kept session, if it is this account's on this server."""
        kept = self._secrets.get(_SESSION)
        if not kept:
            return False
        try:
            record = json.loads(kept)
            if record["service"] != self.service or record["handle"] != self.handle:
                return False
            client.login(session_string=record["session"], fetch_bsky_profile=False)
            return bool(self._session(client).access_jwt_payload.exp)
        except Exception:  # noqa: BLE001 - whatever is wrong with it, it is no session: log in
            return False

    def _log_in(self, client: Any) -> Any:
        password = self._secrets.get(_PASSWORD)
        if not self.handle or not password:
            missing = "an app password" if self.handle else "a handle"
            raise Unauthorised(f"{self._name} has no {missing[2:].strip()}; run: auria channels add {self._name}")
        try:
            client.login(self.handle, password, fetch_bsky_profile=False)
        except ChannelError:
            raise
        except Exception as error:  # noqa: BLE001 - the client raises what its own libraries do
            if code_of(error) == "AuthFactorTokenRequired":
                raise Unauthorised(
                    f"{self.service} asks for a code sent by mail, because this is the account's main password; make an"
                    f" app password in its settings, then run: auria channels add {self._name}"
                ) from None
            if isinstance(found := meaning(error, self.service, sent=False), Rejected):
                found = Unauthorised(f"{self.service} does not accept the login: {found}")  # nothing was posted
            raise found from None
        return client

    def _renew(self, client: Any) -> None:
        """A new access token by the refresh token, or else by the password."""
        session = self._session(client)
        try:
            answer = client.com.atproto.server.refresh_session(
                headers={"Authorization": f"Bearer {session.refresh_jwt}"}, ignore_session_check=True
            )
            renewed = session.copy()
            renewed.access_jwt, renewed.refresh_jwt = answer.access_jwt, answer.refresh_jwt
            client.login(session_string=renewed.encode(), fetch_bsky_profile=False)
            self._keep(renewed.encode())
        except Exception as error:  # noqa: BLE001 - what is not a refusal of the token is told by its meaning
            if isinstance(found := meaning(error, self.service, sent=False), Throttled):
                raise found from None
            self._log_in(client)

    def _session(self, client: Any) -> Any:
        from atproto_client import Session

        return Session.decode(client.export_session_string())

    def _changed(self, client: Any, event: Any, session: Any) -> None:
        """Stay with the server that the settings name, and keep what was renewed."""
        if self.service != ENTRYWAY:
            client.update_base_url(self.service)
        else:
            self._follow(client, session)
        if getattr(event, "value", "") != "import":
            self._keep(session.encode())

    def _follow(self, client: Any, session: Any) -> None:
        """Go on to the account's own server, unless the address it gives is not to be trusted with a token."""
        with contextlib.suppress(SettingsError):
            if checked_address(session.pds_endpoint or "", setting="the account's server").startswith("https:"):
                return  # where atproto is headed by itself
        client.update_base_url(self.service)

    def _keep(self, session: str) -> None:
        record = {"service": self.service, "handle": self.handle, "session": session}
        try:
            self._secrets.put(_SESSION, json.dumps(record))
        except DiskError as error:  # it is good for this process all the same; the next one logs in again
            log.warning("The session of %s could not be kept: %s", self._name, error)


def open_client(address: str, timeout: float) -> Any:
    """A client for a server, with no session.

    Raises:
        BackendMissing: the package atproto is not installed.
    """
    try:
        import httpx
        from atproto_client import Client
        from atproto_client.request import Request
    except ImportError:
        raise BackendMissing("Bluesky needs a package: pip install 'auria-bot[bluesky]'") from None
    request = Request(
        timeout=timeout,
        limits=httpx.Limits(max_keepalive_connections=0),  # a stale connection would make an attempt unclear
        event_hooks={"response": [_stay]},
    )
    return Client(base_url=address, request=request)


def code_of(error: BaseException) -> str:
    """The protocol's name for an error, such as "RecordNotFound"; "" where the server gave none."""
    return str(getattr(getattr(getattr(error, "response", None), "content", None), "error", None) or "")


def meaning(error: Exception, server: str, *, sent: bool) -> ChannelError:
    """What a failed request says about the post.

    Args:
        error: what the client raised.
        server: its address, for the message.
        sent: whether the request was the visible mutation.
    """
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if response is None or not isinstance(status, int):
        kind = type(error.__cause__ or error).__name__
        if kind == _REDIRECT and not sent:
            return Unauthorised(f"{server} leads elsewhere; set the channel's service to its own address")
        if sent and kind not in {"ConnectError", "ConnectTimeout"}:
            return OutcomeUnknown(f"the connection to {server} broke, or its answer made no sense ({kind})")
        return Throttled(f"{server} cannot be reached, or its answer made no sense ({kind})")
    return refusal(status, response.content, getattr(response, "headers", {}), server, sent=sent)


def refusal(status: int, content: Any, headers: Mapping[str, str], server: str, *, sent: bool) -> ChannelError:
    """What an answer with an error says about the post.

    Args:
        status: of HTTP.
        content: with the protocol's `error` and `message`, or bytes.
        headers: by their names in lower case.
        server: its address, for the message.
        sent: whether the request was the visible mutation.
    """
    words = _words(content)
    said = f"{server} said {status}" + (f": {words}" if words else "")
    if status == 429:
        return Throttled(said, until=_reset(headers))
    if status in {401, 403} or getattr(content, "error", "") in _FINAL | _STALE:
        return Unauthorised(said)
    if status >= 500 or status < 400 or status in {408, 409}:
        return OutcomeUnknown(said) if sent else Throttled(said)
    return Rejected(said)


def _is_stale(error: Exception) -> bool:
    """Whether the access token is refused, and another may not be; other refusals of credentials are final."""
    return code_of(error) in _STALE


def _words(content: Any) -> str:
    """A server's own words, short and without secrets."""
    parts = [getattr(content, "error", None), getattr(content, "message", None)]
    found = ": ".join(str(part) for part in parts if part)
    if not found and isinstance(content, bytes):
        found = content[:_WORDS].decode("utf-8", "replace")
    return redacted(" ".join(found.split()))[:_WORDS]


def _reset(headers: Mapping[str, str]) -> datetime | None:
    """When a limit ends: `ratelimit-reset` in seconds since 1970, or `retry-after` in seconds."""
    for name, since in (("ratelimit-reset", 0.0), ("retry-after", datetime.now(UTC).timestamp())):
        with contextlib.suppress(KeyError, ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(since + float(headers[name]), UTC)
    return None


def _stay(response: Any) -> None:
    """Follow no redirect.

    Raises:
        httpx.UnsupportedProtocol: the server leads elsewhere.
    """
    import httpx

    if response.is_redirect:
        raise httpx.UnsupportedProtocol("the server leads elsewhere; give its own address")
