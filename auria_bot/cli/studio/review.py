"""Reviewing drafts one by one with single keys: `review`.

The screen shows the picture of a draft with its texts beside it, below it on fewer than 60 columns, and the keys.
Nothing scrolls: texts that are too long are cut, and a line says which key shows them in full.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from auria_bot.cli.app import app_context
from auria_bot.cli.error_reporting import sentence
from auria_bot.cli.studio.drafts import print_draft, saving
from auria_bot.cli.terminal import prompts
from auria_bot.cli.terminal.console import echo, note, out, printable, single_line, state_text
from auria_bot.cli.terminal.pictures import Drawing, DrawingOption, draw, in_terminal, size_in_cells
from auria_bot.cli.terminal.progress import following
from auria_bot.domain.draft import DraftState
from auria_bot.domain.mood import MOODS
from auria_bot.domain.pipeline import ArtworkRequest
from auria_bot.errors import AuriaError, UsageError
from auria_bot.services.serialization import picture_path
from auria_bot.services.studio.review import kept_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.draft import Draft

__all__ = ["KEYS", "Page", "help_text", "review", "show_page"]

KEYS = (
    ("a", "approve", "approve it for the channels shown"),
    ("r", "reject", "reject it; asks for a reason"),
    ("e", "edit", "edit post and alt text in your editor"),
    ("s", "restyle", "make a new version in another style or mood"),
    ("p", "repaint", "make a new version with another picture"),
    ("o", "other", "show the next version of this draft; a approves the one that is shown"),
    ("u", "undo", "take back the last decision of this review"),
    ("n", "next", "go on without a decision (also space and Enter)"),
    ("b", "back", "go back to the draft before"),
    ("v", "view", "show every detail, and long texts in full"),
    ("?", "keys", "show this list"),
    ("q", "quit", "leave; what is decided stays decided (also Esc and Ctrl-D)"),
)
"""Each key with its name and what it does."""

_FEW = frozenset("aresupnq?")  # the keys that a narrow screen names
_STACKED = 60  # columns below which the texts stand under the picture
_LEAST_TEXT = 40  # columns of the texts beside a picture
_MOST_TEXT = 100
_GAP = 2  # columns between picture and texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the screen shows."""

    draft: Draft
    position: str  # such as "1 of 3"
    channels: Sequence[str]  # where an approval would publish it
    picture: str | None  # a path; None when the file is gone
    versions: str = ""  # such as "version 1 of 2"; "" where there is only one
    message: str = ""  # about the last key


