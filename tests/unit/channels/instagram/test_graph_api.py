"""What the Graph API's answers mean, code by code."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.channels.instagram.graph_api import GraphApi, GraphContainers, _classified, _until, quiet_client
from auria_bot.errors import NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised
from tests.connections import one_answer
from tests.platforms.http_server import HttpServer

if TYPE_CHECKING:
    import socket
    import threading

MINUTE = timedelta(minutes=1)
TOKEN = "IGAAsecret0123456789"  # noqa: S105 - of the tests


def meaning(status: int, code: int, subcode: int | None = None, *, visible: bool, **extra: Any) -> type[Exception]:
    """The class of error that an answer becomes."""
    error = {"code": code, "message": "words", **({"error_subcode": subcode} if subcode else {}), **extra}
    return type(_classified(status, {}, error, TOKEN, visible=visible))


@pytest.mark.parametrize(
    ("status", "code", "subcode", "unseen", "seen"),
    [
        (400, 190, None, Unauthorised, Unauthorised),  # token
        (400, 190, 463, Unauthorised, Unauthorised),  # token expired
        (401, 0, None, Unauthorised, Unauthorised),
        (403, 10, None, Unauthorised, Unauthorised),  # permission
        (403, 200, None, Unauthorised, Unauthorised),
        (400, 25, 2207050, Unauthorised, Unauthorised),  # account restricted
        (400, 9004, 2207052, Unauthorised, Unauthorised),  # the picture cannot be fetched
        (400, 4, None, Throttled, Throttled),  # rates
        (400, 17, None, Throttled, Throttled),
        (400, 32, None, Throttled, Throttled),
        (400, 613, None, Throttled, Throttled),
        (429, 0, None, Throttled, Throttled),
        (400, 9, 2207042, Throttled, Throttled),  # the day's posts
        (400, 4, 2207051, Throttled, Throttled),  # taken for spam
        (400, 24, 2207006, Throttled, Throttled),  # the container is gone
        (400, 24, 2207008, Throttled, Throttled),
        (400, 9007, 2207027, Throttled, Throttled),  # the container is not ready
        (400, -2, 2207003, Throttled, OutcomeUnknown),  # the platform's own trouble
        (400, -1, 2207001, Throttled, OutcomeUnknown),
        (400, -1, 2207032, Throttled, OutcomeUnknown),
        (500, 1, None, Throttled, OutcomeUnknown),
        (500, 2, None, Throttled, OutcomeUnknown),
        (503, 0, None, Throttled, OutcomeUnknown),
        (408, 0, None, Throttled, OutcomeUnknown),
        (409, 100, None, Throttled, OutcomeUnknown),
        (400, 100, None, Rejected, Rejected),
        (400, 100, 2207040, Rejected, Rejected),
        (400, 36000, 2207004, Rejected, Rejected),  # the picture
        (400, 36001, 2207005, Rejected, Rejected),
        (400, 36003, 2207009, Rejected, Rejected),
        (400, 36004, 2207010, Rejected, Rejected),  # the caption
        (400, 368, None, Rejected, Rejected),  # policy
        (400, 100, 33, NotFound, NotFound),
    ],
)
def test_codes(status: int, code: int, subcode: int | None, unseen: type[Exception], seen: type[Exception]) -> None:
    """Only where followers may see the outcome, trouble is OutcomeUnknown."""
    assert meaning(status, code, subcode, visible=False) is unseen
    assert meaning(status, code, subcode, visible=True) is seen


@pytest.mark.parametrize(
    ("status", "unseen", "seen"),
    [
        (400, Rejected, OutcomeUnknown),
        (401, Unauthorised, Unauthorised),
        (403, Unauthorised, Unauthorised),
        (404, Throttled, OutcomeUnknown),  # a proxy's whose server is down: the API says 100/33
        (405, Throttled, OutcomeUnknown),
        (408, Throttled, OutcomeUnknown),
        (409, Throttled, OutcomeUnknown),
        (413, Rejected, OutcomeUnknown),
        (429, Throttled, Throttled),
        (502, Throttled, OutcomeUnknown),
    ],
)
def test_an_answer_without_the_apis_words(status: int, unseen: type[Exception], seen: type[Exception]) -> None:
    """A proxy may have answered for a server that acted: what followers see is then unknown."""
    assert type(_classified(status, {}, {}, TOKEN, visible=False)) is unseen
    assert type(_classified(status, {}, {}, TOKEN, visible=True)) is seen


def test_what_passes_says_so() -> None:
    """An unknown code is judged by the platform's `is_transient`."""
    assert meaning(400, 77777, visible=False, is_transient=True) is Throttled
    assert meaning(400, 77777, visible=True, is_transient=True) is OutcomeUnknown


def test_words_are_kept_without_the_token() -> None:
    """The platform repeats it at times, and addresses with signatures too."""
    error = {
        "code": 190,
        "error_subcode": 463,
        "message": f"Malformed access token {TOKEN}, and access token OTHERTOKEN99; see https://s3/x.jpg?X-Amz-Signature=ab",
    }
    words = str(_classified(400, {}, error, TOKEN, visible=False))
    assert TOKEN not in words
    assert "OTHERTOKEN99" not in words
    assert "Signature" not in words
    assert "190/463" in words


