"""Calls Meta's Graph API over HTTPS and classifies its errors by their codes.

A call is sent once and never repeated. The access token is sent in a header, so that no logged address contains it;
messages quote the platform without the token.
"""

from __future__ import annotations

import json
import logging
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from auria_bot.channels.answers import (
    EXCHANGE,
    as_count,
    as_object,
    as_text,
    clock_ahead,
    retry_seconds,
    timely_hook,
    within,
)
from auria_bot.errors import BackendMissing, ChannelError, NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx2

    from auria_bot.domain.post import Post

__all__ = ["GraphApi", "GraphContainers", "quiet_client"]

_MOST = 2_000_000  # bytes of an answer
_LONGEST_VALIDITY = 10 * 366 * 86_400  # seconds: a token valid for longer is an error
_AGAIN = timedelta(minutes=5)  # if the platform does not say when

_CREDENTIALS = {10, 102, 104, 190, 458, 459, 460, 463, 464, 467, *range(200, 300)}  # token or permission
_RATE = {4, 17, 32, 341, 613}  # too many calls
_TEMPORARY = {-2, -1, 1, 2}  # temporary failures of the platform
_RESTRICTED = {2207050}  # the account must be opened in the app first
_UNREACHABLE = {2207052}  # the picture could not be fetched from its address
_QUOTA = {2207042}  # posts of a day
_SPAM = {2207051}  # considered spam
_LIVES = timedelta(hours=24)  # a container, from its creation
_STALE = {2207003, 2207006, 2207008, 2207020, 2207027, 2207032}  # a new container helps
_STALE_CONTAINER = {2207001, 2207003, 2207006, 2207008, 2207020, 2207032, 2207053}  # the same, in a container's status
_FETCH = "Instagram cannot fetch the picture: check public_url and the storage options"


