"""Passkeys (WebAuthn): operators sign in with what their device or password manager holds, beside the password.

A challenge is a random number with its purpose and expiry, signed with a key of this process, so that nothing is kept
for those who only ask for one. Those that were answered rightly are remembered until they expire: no answer counts
twice. What makers of authenticators attest is not asked for. A passkey is kept with its operator, and ends when the
operator is given a new password from outside, as sessions do.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import secrets
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from auria_bot.errors import InputError, NotFound, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Callable

    from fido2.server import Fido2Server

    from auria_bot.domain.interfaces import Clock
    from auria_bot.services.accounts.accounts import Accounts

__all__ = ["Passkey", "Passkeys"]

LONGEST_NAME = 60  # characters
_MOST = 20  # passkeys of one operator
_LIFETIME = 300.0  # seconds for which a challenge can be answered
_LONGEST_ANSWER = 20_000  # characters
_NONCE, _TIME = 16, 8  # bytes of a challenge; the rest is its signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey of an operator."""

    id: str  # short and public; the credential's own is longer
    name: str  # that its operator gave it
    added_at: datetime
    used_at: datetime | None


class Passkeys:
    """Adds passkeys and signs operators in with them. Safe for use by several threads of one process."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        site: str,
        clock: Clock,
        seconds: Callable[[], float] = time.monotonic,
        note: Callable[[str, str, str], None] = lambda *_: None,
    ) -> None:
        """Set the collaborators.

        Args:
            accounts: the operators, with whom passkeys are kept.
            site: the public address: its host is what passkeys belong to, its origin where they may be used.
            seconds: gives seconds that only grow, for the challenges.
            note: records in the journal who (an operator's name; "" for the terminal's user) did what with which.
        """
        self._accounts, self._clock, self._seconds, self._note = accounts, clock, seconds, note
        parts = urlsplit(site)
        self._host, self._scheme = (parts.hostname or "").lower(), parts.scheme
        usual = {"http": 80, "https": 443}.get(self._scheme)
        self._origin = f"{self._scheme}://{self._host}" + (f":{parts.port}" if parts.port not in {None, usual} else "")
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._answered: dict[bytes, float] = {}  # challenges, with their expiry

    @property
    def is_available(self) -> bool:
        """Whether browsers allow passkeys at the public address: a host with a name and HTTPS, or localhost."""
        if self._host == "localhost" or self._host.endswith(".localhost"):
            return True
        return self._scheme == "https" and "." in self._host and not _is_address(self._host)

    def list(self, name: str) -> tuple[Passkey, ...]:
        """The passkeys of an operator, the oldest first.

        Raises:
            NotFound: there is no such operator.
        """
        return tuple(_passkey(one) for one in _kept(self._accounts.read(), name))

    def options_to_add(self, name: str) -> dict[str, Any]:
        """What a browser needs to make a passkey for an operator, as WebAuthn's JSON.

        Raises:
            NotFound: there is no such operator.
        """
        from fido2.webauthn import PublicKeyCredentialDescriptor as Descriptor
        from fido2.webauthn import PublicKeyCredentialType, ResidentKeyRequirement, UserVerificationRequirement
        from fido2.webauthn import PublicKeyCredentialUserEntity as User

        data = self._accounts.read()
        kept = [Descriptor(type=PublicKeyCredentialType.PUBLIC_KEY, id=_raw(one["id"])) for one in _kept(data, name)]
        options, _ = self._server().register_begin(
            User(id=_handle(name, data["operators"][name]), name=name, display_name=name),
            credentials=kept,
            resident_key_requirement=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
            challenge=self._challenge(f"add {name}"),
        )
        return dict(options.public_key)

    def add(self, name: str, answer: str, *, called: str) -> Passkey:
        """Keep the passkey that a browser made.

        Args:
            name: of the operator who is signed in.
            answer: the browser's, as WebAuthn's JSON.
            called: what the operator calls the passkey.

        Raises:
            NotFound: there is no such operator.
            NotPermitted: the answer is not one to a challenge of `options_to_add`, or came from another site.
            InputError: the name cannot be used, the passkey is there already, or there are too many.
        """
        called = _checked_name(called)
        challenge, response = self._parsed(answer, f"add {name}")
        try:
            made = self._server().register_complete(_state(challenge), response)
            credential = made.credential_data
        except Exception:  # noqa: BLE001 - however strange an answer is, it is refused
            credential = None
        if credential is None:
            raise NotPermitted("the passkey was not accepted; try again")
        key, now = _text(credential.credential_id), self._clock()
        values = {"id": key, "data": _text(bytes(credential)), "count": made.counter, "name": called}
        values |= {"added_at": now.isoformat(), "used_at": None}
        with self._accounts.changing() as data:
            kept = _kept(data, name)
            if any(one["id"] == key for operator in data["operators"].values() for one in operator.get("passkeys", ())):
                raise InputError("this passkey is there already")
            if len(kept) >= _MOST:
                raise InputError(f"{name} has {_MOST} passkeys, which is the most; remove one first")
            self._answer_once(challenge)
            data["operators"][name]["passkeys"] = [*kept, values]
        self._note(name, "passkey add", f"{name}: {called}")
        return _passkey(values)

    def rename(self, name: str, passkey_id: str, called: str) -> None:
        """Give a passkey of an operator another name.

        Raises:
            NotFound: the operator has no such passkey.
            InputError: the name cannot be used.
        """
        called = _checked_name(called)
        with self._accounts.changing() as data:
            _found(data, name, passkey_id)["name"] = called

    def remove(self, name: str, passkey_id: str, *, by: str = "") -> Passkey:
        """Remove a passkey of an operator; it can no longer be used to sign in.

        Raises:
            NotFound: there is no such operator, or no such passkey.
        """
        with self._accounts.changing() as data:
            gone = _found(data, name, passkey_id)
            data["operators"][name]["passkeys"].remove(gone)
        self._note(by, "passkey remove", f"{name}: {gone['name']}")
        return _passkey(gone)

    def options_to_sign_in(self) -> dict[str, Any]:
        """What a browser needs to offer its passkeys for this site, as WebAuthn's JSON; it names nobody."""
        from fido2.webauthn import UserVerificationRequirement

        options, _ = self._server().authenticate_begin(
            user_verification=UserVerificationRequirement.REQUIRED, challenge=self._challenge("sign in")
        )
        return dict(options.public_key)

    def sign_in(self, answer: str, *, address: str, agent: str = "") -> str:
        """Begin a session of the operator whose passkey answered; return its token, which is kept nowhere.

        Raises:
            NotPermitted: the answer proves nothing: it is not one to a challenge of `options_to_sign_in`, was used
                before, came from another site, is no known passkey's, or is that of a copied one.
            TooManyAttempts: too many attempts failed; wait as long as it says.
        """
        keys = [f"address {address}"]
        self._accounts.failed.check(keys)
        try:
            name = self._proven(answer)
        except NotPermitted:
            self._accounts.failed.count(keys)
            raise
        self._accounts.failed.forget(keys)
        return self._accounts.begin_session(name, address=address, agent=agent)

    def _proven(self, answer: str) -> str:
        """The operator whose passkey answered a challenge."""
        refused = NotPermitted("the passkey was not accepted; try again, or sign in with the password")
        copied = ""
        challenge, response = self._parsed(answer, "sign in")
        with self._accounts.changing() as data:
            found = [(one, key) for one in data["operators"] for key in _kept(data, one) if key["id"] == response["id"]]
            if not found:
                raise refused
            (name, kept) = found[0]
            count = self._verified(challenge, response, kept, _handle(name, data["operators"][name]))
            if count is None:
                raise refused
            self._answer_once(challenge)
            if count <= kept["count"] and (count or kept["count"]):
                copied = kept["name"]
            else:
                kept["count"], kept["used_at"] = count, self._clock().isoformat()
        if copied:
            self._note(name, "passkey refused", f"{name}: {copied}: its counter went back, so it may have been copied")
            raise NotPermitted(
                "this passkey may have been copied; sign in with the password, remove it and add a new one"
            )
        return name

    def _verified(self, challenge: bytes, response: dict[str, Any], kept: dict[str, Any], handle: bytes) -> int | None:
        """The counter of an answer that a passkey signed; None if it did not, or the answer says something else."""
        from fido2.webauthn import AttestedCredentialData, AuthenticationResponse

        try:
            parsed = AuthenticationResponse.from_dict(response)
            credential = AttestedCredentialData(_raw(kept["data"]))
            self._server().authenticate_complete(_state(challenge), [credential], response)
            inner = parsed.response
            if inner.client_data.cross_origin or inner.user_handle not in {None, handle}:
                return None
            return int(inner.authenticator_data.counter)
        except Exception:  # noqa: BLE001 - however strange an answer is, it is refused
            return None

    def _server(self) -> Fido2Server:
        from fido2.server import Fido2Server
        from fido2.webauthn import PublicKeyCredentialRpEntity

        party = PublicKeyCredentialRpEntity(id=self._host, name="Auria")
        return Fido2Server(party, verify_origin=lambda origin: origin == self._origin)

    def _challenge(self, purpose: str) -> bytes:
        until = int((self._seconds() + _LIFETIME) * 1000)
        start = secrets.token_bytes(_NONCE) + until.to_bytes(_TIME, "big")
        return start + self._signature(start, purpose)

    def _signature(self, start: bytes, purpose: str) -> bytes:
        return hmac.digest(self._key, start + purpose.encode(), "sha256")

    def _parsed(self, answer: str, purpose: str) -> tuple[bytes, dict[str, Any]]:
        """The challenge that was answered, which is one of this process and of that purpose, and the whole answer.

        Raises:
            NotPermitted: it is not.
        """
        refused = NotPermitted("the passkey was not accepted, or it took longer than five minutes; try again")
        try:
            response = json.loads(answer[:_LONGEST_ANSWER])
            response["id"] = _text(_raw(response["rawId"]))  # written in one way only
            told = json.loads(_raw(response["response"]["clientDataJSON"]))
            challenge = _raw(told["challenge"])
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise refused from None
        start, signature = challenge[: _NONCE + _TIME], challenge[_NONCE + _TIME :]
        is_own = hmac.compare_digest(signature, self._signature(start, purpose))
        if not is_own or self._seconds() * 1000 > int.from_bytes(start[_NONCE:], "big"):
            raise refused
        return challenge, response

    def _answer_once(self, challenge: bytes) -> None:
        """Remember a challenge that was answered."""
        now = self._seconds()
        with self._lock:
            self._answered = {each: until for each, until in self._answered.items() if until > now}
            if challenge in self._answered:
                raise NotPermitted("this answer of the passkey was used before; try again")
            self._answered[challenge] = now + _LIFETIME


