"""The package's errors, and what each means before and after the request that followers see."""

from __future__ import annotations

from typing import Any

import pytest

from auria_bot.channels.instagram.errors import ErrorKind, classify

wrong = pytest.importorskip("instagrapi.exceptions")
requests = pytest.importorskip("requests")

Kind = ErrorKind
APP = ("ChallengeRequired", "ChallengeUnknownStep", "RecaptchaChallengeForm", "LegacyForceSetNewPasswordForm")
NEEDED = (
    *APP,
    "BadPassword",
    "BadCredentials",
    "TwoFactorRequired",
    "FeedbackRequired",
    "SentryBlock",
    "AccountSuspended",
    "ProxyAddressIsBlocked",
    "CaptchaChallengeRequired",
    "ReloginAttemptExceeded",
    "ClientNeedsUpgradeError",
)


class Client:
    """What the package knows after a request."""

    def __init__(self, **last: Any) -> None:
        self.last_json = last
        self.last_response = None
        self.sessionid = "session0123456789"


def answer(status: int, **body: Any) -> Any:
    """An answer of the platform's."""
    import json

    made = requests.Response()
    made.status_code = status
    made._content = json.dumps(body).encode()
    return made


def kind(error: Exception, *, visible: bool = False, login: bool = False) -> Any:
    """What an error means."""
    return classify(error, Client(), visible=visible, login=login, hidden=()).kind


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("visible", [False, True])
def test_what_needs_the_operator(name: str, visible: bool) -> None:
    """Whenever it comes, nothing was posted, and nothing more is sent."""
    assert kind(getattr(wrong, name)(), visible=visible) is Kind.BLOCKED
    assert kind(getattr(wrong, name)(), login=True) is Kind.BLOCKED


@pytest.mark.parametrize("name", ["LoginRequired", "ClientLoginRequired", "ClientUnauthorizedError"])
def test_a_session_that_ended(name: str) -> None:
    """At a login it is the operator's."""
    assert kind(getattr(wrong, name)()) is Kind.ENDED
    assert kind(getattr(wrong, name)(), login=True) is Kind.BLOCKED


@pytest.mark.parametrize("name", ["PleaseWaitFewMinutes", "RateLimitError", "ClientThrottledError"])
def test_waiting(name: str) -> None:
    """It was not posted."""
    assert kind(getattr(wrong, name)(), visible=True) is Kind.LATER
    assert kind(getattr(wrong, name)(), login=True) is Kind.LATER


@pytest.mark.parametrize(
    "error",
    [
        wrong.ClientConnectionError("x"),
        wrong.ClientRequestTimeout(response=answer(408)),
        wrong.ClientIncompleteReadError("x"),
        wrong.ClientJSONDecodeError("x", response=answer(200)),
        wrong.ClientError("x", response=answer(502)),
        wrong.ClientError("x", response=answer(200)),
        requests.exceptions.ReadTimeout(),
        requests.exceptions.ChunkedEncodingError(),
        OSError(),
        KeyError("what the package did not expect"),
    ],
)
def test_what_may_be_posted(error: Exception) -> None:
    """Only after the request was on its way."""
    assert kind(error, visible=True) is Kind.UNCLEAR
    assert kind(error, visible=False) is Kind.LATER


@pytest.mark.parametrize(
    "error",
    [
        wrong.UnknownError(message="bad image"),
        wrong.ClientBadRequestError("x", response=answer(400)),
        wrong.PhotoNotUpload("x", response=answer(400, message="bad image input")),
    ],
)
def test_what_is_refused(error: Exception) -> None:
    """No use repeating."""
    assert kind(error) is Kind.REFUSED


@pytest.mark.parametrize(
    ("status", "message", "meant"),
    [
        (403, "login_required", Kind.ENDED),
        (400, "challenge_required", Kind.BLOCKED),
        (400, "checkpoint_required", Kind.BLOCKED),
        (400, "feedback_required", Kind.BLOCKED),
        (429, "", Kind.LATER),
        (400, "Please wait a few minutes before you try again.", Kind.LATER),
        (503, "", Kind.LATER),
        (400, "media_needs_reupload", Kind.LATER),
        (403, "", Kind.BLOCKED),
    ],
)
def test_an_upload_tells_by_its_answer(status: int, message: str, meant: Any) -> None:
    """The package has one error for all of these."""
    assert kind(wrong.PhotoNotUpload("x", response=answer(status, message=message))) is meant


def test_what_is_gone() -> None:
    """A post that was deleted; a bare "Not Found" may be a challenge in disguise, and blocks nothing."""
    assert kind(wrong.MediaNotFound()) is Kind.GONE
    assert kind(wrong.MediaUnavailable()) is Kind.GONE
    client = Client()
    client.last_response = answer(404)
    found = classify(wrong.ChallengeRequired(), client, visible=False, login=False, hidden=())
    assert found.kind is Kind.LATER


def test_words_are_the_platforms_and_hold_no_secret() -> None:
    """Short, in one line, without what must stay hidden."""
    client = Client(message="no\nfrog and session0123456789 " + "x" * 400)
    told = classify(wrong.UnknownError(), client, visible=False, login=False, hidden=("frog",)).message
    assert "frog" not in told
    assert "session0123456789" not in told
    assert "\n" not in told
    assert len(told) < 300
