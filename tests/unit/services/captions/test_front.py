"""What stands between strangers and the model server."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

import pytest

from auria_bot.domain.model_requests import StyleRequest
from auria_bot.errors import ModelServerBusy, PictureError
from auria_bot.services.captions.front import CaptionFront
from auria_bot.services.captions.ratings import Receipts
from auria_bot.testing import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.services.captions.client import CaptionClient

PNG = b"\x89PNG\r\n\x1a\n and so on"
ANSWER: dict[str, Any] = {"model": {"version": "v1", "sha256": "ab"}, "captions": [{"text": "A dog."}]}


class Client:
    """Answers when the gate is open."""

    def __init__(self) -> None:
        self.gate, self.entered = threading.Event(), threading.Event()

    def caption(self, _: bytes, *, drawn: bool) -> dict[str, Any]:
        self.entered.set()
        self.gate.wait(30)
        return ANSWER | {"drawn": drawn}

    def restyle(self, _: bytes, request: StyleRequest) -> bytes:
        return request.style.encode()


def test_an_answer_comes_with_a_receipt(tmp_path: Path) -> None:
    """By which the captions can be rated."""
    client, receipts = Client(), Receipts(tmp_path / "key", clock=FakeClock())
    client.gate.set()
    answer = CaptionFront(client=cast("CaptionClient", client), receipts=receipts).caption(PNG, drawn=True)
    assert answer["drawn"]
    assert receipts.read(answer["receipt"])["captions"] == ["A dog."]


def test_what_does_not_begin_like_a_picture_is_not_sent_on(tmp_path: Path) -> None:
    """The model server is not asked."""
    client = Client()
    made = CaptionFront(client=cast("CaptionClient", client), receipts=Receipts(tmp_path / "key", clock=FakeClock()))
    for content in (b"", b"<svg>", b"%PDF"):
        with pytest.raises(PictureError):
            made.caption(content, drawn=False)
    assert not client.entered.is_set()


def test_few_wait_at_once(tmp_path: Path) -> None:
    """Whoever finds all turns taken is told to come back, so that other pages have threads."""
    client = Client()
    receipts = Receipts(tmp_path / "key", clock=FakeClock())
    made = CaptionFront(client=cast("CaptionClient", client), receipts=receipts, at_once=1)
    first = threading.Thread(target=made.caption, args=(PNG,), kwargs={"drawn": False})
    first.start()
    client.entered.wait(30)
    with pytest.raises(ModelServerBusy):
        made.caption(PNG, drawn=False)
    client.gate.set()
    first.join()
    assert made.caption(PNG, drawn=False)["captions"]


def test_pictures_are_restyled_in_the_same_turns(tmp_path: Path) -> None:
    """A file that is no picture is not sent on."""
    receipts = Receipts(tmp_path / "key", clock=FakeClock())
    made = CaptionFront(client=cast("CaptionClient", Client()), receipts=receipts, at_once=1)
    assert made.restyle(PNG, StyleRequest(style="monet")) == b"monet"
    with pytest.raises(PictureError):
        made.restyle(b"text", StyleRequest(style="monet"))
