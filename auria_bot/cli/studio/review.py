"""Reviewing drafts one by one with single keys: `review`."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.terminal import keys
from auria_bot.cli.terminal.console import echo, note
from auria_bot.errors import AuriaError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from auria_bot.bootstrap.application import Application
    from auria_bot.cli.terminal.pictures import Drawing
    from auria_bot.domain.draft import Draft

__all__ = ["review"]

_KEYS = (
    ("a", "approve"),
    ("r", "reject"),
    ("e", "edit text"),
    ("s", "restyle"),
    ("p", "repaint"),
    ("n", "next"),
    ("b", "back"),
    ("q", "quit"),
)


def review(
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID", help="These drafts. Default: all that wait.")] = None,
    channel: Annotated[
        list[str] | None, typer.Option("--channel", "-c", help="Where approved drafts are published; may be repeated.")
    ] = None,
    drawing: Annotated[
        str,
        typer.Option("--picture", help="How to draw: auto, kitty, iterm, sixel, blocks, blocks-256 or none."),
    ] = "auto",
) -> None:
    """Review waiting drafts one by one, with single keys.

    a approve, r reject with a reason, e edit text, s restyle, p repaint, n or space next, b back, q quit. Each
    decision is saved at once.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.terminal.pictures import Drawing
    from auria_bot.errors import UnknownName

    if drawing not in set(Drawing):
        raise UnknownName(f"invalid value {drawing[:40]!r} for --picture; known: {', '.join(Drawing)}")
    if not keys.is_terminal():
        raise InputError(
            "review needs a terminal; without one use: auria drafts --state made, auria approve ID, auria reject ID"
        )
    with app_context() as app:
        _ReviewSession(app, channels=tuple(channel or ()), drawing=Drawing(drawing)).run(ids)


class _ReviewSession:
    """One review session; each decision is saved at once."""

    def __init__(self, app: Application, *, channels: tuple[str, ...], drawing: Drawing) -> None:
        from auria_bot.cli.terminal.console import out

        self.app, self.channels, self.drawing = app, channels, drawing
        self.console: Console = out()
        self.counts = {"approved": 0, "rejected": 0, "made again": 0}
        self.queue: list[int] = []
        self.at = 0

    def run(self, ids: list[int] | None) -> None:
        """Show one draft after the other until all are decided or the operator quits."""
        self.queue = list(ids) if ids else self._waiting()
        if not self.queue:
            note("no draft waits for review; make one: auria make")
            return
        with contextlib.suppress(EOFError):  # Ctrl-D quits, as q does
            while self.at < len(self.queue):
                if not self._review_one(self.queue[self.at]):
                    break
        done = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count) or "no decision"
        note(f"\n{done}; {len(self._waiting())} still waiting")
        if self.counts["approved"]:
            note("publish approved drafts: auria publish")

    def _waiting(self) -> list[int]:
        """The drafts that wait, oldest first."""
        from auria_bot.domain.draft import DraftState

        return [draft.id for draft in reversed(self.app.review.drafts([DraftState.MADE]))]

    def _review_one(self, draft_id: int) -> bool:
        """Show a draft and take keys until it is decided or skipped; False when the operator quits."""
        draft = self.app.review.draft(draft_id)
        self._show(draft)
        while True:
            key = keys.read_key().lower()
            if key in {"q", keys.ESCAPE}:
                return False
            if key in {"n", " ", "\r", "\n", "\t"}:
                self.at += 1
                return True
            if key == "b":
                self.at = max(0, self.at - 1)
                return True
            action = self._actions().get(key)
            if action is None:
                self._print_keys()
                continue
            try:
                if action(self.app.review.draft(draft_id)):
                    return True
            except AuriaError as error:
                from auria_bot.cli.error_reporting import sentence

                note(sentence(error))
            self._print_keys()

    def _actions(self) -> dict[str, Callable[[Draft], bool]]:
        """What each key does; an action returns whether the screen must be drawn again."""
        return {
            "a": self._approve,
            "r": self._reject,
            "e": self._edit,
            "s": self._restyle,
            "p": self._repaint,
        }

    def _show(self, draft: Draft) -> None:
        from auria_bot.cli.studio.drafts import print_draft

        self.console.clear()
        print_draft(self.app, draft, self.console, drawing=self.drawing, room=24)
        self.console.rule(style="dim")
        self._print_keys()

    def _print_keys(self) -> None:
        from rich.text import Text

        line = Text(f"{self.at + 1} of {len(self.queue)}  ", style="dim")
        for key, name in _KEYS:
            line.append(f" {key} ", style="reverse")
            line.append(f" {name}  ")
        self.console.print(line)

    def _approve(self, draft: Draft) -> bool:
        self.app.review.approve([draft.id], channels=self.channels)
        self.counts["approved"] += 1
        self.at += 1
        return True

    def _reject(self, draft: Draft) -> bool:
        reason = self._line("reason (Enter for none, Ctrl-D to cancel): ")
        if reason is None:
            return False
        self.app.review.reject(draft.id, reason=reason)
        self.counts["rejected"] += 1
        self.at += 1
        return True

    def _edit(self, draft: Draft) -> bool:
        from auria_bot.cli.terminal import editor

        changed = editor.edit(draft.text, draft.alt_text)
        if changed is not None:
            self.app.review.edit(draft.id, text=changed[0], alt_text=changed[1])
        return True

    def _restyle(self, draft: Draft) -> bool:
        answer = self._line("mood, painting title, or Enter for another painting of the same mood: ")
        if answer is None:
            return False
        from auria_bot.cli.terminal.progress import following
        from auria_bot.domain.mood import MOODS
        from auria_bot.domain.pipeline import ArtworkRequest

        mood = answer.lower() if answer.lower() in MOODS else None
        style = answer if answer and mood is None else None
        with following(1) as progress:
            new = self.app.review.restyle(draft.id, ArtworkRequest(mood=mood, style=style), progress=progress)
        return self._show_new(new)

    def _repaint(self, draft: Draft) -> bool:
        from auria_bot.cli.terminal.progress import following
        from auria_bot.domain.pipeline import ArtworkRequest

        with following(1) as progress:
            new = self.app.review.repaint(draft.id, ArtworkRequest(), progress=progress)
        return self._show_new(new)

    def _show_new(self, new: Draft) -> bool:
        """Show the new version in place of the old one."""
        self.queue[self.at] = new.id
        self.counts["made again"] += 1
        return True

    def _line(self, question: str) -> str | None:
        """A line of text; None when the operator cancels."""
        try:
            answer = input(question)
        except EOFError:
            echo("")
            return None
        return "".join(char for char in answer if char.isprintable()).strip()
