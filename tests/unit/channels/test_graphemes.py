"""Characters as people see them."""

from __future__ import annotations

import sys

import pytest

from auria_bot.channels.graphemes import graphemes
from auria_bot.errors import BackendMissing


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("rain", 4),
        ("a\r\nb", 3),
        ("é", 1),
        ("e\u0301", 1),
        ("👩‍👩‍👧‍👦", 1),
        ("🇯🇵🇫🇷", 2),
        ("池の音", 3),
        ("\n\n", 2),
    ],
)
def test_a_cluster_counts_one(text: str, count: int) -> None:
    """However many code points it is made of."""
    assert graphemes(text) == count


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "regex", None)
    with pytest.raises(BackendMissing, match="pip install regex"):
        graphemes("池")
