"""The session of an account on a server of the AT protocol, and the classification of a server's failures.

Logins are limited to 30 in 5 minutes and 300 a day, so the session is saved among the secrets and renewed by its
refresh token; the app password is used only if that is refused. No request follows a redirect, so secrets are sent to
no other server.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
import unicodedata
from functools import partial
from typing import TYPE_CHECKING, Any

from auria_bot.channels import answers
from auria_bot.channels.answers import LONGEST_ANSWER, as_object, as_text, within
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
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from auria_bot.domain.interfaces import Secrets

__all__ = ["ENTRYWAY", "AtprotoSession", "bounded_get", "classify", "code_of", "failure", "open_client"]

log = logging.getLogger(__name__)

ENTRYWAY = "https://bsky.social"
"""Bluesky's login server: a login there names the server of the account, which is used from then on."""

_PASSWORD = "app_password"  # noqa: S105 - a secret's name
_SESSION = "session"
_QUOTED = 300  # characters of a server's message that are quoted
_STALE = frozenset({"ExpiredToken", "InvalidToken"})  # of an access token that has expired; other refusals are final
_REDIRECT = "UnsupportedProtocol"  # of httpx, raised by `_refuse_redirect`
_MISSING = frozenset({404, 405, 410})  # no such endpoint
_FINAL = frozenset({"AccountTakedown", "AccountDeactivated"})


