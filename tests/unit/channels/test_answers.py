"""Fields of JSON answers of any type."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import socketserver
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from auria_bot.channels import answers
from auria_bot.channels.answers import (
    ChannelCache,
    as_count,
    as_id,
    as_items,
    as_object,
    as_text,
    clock_ahead,
    retry_seconds,
)
from auria_bot.channels.bluesky import atproto_session
from auria_bot.channels.bluesky.atproto_session import classify, open_client
from auria_bot.channels.instagram.client import PUBLISHING, single_send_client
from auria_bot.channels.instagram.client import classify as classify_instagram
from auria_bot.channels.instagram.graph_api import GraphApi
from auria_bot.channels.mastodon.server import MastodonServer
from auria_bot.channels.x.api import Media, XApi
from auria_bot.errors import OutcomeUnknown, Throttled
from tests.platforms.http_server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


VALUES: tuple[Any, ...] = (None, True, False, 0, 7, -1, 1.5, 2**60, "", "text", [], [1], {}, {"a": 1})


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_of_another_type_becomes_empty(value: Any) -> None:
    """Objects, arrays and strings are returned unchanged, anything else as an empty one."""
    assert as_object(value) == (value if isinstance(value, dict) else {})
    assert as_items(value) == (value if isinstance(value, list) else [])
    assert as_text(value) == (value if isinstance(value, str) else "")


def test_a_count_is_a_whole_number() -> None:
    """Anything else is unknown, booleans and negative numbers among them."""
    assert [as_count(value) for value in VALUES if as_count(value) is not None] == [0, 7]


def test_an_identifier_is_text_or_a_positive_number() -> None:
    """Numbers become text."""
    assert [as_id(value) for value in VALUES if as_id(value)] == ["7", str(2**60), "text"]


def _http_date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("30", 30),
        (" 1.5 ", 1.5),
        ("0", 0),
        ("99999999", 86_400),
        *((value, None) for value in ("", None, "soon", "-5", "nan", "inf", "-inf", "9" * 400)),
        *((value, None) for value in ("Mon, 99 Nov 2026 00:00:00 GMT", "Mon, 30 Nov 2026 00:00:00 +9999999", ",")),
    ],
)
def test_a_wait_is_a_number(value: str | None, seconds: float | None) -> None:
    """At most a day; what is endless or unreadable is none."""
    assert retry_seconds(value) == seconds


def test_a_wait_may_be_a_date() -> None:
    """At most a day away; one that is past is none."""
    assert retry_seconds(_http_date(3600)) == pytest.approx(3600, abs=60)
    assert retry_seconds(_http_date(9_000_000)) == 86_400
    assert retry_seconds(_http_date(-60)) is None


def test_a_date_counts_by_the_servers_clock() -> None:
    """Where that is known."""
    ahead = timedelta(hours=2)
    date = format_datetime(datetime.now(UTC) + ahead + timedelta(seconds=90))
    assert retry_seconds(date, ahead) == pytest.approx(90, abs=60)


@pytest.mark.parametrize("name", ["date", "Date"])
def test_a_servers_clock_is_known_by_its_answer(name: str) -> None:
    """Whatever its headers' names are; without a date it is not known."""
    for hours in (-2, 2):
        ahead = clock_ahead({name: _http_date(3600 * hours)})
        assert ahead is not None
        assert abs(ahead - timedelta(hours=hours)) < timedelta(minutes=1)
    assert [clock_ahead({name: value}) for value in ("", "now", "1, 2")] == [None] * 3


def test_values_are_loaded_by_the_next_process(tmp_path: Path) -> None:
    """Under the channel's name, whatever characters it has."""
    assert ChannelCache(tmp_path, "m/1").load() == {}
    assert list(tmp_path.iterdir()) == []
    ChannelCache(tmp_path, "m/1").save({"a": 1})
    assert ChannelCache(tmp_path, "m/1").load() == {"a": 1}
    assert [path.name for path in (tmp_path / "channels").iterdir()] == ["m_1.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", "\udcff"])
