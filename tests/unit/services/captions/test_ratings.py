"""Ratings of captions: receipts, checks, kept pictures."""

from __future__ import annotations

import base64
import hashlib
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.errors import InputError, InvalidTransition, NotFound, TextRejected
from auria_bot.services.captions import ratings as module
from auria_bot.services.captions.ratings import CaptionRatings, GivenRating, Receipts, checked_correction
from auria_bot.testing import FakeClock
from tests.applications import fake_application
from tests.overtaken import OvertakenLock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application

COPY = b"\xff\xd8 a small copy"
PICTURE = base64.b64encode(COPY).decode()
ANSWER: dict[str, Any] = {
    "model": {"name": "captioner", "version": "v2", "sha256": "ab" * 32},
    "captions": [{"text": "A dog runs."}, {"text": "A cat sits."}],
    "picture": PICTURE,
}


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """An application of fakes."""
    with closing(fake_application(tmp_path / "home")) as made:
        yield made


@pytest.fixture
def ratings(application: Application) -> CaptionRatings:
    """None yet."""
    return application.caption_ratings


@pytest.fixture
def receipt(ratings: CaptionRatings) -> str:
    """That of an answer with a copy of its picture."""
    return ratings.receipts.sign(ANSWER)


def test_a_rating_is_kept_with_what_was_rated(ratings: CaptionRatings, receipt: str, application: Application) -> None:
    """Caption and model are the receipt's; the picture is kept only where it is handed in."""
    kept = ratings.rate(GivenRating(receipt=receipt, choice=1, stars=2, correction="a  dog\nruns"), source="page")
    assert (kept.caption, kept.model_version, kept.stars, kept.correction) == ("A cat sits.", "v2", 2, "a dog runs")
    assert (kept.picture, kept.picture_sha256) == ("", hashlib.sha256(COPY).hexdigest())
    assert not (application.settings.home / "ratings").exists()
    other = ratings.rate(GivenRating(receipt=receipt, stars=5, picture=PICTURE), source="page")
    assert (application.settings.home / other.picture).read_bytes() == COPY
    assert [one.id for one in ratings.recent()] == [other.id, kept.id]
    assert ratings.recent(limit=1) == (other,)


def test_a_second_rating_of_the_same_replaces_the_first(ratings: CaptionRatings, receipt: str) -> None:
    """By the same source; another's stays beside it."""
    for stars, source in ((1, "page"), (4, "page"), (2, "key")):
        ratings.rate(GivenRating(receipt=receipt, stars=stars), source=source)
    assert [one.stars for one in ratings.recent()] == [2, 4]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "one to five stars"),
        ({"stars": 6}, "6 stars"),
        ({"stars": 0}, "0 stars"),
        ({"stars": 3, "choice": 2}, "no caption 2"),
        ({"stars": 3, "choice": -1}, "no caption -1"),
        ({"stars": 3, "picture": base64.b64encode(b"another").decode()}, "not the copy"),
        ({"stars": 3, "picture": "a picture"}, "not Base64"),
        ({"stars": 3, "picture": "A" * 800_000}, "larger than"),
    ],
)
def test_what_cannot_be_rated_is_told(
    ratings: CaptionRatings, receipt: str, given: dict[str, Any], message: str
) -> None:
    """Nothing is kept of it."""
    with pytest.raises(InputError, match=message):
        ratings.rate(GivenRating(receipt=receipt, **given), source="page")
    assert ratings.recent() == ()


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1] + "x", lambda text: "e30" + text, lambda _: "", lambda _: "ä.b"]
)
def test_forged_receipts_are_refused(ratings: CaptionRatings, receipt: str, change: Any) -> None:
    """Any change shows."""
    with pytest.raises(InputError, match="not one that was given"):
        ratings.rate(GivenRating(receipt=change(receipt), stars=3), source="page")


