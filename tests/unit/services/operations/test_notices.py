"""The operator is told once an occasion, at every address, with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from auria_bot.domain.notice import Kind, Notice
from auria_bot.domain.post import PostState, Receipt
from auria_bot.domain.request import ArtworkRequest
from auria_bot.errors import BackendMissing, DiskError
from auria_bot.services.operations.maintenance import DiskSpace
from auria_bot.services.operations.notices import Notices, Sources
from auria_bot.services.operations.notifier import DeliveryResult
from auria_bot.services.schedule.jobs import DraftInventory
from tests.factories import add_draft

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeClock

_FULL_STOCK = DraftInventory(made=0, approved=9, per_day=1, ahead=3, low=2)
_MUCH_ROOM = DiskSpace(free=10**11, total=10**12, filling=False, full=False)


class _Ears:
    """A herald whose listeners can be away."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Notice]] = []
        self.away: set[str] = set()
        self.broken = False

    def say(self, notice: Notice, *, but=()) -> DeliveryResult:
        if self.broken:
            raise BackendMissing("no Apprise")
        told, failed = set(but), []
        for name in ("mail", "phone"):
            if name in told:
                continue
            if name in self.away:
                failed.append(name)
            else:
                self.heard.append((name, notice))
                told.add(name)
        return DeliveryResult(told=tuple(sorted(told)), failed=tuple(failed))

    def titles(self, name: str = "mail") -> list[str]:
        return [notice.title for who, notice in self.heard if who == name]


class _World:
    """What the sources say."""

    def __init__(self, house: Application) -> None:
        self.stock, self.room = _FULL_STOCK, _MUCH_ROOM
        self.overdue: dict[str, str] = {}
        self.expiring: dict[str, str] = {}
        self.missed: dict[str, str] = {}
        self.house = house

    def notices(self, ears: _Ears, **more) -> Notices:
        sources = Sources(
            stock=lambda: self.stock,
            room=self._look,
            overdue=lambda: self.overdue,
            expiring=lambda: self.expiring,
            missed=lambda: self.missed,
            picture=self.house.pictures.path,
        )
        return Notices(
            store=self.house.store,
            herald=ears,
            clock=self.house.clock,
            zone=ZoneInfo("Pacific/Auckland"),
            sources=sources,
            **more,
        )

    def _look(self) -> DiskSpace:
        if self.room is None:
            raise DiskError("the disk is gone")
        return self.room


@pytest.fixture
def ears() -> _Ears:
    """Who listens."""
    return _Ears()


@pytest.fixture
def world(house: Application) -> _World:
    """All is well."""
    return _World(house)


def test_a_draft_is_told_once_with_its_picture(house: Application, world: _World, ears: _Ears):
    """Looking and saying again adds nothing; a picture that is missing keeps nobody from being told."""
    draft = house.studio.make(ArtworkRequest()).drafts[0]
    notices = world.notices(ears)
    for _ in range(3):
        notices.look()
        notices.say()
    assert ears.titles() == ears.titles("phone") == [f"Draft {draft.id} waits"]
    notice = ears.heard[0][1]
    assert notice.picture == str(house.pictures.path(draft.folder, draft.artwork.files["post"].name))
    assert draft.artwork.haiku.lines[0] in notice.body
    assert "auria review" in notice.body
    with house.store.begin() as unit:
        other = add_draft(unit, 77)
    assert notices.look() == 1
    notices.say()
    assert ears.titles()[1:] == [f"Draft {other.id} waits"]
    assert ears.heard[-1][1].picture == ""


def test_many_drafts_are_told_together(house: Application, world: _World, ears: _Ears):
    """A batch makes one notice, not a hundred."""
    with house.store.begin() as unit:
        for number in range(1, 8):
            add_draft(unit, number)
    notices = world.notices(ears)
    assert notices.look() == 1
    assert notices.say() == 1
    assert ears.titles() == ["7 drafts wait"]
    assert notices.look() == 0


def test_an_occasion_that_comes_again_is_said_again(world: _World, ears: _Ears):
    """Between, it is not; what cannot be seen neither begins nor ends."""
    notices = world.notices(ears)
    full = DiskSpace(free=10**6, total=10**12, filling=True, full=True)
    for room, said in ((_MUCH_ROOM, 0), (full, 1), (full, 1), (None, 1), (full, 1), (_MUCH_ROOM, 1), (full, 2)):
        world.room = room
        notices.look()
        notices.say()
        assert len(ears.titles()) == said
    assert "Work fails" in ears.heard[0][1].body


