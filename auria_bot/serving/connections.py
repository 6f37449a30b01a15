"""Connections of the HTTP servers that uvicorn runs: neither slow clients nor many of them keep others out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["PatientProtocol"]

_REQUEST_TIME = 10.0  # seconds that a client may take to send a request's head
_MOST_OPEN = 448  # connections; for a further one, that which has waited longest for a request is closed


class PatientProtocol(H11Protocol):
    """HTTP/1.1 whose idle connections keep nobody out.

    A connection is closed when the head of a request does not arrive in time: uvicorn alone waits forever once one
    began. And where too many are open, those that wait for a request, or for the rest of one, give way to new ones, and
    so do those whose client has stopped reading its answer.
    """

    _deadline: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, waiting: dict[PatientProtocol, None], **options: Any) -> None:
        """Share with the server's other connections which of them wait, the longest first."""
        super().__init__(*arguments, **options)
        self._waiting = waiting

    def connection_made(self, transport: Any) -> None:
        """Let the connection that has waited longest give way where too many are open."""
        super().connection_made(transport)
        if len(self.connections) > _MOST_OPEN and self._waiting:
            oldest = next(iter(self._waiting))
            del self._waiting[oldest]
            oldest.transport.abort()
        self._waiting[self] = None
        self._deadline = self.loop.call_later(_REQUEST_TIME, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._head_arrived()
        self._waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Wait for the rest of a head or a body, or begin to answer."""
        super().data_received(data)
        if self._is_answering() and not self.cycle.more_body and not self.flow.write_paused:
            self._waiting.pop(self, None)
        if self.conn.their_state is not h11.IDLE:
            self._head_arrived()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(_REQUEST_TIME, self.transport.close)

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        super().on_response_complete()
        self._waiting[self] = None  # also where it is closing: its last bytes may never be read

    def pause_writing(self) -> None:
        """Wait for a client that reads nothing."""
        super().pause_writing()
        self._waiting[self] = None

    def resume_writing(self) -> None:
        """Go on with the answer."""
        super().resume_writing()
        if self._is_answering():
            self._waiting.pop(self, None)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _head_arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