def test_receipts_age_and_outlive_the_process(tmp_path: Path) -> None:
    """The key lies in a file of mode 0600; after two hours a receipt is too old; without a copy no picture belongs to it."""
    clock = FakeClock()
    receipt = Receipts(tmp_path / "secrets" / "key", clock=clock).sign({**ANSWER, "picture": ""})
    assert (tmp_path / "secrets" / "key").stat().st_mode & 0o777 == 0o600
    again = Receipts(tmp_path / "secrets" / "key", clock=clock)
    assert again.read(receipt)["captions"] == ["A dog runs.", "A cat sits."]
    later = clock() + timedelta(hours=3)
    with pytest.raises(InputError, match="too long ago"):
        Receipts(tmp_path / "secrets" / "key", clock=lambda: later).read(receipt)
    without = {name: value for name, value in ANSWER.items() if name != "picture"}
    assert again.read(again.sign(without))["picture"] == ""


def test_an_empty_key_is_replaced(tmp_path: Path) -> None:
    """A file that was left empty, as by a full disk, does not sign receipts with an empty key."""
    (tmp_path / "key").touch()
    Receipts(tmp_path / "key", clock=FakeClock()).sign(ANSWER)
    assert len((tmp_path / "key").read_bytes()) == 64


def test_two_processes_make_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second signs with the first one's, so that each reads the other's receipts."""
    first, second = (Receipts(tmp_path / "key", clock=FakeClock()) for _ in range(2))
    given: list[str] = []
    monkeypatch.setattr(module, "file_lock", OvertakenLock(lambda: given.append(first.sign(ANSWER))))
    receipt = second.sign(ANSWER)
    assert second.read(given[0])["captions"] == first.read(receipt)["captions"] == ["A dog runs.", "A cat sits."]


def test_ratings_are_bounded(application: Application, receipt: str) -> None:
    """With as many as the settings allow, no more are taken."""
    ratings = application.caption_ratings
    full = CaptionRatings(
        store=application.store,
        home=application.settings.home,
        receipts=ratings.receipts,
        clock=application.clock,
        most=1,
    )
    full.rate(GivenRating(receipt=receipt, stars=3), source="page")
    with pytest.raises(InvalidTransition, match="most_ratings"):
        full.rate(GivenRating(receipt=receipt, choice=1, stars=3, picture=PICTURE), source="page")
    assert not (application.settings.home / "ratings").exists()


def test_a_picture_is_deleted_when_its_rating_is_replaced_without_it(
    ratings: CaptionRatings, receipt: str, application: Application
) -> None:
    """It stays as long as another rating keeps it."""
    kept = ratings.rate(GivenRating(receipt=receipt, stars=3, picture=PICTURE), source="page")
    other = ratings.rate(GivenRating(receipt=receipt, stars=3, picture=PICTURE), source="key")
    path = application.settings.home / kept.picture
    ratings.rate(GivenRating(receipt=receipt, stars=2), source="page")
    assert path.exists()
    ratings.rate(GivenRating(receipt=receipt, stars=2), source="key")
    assert other.picture == kept.picture
    assert not path.exists()


def test_a_removed_rating_takes_its_picture_along(
    ratings: CaptionRatings, receipt: str, application: Application
) -> None:
    """Unless another rating keeps it."""
    first = ratings.rate(GivenRating(receipt=receipt, stars=3, picture=PICTURE), source="page")
    second = ratings.rate(GivenRating(receipt=receipt, choice=1, stars=3, picture=PICTURE), source="page")
    path = application.settings.home / first.picture
    assert ratings.remove(first.id) == first
    assert path.exists()
    ratings.remove(second.id)
    assert not path.exists()
    without = ratings.rate(GivenRating(receipt=receipt, stars=3), source="page")
    assert ratings.remove(without.id) == without
    assert ratings.recent() == ()
    with pytest.raises(NotFound):
        ratings.remove(second.id)


@pytest.mark.parametrize(
    "text", ["see https://spam.example", "call me @someone", "x" * 201, "!!!", "a\u202edog", "write to a@b.example"]
)
def test_corrections_are_checked(text: str) -> None:
    """Links, addresses, mentions, invisible characters and endless texts are not kept."""
    with pytest.raises(TextRejected):
        checked_correction(text)


def test_a_plain_correction_is_kept_as_one_line() -> None:
    """Blanks are single; nothing is no correction."""
    assert checked_correction("  two dogs\r\n on a\tbeach ") == "two dogs on a beach"
    assert checked_correction(" \n") == ""
