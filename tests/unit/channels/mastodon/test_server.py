"""What failed answers of a server with Mastodon's API mean."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from auria_bot.channels.mastodon.server import InstanceLimits, MastodonServer, _reason, _reset, plain_text
from auria_bot.errors import ChannelError, OutcomeUnknown, Rejected, Throttled
from tests.platforms import MemorySecrets
from tests.platforms.http_server import HttpServer


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (lambda now: (now + timedelta(seconds=90)).isoformat(), 90),
        (lambda now: (now + timedelta(seconds=90)).strftime("%Y-%m-%dT%H:%M:%S.000Z"), 90),
        (lambda now: str(int(now.timestamp()) + 90), 90),
        (lambda now: str((int(now.timestamp()) + 90) * 1000), 90),
        (lambda _: "90", 90),
        (lambda now: (now - timedelta(days=3)).isoformat(), 0),
        (lambda now: (now + timedelta(days=300)).isoformat(), 86_400),
    ],
    ids=["iso", "zulu", "epoch", "milliseconds", "seconds", "past", "far"],
)
def test_a_rate_limit_ends_at_a_time(value, seconds: int) -> None:
    """However the server writes it; never in the past, and never more than a day away."""
    now = datetime.now(UTC)
    until = _reset({"X-RateLimit-Reset": value(now)})
    assert until is not None
    assert abs((until - now).total_seconds() - seconds) < 2


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e9999", "9" * 400])
def test_an_unreadable_rate_limit_is_not_known(value: str) -> None:
    """Then the next header counts."""
    assert _reset({"X-RateLimit-Reset": value}) is None
    until = _reset({"X-RateLimit-Reset": value, "Retry-After": "60"})
    assert until is not None
    assert until - datetime.now(UTC) <= timedelta(seconds=60)


def test_a_wait_may_be_a_date() -> None:
    """As HTTP writes it, such as a proxy before the server."""
    now, wait = datetime.now(UTC), timedelta(hours=1)
    until = _reset({"Retry-After": format_datetime(now + wait, usegmt=True)})
    assert until is not None
    assert now + wait - timedelta(seconds=1) <= until <= datetime.now(UTC) + wait


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_rate_limit_ends_by_the_servers_clock(hours: int) -> None:
    """Which may be hours away from this machine's; a number of seconds needs none."""
    here = datetime.now(UTC)
    there = here + timedelta(hours=hours)
    end = there + timedelta(minutes=5)
    dates = (end.isoformat(), str(int(end.timestamp())), format_datetime(end, usegmt=True))
    for value in (*dates, "300"):
        name = "Retry-After" if "GMT" in value else "X-RateLimit-Reset"
        until = _reset({name: value, "Date": format_datetime(there, usegmt=True)})
        assert until is not None
        assert abs(until - here - timedelta(minutes=5)) < timedelta(minutes=1)


@pytest.mark.parametrize("status", [404, 405, 410])
@pytest.mark.parametrize(("body", "explained"), [(b"<html>", False), (b"{}", False), (b'{"error": "no"}', True)])
def test_a_missing_endpoint_is_a_server_that_is_down(status: int, body: bytes, explained: bool) -> None:
    """Where every server has it, a proxy answers without the API's error; else another endpoint may be there."""
    cases: tuple[tuple[dict[str, bool], type[ChannelError]], ...] = (
        ({"needed": True}, Throttled),
        ({"sent": True}, OutcomeUnknown),
        ({}, Rejected),
    )
    with HttpServer(lambda *_: (status, {}, body)) as there:
        secrets = MemorySecrets({"access_token": "token"})
        server = MastodonServer(there.address, name="m", secrets=secrets, timeout=5)
        for options, meaning in cases:
            with pytest.raises(Rejected if explained else meaning):
                server.post("/api/v1/media", **options)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"error": "Validation failed"}', "Validation failed"),
        ('{"error": "invalid_token", "error_description": "The token expired"}', "The token expired"),
        ('{"message": "no"}', "no"),
        ('{"error": {"code": 1}}', ""),
        ("<html>Login</html>", ""),
        ("plain words", "plain words"),
    ],
)
def test_a_reason_is_the_servers_own(text: str, reason: str) -> None:
    """A page of HTML is none."""
    assert _reason(text) == reason


