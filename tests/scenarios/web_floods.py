"""A thousand clients at once, each from an address of its own: silent ones, slow ones, readers, and those who guess.

Linux lets a program speak from any address of 127.0.0.0/8, so the site sees as many networks as there are clients.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING
from unittest import mock
from urllib.parse import urlencode

from auria_bot.web import middleware
from tests.operators import PASSWORD
from tests.scenarios.attacked_site import FORM
from tests.scenarios.web_uploads import multipart

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.scenarios.attacked_site import Site

__all__ = ["FLOODS"]

_WAIT = 120.0  # seconds that a busy machine may take
_TYPE = f"Content-Type: {FORM}\r\n".encode()


def _address(number: int) -> str:
    return f"127.20.{number // 200}.{number % 200 + 1}"


async def _client(site: Site, number: int, request: bytes, *, keeps_open: asyncio.Event | None = None) -> str:
    """The status that a client gets; "closed" without one."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port, local_addr=(_address(number), 0))
    except OSError as error:
        return f"no connection: {error.strerror}"
    status = "closed"
    with suppress(OSError, TimeoutError):
        writer.write(request)
        await writer.drain()
        if keeps_open is not None:
            await keeps_open.wait()
        else:
            line = await asyncio.wait_for(reader.readline(), _WAIT)
            status = line.decode("latin-1").split(" ")[1] if b" " in line else status
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return status


def _head(method: str, path: str, number: int, body: bytes = b"", kind: str = FORM) -> bytes:
    lines = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{lines}X-Client: {number}\r\nConnection: close\r\n\r\n".encode() + body


def _crowd(site: Site, request: Callable[[int], bytes]) -> Counter[str]:
    """What a thousand clients get who ask at once."""

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*(_client(site, number, request(number)) for number in range(site.clients)))

    return Counter(asyncio.run(all_of_them()))


def _reads_beside(site: Site, path: str = "/browse") -> str:
    """Whether a reader who comes last is answered, and soon."""
    begun = time.monotonic()
    try:
        status = site.ask("GET", path, source="127.30.0.1").status
    except OSError as error:
        return f"a reader is not answered: {error}"
    took = time.monotonic() - begun
    if status != 200:
        return f"a reader gets {status}"
    return f"a reader waits for {took:.0f} s" if took > site.patience else ""


def _held(request: bytes) -> Callable[[Site], str]:
    """Clients who keep their connections, and send no more than this."""

    def case(site: Site) -> str:
        result, ready = [""], threading.Event()

        async def hold() -> None:
            done = asyncio.Event()
            clients = [asyncio.create_task(_client(site, n, request, keeps_open=done)) for n in range(site.clients)]
            await asyncio.sleep(1.0)
            result[0] = await asyncio.to_thread(_reads_beside, site)
            done.set()
            await asyncio.gather(*clients)
            ready.set()

        asyncio.run(hold())
        return result[0] if ready.is_set() else "the clients did not end"

    return case


def _slow_bodies(site: Site) -> str:
    """A body that stays incomplete is answered with 408 when the deadline is over."""
    request = b"POST /desk/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n" + _TYPE + b"\r\nname="

    async def slow() -> list[str]:
        return await asyncio.gather(*(_client(site, number, request) for number in range(20)))

    with mock.patch.object(middleware, "_DEADLINE", 2.0):
        found = Counter(asyncio.run(slow()))
    return "" if set(found) == {"408"} else f"answered with {dict(found)}"


def _readers(site: Site) -> str:
    """All of them are answered, or told that there are too many."""
    found = _crowd(site, lambda number: _head("GET", "/browse", number))
    if not set(found) <= {"200", "503", "closed"} or found["200"] < site.clients // 4:
        return f"answered with {dict(found)}"
    return _reads_beside(site)


def _guessers(site: Site) -> str:
    """A thousand addresses guess the password of one operator: a few are tried, the others wait; the operator comes in."""
    site.session("ada")
    body = urlencode({"name": "ada", "password": "a wrong password"}).encode()
    found = _crowd(site, lambda number: _head("POST", "/desk/sign-in", number, body))
    if not set(found) <= {"403", "429", "503", "closed"} or found["403"] > 10:
        return f"answered with {dict(found)}"
    known = site.sign_in("ada", source="127.9.9.9")
    return _reads_beside(site) if known.status == 303 else f"the operator is kept out: {known.status}"


def _many_names(site: Site) -> str:
    """A thousand addresses try a name each: while passwords are checked, readers are answered."""
    requests = [
        _head("POST", "/desk/sign-in", n, urlencode({"name": f"n{n}", "password": PASSWORD}).encode())
        for n in range(site.clients)
    ]
    result = [""]

    async def all_of_them() -> list[str]:
        clients = [asyncio.create_task(_client(site, number, one)) for number, one in enumerate(requests)]
        result[0] = await asyncio.to_thread(_reads_beside, site)
        return await asyncio.gather(*clients)

    found = Counter(asyncio.run(all_of_them()))
    return result[0] or ("" if set(found) <= {"403", "429", "503", "closed"} else f"answered with {dict(found)}")


def _visitors(site: Site) -> str:
    """A thousand addresses ask the studio: as many as may wait are taken, the others come back later."""
    found = _crowd(site, lambda number: _head("POST", "/studio", number, b"theme=autumn+rain"))
    if not set(found) <= {"303", "429", "503", "closed"} or found["303"] > 8:
        return f"answered with {dict(found)}"
    return _reads_beside(site, "/studio")


def _uploaders(site: Site) -> str:
    """A thousand addresses bring a large file each: few are read at a time, the others are told to come back."""
    body, kind = multipart(b"\xff\xd8\xff" + b"\0" * 1_500_000)
    found = _crowd(site, lambda number: _head("POST", "/captions", number, body, kind))
    if not set(found) <= {"422", "429", "503", "closed"} or found["422"] > site.clients // 2:
        return f"answered with {dict(found)}"
    return _reads_beside(site)


FLOODS: dict[str, Callable[[Site], str]] = {
    "slow bodies": _slow_bodies,
    "a thousand silent clients": _held(b""),
    "a thousand heads without an end": _held(b"GET / HTTP/1.1\r\nX: y\r\n"),
    "a thousand bodies without an end": _held(
        b"POST /desk/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n" + _TYPE + b"\r\nn"
    ),
    "a thousand readers": _readers,
    "a thousand guessers": _guessers,
    "a thousand names": _many_names,
    "a thousand visitors": _visitors,
    "a thousand files": _uploaders,
}
"""Every flood."""
