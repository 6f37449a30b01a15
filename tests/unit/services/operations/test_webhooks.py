"""Programs are told of events, signed, until they have taken them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections import Counter
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.post import Outcome, PostState
from auria_bot.errors import InputError, NotFound, SettingsError
from auria_bot.services.operations import webhooks as webhooks_module
from auria_bot.services.operations.webhooks import Hook, Webhooks, new_secret, post_json, signature
from tests.factories import add_draft
from tests.publishing import approved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auria_bot.bootstrap.application import Application

SECRET = new_secret()
EVERY = frozenset({"draft.made", "post.sent", "post.needs_attention"})


class Receivers:
    """Programs that take events, or do not."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Mapping[str, str], bytes]] = []
        self.calls: Counter[str] = Counter()
        self.answers: dict[str, int] = {}

    def __call__(self, hook: Hook, body: bytes, headers: Mapping[str, str]) -> int:
        url = hook.url
        self.calls[url] += 1
        status = self.answers.get(url, 204)
        if status == 0:
            raise TimeoutError("no answer")
        if status < 300:
            self.taken.append((url, headers, body))
        return status

    def events(self, url: str = "a") -> list[str]:
        """What a program was told of."""
        return [json.loads(body)["type"] for to, _, body in self.taken if to == url]


@pytest.fixture
def receivers() -> Receivers:
    """Programs."""
    return Receivers()


def hook(name: str, events: frozenset[str] = EVERY, secret: str | None = SECRET) -> Hook:
    """A program's address."""
    return Hook(name=name, url=name, events=events, allow_private=False, secret=lambda: secret)


@pytest.fixture
def webhooks(application: Application, receivers: Receivers) -> Webhooks:
    """Two programs, of which one cares for posts alone; they are known by name."""
    hooks = {"a": hook("a"), "b": hook("b", frozenset({"post.sent"}))}
    made = Webhooks(store=application.store, clock=application.clock, hooks=hooks, site="https://x", post=receivers)
    assert made.update() == 0
    assert made.hooks == hooks
    return made


def test_a_clock_that_was_ahead_hides_no_event(application: Application, receivers: Receivers):
    """Events count from the moment at which it was set back, and not only when the time that it showed has come."""
    made = Webhooks(
        store=application.store, clock=application.clock, hooks={"a": hook("a")}, site="https://x", post=receivers
    )
    application.clock.advance(days=700)
    made.update()
    application.clock.advance(days=-700)
    made.update()
    application.clock.advance(hours=1)
    with application.store.begin() as unit:
        add_draft(unit, 1, made_at=application.clock())
    assert made.update() == 1


def make(application: Application, number: int) -> None:
    """Make a draft."""
    with application.store.begin() as unit:
        add_draft(unit, number, made_at=application.clock())


def test_each_event_is_told_once_to_those_who_care(
    application: Application, webhooks: Webhooks, receivers: Receivers
) -> None:
    """With links to the REST interface."""
    application.clock.advance(minutes=1)
    approved(application, 1)
    application.publisher.publish()
    assert webhooks.update() == 2
    assert webhooks.update() == 0
    assert webhooks.has_due()
    assert webhooks.send() == 2
    assert not webhooks.has_due()
    assert (receivers.events("a"), receivers.events("b")) == (["draft.made", "post.sent"], ["post.sent"])
    data = json.loads(receivers.taken[0][2])["data"]
    assert (data["draft"], data["url"]) == (1, "https://x/api/v1/drafts/1")
    assert json.loads(receivers.taken[1][2])["data"]["published_url"]


def test_what_was_before_the_first_webhook_is_not_told(application: Application, receivers: Receivers) -> None:
    """Only what comes after."""
    make(application, 1)
    application.clock.advance(minutes=1)
    late = Webhooks(
        store=application.store, clock=application.clock, hooks={"a": hook("a")}, site="https://x", post=receivers
    )
    assert late.update() == 0
    application.clock.advance(minutes=1)
    make(application, 2)
    assert late.update() == 1


def test_a_post_needs_attention_each_time_anew(
    application: Application, webhooks: Webhooks, receivers: Receivers
) -> None:
    """Once until it was tried again and ended so again."""
    approved(application, 1)
    (post,), _ = application.post_creator.schedule([1])
    with application.store.begin() as unit:
        unit.posts.save(post.moved(PostState.NEEDS_ATTENTION, message="look"))
    webhooks.update()
    webhooks.update()
    webhooks.send()
    assert receivers.events().count("post.needs_attention") == 1
    application.publisher.decisions.decide(post.id, "not-sent")
    with application.store.begin() as unit:
        (claimed,) = unit.posts.claim(now=application.clock(), lease=timedelta(minutes=5), channels=["fake"])
        stuck = claimed.moved(PostState.NEEDS_ATTENTION, message="look again")
        unit.posts.close_attempt(stuck, outcome=Outcome.UNCLEAR, message="", at=application.clock())
    webhooks.update()
    webhooks.send()
    assert receivers.events().count("post.needs_attention") == 2


