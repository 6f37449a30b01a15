"""The folder channel."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from auria_bot.channels.folder import channel as module
from auria_bot.channels.folder.channel import FolderChannel
from auria_bot.domain.post import Post, PostState, Receipt
from auria_bot.errors import InvalidTransition, NotFound, OutcomeUnknown, Rejected, Throttled, Unauthorised
from tests.platforms import ready

if TYPE_CHECKING:
    from pathlib import Path


def channel(home: Path, **options: str) -> FolderChannel:
    """A channel with its home."""
    return FolderChannel(FolderChannel.Config(**options), home=home)


def post(home: Path, number: int = 1, **changes: object) -> Post:
    """A post whose picture is on the disk; each number gives another post."""
    picture = home / f"source-{number}.jpg"
    Image.new("RGB", (54, 67), (number, 80, 90)).save(picture)
    values = {
        "id": number,
        "draft_id": number,
        "channel": "folder",
        "state": PostState.SENDING,
        "due": datetime(2026, 11, 21, tzinfo=UTC),
        "text": f"poem {number}\nline\nlast\n\n— Auria\n#haiku",
        "alt_text": f"Picture {number}.",
        "picture": str(picture),
        "signature": "s",
        "key": f"{number:032x}",
        "picture_sha256": hashlib.sha256(picture.read_bytes()).hexdigest(),
        **changes,
    }
    return Post(**values)


def visible(home: Path) -> dict[str, bytes]:
    """Every published file by its name."""
    root = home / "published"
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    }


def test_a_post_is_picture_json_and_a_place_in_the_gallery(tmp_path: Path) -> None:
    """All of it is there when `publish` comes back."""
    receipt = channel(tmp_path).publish(post(tmp_path), ready)
    files = visible(tmp_path)
    assert sorted(files) == ["index.html", f"posts/{1:032x}/picture.jpg", f"posts/{1:032x}/post.json"]
    record = json.loads(files[f"posts/{1:032x}/post.json"])
    assert (record["text"], record["alt_text"], record["width"]) == (post(tmp_path).text, "Picture 1.", 54)
    assert receipt.id == f"{1:032x}"
    assert receipt.url.startswith("file://")
    assert receipt.id.encode() in files["index.html"]


def test_repeating_gives_the_same_receipt_and_changes_nothing(tmp_path: Path) -> None:
    """Also with another channel object, as after a restart."""
    first = channel(tmp_path).publish(post(tmp_path), ready)
    before = visible(tmp_path)
    assert channel(tmp_path).publish(post(tmp_path), ready) == first
    assert channel(tmp_path).find(post(tmp_path)) == first
    assert visible(tmp_path) == before


def test_what_was_not_published_is_surely_absent(tmp_path: Path) -> None:
    """Also where the folder is not there yet."""
    assert channel(tmp_path).find(post(tmp_path)) is None


@pytest.mark.parametrize("step", ["_size", "_write", "files.flush"])
def test_a_crash_before_the_rename_leaves_nothing_to_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The next attempt clears up and publishes."""
    channel(tmp_path).publish(post(tmp_path, 2), ready)
    before = visible(tmp_path)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"{module.__name__}.{step}", die)
        patch.setattr(module.shutil, "rmtree", lambda *_, **__: None)  # a killed process clears nothing up
        with pytest.raises(KeyboardInterrupt):
            channel(tmp_path).publish(post(tmp_path), ready)
    assert visible(tmp_path) == before
    strays = list((tmp_path / "published" / ".making").iterdir())
    assert len(strays) == 1
    os.utime(strays[0], (0, 0))
    assert channel(tmp_path).find(post(tmp_path)) is None
    channel(tmp_path).publish(post(tmp_path), ready)
    channel(tmp_path).tidy()
    assert not list((tmp_path / "published" / ".making").iterdir())


