"""Fields of JSON answers of any type."""

from __future__ import annotations

from typing import Any

import pytest

from auria_bot.channels.answers import as_count, as_id, as_items, as_object, as_text

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
