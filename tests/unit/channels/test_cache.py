"""The file of what a channel learned about its server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.channels.cache import ChannelCache

if TYPE_CHECKING:
    from pathlib import Path


def test_values_are_loaded_by_the_next_process(tmp_path: Path) -> None:
    """Under the channel's name, whatever characters it has."""
    assert ChannelCache(tmp_path, "m/1").load() == {}
    assert list(tmp_path.iterdir()) == []
    ChannelCache(tmp_path, "m/1").save({"a": 1})
    assert ChannelCache(tmp_path, "m/1").load() == {"a": 1}
    assert [path.name for path in (tmp_path / "channels").iterdir()] == ["m_1.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", "\udcff"])
def test_a_damaged_file_counts_as_missing(tmp_path: Path, content: str) -> None:
    """It is replaced by the next save."""
    cache = ChannelCache(tmp_path, "m")
    cache.save({})
    (tmp_path / "channels" / "m.json").write_bytes(content.encode("utf-8", "surrogateescape"))
    assert cache.load() == {}
    cache.save({"a": 1})
    assert cache.load() == {"a": 1}


def test_a_file_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    """The server is asked again."""
    (tmp_path / "channels").write_text("a file instead of a folder")
    cache = ChannelCache(tmp_path, "m")
    cache.save({"a": 1})
    assert cache.load() == {}