def test_a_gallery_that_could_not_be_rebuilt_is_caught_up_by_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The post is out, so it is OutcomeUnknown; looking it up brings the gallery up to date."""
    real = module._write

    def full(path: Path, text: str) -> None:
        if path.suffix == ".html":
            raise OSError(28, "No space left on device")
        real(path, text)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_write", full)
        with pytest.raises(OutcomeUnknown, match="No space"):
            channel(tmp_path).publish(post(tmp_path), ready)
    assert channel(tmp_path).find(post(tmp_path)) is not None
    assert b"poem 1" in visible(tmp_path)["index.html"]


@pytest.mark.parametrize(
    ("number", "error"), [(28, Throttled), (122, Throttled), (13, Unauthorised), (30, Unauthorised)]
)
def test_what_the_disk_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[Exception]
) -> None:
    """A full disk is tried again later; one that cannot be written needs the operator. Nothing was published."""

    def fail(*_: object) -> None:
        raise OSError(number, "no")

    with monkeypatch.context() as patch:
        patch.setattr(module.files, "flush", fail)
        with pytest.raises(error):
            channel(tmp_path).publish(post(tmp_path), ready)
    assert channel(tmp_path).find(post(tmp_path)) is None


def test_a_post_in_place_is_never_called_unpublished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only the flush after the rename fails, the outcome is unknown, and looking finds the post."""
    real = module.files.flush

    def fail(path: Path) -> None:
        if path.name == "posts":
            raise OSError(5, "Input/output error")
        real(path)

    with monkeypatch.context() as patch:
        patch.setattr(module.files, "flush", fail)
        with pytest.raises(OutcomeUnknown, match="Input/output error"):
            channel(tmp_path).publish(post(tmp_path), ready)
    assert channel(tmp_path).find(post(tmp_path)) is not None


def test_a_picture_that_is_not_the_approved_one_is_refused(tmp_path: Path) -> None:
    """Missing, changed or broken: nothing is published."""
    for wrong in (
        replace(post(tmp_path), picture=str(tmp_path / "gone.jpg")),
        replace(post(tmp_path), picture_sha256="0" * 64),
    ):
        with pytest.raises(Rejected):
            channel(tmp_path).publish(wrong, ready)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8not a picture")
    sha256 = hashlib.sha256(broken.read_bytes()).hexdigest()
    with pytest.raises(Rejected):
        channel(tmp_path).publish(replace(post(tmp_path), picture=str(broken), picture_sha256=sha256), ready)
    assert visible(tmp_path) == {}


@pytest.mark.parametrize("key", ["../../etc/passwd", "a/b", ".hidden", "", "x" * 500, "schlüssel"])
def test_a_key_cannot_lead_out_of_the_folder(tmp_path: Path, key: str) -> None:
    """A strange key is hashed; the same key finds the same post."""
    strange = post(tmp_path, key=key)
    receipt = channel(tmp_path).publish(strange, ready)
    assert channel(tmp_path).find(strange) == receipt
    assert {name.split("/")[0] for name in visible(tmp_path)} == {"posts", "index.html"}


def test_check_proves_that_the_folder_can_be_written(tmp_path: Path) -> None:
    """A file in its place is found out."""
    assert "holds 0 posts" in channel(tmp_path).check()
    channel(tmp_path).publish(post(tmp_path), ready)
    assert "holds 1 post" in channel(tmp_path).check()
    (tmp_path / "file").write_text("")
    with pytest.raises(Unauthorised, match="cannot be written"):
        channel(tmp_path, directory="file").check()


def test_nothing_is_counted(tmp_path: Path) -> None:
    """A folder has neither likes nor followers; a post that is gone is said to be."""
    receipt = channel(tmp_path).publish(post(tmp_path), ready)
    counts = channel(tmp_path).measure(receipt)
    assert (counts.likes, counts.views, channel(tmp_path).audience().followers) == (None, None, None)
    for name in ("nope", "../posts"):
        with pytest.raises(NotFound):
            channel(tmp_path).measure(Receipt(id=name, url="", at=receipt.at))
    assert channel(tmp_path).limits().characters is None