def test_a_damaged_file_counts_as_missing(tmp_path: Path, content: str) -> None:
    """It is replaced by the next save."""
    cache = ChannelCache(tmp_path, "m")
    cache.save({})
    (tmp_path / "channels" / "m.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert cache.load() == {}
    cache.save({"a": 1})
    assert cache.load() == {"a": 1}


def test_a_file_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    """The server is asked again."""
    (tmp_path / "channels").write_text("a file instead of a folder")
    cache = ChannelCache(tmp_path, "m")
    cache.save({"a": 1})
    assert cache.load() == {}


def _mastodon(address: str) -> None:
    secrets: Any = SimpleNamespace(get=lambda _: "token")
    MastodonServer(address, name="m", secrets=secrets, timeout=5).post("/api/v1/statuses", sent=True)


def _x(address: str, folder: Path, *, deadline: float = 60) -> None:
    keys = dict.fromkeys(("api_key", "api_secret", "access_token", "access_token_secret"), "x")
    api = XApi(keys, address=address, timeouts=(5, 5, deadline), name="x", cache=ChannelCache(folder, "x"))
    api.create("words", Media(id="1", key="3_1"), made_with_ai=True)


def _bluesky(address: str) -> None:
    try:
        open_client(address, 5).request.get(f"{address}/xrpc/com.atproto.server.describeServer")
    except Exception as error:  # noqa: BLE001 - the client raises errors of its libraries
        raise classify(error, address, sent=True) from None


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("platform", ["mastodon", "x", "bluesky"])
def test_an_answer_without_end_is_given_up_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, packed: bool
) -> None:
    """As it is, or packed into a few bytes; whether the post is out stays unknown."""
    monkeypatch.setattr(answers, "LONGEST_ANSWER", 1 << 20)
    monkeypatch.setattr(atproto_session, "LONGEST_ANSWER", 1 << 20)
    body = json.dumps({"id": "1", "data": {"id": "1990000000000000000"}}).encode() + b" " * (2 << 20)
    sent = gzip.compress(body, 0 if platform == "bluesky" else 9) if packed else body
    headers = {"Content-Type": "application/json"} | ({"Content-Encoding": "gzip"} if packed else {})
    with HttpServer(lambda *_: (200, headers, sent)) as server, pytest.raises(OutcomeUnknown):
        {"mastodon": _mastodon, "x": lambda address: _x(address, tmp_path), "bluesky": _bluesky}[platform](
            server.address
        )


@pytest.fixture
def dripping() -> Iterator[str]:
    """The address of a server whose header never ends."""
    done = threading.Event()

    class Drip(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)
            self.request.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            with contextlib.suppress(OSError):
                while not done.wait(0.02):
                    self.request.sendall(b"a")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Drip) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        done.set()
        server.shutdown()


@pytest.mark.parametrize("platform", ["mastodon", "bluesky"])
def test_a_header_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch, dripping: str, platform: str) -> None:
    """Every byte begins the libraries' own time-outs anew; whether the post is out stays unknown."""
    monkeypatch.setattr(answers, "EXCHANGE", 0.1)

    def bluesky() -> None:
        secrets: Any = SimpleNamespace(get=lambda _: "")
        account = atproto_session.AtprotoSession(service=dripping, handle="a.b", name="b", secrets=secrets, timeout=5)
        monkeypatch.setattr(type(account), "client", lambda _: open_client(dripping, 5))
        account.call(lambda client: client.request.get(f"{dripping}/xrpc/x"), sent=True)

    with pytest.raises(OutcomeUnknown, match="TimeoutError"):
        bluesky() if platform == "bluesky" else _mastodon(dripping)


def _graph(address: str) -> None:
    GraphApi(address, version="v23.0", timeout=5).post("me/media_publish", "token", visible=True, creation_id="1")


def _instagram(address: str) -> None:
    pytest.importorskip("instagrapi")
    client = single_send_client({}, address=address, timeout=5, delay=(0.0, 0.0))
    try:
        client.private_request(PUBLISHING, {"caption": "words"}, login=True)
    except Exception as error:  # noqa: BLE001 - the client raises errors of its libraries
        raise classify_instagram(error, client, visible=True, login=False, hidden=()).error() from None


PLATFORMS = ["mastodon", "x", "bluesky", "graph", "instagram"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_nothing_is_sent_after_it_was_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    """Here by a thread that waited for a name server; meanwhile the post may have been found not to be out."""
    asked, answered, look_up = list[str](), threading.Event(), socket.getaddrinfo

    def slow(*args: Any, **options: Any) -> Any:
        answered.wait(60)
        return look_up(*args, **options)

    def publish(address: str) -> None:
        if platform == "bluesky":
            answers.within(lambda: _bluesky(address), 0.5)
        else:
            plain = {"mastodon": _mastodon, "graph": _graph, "instagram": _instagram}
            {**plain, "x": lambda to: _x(to, tmp_path, deadline=0.5)}[platform](address)

    monkeypatch.setattr(answers, "EXCHANGE", 0.1)
    with HttpServer(lambda method, *_: (asked.append(method) or 200, {}, b"{}")) as server:
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        with pytest.raises((OutcomeUnknown, TimeoutError)):
            publish(server.address)
        answered.set()
        for thread in threading.enumerate():
            if thread.name == "request":
                thread.join()
    assert asked == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_what_is_too_late_to_be_sent_is_surely_not_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    """It is tried again."""
    monkeypatch.setattr(answers, "is_late", lambda: True)
    plain = {"mastodon": _mastodon, "bluesky": _bluesky, "graph": _graph, "instagram": _instagram}
    publish = {**plain, "x": lambda to: _x(to, tmp_path)}[platform]
    asked = list[str]()
    with HttpServer(lambda method, *_: (asked.append(method) or 200, {}, b"{}")) as server, pytest.raises(Throttled):
        publish(server.address)
    assert asked == []


def test_an_answer_that_drips_is_given_up() -> None:
    """The package's own time-out begins anew with every byte."""
    with HttpServer(lambda *_: (200, {}, b"{}")) as server:
        response = requests.get(server.address, stream=True, timeout=5)
        with pytest.raises(requests.exceptions.ReadTimeout):
            answers.whole(response, -1.0)
        assert answers.whole(requests.get(server.address, stream=True, timeout=5), 5.0).json() == {}
