"""Drafts one by one: `drafts`, `show`, `approve`, `reject`, `edit`, `restyle` and `repaint`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auria_bot.cli.terminal.console import note
from auria_bot.execution.parent_watch import report

if TYPE_CHECKING:
    from rich.console import Console

    from auria_bot.bootstrap.application import Application
    from auria_bot.cli.terminal.pictures import Drawing
    from auria_bot.domain.draft import Draft

__all__ = ["approve", "edit", "list_drafts", "look_at", "reject", "repaint", "restyle", "show"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[int, typer.Argument(metavar="ID", help="The draft's number.")]
Ids = Annotated[list[int], typer.Argument(metavar="ID...", help="Drafts, by their numbers.")]


def list_drafts(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="made, approved, rejected or scheduled; may be repeated."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """List drafts, the newest first."""
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.studio.views import draft_json, draft_table
    from auria_bot.cli.terminal.console import out, print_json
    from auria_bot.domain.draft import DraftState
    from auria_bot.errors import UnknownName

    known = {str(one) for one in DraftState}
    for name in state or ():
        if name not in known:
            raise UnknownName(f"no state named {name[:40]!r}; known: {', '.join(sorted(known))}")
    with app_context() as app:
        drafts = app.review.drafts([DraftState(name) for name in state or ()], limit=limit)
        if as_json:
            print_json([draft_json(draft, app.pictures) for draft in drafts])
        elif drafts:
            out().print(draft_table(drafts, app.settings.time_zone))
        else:
            note("there is no such draft; make some: auria make")


def show(
    draft_id: Id,
    drawing: Annotated[
        str,
        typer.Option("--picture", help="How to draw it: auto, kitty, iterm, sixel, blocks, blocks-256 or none."),
    ] = "auto",
    name: Annotated[str, typer.Option("--which", help="Which picture: post, full, card or painting.")] = "post",
    as_json: Json = False,
) -> None:
    """Show a draft: picture, poem and words.

    The picture is drawn where the terminal can draw one, else its path is printed.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.studio.views import draft_json
    from auria_bot.cli.terminal.console import out, print_json
    from auria_bot.cli.terminal.pictures import Drawing
    from auria_bot.errors import UnknownName

    if drawing not in set(Drawing):
        raise UnknownName(f"no way to draw named {drawing[:40]!r}; known: {', '.join(Drawing)}")
    if name not in {"post", "full", "card", "painting"}:
        raise UnknownName(f"no picture named {name[:40]!r}; known: post, full, card, painting")
    with app_context() as app:
        draft = app.review.draft(draft_id)
        if as_json:
            print_json(draft_json(draft, app.pictures))
        else:
            look_at(app, draft, out(), drawing=Drawing(drawing), name=name)


def look_at(
    app: Application,
    draft: Draft,
    console: Console,
    *,
    drawing: Drawing,
    name: str = "post",
    room: int = 16,
) -> None:
    """Print a draft's picture, where it can be drawn, and its page.

    Args:
        app: the application.
        draft: the draft.
        console: where to.
        drawing: how; AUTO asks the terminal.
        name: which of its pictures.
        room: rows of the terminal that the words need.
    """
    from auria_bot.cli.studio.views import page, picture_of
    from auria_bot.cli.terminal.pictures import Drawing, choose, draw

    if drawing is Drawing.AUTO:
        drawing = choose(os.environ, terminal=sys.stdout.isatty())
    path = picture_of(app.pictures, draft, name)
    if path is None:
        note(f"its picture {name!r} is no longer in {app.pictures.root / draft.folder}")
    else:
        size = shutil.get_terminal_size()
        sys.stdout.write(draw(Path(path), drawing, columns=min(size.columns - 1, 100), rows=max(size.lines - room, 8)))
        sys.stdout.flush()
    page(draft, console, app.settings.time_zone)
    if path is not None:
        from rich.text import Text

        console.print(Text(f"\n{path}", style="dim"), soft_wrap=True)


def approve(
    ids: Ids,
    channel: Annotated[
        list[str] | None, typer.Option("--channel", "-c", help="Where it goes; may be repeated.")
    ] = None,
) -> None:
    """Approve drafts: sign picture and words for publishing."""
    from auria_bot.cli.app_context import app_context

    with app_context() as app:
        approved = [
            f"draft {draft.id} is approved for {', '.join(draft.channels)}"
            for draft in app.review.approve(ids, channels=channel or ())
        ]
    for line in approved:
        typer.echo(line)
    report("; ".join(approved))
    note("publish what is approved: auria publish")


def reject(
    ids: Ids,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; kept with the draft.")] = "",
) -> None:
    """Reject drafts for good.

    They are kept, but never published.
    """
    from auria_bot.cli.app_context import app_context

    with app_context() as app:
        for one in ids:
            draft = app.review.reject(one, reason=reason)
            typer.echo(f"draft {draft.id} is rejected")


def edit(
    draft_id: Id,
    text: Annotated[str | None, typer.Option("--text", help="The post's new text.")] = None,
    alt_text: Annotated[str | None, typer.Option("--alt-text", help="The picture's new description.")] = None,
) -> None:
    """Change a draft's words.

    In your editor, or by options. An approval that stood is void.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.terminal import editor

    with app_context() as app:
        if text is None and alt_text is None:
            draft = app.review.draft(draft_id)
            changed = editor.edit(draft.text, draft.alt_text)
            if changed is None:
                note(f"draft {draft_id} stays as it is")
                return
            text, alt_text = changed
        draft = app.review.edit(draft_id, text=text, alt_text=alt_text)
        typer.echo(f"draft {draft.id} has new words and waits for approval: auria approve {draft.id}")


def restyle(
    draft_id: Id,
    style: Annotated[
        str | None, typer.Option("--style", help="A painting's key or title (see auria styles list).")
    ] = None,
    mood: Annotated[str | None, typer.Option("--mood", "-m", help="Another mood (see auria moods).")] = None,
    mode: Annotated[str | None, typer.Option("--mode", help="painterly, or photorealistic: colours only.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", "-s", help="The same seed makes the same artwork.")] = None,
    as_json: Json = False,
) -> None:
    """Make a draft anew in another style.

    Poem and painting stay the same. The new version takes the draft's place, which is put aside.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.terminal.progress import following
    from auria_bot.domain.request import ArtworkRequest

    request = ArtworkRequest(style=style, mood=mood, mode=mode, seed=seed)
    with app_context() as app:
        with following(1) as report:
            new = app.review.restyle(draft_id, request, progress=report)
        _tell_new(app, draft_id, new, as_json=as_json)


def repaint(
    draft_id: Id,
    seed: Annotated[int | None, typer.Option("--seed", "-s", help="The same seed makes the same artwork.")] = None,
    as_json: Json = False,
) -> None:
    """Make a draft anew with another picture.

    The poem stays the same. The new version takes the draft's place, which is put aside.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.terminal.progress import following
    from auria_bot.domain.request import ArtworkRequest

    with app_context() as app:
        with following(1) as report:
            new = app.review.repaint(draft_id, ArtworkRequest(seed=seed), progress=report)
        _tell_new(app, draft_id, new, as_json=as_json)


def _tell_new(app: Application, old: int, new: Draft, *, as_json: bool) -> None:
    """Print which draft took the place of which."""
    from auria_bot.cli.studio.make import print_draft
    from auria_bot.cli.studio.views import draft_json
    from auria_bot.cli.terminal.console import out, print_json

    if as_json:
        print_json(draft_json(new, app.pictures))
        return
    print_draft(app, new, out())
    note(f"draft {new.id} takes the place of draft {old}; look at it: auria show {new.id}")
