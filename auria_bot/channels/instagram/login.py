"""Signs in to Instagram's private API, seldom and never blindly.

A session is kept, and used for as long as the platform honours it. There is a login only without a session; each is
noted before it is made. Whatever the platform says against one (a challenge, a wrong password, a block) ends it: from
then on nothing is sent, until the operator asks for a check, which makes one more attempt at most, ever later apart.
A session that the platform ends within a day blocks too. Knows no post.
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

_SHORT = timedelta(hours=24)  # a session that ends sooner was ended on purpose
_LONGEST = timedelta(hours=24)  # between two logins, however many failed


class InstagramLogin:
    """The account's way in: its session, its secrets, and what stands in its way."""

    def __init__(
        self, secrets: Secrets, *, channel: str, username: str, wait: timedelta, connect: Callable[..., Any]
    ) -> None:
        """Remember; nothing is read.

        Args:
            secrets: where session, password and seed are kept.
            channel: the operator's name, for messages.
            username: of the account.
            wait: between two logins at least; doubled with each that fails.
            connect: makes a client of a session.
        """
        self._secrets = secrets
        self._channel = channel
        self._username = username
        self._wait = wait
        self._connect = connect
        self._client: Any = None
        self._print: tuple[str, str] | None = None  # the credentials, and their fingerprint

    def client(self, *, asked: bool = False) -> Any:
        """A client that is signed in, as far as one can tell without asking; else a login.

        Args:
            asked: whether the operator asks, who may have put right what stood in the way.

        Raises:
            Unauthorised: something stands in the way, with what to do.
            Throttled: it is too early for another login.
        """
        blocked = self._state().get("blocked")
        if blocked and not asked:
            raise Unauthorised(f"{blocked}; nothing is sent to Instagram until `auria channels resume {self._channel}`")
        if self._client is None:
            self._client = self._connect(self._session())
        return self._client

    def is_signed_in(self, client: Any) -> bool:
        """Whether a client has a session."""
        return bool(client.user_id and (client.sessionid or client.authorization_data))

    def sign_in(self, client: Any) -> None:
        """Make one login, noted before it is made; what it raises is the package's own.

        Raises:
            Unauthorised: the password is missing, or the seed is none.
            Throttled: it is too early for another.
        """
        password = self._secrets.get("password")
        if not (self._username and password):
            raise Unauthorised(f"the password is missing; `auria channels add {self._channel}` asks for it")
        state, now = self._state(), datetime.now(UTC)
        failures = state.get("failures", 0)
        if failures and state.get("at"):
            until = datetime.fromisoformat(state["at"]) + min(self._wait * 2 ** min(failures - 1, 10), _LONGEST)
            if now < until:
                raise Throttled(
                    f"the last login failed, and another so soon would look like a robot's: after {until:%Y-%m-%d %H:%M} UTC",
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
            raise Unauthorised("Instagram gave no session")
        self._keep(at=now.isoformat(), failures=0, blocked="")

    def keep_session(self, client: Any) -> None:
        """Keep what makes the client known to the platform again, where it changed."""
        text = json.dumps({"for": self._username, "settings": kept_session(client)}, sort_keys=True)
        if text != self._secrets.get("session"):
            self._secrets.put("session", text)

    def ended(self) -> str:
        """Forget a session that the platform ended, but not the device; why that blocks, or "".

        A session that lasted is followed by a login at the next attempt; one that did not blocks.
        """
        settings = self._session()
        for name in ("authorization_data", "cookies", "ig_u_rur", "ig_www_claim"):
            settings.pop(name, None)
        self._secrets.put("session", json.dumps({"for": self._username, "settings": settings}, sort_keys=True))
        self._client = None
        last = self._state().get("at")
        if last and datetime.now(UTC) - datetime.fromisoformat(last) < _SHORT:
            return "Instagram ended a session that was less than a day old"
        return ""

    def block(self, words: str) -> None:
        """Send nothing more until the operator asks for a check."""
        state = self._state()
        self._keep(at=state.get("at", ""), failures=state.get("failures", 0), blocked=words)
        self._client = None

    def unblock(self) -> None:
        """The platform honours the session: nothing stands in the way."""
        state = self._state()
        if state.get("blocked") or state.get("failures"):
            self._keep(at=state.get("at", ""), failures=0, blocked="")

    def known_secrets(self) -> tuple[str, ...]:
        """What must not stand in a message."""
        given = (self._secrets.get(name) for name in ("password", "totp_seed", "proxy"))
        return tuple(value for value in given if value)

    def _code(self, client: Any) -> str:
        """The code of this half minute; "" where no seed is kept."""
        seed = (self._secrets.get("totp_seed") or "").replace(" ", "")
        try:
            return str(client.totp_generate_code(seed)) if seed else ""
        except ValueError:
            raise Unauthorised(
                "the secret totp_seed is no seed: it is the text that the app shows under its QR code"
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
        """What came of earlier logins with these very credentials."""
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
        """Of the credentials: new ones start afresh."""
        text = "\x1f".join([self._username, *self.known_secrets()])
        if self._print is None or self._print[0] != text:
            self._print = text, hashlib.scrypt(text.encode(), salt=b"auria-login", n=2**12, r=8, p=1).hex()[:16]
        return self._print[1]