def test_the_gallery_is_rebuilt_from_the_records(tmp_path: Path) -> None:
    """Deleted or spoilt, the next post brings it back whole; a damaged record is left out."""
    for number in (1, 2):
        channel(tmp_path).publish(post(tmp_path, number), ready)
    (tmp_path / "published" / "index.html").unlink()
    (tmp_path / "published" / "posts" / f"{1:032x}" / "post.json").write_text("{")
    channel(tmp_path).publish(post(tmp_path, 3), ready)
    channel(tmp_path).tidy()
    page = visible(tmp_path)["index.html"].decode()
    assert "poem 3" in page
    assert "poem 2" in page
    assert "poem 1" not in page
    with pytest.raises(OutcomeUnknown):
        channel(tmp_path).find(post(tmp_path, 1))


def test_a_page_that_is_no_text_is_written_anew(tmp_path: Path) -> None:
    """Whoever damaged it: posts go on."""
    channel(tmp_path).publish(post(tmp_path, 1), ready)
    (tmp_path / "published" / "index.html").write_bytes(b"\xff\xfe\x00")
    channel(tmp_path).publish(post(tmp_path, 2), ready)
    channel(tmp_path).tidy()
    assert "poem 2" in visible(tmp_path)["index.html"].decode()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_a_web_server_can_read_what_is_published(tmp_path: Path) -> None:
    """Also where the daemon's own files are private, as systemd makes them."""
    before = os.umask(0o077)
    try:
        film = tmp_path / "a.mp4"
        film.write_bytes(b"film")
        wanted = {"film": str(film), "film_sha256": hashlib.sha256(b"film").hexdigest()}
        channel(tmp_path).publish(post(tmp_path, 1, **wanted), ready)
    finally:
        os.umask(before)
    root = tmp_path / "published"
    found = [root, *(path for path in root.rglob("*") if not path.name.startswith("."))]
    unreadable = [path.name for path in found if not path.stat().st_mode & (0o001 if path.is_dir() else 0o004)]
    assert unreadable == []


@pytest.mark.parametrize("field", [{"at": "soon"}, {"at": None}, {"width": []}, {"height": 1e999}])
def test_a_record_with_a_wrong_value_stops_no_other_post(tmp_path: Path, field: dict[str, object]) -> None:
    """It is left out, as one that is not JSON is."""
    channel(tmp_path).publish(post(tmp_path, 1), ready)
    file = tmp_path / "published" / "posts" / f"{1:032x}" / "post.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | field))
    channel(tmp_path).publish(post(tmp_path, 2), ready)
    channel(tmp_path).tidy()
    page = visible(tmp_path)["index.html"].decode()
    assert ("poem 2" in page, "poem 1" in page) == (True, False)
    assert channel(tmp_path).check().endswith("holds 1 post")


