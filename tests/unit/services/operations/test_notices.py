"""The operator is notified once for each occasion, at every address, with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from auria_bot.domain.notice import Kind, Notice
from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.domain.post import PostState, Receipt
from auria_bot.errors import BackendMissing, DiskError, NotFound
from auria_bot.services.operations.maintenance import DiskSpace
from auria_bot.services.operations.monitoring import DeliveryResult
from auria_bot.services.operations.notices import Notices, Sources
from auria_bot.services.schedule.jobs import DraftInventory
from tests.factories import add_draft
from tests.publishing import keep_pictures

if TYPE_CHECKING:
    from auria_bot.bootstrap.application import Application
    from auria_bot.testing import FakeClock

_ENOUGH = DraftInventory(made=0, approved=9, per_day=1, ahead=3, low=2)
_SPACIOUS = DiskSpace(free=10**11, total=10**12, filling=False, full=False)


class _Notifier:
    """A notifier whose addresses can be away."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Notice]] = []
        self.away: set[str] = set()
        self.broken = False

    def send(self, notice: Notice, *, skip=()) -> DeliveryResult:
        if self.broken:
            raise BackendMissing("no Apprise")
        delivered, failed = set(skip), []
        for name in ("mail", "phone"):
            if name in delivered:
                continue
            if name in self.away:
                failed.append(name)
            else:
                self.sent.append((name, notice))
                delivered.add(name)
        return DeliveryResult(delivered=tuple(sorted(delivered)), failed=tuple(failed))

    def titles(self, name: str = "mail") -> list[str]:
        return [notice.title for who, notice in self.sent if who == name]


class _World:
    """What the sources say."""

    def __init__(self, application: Application) -> None:
        self.inventory, self.space = _ENOUGH, _SPACIOUS
        self.overdue: dict[str, str] = {}
        self.expiring: dict[str, str] = {}
        self.missed: dict[str, str] = {}
        self.application = application

    def notices(self, notifier: _Notifier, **more) -> Notices:
        sources = Sources(
            inventory=lambda: self.inventory,
            disk_space=self._disk_space,
            overdue=lambda: self.overdue,
            expiring=lambda: self.expiring,
            missed=lambda: self.missed,
            picture=self.application.pictures.path,
        )
        return Notices(
            store=self.application.store,
            notifier=notifier,
            clock=self.application.clock,
            zone=ZoneInfo("Pacific/Auckland"),
            sources=sources,
            **more,
        )

    def _disk_space(self) -> DiskSpace:
        if self.space is None:
            raise DiskError("the disk is gone")
        return self.space


@pytest.fixture
def notifier() -> _Notifier:
    """Who listens."""
    return _Notifier()


@pytest.fixture
def world(application: Application) -> _World:
    """All is well."""
    return _World(application)


def test_a_draft_is_told_once_with_its_picture(application: Application, world: _World, notifier: _Notifier):
    """A draft is notified once; a missing picture does not prevent the notification."""
    draft = application.studio.make(ArtworkRequest()).drafts[0]
    notices = world.notices(notifier)
    for _ in range(3):
        notices.update()
        notices.send()
    assert notifier.titles() == notifier.titles("phone") == [f"Draft {draft.id} waits for review"]
    notice = notifier.sent[0][1]
    assert notice.picture == str(application.pictures.path(draft.folder, draft.artwork.files["post"].name))
    assert draft.artwork.haiku.lines[0] in notice.body
    assert "auria review" in notice.body
    with application.store.begin() as unit:
        other = add_draft(unit, 77)
    assert notices.update() == 1
    notices.send()
    assert notifier.titles()[1:] == [f"Draft {other.id} waits for review"]
    assert notifier.sent[-1][1].picture == ""


def test_many_drafts_are_told_together(application: Application, world: _World, notifier: _Notifier):
    """A batch makes one notice, not a hundred."""
    with application.store.begin() as unit:
        for number in range(1, 8):
            add_draft(unit, number)
    notices = world.notices(notifier)
    assert notices.update() == 1
    assert notices.send() == 1
    assert notifier.titles() == ["7 drafts wait for review"]
    assert notices.update() == 0


