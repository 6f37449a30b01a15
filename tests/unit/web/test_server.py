"""Serving over a socket."""

from __future__ import annotations

import threading

from starlette.applications import Starlette

from auria_bot.web import server


def test_whoever_waits_is_told_that_the_server_answers() -> None:
    """Once, after it has begun to listen."""
    told = threading.Event()
    started = server.WebServer(Starlette(), ready=told.set)
    thread = threading.Thread(target=started.run, daemon=True)
    thread.start()
    assert told.wait(60)
    assert started.started
    started.should_exit = True
    thread.join()
