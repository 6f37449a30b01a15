"""Pictures at addresses of one's own: signed, expiring, and nothing else is served."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from auria_bot.channels.media.endpoint import PictureEndpoint, PictureHost, picture_key, picture_server
from auria_bot.errors import Throttled, Unauthorised
from tests.platforms import MemorySecrets

if TYPE_CHECKING:
    from pathlib import Path

KEY = b"a key of the tests"


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at rest."""
    return Clock()


@pytest.fixture
def host(tmp_path: Path, clock: Clock) -> PictureHost:
    """Where pictures are put."""
    return PictureHost(tmp_path / "public", KEY, public_url="https://auria.example/pictures", clock=clock)


@pytest.fixture
def endpoint(tmp_path: Path, clock: Clock) -> PictureEndpoint:
    """What answers for them."""
    return PictureEndpoint(tmp_path / "public", KEY, clock=clock)


def test_a_picture_is_served_until_it_expires(host: PictureHost, endpoint: PictureEndpoint, clock: Clock) -> None:
    """Then it is 410, and the next picture tidies it away."""
    path = host.put(b"picture", lasts=60).removeprefix("https://auria.example")
    answer = endpoint.answer("GET", path)
    with contextlib.closing(answer):
        assert (answer.status, b"".join(answer)) == (HTTPStatus.OK, b"picture")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert b"".join(endpoint.answer("HEAD", path)) == b""
    clock.now += 60
    assert endpoint.answer("GET", path).status == HTTPStatus.GONE
    host.put(b"another", lasts=60)
    assert len(list(host._folder.iterdir())) == 1


def test_a_changed_address_is_nothing(host: PictureHost, endpoint: PictureEndpoint) -> None:
    """Every single digit of it counts: what, until when, and the signature."""
    address = host.put(b"picture", lasts=60)
    name = address.rpartition("/")[2]
    for number, digit in enumerate(name.removesuffix(".jpg")):
        other = name[:number] + ("0" if digit != "0" else "1") + name[number + 1 :]
        assert endpoint.answer("GET", f"/pictures/{other}").status == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/pictures/",
        "/pictures",
        "/pictures/../../auria.toml",
        "/pictures/..%2f",
        "/pictures/.new-x",
        "/x\x00.jpg",
    ],
)
def test_nothing_else_is_served(host: PictureHost, endpoint: PictureEndpoint, path: str) -> None:
    """No listing, no way out of the folder."""
    host.put(b"picture", lasts=60)
    answer = endpoint.answer("GET", path)
    assert (answer.status, b"".join(answer)) == (HTTPStatus.NOT_FOUND, b"")


def test_another_key_opens_nothing(host: PictureHost, tmp_path: Path, clock: Clock) -> None:
    """An address is worth what its key is."""
    address = host.put(b"picture", lasts=60)
    other = PictureEndpoint(tmp_path / "public", b"another key", clock=clock)
    assert other.answer("GET", address).status == HTTPStatus.NOT_FOUND


def test_other_methods_are_not_allowed(host: PictureHost, endpoint: PictureEndpoint) -> None:
    """Nothing can be put or deleted from outside."""
    address = host.put(b"picture", lasts=60)
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert endpoint.answer(method, address).status == HTTPStatus.METHOD_NOT_ALLOWED


def test_a_removed_picture_is_gone(host: PictureHost, endpoint: PictureEndpoint) -> None:
    """Removing it twice is no matter, and nothing else can be removed."""
    address = host.put(b"picture", lasts=60)
    host.remove(address)
    host.remove(address)
    host.remove("https://auria.example/pictures/../auria.toml")
    assert endpoint.answer("GET", address).status == HTTPStatus.NOT_FOUND


def test_a_picture_that_is_removed_meanwhile_is_served_whole(host: PictureHost, endpoint: PictureEndpoint) -> None:
    """An answer whose length was promised is never cut off; the next client is told that it is gone."""
    address = host.put(b"picture", lasts=60)
    answer = endpoint.answer("GET", address)
    host.remove(address)
    assert (answer.status, answer.headers["Content-Length"]) == (HTTPStatus.OK, "7")
    with contextlib.closing(answer):
        assert b"".join(answer) == b"picture"
    assert endpoint.answer("GET", address).status == HTTPStatus.NOT_FOUND


