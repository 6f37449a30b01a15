"""The shipped fakes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.mood import MOODS
from auria_bot.errors import NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised, UnknownName
from auria_bot.testing import FakeChannel, FakeClock, FakePainter, FakePoet, FakeSafetyFilter, FakeStylist
from tests.factories import NOW
from tests.platforms import MemorySecrets, ready

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.domain.post import Post


@pytest.fixture
def post() -> Post:
    """A post."""
    from auria_bot.domain.post import Post, PostState

    return Post(
        id=1,
        draft_id=1,
        channel="fake",
        state=PostState.SENDING,
        due=NOW,
        text="t",
        alt_text="a",
        picture="/p.jpg",
        picture_sha256="0" * 64,
        signature="s",
        key="k",
    )


def test_the_fake_poet_counts_its_syllables(tmp_path: Path) -> None:
    """Its lines are 5-7-5 by the program's own count, so other tests may rely on it."""
    from auria_bot.corpus.language.syllables import counts

    poet = FakePoet(FakePoet.Config(), models=tmp_path)
    for verse in poet.compose(seed=1, count=64):
        found = [set(counts_of_line(counts, line)) for line in verse.haiku.lines]
        assert all(want in have for want, have in zip((5, 7, 5), found, strict=True)), verse.haiku


def counts_of_line(counts: object, line: str) -> set[int]:
    """Every number of syllables a line can be read with."""
    totals = {0}
    for word in line.split():
        totals = {total + count for total in totals for count in counts(word)}  # type: ignore[operator]
    return totals


def test_the_fake_poet_avoids_recent_poems(tmp_path: Path) -> None:
    """Twenty poems one after another are twenty poems."""
    poet = FakePoet(FakePoet.Config(), models=tmp_path)
    recent: list[object] = []
    for _ in range(20):
        recent.append(poet.compose(seed=5, recent=tuple(recent))[0].haiku)  # type: ignore[arg-type]
    assert len(set(recent)) == 20


def test_the_fake_gate_sees_blank_broken_and_known_pictures(tmp_path: Path) -> None:
    """And lets others pass."""
    gate = FakeSafetyFilter(FakeSafetyFilter.Config(), models=tmp_path)
    painter = FakePainter(FakePainter.Config(), models=tmp_path)
    haiku = FakePoet(FakePoet.Config(), models=tmp_path).compose(seed=1)[0].haiku
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    good = painter.paint(haiku, seed=1, count=1, folder=tmp_path / "a")[0].path
    verdict = gate.judge(good)
    assert verdict.passed
    assert gate.judge(good, known=[verdict.fingerprint]).reason == "the picture is a near-duplicate"
    blank = FakePainter(FakePainter.Config(faults={"": "blank"}), models=tmp_path)
    assert (
        gate.judge(blank.paint(haiku, seed=1, count=1, folder=tmp_path / "b")[0].path).reason == "the picture is blank"
    )
    good.write_bytes(b"no")
    assert gate.judge(good).reason == "the picture is broken"


def test_the_fake_stylist_avoids_recent_styles(tmp_path: Path) -> None:
    """Until it has used them all; what is wanted is used."""
    stylist = FakeStylist(FakeStylist.Config(), models=tmp_path)
    haiku = FakePoet(FakePoet.Config(), models=tmp_path).compose(seed=1)[0].haiku
    recent: list[str] = []
    for _ in range(12):
        chosen = stylist.choose(mood=MOODS["still"], haiku=haiku, picture=tmp_path, seed=1, recent=tuple(recent))
        recent.insert(0, chosen.key)
    assert len(set(recent)) == 12
    with pytest.raises(UnknownName):
        stylist.choose(mood=MOODS["still"], haiku=haiku, picture=tmp_path, seed=1, wanted="x")


def test_a_fault_happens_where_its_needle_is_found(tmp_path: Path) -> None:
    """Elsewhere, and when it is repaired, all is well."""
    repaired = tmp_path / "repaired"
    poet = FakePoet(FakePoet.Config(faults={"77": "raise"}, repaired=str(repaired)), models=tmp_path)
    poet.compose(seed=5)
    with pytest.raises(RuntimeError, match="told to fail"):
        poet.compose(seed=77)
    repaired.touch()
    poet.compose(seed=77)


@pytest.mark.parametrize(
    ("outcome", "error", "published"),
    [
        ("refused", Rejected, False),
        ("throttled", Throttled, False),
        ("unauthorised", Unauthorised, False),
        ("lost", OutcomeUnknown, False),
        ("late", OutcomeUnknown, True),
        ("bug", RuntimeError, False),
    ],
)
def test_the_fake_channel_fails_as_planned(
    tmp_path: Path, post: Post, outcome: str, error: type[Exception], *, published: bool
) -> None:
    """Once, and what it did publish is found."""
    channel = FakeChannel(FakeChannel.Config(script=(outcome,)), home=tmp_path, secrets=MemorySecrets())
    with pytest.raises(error):
        channel.publish(post, ready)
    assert (channel.find(post) is not None) is published
    channel.publish(post, ready)
    assert channel.find(post) is not None


def test_a_blind_channel_cannot_say(tmp_path: Path, post: Post) -> None:
    """And a post that it does not have is not measured."""
    channel = FakeChannel(FakeChannel.Config(), home=tmp_path, secrets=MemorySecrets())
    receipt = channel.publish(post, ready)
    assert channel.measure(receipt).likes == len(receipt.id)
    channel.posts.clear()
    with pytest.raises(NotFound):
        channel.measure(receipt)
    channel.blind = True
    with pytest.raises(OutcomeUnknown):
        channel.find(post)
    assert channel.audience().followers == 100


def test_the_clock_stands_still() -> None:
    """Until it is told to go on."""
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    assert clock() == clock()
    clock.advance(hours=2)
    assert clock().hour == 2
