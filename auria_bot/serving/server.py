"""The model server's HTTP interface for this machine or a trusted network: captions, styles, poems, pictures, metrics.

`POST /captions` and `POST /styles` take a picture file as their body, `POST /pictures` a poem as `POST /poems` answers
it. It asks for no key and stores nothing; the web application in front of it does what concerns
people.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from auria_bot.domain.model_requests import PictureRequest, PoemRequest, StyleRequest
from auria_bot.errors import AuriaError, InputError, ModelServerBusy
from auria_bot.redaction import redacted_error
from auria_bot.serving.connections import PatientProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from auria_bot.serving.captioning import CaptionPool
    from auria_bot.serving.making import PicturePool, PoemPool
    from auria_bot.serving.restyling import StylePool

__all__ = ["Pools", "create_app", "serve"]

_MOST_AT_ONCE = 512  # connections
_LARGEST_DEADLINE = 300.0  # seconds
_STOP = 30.0  # seconds that captions under way may still take at the end
_LARGEST_POEM = 4096  # bytes
_MOST_ARRIVING = 16  # files of the largest size that are held while they arrive


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """What answers requests, here or on replicas."""

    captions: CaptionPool  # which was started
    styles: StylePool
    poems: PoemPool
    pictures: PicturePool


class _TooLarge(InputError):
    """The request's body is too large."""

    http_status = 413


class _TooSlow(InputError):
    """The request's body did not arrive in time."""

    http_status = 408


def create_app(pools: Pools, *, largest: int, deadline: float) -> Starlette:
    """The ASGI application.

    Args:
        pools: answer the requests.
        largest: bytes of a picture's file.
        deadline: seconds that a caption may take, where the request does not say less; and that a body may take to
            arrive, whatever the request says.
    """
    bodies = _Bodies(deadline=deadline, most=_MOST_ARRIVING * largest)

    async def captions(request: Request) -> Response:
        until = _until(request, deadline)
        content = await bodies.read(request, largest, until=until)
        drawn = request.query_params.get("drawn") == "1"
        future = pools.captions.submit(content, deadline=until, drawn=drawn)
        return JSONResponse(await asyncio.wrap_future(future))

    async def restyled(request: Request) -> Response:
        until, wanted = _until(request, deadline), StyleRequest.from_query(request.query_params)
        content = await bodies.read(request, largest, until=until)
        picture = await asyncio.wrap_future(pools.styles.submit(content, wanted, deadline=until))
        return Response(picture, media_type="image/jpeg")

    async def poems(request: Request) -> Response:
        until, wanted = _until(request, deadline), PoemRequest.from_query(request.query_params)
        return JSONResponse(await asyncio.wrap_future(pools.poems.submit(wanted, deadline=until)))

    async def pictures(request: Request) -> Response:
        until = _until(request, deadline)
        poem = await bodies.read(request, _LARGEST_POEM, until=until)
        wanted = PictureRequest.from_query(request.query_params, poem)
        picture = await asyncio.wrap_future(pools.pictures.submit(wanted, deadline=until))
        return Response(picture, media_type="image/jpeg")

    return Starlette(
        routes=[
            Route("/captions", captions, methods=["POST"]),
            Route("/styles", restyled, methods=["POST"]),
            Route("/poems", poems, methods=["POST"]),
            Route("/pictures", pictures, methods=["POST"]),
            *_state(pools),
        ],
        exception_handlers={AuriaError: _failed, Exception: _failed},
        lifespan=partial(_closing, pools),
    )


def _state(pools: Pools) -> list[Route]:
    """The routes that say how the server is."""

    def ready(_: Request) -> Response:
        model = pools.captions.model
        return JSONResponse({"model": model}, 200 if model else 503)

    def metrics(_: Request) -> Response:
        text = "".join(pool.metrics() for pool in (pools.captions, pools.styles, pools.poems, pools.pictures))
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/healthz", lambda _: PlainTextResponse("alive\n")),
        Route("/readyz", ready),
        Route("/metrics", metrics),
    ]


@contextlib.asynccontextmanager
async def _closing(pools: Pools, _: Starlette) -> AsyncIterator[None]:
    """Close the pools when the server stops."""
    yield
    for pool in (pools.captions, pools.styles, pools.poems, pools.pictures):
        await asyncio.to_thread(pool.close)


def _failed(_: Request, error: Exception) -> Response:
    known = error if isinstance(error, AuriaError) else AuriaError("the model server failed")
    headers = {"Retry-After": str(known.seconds)} if isinstance(known, ModelServerBusy) else {}
    if known.http_status in {408, 413}:  # the rest of the body is not read
        headers["Connection"] = "close"
    body = {"kind": type(known).__name__.lstrip("_"), "message": redacted_error(known)}
    return JSONResponse(body, known.http_status, headers=headers)


def _until(request: Request, deadline: float) -> float:
    """When the answer must be there, on `time.monotonic`'s clock: after the usual time, or what the request says."""
    with contextlib.suppress(ValueError):
        wanted = float(request.headers.get("x-deadline", ""))
        if wanted > 0:  # not so for one that is no number
            deadline = min(wanted, _LARGEST_DEADLINE)
    return time.monotonic() + deadline


class _Bodies:
    """Reads requests' bodies: each in bounded time, and those that are arriving in bounded memory."""

    def __init__(self, *, deadline: float, most: int) -> None:
        """Allow a body `deadline` seconds, and all of those that are arriving `most` bytes."""
        self._deadline, self._most, self._held = deadline, most, 0

    async def read(self, request: Request, largest: int, *, until: float) -> bytes:
        """The body of a request, whose answer must be there by `until`, on `time.monotonic`'s clock.

        Raises:
            _TooLarge: it has more than `largest` bytes.
            _TooSlow: it does not arrive in time.
            ModelServerBusy: too much is arriving.
            InputError: there is none.
        """
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > largest:
            raise _TooLarge(f"the request's body has {int(declared):,} bytes; at most {largest:,} are read")
        seconds = max(0.0, min(self._deadline, until - time.monotonic()))
        content = bytearray()
        try:
            async with asyncio.timeout(seconds):
                async for part in request.stream():
                    content += part
                    self._held += len(part)
                    if len(content) > largest:
                        raise _TooLarge(f"the request's body has more than {largest:,} bytes, the most that are read")
                    if self._held > self._most:
                        raise ModelServerBusy("too many pictures arrive; come back in a moment")
        except TimeoutError:
            raise _TooSlow(f"the request's body did not arrive within {seconds:.3g} s") from None
        finally:
            self._held -= len(content)
        if not content:
            raise InputError("the request has no body; send a picture's file, or a poem")
        return bytes(content)


def serve(pools: Pools, address: str, *, largest: int, deadline: float) -> None:
    """Answer requests until SIGTERM or SIGINT; what was begun is finished.

    Args:
        pools: answer the requests.
        address: HOST:PORT, or "unix:" and the path of a socket.
        largest: bytes of a picture's file.
        deadline: seconds that a caption may take.

    Raises:
        SystemExit: the address cannot be used; uvicorn logs why.
    """
    kind, _, path = address.partition("unix:")
    place: dict[str, Any] = {"uds": path} if not kind and path else {}
    if not place:
        host, _, port = address.rpartition(":")
        place = {"host": host.strip("[]"), "port": int(port)}
    config = uvicorn.Config(
        create_app(pools, largest=largest, deadline=deadline),
        **place,
        http=partial(PatientProtocol, waiting={}),  # type: ignore[arg-type]  # uvicorn only calls it
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_AT_ONCE,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=int(max(_STOP, deadline)),
    )
    uvicorn.Server(config).run()
