"""Drafts: `drafts`, `show`, `approve`, `reject`, `edit`, `undo` and `sheet`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from auria_bot.cli.app import DraftId, Json, Limit, app_context, check_states
from auria_bot.cli.terminal import prompts
from auria_bot.cli.terminal.console import (
    echo,
    fact_sheet,
    newest,
    note,
    out,
    print_json,
    print_result,
    printable,
    single_line,
    state_text,
    table,
    when,
)
from auria_bot.cli.terminal.pictures import Drawing, draw, in_terminal, known_drawing
from auria_bot.domain.artwork import FILM
from auria_bot.domain.draft import PUBLISHED, WITHDRAWN, DraftState
from auria_bot.errors import NotFound, UnknownName
from auria_bot.execution.parent_watch import report
from auria_bot.services.serialization import PICTURES, draft_json, picture_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.draft import Draft

__all__ = [
    "approve",
    "edit",
    "list_drafts",
    "print_draft",
    "print_summary",
    "reject",
    "saving",
    "sheet",
    "show",
    "undo",
]

_TEXT_ROWS = 16  # of the terminal, below a picture
Ids = Annotated[list[int], typer.Argument(metavar="ID", help="Drafts, by their numbers.")]


def list_drafts(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="made, approved, rejected, scheduled, published or withdrawn; may be repeated."),
    ] = None,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List drafts, newest first."""
    check_states(state, {*map(str, DraftState), PUBLISHED, WITHDRAWN})
    with app_context() as app:
        drafts = newest(app.review.drafts(state or (), limit=limit + 1), limit)
        if as_json:
            print_json([draft_json(draft, app.pictures) for draft in drafts])
        elif drafts:
            out().print(_draft_table(drafts, app.settings.time_zone))
        else:
            note(f"there is no {'such ' if state else ''}draft; make one: auria make")


def show(
    draft_id: DraftId,
    drawing: Annotated[
        str,
        typer.Option(
            "--picture",
            callback=known_drawing,
            help="How to draw it: auto, kitty, iterm, sixel, blocks, blocks-256 or none.",
        ),
    ] = "auto",
    name: Annotated[str, typer.Option("--which", help="Which picture: post, full, card or painting.")] = "post",
    as_json: Json = False,
) -> None:
    """Show a draft: picture, poem and text.

    The picture is drawn when the terminal can draw; its path is always printed.
    """
    if name not in PICTURES:
        raise UnknownName(f"no picture named {name[:40]!r}; known: {', '.join(PICTURES)}")
    with app_context() as app:
        draft = app.review.draft(draft_id)
        if as_json:
            versions = [{"id": one.id, "state": one.status} for one in app.review.versions(draft_id)]
            print_json({**draft_json(draft, app.pictures), "versions": versions})
        else:
            print_draft(app, draft, out(), drawing=Drawing(drawing), name=name)


def print_draft(app: Application, draft: Draft, console: Console, *, drawing: Drawing, name: str = "post") -> None:
    """Print a draft: its picture, when the terminal can draw it, and its facts.

    Args:
        drawing: how to draw; AUTO depends on the terminal.
        name: which of its pictures.
    """
    drawing = in_terminal(drawing)
    path = picture_path(app.pictures, draft, name)
    if path is None:
        note(f"the picture {name!r} is missing from {app.pictures.root / draft.folder}")
    else:
        size = shutil.get_terminal_size()
        sys.stdout.write(
            draw(Path(path), drawing, columns=min(size.columns - 1, 100), rows=max(size.lines - _TEXT_ROWS, 8))
        )
        sys.stdout.flush()
    _print_page(draft, app.review.versions(draft.id), console, app.settings.time_zone)
    if path is not None:
        console.print(Text(f"\n{path}", style="dim"), soft_wrap=True)
        if draft.artwork.film is not None:
            console.print(Text(picture_path(app.pictures, draft, FILM) or "", style="dim"), soft_wrap=True)


