"""The model server's HTTP interface."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from auria_bot.domain.artwork import Haiku
from auria_bot.domain.model_requests import PictureRequest, PoemRequest, StyleRequest
from auria_bot.errors import ModelServerBusy, PictureError, UnknownName
from auria_bot.serving import connections, server
from auria_bot.serving.server import Pools, create_app
from tests.browser import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.applications import Starlette


class Pool:
    """A pool that answers at once."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: dict[str, Any] | Exception = {"captions": []}
        self.model: dict[str, str] | None = {"version": "v1", "sha256": "ab"}
        self.is_closed = False

    def submit(self, content: Any, **given: Any) -> Future[dict[str, Any]]:
        if isinstance(self.answer, ModelServerBusy):
            raise self.answer
        self.asked.append({"content": content, **given})
        future: Future[dict[str, Any]] = Future()
        if isinstance(self.answer, Exception):
            future.set_exception(self.answer)
        else:
            future.set_result(self.answer)
        return future

    def metrics(self) -> str:
        return "auria_serve_ready 1\n"

    def close(self) -> None:
        self.is_closed = True


class Styles(Pool):
    """A pool that restyles at once."""

    def submit(self, content: bytes, request: Any = None, **given: Any) -> Future[Any]:
        return super().submit(content, request=request, **given)

    def metrics(self) -> str:
        return "auria_serve_restyled_total 0\n"


@pytest.fixture
def styles() -> Styles:
    """One that restyles."""
    made = Styles()
    made.answer = b"\xff\xd8\xff"  # type: ignore[assignment]
    return made


@pytest.fixture
def makers() -> dict[str, Pool]:
    """What writes and paints."""
    made = {"poems": Pool(), "pictures": Pool()}
    made["pictures"].answer = b"\xff\xd8\xff"  # type: ignore[assignment]
    return made


@pytest.fixture
def pool() -> Pool:
    """One that answers."""
    return Pool()


@pytest.fixture
def client(pool: Pool, styles: Styles, makers: dict[str, Pool]) -> Iterator[TestClient]:
    """The interface over it."""
    pools = Pools(captions=pool, styles=styles, **makers)  # type: ignore[arg-type]
    with TestClient(create_app(pools, largest=1000, deadline=10.0), raise_server_exceptions=False) as made:
        yield made
    assert all(each.is_closed for each in (pool, styles, *makers.values()))


def test_a_picture_is_handed_on_with_its_deadline(client: TestClient, pool: Pool) -> None:
    """The body is the file; whoever waits less says so."""
    answer = client.post("/captions?drawn=1", content=b"picture", headers={"x-deadline": "2"})
    assert (answer.status_code, answer.json()) == (200, {"captions": []})
    client.post("/captions", content=b"picture", headers={"x-deadline": "soon"})
    client.post("/captions", content=b"picture", headers={"x-deadline": "nan"})
    first, second, third = pool.asked
    assert (first["content"], first["drawn"], second["drawn"]) == (b"picture", True, False)
    assert second["deadline"] - first["deadline"] > 5
    assert third["deadline"] >= second["deadline"]


def test_errors_keep_their_kind(client: TestClient, pool: Pool) -> None:
    """Status, kind and message; who is told to come back is told when; what was not foreseen says nothing."""
    pool.answer = PictureError("it is damaged")
    answer = client.post("/captions", content=b"picture")
    assert (answer.status_code, answer.json()) == (422, {"kind": "PictureError", "message": "it is damaged"})
    pool.answer = ModelServerBusy("full", seconds=7)
    answer = client.post("/captions", content=b"picture")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    pool.answer = ZeroDivisionError("secret")
    answer = client.post("/captions", content=b"picture")
    assert (answer.status_code, "secret" in answer.text) == (500, False)


def test_a_picture_is_restyled_as_the_query_says(client: TestClient, styles: Styles) -> None:
    """The body is the file, the answer a JPEG; a request that cannot be is refused before the picture is read."""
    answer = client.post("/styles?style=monet&strength=0.5", content=b"picture")
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/jpeg", b"\xff\xd8\xff")
    (asked,) = styles.asked
    assert asked["request"] == StyleRequest(style="monet", strength=0.5)
    assert client.post("/styles", content=b"picture").json()["kind"] == "UsageError"
    styles.answer = UnknownName("no painting or artist like that")
    assert client.post("/styles?style=x", content=b"picture").json()["kind"] == "UnknownName"


def test_poems_are_written_and_painted(client: TestClient, makers: dict[str, Pool]) -> None:
    """What `/poems` answers is what `/pictures` takes; what cannot be is refused."""
    poem = {"lines": ["rain begins again", "a dog waits beside the gate", "nobody looks up"], "syllables": [5, 7, 5]}
    makers["poems"].answer = {"poems": [poem]}
    written = client.post("/poems?theme=rain&mood=serene&count=2&seed=3")
    assert (written.status_code, written.json()) == (200, {"poems": [poem]})
    assert makers["poems"].asked[0]["content"] == PoemRequest(theme="rain", mood="serene", count=2, seed=3)
    painted = client.post("/pictures?seed=4", json=written.json()["poems"][0])
    assert (painted.status_code, painted.headers["content-type"]) == (200, "image/jpeg")
    assert makers["pictures"].asked[0]["content"] == PictureRequest(haiku=Haiku.from_json(poem), seed=4)
    assert client.post("/poems?count=11").json()["message"] == "the count 11 is out of range; 1 to 10 are possible"
    assert client.post("/pictures", content=b"rain").json()["kind"] == "InputError"
    assert client.post("/pictures", content=b"x" * 5000).status_code == 413