class AtprotoSession:
    """An account's session.

    Usage::

        account = AtprotoSession(service=ENTRYWAY, handle="auria.example", name="bluesky", secrets=secrets, timeout=30)
        account.call(lambda client: client.invoke_query("com.atproto.server.getSession"))
    """

    def __init__(self, *, service: str, handle: str, name: str, secrets: Secrets, timeout: float) -> None:
        """Store the arguments; nothing is sent.

        Args:
            service: the server's address; `ENTRYWAY` names the account's own server, any other is used itself.
            handle: the account's handle or DID; invisible characters, as copying brings them along, are removed.
            name: of the channel, for messages.
            secrets: hold the app password and the session.
            timeout: seconds to connect, and between two bytes of an answer; all of it may take a few times as long.

        Raises:
            SettingsError: the address is not valid.
        """
        self.service = checked_address(service, setting=f"service of channel {name}")
        visible = "".join(character for character in handle if unicodedata.category(character)[0] not in "CZ")
        self.handle = visible.removeprefix("@").lower()
        self._name, self._secrets, self._timeout = name, secrets, timeout
        self._client: Any = None

    @property
    def did(self) -> str:
        """The account's permanent identifier; opens the session."""
        return str(self._session(self.client()).did)

    @property
    def scope(self) -> str:
        """The session's scope, from its token."""
        return str(self._session(self.client()).access_jwt_payload.scope or "")

    def client(self) -> Any:
        """The client, with the saved session or after a login.

        Raises:
            Unauthorised: there is no valid session, and the password is missing or wrong.
            Throttled: the server cannot be reached, or asks to wait.
            BackendMissing: the package atproto is not installed.
        """
        if self._client is None:
            client = open_client(self.service, self._timeout)
            client.on_session_change(lambda event, session: self._changed(client, event, session))
            self._client = client if self._resume(client) else self._log_in(client)
        return self._client

    def call(self, ask: Callable[[Any], Any], *, sent: bool = False, upload: bool = False) -> Any:
        """Call `ask(client)`; if the session has expired, renew it and call once more.

        A server that refuses a token has not acted, so the second call is no second post.

        Args:
            sent: whether that request is the visible one; then an uncertain outcome is OutcomeUnknown.
            upload: whether it carries a picture or a film, and may take longer.

        Raises:
            ChannelError: by the server's answer.
        """
        client = self.client()
        seconds = self._timeout * (answers.UPLOAD if upload else answers.EXCHANGE)
        try:
            try:
                return within(lambda: ask(client), seconds)
            except Exception as error:
                if code_of(error) not in _STALE:
                    raise
            self._renew(client)
            return within(lambda: ask(client), seconds)
        except ChannelError:
            raise
        except Exception as error:  # noqa: BLE001 - the client raises errors of its libraries
            raise classify(error, self.service, sent=sent) from None

    def _resume(self, client: Any) -> bool:
        """Use the saved session, if it is this account's on this server."""
        kept = self._secrets.get(_SESSION)
        if not kept:
            return False
        try:
            record = json.loads(kept)
            if record["service"] != self.service or record["handle"] != self.handle:
                return False
            client.login(session_string=record["session"], fetch_bsky_profile=False)
            return bool(self._session(client).access_jwt_payload.exp)
        except Exception:  # noqa: BLE001 - a damaged session is replaced by a login
            return False

    def _log_in(self, client: Any) -> Any:
        password = self._secrets.get(_PASSWORD)
        if not self.handle or not password:
            missing = "app password" if self.handle else "handle"
            raise Unauthorised(f"{self._name} has no {missing}; run: auria channels add {self._name}")
        if "." not in self.handle and not self.handle.startswith("did:"):
            raise Unauthorised(
                f"{self._name}: the handle {self.handle[:60]!r} has no dot; a handle is complete, such as"
                f" {self.handle[:60]}.bsky.social; run: auria channels add {self._name}"
            )
        try:
            login = partial(client.login, self.handle, password, fetch_bsky_profile=False)
            within(login, self._timeout * answers.EXCHANGE)
        except ChannelError:
            raise
        except Exception as error:  # noqa: BLE001 - the client raises errors of its libraries
            if code_of(error) == "AuthFactorTokenRequired":
                raise Unauthorised(
                    f"{self.service} asks for a code sent by mail, because this is the account's main password; make an"
                    f" app password in its settings, then run: auria channels add {self._name}"
                ) from None
            if isinstance(found := classify(error, self.service, sent=False), Rejected):
                found = Unauthorised(f"{self.service} does not accept the login: {found}")  # nothing was posted
            raise found from None
        return client

    def _renew(self, client: Any) -> None:
        """Get a new access token by the refresh token, else by the password."""
        session = self._session(client)
        try:
            headers = {"Authorization": f"Bearer {session.refresh_jwt}"}
            refresh = partial(client.com.atproto.server.refresh_session, headers=headers, ignore_session_check=True)
            answer = within(refresh, self._timeout * answers.EXCHANGE)
            renewed = session.copy()
            renewed.access_jwt, renewed.refresh_jwt = answer.access_jwt, answer.refresh_jwt
            client.login(session_string=renewed.encode(), fetch_bsky_profile=False)
            self._keep(renewed.encode())
        except Exception as error:  # noqa: BLE001 - classified; only a refused token leads to a login
            if isinstance(found := classify(error, self.service, sent=False), Throttled):
                raise found from None
            self._log_in(client)

    def _session(self, client: Any) -> Any:
        from atproto_client import Session

        return Session.decode(client.export_session_string())

    def _changed(self, client: Any, event: Any, session: Any) -> None:
        """Keep to the configured server, and save the renewed session."""
        if self.service != ENTRYWAY:
            client.update_base_url(self.service)
        else:
            self._use_own_server(client, session)
        if getattr(event, "value", "") != "import":
            self._keep(session.encode())

    def _use_own_server(self, client: Any, session: Any) -> None:
        """Use the account's own server, unless its address must not be sent a token."""
        with contextlib.suppress(SettingsError):
            if checked_address(session.pds_endpoint or "", setting="the account's server").startswith("https:"):
                return  # atproto uses it already
        client.update_base_url(self.service)

    def _keep(self, session: str) -> None:
        record = {"service": self.service, "handle": self.handle, "session": session}
        try:
            self._secrets.put(_SESSION, json.dumps(record))
        except DiskError as error:  # this process can use it nevertheless; the next one logs in again
            log.warning("The session of %s could not be saved: %s", self._name, error)


def open_client(address: str, timeout: float) -> Any:
    """Create a client for a server, without a session.

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
        limits=httpx.Limits(max_keepalive_connections=0),  # a stale connection would make an outcome unknown
        event_hooks={
            "request": [answers.timely_hook(httpx.ConnectTimeout)],
            "response": [_refuse_redirect, partial(_bounded, timeout)],
        },
        headers={"Accept-Encoding": "identity"},  # what is packed may grow without bounds
    )
    return Client(base_url=address, request=request)


def bounded_get(address: str, timeout: float, **params: Any) -> Any:
    """Read from a server without a session; its answer is bounded as that of the account's own server.

    Raises:
        httpx.HTTPError: it does not answer, or its answer is too long or too slow.
    """
    import httpx

    hooks: dict[str, list[Callable[..., Any]]] = {"response": [partial(_bounded, timeout)]}
    with httpx.Client(timeout=timeout, event_hooks=hooks, headers={"Accept-Encoding": "identity"}) as client:
        return client.get(address, params=params)


def code_of(error: BaseException) -> str:
    """The protocol's name for an error, such as "RecordNotFound"; "" without one."""
    return as_text(getattr(getattr(getattr(error, "response", None), "content", None), "error", None))