def test_the_endpoint_is_a_wsgi_application(host: PictureHost, endpoint: PictureEndpoint) -> None:
    """Any server of Python's can mount it."""
    address = host.put(b"picture", lasts=60)
    told: list[object] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": address.removeprefix("https://auria.example")}
    body = endpoint(environ, lambda status, headers: told.extend([status, dict(headers)["Content-Type"]]))
    with contextlib.closing(body):
        assert (b"".join(body), told) == (b"picture", ["200 OK", "image/jpeg"])


@pytest.mark.parametrize("read", [0, 1])
def test_a_client_that_leaves_early_leaves_no_file_open(
    host: PictureHost, endpoint: PictureEndpoint, read: int
) -> None:
    """Not even before the first part: the server closes what it was given."""
    address = host.put(bytes(1 << 20), lasts=60, suffix=".mp4")
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": address.removeprefix("https://auria.example")}
    body = endpoint(environ, lambda *_: None)
    for _ in range(read):
        assert next(iter(body))
    body.close()
    assert body.file is not None
    assert body.file.closed


def test_a_server_of_its_own(tmp_path: Path) -> None:
    """It serves the picture over HTTP, says little of itself, and knows 404 and 405."""
    host = PictureHost(tmp_path, KEY, public_url="")
    server = picture_server(PictureEndpoint(tmp_path, KEY), host="127.0.0.1", port=0)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        with urllib.request.urlopen(base + host.put(b"picture", lasts=60), timeout=5) as answer:  # noqa: S310 - loopback
            assert answer.read() == b"picture"
            assert answer.headers["Server"] == "auria"
        with pytest.raises(urllib.error.HTTPError, match="404") as wrong:
            urllib.request.urlopen(base, timeout=5)
        wrong.value.close()
        with pytest.raises(Unauthorised, match="is not available"):
            picture_server(PictureEndpoint(tmp_path, KEY), host="127.0.0.1", port=server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def test_strays_are_tidied_away(host: PictureHost, tmp_path: Path) -> None:
    """What a killed process left half written goes after an hour; files of others stay."""
    folder = tmp_path / "public"
    folder.mkdir()
    for name in (".new-old", ".new-young", "readme.txt"):
        (folder / name).write_text("x")
    os.utime(folder / ".new-old", (time.time() - 7200,) * 2)
    host.tidy()
    assert sorted(path.name for path in folder.iterdir()) == [".new-young", "readme.txt"]


@pytest.mark.skipif(os.name == "nt", reason="Windows makes links for administrators only")
def test_what_cannot_be_tidied_away_stops_no_picture(host: PictureHost, tmp_path: Path, clock: Clock) -> None:
    """Another process may have removed it already, or be reading it."""
    name = host.put(b"picture", lasts=60).rpartition("/")[2]
    (tmp_path / "public" / name).unlink()
    (tmp_path / "public" / name).mkdir()
    (tmp_path / "public" / ".new-gone").symlink_to("nowhere")
    clock.now += 60
    assert host.put(b"picture", lasts=60)


def test_a_film_is_served_a_part_at_a_time(host: PictureHost, endpoint: PictureEndpoint) -> None:
    """Sixteen at once would otherwise fill the memory."""
    film = bytes(range(256)) * 4096
    address = host.put(film, lasts=60, suffix=".mp4")
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": address.removeprefix("https://auria.example")}
    with contextlib.closing(endpoint(environ, lambda *_: None)) as body:
        parts = list(body)
    assert b"".join(parts) == film
    assert max(map(len, parts)) < len(film)


def test_a_film_gets_through_a_slow_line(tmp_path: Path) -> None:
    """The largest that Instagram takes, 300 MB, through 3 Mbit/s: the server does not end it before."""
    with picture_server(PictureEndpoint(tmp_path, KEY), host="127.0.0.1", port=0) as server:
        assert server.deadline * 3_000_000 / 8 >= 300_000_000


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """Later, when the disk is well again."""
    (tmp_path / "public").write_text("a file stands in its place")
    with pytest.raises(Throttled, match="cannot be written"):
        PictureHost(tmp_path / "public", KEY, public_url="").put(b"", lasts=1)


def test_the_key_is_made_once() -> None:
    """The key is stored with the channel's secrets."""
    secrets = MemorySecrets()
    first = picture_key(secrets)
    assert len(first) == 64
    assert picture_key(secrets) == first