def test_files_are_bounded(client: TestClient, pool: Pool) -> None:
    """By the declared length, and by what arrives; an empty body is no picture."""
    assert client.post("/captions", content=b"x" * 1001).status_code == 413
    assert client.post("/captions", content=iter([b"x" * 600, b"x" * 600])).status_code == 413
    assert client.post("/captions").status_code == 422
    assert pool.asked == []


async def stalled(app: Starlette, content: bytes, *, headers: Sequence[tuple[bytes, bytes]] = ()) -> dict[str, Any]:
    """How a request is answered whose body begins so, and does not go on."""
    begun, answered = asyncio.Event(), dict[str, Any]()

    async def receive() -> dict[str, Any]:
        if begun.is_set():
            await asyncio.Event().wait()
        begun.set()
        return {"type": "http.request", "body": content, "more_body": True}

    async def send(message: Any) -> None:
        answered.update(message)

    scope = {"type": "http", "method": "POST", "path": "/captions", "query_string": b"", "headers": list(headers)}
    await asyncio.wait_for(app(scope, receive, send), 60)  # type: ignore[arg-type]
    return answered


@pytest.mark.parametrize(("deadline", "wanted"), [(0.01, b"300"), (300.0, b"0.01")])
def test_a_body_that_does_not_arrive_is_given_up(pool: Any, deadline: float, wanted: bytes) -> None:
    """After the usual time, although the request allows more for its answer; earlier if it allows less."""
    app = create_app(Pools(captions=pool, styles=pool, poems=pool, pictures=pool), largest=1000, deadline=deadline)
    answer = asyncio.run(stalled(app, b"pic", headers=[(b"x-deadline", wanted)]))
    assert (answer["status"], dict(answer["headers"])[b"connection"]) == (408, b"close")
    assert b"did not arrive" in answer["body"]
    assert pool.asked == []


def test_bodies_that_are_arriving_have_bounded_memory(pool: Any) -> None:
    """Many slow clients cannot fill it; what they held is free again afterwards."""
    app = create_app(Pools(captions=pool, styles=pool, poems=pool, pictures=pool), largest=1000, deadline=0.2)

    async def many() -> list[int]:
        answers = await asyncio.gather(*(stalled(app, b"x" * 1000) for _ in range(20)))
        return [one["status"] for one in answers]

    for _ in range(2):
        found = asyncio.run(many())
        assert (found.count(408), found.count(503)) == (16, 4)


def test_health_and_readiness_differ(client: TestClient, pool: Pool) -> None:
    """Without a model it is alive but not ready."""
    assert client.get("/readyz").json() == {"model": {"version": "v1", "sha256": "ab"}}
    pool.model = None
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 503)
    assert client.get("/metrics").text.splitlines() == [
        "auria_serve_ready 1",
        "auria_serve_restyled_total 0",
        *["auria_serve_ready 1"] * 2,
    ]


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("127.0.0.1:8630", {"host": "127.0.0.1", "port": 8630, "uds": None}),
        ("[::1]:8630", {"host": "::1", "port": 8630, "uds": None}),
        ("unix:/run/auria.sock", {"uds": "/run/auria.sock"}),
    ],
)
def test_it_listens_where_the_settings_say(
    pool: Any, monkeypatch: pytest.MonkeyPatch, address: str, place: dict[str, Any]
) -> None:
    """At a port or at a socket."""
    configs: list[Any] = []

    class Server:
        def __init__(self, config: Any) -> None:
            configs.append(config)

        def run(self) -> None:
            """Return at once."""

    monkeypatch.setattr(server.uvicorn, "Server", Server)
    pools = Pools(captions=pool, styles=pool, poems=pool, pictures=pool)
    server.serve(pools, address, largest=1000, deadline=10.0)
    assert {name: getattr(configs[0], name) for name in place} == place


def test_a_client_that_does_not_finish_a_head_is_given_up(pool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its connection is closed."""
    monkeypatch.setattr(connections, "_REQUEST_TIME", 0.01)
    begun: list[uvicorn.Server] = []
    pools = Pools(captions=pool, styles=pool, poems=pool, pictures=pool)
    with monkeypatch.context() as patched:
        patched.setattr(uvicorn.Server, "run", lambda one: begun.append(one))  # noqa: PLW0108 - a bound method
        server.serve(pools, "127.0.0.1:0", largest=1000, deadline=10.0)
    with running(begun[0]) as address:
        host, _, port = address.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=60) as client:
            client.sendall(b"POST /captions HTTP/1.1\r\nHost: here\r\n")
            assert client.recv(1) == b""
