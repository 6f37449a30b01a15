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

    a approve, r reject with a reason, e edit, s restyle, p repaint, u undo, n or space next, b back, v view in full,
    ? keys, q quit. Each decision is saved at once, and can be undone until it is published.
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
        self.counts = {"approved": 0, "rejected": 0, "edited": 0, "made again": 0}
        self.queue: list[int] = []
        self.at = 0
        self.message = ""  # about the last key, shown above the keys
        self.decided: list[tuple[int, str]] = []  # drafts with the count that each decision raised, the latest last

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
        if self.decided:
            note(f"undo the last decision: auria undo {self.decided[-1][0]}")

    def _waiting(self) -> list[int]:
        """The drafts that wait, oldest first."""
        from auria_bot.domain.draft import DraftState

        return [draft.id for draft in reversed(self.app.review.drafts([DraftState.MADE]))]

    def _review_one(self, draft_id: int) -> bool:
        """Show a draft and carry out one key; False when the operator quits."""
        draft = self.app.review.draft(draft_id)
        self._show(draft)
        key = keys.read_key().lower()
        if key in {"q", keys.ESCAPE}:
            return False
        if key in {"n", " ", "\r", "\n", "\t"}:
            self.at += 1
        elif key == "b":
            self.at = max(0, self.at - 1)
        elif action := self._actions().get(key):
            try:
                action(draft)
            except AuriaError as error:
                from auria_bot.cli.error_reporting import sentence

                self.message = sentence(error)
        else:
            self.message = "this key does nothing; ? shows the keys"
        return True

    def _actions(self) -> dict[str, Callable[[Draft], None]]:
        """What each key does."""
        return {
            "a": self._approve,
            "r": self._reject,
            "e": self._edit,
            "s": self._restyle,
            "p": self._repaint,
            "u": self._undo,
            "v": self._view,
            "?": self._help,
        }

    def _show(self, draft: Draft) -> None:
        from auria_bot.cli.studio.review_screen import Page, show_page
        from auria_bot.services.serialization import picture_path

        page = Page(
            draft=draft,
            position=f"{self.at + 1} of {len(self.queue)}",
            channels=self.channels or self.app.settings.review.channels,
            picture=picture_path(self.app.pictures, draft, "post"),
            message=self.message,
        )
        self.message = ""
        show_page(page, self.console, self.drawing)

    def _help(self, _: Draft) -> None:
        from auria_bot.cli.studio.review_screen import help_text

        self.console.clear()
        echo(help_text())
        self._wait()

    def _view(self, draft: Draft) -> None:
        from auria_bot.cli.studio.drafts import print_draft
        from auria_bot.cli.terminal.pictures import Drawing

        self.console.clear()
        print_draft(self.app, draft, self.console, drawing=Drawing.NONE)
        self._wait()

    def _wait(self) -> None:
        echo("\nany key goes back to the draft")
        keys.read_key()

    def _decide(self, draft_id: int, name: str) -> None:
        """Count a decision, and remember it for `_undo`."""
        self.counts[name] += 1
        self.decided.append((draft_id, name))

    def _undo(self, _: Draft) -> None:
        """Take back the last decision of this review, and show its draft."""
        if not self.decided:
            self.message = "nothing was decided in this review yet; earlier decisions: auria undo ID"
            return
        draft_id, name = self.decided[-1]
        self.app.review.undo(draft_id)
        self.decided.pop()
        self.counts[name] -= 1
        if draft_id not in self.queue:  # it was replaced by a new version, which stays in the queue
            self.queue.insert(self.at, draft_id)
        self.at = self.queue.index(draft_id)
        self.message = f"the last decision on draft {draft_id} is undone"

    def _approve(self, draft: Draft) -> None:
        self.app.review.approve([draft.id], channels=self.channels)
        self._decide(draft.id, "approved")
        self.at += 1

    def _reject(self, draft: Draft) -> None:
        reason = self._line("reason (Enter for none, Ctrl-D to cancel): ")
        if reason is None:
            return
        self.app.review.reject(draft.id, reason=reason)
        self._decide(draft.id, "rejected")
        self.at += 1

    def _edit(self, draft: Draft) -> None:
        from auria_bot.cli.terminal import editor

        changed = editor.edit(draft.text, draft.alt_text)
        if changed is not None:
            self.app.review.edit(draft.id, text=changed[0], alt_text=changed[1])
            self._decide(draft.id, "edited")

    def _restyle(self, draft: Draft) -> None:
        answer = self._line("mood, painting title, or Enter for another painting of the same mood: ")
        if answer is None:
            return
        from auria_bot.cli.terminal.progress import following
        from auria_bot.domain.mood import MOODS
        from auria_bot.domain.pipeline import ArtworkRequest

        mood = answer.lower() if answer.lower() in MOODS else None
        style = answer if answer and mood is None else None
        with following(1) as progress:
            new = self.app.review.restyle(draft.id, ArtworkRequest(mood=mood, style=style), progress=progress)
        self._show_new(draft, new)

    def _repaint(self, draft: Draft) -> None:
        from auria_bot.cli.terminal.progress import following
        from auria_bot.domain.pipeline import ArtworkRequest

        with following(1) as progress:
            new = self.app.review.repaint(draft.id, ArtworkRequest(), progress=progress)
        self._show_new(draft, new)

    def _show_new(self, old: Draft, new: Draft) -> None:
        """Show the new version in place of the old one."""
        self.queue[self.at] = new.id
        self._decide(old.id, "made again")
        self.message = f"draft {new.id} replaces draft {old.id}; u keeps both"

    def _line(self, question: str) -> str | None:
        """A line of text; None when the operator cancels."""
        try:
            answer = input(question)
        except EOFError:
            echo("")
            return None
        return "".join(char for char in answer if char.isprintable()).strip()