class GraphApi:
    """Calls of one application of Meta's Graph API.

    Usage::

        api = GraphApi("https://graph.instagram.com", version="v23.0", timeout=30)
        api.read("me", token, fields="username")
        api.post("me/media", token, image_url="https://...", caption="...")
    """

    def __init__(self, address: str, *, version: str, timeout: float) -> None:
        """Store the address; nothing is sent.

        Args:
            address: without a version and a trailing slash.
            version: such as "v23.0".
            timeout: seconds, for each step of a call, and for its answer; all of it may take four times as long.
        """
        self._address = address
        self._version = version
        self._timeout = timeout
        self._client: httpx2.Client | None = None

    @property
    def client(self) -> httpx2.Client:
        """The HTTP client, created on first use; also usable for other addresses."""
        if self._client is None:
            self._client = quiet_client(self._timeout)
        return self._client

    def read(self, path: str, token: str, **fields: str) -> dict[str, Any]:
        """Read an object or a list.

        Raises:
            NotFound: there is no such object.
            ChannelError: by the platform's error code.
            BackendMissing: the package httpx2 is not installed.
        """
        return self._call("GET", f"{self._version}/{path}", token, fields, visible=False)

    def post(self, path: str, token: str, *, visible: bool = False, **fields: Any) -> dict[str, Any]:
        """Send a change.

        Args:
            visible: whether followers see the change; then an uncertain outcome is OutcomeUnknown.
            fields: sent as JSON.

        Raises:
            NotFound: there is no such object.
            ChannelError: by the platform's error code.
        """
        return self._call("POST", f"{self._version}/{path}", token, fields, visible=visible)

    def delete(self, path: str, token: str) -> None:
        """Delete an object; an uncertain outcome is OutcomeUnknown.

        Raises:
            NotFound: there is no such object.
            ChannelError: by the platform's error code.
        """
        found = self._call("DELETE", f"{self._version}/{path}", token, {}, visible=True)
        if found.get("success") is not True:
            raise OutcomeUnknown("Instagram answered without saying that the post is deleted")

    def renew(self, token: str) -> tuple[str, timedelta]:
        """Request a new token; returns it and how long it is valid.

        Raises:
            ChannelError: it was not renewed; the old token stays valid.
        """
        fields = {"grant_type": "ig_refresh_token", "access_token": token}
        found = self._call("GET", "refresh_access_token", token, fields, visible=False)
        renewed, seconds = as_text(found.get("access_token")), as_count(found.get("expires_in"))
        if not renewed.strip() or not seconds or seconds > _LONGEST_VALIDITY:
            raise Throttled("the answer to the token's renewal holds no token or no validity")
        return renewed, timedelta(seconds=seconds)

    def _call(self, method: str, path: str, token: str, fields: Mapping[str, Any], *, visible: bool) -> dict[str, Any]:
        try:
            import httpx2
        except ImportError:
            raise BackendMissing("Instagram's Graph API needs a package: pip install 'auria-bot[instagram]'") from None
        try:
            status, headers, body = within(
                lambda: self._exchange(method, path, token, fields), EXCHANGE * self._timeout
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError) as error:
            raise Throttled(f"{self._address} cannot be reached ({type(error).__name__})", until=_later()) from None
        except (httpx2.HTTPError, TimeoutError) as broken:
            message = f"the connection to {self._address} broke ({type(broken).__name__})"
            raise (OutcomeUnknown(message) if visible else Throttled(message, until=_later())) from None
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if status == 200 and isinstance(found, dict) and "error" not in found:
            return found
        raise _classified(status, headers, as_object(as_object(found).get("error")), token, visible=visible)

    def _exchange(
        self, method: str, path: str, token: str, fields: Mapping[str, Any]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send one request; the body of its answer arrives within the time-out."""
        import httpx2

        ends = time.monotonic() + self._timeout
        params, content = (dict(fields), None) if method == "GET" else (None, dict(fields) or None)
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self._address}/{path}"
        body = bytearray()
        with self.client.stream(method, url, headers=headers, params=params, json=content) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _MOST or time.monotonic() > ends:
                    raise httpx2.ReadTimeout("the answer is too long or too slow")
            return response.status_code, response.headers, bytes(body)


class GraphContainers:
    """Media containers of one account: created from a picture, published at most once, valid for 24 hours.

    A container's status shows afterwards whether it was published.
    """

    def __init__(self, api: GraphApi, *, poll: float, patience: float, settle: timedelta) -> None:
        """Store the arguments.

        Args:
            poll: seconds between two reads.
            patience: seconds until a container must be ready.
            settle: time after which a call whose answer was lost has been processed.
        """
        self._api = api
        self._poll = poll
        self._patience = patience
        self._settle = settle

    def wait(self, container: str, token: str, *, longer: float = 1.0) -> None:
        """Wait until the platform has fetched the picture or film, so many times longer than for a picture.

        Raises:
            Rejected: the picture is refused.
            Throttled: it is not ready in time, or failed temporarily.
            Unauthorised: the picture cannot be fetched.
        """
        ends = time.monotonic() + self._patience * longer
        while True:
            found = self._api.read(container, token, fields="status_code,status")
            status = str(found.get("status_code"))[:20]
            if status == "FINISHED":
                return
            if status == "ERROR":
                raise _container_error(as_text(found.get("status")))
            if status != "IN_PROGRESS" or time.monotonic() > ends:
                raise Throttled(f"Instagram's container is {status} and not ready", until=_later())
            time.sleep(self._poll)

    def was_published(self, post: Post, token: str, *, whole: bool) -> bool:
        """Whether the container of a post that is not among the account's latest was published.

        Args:
            post: its memo is the container.
            whole: whether all posts since its attempt were listed, and none before it may be this one.

        Raises:
            Throttled: it is too early to be sure, or the platform cannot be reached.
            Unauthorised: the token is not accepted.
            OutcomeUnknown: it cannot be determined.
        """
        now = datetime.now(UTC)
        tried = post.tried_at or now
        try:
            status = str(self._api.read(post.memo, token, fields="status_code").get("status_code"))[:20]
        except (NotFound, Rejected):
            status = "gone"
        if status == "PUBLISHED":
            return True
        if now < tried + self._settle:
            raise Throttled(
                f"Instagram's container is {status}; it is too early to be sure", until=tried + self._settle
            )
        if status in {"FINISHED", "EXPIRED", "ERROR"} or (status == "gone" and whole and now > tried + _LIVES):
            return False
        if status == "gone" and not whole:
            raise OutcomeUnknown(
                "Instagram no longer knows the post's container, and the list of the account's posts does not tell"
            )
        raise Throttled(f"Instagram's container is {status}, and the post is not listed", until=_later())


def _container_error(status: str) -> ChannelError:
    """The error for a container in state ERROR, by the number in its status text."""
    found = re.search(r"\b22070\d\d\b", status)
    number = int(found[0]) if found else 0
    message = f"Instagram could not use the picture: {status[:200]}"
    if number in _UNREACHABLE:
        return Unauthorised(f"{message}; {_FETCH}")
    if number in _STALE_CONTAINER:
        return Throttled(message, until=_later())
    return Rejected(message)


def quiet_client(timeout: float) -> httpx2.Client:
    """Create an HTTP client that follows no redirect, reuses no connection, and logs no secret.

    Args:
        timeout: seconds, for each step of a request.
    """
    import httpx2

    logging.getLogger("httpx2").addFilter(_without_secrets)
    limits = httpx2.Limits(max_keepalive_connections=0)
    hooks: dict[str, list[Callable[..., Any]]] = {"request": [timely_hook(httpx2.ConnectTimeout)]}
    return httpx2.Client(timeout=timeout, follow_redirects=False, limits=limits, event_hooks=hooks)


def _without_secrets(record: logging.LogRecord) -> bool:
    """Whether a log record of the HTTP client quotes no address with a token or a signature."""
    text = record.getMessage()
    return "access_token=" not in text and "X-Amz-Signature=" not in text


def _classified(
    status: int, headers: Mapping[str, str], error: Mapping[str, Any], token: str, *, visible: bool
) -> ChannelError | NotFound:
    """The error for a failed answer."""
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    message = _message(status, error, token)
    if code == 100 and subcode == 33:
        return NotFound(message)
    temporary = status >= 500 or status < 400 or status in {408, 409}
    temporary = temporary or code in _TEMPORARY or bool(error.get("is_transient"))
    temporary = temporary or (not error and status in {404, 405, 410})  # a proxy's, while the API is down
    if advice := _advice(status, code, subcode, explained=bool(error)):
        return Unauthorised(f"{message}; {advice}")
    if wait := _wait(status, code, subcode):
        return Throttled(message, until=_until(headers, wait))
    if visible and (temporary or not error):  # without the API's own words it may be a proxy's answer
        return OutcomeUnknown(message)
    if temporary or subcode in _STALE:
        return Throttled(message, until=_until(headers, _AGAIN))
    return Rejected(message)


def _advice(status: int, code: int, subcode: int, *, explained: bool) -> str:
    """What the operator must do; "" if nothing."""
    if subcode in _UNREACHABLE or code == 9004:
        return _FETCH
    if subcode in _RESTRICTED:
        return "open the app and follow its instructions, then check the channel"
    if code in _CREDENTIALS or status == 401:
        return "a new access token is needed"
    if status == 403 and not explained:
        return "the token does not allow it"
    return ""


def _wait(status: int, code: int, subcode: int) -> timedelta | None:
    """The default wait, if the platform asks to wait."""
    if subcode in _SPAM:
        return timedelta(hours=24)
    if subcode in _QUOTA or code in _RATE or status == 429:
        return timedelta(hours=1)
    return None


def _message(status: int, error: Mapping[str, Any], token: str) -> str:
    """The platform's message, shortened, without the token and without query strings."""
    if not error:
        return f"Instagram answered {status} without an answer of its API"
    text = str(error.get("error_user_msg") or error.get("message") or "no message").replace(token, "***")
    text = re.sub(r"(access token) \S{8,}", r"\1 ***", re.sub(r"\?\S+", "?***", text), flags=re.IGNORECASE)
    codes = "/".join(str(error[key]) for key in ("code", "error_subcode") if error.get(key) is not None)
    return f"Instagram says: {text[:300]} ({codes or status})"


def _until(headers: Mapping[str, str], default: timedelta) -> datetime:
    """When to try again: by the answer's headers, else after the given wait."""
    wait = retry_seconds(headers.get("retry-after"), clock_ahead(headers))
    wait = wait or 60 * _minutes(headers.get("x-business-use-case-usage", ""))
    return datetime.now(UTC) + (timedelta(seconds=min(wait, 86_400)) if wait > 0 else default)


def _minutes(usage: str) -> int:
    """The longest wait, in minutes, of a usage header."""
    try:
        entries = [entry for entries in json.loads(usage).values() for entry in entries]
        return max(int(entry.get("estimated_time_to_regain_access", 0)) for entry in entries)
    except (ValueError, TypeError, AttributeError, OverflowError):
        return 0


def _number(value: object) -> int:
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]  # anything else than a number gives 0
    except (TypeError, ValueError, OverflowError):
        return 0


def _later() -> datetime:
    return datetime.now(UTC) + _AGAIN
