"""Checks the URLs that secrets are sent to: https, or http on this machine only."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from auria_bot.errors import SettingsError

__all__ = ["checked_address", "is_loopback"]


def checked_address(address: str, *, setting: str) -> str:
    """The URL without a trailing slash.

    Args:
        address: scheme, host and, where needed, port and path.
        setting: its name, for the message.

    Raises:
        SettingsError: it is neither an https URL nor an http URL of this machine.
    """
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise SettingsError(f"{setting} is not a URL; give one such as https://example.org") from None
    forbidden = any(sign.isspace() or not sign.isprintable() or sign in "?#@\\" for sign in address)
    if forbidden or not host.strip(".-_") or parts.scheme not in {"https", "http"}:
        raise SettingsError(f"{setting} is not a URL; give one such as https://example.org, without a password")
    if parts.scheme == "http" and not is_loopback(host):
        raise SettingsError(f"{setting} is {address[:100]!r}; http is allowed for this machine only; use https")
    return address.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name or IP address is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