@pytest.mark.parametrize(
    ("headers", "minutes"),
    [
        ({"retry-after": "600"}, 10),
        ({"x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": 7}]}'}, 7),
        ({"x-business-use-case-usage": "nonsense"}, 60),
        ({"x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": Infinity}]}'}, 60),
        ({"retry-after": "-5", "x-business-use-case-usage": '{"1": [{"estimated_time_to_regain_access": 7}]}'}, 7),
        ({"retry-after": format_datetime(datetime.now(UTC) + timedelta(days=3), usegmt=True)}, 24 * 60),
        ({"retry-after": "-5"}, 60),
        ({"retry-after": "99999999"}, 24 * 60),
        ({}, 60),
    ],
)
def test_when_to_try_again(headers: dict[str, str], minutes: int) -> None:
    """As the headers say, at most a day; else a while."""
    wait = _until(headers, timedelta(hours=1)) - datetime.now(UTC)
    assert abs(wait - timedelta(minutes=minutes)) < timedelta(seconds=5)


@pytest.mark.parametrize("hours", [-3, 3])
def test_when_to_try_again_is_told_by_the_platforms_clock(hours: int) -> None:
    """Which may be hours away from this machine's."""
    there = datetime.now(UTC) + timedelta(hours=hours)
    headers = {
        name: format_datetime(at, usegmt=True) for name, at in (("date", there), ("retry-after", there + MINUTE))
    }
    assert _until(headers, timedelta(hours=1)) < datetime.now(UTC) + 2 * MINUTE


def server(body: bytes, *, status: int = 200, **headers: str) -> HttpServer:
    """A server that always answers the same."""
    return HttpServer(lambda *_: (status, headers, body))


@pytest.mark.parametrize(
    ("body", "options"),
    [
        (b"[]", {}),
        (b"<html>", {}),
        (b"{", {}),
        (b"", {"status": 302, "Location": "/elsewhere"}),
        (b"x" * 2_100_000, {}),
    ],
)
def test_an_answer_that_is_none(body: bytes, options: dict[str, Any]) -> None:
    """Later; and no redirect is followed, no endless answer read."""
    with server(body, **options) as there, pytest.raises(Throttled):
        GraphApi(there.address, version="v23.0", timeout=5).read("me", TOKEN)


def test_headers_that_trickle_in_are_not_waited_for() -> None:
    """A byte now and then begins the time-out of the HTTP client anew."""

    def trickle(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not over.wait(0.1):
            connection.sendall(b"x")

    with one_answer(trickle) as address, pytest.raises(Throttled, match="TimeoutError"):
        GraphApi(address, version="v23.0", timeout=0.3).read("me", TOKEN)


def test_the_log_never_quotes_a_token(caplog: pytest.LogCaptureFixture) -> None:
    """The renewal must name it in an address; that record is dropped, others are not."""
    with server(b'{"access_token": "new", "expires_in": 60}') as there, caplog.at_level(logging.DEBUG):
        api = GraphApi(there.address, version="v23.0", timeout=5)
        assert api.renew(TOKEN) == ("new", timedelta(seconds=60))
        quiet_client(5).get(f"{there.address}/plain")
    assert TOKEN not in caplog.text
    assert "/plain" in caplog.text


def test_a_renewal_that_makes_no_sense() -> None:
    """The old token stays."""
    with server(b'{"access_token": "new"}') as there, pytest.raises(Throttled):
        GraphApi(there.address, version="v23.0", timeout=5).renew(TOKEN)


class Told:
    """An API that tells of a container what it is told to, one answer a look, the last for ever."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self._answers = list(answers)

    def read(self, *_: object, **__: object) -> dict[str, Any]:
        """The next answer."""
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def wait(*answers: dict[str, Any]) -> None:
    """Wait for a container of which this is told."""
    told: Any = Told(*answers)
    GraphContainers(told, poll=0.0, patience=0.05, settle=timedelta(0)).wait("1", "token")


def test_it_waits_until_the_picture_is_there() -> None:
    """However often it must look."""
    wait(*[{"status_code": "IN_PROGRESS"}] * 5, {"status_code": "FINISHED"})


@pytest.mark.parametrize("status", ["IN_PROGRESS", "EXPIRED", "PUBLISHED", "NEW", None])
def test_it_does_not_wait_for_ever(status: str | None) -> None:
    """Another container, later."""
    with pytest.raises(Throttled):
        wait({"status_code": status})


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("Error: Media upload has failed with error code 2207026", Rejected),
        ("Error: 2207052", Unauthorised),
        ("Error: 2207001", Throttled),
        ("Error: 2207032 create media failed", Throttled),
        ("", Rejected),
    ],
)
def test_what_a_failure_means(words: str, meaning: type[Exception]) -> None:
    """The error's code decides; the platform's message is quoted."""
    with pytest.raises(meaning, match=words or "could not use"):
        wait({"status_code": "ERROR", "status": words})
