"""The package instagrapi, tamed: once, in time, quietly, and to where it is told."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.channels.instagram.client import (
    OWN_ADDRESS,
    PUBLISHING,
    ErrorKind,
    _retry_after,
    classify,
    kept_session,
    single_send_client,
)
from tests.connections import one_answer
from tests.platforms.instagram import InstagramPlatform

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator


instagrapi = pytest.importorskip("instagrapi")


@pytest.fixture
def platform() -> Iterator[InstagramPlatform]:
    """An account that is well."""
    with InstagramPlatform() as made:
        yield made


def connected(address: str, session: dict[str, Any] | None = None, *, timeout: float = 5.0) -> Any:
    """A client that leads there."""
    return single_send_client(session or {}, address=address, timeout=timeout, delay=(0.0, 0.0))


def test_a_session_comes_back(platform: InstagramPlatform) -> None:
    """Through JSON, with the device, without the password, and without how the client sends."""
    client = connected(platform.proxy.address)
    client.login(platform.username, platform.password)
    kept = json.dumps(kept_session(client))
    assert platform.password not in kept
    assert "timeout" not in kept
    assert "transport" not in kept
    again = connected(platform.proxy.address, json.loads(kept))
    assert again.user_id == client.user_id
    assert again.uuid == client.uuid
    assert again.private_request("accounts/current_user/?edit=true")["user"]["username"] == platform.username
    assert platform.logins == 1


@pytest.mark.parametrize("fault", ["cut-after", "cut-within", "slow", "500", "garbage"])
def test_no_request_is_sent_twice(platform: InstagramPlatform, fault: str) -> None:
    """Not even where the package would repeat it."""
    client = connected(platform.proxy.address, timeout=0.5)
    platform.proxy.fail_next(fault, when=lambda *_: True)
    with pytest.raises((instagrapi.exceptions.ClientError, instagrapi.requests.RequestException)):
        client.private_request("launcher/sync/", {"id": "1"}, login=True)
    assert len(platform.proxy.requests) == 1


def test_no_redirect_is_followed() -> None:
    """Neither where the request came from, nor anywhere else."""

    def elsewhere(connection: socket.socket, _: threading.Event) -> None:
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

    with one_answer(elsewhere) as address:
        client = connected(address, timeout=2.0)
        with pytest.raises(instagrapi.requests.TooManyRedirects):
            client.private_request("feed/timeline/", {"a": "b"})


def test_a_server_that_never_answers_is_left(platform: InstagramPlatform) -> None:
    """In the time that is set; the package itself would wait for ever."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = connected(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.3)
        for ask in (
            lambda: client.private_request("feed/timeline/", {"a": "b"}),
            lambda: client.public.get("https://i.instagram.com/api/v1/qe/sync/"),
        ):
            with pytest.raises(Exception, match="timed out"):
                ask()


def test_publishing_is_announced(platform: InstagramPlatform) -> None:
    """Right before the one request that followers see, and before no other."""
    client = connected(platform.proxy.address)
    seen: list[int] = []
    client.before_publishing = lambda: seen.append(len(platform.proxy.requests))
    client.private_request("launcher/sync/", {"id": "1"}, login=True)
    with pytest.raises(instagrapi.exceptions.LoginRequired):
        client.private_request(PUBLISHING, {"caption": "x"})
    assert seen == [1]
    assert len(platform.proxy.requests) == 2


def test_nobody_is_asked(platform: InstagramPlatform) -> None:
    """For codes or passwords, a challenge is raised instead."""
    client = connected(platform.proxy.address)
    for ask in (
        lambda: client.challenge_code_handler("auria", 1),
        lambda: client.change_password_handler("auria"),
        lambda: client.challenge_code_or_raised(1),
    ):
        with pytest.raises(instagrapi.exceptions.ChallengeRequired):
            ask()


def test_the_real_address_keeps_the_packages_own_transport() -> None:
    """And is not rewritten: only its requests' time is set."""
    client = single_send_client({}, address=OWN_ADDRESS, timeout=7.0, delay=(0.0, 0.0))
    road = client.private.get_adapter("https://i.instagram.com/api/v1/x")
    sent: list[tuple[str, float]] = []

    class Inner:
        def send(self, request: Any, **options: Any) -> None:
            sent.append((request.url, options["timeout"]))

        def close(self) -> None:
            """Nothing."""

    assert "Curl" in type(road._inner).__name__
    road._inner.close()
    road._inner = Inner()
    request = instagrapi.requests.Request("GET", "https://b.i.instagram.com/api/v1/x?y=1").prepare()
    road.send(request, timeout=None)
    assert sent == [("https://b.i.instagram.com/api/v1/x?y=1", 7.0)]


def test_other_hosts_are_not_led_astray() -> None:
    """Only what is Instagram's goes to the other address."""
    client = connected("http://127.0.0.1:1")
    road = client.private.get_adapter("https://x")
    urls: list[str] = []

    class Inner:
        def send(self, request: Any, **_: Any) -> None:
            urls.append(request.url)

    road._inner, road._plain = Inner(), False
    for url in ("https://i.instagram.com/api/v1/x?y=1", "https://instagram.com.example.org/x"):
        road.send(instagrapi.requests.Request("GET", url).prepare())
    assert urls == ["http://127.0.0.1:1/api/v1/x?y=1", "https://instagram.com.example.org/x"]


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


def test_a_wait_may_be_a_date() -> None:
    """As HTTP writes it, at most a day away."""
    date = format_datetime(datetime.now(UTC) + timedelta(days=3), usegmt=True)
    error: Any = SimpleNamespace(response=SimpleNamespace(headers={"retry-after": date}))
    assert _retry_after(error) == timedelta(days=1)


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
