"""Signs in to Instagram's private API as rarely as possible.

A session is saved and used as long as the platform accepts it. A login is made only without a session, and recorded
before it is made. Any refusal (a challenge, a wrong password, a block) blocks the channel: nothing is sent until the
operator asks for a check, which makes at most one more attempt, with growing waits. A session that ends within a day
blocks the channel too.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from auria_bot.channels.instagram.client import kept_session
from auria_bot.errors import Throttled, Unauthorised

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.domain.interfaces import Secrets

__all__ = ["InstagramLogin"]

_SHORT = timedelta(hours=24)  # a session that ends sooner was ended deliberately
_AHEAD = timedelta(hours=1)  # a login noted later than that was noted by a clock that was wrong
_LONGEST = timedelta(hours=24)  # between two logins, however many failed


class InstagramLogin:
    """An account's session, secrets, and block."""

    def __init__(
        self, secrets: Secrets, *, channel: str, username: str, wait: timedelta, connect: Callable[..., Any]
    ) -> None:
        """Store the arguments; nothing is read.

        Args:
            secrets: hold session, password and seed.
            wait: minimum between two logins; doubled with each failure.
            connect: creates a client from a session.
        """
        self._secrets = secrets
        self._channel = channel
        self._username = username
        self._wait = wait
        self._connect = connect
        self._client: Any = None
        self._saved: str | None = None  # the session of the client, as it was last read or saved
        self._fingerprinted: tuple[str, str] | None = None  # the credentials and their fingerprint

    def client(self, *, asked: bool = False) -> Any:
        """The client, with the saved session if there is one.

        Args:
            asked: whether the operator asks, who may have removed the cause of a block.

        Raises:
            Unauthorised: the channel is blocked.
        """
        blocked = self._state().get("blocked")
        if blocked and not asked:
            raise Unauthorised(f"{blocked}; nothing is sent to Instagram until `auria channels resume {self._channel}`")
        saved = self._secrets.get("session")
        if self._client is None or saved != self._saved:  # another process may have signed in
            self._client, self._saved = self._connect(self._session()), saved
        return self._client

    def is_signed_in(self, client: Any) -> bool:
        """Whether a client has a session."""
        return bool(client.user_id and (client.sessionid or client.authorization_data))

    def sign_in(self, client: Any) -> None:
        """Log in once; the attempt is recorded first. The package's own errors are passed on.

        Raises:
            Unauthorised: the password is missing, or the seed is not valid.
            Throttled: it is too early for another login.
        """
        password = self._secrets.get("password")
        if not (self._username and password):
            raise Unauthorised(f"the password is missing; `auria channels add {self._channel}` asks for it")
        state, now = self._state(), datetime.now(UTC)
        failures = state.get("failures", 0)
        if failures and state.get("at"):
            at = datetime.fromisoformat(state["at"])
            until = at + min(self._wait * 2 ** min(failures - 1, 10), _LONGEST)
            if now < until and at < now + _AHEAD:
                raise Throttled(
                    "the last login failed, and another so soon would look like a robot: wait until"
                    f" {until:%Y-%m-%d %H:%M} UTC",
                    until=until,
                )
        code = self._code(client)
        self._keep(at=now.isoformat(), failures=failures + 1, blocked=state.get("blocked", ""))
        try:
            done = client.login(self._username, password, verification_code=code)
        finally:
            client.password = None
            self.keep_session(client)
        if not (done and self.is_signed_in(client)):
            raise Unauthorised("Instagram returned no session")
        self._keep(at=now.isoformat(), failures=0, blocked="")

    def keep_session(self, client: Any) -> None:
        """Save the session if it changed."""
        text = json.dumps({"for": self._username, "settings": kept_session(client)}, sort_keys=True)
        if text != self._secrets.get("session"):
            self._secrets.put("session", text)
        self._saved = text

    def ended(self) -> str:
        """Forget a session that the platform ended, but keep the device; returns why that blocks the channel, or "".

        Where another process has signed in meanwhile, that session is used next. After one that lasted, the next
        attempt logs in; one that was short blocks the channel.
        """
        self._client = None
        if self._secrets.get("session") != self._saved:
            return ""  # another process has signed in meanwhile, and that session is used next
        settings = self._session()
        for name in ("authorization_data", "cookies", "ig_u_rur", "ig_www_claim"):
            settings.pop(name, None)
        self._secrets.put("session", json.dumps({"for": self._username, "settings": settings}, sort_keys=True))
        last = self._state().get("at")
        if last and timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(last) < _SHORT:
            return "Instagram ended a session that was less than a day old"
        return ""

    def block(self, reason: str) -> None:
        """Send nothing more until the operator asks for a check."""
        state = self._state()
        self._keep(at=state.get("at", ""), failures=state.get("failures", 0), blocked=reason)
        self._client = None

    def unblock(self) -> None:
        """Remove the block: the platform accepts the session."""
        state = self._state()
        if state.get("blocked") or state.get("failures"):
            self._keep(at=state.get("at", ""), failures=0, blocked="")

    def known_secrets(self) -> tuple[str, ...]:
        """Values that messages must not contain."""
        values = (self._secrets.get(name) for name in ("password", "totp_seed", "proxy"))
        return tuple(value for value in values if value)

    def _code(self, client: Any) -> str:
        """The current code of the authenticator; "" without a seed."""
        seed = (self._secrets.get("totp_seed") or "").replace(" ", "")
        try:
            return str(client.totp_generate_code(seed)) if seed else ""
        except ValueError:
            raise Unauthorised(
                "the secret totp_seed is not valid: it is the text that the app shows under its QR code"
            ) from None

    def _session(self) -> dict[str, Any]:
        try:
            kept = json.loads(self._secrets.get("session") or "{}")
        except ValueError:
            return {}
        if (
            not isinstance(kept, dict)
            or kept.get("for") != self._username
            or not isinstance(kept.get("settings"), dict)
        ):
            return {}
        return dict(kept["settings"])

    def _state(self) -> dict[str, Any]:
        """The record of earlier logins with these credentials."""
        try:
            state = json.loads(self._secrets.get("login_state") or "{}")
            if state.get("for") != self._fingerprint():
                return {}
            if state.get("at"):
                datetime.fromisoformat(state["at"]).astimezone(UTC)
            return {**state, "failures": int(state.get("failures", 0)), "blocked": str(state.get("blocked") or "")}
        except (ValueError, TypeError, AttributeError):
            return {}

    def _keep(self, *, at: str, failures: int, blocked: str) -> None:
        state = {"for": self._fingerprint(), "at": at, "failures": failures, "blocked": blocked}
        self._secrets.put("login_state", json.dumps(state))

    def _fingerprint(self) -> str:
        """Fingerprint of the credentials: new ones start without a record."""
        text = "\x1f".join([self._username, *self.known_secrets()])
        if self._fingerprinted is None or self._fingerprinted[0] != text:
            self._fingerprinted = text, hashlib.scrypt(text.encode(), salt=b"auria-login", n=2**12, r=8, p=1).hex()[:16]
        return self._fingerprinted[1]
