"""Decisions on single texts: `corpus rejected`, `corpus accept` and `corpus forget`."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from auria_bot.cli.app import Json, app_context
from auria_bot.cli.terminal.console import counted, echo, note, out, print_json, single_line

if TYPE_CHECKING:
    from auria_bot.corpus.item import CorpusItem
    from auria_bot.services.corpus.rejected_texts import Accepted

__all__ = ["accept", "forget", "rejected"]


def rejected(
    reason: Annotated[str, typer.Option("--reason", metavar="REASON", help="Only this one.")] = "",
    sample: Annotated[
        int,
        typer.Option("--sample", "-n", min=0, max=1_000_000, help="At most this many texts of each reason; 0 for all."),
    ] = 5,
    seed: Annotated[int | None, typer.Option("--seed", "-s", help="The same seed shows the same texts.")] = None,
    as_json: Json = False,
) -> None:
    """List what the filter rejected, by reason, and what each reason means.

    The lines of rejected poems are kept for the days of corpus.keep_rejected_days, those with addresses or numbers to
    call never; importing a file again shows its lines again. To accept a poem: auria corpus accept.
    """
    with app_context() as app:
        found = app.rejected_texts.list(
            reason=reason, sample=sample, seed=secrets.randbits(32) if seed is None else seed
        )
    if as_json:
        print_json(
            [
                {
                    "reason": one.name,
                    "meaning": one.meaning,
                    "count": one.count,
                    "texts": [_text_json(text) for text in one.texts],
                }
                for one in found
            ]
        )
        return
    if not found:
        note("nothing was rejected" + (f" for {reason!r}" if reason else ""))
        return
    _print_reasons(found)
    note("accept a poem, whatever its reason: auria corpus accept ID or DIGEST")


def _print_reasons(found: Any) -> None:
    console = out()
    for one in found:
        console.print(Text.assemble((one.name, "bold"), f"  {one.count:,}", (f"  {one.meaning}", "dim")))
        for text in one.texts:
            lines = " / ".join(text.lines) or "(its lines are not kept)"
            console.print(Text(f"  {single_line(lines, 100)}"))
            console.print(Text(f"    {text.digest}  {_place(text)}", style="dim"))


def _place(text: CorpusItem) -> str:
    where = f"r/{text.subreddit}" if text.source == "reddit" else single_line(text.origin, 50)
    return "  ".join(part for part in (where, text.external_id) if part)


def _text_json(text: CorpusItem) -> dict[str, Any]:
    return {
        "digest": text.digest,
        "lines": list(text.lines),
        "source": text.source,
        "origin": text.origin,
        "subreddit": text.subreddit,
        "id": text.external_id,
        "created_at": text.created_at.isoformat() if text.created_at else None,
    }


def accept(
    what: Annotated[
        list[str],
        typer.Argument(metavar="ID|DIGEST", help="A post's id or address, the digest of a poem, or 'FILE ID'."),
    ],
    undo: Annotated[bool, typer.Option("--undo", help="Reject it again.")] = False,
    as_json: Json = False,
) -> None:
    """Accept rejected poems: every copy of them is kept from now on, and goes into versions."""
    with app_context() as app:
        decide = app.rejected_texts.undo if undo else app.rejected_texts.accept
        done = [decide(one) for one in what]
    if as_json:
        print_json(
            [{"digest": one.digest, "reason": one.reason, "kept": bool(one.text.lines) and not undo} for one in done]
        )
        return
    for one in done:
        if undo:
            echo(f"{one.digest}: rejected again ({one.reason})")
        elif not one.changed:
            echo(f"{one.digest}: was accepted before, in spite of {one.reason!r}")
        else:
            echo(f"{one.digest}: accepted, in spite of {one.reason!r}")
        if not undo and not one.text.lines:
            note(_read_again(one))
    if any(one.text.lines and one.changed for one in done):
        note(f"{counted(len(done), 'decision')} for the next version: auria corpus version")


def _read_again(one: Accepted) -> str:
    """How a poem comes back whose lines are not kept."""
    text = one.text
    if text.source == "reddit" and text.created_at and text.subreddit:
        day = f"{text.created_at:%Y-%m-%d}"
        return (
            "its lines are not kept; read it again: auria corpus refresh"
            f" --subreddit {text.subreddit} --since {day} --until {day}"
        )
    return f"its lines are not kept; read it again: auria corpus import FILE (it came from {text.origin[:60]})"


def forget(
    what: Annotated[
        list[str],
        typer.Argument(metavar="ID|AUTHOR", help="A post's id or address, u/NAME, or the digest of a verse."),
    ],
    backups: Annotated[
        bool, typer.Option("--backups", help="Also delete it from the backups that hold it, by rewriting them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Delete posts, authors or verses permanently.

    What was deleted is never imported again, from any source, and a restored backup does not bring it back. Backups
    that still hold it are named.
    """
    with app_context() as app:
        keys, digests = app.corpus_importer.identify(what)
        gone = {one: app.corpus_importer.forget(one) for one in what}
        versions = [one.name for one in app.version_builder.list() if app.version_builder.has_file(one)]
        copies = app.erasure.copies(keys=keys, digests=digests)
        done = app.erasure.rewrite(copies.holding) if backups else None
    if as_json:
        rewritten = asdict(done) if done else None
        print_json({"forgotten": gone, "versions": versions, "backups": asdict(copies), "rewritten": rewritten})
        return
    for one, count in gone.items():
        echo(f"{one}: {counted(count, 'verse')} forgotten, and never imported again")
    if sum(gone.values()) and versions:
        names = ", ".join(versions[:4])
        note(f"older versions may contain it: {names}; auria corpus version, then auria corpus drop NAME")
    for place in done.done if done else ():
        echo(f"rewritten without it: {place}")
    for failure in done.failed if done else ():
        note(f"not rewritten: {failure}")
    if copies.holding and done is None:
        note("still in these copies of the database; delete it there with --backups:")
        for place in copies.holding:
            note(f"  {place}")
    for failure in copies.unreadable:
        note(f"may hold it, but cannot be read: {failure}")
    if done is not None and done.failed:
        raise typer.Exit(1)