def show_page(page: Page, console: Console, drawing: Drawing) -> None:
    """Draw a page on the whole terminal; the cursor is left on an empty line below the keys."""
    drawing = in_terminal(drawing)
    size = shutil.get_terminal_size()
    columns, rows = size.columns, size.lines
    message = list(Text(printable(page.message), style="yellow").wrap(console, max(columns - 1, 20)))[:4]
    foot = [*message, *_key_line(columns).wrap(console, max(columns - 1, 20))]
    body = rows - 1 - len(foot)  # the last line is for answers
    top, left, drawn = 1, 1, ""
    if page.picture is not None and drawing is not Drawing.NONE:
        stacked = columns < _STACKED
        room = (columns - 1, body // 2) if stacked else (columns - _LEAST_TEXT - _GAP, body)
        wide, high = size_in_cells(Path(page.picture), *room)
        top, left = (high + 1, 1) if stacked else (1, wide + _GAP + 1)
        drawn = draw(Path(page.picture), drawing, columns=room[0], rows=room[1])
    lines = _texts(page, console, width=min(columns - left, _MOST_TEXT), rows=body - top + 1)
    parts = ["\x1b[2J\x1b[H", drawn]
    parts += [f"\x1b[{top + number};{left}H{_rendered(line, console)}" for number, line in enumerate(lines)]
    parts += [f"\x1b[{body + 1 + number};1H{_rendered(line, console)}" for number, line in enumerate(foot)]
    sys.stdout.write("".join(parts) + f"\x1b[{rows};1H")
    sys.stdout.flush()


def help_text() -> str:
    """Every key and what it does, one a line."""
    return "\n".join(f"  {key}  {name:<8} {meaning}" for key, name, meaning in KEYS)


def _key_line(columns: int) -> Text:
    line = Text()
    named = KEYS if columns >= 120 else [key for key in KEYS if key[0] in _FEW]
    for key, name, _ in named:
        line.append(key, style="reverse")
        line.append(f" {name}  " if columns >= 100 else f" {name} ")
    return line


def _texts(page: Page, console: Console, *, width: int, rows: int) -> list[Text]:
    """The texts beside the picture, in at most so many lines, each at most so wide."""
    draft, art = page.draft, page.draft.artwork
    poem, post = "\n".join(art.haiku.lines), draft.text.strip()
    head = Text.assemble((f"draft {draft.id}", "bold"), ", ", state_text(draft.status), (f"   {page.position}", "dim"))
    if page.versions:
        head.append(f"   {page.versions}, o: other", style="dim")
    if draft.reason:
        head.append(f"\n{single_line(draft.reason, 200)}", style="dim")
    blocks = [head, Text(printable(poem), style="bold italic")]
    if post.startswith(poem):
        post = post[len(poem) :].strip()  # the poem stands above already
    if post:
        blocks.append(Text.assemble(("post  ", "dim"), printable(post)))
    blocks += [
        Text.assemble((f"on {name}  ", "dim"), printable(text)) for name, text in sorted(draft.channel_texts.items())
    ]
    if art.film is not None:
        blocks.append(Text.assemble(("film  ", "dim"), art.film.summary))
    blocks.append(Text.assemble(("alt text  ", "dim"), printable(draft.alt_text)))
    blocks.append(Text.assemble(("channels  ", "dim"), ", ".join(draft.channels or page.channels)))
    details = f"{art.mood}; {printable(art.style.credit)}, {art.style.mode}; seed {art.seed}"
    details += f"; offered by a {art.origin}" if art.origin else ""
    blocks.append(Text(f"{details}; {single_line(art.theme, 100)}" if art.theme else details, style="dim"))
    if page.picture is None:
        blocks.append(Text("the picture is missing", style="red"))
    return _fitted([list(block.wrap(console, max(width, 10))) for block in blocks], rows)


def _fitted(blocks: list[list[Text]], rows: int) -> list[Text]:
    """The blocks, with empty lines between them if there is room; otherwise the longest blocks are cut."""
    if sum(map(len, blocks)) + len(blocks) - 1 <= rows:
        return [line for block in blocks for line in [*block, Text()]][:-1]
    while sum(map(len, blocks)) > rows and max(map(len, blocks)) > 1:
        longest = max(blocks, key=len)
        longest[-2:] = [Text("… (v shows all)", style="dim")]
    return [line for block in blocks for line in block][:rows]


def _rendered(line: Text, console: Console) -> str:
    with console.capture() as captured:
        console.print(line, end="", no_wrap=True, overflow="crop", soft_wrap=True)
    return captured.get()


def review(
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID", help="These drafts. Default: all that wait.")] = None,
    channel: Annotated[
        list[str] | None, typer.Option("--channel", "-c", help="Where approved drafts are published; may be repeated.")
    ] = None,
    drawing: DrawingOption = "auto",
) -> None:
    """Review waiting drafts one by one, with single keys.

    a approve, r reject with a reason, e edit, s restyle, p repaint, o other version, u undo, n or space next, b back,
    v view in full, ? keys, q quit. Each decision is saved at once, and can be undone until it is published.
    """
    if not prompts.is_terminal():
        raise UsageError(
            "review needs a terminal; without one use: auria drafts --state made, auria approve ID, auria reject ID"
        )
    with app_context() as app:
        _ReviewSession(app, channels=tuple(channel or ()), drawing=Drawing(drawing)).run(ids)


class _ReviewSession:
    """One review session; each decision is saved at once."""

    def __init__(self, app: Application, *, channels: tuple[str, ...], drawing: Drawing) -> None:
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
        return [draft.id for draft in reversed(self.app.review.drafts([DraftState.MADE]))]

    def _review_one(self, draft_id: int) -> bool:
        """Show a draft and carry out one key; False when the operator quits."""
        draft = self.app.review.draft(draft_id)
        self._show(draft)
        key = prompts.read_key().lower()
        if key in {"q", prompts.ESCAPE}:
            return False
        if key in {"n", " ", "\r", "\n", "\t"}:
            self.at += 1
        elif key == "b":
            self.at = max(0, self.at - 1)
        elif action := self._actions().get(key):
            try:
                action(draft)
            except AuriaError as error:
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
            "o": self._other,
            "u": self._undo,
            "v": self._view,
            "?": self._help,
        }

    def _show(self, draft: Draft) -> None:
        numbers = [one.id for one in self.app.review.versions(draft.id)]
        page = Page(
            draft=draft,
            versions=f"version {numbers.index(draft.id) + 1} of {len(numbers)}" if len(numbers) > 1 else "",
            position=f"{self.at + 1} of {len(self.queue)}",
            channels=self.channels or self.app.settings.review.channels,
            picture=picture_path(self.app.pictures, draft, "post"),
            message=self.message,
        )
        self.message = ""
        show_page(page, self.console, self.drawing)

    def _help(self, _: Draft) -> None:
        self.console.clear()
        echo(help_text())
        self._wait()

    def _view(self, draft: Draft) -> None:
        self.console.clear()
        print_draft(self.app, draft, self.console, drawing=Drawing.NONE)
        self._wait()

    def _wait(self) -> None:
        echo("\nany key goes back to the draft")
        prompts.read_key()

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
        if prompts.edit(prompts.EditedTexts.of(draft), saving(self.app, draft.id)) is not None:
            self._decide(draft.id, "edited")

    def _restyle(self, draft: Draft) -> None:
        answer = self._line("mood, painting title, or Enter for another painting of the same mood: ")
        if answer is None:
            return
        mood = answer.lower() if answer.lower() in MOODS else None
        style = answer if answer and mood is None else None
        with following(1) as progress:
            new = self.app.review.restyle(draft.id, ArtworkRequest(mood=mood, style=style), progress=progress)
        self._show_new(draft, new)

    def _repaint(self, draft: Draft) -> None:
        with following(1) as progress:
            new = self.app.review.repaint(draft.id, ArtworkRequest(), progress=progress)
        self._show_new(draft, new)

    def _show_new(self, old: Draft, new: Draft) -> None:
        """Show the new version in place of the old one."""
        self.queue[self.at] = new.id
        self._decide(old.id, "made again")
        kept = f"; your {' and '.join(found)} kept" if (found := kept_words(old, new)) else ""
        self.message = f"draft {new.id} replaces draft {old.id}{kept}; o shows the other, u keeps both"

    def _other(self, draft: Draft) -> None:
        """Show the next version of the draft in its place."""
        numbers = [one.id for one in self.app.review.versions(draft.id)]
        other = numbers[(numbers.index(draft.id) + 1) % len(numbers)]
        if other == draft.id:
            self.message = "there is no other version; s and p make one"
        elif other in self.queue:
            self.at = self.queue.index(other)
        else:
            self.queue[self.at] = other

    def _line(self, question: str) -> str | None:
        """A line of text; None when the operator cancels."""
        try:
            answer = input(question)
        except EOFError:
            echo("")
            return None
        return "".join(char for char in answer if char.isprintable()).strip()
