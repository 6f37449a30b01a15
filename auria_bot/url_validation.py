"""Checks the URLs that secrets are sent to: https, or http on this machine only; and those that others choose."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from auria_bot.errors import SettingsError

__all__ = ["checked_address", "is_loopback", "public_address"]


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


def public_address(host: str, port: int, *, allow_private: bool = False) -> str:
    """The IP address to connect to for a host, so that no name leads to this machine or its own network.

    Whoever connects must use this address and not resolve the name again: the next answer may be another.

    Raises:
        SettingsError: the name is unknown, or one of its addresses is not public and `allow_private` is false.
    """
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise SettingsError(f"the host {host[:100]!r} is unknown") from None
    if not allow_private and (hidden := [address for address in found if not _is_public(address)]):
        raise SettingsError(f"the host {host[:100]!r} is at {hidden[0]}, which is not a public address")
    return found[0]


_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")  # IPv4 addresses behind a translating gateway (RFC 6052)


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            found = inner
    return found.is_global and not found.is_multicast
