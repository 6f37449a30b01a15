"""Questions to the operator at a terminal."""

from __future__ import annotations

import sys

import typer

from auria_bot.cli.terminal.console import note, printable
from auria_bot.errors import InputError

__all__ = ["TerminalPrompts", "require_confirmation"]


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
        question: what is asked.
        command: the command that does it without asking, for when there is no terminal.

    Raises:
        InputError: there is nobody to ask.
    """
    prompts = TerminalPrompts()
    if not prompts.interactive:
        raise InputError(f"there is no terminal to confirm it; to do it without asking: {command}")
    return prompts.confirm(question)
