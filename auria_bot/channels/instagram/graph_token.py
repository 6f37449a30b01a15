"""The access token of a Graph API account: renewed before it ends, and kept.

How long a token is good for is kept beside it, with the token's fingerprint, so that a new token starts afresh. A renewal
that fails stops nothing while the token is good; it is tried once a day. Knows no post.
"""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from auria_bot.errors import ChannelError, DiskError, NotFound, Unauthorised

if TYPE_CHECKING:
    from auria_bot.channels.instagram.graph_api import GraphApi
    from auria_bot.domain.interfaces import Secrets

__all__ = ["GraphToken"]

log = logging.getLogger(__name__)

_AGAIN = timedelta(hours=24)  # between two tries to renew a token


class GraphToken:
    """One account's access token."""

    def __init__(self, api: GraphApi, secrets: Secrets, *, channel: str, margin: timedelta, renewable: bool) -> None:
        """Remember; nothing is read.

        Args:
            api: that renews it.
            secrets: where it is kept, as `access_token`.
            channel: the operator's name, for messages.
            margin: it is renewed when it is good for less.
            renewable: whether the platform renews such a token; Facebook's page tokens do not end.
        """
        self._api = api
        self._secrets = secrets
        self._channel = channel
        self._margin = margin
        self._renewable = renewable

    def current(self) -> str:
        """The token, renewed where it is time.

        Raises:
            Unauthorised: there is none.
        """
        token = self._secrets.get("access_token")
        if not token:
            raise Unauthorised(f"the access token is missing; `auria channels add {self._channel}` asks for it")
        if not self._renewable or not self._due(token):
            return token
        now = datetime.now(UTC)
        try:
            renewed, lasts = self._api.renew(token)
        except (ChannelError, NotFound) as error:
            log.warning("The access token could not be renewed: %s", error, extra={"channel": self._channel})
            self._keep(token, self._state(token).get("expires"), tried=now)
            return token
        self._keep(renewed, (now + lasts).isoformat(), tried=now)
        log.info("The access token was renewed", extra={"channel": self._channel})
        return renewed

    def expires(self) -> datetime | None:
        """When the token ends, as far as it is known; it is asked of nobody."""
        ends = self._state(self._secrets.get("access_token") or "").get("expires")
        return datetime.fromisoformat(ends).astimezone(UTC) if ends and self._renewable else None

    def told(self) -> str:
        """How long the token is good for, in words."""
        if not self._renewable:
            return "the token is not one that is renewed"
        expires = self._state(self._secrets.get("access_token") or "").get("expires")
        return f"the token is good until {expires[:10]}" if expires else "how long the token is good for is not known"

    def _due(self, token: str) -> bool:
        state, now = self._state(token), datetime.now(UTC)
        tried, expires = state.get("tried"), state.get("expires")
        if tried and timedelta(0) <= now - datetime.fromisoformat(tried) < _AGAIN:
            return False
        return not expires or now > datetime.fromisoformat(expires) - self._margin

    def _state(self, token: str) -> dict[str, str]:
        """What is known of this very token: when it was tried to renew it, and when it expires."""
        try:
            state = json.loads(self._secrets.get("token_state") or "{}")
            for name in ("tried", "expires"):
                if name in state:
                    datetime.fromisoformat(state[name]).astimezone(UTC)
        except (ValueError, TypeError):
            return {}
        return state if isinstance(state, dict) and state.get("for") == _fingerprint(token) else {}

    def _keep(self, token: str, expires: str | None, *, tried: datetime) -> None:
        state = {"for": _fingerprint(token), "tried": tried.isoformat()} | ({"expires": expires} if expires else {})
        try:
            if self._secrets.get("access_token") != token:
                self._secrets.put("access_token", token)
            self._secrets.put("token_state", json.dumps(state))
        except DiskError:
            log.exception("The renewed access token could not be kept", extra={"channel": self._channel})


def _fingerprint(token: str) -> str:
    return hashlib.sha256(f"auria-token\x1f{token}".encode()).hexdigest()[:16]
