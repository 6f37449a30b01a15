"""An authenticator in software, which makes passkeys and answers challenges as a browser hands them on."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

__all__ = ["Authenticator"]

_USUAL = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class Authenticator:
    """One passkey at one site; what it says can be made wrong."""

    def __init__(self, *, origin: str, host: str) -> None:
        self.origin, self.host, self.count = origin, host, 0
        self.flags = _USUAL
        self.key, self.id, self.user = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16), b""

    def made(self, options: dict[str, Any]) -> str:
        """The answer to `options_to_add`."""
        self.user = _raw(options["user"]["id"])
        told = CollectedClientData.create(CollectedClientData.TYPE.CREATE, options["challenge"], self.origin)
        credential = AttestedCredentialData.create(
            Aaguid.NONE,
            self.id,
            ES256.from_cryptography_key(self.key.public_key()),  # type: ignore[no-untyped-call]  # of fido2
        )
        data = AuthenticatorData.create(
            self._host_hash, self.flags | AuthenticatorData.FLAG.AT, self.count, bytes(credential)
        )
        attestation = AttestationObject.create("none", data, {})
        return self._answer(clientDataJSON=bytes(told), attestationObject=bytes(attestation))

    def signed(self, options: dict[str, Any]) -> str:
        """The answer to `options_to_sign_in`."""
        self.count += 1
        told = CollectedClientData.create(CollectedClientData.TYPE.GET, options["challenge"], self.origin)
        data = AuthenticatorData.create(self._host_hash, self.flags, self.count, b"")
        signature = self.key.sign(bytes(data) + told.hash, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            clientDataJSON=bytes(told), authenticatorData=bytes(data), signature=signature, userHandle=self.user
        )

    @property
    def _host_hash(self) -> bytes:
        return hashlib.sha256(self.host.encode()).digest()

    def _answer(self, **response: bytes) -> str:
        values = {name: _text(value) for name, value in response.items()}
        return json.dumps({"id": _text(self.id), "rawId": _text(self.id), "type": "public-key", "response": values})


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _raw(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