@pytest.mark.parametrize(
    ("text", "characters"),
    [
        ("rain", 4),
        ("👩‍👩‍👧‍👦 é e\u0301 池", 7),
        ("see https://example.org/a/very/long/address/that/goes/on?and=on#and-on now", 4 + 23 + 4),
        ("see https://example.org.", 4 + 23 + 1),
        ("(http://example.org/a)", 1 + 23 + 1),
        ("https://localhost/x", 19),
        ("https://example.org/池の音", 23 + 3),
        ("thanks @friend@mastodon.example!", 15),
        ("a@b.example", 11),
    ],
)
def test_characters_are_counted_as_mastodon_does(text: str, characters: int) -> None:
    """An address counts 23, a name without its server, an emoji of many parts one."""
    assert InstanceLimits().count(text) == characters


def test_what_a_server_leaves_out_is_as_usual() -> None:
    """Whatever it answers, limits are positive numbers."""
    full = {
        "configuration": {
            "statuses": {"max_characters": 5000, "characters_reserved_per_url": 30},
            "media_attachments": {"description_limit": 900, "image_size_limit": 1000, "image_matrix_limit": 10_000},
        }
    }
    read = InstanceLimits.read(full, instance="https://a.example", at=5.0)
    assert (read.characters, read.url_characters, read.picture_bytes) == (5000, 30, 1000)
    assert (read.limits().picture_pixels, read.limits().alt_characters, read.instance, read.read_at) == (
        100,
        900,
        "https://a.example",
        5.0,
    )
    assert read.count("https://example.org") == 30
    for odd in ({}, {"configuration": None}, {"configuration": {"statuses": {"max_characters": "many"}}}):
        assert InstanceLimits.read(odd, instance="", at=0.0) == InstanceLimits()
    assert InstanceLimits.read({"max_toot_chars": 1000}, instance="", at=0.0).characters == 1000


LIMITS = InstanceLimits(instance="https://a.example", read_at=5.0, characters=7)


def test_saved_limits_are_restored() -> None:
    """Of the same server only."""
    assert InstanceLimits.load(LIMITS.save(), instance="https://a.example") == LIMITS
    assert InstanceLimits.load(LIMITS.save(), instance="https://b.example") is None


@pytest.mark.parametrize(
    "change", [{"characters": 0}, {"characters": "many"}, {"read_at": None}, {"picture_bytes": 1e300}]
)
def test_damaged_limits_are_read_again(change: dict[str, object]) -> None:
    """A saved number that is not a positive one makes all of them invalid."""
    assert InstanceLimits.load(LIMITS.save() | change, instance="https://a.example") is None


@pytest.mark.parametrize(
    ("answer", "limits"),
    [
        ({"max_toot_chars": 5000, "upload_limit": 16_000_000, "description_limit": 5000}, (5000, 5000, 16_000_000)),
        ({"version": "3.5.3 (compatible; Pixelfed 0.12.5)"}, (500, 1000, 8_000_000)),
        (
            {"configuration": {"statuses": {"max_characters": "200000"}}, "max_toot_chars": 1},
            (200_000, 1500, 8_000_000),
        ),
        ({"configuration": {"media_attachments": {"image_size_limit": -1}}}, (500, 1500, 8_000_000)),
    ],
)
def test_other_servers_state_limits_in_their_own_fields(
    answer: dict[str, object], limits: tuple[int, int, int]
) -> None:
    """Akkoma at the top level, Friendica as text, Pixelfed not at all."""
    read = InstanceLimits.read(answer, instance="", at=1.0)
    assert (read.characters, read.alt_characters, read.picture_bytes) == limits


def test_words_are_read_from_html() -> None:
    """As a server writes them: paragraphs, links, hidden parts of addresses, escaped signs."""
    content = (
        '<p>rain &amp; &lt;ponds&gt;<br />night</p><p>— Auria <a href="https://m.example/tags/haiku" class="hashtag">#'
        '<span>haiku</span></a> <a href="https://example.org/x"><span class="invisible">https://</span>'
        '<span>example.org/x</span><span class="invisible"></span></a></p>'
    )
    assert plain_text(content) == "rain & <ponds> night — Auria #haiku https://example.org/x"
