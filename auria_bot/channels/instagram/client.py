"""A client of the package instagrapi for Instagram's private API, its risky behaviour removed, its errors classified.

- A request is sent once. The package repeats some after a time-out or a broken answer, the publishing one among them.
- A request has a time-out. The package sets none; what it calls one is a pause.
- Redirects are not followed.
- A password that was refused is not sent again. The package tries a second login method.
- Challenges are not answered and nothing is asked at the terminal: the account's owner does that in the app.
- The picture's bytes in `picture` are uploaded unchanged. The package would compress them again.
- Nothing is logged: the package logs whole answers, sessions among them.
- Requests can be sent to another server's address.
- `before_publishing` is called right before the one visible request.
- Errors are of six kinds; messages quote the platform, shortened and without secrets.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from random import uniform
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from auria_bot.channels.answers import (
    EXCHANGE,
    as_object,
    as_text,
    clock_ahead,
    never_sent,
    retry_seconds,
    timely_adapter,
    whole,
    within,
)
from auria_bot.errors import BackendMissing, ChannelError, NotFound, OutcomeUnknown, Rejected, Throttled

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["OWN_ADDRESS", "PUBLISHING", "ErrorKind", "Failure", "classify", "kept_session", "single_send_client"]

OWN_ADDRESS = "https://i.instagram.com"
"""Address of the private API."""

PUBLISHING = "media/configure/"
"""Endpoint of the one visible request."""

_KEPT = (
    "uuids",
    "mid",
    "ig_u_rur",
    "ig_www_claim",
    "authorization_data",
    "cookies",
    "last_login",
    "device_settings",
    "user_agent",
    "country",
    "country_code",
    "locale",
    "timezone_offset",
    "usdid",
)
# The package's settings that identify the device and the session; the others come from the channel's options.


def single_send_client(
    session: Mapping[str, Any], *, address: str, timeout: float, delay: tuple[float, float], proxy: str = ""
) -> Any:
    """Create a client with an earlier session, or with a new device if that is empty; nothing is sent.

    Args:
        session: from `kept_session`.
        timeout: seconds, for each request.
        delay: the shortest and the longest wait before a request, in seconds.
        proxy: its address; "" for none.

    Raises:
        BackendMissing: instagrapi is not installed.
    """
    try:
        from instagrapi import Client
    except ImportError:
        raise BackendMissing("Instagram's private API needs a package: pip install 'auria-bot[instagram]'") from None
    quiet = _null_logger()
    own = address == OWN_ADDRESS
    client: Any = type("SingleSendClient", (_SingleSend, Client), {"delay": delay})(
        settings=dict(session),
        proxy=proxy or None,
        logger=quiet,
        request_timeout=0,
        session_retry_total=0,
        private_transport="curl" if own else "requests",
    )
    client.private_request_logger = client.public_request_logger = client.request_logger = quiet
    _mount_adapters(client, "" if own else address, timeout)
    return client


def _refuse_challenge(*_: object) -> str:
    from instagrapi.exceptions import ChallengeRequired

    raise ChallengeRequired("a code or a new password is required; the owner must enter it in the app")


class _SingleSend:
    """Overrides methods of the package's `Client`."""

    challenge_code_handler = _refuse_challenge
    change_password_handler = _refuse_challenge
    with_challenge_flow = False
    picture = b""
    delay = (0.0, 0.0)
    authorization: str
    private_requests_count: int
    last_json: Any
    _send_private_request: Callable[..., Any]

    @staticmethod
    def before_publishing() -> None:
        """Replaced by the channel."""

    def _try_caa_login(self, *_: object, **__: object) -> bool:
        """Do not send a refused password again by the second login method."""
        return False

    def private_request(
        self,
        endpoint: str,
        data: Any = None,
        params: Any = None,
        login: bool = False,
        with_signature: bool = True,
        headers: Any = None,
        extra_sig: Any = None,
        domain: str | None = None,
    ) -> Any:
        """Send one request, once."""
        sent = dict(headers or {})
        if self.authorization and "authorization" not in {name.lower() for name in sent}:
            sent["Authorization"] = self.authorization
        time.sleep(uniform(*self.delay))
        if endpoint == PUBLISHING:
            self.before_publishing()
        self.private_requests_count += 1
        self._send_private_request(
            endpoint,
            data=data,
            params=params,
            login=login,
            with_signature=with_signature,
            headers=sent,
            extra_sig=extra_sig,
            domain=domain,
        )
        return self.last_json


def kept_session(client: Any) -> dict[str, Any]:
    """The part of a client's settings that identifies device and session; it holds no password."""
    settings = client.get_settings()
    return {name: settings[name] for name in _KEPT if settings.get(name)}


