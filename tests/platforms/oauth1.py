"""Verifies OAuth 1.0a signatures (RFC 5849, HMAC-SHA1) by a computation of its own, not by the library that made them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["signed_nonce"]

_TOLERANCE = 300  # seconds


def signed_nonce(
    header: str, *, method: str, url: str, query: list[tuple[str, str]], keys: Mapping[str, str], now: float
) -> str | None:
    """The nonce of a rightly signed request; None where the signature, the keys or the time are wrong."""
    scheme, _, rest = header.partition(" ")
    given = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', rest)}
    signature = given.pop("oauth_signature", "")
    pairs = sorted((_escape(name), _escape(value)) for name, value in [*query, *given.items()])
    signed = "&".join(map(_escape, (method, url, "&".join(f"{name}={value}" for name, value in pairs))))
    key = f"{_escape(keys['api_secret'])}&{_escape(keys['access_token_secret'])}"
    wanted = base64.b64encode(hmac.new(key.encode(), signed.encode(), hashlib.sha1).digest()).decode()
    fine = (
        scheme == "OAuth"
        and given.get("oauth_signature_method") == "HMAC-SHA1"
        and hmac.compare_digest(signature.encode(), wanted.encode())
        and (given.get("oauth_consumer_key"), given.get("oauth_token")) == (keys["api_key"], keys["access_token"])
        and abs(int(given.get("oauth_timestamp", "0")) - now) <= _TOLERANCE
    )
    return given.get("oauth_nonce") if fine else None


def _escape(text: str) -> str:
    return quote(text, safe="~")
