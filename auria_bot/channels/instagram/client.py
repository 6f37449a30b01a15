"""A careful client of Instagram's private API: the package instagrapi, with what is dangerous in it taken out.

What is changed, and why:

- A request is sent once. The package repeats some after a time-out or a broken answer, the one that publishes among them.
- A request ends in a stated time. The package sets no time-out; what it calls one is a pause.
- No redirect is followed.
- A password that was refused is not sent again. The package tries another way.
- No challenge is answered and nothing is asked at the terminal: the account's owner does that in the app.
- A picture is uploaded as it is, where `picture` holds its bytes. The package would compress it once more.
- Nothing is logged: the package logs whole answers, sessions among them.
- The address can be another server's.
- `before_publishing` is called right before the one request that followers see.

Knows no post; what the errors mean is the channel's business.
"""

from __future__ import annotations

import logging
import time
from random import uniform
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from auria_bot.errors import BackendMissing

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["OWN_ADDRESS", "PUBLISHING", "kept_session", "single_send_client"]

OWN_ADDRESS = "https://i.instagram.com"
"""Where the private API really is."""

PUBLISHING = "media/configure/"
"""The endpoint of the one request that followers see."""

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
# Of the package's settings: who we are to the platform. How we send, the channel's options say.


def single_send_client(
    session: Mapping[str, Any], *, address: str, timeout: float, delay: tuple[float, float], proxy: str = ""
) -> Any:
    """A client with an earlier session, or with a new device where that is empty; nothing is sent.

    Args:
        session: of `kept_session`.
        address: of the private API.
        timeout: seconds, for each request.
        delay: the shortest and the longest wait before a request, in seconds.
        proxy: its address; "" for none.

    Raises:
        BackendMissing: instagrapi is not installed.
    """
    kind = _careful_class(delay)
    quiet = _quiet()
    own = address == OWN_ADDRESS
    client = kind(
        settings=dict(session),
        proxy=proxy or None,
        logger=quiet,
        request_timeout=0,
        session_retry_total=0,
        private_transport="curl" if own else "requests",
    )
    client.private_request_logger = client.public_request_logger = client.request_logger = quiet
    _lead(client, "" if own else address, timeout)
    return client


def _careful_class(delay: tuple[float, float]) -> Any:
    """The package's class, tamed.

    Raises:
        BackendMissing: instagrapi is not installed.
    """
    try:
        from instagrapi import Client
    except ImportError:
        raise BackendMissing("Instagram's private API needs a package: pip install 'auria-bot[instagram]'") from None
    from instagrapi.exceptions import ChallengeRequired

    def nobody(*_: object) -> str:
        raise ChallengeRequired("a code or a new password is wanted, and nobody is there to give it")

    class SingleSendClient(Client):  # type: ignore[misc]  # the package is not typed
        """See the module."""

        challenge_code_handler = nobody
        change_password_handler = nobody
        with_challenge_flow = False
        picture = b""

        @staticmethod
        def before_publishing() -> None:
            """Replaced by whoever publishes."""

        def _try_caa_login(self, *_: object, **__: object) -> bool:
            """A password that was refused is not sent once more by another way."""
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
            """One request, sent once."""
            sent = dict(headers or {})
            if self.authorization and "authorization" not in {name.lower() for name in sent}:
                sent["Authorization"] = self.authorization
            time.sleep(uniform(*delay))
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

    return SingleSendClient


def kept_session(client: Any) -> dict[str, Any]:
    """Of a client's settings what makes it known to the platform again; no password is in it."""
    settings = client.get_settings()
    return {name: settings[name] for name in _KEPT if settings.get(name)}


def _lead(client: Any, address: str, timeout: float) -> None:
    """Have every request of a client end in time, and go to another address where one is given."""
    from requests.adapters import HTTPAdapter

    class SingleSendAdapter(HTTPAdapter):
        """Hands requests on."""

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
        road = SingleSendAdapter(session.get_adapter("https://") if curl else HTTPAdapter(max_retries=0))
        session.mount("https://", road)
        session.mount("http://", road)
        session.max_redirects = 0


def _quiet() -> logging.Logger:
    """A logger outside every hierarchy, that writes nothing."""
    logger = logging.Logger("instagrapi, kept quiet", logging.CRITICAL + 1)  # noqa: LOG001 - it must be nobody's child
    logger.addHandler(logging.NullHandler())
    return logger