def _mount_adapters(client: Any, address: str, timeout: float) -> None:
    """Give every request of a client a time-out, and send it to another address if one is given."""
    from requests.adapters import HTTPAdapter

    class SingleSendAdapter(HTTPAdapter):
        """Changes requests and passes them on."""

        def __init__(self, inner: Any) -> None:
            super().__init__()
            self._plain = type(inner) is HTTPAdapter
            self._inner = timely_adapter() if self._plain else inner

        def send(self, request: Any, *_: Any, **options: Any) -> Any:
            host = urlsplit(request.url).hostname or ""
            if address and (host == "instagram.com" or host.endswith(".instagram.com")):
                request.url = address + request.url[request.url.index(host) + len(host) :]
            if client.picture and urlsplit(request.url).path.startswith("/rupload_igphoto/"):
                request.body = client.picture
                request.headers["Content-Length"] = request.headers["X-Entity-Length"] = str(len(client.picture))
            if not self._plain:  # the package's own, which reads the body itself
                return self._inner.send(request, **{**options, "timeout": timeout})
            options |= {"timeout": timeout, "stream": True}
            return within(lambda: whole(self._inner.send(request, **options), timeout), EXCHANGE * timeout)

        def close(self) -> None:
            self._inner.close()
            super().close()

    for session in (client.private, client.public, client.graphql):
        curl = session is client.private and not address
        adapter = SingleSendAdapter(session.get_adapter("https://") if curl else HTTPAdapter(max_retries=0))
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        session.max_redirects = 0


def _null_logger() -> logging.Logger:
    """A logger outside the hierarchy that writes nothing."""
    logger = logging.Logger("instagrapi, kept quiet", logging.CRITICAL + 1)  # noqa: LOG001 - it must have no parent
    logger.addHandler(logging.NullHandler())
    return logger


_APP = "open the Instagram app with this account and follow its instructions"
_WAIT = timedelta(hours=1)
_SOON = timedelta(minutes=10)


class ErrorKind(Enum):
    """What an error means for a post."""

    BLOCKED = "the operator is needed"
    ENDED = "the session ended"
    LATER = "not done, try again later"
    REFUSED = "not done, no use repeating"
    UNCLEAR = "done or not"
    GONE = "not found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A classified error."""

    kind: ErrorKind
    message: str
    wait: timedelta = _SOON

    def error(self) -> ChannelError | NotFound:
        """The channel error, for the kinds that have one."""
        if self.kind is ErrorKind.LATER:
            return Throttled(self.message, until=datetime.now(UTC) + self.wait)
        if self.kind is ErrorKind.GONE:
            return NotFound(self.message)
        return OutcomeUnknown(self.message) if self.kind is ErrorKind.UNCLEAR else Rejected(self.message)


def classify(error: Exception, client: Any, *, visible: bool, login: bool, hidden: tuple[str, ...]) -> Failure:
    """Classify an error of the package.

    Args:
        client: its last answer holds the platform's message.
        visible: whether the visible request had been started.
        login: whether it was a login; any refusal of one needs the operator.
        hidden: secrets to remove from the message.
    """
    from instagrapi import exceptions as wrong

    if isinstance(error, wrong.PhotoNotUpload):
        error = _typed(error)
    status = _status(error)
    quoted = _quoted(error, client, hidden)
    message = f"{quoted} ({type(error).__name__})" if quoted else type(error).__name__
    if isinstance(error, wrong.ChallengeRequired) and _last_status(client) == 404 and not (login or visible):
        # The package reads a bare "Not Found" as a challenge; it may also be a post that is gone.
        return Failure(kind=ErrorKind.LATER, message="Instagram answered Not Found", wait=_WAIT)
    advice = {
        wrong.TwoFactorRequired: "add the secret totp_seed, the seed of the authenticator app",
        wrong.BadPassword: "check the password, and look into the app",
        wrong.BadCredentials: "check name and password",
        wrong.AccountSuspended: "Instagram suspended the account; look into the app",
        wrong.FeedbackRequired: "Instagram restricts the account; wait a day or two, and look into the app",
        wrong.ProxyAddressIsBlocked: "Instagram blocks this network address; use another connection",
        wrong.SentryBlock: "Instagram blocks this network address or device; wait, and look into the app",
        wrong.ClientNeedsUpgradeError: "Instagram requires a newer app version: pip install -U instagrapi",
        wrong.CaptchaChallengeRequired: _APP,
        wrong.ReloginAttemptExceeded: _APP,
        wrong.ChallengeError: _APP,
    }
    for kind, action in advice.items():
        if isinstance(error, kind):
            return Failure(kind=ErrorKind.BLOCKED, message=f"Instagram says: {message}; {action}")
    if isinstance(error, wrong.LoginRequired | wrong.ClientLoginRequired | wrong.ClientUnauthorizedError) and not login:
        return Failure(kind=ErrorKind.ENDED, message=f"Instagram says: {message}")
    if isinstance(error, wrong.PleaseWaitFewMinutes | wrong.RateLimitError | wrong.ClientThrottledError):
        return Failure(kind=ErrorKind.LATER, message=f"Instagram asks to wait: {message}", wait=_retry_after(error))
    if _broken(error):
        kind = ErrorKind.UNCLEAR if visible and not _unsent(error) else ErrorKind.LATER
        return Failure(kind=kind, message=f"the connection to Instagram broke ({type(error).__name__})")
    return _from_answer(error, status, message, visible=visible, login=login)


