"""Addresses of platforms: https, or plain http on this machine only, so that no secret crosses a network in the clear."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from auria_bot.errors import SettingsError

__all__ = ["checked_address", "is_loopback"]


def checked_address(address: str, *, setting: str) -> str:
    """The address without a trailing slash.

    Args:
        address: scheme, host and, where needed, port and path.
        setting: its name, for the message.

    Raises:
        SettingsError: it is not an https address, nor an http address of this machine.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise SettingsError(f"{setting} is not an address; give one such as https://example.org") from None
    strange = any(sign.isspace() or not sign.isprintable() or sign in "?#@\\" for sign in address)
    if strange or not host.strip(".-_") or parts.scheme not in {"https", "http"}:
        raise SettingsError(f"{setting} is not an address; give one such as https://example.org, without a password")
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingsError(f"{setting} is {address[:100]!r}; plain http is accepted for this machine only: use https")
    return address.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host's name or number is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