def test_every_kind_says_what_to_do(house: Application, world: _World, ears: _Ears):
    """A post that needs the operator, a paused channel, stock, a token, a job, the disk."""
    with house.store.begin() as unit:
        draft = add_draft(unit, 1)
    house.review.reject(draft.id)
    with house.store.begin() as unit:
        draft = add_draft(unit, 2)
    house.review.approve([draft.id], channels=["fake"])
    with house.store.begin() as unit:
        post = unit.posts.add(unit.drafts.get(draft.id), "fake", due=house.clock(), picture="p.jpg", key="k")
        unit.channels.pause("fake", reason="the token is refused", by="auria", at=house.clock())
        unit.channels.pause("folder", reason="a holiday", by="operator", at=house.clock())
    _move(house, post.id, PostState.NEEDS_ATTENTION)
    world.stock = DraftInventory(made=4, approved=1, per_day=1, ahead=3, low=2)
    world.room = DiskSpace(free=10**9, total=10**12, filling=True, full=False)
    world.overdue = {"make": "it was due at 04:00"}
    world.expiring = {"instagram": "2026-12-01"}
    notices = world.notices(ears)
    assert notices.look() == 6
    assert notices.say() == 6
    words = {notice.kind: f"{notice.title} {notice.body}" for who, notice in ears.heard if who == "mail"}
    asked = {
        Kind.NEEDS_ATTENTION: "auria posts show",
        Kind.CHANNEL_PAUSED: "auria channels resume fake",
        Kind.STOCK_LOW: "auria review",
        Kind.TOKEN_EXPIRING: "auria channels add instagram",
        Kind.JOB_OVERDUE: "auria schedule",
        Kind.DISK_FILLING: "auria tidy",
    }
    assert {kind: command in words[kind] for kind, command in asked.items()} == dict.fromkeys(asked, True)
    quiet = world.notices(ears, quiet=[Kind.STOCK_LOW, Kind.DRAFT_WAITING, Kind.DIGEST])
    world.stock = _FULL_STOCK
    quiet.look()
    world.stock = DraftInventory(made=0, approved=0, per_day=1, ahead=3, low=2)
    with house.store.begin() as unit:
        add_draft(unit, 3)
    assert quiet.look() == 0
    assert quiet.digest() is False


def _move(house: Application, post_id: int, state: PostState, receipt: Receipt | None = None) -> None:
    """Put a post into a state, as the publisher's rounds would in the end."""
    from sqlalchemy import update

    from auria_bot.store.schema import posts

    changes = {"state": str(state), "words": "the connection broke"}
    if receipt is not None:
        changes |= {"receipt_id": receipt.id, "receipt_url": receipt.url, "receipt_at": receipt.at}
    with house.store._engine.begin() as connection:
        connection.execute(update(posts).where(posts.c.id == post_id).values(**changes))


def test_who_was_away_is_told_later(house: Application, world: _World, ears: _Ears, clock: FakeClock):
    """And who was told is not told twice; the waits grow."""
    with house.store.begin() as unit:
        add_draft(unit, 1)
    notices = world.notices(ears)
    ears.away = {"phone"}
    assert not notices.waiting()
    notices.look()
    assert notices.waiting()
    assert notices.say() == 0
    assert not notices.waiting()
    assert notices.say() == 0  # not before its time
    clock.advance(seconds=61)
    ears.broken = True
    assert notices.say() == 0
    ears.broken, ears.away = False, set()
    clock.advance(minutes=4)
    assert notices.say() == 0
    clock.advance(minutes=1, seconds=1)
    assert notices.say() == 1
    assert (ears.titles(), ears.titles("phone")) == (["Draft 1 waits"], ["Draft 1 waits"])
    clock.advance(days=1)
    assert notices.say() == 0


def test_the_digest_comes_once_a_local_day(house: Application, world: _World, ears: _Ears, clock: FakeClock):
    """With what went out, what waits and what is wrong; past ones are forgotten in time."""
    with house.store.begin() as unit:
        draft = add_draft(unit, 1)
    house.review.approve([draft.id], channels=["fake", "folder"])
    with house.store.begin() as unit:
        signed = unit.drafts.get(draft.id)
        first, second = (
            unit.posts.add(signed, name, due=clock(), picture="p.jpg", key=name) for name in ("fake", "folder")
        )
        unit.channels.pause("fake", reason="a holiday", by="operator", at=clock())
    _move(house, first.id, PostState.SENT, Receipt(id="1", url="https://fake.example/1", at=clock()))
    _move(house, second.id, PostState.NEEDS_ATTENTION)
    notices = world.notices(ears)
    assert notices.digest()
    assert not notices.digest()
    notices.say()
    words = ears.heard[0][1].body
    assert ears.titles() == ["Auria on 2026-11-21"]
    for part in (
        "Posted: 1",
        "https://fake.example/1",
        f"Post {second.id} on folder needs you",
        "fake is paused: a holiday",
    ):
        assert part in words
    clock.advance(hours=3)  # midnight in Auckland
    assert notices.digest()
    clock.advance(days=70)
    assert notices.digest()
    with house.store.read() as unit:
        assert len(unit.notices.subjects(Kind.DIGEST)) == 1


def test_a_missed_time_that_is_asked_about_is_told(world: _World, ears: _Ears):
    """With the two answers; once, until the operator has decided."""
    notices = world.notices(ears)
    world.missed = {"publish x": "2026-11-21T04:00"}
    for _ in range(2):
        notices.look()
        notices.say()
    assert ears.titles() == ["The job 'publish x' was missed"]
    assert ears.heard[0][1].body.endswith("auria schedule --run 'publish x', or --skip 'publish x'")
    world.missed = {}
    assert notices.look() == 0


@pytest.mark.parametrize(("made", "way"), [(0, "now: auria make"), (3, "Approve some: auria review")])
def test_few_drafts_are_told_with_what_helps(world: _World, ears: _Ears, made: int, way: str):
    """Approve some, or where there are none make some."""
    world.stock = DraftInventory(made=made, approved=0, per_day=1, ahead=3, low=2)
    notices = world.notices(ears)
    notices.look()
    notices.say()
    assert ears.heard[0][1].body.endswith(way)


def test_a_disk_at_the_edge_is_told_once(world: _World, ears: _Ears):
    """However often it crosses it; when there was room again it is another occasion."""
    notices = world.notices(ears)
    filling, tight = (DiskSpace(free=1, total=9, filling=one, tight=not one, full=False) for one in (True, False))
    for room in (tight, filling, tight, filling, _MUCH_ROOM, tight, filling):
        world.room = room
        notices.look()
        notices.say()
    assert ears.titles() == ["The disk fills"] * 2