def approve(
    ids: Ids,
    channel: Annotated[
        list[str] | None, typer.Option("--channel", "-c", help="Publish on this channel; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Approve drafts for publishing.

    The approval covers picture, text and channels as they are; changing the draft voids it.
    """
    with app_context() as app:
        approved = app.review.approve(ids, channels=channel or ())
        lines = [f"draft {draft.id} is approved for {', '.join(draft.channels)}" for draft in approved]
        _print_drafts(app, approved, *lines, as_json=as_json)
    report("; ".join(lines))
    note("publish approved drafts: auria publish")


def reject(
    ids: Ids,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; saved with the draft.")] = "",
    as_json: Json = False,
) -> None:
    """Reject drafts.

    They stay listed but are never published, unless you take the rejection back: auria undo ID.
    """
    with app_context() as app:
        rejected = []
        for draft_id in ids:
            rejected.append(app.review.reject(draft_id, reason=reason))
            if not as_json:
                echo(f"draft {draft_id} is rejected")
        if as_json:
            _print_drafts(app, rejected, as_json=True)


def edit(
    draft_id: DraftId,
    text: Annotated[str | None, typer.Option("--text", help="The post's new text.")] = None,
    alt_text: Annotated[str | None, typer.Option("--alt-text", help="The new description of the picture.")] = None,
    channel: Annotated[
        str | None,
        typer.Option("--channel", "-c", help="The text is for this channel alone; --text '' gives it the common one."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Edit the texts of a draft: one for all channels, or one channel's own.

    In your editor, or by options. An earlier approval becomes void. What each channel makes of its text is shown by
    auria publish --dry-run.
    """
    with app_context() as app:
        draft = app.review.draft(draft_id)
        own: dict[str, str] = {}
        if channel is not None:
            app.channel_administration.require(channel)
        if text is None and alt_text is None:
            edited = prompts.edit(prompts.EditedTexts.of(draft, channel), saving(app, draft_id))
            if edited is None:
                note(f"draft {draft_id} is unchanged")
                return
            draft = edited
        else:
            if channel is not None and text is not None:
                own, text = {channel: text}, None
            draft = app.review.edit(draft_id, text=text, alt_text=alt_text, channel_texts=own)
        line = f"draft {draft.id} is changed and waits for approval: auria approve {draft.id}"
        _print_drafts(app, [draft], line, as_json=as_json)


def saving(app: Application, draft_id: int) -> Callable[[prompts.EditedTexts], Draft]:
    """Saves what was edited as the texts of a draft."""

    def save(texts: prompts.EditedTexts) -> Draft:
        return app.review.edit(
            draft_id, text=texts.text, alt_text=texts.alt_text, channel_texts=dict(texts.channel_texts)
        )

    return save


def undo(draft_id: DraftId, as_json: Json = False) -> None:
    """Take back the last decision on a draft, until it is published.

    Its approval, its rejection (also that of a version that was replaced), or the last edit of its texts. It waits
    for a decision again.
    """
    with app_context() as app:
        draft = app.review.undo(draft_id)
        line = f"draft {draft.id} waits for a decision again: auria show {draft.id}"
        _print_drafts(app, [draft], line, as_json=as_json)


def _print_drafts(app: Application, drafts: Sequence[Draft], *lines: str, as_json: bool) -> None:
    values = [draft_json(draft, app.pictures) for draft in drafts] if as_json else ()
    print_result(values, *lines, as_json=as_json)


def print_summary(app: Application, draft: Draft, console: Console) -> None:
    """Print a draft in a few lines: mood, style and seed, its poem, and the path of its picture."""
    art = draft.artwork
    console.print(Text.assemble((f"draft {draft.id}", "bold"), f"  {art.mood}, {art.style.credit}, seed {art.seed}"))
    for line in art.haiku.lines:
        console.print(Text(f"    {line}", style="italic"))
    console.print(Text(f"    {picture_path(app.pictures, draft, 'post')}", style="dim"), soft_wrap=True)


def _draft_table(drafts: Sequence[Draft], zone: str) -> Table:
    """Drafts, one a row."""
    rows = [
        (
            str(draft.id),
            state_text(draft.status),
            when(draft.made_at, zone),
            draft.artwork.mood,
            f"{'film: ' if draft.artwork.film else ''}{single_line(str(draft.artwork.haiku), 200)}",
        )
        for draft in drafts
    ]
    return table("", ("id", "state", "made", "mood", "poem"), rows)


def _print_page(draft: Draft, versions: Sequence[Draft], console: Console, zone: str) -> None:
    """Print everything about a draft but its picture."""
    art = draft.artwork
    console.print()
    for line in art.haiku.lines:
        console.print(Padding(Text(printable(line), style="bold italic"), (0, 0, 0, 4)))
    console.print()
    facts = [
        (
            "draft",
            Text.assemble(f"{draft.id}, ", state_text(draft.status), f", made {when(draft.made_at, zone)}"),
        ),
        ("mood", Text(f"{art.mood} ({art.mood_source})")),
        ("theme", Text(single_line(art.theme, 200))),
        ("origin", Text(art.origin)),
        ("style", Text(f"{printable(art.style.credit)}, {art.style.mode}")),
        ("film", Text(f"{art.film.model}: {art.film.summary}" if art.film else "")),
        ("seed", Text(str(art.seed))),
        ("alt text", Text(printable(draft.alt_text))),
        ("post", Text(printable(draft.text))),
        *((f"on {name}", Text(printable(text))) for name, text in draft.channel_texts.items()),
        ("channels", Text(", ".join(draft.channels))),
        ("reason", Text(single_line(draft.reason, 300))),
    ]
    if len(versions) > 1:
        lines = [f"{one.id}  {one.status}  {printable(one.artwork.style.credit)}" for one in versions]
        facts.append(("versions", Text("\n".join(lines))))
    console.print(fact_sheet(facts))


def sheet(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The picture to write: .jpg, .png or .webp.")],
    ids: Annotated[
        list[int] | None, typer.Argument(metavar="ID", help="Drafts by number. Default: the newest twelve.")
    ] = None,
) -> None:
    """Write a contact sheet of drafts and their poems."""
    from auria_bot.art.exporters import card

    with app_context() as app:
        drafts = [app.review.draft(draft_id) for draft_id in ids] if ids else list(app.review.drafts(limit=12))[::-1]
        if not drafts:
            raise NotFound("there is no draft yet; make one: auria make")
        frames = [
            card.Frame(
                picture=app.pictures.path(draft.folder, draft.artwork.files["post"].name),
                poem=draft.artwork.haiku.lines,
                caption=f"{draft.id} · {draft.artwork.mood} · {draft.artwork.style.credit}",
            )
            for draft in drafts
        ]
        card.write_sheet(frames, target)
    echo(f"contact sheet: {target.absolute()}")