def test_an_event_is_signed_as_the_standard_says(
    application: Application, webhooks: Webhooks, receivers: Receivers
) -> None:
    """Over its id, its time and its body; the id is the same when it is sent again."""
    make(application, 1)
    webhooks.update()
    receivers.answers["a"] = 500
    webhooks.send()
    receivers.answers.clear()
    application.clock.advance(minutes=1)
    webhooks.send()
    ((_, headers, body),) = receivers.taken
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{headers['Webhook-Id']}.{headers['Webhook-Timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["Webhook-Signature"] == f"v1,{expected}"
    assert int(headers["Webhook-Timestamp"]) == int(application.clock().timestamp())


def test_the_signature_is_that_of_the_specification() -> None:
    """Its example."""
    found = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    with pytest.raises(SettingsError, match="Base64"):
        signature("whsec_?", "a", 1, b"")


def test_who_does_not_answer_is_told_later_and_keeps_nobody_waiting(
    application: Application, webhooks: Webhooks, receivers: Receivers
) -> None:
    """One failure a round; after two days it is given up."""
    for number in (1, 2, 3):
        make(application, number)
    webhooks.update()
    receivers.answers["a"] = 0
    assert webhooks.send() == 0
    assert receivers.calls["a"] == 1
    assert not webhooks.has_due()
    for _ in range(10):
        application.clock.advance(hours=25)
        webhooks.send()
    assert receivers.calls["a"] == 8
    assert not webhooks.has_due()
    receivers.answers.clear()
    make(application, 4)
    webhooks.update()
    assert webhooks.send() == 1


def test_a_webhook_without_a_secret_is_sent_nothing(application: Application, receivers: Receivers) -> None:
    """The message says how to make one."""
    hooks = {"a": hook("a", secret=None)}
    webhooks = Webhooks(store=application.store, clock=application.clock, hooks=hooks, site="", post=receivers)
    with pytest.raises(SettingsError, match="auria web webhooks secret a"):
        webhooks.test("a")
    with pytest.raises(NotFound, match="known: a"):
        webhooks.test("b")
    assert receivers.calls == Counter()


def test_old_events_are_forgotten_and_not_told_again(application: Application, webhooks: Webhooks) -> None:
    """After sixty days."""
    make(application, 1)
    assert webhooks.update() == 1
    application.clock.advance(days=61)
    assert webhooks.update() == 0
    with application.store.read() as unit:
        assert set(unit.notices.recorded_at("webhook")) == {"begin"}
    assert webhooks.update() == 0


def test_a_post_that_needs_attention_for_months_is_told_once(application: Application, webhooks: Webhooks) -> None:
    """As long as it lasts, its event is remembered."""
    approved(application, 1)
    (post,), _ = application.post_creator.schedule([1])
    with application.store.begin() as unit:
        unit.posts.save(post.moved(PostState.NEEDS_ATTENTION, message="look"))
    assert webhooks.update() == 2
    application.clock.advance(days=61)
    assert [webhooks.update() for _ in range(3)] == [0, 0, 0]


def test_events_are_no_notices_of_the_operator(application: Application, webhooks: Webhooks) -> None:
    """Neither takes the other's."""
    make(application, 1)
    webhooks.update()
    with application.store.begin() as unit:
        assert unit.notices.claim_due(now=application.clock(), until=application.clock() + timedelta(hours=1)) == []


def address(url: str, *, allow_private: bool = True) -> Hook:
    """A real address."""
    return Hook(name="real", url=url, events=EVERY, allow_private=allow_private, secret=lambda: SECRET)


@pytest.fixture
def server() -> Iterator[tuple[str, list]]:
    """A real receiver, and what it got."""
    got: list = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(302 if self.path == "/moved" else 200)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://localhost:{served.server_port}", got
        served.shutdown()
        thread.join()


def test_a_body_arrives_and_no_redirect_is_followed(server: tuple[str, list]) -> None:
    """The name is resolved once, and its address is used."""
    url, got = server
    assert post_json(address(f"{url}/hook?a=1"), b"{}", {"Webhook-Id": "m"}) == 200
    assert (got[0][0], got[0][1]["Webhook-Id"], got[0][2]) == ("/hook?a=1", "m", b"{}")
    assert got[0][1]["Host"] == url.removeprefix("http://")
    assert post_json(address(f"{url}/moved"), b"{}", {}) == 302
    assert len(got) == 2


def test_this_machine_is_not_told_unless_that_is_allowed(server: tuple[str, list]) -> None:
    """Neither by its name nor by its address."""
    url, got = server
    for inside in (url, url.replace("localhost", "127.0.0.1"), "http://169.254.169.254/latest", "https://[::1]/"):
        with pytest.raises(SettingsError, match="not a public address"):
            post_json(address(inside, allow_private=False), b"{}", {})
    assert got == []


def test_without_webhooks_nothing_is_recorded_or_due(application: Application, receivers: Receivers) -> None:
    """There is nobody to tell."""
    none = Webhooks(store=application.store, clock=application.clock, hooks={}, site="https://x", post=receivers)
    approved(application)
    assert (none.update(), none.has_due(), none.send()) == (0, False, 0)


def test_a_trial_says_that_nobody_answers(webhooks: Webhooks, receivers: Receivers) -> None:
    """And otherwise the status of the answer."""
    assert webhooks.test("a") == 204
    receivers.answers["a"] = 0
    with pytest.raises(InputError, match="a does not answer: no answer"):
        webhooks.test("a")


def test_an_answer_that_drips_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the connection does."""
    ended = threading.Event()
    monkeypatch.setattr(webhooks_module, "_TIMEOUT", 0.05)
    monkeypatch.setattr(webhooks_module, "_exchange", lambda *_: ended.wait(5.0))
    with pytest.raises(TimeoutError, match="no answer within"):
        post_json(hook("a"), b"{}", {})
    ended.set()