def _kept(data: dict[str, dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The passkeys of an operator, as they are kept."""
    if name not in data["operators"]:
        raise NotFound(f"there is no operator {name[:60]!r}; `auria web operators list` lists them")
    found: list[dict[str, Any]] = data["operators"][name].get("passkeys", [])
    return found


def _found(data: dict[str, dict[str, Any]], name: str, passkey_id: str) -> dict[str, Any]:
    for one in _kept(data, name):
        if _short(one["id"]) == passkey_id:
            return one
    raise NotFound(f"{name} has no passkey {passkey_id[:20]!r}; `auria web operators passkeys {name}` lists them")


def _passkey(values: dict[str, Any]) -> Passkey:
    used = datetime.fromisoformat(values["used_at"]) if values["used_at"] else None
    added = datetime.fromisoformat(values["added_at"])
    return Passkey(id=_short(values["id"]), name=values["name"], added_at=added, used_at=used)


def _checked_name(called: str) -> str:
    called = " ".join(called.split())
    if not 1 <= len(called) <= LONGEST_NAME or not called.isprintable():
        raise InputError(f"a passkey's name has 1 to {LONGEST_NAME} characters")
    return called


def _state(challenge: bytes) -> dict[str, Any]:
    return {"challenge": _text(challenge), "user_verification": "required"}


def _handle(name: str, operator: dict[str, Any]) -> bytes:
    """What authenticators know an operator by: it tells strangers nothing; a later one of that name has another."""
    return hashlib.sha256(f"{name} {operator['added_at']}".encode()).digest()


def _short(credential: str) -> str:
    return hashlib.sha256(credential.encode()).hexdigest()[:12]


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