def test_an_occasion_that_comes_again_is_said_again(world: _World, notifier: _Notifier):
    """Between, it is not; what cannot be seen neither begins nor ends."""
    notices = world.notices(notifier)
    full = DiskSpace(free=10**6, total=10**12, filling=True, full=True)
    for space, sent in ((_SPACIOUS, 0), (full, 1), (full, 1), (None, 1), (full, 1), (_SPACIOUS, 1), (full, 2)):
        world.space = space
        notices.update()
        notices.send()
        assert len(notifier.titles()) == sent
    assert "Work fails" in notifier.sent[0][1].body


def test_a_dismissed_notice_returns_with_its_occasion(application: Application, world: _World, notifier: _Notifier):
    """It is neither listed nor sent again while the occasion lasts, not even by a delivery that was under way."""
    notices = world.notices(notifier)
    world.overdue = {"make": "late"}
    notifier.away = {"phone"}
    notices.update()
    (listed,) = notices.open()

    class Slow(_Notifier):
        def send(self, notice: Notice, *, skip=()) -> DeliveryResult:
            notices.dismiss(listed.id)
            return DeliveryResult(delivered=(), failed=("mail",))

    world.notices(Slow()).send()
    assert (notices.update(), notices.open(), notices.has_due()) == (0, (), False)
    with pytest.raises(NotFound, match="perhaps its occasion is over"):
        notices.dismiss(listed.id)
    with application.store.read() as unit:
        assert (unit.journal.list()[0].action, unit.journal.list()[0].details) == (
            "dismiss notice",
            listed.notice.title,
        )
    for reasons in ({}, {"make": "late"}):
        world.overdue = reasons
        notices.update()
    assert [one.notice.subject for one in notices.open()] == ["make"]


def test_every_kind_says_what_to_do(application: Application, world: _World, notifier: _Notifier):
    """A post that needs the operator, a paused channel, stock, a token, a job, the disk."""
    with application.store.begin() as unit:
        draft = add_draft(unit, 1)
    application.review.reject(draft.id)
    with application.store.begin() as unit:
        draft = add_draft(unit, 2)
    keep_pictures(application, "run-2")
    application.review.approve([draft.id], channels=["fake"])
    with application.store.begin() as unit:
        post = unit.posts.add(unit.drafts.get(draft.id), "fake", due=application.clock(), picture="p.jpg", key="k")
        unit.channels.pause("fake", reason="the token is refused", by="auria", at=application.clock())
        unit.channels.pause("folder", reason="a holiday", by="operator", at=application.clock())
    _move(application, post.id, PostState.NEEDS_ATTENTION)
    world.inventory = DraftInventory(made=4, approved=1, per_day=1, ahead=3, low=2)
    world.space = DiskSpace(free=10**9, total=10**12, filling=True, full=False)
    world.overdue = {"make": "it was due at 04:00"}
    world.expiring = {"instagram": "2026-12-01"}
    notices = world.notices(notifier)
    assert notices.update() == 6
    assert notices.send() == 6
    words = {notice.kind: f"{notice.title} {notice.body}" for who, notice in notifier.sent if who == "mail"}
    asked = {
        Kind.NEEDS_ATTENTION: "auria posts show",
        Kind.CHANNEL_PAUSED: "auria channels resume fake",
        Kind.STOCK_LOW: "auria review",
        Kind.TOKEN_EXPIRING: "auria channels add instagram",
        Kind.JOB_OVERDUE: "auria schedule",
        Kind.DISK_FILLING: "auria tidy",
    }
    assert {kind: command in words[kind] for kind, command in asked.items()} == dict.fromkeys(asked, True)
    muted = world.notices(notifier, muted=[Kind.STOCK_LOW, Kind.DRAFT_WAITING, Kind.DIGEST])
    world.inventory = _ENOUGH
    muted.update()
    world.inventory = DraftInventory(made=0, approved=0, per_day=1, ahead=3, low=2)
    with application.store.begin() as unit:
        add_draft(unit, 3)
    assert muted.update() == 0
    assert muted.add_digest() is False


def _move(application: Application, post_id: int, state: PostState, receipt: Receipt | None = None) -> None:
    """Put a post into a state, as the publisher's rounds would in the end."""
    from sqlalchemy import update

    from auria_bot.store.schema import posts

    changes = {"state": str(state), "words": "the connection broke"}
    if receipt is not None:
        changes |= {"receipt_id": receipt.id, "receipt_url": receipt.url, "receipt_at": receipt.at}
    with application.store._engine.begin() as connection:
        connection.execute(update(posts).where(posts.c.id == post_id).values(**changes))


