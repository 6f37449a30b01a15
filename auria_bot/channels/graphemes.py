"""Counts characters as people see them: a letter with its accents is one, and so is a family of emoji."""

from __future__ import annotations

from auria_bot.errors import BackendMissing

__all__ = ["graphemes"]


def graphemes(text: str) -> int:
    """How many extended grapheme clusters (Unicode, UAX 29) a text has.

    Raises:
        BackendMissing: the package regex is not installed.
    """
    if text.isascii():
        return len(text) - text.count("\r\n")  # the only cluster of several ASCII characters
    try:
        import regex
    except ImportError:
        raise BackendMissing(
            "counting characters as Bluesky and Mastodon do needs a package: pip install regex"
        ) from None
    return len(regex.findall(r"\X", text))
