"""The network below every library: what this process says over it, and a server whose one answer is written by hand."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["connections", "one_answer"]

_LISTENING: list[list[Any]] = []
_HOOKED: list[bool] = []


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.getaddrinfo", "socket.sendto"}:
        for heard in _LISTENING:
            heard.append(arguments[1] if event == "socket.connect" else arguments[0])


@contextlib.contextmanager
def connections() -> Iterator[list[Any]]:
    """What was connected to, looked up or sent within the block, in any thread: an empty list when nothing was."""
    if not _HOOKED:
        sys.addaudithook(_hear)  # for good: an audit hook cannot be taken away
        _HOOKED.append(True)
    heard: list[Any] = []
    before = {name: getattr(socket.socket, name) for name in ("send", "sendall")}

    def told(name: str) -> Any:
        def send(self: socket.socket, data: Any, *more: Any) -> Any:
            heard.append((name, len(data)))
            return before[name](self, data, *more)

        return send

    _LISTENING.append(heard)
    for name in before:
        setattr(socket.socket, name, told(name))
    try:
        yield heard
    finally:
        _LISTENING.remove(heard)
        for name, method in before.items():
            setattr(socket.socket, name, method)


@contextlib.contextmanager
def one_answer(write: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """The address of a server that answers one request by `write`; the event says that nobody reads any more."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(60)  # for one who never asks

        def answer() -> None:
            with contextlib.suppress(OSError), listening.accept()[0] as connection:
                connection.settimeout(None)
                connection.recv(65536)
                write(connection, over)

        worker = threading.Thread(target=answer)
        worker.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
            worker.join()
