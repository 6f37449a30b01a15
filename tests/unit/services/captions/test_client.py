"""The model server's client, over a real connection."""

from __future__ import annotations

import http.server
import json
import socket
import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.domain.model_requests import StyleRequest
from auria_bot.errors import InputError, ModelServerAway, ModelServerBusy, PictureError, UnknownName, UsageError
from auria_bot.services.captions.client import CaptionClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Answer:
    """What the stand-in answers, and what it was asked."""

    status, body, headers = 200, json.dumps({"captions": []}).encode(), dict[str, str]()
    asked: tuple[str, str, bytes, str | None] | None = None


def handler(answer: Answer) -> type[http.server.BaseHTTPRequestHandler]:
    """Answers everything alike."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            answer.asked = (self.command, self.path, content, self.headers.get("x-deadline"))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def address_string(self) -> str:
            return "here"

    return Handler


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    """Run a server in a thread."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def answer() -> Answer:
    """Captions."""
    return Answer()


@pytest.fixture
def client(answer: Answer) -> Iterator[CaptionClient]:
    """Asks a stand-in on loopback."""
    server = http.server.HTTPServer(("127.0.0.1", 0), handler(answer))
    with running(server):
        yield CaptionClient(f"127.0.0.1:{server.server_port}", deadline=5, largest=100)


def test_a_picture_is_sent_and_answered(client: CaptionClient, answer: Answer, tmp_path: Path) -> None:
    """The file as the body, with the deadline; regions are drawn on request."""
    assert client.caption(b"picture", drawn=True) == {"captions": []}
    assert answer.asked == ("POST", "/captions?drawn=1", b"picture", "5.000")
    (tmp_path / "a.png").write_bytes(b"file")
    client.caption_file(tmp_path / "a.png")
    assert answer.asked == ("POST", "/captions", b"file", "5.000")


def test_a_longer_answer_is_refused_and_not_cut_off(
    client: CaptionClient, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a picture is no picture."""
    monkeypatch.setattr("auria_bot.services.captions.client._LARGEST_ANSWER", 9)
    answer.body = b"\xff\xd8\xff restyled"
    with pytest.raises(ModelServerAway, match="longer than any"):
        client.restyle(b"picture", StyleRequest(style="x"))


def test_a_picture_is_restyled(client: CaptionClient, answer: Answer) -> None:
    """The request stands in the query, the answer is a JPEG; anything else comes from no model server."""
    answer.body = b"\xff\xd8\xff restyled"
    assert client.restyle(b"picture", StyleRequest(style="Claude Monet", seed=2)) == answer.body
    path = "/styles?style=Claude+Monet&mode=painterly&strength=0.8&seed=2"
    assert answer.asked == ("POST", path, b"picture", "5.000")
    answer.body = b"<html>"
    with pytest.raises(ModelServerAway, match="no model server"):
        client.restyle(b"picture", StyleRequest(style="x"))
    with pytest.raises(PictureError, match="empty"):
        client.restyle(b"", StyleRequest(style="x"))


def test_files_that_cannot_be_sent(client: CaptionClient, answer: Answer, tmp_path: Path) -> None:
    """A missing, an empty and a too large one are told without asking."""
    with pytest.raises(PictureError, match=r"a\.png: cannot be opened"):
        client.caption_file(tmp_path / "a.png")
    for content, message in ((b"", "empty"), (b"x" * 101, "at most 100 bytes")):
        with pytest.raises(PictureError, match=message):
            client.caption(content)
    assert answer.asked is None


@pytest.mark.parametrize(
    ("status", "kind", "error"),
    [
        (422, "PictureError", PictureError),
        (413, "TooLarge", PictureError),
        (422, "InputError", InputError),
        (422, "UnknownName", UnknownName),
        (422, "UsageError", UsageError),
        (500, "AuriaError", ModelServerAway),
        (502, "", ModelServerAway),
    ],
)
def test_refusals_keep_their_kind(
    client: CaptionClient, answer: Answer, status: int, kind: str, error: type[Exception]
) -> None:
    """The message is the server's."""
    answer.status, answer.body = status, json.dumps({"kind": kind, "message": "as it said"}).encode()
    with pytest.raises(error, match="as it said"):
        client.caption(b"picture")


def test_a_busy_server_says_when_to_come_back(client: CaptionClient, answer: Answer) -> None:
    """By Retry-After."""
    answer.status, answer.headers = 503, {"Retry-After": "7"}
    answer.body = b'{"kind": "ModelServerBusy", "message": "full"}'
    with pytest.raises(ModelServerBusy) as refused:
        client.caption(b"picture")
    assert refused.value.seconds == 7


def test_something_else_that_answers_is_no_model_server(client: CaptionClient, answer: Answer) -> None:
    """Whatever it says."""
    for answer.status, answer.body in ((200, b"<html>"), (404, b"[]"), (404, b"<html>")):
        with pytest.raises(ModelServerAway):
            client.caption(b"picture")


def test_a_server_that_is_away_is_told_with_the_command(tmp_path: Path) -> None:
    """At a port and at a socket; one that does not answer counts as away after the deadline."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.listen()
        with pytest.raises(ModelServerAway, match="did not answer within"):
            CaptionClient(f"127.0.0.1:{port}", deadline=0.05).caption(b"picture")
    for place in (f"127.0.0.1:{port}", f"unix:{tmp_path / 'none.sock'}"):
        with pytest.raises(ModelServerAway, match="does not answer") as away:
            CaptionClient(place, deadline=1).caption(b"picture")
        assert away.value.hint == "auria serve starts it"


def test_a_socket_of_the_file_system_is_asked(answer: Answer, tmp_path: Path) -> None:
    """With an address that begins with unix:."""
    with running(socketserver.UnixStreamServer(str(tmp_path / "s"), handler(answer))):
        assert CaptionClient(f"unix:{tmp_path / 's'}", deadline=5).caption(b"picture") == {"captions": []}
