"""Publishes to a folder on this machine: one folder a post, and a gallery page that is rebuilt from them.

    published/
      index.html                 the newest posts, then page-2.html ...
      posts/<key>/picture.jpg
      posts/<key>/post.json      what was published, and when

A post's folder appears whole, by one rename, under the name of its idempotency key: so a repeated attempt finds
it and gives the same receipt, and several processes need not wait for each other. The gallery follows at once, or, when
many posts come one upon the other, now and then and at the end of the round. Serve the folder with any web server, or
open index.html. The pattern for channels: a Config and one class. Knows files; does not know drafts.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import re
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from auria_bot import files
from auria_bot.channels.folder.gallery import GalleryItem, pages
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.interfaces import ConfirmSend, Limits, PreparedText, Question, Secrets
from auria_bot.domain.post import Post, Receipt
from auria_bot.errors import ChannelError, NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FolderChannel", "FolderConfig"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_WAIT = timedelta(minutes=15)  # before a full disk is tried again
_PATIENCE = 20.0  # times as long as building the gallery took, it is left alone while posts come
_TICK = 0.1  # seconds that the time of a folder may lag behind
_STRAY = 3600.0  # seconds after which a half-made folder is nobody's any more


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderConfig:
    """Where and how to publish."""

    name: str = "folder"
    directory: str = "published"  # relative to the home, or absolute
    url: str = ""  # where a web server shows the folder; "" gives file:// addresses
    title: str = "Auria"  # the gallery's heading
    subtitle: str = "Haiku and paintings"
    language: str = "en"  # BCP 47


class FolderChannel:
    """The channel that needs no account."""

    Config = FolderConfig
    QUESTIONS: ClassVar[tuple[Question, ...]] = (
        Question(name="directory", prompt="The folder to publish to"),
        Question(name="url", prompt="Where a web server shows it", required=False),
    )

    def __init__(self, config: FolderConfig, home: Path, secrets: Secrets | None = None) -> None:  # noqa: ARG002 - it has none
        self.config = config
        self.name = config.name
        self.directory = (home / Path(config.directory).expanduser()).absolute()
        self._posts = self.directory / "posts"
        self._making = self.directory / ".making"

    def limits(self) -> Limits:
        """A folder takes everything."""
        return Limits()

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """Everything fits."""
        return PreparedText(text=text, alt_text=alt_text)

    def check(self) -> str:
        """Prove that the folder can be written, by writing.

        Raises:
            Unauthorised: it cannot.
        """
        try:
            self._posts.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._posts) as file:
                file.write(b"a post's worth of bytes")
        except OSError as error:
            raise Unauthorised(f"{self.directory} cannot be written: {error.strerror or error}") from None
        count = sum(1 for _ in self._records())
        return f"{self.directory} can be written and holds {count} {'post' if count == 1 else 'posts'}"

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Put the post's folder into place; the gallery follows, at the latest with `tidy`.

        Raises:
            Rejected: the picture is not there, or not the one that was approved.
            Throttled: the disk is full.
            Unauthorised: the folder cannot be written.
            OutcomeUnknown: the post is in place, but the gallery could not be rebuilt; `find` tries again.
        """
        receipt = self._receipt(post)
        if receipt is None:
            try:
                self._put(post, ready)
            except OSError as error:
                raise _refusal(error, self.directory) from None
            receipt = self._receipt(post)
        if receipt is None:
            raise OutcomeUnknown(f"{self._place(post)} vanished while it was being published")
        self._show(patient=True)
        return receipt

    def find(self, post: Post) -> Receipt | None:
        """The receipt of the post, from its own folder; the gallery is brought up to date on the way.

        Raises:
            OutcomeUnknown: the folder cannot be read.
        """
        receipt = self._receipt(post)
        if receipt is not None:
            self._show()
        return receipt

    def tidy(self) -> None:
        """Bring the gallery up to date.

        Raises:
            OutcomeUnknown: it could not be rebuilt.
        """
        if self._posts.is_dir():
            self._show()

    def measure(self, receipt: Receipt) -> Engagement:
        """Nothing can be counted here.

        Raises:
            NotFound: the post's folder is gone.
        """
        if not _NAME.fullmatch(receipt.id) or not (self._posts / receipt.id / "post.json").is_file():
            raise NotFound(f"{self._posts} has no post {receipt.id[:64]!r}")
        return Engagement(at=datetime.now(UTC))

    def audience(self) -> Audience:
        """Nobody follows a folder."""
        return Audience(at=datetime.now(UTC), followers=None)

    def _place(self, post: Post) -> Path:
        name = post.key if _NAME.fullmatch(post.key) else hashlib.sha256(post.key.encode()).hexdigest()[:32]
        return self._posts / name

    def _url(self, name: str) -> str:
        base = self.config.url.rstrip("/") or self.directory.as_uri()
        return f"{base}/posts/{name}/picture.jpg"

    def _receipt(self, post: Post) -> Receipt | None:
        """The receipt of a post that is in place.

        Raises:
            OutcomeUnknown: its record cannot be read.
        """
        place = self._place(post)
        try:
            record = json.loads((place / "post.json").read_text(encoding="utf-8"))
            return Receipt(id=place.name, url=self._url(place.name), at=datetime.fromisoformat(record["at"]))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OutcomeUnknown(f"{place}/post.json cannot be read: {error}") from None

    def _put(self, post: Post, ready: ConfirmSend) -> None:
        """Build the post's folder out of sight, then rename it: the one visible mutation."""
        place = self._place(post)
        self._posts.mkdir(parents=True, exist_ok=True)
        self._making.mkdir(exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=self._making))
        before = self._making / f"{scratch.name}-before"
        try:
            picture = Path(post.picture)
            if not picture.is_file():
                raise Rejected(f"the picture {picture} is missing")
            content = picture.read_bytes()
            if hashlib.sha256(content).hexdigest() != post.picture_sha256:
                raise Rejected(f"{picture} is not the picture that was approved")
            (scratch / "picture.jpg").write_bytes(content)
            width, height = _size(scratch / "picture.jpg")
            record = {
                "key": post.key,
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                "text": post.text,
                "alt_text": post.alt_text,
                "picture": "picture.jpg",
                "picture_sha256": post.picture_sha256,
                "width": width,
                "height": height,
            }
            _write(scratch / "post.json", json.dumps(record, ensure_ascii=False, indent=1) + "\n")
            files.flush(scratch / "picture.jpg")
            scratch.chmod(0o755)
            if place.exists() and not (place / "post.json").exists():
                place.rename(before)  # somebody took its record away: it counts as absent
            ready()
            try:
                scratch.rename(place)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
                return  # another process was quicker
            files.flush(self._posts)  # what is called published survives a power cut
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            shutil.rmtree(before, ignore_errors=True)

    def _records(self) -> Iterator[dict[str, Any]]:
        """Every published post; a record that cannot be read is left out."""
        for path in sorted(self._posts.glob("[!.]*/post.json")):
            with contextlib.suppress(OSError, ValueError):
                record = json.loads(path.read_text(encoding="utf-8"))
                if isinstance(record, dict) and {"at", "text", "alt_text"} <= record.keys():
                    yield record | {"name": path.parent.name}

    def _show(self, *, patient: bool = False) -> None:
        """Rebuild the gallery where posts came since; a patient caller leaves it when that was done a moment ago.

        Raises:
            OutcomeUnknown: it could not be rebuilt.
        """
        try:
            if not self._stale(patient=patient):
                return
            with self._locked():
                if self._stale(patient=patient):
                    self._rebuild()
        except OSError as error:
            raise OutcomeUnknown(
                f"the gallery {self.directory} could not be rebuilt: {error.strerror or error}"
            ) from None

    def _stale(self, *, patient: bool) -> bool:
        """Whether the folder of posts changed since the gallery was built, and enough time has gone by for the patient."""
        try:
            built = json.loads((self.directory / ".gallery").read_text(encoding="utf-8"))
            seen, at, took = int(built["seen"]), float(built["at"]), float(built["took"])
        except (OSError, ValueError, KeyError, TypeError):
            return True
        if patient and 0 <= time.time() - at < _PATIENCE * took:
            return False
        return seen != self._posts.stat().st_mtime_ns

    def _rebuild(self) -> None:
        """Write the gallery anew from the posts' own records; the same posts give the same bytes."""
        begun, seen = time.time(), self._posts.stat().st_mtime_ns
        exhibits = [
            GalleryItem(
                name=record["name"],
                at=datetime.fromisoformat(record["at"]),
                text=str(record["text"]),
                alt_text=str(record["alt_text"]),
                picture=f"posts/{record['name']}/picture.jpg",
                width=int(record.get("width", 0)),
                height=int(record.get("height", 0)),
            )
            for record in self._records()
        ]
        exhibits.sort(key=lambda exhibit: (exhibit.at, exhibit.name), reverse=True)
        made = pages(exhibits, title=self.config.title, subtitle=self.config.subtitle, language=self.config.language)
        for name, text in made.items():
            path = self.directory / name
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                _write(path, text)
        for stray in self._making.glob("*"):
            with contextlib.suppress(FileNotFoundError):  # its process is done with it
                if begun - stray.stat().st_mtime > _STRAY:
                    shutil.rmtree(stray, ignore_errors=True)  # left by a process that was killed
        # A folder that changed this very moment may change again without its time telling: look again next time.
        settled = seen if begun - seen / 1e9 > _TICK else 0
        _write(self.directory / ".gallery", json.dumps({"seen": settled, "at": begun, "took": time.time() - begun}))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time."""
        self._posts.mkdir(parents=True, exist_ok=True)
        with files.file_lock(self.directory / ".lock"):
            yield


def _refusal(error: OSError, directory: Path) -> ChannelError:
    """What an error of the disk means, before anything was visible."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Throttled(f"the disk of {directory} is full; free some space", until=datetime.now(UTC) + _WAIT)
    return Unauthorised(f"{directory} cannot be written: {error.strerror or error}")


def _size(picture: Path) -> tuple[int, int]:
    from PIL import Image

    try:
        with Image.open(picture) as image:
            return image.size
    except (OSError, ValueError, SyntaxError):
        raise Rejected(f"{picture.name} is not a readable picture") from None


def _write(path: Path, text: str) -> None:
    files.write_atomic(path, text, mode=0o644)  # a web server reads it
