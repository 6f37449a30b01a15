"""What is asked of the studio."""

from __future__ import annotations

import pytest

from auria_bot.domain.request import MAX_COUNT, SEEDS, ArtworkRequest
from auria_bot.errors import InputError, TextRejected, UnknownName


def test_a_request_is_brought_into_its_normal_form() -> None:
    """Surrounding blanks and the case of a mood do not matter."""
    request = ArtworkRequest(theme="  ", mood=" Stormy ", style="", mode="photorealistic").validated()
    assert request == ArtworkRequest(mood="stormy", mode="photorealistic")
    assert ArtworkRequest().validated() == ArtworkRequest()
    assert ArtworkRequest(mood="READ").validated().mood == "read"
    assert ArtworkRequest(count=MAX_COUNT, seed=SEEDS - 1).validated().count == MAX_COUNT


@pytest.mark.parametrize(
    ("request_", "error", "message"),
    [
        (ArtworkRequest(mood="hangry"), UnknownName, "known"),
        (ArtworkRequest(mode="cubist"), InputError, "known: painterly, photorealistic"),
        (ArtworkRequest(count=0), InputError, "1 to 1000"),
        (ArtworkRequest(count=1001), InputError, "1 to 1000"),
        (ArtworkRequest(seed=-1), InputError, "out of range"),
        (ArtworkRequest(seed=SEEDS), InputError, "out of range"),
        (ArtworkRequest(theme="x" * 201), InputError, "the theme has 201 characters"),
        (ArtworkRequest(theme="snow\u202e"), TextRejected, "invisible character U\\+202E"),
        (ArtworkRequest(style="mo\x00net"), TextRejected, "the style contains"),
        (ArtworkRequest(season="\u200b"), TextRejected, "the season contains"),
    ],
)
def test_an_impossible_request_is_refused(request_: ArtworkRequest, error: type[Exception], message: str) -> None:
    """The message names the wrong value and what is allowed."""
    with pytest.raises(error, match=message):
        request_.validated()
