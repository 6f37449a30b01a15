"""Fields of JSON answers of any type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.channels.answers import ChannelCache, as_count, as_id, as_items, as_object, as_text

if TYPE_CHECKING:
    from pathlib import Path


VALUES: tuple[Any, ...] = (None, True, False, 0, 7, -1, 1.5, 2**60, "", "text", [], [1], {}, {"a": 1})


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_of_another_type_becomes_empty(value: Any) -> None:
    """Objects, arrays and strings are returned unchanged, anything else as an empty one."""
    assert as_object(value) == (value if isinstance(value, dict) else {})
    assert as_items(value) == (value if isinstance(value, list) else [])
    assert as_text(value) == (value if isinstance(value, str) else "")


def test_a_count_is_a_whole_number() -> None:
    """Anything else is unknown, booleans and negative numbers among them."""
    assert [as_count(value) for value in VALUES if as_count(value) is not None] == [0, 7]


def test_an_identifier_is_text_or_a_positive_number() -> None:
    """Numbers become text."""
    assert [as_id(value) for value in VALUES if as_id(value)] == ["7", str(2**60), "text"]


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
