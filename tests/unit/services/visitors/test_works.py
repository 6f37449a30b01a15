"""The visitors' artworks on the disk."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from auria_bot.errors import NotFound
from auria_bot.services.visitors.works import VisitorWork, VisitorWorks, WorkState, removed_works
from tests.factories import NOW, artwork

if TYPE_CHECKING:
    from pathlib import Path


def asked(key: str = "a" * 32, **changes: object) -> VisitorWork:
    """An artwork that was asked for."""
    return replace(VisitorWork(key=key, owner="0" * 64, theme="rain", mood="", asked_at=NOW), **changes)  # type: ignore[arg-type]


def loaded(root: Path) -> VisitorWorks:
    """What a new process finds."""
    works = VisitorWorks(root)
    works.load()
    return works


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """With its artwork."""
    work = asked(state=WorkState.DONE, artwork=artwork(1).to_json(), is_kept=True)
    loaded(tmp_path).save(work)
    found = loaded(tmp_path).get(work.key)
    assert found.finished == artwork(1)
    assert (found.is_kept, found.asked_at) == (True, NOW)


@pytest.mark.parametrize("state", [WorkState.WAITING, WorkState.WORKING])
def test_what_a_killed_server_left_is_interrupted(tmp_path: Path, state: WorkState) -> None:
    """The visitor sees so, instead of waiting for ever."""
    loaded(tmp_path).save(asked(state=state))
    assert loaded(tmp_path).get("a" * 32).state is WorkState.INTERRUPTED


@pytest.mark.parametrize("changes", [{"key": "../x"}, {"key": "b" * 32}, {"file": "../../auria.db"}])
def test_a_record_that_leads_elsewhere_is_deleted(tmp_path: Path, changes: dict[str, str]) -> None:
    """Its folder alone: neither a key nor a file's name is a path."""
    record = asked(state=WorkState.DONE, artwork=artwork(1).to_json()).to_json()
    if "file" in changes:
        record["artwork"]["files"]["post"]["name"] = changes["file"]
    else:
        record["key"] = changes["key"]
    (tmp_path / "works" / ("a" * 32)).mkdir(parents=True)
    (tmp_path / "x").mkdir()
    (tmp_path / "works" / ("a" * 32) / "work.json").write_text(json.dumps(record))
    assert loaded(tmp_path / "works").all() == ()
    assert (tmp_path / "x").is_dir()


def test_half_a_folder_is_deleted(tmp_path: Path) -> None:
    """A server was killed while it made or deleted it."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "post.jpg").write_bytes(b"x")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "work.json").write_text("{")
    assert loaded(tmp_path).all() == ()
    assert list(tmp_path.iterdir()) == []


def test_time_is_over_for_what_was_not_kept(tmp_path: Path) -> None:
    """And for nothing that is being made."""
    works = loaded(tmp_path)
    works.save(asked("1" * 32, state=WorkState.DONE))
    works.save(asked("2" * 32, state=WorkState.DONE, is_kept=True))
    works.save(asked("3" * 32, state=WorkState.WORKING))
    assert works.tidy(now=NOW + timedelta(days=6), days=7) == 0
    assert works.tidy(now=NOW + timedelta(days=8), days=7) == 1
    assert not (tmp_path / ("1" * 32)).exists()
    assert {work.key[0] for work in works.all()} == {"2", "3"}
    with pytest.raises(NotFound):
        works.get("1" * 32)


def test_pictures_are_those_of_the_artwork(tmp_path: Path) -> None:
    """By kind, and only of a finished one."""
    works = loaded(tmp_path)
    works.save(asked())
    with pytest.raises(NotFound):
        works.path(works.get("a" * 32), "post")
    done = works.save(asked(state=WorkState.DONE, artwork=artwork(1).to_json()))
    (tmp_path / "source").write_bytes(b"x")
    works.keep_files(done.key, {"post.jpg": tmp_path / "source"})
    assert works.path(done, "post").read_bytes() == b"x"
    for kind in ("card", "../work.json", "work.json"):
        with pytest.raises(NotFound):
            works.path(done, kind)


def test_that_a_kept_work_was_deleted_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are in no backup; a full disk keeps nobody from deleting."""
    works = loaded(tmp_path)
    for key, is_kept in (("a" * 32, True), ("b" * 32, False), ("c" * 32, True)):
        works.save(asked(key, state=WorkState.DONE, artwork=artwork(1).to_json(), is_kept=is_kept))
    assert removed_works(tmp_path) == frozenset()
    works.remove("a" * 32)
    works.remove("b" * 32)
    assert removed_works(tmp_path) == {"a" * 32}
    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "open", Mock(side_effect=OSError("no space left")))
        works.remove("c" * 32)
    assert loaded(tmp_path).all() == ()
    assert removed_works(tmp_path) == {"a" * 32}
