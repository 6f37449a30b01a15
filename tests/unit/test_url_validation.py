"""Addresses: https, or http on this machine only."""

from __future__ import annotations

import pytest

from auria_bot.errors import SettingsError
from auria_bot.url_validation import checked_address, is_loopback, public_address


@pytest.mark.parametrize(
    ("address", "checked"),
    [
        ("https://bsky.social", "https://bsky.social"),
        ("https://example.org:8443/path//", "https://example.org:8443/path"),
        ("http://localhost:3000/", "http://localhost:3000"),
        ("http://127.0.0.1:80", "http://127.0.0.1:80"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("HTTPS://Example.ORG", "HTTPS://Example.ORG"),
        ("https://münchen.example", "https://münchen.example"),
    ],
)
def test_an_address_that_may_be_used(address: str, checked: str) -> None:
    """It is given back without a slash at its end."""
    assert checked_address(address, setting="service") == checked


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org",
        "http://10.0.0.1",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://2130706433",
        "http://[::ffff:10.0.0.1]",
        "example.org",
        "ftp://example.org",
        "",
        "https://",
        "https://.",
        "https://user:hunter2@example.org",
        "https://hunter2@example.org",
        "https://example.org?x=hunter2",
        "https://example.org#",
        "https://exa\nmple.org",
        "https://exa mple.org",
        "https://example.org:99999",
        "https://[::1",
        "https://example.org\\@evil.example",
        "https://exam\u202eple.org",
        "file:///etc/passwd",
    ],
)
def test_an_address_that_may_not_be_used(address: str) -> None:
    """The message names the setting, and no password that stands in it."""
    with pytest.raises(SettingsError, match=r"service of channel x is") as caught:
        checked_address(address, setting="service of channel x")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1"])
def test_this_machine(host: str) -> None:
    """By name and by number."""
    assert is_loopback(host)
    assert not is_loopback(f"{host}.example.org")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.7",
        "169.254.169.254",
        "192.168.1.1",
        "0.0.0.0",  # noqa: S104 - nothing listens
        "::1",
        "fe80::1",
        "fd00::1",
        "224.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:7",
        "2002:7f00:1::",
        "100.64.0.1",
    ],
)
def test_an_address_inside_is_not_public(address: str) -> None:
    """Also where IPv6 wraps it; it may be used where that is allowed."""
    with pytest.raises(SettingsError, match="not a public address"):
        public_address(address, 443)
    assert public_address(address, 443, allow_private=True)


def test_every_address_of_a_name_must_be_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that leads inside makes the name unusable."""
    found = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("127.0.0.1", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    with pytest.raises(SettingsError, match=r"127\.0\.0\.1"):
        public_address("example.org", 443)
    found.pop()
    assert public_address("example.org", 443) == "93.184.216.34"
    monkeypatch.undo()
    with pytest.raises(SettingsError, match="unknown"):
        public_address("a..b", 443)
