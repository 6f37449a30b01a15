"""Publishes to a folder on this machine: one folder a post, and plain pages that list them.

    published/
      index.html                 the newest posts, then page-2.html ...
      posts/<key>/picture.jpg
      posts/<key>/post.json      what was published, and when

A post's folder is created by one rename, under the name of its idempotency key, so that a repeated attempt finds it
and gives the same receipt, and several processes need not wait for each other. The pages are rebuilt at once, or,
while many posts arrive, from time to time and at the end of the round. Serve the folder with any web server, or open
index.html; `auria web export` writes the gallery.
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
from typing import TYPE_CHECKING, ClassVar

from auria_bot import files
from auria_bot.channels.folder.index_pages import ListedPost, pages
from auria_bot.domain.engagement import Audience, Engagement
from auria_bot.domain.interfaces import ConfirmSend, Limits, PreparedText, Question, Secrets
from auria_bot.domain.post import FilmLimits, Post, Receipt
from auria_bot.errors import ChannelError, NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FolderChannel"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FILMS = ("film.mp4", "film.webm")
_WAIT = timedelta(minutes=15)  # before a full disk is tried again
_PATIENCE = 20.0  # while posts arrive, the gallery is rebuilt after this many times the duration of its last build
_TICK = 0.1  # seconds that a folder's modification time may lag behind
_READABLE = 0o644  # a web server reads what is published
_STRAY = 3600.0  # seconds after which an unfinished folder is deleted


class FolderChannel:
    """A folder with pages that list its posts; needs no account."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        name: str = "folder"
        directory: str = "published"  # relative to the home, or absolute
        url: str = ""  # address at which a web server shows the folder; "" gives file:// addresses
        title: str = "Auria"  # the pages' heading
        subtitle: str = "Haiku and paintings"
        language: str = "en"  # BCP 47

    QUESTIONS: ClassVar[tuple[Question, ...]] = (
        Question(name="directory", prompt="The folder to publish to"),
        Question(name="url", prompt="The address at which a web server shows it", required=False),
    )
    deletion_obstacle = ""

    def __init__(self, config: Config, home: Path, secrets: Secrets | None = None) -> None:  # noqa: ARG002 - none
        self.config = config
        self.name = config.name
        self.directory = (home / Path(config.directory).expanduser()).absolute()
        self._posts = self.directory / "posts"
        self._making = self.directory / ".making"

    def limits(self) -> Limits:
        """No limits."""
        return Limits(film=FilmLimits())

    def fit(self, text: str, alt_text: str) -> PreparedText:
        """Return the text unchanged."""
        return PreparedText(text=text, alt_text=alt_text)

    def check(self) -> str:
        """Test that the folder is writable."""
        try:
            self._make_folders()
            with tempfile.TemporaryFile(dir=self._posts) as file:
                file.write(b"test")
        except OSError as error:
            raise Unauthorised(f"{self.directory} cannot be written: {error.strerror or error}") from None
        count = sum(1 for _ in self._published())
        return f"{self.directory} can be written and holds {count} {'post' if count == 1 else 'posts'}"

    def publish(self, post: Post, ready: ConfirmSend) -> Receipt:
        """Create the post's folder; the gallery is rebuilt now or by `tidy`.

        Raises:
            OutcomeUnknown: the post is in place, but the gallery could not be rebuilt; `find` tries again.
        """
        receipt = self._receipt(post)
        if receipt is None:
            try:
                self._create(post, ready)
            except OSError as error:
                if self._receipt(post) is not None:
                    raise OutcomeUnknown(f"{self._posts} could not be flushed to the disk: {error.strerror}") from None
                raise _disk_error(error, self.directory) from None
            receipt = self._receipt(post)
        if receipt is None:
            raise OutcomeUnknown(f"{self._folder_of(post)} disappeared while it was being published")
        self._update_gallery(patient=True)
        return receipt

    def find(self, post: Post) -> Receipt | None:
        """The receipt of the post, from its folder; the gallery is updated too."""
        receipt = self._receipt(post)
        if receipt is not None:
            self._update_gallery()
        return receipt

    def tidy(self) -> None:
        """Update the gallery."""
        if self._posts.is_dir():
            self._update_gallery()

    def delete(self, receipt: Receipt, ready: ConfirmSend) -> None:
        """Move the post's folder out of sight by one rename, delete it, and update the gallery.

        Raises:
            OutcomeUnknown: the post is gone, but the gallery could not be rebuilt; `is_published` tries again.
        """
        if self.is_published(receipt):
            self._making.mkdir(exist_ok=True)
            scratch = Path(tempfile.mkdtemp(dir=self._making))
            try:
                ready()
                (self._posts / receipt.id).rename(scratch / "deleted")
                files.flush(self._posts)
            except FileNotFoundError:
                pass  # another process was faster
            except OSError as error:
                raise _disk_error(error, self.directory) from None
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
            self._update_gallery()

    def is_published(self, receipt: Receipt) -> bool:
        """Whether the post's folder exists; without it, the gallery is updated."""
        if not _NAME.fullmatch(receipt.id):
            raise Rejected(f"{receipt.id[:64]!r} is not a post of {self._posts}")
        found = (self._posts / receipt.id).is_dir()
        if not found:
            self.tidy()
        return found

    def measure(self, receipt: Receipt) -> Engagement:
        """No counts; only whether the post's folder still exists."""
        if not _NAME.fullmatch(receipt.id) or not (self._posts / receipt.id / "post.json").is_file():
            raise NotFound(f"{self._posts} has no post {receipt.id[:64]!r}")
        return Engagement(at=datetime.now(UTC))

    def audience(self) -> Audience:
        """A folder has no followers."""
        return Audience(at=datetime.now(UTC), followers=None)

    def _folder_of(self, post: Post) -> Path:
        name = post.key if _NAME.fullmatch(post.key) else hashlib.sha256(post.key.encode()).hexdigest()[:32]
        return self._posts / name

    def _url(self, name: str) -> str:
        base = self.config.url.rstrip("/") or self.directory.as_uri()
        return f"{base}/posts/{name}/picture.jpg"

    def _receipt(self, post: Post) -> Receipt | None:
        """The receipt of a published post, if it is there.

        Raises:
            OutcomeUnknown: its record cannot be read.
        """
        folder = self._folder_of(post)
        try:
            record = json.loads((folder / "post.json").read_text(encoding="utf-8"))
            return Receipt(id=folder.name, url=self._url(folder.name), at=datetime.fromisoformat(record["at"]))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OutcomeUnknown(f"{folder}/post.json cannot be read: {error}") from None

    def _make_folders(self) -> None:
        """Make the folder and that of its posts where they are missing; whatever the umask, a web server reads them."""
        for folder in (self.directory, self._posts):
            is_new = not folder.is_dir()
            folder.mkdir(parents=True, exist_ok=True)
            if is_new or folder == self._posts:  # the posts' is Auria's own; an earlier version left it to the umask
                with contextlib.suppress(PermissionError):
                    folder.chmod(0o755)

    def _create(self, post: Post, ready: ConfirmSend) -> None:
        """Build the post's folder in a hidden place, then rename it: the one visible change."""
        folder = self._folder_of(post)
        self._make_folders()
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
            (scratch / "picture.jpg").chmod(_READABLE)
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
            record |= _copied_film(post, scratch)
            _write(scratch / "post.json", json.dumps(record, ensure_ascii=False, indent=1) + "\n")
            files.flush(scratch / "picture.jpg")
            scratch.chmod(0o755)
            if folder.exists() and not (folder / "post.json").exists():
                folder.rename(before)  # its record was deleted: it counts as absent
            ready()
            try:
                scratch.rename(folder)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
                return  # another process was faster
            files.flush(self._posts)  # a published post survives a power cut
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            shutil.rmtree(before, ignore_errors=True)

    def _published(self) -> Iterator[ListedPost]:
        """Every published post; those whose records cannot be read are skipped."""
        for path in sorted(self._posts.glob("[!.]*/post.json")):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError, OverflowError):
                record, name = json.loads(path.read_text(encoding="utf-8")), path.parent.name
                yield ListedPost(
                    name=name,
                    at=datetime.fromisoformat(record["at"]).astimezone(UTC),
                    text=str(record["text"]),
                    alt_text=str(record["alt_text"]),
                    picture=f"posts/{name}/picture.jpg",
                    width=int(record.get("width", 0)),
                    height=int(record.get("height", 0)),
                    film=f"posts/{name}/{record['film']}" if record.get("film") in _FILMS else "",
                )

    def _update_gallery(self, *, patient: bool = False) -> None:
        """Rebuild the gallery if posts were added since; a patient caller skips it if it was rebuilt a moment ago.

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
        """Whether the posts changed since the gallery was built and, for a patient caller, enough time passed."""
        try:
            built = json.loads((self.directory / ".gallery").read_text(encoding="utf-8"))
            seen, at, took = int(built["seen"]), float(built["at"]), float(built["took"])
        except (OSError, ValueError, KeyError, TypeError):
            return True
        if patient and 0 <= time.time() - at < _PATIENCE * took:
            return False
        return seen != self._posts.stat().st_mtime_ns

    def _rebuild(self) -> None:
        """Write the gallery from the posts' records; the same posts give the same bytes."""
        begun, seen = time.time(), self._posts.stat().st_mtime_ns
        items = sorted(self._published(), key=lambda item: (item.at, item.name), reverse=True)
        made = pages(items, title=self.config.title, subtitle=self.config.subtitle, language=self.config.language)
        for name, text in made.items():
            path = self.directory / name
            if not path.is_file() or path.read_bytes() != text.encode():
                _write(path, text)
        for surplus in self.directory.glob("page-*.html"):
            if surplus.name not in made and re.fullmatch(r"page-\d+\.html", surplus.name):
                surplus.unlink(missing_ok=True)  # after a deletion there may be fewer pages
        for stray in self._making.glob("*"):
            with contextlib.suppress(FileNotFoundError):  # its process has just finished
                if begun - stray.stat().st_mtime > _STRAY:
                    shutil.rmtree(stray, ignore_errors=True)  # left by a process that was killed
        # A folder that changed just now may change again with the same modification time: check again next time.
        settled = seen if begun - seen / 1e9 > _TICK else 0
        _write(self.directory / ".gallery", json.dumps({"seen": settled, "at": begun, "took": time.time() - begun}))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Allow one writer at a time."""
        self._make_folders()
        with files.file_lock(self.directory / ".lock"):
            yield


def _disk_error(error: OSError, directory: Path) -> ChannelError:
    """The channel error for a disk error before anything was visible."""
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


def _copied_film(post: Post, folder: Path) -> dict[str, str]:
    """Copy a post's film into its folder, as it was approved; what the record says of it."""
    if not post.film:
        return {}
    name = f"film{Path(post.film).suffix}"
    if name not in _FILMS:
        raise Rejected(f"{post.film} is neither MP4 nor WebM")
    try:
        shutil.copyfile(post.film, folder / name)
    except FileNotFoundError:
        raise Rejected(f"the film {post.film} is missing") from None
    if files.sha256_of(folder / name) != post.film_sha256:
        raise Rejected(f"{post.film} is not the film that was approved")
    (folder / name).chmod(_READABLE)
    files.flush(folder / name)
    return {"film": name, "film_sha256": post.film_sha256}


def _write(path: Path, text: str) -> None:
    files.write_atomic(path, text, mode=_READABLE)
