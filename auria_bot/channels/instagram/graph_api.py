"""Speaks to Meta's Graph API over HTTPS, and tells by its error codes what became of a call.

A call is sent once and never repeated. The access token travels in a header, so that it stands in no address that a
log could hold; the platform's words are kept, without the token should they repeat it. Knows no post and no picture.
"""

from __future__ import annotations

import json
import logging
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from auria_bot.errors import BackendMissing, ChannelError, NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx2

__all__ = ["GraphApi", "quiet_client"]

_MOST = 2_000_000  # bytes of an answer
_AGAIN = timedelta(minutes=5)  # where the platform does not say when

_CREDENTIALS = {10, 102, 104, 190, 458, 459, 460, 463, 464, 467, *range(200, 300)}  # token or permission
_RATE = {4, 17, 32, 341, 613}  # too many calls
_PASSING = {-2, -1, 1, 2}  # the platform's own trouble
_RESTRICTED = {2207050}  # the account must be opened in the app first
_UNREACHABLE = {2207052}  # the picture could not be fetched from where it stands
_QUOTA = {2207042}  # posts of a day
_SPAM = {2207051}  # taken for spam
_STALE = {2207003, 2207006, 2207008, 2207020, 2207027, 2207032}  # a new container will do


class GraphApi:
    """Calls of one application of Meta's Graph API.

    Usage::

        api = GraphApi("https://graph.instagram.com", version="v23.0", timeout=30)
        api.read("me", token, fields="username")
        api.act("me/media", token, image_url="https://...", caption="...")
    """

    def __init__(self, address: str, *, version: str, timeout: float) -> None:
        """Remember the address; nothing is sent.

        Args:
            address: without a version and a slash at its end.
            version: such as "v23.0".
            timeout: seconds, for a whole call.
        """
        self._address = address
        self._version = version
        self._timeout = timeout
        self._client: httpx2.Client | None = None

    @property
    def client(self) -> httpx2.Client:
        """The HTTP client, made on first use; it can be used for other addresses too."""
        if self._client is None:
            self._client = quiet_client(self._timeout)
        return self._client

    def read(self, path: str, token: str, **fields: str) -> dict[str, Any]:
        """An object or a list.

        Raises:
            NotFound: there is no such object.
            Unauthorised: the token is not accepted, or does not allow it.
            Throttled: later.
            Rejected: the request is not understood.
            BackendMissing: the package httpx2 is not installed.
        """
        return self._call("GET", f"{self._version}/{path}", token, fields, visible=False)

    def act(self, path: str, token: str, *, visible: bool = False, **fields: Any) -> dict[str, Any]:
        """Change something.

        Args:
            path: of the edge.
            token: of the account.
            visible: whether followers see what it does; then an outcome that is not certain is OutcomeUnknown.
            fields: sent as JSON.

        Raises:
            NotFound: there is no such object.
            Unauthorised: not done; the token is not accepted, or does not allow it.
            Throttled: not done; later.
            Rejected: not done; no use repeating.
            OutcomeUnknown: done or not; only where it is visible.
        """
        return self._call("POST", f"{self._version}/{path}", token, fields, visible=visible)

    def renew(self, token: str) -> tuple[str, timedelta]:
        """A token that lasts longer, and for how long.

        Raises:
            Unauthorised: the token is not accepted.
            ChannelError: it was not renewed; the token is as good as it was.
        """
        fields = {"grant_type": "ig_refresh_token", "access_token": token}
        found = self._call("GET", "refresh_access_token", token, fields, visible=False)
        try:
            return str(found["access_token"]), timedelta(seconds=int(found["expires_in"]))
        except (KeyError, TypeError, ValueError):
            raise Throttled("the answer to the token's renewal makes no sense") from None

    def _call(self, method: str, path: str, token: str, fields: Mapping[str, Any], *, visible: bool) -> dict[str, Any]:
        try:
            import httpx2
        except ImportError:
            raise BackendMissing("Instagram's Graph API needs a package: pip install 'auria-bot[instagram]'") from None
        try:
            status, headers, body = self._exchange(method, path, token, fields)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError) as error:
            raise Throttled(f"{self._address} cannot be reached ({type(error).__name__})", until=_later()) from None
        except httpx2.HTTPError as broken:
            words = f"the connection to {self._address} broke ({type(broken).__name__})"
            raise (OutcomeUnknown(words) if visible else Throttled(words, until=_later())) from None
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        if status == 200 and isinstance(found, dict) and "error" not in found:
            return found
        told = found.get("error") if isinstance(found, dict) else None
        raise _meaning(status, headers, told if isinstance(told, dict) else {}, token, visible=visible)

    def _exchange(
        self, method: str, path: str, token: str, fields: Mapping[str, Any]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One request; the whole of it ends in the time that is set."""
        import httpx2

        ends = time.monotonic() + self._timeout
        asks = method == "GET"
        params, content = (dict(fields), None) if asks else (None, dict(fields))
        headers = {"Authorization": f"Bearer {token}"}
        url = f"{self._address}/{path}"
        body = bytearray()
        with self.client.stream(method, url, headers=headers, params=params, json=content) as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _MOST or time.monotonic() > ends:
                    raise httpx2.ReadTimeout("the answer is too long or too slow")
            return response.status_code, response.headers, bytes(body)


def quiet_client(timeout: float) -> httpx2.Client:
    """An HTTP client that follows no redirect, keeps no connection, and whose log holds no secret.

    Args:
        timeout: seconds, for each step of a request.
    """
    import httpx2

    logging.getLogger("httpx2").addFilter(_without_secrets)
    limits = httpx2.Limits(max_keepalive_connections=0)
    return httpx2.Client(timeout=timeout, follow_redirects=False, limits=limits)


def _without_secrets(record: logging.LogRecord) -> bool:
    """Whether a record of the HTTP client may be written: not where it quotes an address with a token or a signature."""
    text = record.getMessage()
    return "access_token=" not in text and "X-Amz-Signature=" not in text


def _meaning(
    status: int, headers: Mapping[str, str], error: Mapping[str, Any], token: str, *, visible: bool
) -> ChannelError | NotFound:
    """What an answer that is not the one hoped for says of the call."""
    code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
    words = _words(status, error, token)
    if code == 100 and subcode == 33:
        return NotFound(words)
    passing = status >= 500 or status < 400 or code in _PASSING or bool(error.get("is_transient"))
    if advice := _advice(status, code, subcode, told=bool(error)):
        return Unauthorised(f"{words}; {advice}")
    if wait := _wait(status, code, subcode):
        return Throttled(words, until=_until(headers, wait))
    if passing and visible:
        return OutcomeUnknown(words)
    if passing or subcode in _STALE:
        return Throttled(words, until=_until(headers, _AGAIN))
    return Rejected(words)


def _advice(status: int, code: int, subcode: int, *, told: bool) -> str:
    """What the operator must do; "" where nothing can be done."""
    if subcode in _UNREACHABLE or code == 9004:
        return "Instagram must be able to fetch the picture: see public_url and the storage's options"
    if subcode in _RESTRICTED:
        return "open the app, do what it asks, then check the channel"
    if code in _CREDENTIALS or status == 401:
        return "a new access token is needed"
    if status == 403 and not told:
        return "the token does not allow it"
    return ""


def _wait(status: int, code: int, subcode: int) -> timedelta | None:
    """How long to wait where the platform asks to, and does not say how long."""
    if subcode in _SPAM:
        return timedelta(hours=24)
    if subcode in _QUOTA or code in _RATE or status == 429:
        return timedelta(hours=1)
    return None


def _words(status: int, error: Mapping[str, Any], token: str) -> str:
    """The platform's words, short, without the token and without what signs an address."""
    if not error:
        return f"Instagram answered {status} and something that is no answer of its API"
    told = str(error.get("error_user_msg") or error.get("message") or "no words").replace(token, "***")
    told = re.sub(r"(access token) \S{8,}", r"\1 ***", re.sub(r"\?\S+", "?***", told), flags=re.IGNORECASE)
    codes = "/".join(str(error[key]) for key in ("code", "error_subcode") if error.get(key) is not None)
    return f"Instagram says: {told[:300]} ({codes or status})"


def _until(headers: Mapping[str, str], otherwise: timedelta) -> datetime:
    """When to try again: as the answer's headers say, or after a while."""
    wait = _number(headers.get("retry-after")) or 60 * _minutes(headers.get("x-business-use-case-usage", ""))
    return datetime.now(UTC) + (timedelta(seconds=min(wait, 86_400)) if wait > 0 else otherwise)


def _minutes(usage: str) -> int:
    """The longest wait, in minutes, of a usage header."""
    try:
        entries = [entry for entries in json.loads(usage).values() for entry in entries]
        return max(int(entry.get("estimated_time_to_regain_access", 0)) for entry in entries)
    except (ValueError, TypeError, AttributeError):
        return 0


def _number(value: object) -> int:
    try:
        return int(value)  # type: ignore[call-overload, no-any-return]  # whatever it is, it is a number or 0
    except (TypeError, ValueError):
        return 0


def _later() -> datetime:
    return datetime.now(UTC) + _AGAIN
