"""A client of Instagram's private API: the package instagrapi with its risky behaviour removed.

- A request is sent once. The package repeats some after a time-out or a broken answer, the publishing one among them.
- A request has a time-out. The package sets none; what it calls one is a pause.
- Redirects are not followed.
- A password that was refused is not sent again. The package tries a second login method.
- Challenges are not answered and nothing is asked at the terminal: the account's owner does that in the app.
- The picture's bytes in `picture` are uploaded unchanged. The package would compress them again.
- Nothing is logged: the package logs whole answers, sessions among them.
- Requests can be sent to another server's address.
- `before_publishing` is called right before the one visible request.
"""

from __future__ import annotations

import logging
import time
from random import uniform
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from auria_bot.errors import BackendMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["OWN_ADDRESS", "PUBLISHING", "kept_session", "single_send_client"]

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
        address: of the private API.
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
            self._inner = inner

        def send(self, request: Any, *_: Any, **options: Any) -> Any:
            host = urlsplit(request.url).hostname or ""
            if address and (host == "instagram.com" or host.endswith(".instagram.com")):
                request.url = address + request.url[request.url.index(host) + len(host) :]
            if client.picture and urlsplit(request.url).path.startswith("/rupload_igphoto/"):
                request.body = client.picture
                request.headers["Content-Length"] = request.headers["X-Entity-Length"] = str(len(client.picture))
            return self._inner.send(request, **{**options, "timeout": timeout})

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
