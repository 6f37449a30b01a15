"""`auria portrait`: her emblem, made by her own networks from a seed."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.app import Json, app_context, command_group, is_called_alone
from auria_bot.cli.terminal.console import counted, note, print_result
from auria_bot.cli.terminal.progress import counting
from auria_bot.errors import UsageError
from auria_bot.services.portraits.portraits import FILES, SIZES

if TYPE_CHECKING:
    from auria_bot.services.portraits.portraits import Portrait

__all__ = ["candidates", "portrait", "show", "use"]

portrait = command_group()

_MOST_SEED = 2**62
Medium = Annotated[str, typer.Option("--medium", help="ink, watercolour, woodblock or oil.")]
Style = Annotated[str, typer.Option("--style", help="Take the colours and brushwork of this painting.")]
Mood = Annotated[str, typer.Option("--mood", "-m", help="Take those of a painting that suits this mood.")]


@portrait.callback(invoke_without_command=True)
def candidates(
    context: typer.Context,
    seed: Annotated[int, typer.Option("--seed", "-s", min=0, max=_MOST_SEED, help="The first candidate's seed.")] = 1,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=60, help="How many candidates.")] = 12,
    medium: Medium = "ink",
    style: Style = "",
    mood: Mood = "",
    size: Annotated[
        int | None, typer.Option("--size", help="Pixels of a single one's side: 400, 512 or 1024. Default: 1024.")
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="The file. Default: portraits.jpg, or portrait-SEED.png for a single one."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make her portrait, an emblem painted by her own networks, and use it.

    Writes a sheet of candidates to choose from, or with --count 1 a single portrait. It shows mountains that the
    painter imagined, a ring and a seal: no face, so nobody's. The same seed gives the same portrait.
    """
    if not is_called_alone(context):
        return
    from auria_bot.art.portraits.portrait import PortraitRequest

    if size is not None and count > 1:
        raise UsageError("--size is that of a single portrait; add --count 1, or leave it out")
    requests = tuple(PortraitRequest(seed=seed + n, medium=medium, style=style, mood=mood) for n in range(count))
    path = target or Path(f"portrait-{seed}.png" if count == 1 else "portraits.jpg")
    with app_context() as app:
        if count == 1:
            app.portraits.write(requests[0], path, size=SIZES[-1] if size is None else size)
        else:
            with counting("painting") as progress:
                app.portraits.write_sheet(requests, path, lambda done, total: progress(done, total, ""))
    value = {"file": str(path.absolute()), "seeds": [request.seed for request in requests]}
    print_result(value, f"{path.absolute()}: {counted(count, 'portrait')}", as_json=as_json)
    if not as_json:
        chosen = f"{seed if count == 1 else 'SEED'}{_options(medium, style, mood)}"
        note(f"use {'it' if count == 1 else 'one'}: auria portrait use {chosen}")


@portrait.command()
def use(
    seed: Annotated[int, typer.Argument(min=0, max=_MOST_SEED, help="The portrait's seed.")],
    medium: Medium = "ink",
    style: Style = "",
    mood: Mood = "",
    as_json: Json = False,
) -> None:
    """Use a portrait: on the web site from now on, and as an avatar where you ask for it.

    A channel's profile is changed only by auria channels avatar NAME.
    """
    from auria_bot.art.portraits.portrait import PortraitRequest

    with app_context() as app:
        used = app.portraits.use(PortraitRequest(seed=seed, medium=medium, style=style, mood=mood))
    print_result(_summary(used), f"portrait {seed} is in use: {used.folder}", as_json=as_json)
    if not as_json:
        note("make it a channel's avatar: auria channels avatar NAME")


@portrait.command()
def show(as_json: Json = False) -> None:
    """Show which portrait is in use."""
    with app_context() as app:
        used = app.portraits.require()
    facts = used.facts
    line = f"seed {facts['seed']}{_options(facts['medium'], facts['style'], facts['mood'])}: {used.folder}"
    print_result(_summary(used), line, as_json=as_json)


def _options(medium: str, style: str, mood: str) -> str:
    """The options that make the same portrait again."""
    named = (("medium", medium if medium != "ink" else ""), ("style", style), ("mood", mood))
    return "".join(f" --{name} {shlex.quote(value)}" for name, value in named if value)


def _summary(used: Portrait) -> dict[str, Any]:
    return {**used.facts, "files": [str(used.file(name)) for name in FILES]}
