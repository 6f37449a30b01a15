"""What the operator enters at a terminal: answers to questions, single keys, and texts in an editor."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from auria_bot.cli.terminal.console import note, printable
from auria_bot.errors import AuriaError, InputError, UsageError
from auria_bot.files import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from auria_bot.domain.draft import Draft

__all__ = ["EditedTexts", "TerminalPrompts", "edit", "is_terminal", "read_key", "require_confirmation"]


class TerminalPrompts:
    """Asks on stderr and reads from stdin; giving up raises KeyboardInterrupt."""

    @property
    def interactive(self) -> bool:
        """Whether stdin is a terminal."""
        return sys.stdin.isatty()

    def ask(self, question: str, *, default: str = "", required: bool = True, hidden: bool = False) -> str:
        """Ask until there is an answer, where one is required."""
        shown = default if default or not required else None
        try:
            answer = typer.prompt(
                printable(question),
                default=shown,
                hide_input=hidden,
                show_default=bool(default) and not hidden,
                err=True,
            )
        except typer.Abort:
            raise KeyboardInterrupt from None
        return str(answer).strip()

    def confirm(self, question: str, *, default: bool = False) -> bool:
        """Ask a yes-or-no question."""
        try:
            return typer.confirm(printable(question), default=default, err=True)
        except typer.Abort:
            raise KeyboardInterrupt from None

    def note(self, message: str) -> None:
        """Print a message to stderr."""
        note(message)


def require_confirmation(question: str, command: str) -> bool:
    """Ask whether to do something that cannot be undone; False when the operator declines.

    Args:
        command: the command that does it without asking, for when there is no terminal.

    Raises:
        UsageError: there is nobody to ask.
    """
    prompts = TerminalPrompts()
    if not prompts.interactive:
        raise UsageError(f"there is no terminal to confirm it; to do it without asking: {command}")
    return prompts.confirm(question)


ESCAPE = "\x1b"


def is_terminal() -> bool:
    """Whether both stdin and stdout are terminals."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def read_key() -> str:
    """Wait for one key press and return its character; a special key returns the escape character.

    Raises:
        KeyboardInterrupt: Ctrl-C.
        EOFError: Ctrl-D, or the terminal was closed.
        UsageError: the input is not a terminal.
    """
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to read keys from; decide with auria approve ID or auria reject ID")
    key = _read()
    if key == "\x03":
        raise KeyboardInterrupt
    # Ctrl-D that was pressed while the terminal still collected lines is handed over as NUL.
    if key in {"", "\x04", "\x00"}:
        raise EOFError
    return key


if sys.platform == "win32":

    def _read() -> str:
        import msvcrt

        key = msvcrt.getwch()
        if key in {"\x00", "\xe0"}:  # the first half of a special key
            msvcrt.getwch()
            return ESCAPE
        return key

else:

    def _read() -> str:
        handle = sys.stdin.fileno()
        with _unbuffered(handle):
            first = os.read(handle, 1)
            if first == ESCAPE.encode():
                _drain(handle)
                return ESCAPE
            wanted = _length(first)
            while 0 < len(first) < wanted:
                more = os.read(handle, 1)
                if not more:
                    break
                first += more
        return first.decode("utf-8", errors="replace")

    @contextlib.contextmanager
    def _unbuffered(handle: int) -> Iterator[None]:
        import termios
        import tty

        before = termios.tcgetattr(handle)
        try:
            tty.setcbreak(handle, termios.TCSADRAIN)
            yield
        finally:
            termios.tcsetattr(handle, termios.TCSADRAIN, before)

    def _drain(handle: int) -> None:
        """Read the rest of a special key's sequence, which arrives at once."""
        import select

        while select.select([handle], [], [], 0.02)[0] and os.read(handle, 32):
            pass


def _length(first: bytes) -> int:
    """How many bytes a UTF-8 character takes, by its first."""
    lead = first[0] if first else 0
    return 4 if lead >= 0xF0 else 3 if lead >= 0xE0 else 2 if lead >= 0xC0 else 1


_Saved = TypeVar("_Saved")
_CUT = "---------- the alt text of the picture follows; keep this line ----------"
_CHANNEL_CUT = "---------- the text on {} follows; keep this line ----------"
_CHANNEL_LINE = re.compile(r"^-{10} the text on (\S+) follows; keep this line -{10}$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditedTexts:
    """The texts of a draft, as the operator edits them."""

    text: str
    alt_text: str
    channel_texts: Mapping[str, str]  # of the channels that have their own

    @classmethod
    def of(cls, draft: Draft, channel: str | None = None) -> EditedTexts:
        """The texts of a draft; `channel` has its own even if it is still the common one."""
        own = {**draft.channel_texts, **({channel: draft.text_for(channel)} if channel else {})}
        return cls(text=draft.text, alt_text=draft.alt_text, channel_texts=own)

    def file(self) -> str:
        """All texts as one file."""
        own = [f"{_CHANNEL_CUT.format(name)}\n{text.rstrip()}\n\n" for name, text in self.channel_texts.items()]
        return f"{self.text.rstrip()}\n\n{''.join(own)}{_CUT}\n{self.alt_text.rstrip()}\n"

    @classmethod
    def read(cls, content: str, channels: Collection[str]) -> EditedTexts:
        """The texts in a file.

        Raises:
            InputError: a line between them is missing.
        """
        texts, cut, alt_text = content.partition(_CUT)
        text, *own = _CHANNEL_LINE.split(texts)
        found = dict(zip(own[::2], map(str.strip, own[1::2]), strict=True))
        if not cut or set(found) != set(channels):
            raise InputError("a line between the texts is missing, so nothing was changed; try again: auria edit ID")
        return cls(text=text.strip(), alt_text=alt_text.strip(), channel_texts=found)


def edit(before: EditedTexts, save: Callable[[EditedTexts], _Saved]) -> _Saved | None:
    """Let the operator edit texts, and save them; None when nothing was changed.

    Raises:
        InputError: there is no editor, or it failed; nothing was changed.
        AuriaError: the texts could not be saved; the message names a file that keeps what was written.
    """
    command = _editor()
    content = before.file()
    with scratch_folder() as folder:
        path = folder / "draft.txt"
        path.write_text(content, encoding="utf-8")
        code = subprocess.run([*command, str(path)], check=False).returncode  # noqa: S603 - the operator's own editor
        if code != 0:
            raise InputError(f"the editor {command[0]} ended with exit code {code}, so nothing was changed")
        try:
            after = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a byte order mark
        except (OSError, UnicodeDecodeError):
            raise InputError("what the editor wrote is not UTF-8 text, so nothing was changed") from None
    if after == content:
        return None
    try:
        return save(EditedTexts.read(after, before.channel_texts))
    except AuriaError as error:
        with contextlib.suppress(OSError):
            kept = Path(tempfile.mkdtemp(prefix="auria-")) / "draft.txt"
            kept.write_text(after, encoding="utf-8")
            error.args = (f"{error}\nwhat you wrote is kept in {kept}",)
        raise


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
    if not sys.stdin.isatty():
        raise UsageError("editing needs a terminal; without one use: auria edit ID --text '...' --alt-text '...'")
    for common in ("nano", "vi", "notepad"):
        if shutil.which(common):
            return [common]
    raise InputError("no editor was found; set EDITOR, or use: auria edit ID --text '...' --alt-text '...'")
