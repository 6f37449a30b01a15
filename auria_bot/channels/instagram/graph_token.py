"""The access token of a Graph API account: renewed before it expires, and saved.

The expiry is saved beside the token, with the token's fingerprint, so that a new token starts without one. A failed
renewal is repeated once a day and stops nothing while the token is valid.
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

_AGAIN = timedelta(hours=24)  # between two attempts to renew a token


class GraphToken:
    """One account's access token."""

    def __init__(self, api: GraphApi, secrets: Secrets, *, channel: str, margin: timedelta, renewable: bool) -> None:
        """Store the arguments; nothing is read.

        Args:
            secrets: hold it as `access_token`.
            margin: the token is renewed when it is valid for less.
            renewable: whether the platform renews such a token; Facebook's page tokens do not expire.
        """
        self._api = api
        self._secrets = secrets
        self._channel = channel
        self._margin = margin
        self._renewable = renewable

    def current(self) -> str:
        """The token, renewed if due.

        Raises:
            Unauthorised: it is missing, or cannot be one.
        """
        token = self._secrets.get("access_token")
        if not token:
            raise Unauthorised(f"the access token is missing; `auria channels add {self._channel}` asks for it")
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise Unauthorised(
                "the access token holds characters that no token has, such as a space or a line end; copy it again:"
                f" `auria channels add {self._channel}`"
            )
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
        """When the token expires, if known; without the network."""
        ends = self._state(self._secrets.get("access_token") or "").get("expires")
        return datetime.fromisoformat(ends).astimezone(UTC) if ends and self._renewable else None

    def describe(self) -> str:
        """How long the token is valid, as a clause for the operator."""
        if not self._renewable:
            return "the token does not expire"
        expires = self._state(self._secrets.get("access_token") or "").get("expires")
        return f"the token is valid until {expires[:10]}" if expires else "how long the token is valid is not known"

    def _due(self, token: str) -> bool:
        state, now = self._state(token), datetime.now(UTC)
        tried, expires = state.get("tried"), state.get("expires")
        if tried and timedelta(0) <= now - datetime.fromisoformat(tried) < _AGAIN:
            return False
        return not expires or now > datetime.fromisoformat(expires) - self._margin

    def _state(self, token: str) -> dict[str, str]:
        """The record of this token: when its renewal was last attempted ("tried"), and when it expires."""
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
            log.exception("The renewed access token could not be saved", extra={"channel": self._channel})


def _fingerprint(token: str) -> str:
    return hashlib.sha256(f"auria-token\x1f{token}".encode()).hexdigest()[:16]
