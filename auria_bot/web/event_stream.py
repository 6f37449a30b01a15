"""Server-sent events: numbered, so that a browser whose connection broke goes on where it stopped."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from starlette.responses import StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence

    from starlette.requests import Request

    from auria_bot.services.studio.run_store import RunEvent
    from auria_bot.web.runs import BackgroundRun

__all__ = ["event_stream", "first_event", "looks_at", "sent_event"]

_HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_TICK = 0.25  # seconds between two looks for events
_SIGN_OF_LIFE = 15.0  # seconds without an event after which a comment is sent


def first_event(request: Request, after: str = "0") -> int:
    """How many events a browser has, by the number of its last one; `after` where its connection is the first."""
    last = request.headers.get("last-event-id", after)
    return int(last) if last.isdecimal() and len(last) < 6 else 0


def sent_event(name: str, data: Mapping[str, object], *, number: int | None = None) -> str:
    """An event as it is sent; one without a number is not counted by the browser."""
    mark = "" if number is None else f"id: {number}\n"
    return f"{mark}event: {name}\ndata: {json.dumps(data)}\n\n"


def looks_at(
    run: BackgroundRun, position: int, shown: Callable[[int, RunEvent], Mapping[str, object]]
) -> Iterator[list[str]]:
    """The events of a run after a position, as there are more of them; at last what came of it.

    `shown` gives what is sent of an event at its position.
    """
    is_done = False
    while not is_done:
        is_done = run.is_done  # before the events, so that none is missed
        found = []
        for event in run.events(position):
            position += 1
            found.append(sent_event("step", shown(position, event), number=position))
        if is_done:
            found.append(sent_event("end", {"state": run.state, "draft": run.new_draft, "error": run.error}))
        yield found


def event_stream(
    request: Request, looks: Iterable[Sequence[str]], *, open_streams: Counter[str] | None = None, who: str = ""
) -> StreamingResponse:
    """An answer that sends what each look for events gives, until there are no more looks; nothing to HEAD.

    Args:
        request: what is answered.
        looks: looks for events when it is asked for the next ones; must not block.
        open_streams: counts the answers that are being sent, by whom they are for.
        who: whom this one is for.
    """
    if request.method == "HEAD" or getattr(request.state, "is_head", False):
        looks = ()
    content = _paced(iter(looks), Counter() if open_streams is None else open_streams, who)
    return StreamingResponse(content, media_type="text/event-stream", headers=_HEADERS)


async def _paced(looks: Iterator[Sequence[str]], open_streams: Counter[str], who: str) -> AsyncIterator[str]:
    open_streams[who] += 1
    try:
        idle = 0.0
        for events in looks:
            for event in events:
                yield event
            idle = 0.0 if events else idle + _TICK
            if idle >= _SIGN_OF_LIFE:
                idle = 0.0
                yield ": still working\n\n"
            await asyncio.sleep(_TICK)
    finally:
        open_streams[who] -= 1
        if not open_streams[who]:
            del open_streams[who]
