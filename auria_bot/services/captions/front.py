"""What stands between strangers and the model server: few questions at once, and a receipt with every answer."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

from auria_bot.errors import ModelServerBusy, PictureError

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.domain.model_requests import StyleRequest
    from auria_bot.services.captions.client import CaptionClient
    from auria_bot.services.captions.ratings import Receipts

__all__ = ["CaptionFront"]

_SIGNATURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"II*\0", b"MM\0*", b"BM", b"GIF8")
_AT_ONCE: Final = 4  # of the web process's threads that may wait for the model server; others serve pages meanwhile
Answer = TypeVar("Answer")


class CaptionFront:
    """Captions for the page and for programs, and restyled pictures. Safe for use by several threads."""

    def __init__(self, *, client: CaptionClient, receipts: Receipts, at_once: int = _AT_ONCE) -> None:
        """Ask at most `at_once` questions at once, so that other pages do not wait for captions."""
        self._client, self._receipts, self._turns = client, receipts, threading.BoundedSemaphore(at_once)

    def caption(self, content: bytes, *, drawn: bool) -> dict[str, Any]:
        """The model server's answer about a picture file, with a receipt by which it can be rated.

        Args:
            drawn: with a small copy of the picture and a veil for each word.

        Raises:
            PictureError: the picture cannot be used.
            ModelServerBusy: there is too much to do.
            ModelServerAway: the model server does not answer.
        """
        answer = self._asked(content, lambda: self._client.caption(content, drawn=drawn))
        return answer | {"receipt": self._receipts.sign(answer)}

    def restyle(self, content: bytes, wanted: StyleRequest) -> bytes:
        """A picture file restyled by the model server, as JPEG.

        Raises:
            UnknownName: there is no such style.
            PictureError, ModelServerBusy, ModelServerAway: as `caption`.
        """
        return self._asked(content, lambda: self._client.restyle(content, wanted))

    def _asked(self, content: bytes, ask: Callable[[], Answer]) -> Answer:
        """What a question about a picture file is answered, in a turn of its own."""
        if not content.startswith(_SIGNATURES):
            raise PictureError("the file is not a picture in a known format (PNG, JPEG, WebP, TIFF, BMP, GIF)")
        if not self._turns.acquire(blocking=False):
            raise ModelServerBusy("too many pictures are being looked at; come back in a moment", seconds=3)
        try:
            return ask()
        finally:
            self._turns.release()
