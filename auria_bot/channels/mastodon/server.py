"""A Mastodon server: one request after the other, and what its failures say about a post.

No request follows a redirect, so nothing secret can be led elsewhere, and none outlasts its time-out. Knows Mastodon.py;
does not know posts.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auria_bot.errors import BackendMissing, ChannelError, OutcomeUnknown, Rejected, Throttled, Unauthorised
from auria_bot.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.domain.interfaces import Secrets

__all__ = ["Gone", "MastodonServer"]

_WORDS = 300  # characters of a server's answer that are shown


class Gone(Rejected):
    """The server has no such thing."""


class MastodonServer:
    """An account's server.

    Usage::

        server = MastodonServer("https://mastodon.example", name="mastodon", secrets=secrets, timeout=30)
        server.call(lambda client: client.account_verify_credentials())
    """

    def __init__(self, address: str, *, name: str, secrets: Secrets, timeout: float) -> None:
        """Reach for nothing yet.

        Args:
            address: the server's, checked.
            name: the operator's name for the channel, for messages.
            secrets: where the access token is read.
            timeout: seconds that a request may take to connect, and to go on after each byte.
        """
        self._address, self._name, self._secrets, self._timeout = address, name, secrets, timeout
        self._client: Any = None

    def call(self, ask: Callable[[Any], Any], *, sent: bool = False) -> Any:
        """What `ask(client)` gives.

        Args:
            ask: makes one request.
            sent: whether that request is the visible mutation.

        Raises:
            Gone: there is no such thing.
            Rejected: the server does not want it.
            Throttled: not now; nothing was done.
            Unauthorised: the token is not accepted.
            OutcomeUnknown: it may or may not have been done; only where `sent`.
            BackendMissing: the package Mastodon.py is not installed.
        """
        client = self._open()
        try:
            return ask(client)
        except Exception as error:  # noqa: BLE001 - the client raises what its own libraries do
            raise self._meaning(error, sent=sent) from None

    def _open(self) -> Any:
        if self._client is None:
            token = self._secrets.get("access_token")
            if not self._address or not token:
                missing = "access token" if self._address else "instance"
                raise Unauthorised(f"{self._name} has no {missing}; run: auria channels add {self._name}")
            try:
                import requests
                from mastodon import Mastodon
            except ImportError:
                raise BackendMissing("Mastodon needs a package: pip install 'auria-bot[mastodon]'") from None
            session = requests.Session()
            session.max_redirects = 0
            session.headers["Connection"] = "close"  # a stale connection would make an attempt unclear
            client = Mastodon(
                api_base_url=self._address,
                ratelimit_method="throw",
                request_timeout=self._timeout,
                session=session,
                user_agent="auria-bot",
                mastodon_version="4.3.0",
            )
            client.access_token = token  # not as an argument, which might be taken for a file's name
            client.mastodon_major, client.mastodon_minor = 4, 3  # never guessed from a failed request: /api/v2/media
            self._client = client
        return self._client

    def _meaning(self, error: Exception, *, sent: bool) -> ChannelError:
        """What a failed request says about the post."""
        from mastodon import MastodonNetworkError, MastodonRatelimitError

        # The client raises the same when it cannot read the limits in an answer to what was done: only this is a refusal.
        if isinstance(error, MastodonRatelimitError) and str(error) == "Hit rate limit.":
            until = None
            with contextlib.suppress(TypeError, ValueError, OverflowError, OSError):
                until = datetime.fromtimestamp(self._client.ratelimit_reset, UTC)
            return Throttled(f"{self._address} said 429: too many requests", until=until)
        status = next((part for part in error.args if isinstance(part, int)), 0)
        if status:
            return self._said(status, str(error.args[-1] or ""), sent=sent)
        cause = error.__context__ if isinstance(error, MastodonNetworkError) else None
        kind = type(cause or error).__name__
        if kind == "TooManyRedirects" and not sent:
            return Unauthorised(f"{self._address} leads elsewhere; set instance of {self._name} to its own address")
        if sent and not _never_sent(cause):
            return OutcomeUnknown(f"the connection to {self._address} broke, or its answer made no sense ({kind})")
        return Throttled(f"{self._address} cannot be reached, or its answer made no sense ({kind})")

    def _said(self, status: int, words: str, *, sent: bool) -> ChannelError:
        """What an answer with an error says about the post."""
        words = redacted(" ".join(words.split()))[:_WORDS]
        said = f"{self._address} said {status}" + (f": {words}" if words else "")
        if status in {401, 403}:
            return Unauthorised(said)
        if status == 422 and "processing" in words:
            return Throttled(said)  # the picture is not ready
        if status >= 500 or status < 400 or status in {408, 409}:
            return OutcomeUnknown(said) if sent else Throttled(said)
        return Gone(said) if status in {404, 410} else Rejected(said)


def _never_sent(cause: BaseException | None) -> bool:
    """Whether a connection failed before a byte of the request went out."""
    reason = getattr(next(iter(getattr(cause, "args", ())), None), "reason", None)
    return type(cause).__name__ == "ConnectTimeout" or type(reason).__name__ in {
        "NewConnectionError",
        "NameResolutionError",
        "ConnectTimeoutError",
    }