def test_who_was_away_is_told_later(application: Application, world: _World, notifier: _Notifier, clock: FakeClock):
    """And who was told is not told twice; the waits grow."""
    with application.store.begin() as unit:
        add_draft(unit, 1)
    notices = world.notices(notifier)
    notifier.away = {"phone"}
    assert not notices.has_due()
    notices.update()
    assert notices.has_due()
    assert notices.send() == 0
    assert not notices.has_due()
    assert notices.send() == 0  # not before its time
    clock.advance(seconds=61)
    notifier.broken = True
    assert notices.send() == 0
    notifier.broken, notifier.away = False, set()
    clock.advance(minutes=4)
    assert notices.send() == 0
    clock.advance(minutes=1, seconds=1)
    assert notices.send() == 1
    assert (notifier.titles(), notifier.titles("phone")) == (["Draft 1 waits for review"], ["Draft 1 waits for review"])
    clock.advance(days=1)
    assert notices.send() == 0


def test_the_digest_comes_once_a_local_day(
    application: Application, world: _World, notifier: _Notifier, clock: FakeClock
):
    """With what went out, what waits and what is wrong; past ones are forgotten in time."""
    with application.store.begin() as unit:
        draft = add_draft(unit, 1)
    keep_pictures(application, "run-1")
    application.review.approve([draft.id], channels=["fake", "folder"])
    with application.store.begin() as unit:
        signed = unit.drafts.get(draft.id)
        first, second = (
            unit.posts.add(signed, name, due=clock(), picture="p.jpg", key=name) for name in ("fake", "folder")
        )
        unit.channels.pause("fake", reason="a holiday", by="operator", at=clock())
    _move(application, first.id, PostState.SENT, Receipt(id="1", url="https://fake.example/1", at=clock()))
    _move(application, second.id, PostState.NEEDS_ATTENTION)
    notices = world.notices(notifier)
    assert notices.add_digest()
    assert not notices.add_digest()
    notices.send()
    words = notifier.sent[0][1].body
    assert notifier.titles() == ["Auria on 2026-11-21"]
    for part in (
        "Published: 1",
        "https://fake.example/1",
        f"Post {second.id} on folder needs attention",
        "fake is paused: a holiday",
    ):
        assert part in words
    clock.advance(hours=3)  # midnight in Auckland
    assert notices.add_digest()
    clock.advance(days=70)
    assert notices.add_digest()
    with application.store.read() as unit:
        assert len(unit.notices.subjects(Kind.DIGEST)) == 1


def test_a_missed_time_that_is_asked_about_is_told(world: _World, notifier: _Notifier):
    """With the two answers; once, until the operator has decided."""
    notices = world.notices(notifier)
    world.missed = {"publish x": "2026-11-21T04:00"}
    for _ in range(2):
        notices.update()
        notices.send()
    assert notifier.titles() == ["The job 'publish x' was missed"]
    assert notifier.sent[0][1].body.endswith("auria schedule --run 'publish x', or --skip 'publish x'")
    world.missed = {}
    assert notices.update() == 0


@pytest.mark.parametrize(("made", "way"), [(0, "to make some now: auria make"), (3, "Approve some: auria review")])
def test_few_drafts_are_told_with_what_helps(world: _World, notifier: _Notifier, made: int, way: str):
    """Approve some, or where there are none make some."""
    world.inventory = DraftInventory(made=made, approved=0, per_day=1, ahead=3, low=2)
    notices = world.notices(notifier)
    notices.update()
    notices.send()
    assert notifier.sent[0][1].body.endswith(way)


def test_a_disk_at_the_edge_is_told_once(world: _World, notifier: _Notifier):
    """However often it crosses it; when there was room again it is another occasion."""
    notices = world.notices(notifier)
    filling, tight = (DiskSpace(free=1, total=9, filling=one, tight=not one, full=False) for one in (True, False))
    for space in (tight, filling, tight, filling, _SPACIOUS, tight, filling):
        world.space = space
        notices.update()
        notices.send()
    assert notifier.titles() == ["The disk is filling up"] * 2
