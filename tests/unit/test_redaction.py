"""A guarded secret is masked in whatever form it stands; what looks like one is masked too; the rest is left alone."""

from __future__ import annotations

import base64
import html
import json
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auria_bot.redaction import LEAST, MASK, clear_secrets, redacted, register_secret

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _nothing_guarded() -> Iterator[None]:
    with clear_secrets():
        yield


SECRETS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Z"]), min_size=12, max_size=40)
PADDING = st.binary(max_size=5)


@given(secret=SECRETS, before=PADDING, after=PADDING)
@settings(max_examples=40, deadline=None)
def test_every_form_of_a_guarded_secret_is_masked(secret: str, before: bytes, after: bytes) -> None:
    """Plain, percent-encoded once and twice, escaped for JSON, Python and HTML, in hexadecimal, in base64 at any shift."""
    with clear_secrets():
        register_secret(secret)
        raw = secret.encode()
        whole = base64.b64encode(before + raw + after).decode()
        inner = whole[8:-8]  # what surely belongs to the secret's middle
        forms = {
            "plain": secret,
            "quoted": quote(secret),
            "all quoted": quote(secret, safe=""),
            "plus": quote_plus(secret),
            "twice": quote(quote(secret, safe=""), safe=""),
            "json": json.dumps(secret)[1:-1],
            "repr": repr(secret)[1:-1],
            "bytes": repr(raw)[2:-1],
            "html": html.escape(secret),
            "hex": raw.hex(),
        }
        for name, form in forms.items():
            masked = redacted(f"before {form} after")
            assert masked == "before *** after", name
        assert len(inner) < 6 or inner not in redacted(f"x {whole} y")
        urlsafe = base64.urlsafe_b64encode(before + raw + after).decode()
        assert len(inner) < 6 or urlsafe[8:-8] not in redacted(f"x {urlsafe} y")


def test_the_tokens_within_a_session_are_secrets_too() -> None:
    """A session's JSON may be told in part; names and addresses in it are no secrets."""
    session = {
        "authorization_data": {"sessionid": "58274%3AabcDEF123%3A12", "ds_user_id": "58274"},
        "uuids": {"phone_id": "c3f1e5d2-9a0b-4c8d-8e7f-123456789abc"},
        "country": "US",
        "host": "https://pds.example/xrpc/path-1234567",
        "did": "did:plc:abcdefghijklmnop1234567",
    }
    register_secret(json.dumps(session))
    for token in ("58274%3AabcDEF123%3A12", "c3f1e5d2-9a0b-4c8d-8e7f-123456789abc"):
        assert redacted(f"got {token}") == "got ***"
    kept = "US at https://pds.example/xrpc/path-1234567 by did:plc:abcdefghijklmnop1234567"
    assert redacted(kept) == kept
    register_secret(
        "auria.example:::did:plc:abcdefghijklmnop1234567:::eyJhbGciOiJFUzI1NksifQ.eyJzY29wZSI6ImNvbSJ9.c2ln:::https://pds"
    )
    assert redacted("as auria.example") == "as auria.example"
    assert "eyJ" not in redacted("refresh eyJhbGciOiJFUzI1NksifQ.eyJzY29wZSI6ImNvbSJ9.c2ln failed")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ('Authorization: OAuth oauth_consumer_key="abc", oauth_signature="d%2Fe%3D"', "abc"),
        ('Authorization: OAuth oauth_consumer_key="abc", oauth_signature="d%2Fe%3D"', "d%2Fe"),
        ("{'Authorization': b'OAuth oauth_token=\"abc\"', 'Host': 'h'}", "abc"),
        ("header Cookie: sessionid=abc; csrftoken=def", "def"),
        ("Set-Cookie: rur=abc", "abc"),
        ('{"accessJwt":"eyJhbGciOiJI.eyJzdWIiOiJk.c2lnbmF0"}', "eyJ"),
        ("oauth_signature=abc%3D&x=1", "abc"),
        ("Proxy-Authorization: Negotiate abc", "abc"),
        ("client_key='abc123', resource_owner_key='def456'", "def456"),
        ("GET /p?X-Amz-Signature=abcdef&X-Amz-Credential=AKIA%2Fx", "abcdef"),
        ("password=b'hunter2'", "hunter2"),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, secret: str) -> None:
    """Unregistered headers, OAuth parameters, cookies and web tokens are masked."""
    assert secret not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "the author is Basho",
        "a cookie for the cat",
        "authorised: yes",
        "the poem's key: silence",
        "a pond\nfrogs",
        "eyJ is how a token begins",
        "https://example.org/@auria/123",
    ],
)
def test_innocent_text_is_left_alone(text: str) -> None:
    """Words that only resemble."""
    assert redacted(text) == text


def test_a_header_is_masked_to_its_end_and_no_further() -> None:
    """What stands on the next line, or after a quoted value, is still read."""
    assert redacted("Authorization: Bearer abc def\nHost: example.org") == "Authorization: ***\nHost: example.org"
    assert (
        redacted("{'Authorization': 'x y', 'Host': 'example.org'}") == "{'Authorization': ***, 'Host': 'example.org'}"
    )


def test_short_secrets_do_not_tear_holes() -> None:
    """A secret of a few letters would stand in innocent words."""
    register_secret("on")
    register_secret(" " * LEAST)
    assert redacted("moon on the pond") == "moon on the pond"
    assert register_secret("a secret") == "a secret"


def test_secrets_are_guarded_by_many_at_once() -> None:
    """Threads that guard at the same time lose none."""
    values = [f"secret-of-thread-{number}" for number in range(40)]
    threads = [threading.Thread(target=register_secret, args=(value,)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert redacted(" ".join(values)) == " ".join(["***"] * 40)


def test_the_oldest_secrets_make_room_and_those_in_use_stay() -> None:
    """A process of many months renews its sessions; what it goes on using is never dropped."""
    with clear_secrets():
        register_secret("in-use-every-day")
        for number in range(600):
            register_secret(f"a-session-of-number-{number:04d}")
            register_secret("in-use-every-day")
        assert redacted("in-use-every-day a-session-of-number-0599") == f"{MASK} {MASK}"
        assert redacted("a-session-of-number-0000") == "a-session-of-number-0000"
