"""What X's refusals mean."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from auria_bot.channels.x.session import Answered, DuplicateText, ErrorClassifier, Stage
from auria_bot.errors import ChannelError, OutcomeUnknown, Rejected, Throttled, Unauthorised
from auria_bot.redaction import clear_secrets, register_secret

PROBLEMS = "https://api.twitter.com/2/problems/"


def _error(status: int, stage: Stage, body: Any = None, *, ahead: float = 0, **headers: str) -> ChannelError:
    content = body if isinstance(body, bytes) else json.dumps(body or {"detail": "no", "type": "about:blank"}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ErrorClassifier("x").error(Answered(status, named, content, "Reason"), stage, ahead=timedelta(seconds=ahead))


@pytest.mark.parametrize(
    ("status", "reading", "preparing", "visible"),
    [
        (307, Unauthorised, Unauthorised, Unauthorised),
        (400, OutcomeUnknown, Rejected, Rejected),
        (401, Unauthorised, Unauthorised, Unauthorised),
        (402, Unauthorised, Unauthorised, Unauthorised),
        (403, Unauthorised, Unauthorised, Rejected),
        (404, Unauthorised, Unauthorised, Unauthorised),
        (408, Throttled, Throttled, OutcomeUnknown),
        (413, OutcomeUnknown, Rejected, Rejected),
        (429, Throttled, Throttled, Throttled),
        (500, Throttled, Throttled, OutcomeUnknown),
        (503, Throttled, Throttled, OutcomeUnknown),
    ],
)
def test_a_status_means_something_else_at_each_stage(
    status: int, reading: type[ChannelError], preparing: type[ChannelError], visible: type[ChannelError]
) -> None:
    """Only failures within the visible call leave the outcome unknown."""
    found = [type(_error(status, stage)) for stage in (Stage.READING, Stage.PREPARING, Stage.VISIBLE)]
    assert found == [reading, preparing, visible]


@pytest.mark.parametrize(
    ("problem", "kind", "words"),
    [
        ({"detail": "You are not allowed to create a Tweet with duplicate content."}, DuplicateText, "duplicate"),
        ({"errors": [{"code": 187, "message": "Status is a duplicate."}]}, DuplicateText, "duplicate"),
        ({"detail": "no", "type": f"{PROBLEMS}oauth1-permissions"}, Unauthorised, "'Read and write'"),
        ({"detail": "Client Forbidden", "type": f"{PROBLEMS}client-forbidden"}, Unauthorised, "console.x.com"),
        ({"detail": "Your account is suspended and is not permitted"}, Unauthorised, "look at the account"),
        ({"detail": "To protect users, this account is temporarily locked."}, Unauthorised, "look at the account"),
        ({"detail": "no", "type": f"{PROBLEMS}usage-capped"}, Unauthorised, "credit"),
        ({"detail": "You are not permitted to perform this action."}, Rejected, "not permitted"),
        (b"<html>Attention required!</html>", Throttled, "proxy"),
        (b'["a list"]', Throttled, "proxy"),
    ],
)
def test_a_403_is_of_the_text_or_of_the_account(problem: Any, kind: type[ChannelError], words: str) -> None:
    """A duplicate is not yet a rejection; the account's problem needs the operator; a proxy decides nothing."""
    error = _error(403, Stage.VISIBLE, problem)
    assert type(error) is kind
    assert words in str(error)


def test_an_empty_credit_pauses_and_says_so() -> None:
    """402 is not an error of the post."""
    error = _error(
        402, Stage.VISIBLE, {"title": "CreditsDepleted", "detail": "no credits", "type": f"{PROBLEMS}credits"}
    )
    assert isinstance(error, Unauthorised)
    assert "the credit at X is used up" in str(error)


def test_a_limit_is_waited_for_by_xs_own_clock() -> None:
    """The reset counts by X's clock, wherever this machine's stands; the limit of a day wins where it is used up."""
    now = datetime.now(UTC)
    reset = str(int(now.timestamp()) + 3600 + 120)
    found = _error(429, Stage.VISIBLE, ahead=3600, x_rate_limit_reset=reset)
    assert isinstance(found, Throttled)
    assert found.until is not None
    assert 119 <= (found.until - now).total_seconds() <= 123
    day = {"x_user_limit_24hour_remaining": "0", "x_user_limit_24hour_reset": str(int(now.timestamp()) + 7200)}
    found = _error(429, Stage.VISIBLE, x_rate_limit_reset=str(int(now.timestamp()) + 60), **day)
    assert isinstance(found, Throttled)
    assert found.until is not None
    assert (found.until - now).total_seconds() > 7000


@pytest.mark.parametrize(
    ("header", "value", "least", "most"),
    [
        ("retry_after", "30", 30, 33),
        ("x_rate_limit_reset", "12", 0, 3),
        ("x_rate_limit_reset", "9" * 14, 80_000, 91_000),
    ],
)
def test_a_strange_reset_is_bounded(header: str, value: str, least: float, most: float) -> None:
    """A time that is past is now, and none is farther away than a day."""
    found = _error(429, Stage.READING, **{header: value})
    assert isinstance(found, Throttled)
    assert found.until is not None
    assert least <= (found.until - datetime.now(UTC)).total_seconds() <= most


def test_a_wait_may_be_a_date() -> None:
    """As HTTP writes it, by X's clock."""
    now = datetime.now(UTC)
    date = format_datetime(now + timedelta(hours=3), usegmt=True)
    found = _error(429, Stage.READING, ahead=7200, retry_after=date)
    assert isinstance(found, Throttled)
    assert found.until is not None
    assert now + timedelta(hours=1) <= found.until <= datetime.now(UTC) + timedelta(hours=1, seconds=1)


@pytest.mark.parametrize("value", ["", "soon", "-5", "1e9", "\uff19\uff19"])
def test_a_reset_that_is_no_number_is_none(value: str) -> None:
    """Then the publisher decides how long to wait."""
    found = _error(429, Stage.READING, x_rate_limit_reset=value)
    assert isinstance(found, Throttled)
    assert found.until is None


def test_a_wrong_clock_is_named_as_the_cause() -> None:
    """X refuses the signatures of a clock that is far off: new keys would not help."""
    assert "clock is 60 minutes off" in str(_error(401, Stage.READING, ahead=-3600))
    assert "`auria channels add x`" in str(_error(401, Stage.READING, ahead=3))


def test_what_x_says_is_repeated_safely() -> None:
    """Short, on one line, and without a secret."""
    with clear_secrets():
        register_secret("s3cret+key/with=signs")
        said = str(_error(400, Stage.VISIBLE, {"detail": "bad \x1b[31m\n s3cret%2Bkey%2Fwith%3Dsigns " + "x" * 10_000}))
    assert "s3cret" not in said
    assert "***" in said
    assert said.isprintable()
    assert len(said) < 260


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"errors": "many"}', b'{"errors": [1]}', b'{"detail": 5}', b"[" * 99_999]
)
def test_a_body_that_is_no_problem_breaks_nothing(body: bytes) -> None:
    """The status alone decides, with the reason for words."""
    assert isinstance(_error(500, Stage.VISIBLE, body), OutcomeUnknown)
    assert "Reason" in str(_error(500, Stage.VISIBLE, body))
