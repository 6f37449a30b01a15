"""Two machines with one database and one bucket work as one with a disk does."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.bootstrap.application import Application, build
from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.domain.post import PostState
from auria_bot.errors import InvalidTransition, NotFound, StorageAway
from auria_bot.services.studio.shared_runs import HeldRun
from auria_bot.settings.sections import DatabaseSettings
from auria_bot.settings.storage import StorageSettings
from auria_bot.testing import FakeClock
from tests.applications import fake_application, fake_settings
from tests.platforms.picture_storage import StorageStandIn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.domain.draft import Draft
    from auria_bot.services.studio.plan import ArtworkState
    from auria_bot.services.studio.run_store import RunEvent
    from auria_bot.store.files import Pictures

pytest.importorskip("obstore", reason="the extra s3 is not installed: pip install 'auria-bot[s3]'")


class Machines:
    """Homes that share a database and a bucket."""

    def __init__(self, folder: Path, server: StorageStandIn, closing: ExitStack) -> None:
        self.folder, self.server, self._closing, self.clock = folder, server, closing, FakeClock()
        closing.callback(fake_application(folder / "shared").close)

    def __call__(self, name: str, **options: Any) -> Application:
        """The application of a machine."""
        settings = fake_settings(self.folder / name, **options).model_copy(
            update={
                "database": DatabaseSettings(url=f"sqlite:///{self.folder / 'shared' / 'auria.db'}"),
                "storage": StorageSettings(
                    pictures="s3://pictures/auria", endpoint=self.server.address, region=self.server.region, timeout=0.5
                ),
            }
        )
        application = build(settings, clock=self.clock)
        self._closing.callback(application.close)
        return application


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    """No machine was started yet."""
    with StorageStandIn() as server, ExitStack() as closing:
        monkeypatch.setenv("AURIA_SECRET_STORAGE_ACCESS_KEY", server.key_id)
        monkeypatch.setenv("AURIA_SECRET_STORAGE_SECRET_KEY", server.secret)
        yield Machines(tmp_path, server, closing)


def contents(pictures: Pictures, draft: Draft) -> dict[str, bytes]:
    """A draft's files."""
    return {kind: pictures.path(draft.folder, file.name).read_bytes() for kind, file in draft.artwork.files.items()}


def test_the_same_artwork_from_disk_and_from_the_bucket(machines: Machines, tmp_path: Path):
    """The bytes are equal; the machine that makes it, another one and a copy of them cannot be told apart."""
    on_disk = fake_application(tmp_path / "disk")
    made = on_disk.studio.make(ArtworkRequest(seed=7, theme="fog")).drafts[0]
    one, two = machines("one"), machines("two")
    draft = one.studio.make(ArtworkRequest(seed=7, theme="fog")).drafts[0]
    assert draft.artwork == made.artwork
    assert contents(one.pictures, draft) == contents(two.pictures, draft) == contents(on_disk.pictures, made)
    assert not list((tmp_path / "one" / "pictures").glob("*"))
    on_disk.close()


def test_another_machine_publishes_once_the_storage_answers(machines: Machines, tmp_path: Path):
    """While the bucket is away the post waits, and nothing is lost; then the very picture is sent."""
    one, two = machines("one"), machines("two")
    draft = one.studio.make(ArtworkRequest(seed=7)).drafts[0]
    one.review.approve([draft.id], channels=["folder"])
    one.post_creator.schedule([draft.id])
    machines.server.down = True
    two.publisher.publish()
    (post,) = two.publisher.posts()
    assert post.state is PostState.WAITING
    assert "before anything was sent" in post.message
    machines.server.down = False
    machines.clock.advance(minutes=30)
    three = machines("three")
    three.publisher.publish()
    assert three.publisher.posts()[0].state is PostState.SENT
    (picture,) = (tmp_path / "three" / "published").glob("posts/*/picture.jpg")
    assert picture.read_bytes() == contents(one.pictures, draft)["post"]
    assert [one.name for one in (tmp_path / "three" / "cache" / "pictures").iterdir()] == [draft.folder]