def test_several_publishers_side_by_side(tmp_path: Path) -> None:
    """Each post is there once, and the gallery shows all of them."""
    posts = [post(tmp_path, number) for number in range(1, 9)]
    threads = [threading.Thread(target=channel(tmp_path).publish, args=(each, ready)) for each in (*posts, *posts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    channel(tmp_path).tidy()
    page = visible(tmp_path)["index.html"].decode()
    assert page.count("<article") == 8
    assert len(list((tmp_path / "published" / "posts").iterdir())) == 8


def test_many_posts_do_not_rebuild_the_gallery_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left alone for a while after it was built, and whole at the end of the round, once."""
    built = []
    real = FolderChannel._rebuild
    monkeypatch.setattr(FolderChannel, "_rebuild", lambda self: (built.append(1), real(self)))
    monkeypatch.setattr(module, "_PATIENCE", 1e9)
    for number in range(1, 31):
        channel(tmp_path).publish(post(tmp_path, number), ready)
    assert len(built) == 1
    folder = tmp_path / "published" / "posts"
    os.utime(folder, (1e9, 1e9))  # it changed long ago
    channel(tmp_path).tidy()
    assert len(built) == 2
    assert visible(tmp_path)["index.html"].decode().count("<article") == 30
    channel(tmp_path).tidy()
    channel(tmp_path).publish(post(tmp_path, 7), ready)
    assert len(built) == 2


def test_a_killed_process_s_post_is_shown_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever tidies finds it, without having published anything."""
    with monkeypatch.context() as patch:
        patch.setattr(FolderChannel, "_update_gallery", lambda *_, **__: None)
        channel(tmp_path).publish(post(tmp_path), ready)
    assert "index.html" not in visible(tmp_path)
    channel(tmp_path).tidy()
    assert b"poem 1" in visible(tmp_path)["index.html"]


def test_there_is_nothing_to_tidy_before_the_first_post(tmp_path: Path) -> None:
    """And no folder is made for it."""
    channel(tmp_path).tidy()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_its_record_counts_as_absent(tmp_path: Path) -> None:
    """The next attempt puts a whole one in its place."""
    channel(tmp_path).publish(post(tmp_path), ready)
    place = tmp_path / "published" / "posts" / f"{1:032x}"
    (place / "post.json").unlink()
    assert channel(tmp_path).find(post(tmp_path)) is None
    channel(tmp_path).publish(post(tmp_path), ready)
    assert sorted(path.name for path in place.iterdir()) == ["picture.jpg", "post.json"]


def test_nothing_is_put_into_place_when_the_post_was_taken_over(tmp_path: Path) -> None:
    """What `ready` raises is passed on, and nothing is left."""

    def taken(memo: str = "") -> None:
        raise InvalidTransition("taken over")

    with pytest.raises(InvalidTransition):
        channel(tmp_path).publish(post(tmp_path), taken)
    assert visible(tmp_path) == {}
    assert not list((tmp_path / "published" / ".making").iterdir())


def test_the_second_of_two_at_once_gives_the_first_one_s_receipt(tmp_path: Path) -> None:
    """Between its look and its rename another process put the same post into place."""
    receipts = []

    def late(memo: str = "") -> None:
        receipts.append(channel(tmp_path).publish(post(tmp_path), ready))

    assert channel(tmp_path).publish(post(tmp_path), late) == receipts[0]


def test_a_rename_that_fails_has_published_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up at the last moment."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(tmp_path), "rename", full)
    with pytest.raises(Throttled):
        channel(tmp_path).publish(post(tmp_path), ready)
    assert visible(tmp_path) == {}


def test_a_damaged_note_of_the_last_building_only_costs_another(tmp_path: Path) -> None:
    """The gallery is built from the records."""
    channel(tmp_path).publish(post(tmp_path), ready)
    (tmp_path / "published" / ".gallery").write_text("{")
    (tmp_path / "published" / "index.html").unlink()
    channel(tmp_path).tidy()
    assert b"poem 1" in visible(tmp_path)["index.html"]


def test_an_address_of_its_own(tmp_path: Path) -> None:
    """Where a web server shows the folder, receipts say so."""
    receipt = channel(tmp_path, url="https://auria.example/", directory=str(tmp_path / "www")).publish(
        post(tmp_path), ready
    )
    assert receipt.url == f"https://auria.example/posts/{1:032x}/picture.jpg"
    assert (tmp_path / "www" / "index.html").is_file()


def test_a_deleted_post_leaves_folder_and_gallery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also the last page, when it has no posts any more; the others stay as they were."""
    monkeypatch.setattr("auria_bot.channels.folder.index_pages.PER_PAGE", 2)
    folder = channel(tmp_path)
    receipts = [folder.publish(post(tmp_path, number), ready) for number in (1, 2, 3)]
    folder.tidy()
    assert "page-2.html" in visible(tmp_path)
    folder.delete(receipts[1], ready)
    files = visible(tmp_path)
    assert "page-2.html" not in files
    assert b"poem 2" not in b"".join(files.values())
    assert [folder.is_published(receipt) for receipt in receipts] == [True, False, True]
    assert files["index.html"].count(b"<article") == 2


def test_a_deletion_whose_gallery_fails_is_unclear_and_then_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The post is gone; looking it up brings the gallery up to date."""
    folder = channel(tmp_path)
    receipt = folder.publish(post(tmp_path), ready)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_write", _no_space)
        with pytest.raises(OutcomeUnknown, match="the gallery"):
            folder.delete(receipt, ready)
    assert not folder.is_published(receipt)
    assert b"poem 1" not in visible(tmp_path)["index.html"]


def _no_space(*_: object) -> None:
    raise OSError(28, "No space left on device")