def classify(error: Exception, server: str, *, sent: bool) -> ChannelError:
    """The channel error for a failed request.

    Args:
        sent: whether the request was the visible one.
    """
    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None)
    if response is None or not isinstance(status, int):
        kind = type(error.__cause__ or error).__name__
        if kind == _REDIRECT and not sent:
            return Unauthorised(
                f"{server} redirects to another address; set the channel's service to the server's own address"
            )
        if sent and kind not in {"ConnectError", "ConnectTimeout"}:
            return OutcomeUnknown(f"the connection to {server} broke, or its answer cannot be interpreted ({kind})")
        return Throttled(f"{server} cannot be reached, or its answer cannot be interpreted ({kind})")
    return failure(status, response.content, getattr(response, "headers", {}), server, sent=sent)


def failure(status: int, content: Any, headers: Mapping[str, str], server: str, *, sent: bool) -> ChannelError:
    """The channel error for an answer whose status is not 2xx.

    Args:
        content: has the protocol's `error` and `message`, or is bytes.
        headers: by their names in lower case.
        sent: whether the request was the visible one.
    """
    quoted = _quoted(content)
    message = f"{server} answered {status}" + (f": {quoted}" if quoted else "")
    if status == 429:
        return Throttled(message, until=_reset(headers))
    name = _error_name(content)
    if status in {401, 403} or name in _FINAL | _STALE:
        return Unauthorised(message)
    away = status in _MISSING and not name  # the answer of a proxy whose server is down
    if status >= 500 or status < 400 or status in {408, 409} or away:
        return OutcomeUnknown(message) if sent else Throttled(message)
    return Rejected(message)


def _error_name(content: Any) -> str:
    """The protocol's name for an error, from an answer that was interpreted or from its bytes; "" without one."""
    if isinstance(content, bytes):
        with contextlib.suppress(ValueError, RecursionError):
            return as_text(as_object(json.loads(content)).get("error"))
        return ""
    return as_text(getattr(content, "error", None))


def _quoted(content: Any) -> str:
    """A server's message, shortened, without secrets."""
    parts = [getattr(content, "error", None), getattr(content, "message", None)]
    found = ": ".join(str(part) for part in parts if part)
    if not found and isinstance(content, bytes):
        found = content[:_QUOTED].decode("utf-8", "replace")
    return redacted(" ".join(found.split()))[:_QUOTED]


def _reset(headers: Mapping[str, str]) -> datetime | None:
    """When a rate limit ends: `ratelimit-reset` in seconds from now or since 1970, else `retry-after`."""
    ahead = answers.clock_ahead(headers)
    with contextlib.suppress(KeyError, ValueError, OverflowError, OSError):
        if (seconds := float(headers["ratelimit-reset"])) >= 0:
            return answers.reset_at(seconds, ahead)
    wait = answers.retry_seconds(headers.get("retry-after"), ahead)
    return None if wait is None else answers.reset_at(wait)


def _bounded(timeout: float, response: Any) -> None:
    """Give an answer up that is too long, or whose body takes longer than the time-out as a whole."""
    import httpx

    most = LONGEST_ANSWER if "content-encoding" not in response.headers else LONGEST_ANSWER >> 6

    class Bounded(httpx.SyncByteStream):
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        def __iter__(self) -> Iterator[bytes]:
            until, length = time.monotonic() + timeout, 0
            for part in self._inner:
                length += len(part)
                if length > most or time.monotonic() > until:
                    raise httpx.ReadTimeout("the answer is too long or too slow")
                yield part

        def close(self) -> None:
            self._inner.close()

    response.stream = Bounded(response.stream)


def _refuse_redirect(response: Any) -> None:
    """Follow no redirect.

    Raises:
        httpx.UnsupportedProtocol: the answer is a redirect.
    """
    import httpx

    if response.is_redirect:
        raise httpx.UnsupportedProtocol("the server redirects to another address")