def test_a_run_waits_for_the_storage(machines: Machines):
    """Where the bucket is away when an artwork is finished, its steps stay, and resuming hands it over."""
    one = machines("one")
    machines.server.down = True
    with pytest.raises(StorageAway):
        one.studio.make(ArtworkRequest(seed=7))
    machines.server.down = False
    again = machines("one")
    (result,) = again.studio.resume()
    assert [draft.artwork.seed for draft in result.drafts] == [7]
    assert again.maintenance.check() == ()
    backup = again.database_administration.back_up()
    assert (backup.problem, backup.elsewhere) == ("", "s3://pictures/auria")


def _stopped_after(machine: Application, monkeypatch: pytest.MonkeyPatch, *, saves: int, error: BaseException) -> str:
    """Begin a run of two artworks that ends when a state is saved for the last time; its name."""
    save, count = HeldRun.save, iter(range(1000))

    def failing(self: HeldRun, folder: Path, state: ArtworkState) -> None:
        if next(count) >= saves:
            raise error
        save(self, folder, state)

    with monkeypatch.context() as patched:
        patched.setattr(HeldRun, "save", failing)
        with pytest.raises(type(error)):
            machine.studio.make(ArtworkRequest(seed=7, count=2, theme="fog"))
    return machine.runs.local_names()[0]


def test_another_machine_goes_on_with_a_run(machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What was completed is not done again, the drafts are those of one machine, and the run is gone everywhere."""
    on_disk = fake_application(tmp_path / "disk")
    wanted = [
        contents(on_disk.pictures, draft)
        for draft in on_disk.studio.make(ArtworkRequest(seed=7, count=2, theme="fog")).drafts
    ]
    on_disk.close()
    one = machines("one")
    run = _stopped_after(one, monkeypatch, saves=7, error=KeyboardInterrupt())
    two = machines("two")
    events: list[RunEvent] = []
    assert two.runs.names() == [run]
    assert [(found.run, found.count) for found in two.studio.unfinished()] == [(run, 2)]
    (result,) = two.studio.resume(progress=events.append)
    assert [contents(two.pictures, draft) for draft in result.drafts] == wanted
    assert sum(event.state == "reused" for event in events) == 7
    assert one.runs.names() == two.runs.names() == []
    assert not (tmp_path / "one" / "studio" / run).exists()
    assert not [path for path in machines.server.objects if "/runs/" in path]
    assert one.studio.resume() == ()


def test_a_run_that_another_machine_works_on_is_left_alone(machines: Machines, monkeypatch: pytest.MonkeyPatch):
    """It is not listed; whoever names it is told who has it; once the lease expired, it is taken over, and the first one is refused."""
    one, two = machines("one"), machines("two")
    run = _stopped_after(one, monkeypatch, saves=3, error=KeyboardInterrupt())
    with one.runs.open(run) as opened:
        assert two.runs.names() == []
        with pytest.raises(NotFound):
            two.runs.open(run)
        with pytest.raises(InvalidTransition, match=f"works on run {run}"):
            two.runs._shared.take(run)  # type: ignore[union-attr]
        machines.clock.advance(minutes=5)
        with two.runs.open(run) as taken:
            assert taken.plan == opened.plan
            assert opened.held is not None
            opened.held.renew()
            with pytest.raises(InvalidTransition, match="another machine goes on"):
                opened.save(opened.states()[0])
    assert two.runs.names() == [run]


def test_a_run_is_given_up_from_another_machine(machines: Machines, monkeypatch: pytest.MonkeyPatch):
    """It is gone for both."""
    one, two = machines("one"), machines("two")
    run = _stopped_after(one, monkeypatch, saves=3, error=KeyboardInterrupt())
    two.studio.discard(run)
    assert two.runs.names() == one.runs.names() == []
