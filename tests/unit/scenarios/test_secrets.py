"""The benchmark of secrets finds what it looks for: a smaller form of it, and a product whose mask has fallen."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from auria_bot import redaction, telemetry
from tests.platforms import PLATFORMS
from tests.scenarios.secret_search import Findings, forms, search
from tests.scenarios.secrets import try_backend, try_database, try_directly, try_keyring

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cr3t/of+auria=& 0123"  # noqa: S105 - planted


@pytest.mark.parametrize(
    "text",
    [
        f"it is {SECRET}",
        f"it begins with {SECRET[:9]}...",
        f"or ends with {SECRET[-9:]}",
        quote(SECRET, safe=""),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"auria:{SECRET}".encode()).decode(),
        base64.urlsafe_b64encode(f"a{SECRET}b".encode()).decode(),
        SECRET.encode().hex(),
        "Authorization: Digest x",
        'OAuth oauth_signature="abc"',
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhdXJpYSJ9.x",
    ],
)
def test_a_secret_is_found_in_every_form(text: str) -> None:
    """Secrets are found whole, in part and encoded, and in headers that were not masked."""
    findings = Findings()
    search(f"2026-11-21 INFO {text} end", [SECRET], "log", findings)
    assert findings.told


def test_what_is_masked_or_public_is_not_found() -> None:
    """Three stars, an account's number, the platform's name."""
    findings = Findings()
    search("Authorization: ***, oauth_token=***, at mastodon, 1450000000000", [SECRET], "log", findings)
    search("mastodon", ["mastodon-1234"], "log", findings, public="mastodon")
    assert findings.told == []
    assert "14500000" not in forms("1450000000000-abc")


@pytest.mark.slow
def test_nothing_is_told_of_x(tmp_path: Path) -> None:
    """Wrong credentials, two faults, a crash, the platform away; in the file and in the keyring."""
    findings = Findings()
    try_backend("x", tmp_path, findings, faults=("cut-after", "401"))
    try_keyring("x", tmp_path, findings)
    assert findings.told == []
    assert findings.secrets > 8
    assert findings.searched.total() > 100_000


@pytest.mark.slow
def test_without_redaction_secrets_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search would see it: in the log, on the terminal and in the crash file."""

    def bare(text: str) -> str:
        return text

    monkeypatch.setattr(redaction, "redacted", bare)
    monkeypatch.setattr(telemetry, "redacted", bare)
    findings = Findings()
    try_backend("x", tmp_path, findings, faults=())
    places = {told.split(" tells")[0].split(" error-")[0] for told in findings.told}
    assert {"x: log and terminal", "x: crash file"} <= places


@pytest.mark.slow
def test_a_database_that_is_away_tells_no_password(tmp_path: Path) -> None:
    """Nor do settings of a telling name."""
    findings = Findings()
    try_database(tmp_path, findings)
    assert findings.told == []


@pytest.mark.slow
@pytest.mark.parametrize("backend", PLATFORMS)
def test_a_channels_own_words_need_no_mask(backend: str, tmp_path: Path) -> None:
    """What it raises, and what it wants remembered."""
    findings = Findings()
    try_directly(backend, tmp_path, findings)
    assert findings.told == []