def _typed(error: Exception) -> Any:
    """An upload's error with its proper type; the package has a single type for all of them."""
    from instagrapi import exceptions as wrong

    response = getattr(error, "response", None)
    message = _message(response, "message")
    if message == "login_required":
        return wrong.LoginRequired(response=response)
    if message in {"challenge_required", "checkpoint_required"}:
        return wrong.ChallengeRequired("challenge", response=response)
    if message == "feedback_required":
        return wrong.FeedbackRequired(response=response)
    if _status(error) == 429 or "wait a few minutes" in message:
        return wrong.ClientThrottledError(response=response)
    return error


def _from_answer(error: Exception, status: int, message: str, *, visible: bool, login: bool) -> Failure:
    """Classify an answer that has no error type of its own."""
    from instagrapi import exceptions as wrong

    gone = wrong.NotFoundError | wrong.ClientNotFoundError | wrong.MediaUnavailable | wrong.InvalidMediaId
    trouble = status >= 500 or isinstance(error, wrong.ClientJSONDecodeError)
    if status == 403:
        found = ErrorKind.BLOCKED, f"Instagram forbids it: {message}; {_APP}"
    elif login and not trouble:
        found = ErrorKind.BLOCKED, f"Instagram did not accept the login: {message}; {_APP}"
    elif isinstance(error, gone) and not visible:
        found = ErrorKind.GONE, f"Instagram has no such object: {message}"
    elif "media_needs_reupload" in message:
        found = ErrorKind.LATER, f"Instagram wants the picture uploaded again: {message}"
    elif 400 <= status < 500 or (isinstance(error, wrong.PrivateError) and not status):
        found = ErrorKind.REFUSED, f"Instagram refuses it: {message}"
    else:
        kind = ErrorKind.UNCLEAR if visible else ErrorKind.LATER
        found = kind, f"Instagram failed, or its answer cannot be interpreted: {message}, status {status}"
    return Failure(kind=found[0], message=found[1])


def _broken(error: Exception) -> bool:
    """Whether no complete answer arrived."""
    from instagrapi import exceptions as wrong
    from requests import RequestException

    kinds = wrong.ClientConnectionError | wrong.ClientRequestTimeout | wrong.ClientIncompleteReadError
    return isinstance(error, kinds | RequestException | OSError)


def _unsent(error: Exception) -> bool:
    """Whether the connection broke before the first byte; the package replaces the error that tells."""
    from instagrapi.exceptions import ClientConnectionError

    told = error.__context__ if isinstance(error, ClientConnectionError) else error
    return told is not None and never_sent(told)


def _status(error: Exception) -> int:
    """The HTTP status of the answer; 0 if unknown."""
    status = getattr(getattr(error, "response", None), "status_code", None) or getattr(error, "code", None)
    return status if isinstance(status, int) else 0


def _last_status(client: Any) -> int:
    return int(getattr(client.last_response, "status_code", 0) or 0)


def _retry_after(error: Exception) -> timedelta:
    """How long the platform asks to wait, by its Retry-After header."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    asked = retry_seconds(headers.get("retry-after"), clock_ahead(headers))
    return _WAIT if asked is None else timedelta(seconds=asked)


def _message(response: Any, *keys: str) -> str:
    """The first text among these fields of an answer; "" without one."""
    try:
        return _first_text(response.json(), *keys)
    except (AttributeError, ValueError):
        return ""


def _first_text(answer: Any, *keys: str) -> str:
    found = as_object(answer)
    return next((found[key] for key in keys if as_text(found.get(key))), "")


def _quoted(error: Exception, client: Any, hidden: tuple[str, ...]) -> str:
    """The platform's message in the failed answer, without secrets."""
    response = getattr(error, "response", None)
    keys = ("feedback_message", "message")
    message = _first_text(client.last_json, *keys) if response is None else _message(response, *keys)
    session = client.sessionid
    for secret in (*hidden, *((session,) if session else ())):
        message = message.replace(secret, "***")
    return " ".join(message.split())[:200]
