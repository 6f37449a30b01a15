"""The screen of `review`: the picture of a draft with its texts beside it, and the keys below.

On a screen of fewer than 60 columns the texts stand below the picture. Nothing scrolls: texts that are too long are
cut, and a line says which key shows them in full.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.cli.terminal.console import printable, single_line, state_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.text import Text

    from auria_bot.cli.terminal.pictures import Drawing
    from auria_bot.domain.draft import Draft

__all__ = ["KEYS", "Page", "help_text", "show_page"]

KEYS = (
    ("a", "approve", "approve it for the channels shown"),
    ("r", "reject", "reject it; asks for a reason"),
    ("e", "edit", "edit post and alt text in your editor"),
    ("s", "restyle", "make a new version in another style or mood"),
    ("p", "repaint", "make a new version with another picture"),
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
    message: str = ""  # about the last key


def show_page(page: Page, console: Console, drawing: Drawing) -> None:
    """Draw a page on the whole terminal; the cursor is left on an empty line below the keys."""
    from rich.text import Text

    from auria_bot.cli.terminal.pictures import Drawing, choose, draw, size_in_cells

    if drawing is Drawing.AUTO:
        drawing = choose(os.environ, terminal=sys.stdout.isatty())
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
    from rich.text import Text

    line = Text()
    named = KEYS if columns >= 120 else [key for key in KEYS if key[0] in _FEW]
    for key, name, _ in named:
        line.append(key, style="reverse")
        line.append(f" {name}  " if columns >= 100 else f" {name} ")
    return line


def _texts(page: Page, console: Console, *, width: int, rows: int) -> list[Text]:
    """The texts beside the picture, in at most so many lines, each at most so wide."""
    from rich.text import Text

    draft, art = page.draft, page.draft.artwork
    poem, post = "\n".join(art.haiku.lines), draft.text.strip()
    head = Text.assemble((f"draft {draft.id}", "bold"), ", ", state_text(draft.status), (f"   {page.position}", "dim"))
    if draft.reason:
        head.append(f"\n{single_line(draft.reason, 200)}", style="dim")
    blocks = [head, Text(printable(poem), style="bold italic")]
    if post.startswith(poem):
        post = post[len(poem) :].strip()  # the poem stands above already
    if post:
        blocks.append(Text.assemble(("post  ", "dim"), printable(post)))
    blocks.append(Text.assemble(("alt text  ", "dim"), printable(draft.alt_text)))
    blocks.append(Text.assemble(("channels  ", "dim"), ", ".join(draft.channels or page.channels)))
    details = f"{art.mood}; {printable(art.style.credit)}, {art.style.mode}; seed {art.seed}"
    blocks.append(Text(f"{details}; {single_line(art.theme, 100)}" if art.theme else details, style="dim"))
    if page.picture is None:
        blocks.append(Text("the picture is missing", style="red"))
    return _fitted([list(block.wrap(console, max(width, 10))) for block in blocks], rows)


def _fitted(blocks: list[list[Text]], rows: int) -> list[Text]:
    """The blocks, with empty lines between them if there is room; otherwise the longest blocks are cut."""
    from rich.text import Text

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
