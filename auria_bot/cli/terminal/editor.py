"""Editing a text and its alt text in the operator's own editor, as one file with a line between them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from auria_bot.errors import InputError

__all__ = ["edit", "join", "split"]

_CUT = "---------- the alt text of the picture follows; keep this line ----------"


def join(text: str, alt_text: str) -> str:
    """Both texts as one file."""
    return f"{text.rstrip()}\n\n{_CUT}\n{alt_text.rstrip()}\n"


def split(content: str) -> tuple[str, str]:
    """The two texts that `join` joined.

    Raises:
        InputError: the line between them is missing.
    """
    text, cut, alt_text = content.partition(_CUT)
    if not cut:
        raise InputError(
            "the line between text and alt text is missing, so nothing was changed; try again: auria edit ID"
        )
    return text.strip(), alt_text.strip()


def edit(text: str, alt_text: str) -> tuple[str, str] | None:
    """Let the operator edit both texts; None when nothing was changed.

    Raises:
        InputError: there is no editor, or it failed; nothing was changed.
    """
    command = _editor()
    before = join(text, alt_text)
    with tempfile.TemporaryDirectory(prefix="auria-") as folder:
        path = Path(folder) / "draft.txt"
        path.write_text(before, encoding="utf-8")
        code = subprocess.run([*command, str(path)], check=False).returncode  # noqa: S603 - the operator's own editor
        if code != 0:
            raise InputError(f"the editor {command[0]} ended with exit code {code}, so nothing was changed")
        try:
            after = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a byte order mark
        except (OSError, UnicodeDecodeError):
            raise InputError("what the editor wrote is not UTF-8 text, so nothing was changed") from None
    if after == before:
        return None
    return split(after)


def _editor() -> list[str]:
    """The operator's editor: VISUAL, EDITOR, or a common one.

    Raises:
        InputError: there is none.
    """
    for name in ("VISUAL", "EDITOR"):
        if chosen := os.environ.get(name, "").strip():
            command = shlex.split(chosen, posix=sys.platform != "win32")
            if shutil.which(command[0]) is None:
                raise InputError(
                    f"{name} is {command[0]!r}, which cannot be run; set another, or use: auria edit ID --text '...'"
                )
            return command
    for common in ("nano", "vi", "notepad"):
        if shutil.which(common):
            return [common]
    raise InputError("no editor was found; set EDITOR, or use: auria edit ID --text '...' --alt-text '...'")
