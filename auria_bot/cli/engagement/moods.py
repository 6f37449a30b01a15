"""The moods: `moods`, what each is like, and which Auria leans to and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.terminal.console import note

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table
    from rich.text import Text

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.artwork import Artwork
    from auria_bot.domain.mood import Mood
    from auria_bot.services.engagement.preferences import Preference, Preferences

__all__ = ["list_moods", "strip"]

_SHOWN = 5  # paintings at either end
_SCALE = 1.5  # spreads to either side of what is usual, on the drawn scale
_HALF = 9  # characters to either side
_SCALE_HEAD = f"-{_SCALE:g}{'usual':^{2 * _HALF - 7}}+{_SCALE:g}"
_WIDE = 110  # columns from which a mood is described


def list_moods(
    styles: Annotated[
        bool, typer.Option("--styles", help="List the paintings that were used instead, all of them.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the moods, what they are like, and which she leans to.

    What followers did with earlier artworks makes her lean to some moods and paintings. How each was received is told in units of the
    channel's usual spread, 0 being usual; where there were few artworks it is drawn to what is usual.
    """
    from auria_bot.cli.app_context import app_context
    from auria_bot.cli.terminal.console import out, print_json
    from auria_bot.domain.mood import MOODS

    with app_context() as app:
        leanings = app.moods.preferences()
        if as_json:
            print_json(_styles_json(leanings) if styles else _moods_json(leanings))
        elif not leanings.artworks:
            if not styles:
                out().print(_plain(MOODS.values()))
            note("nothing was measured yet, so every mood is read from its poem; once posts are out: auria measure")
        else:
            console = out()
            if not styles:
                console.print(_moods(leanings, MOODS if console.width >= _WIDE else {}))
            console.print(_paintings(app, leanings, whole=styles))
            note(_words(leanings))


def _words(leanings: Preferences) -> str:
    """What she leans to and how much that counts, in a few sentences."""
    told = f"{leanings.artworks} artworks were measured; with the young and the old counted in part, that is {leanings.evidence:.0f}."
    if not leanings.enabled:
        return f"{told} Learning is off (learning.enabled), so every mood is read from its poem."
    best = leanings.moods[0]
    return (
        f"{told} Made without a wish, {leanings.share:.0%} of her artworks take a mood by these chances, {best.name} first with"
        f" {best.chance:.0%}; the mood of the others is read from the poem. No mood ever falls below {leanings.floor:.1%}."
    )


def _plain(moods: Any) -> Table:
    from auria_bot.cli.terminal.console import table

    rows = ((mood.name, mood.parent, f"{mood.strength:.2f}", mood.description) for mood in moods)
    return table("", ("mood", "emotion", "style", "what it is like"), rows)


def _moods(leanings: Preferences, moods: Mapping[str, Mood]) -> Table:
    """One row a mood, the likeliest first; what it is like, where `moods` holds it."""
    from auria_bot.cli.terminal.console import table

    rows: list[list[str | Text]] = []
    for one in leanings.moods:
        row: list[str | Text] = [one.name, str(one.artworks or ""), *_received(one), f"{one.chance:.1%}"]
        rows.append([*row, moods[one.name].parent, moods[one.name].description] if moods else row)
    names = ("mood", "works", "received", _SCALE_HEAD, "next", *(("emotion", "what it is like") if moods else ()))
    return _right(table("", names, rows), 1, 2, 4)


def _received(one: Preference) -> tuple[str, Text]:
    from rich.text import Text

    return f"{one.mean:+.2f}", Text(strip(one.low, one.mean, one.high), style="magenta" if one.artworks else "dim")


def strip(low: float, mean: float, high: float) -> str:
    """An interval with its mean, on a scale with what is usual in its middle."""
    left, place, right = (max(0, min(2 * _HALF, round(_HALF + value / _SCALE * _HALF))) for value in (low, mean, high))
    cells = ["─" if left <= cell <= right else "│" if cell == _HALF else " " for cell in range(2 * _HALF + 1)]
    cells[place] = "●"
    return "".join(cells)


def _paintings(app: Application, leanings: Preferences, *, whole: bool) -> Table:
    """The paintings that are loved best and least, or all, each with its weight in the stylist's choice."""
    from auria_bot.cli.terminal.console import table

    shown = leanings.styles
    if len(shown) > 2 * _SHOWN and not whole:
        shown = (*shown[:_SHOWN], *shown[-_SHOWN:])
    titles = _titles(app, shown)
    rows = [
        (titles.get(one.name, one.name), str(one.artworks), *_received(one), f"x {one.chance:.2f}") for one in shown
    ]
    return _right(table("", ("painting", "works", "received", _SCALE_HEAD, "weight"), rows), 1, 2, 4)


def _titles(app: Application, shown: Sequence[Preference]) -> dict[str, str]:
    """The title and painter of each style, from a draft that was made in it."""
    from auria_bot.cli.studio.views import single_line

    wanted = {one.name for one in shown}
    with app.store.read() as unit:
        examples = {one.style: one.draft_id for one in unit.samples.post_engagements() if one.style in wanted}
        artworks: Mapping[int, Artwork] = unit.samples.artworks(list(examples.values()))
    return {
        key: single_line(f"{artworks[draft].style.title}, {artworks[draft].style.artist}", 44)
        for key, draft in examples.items()
    }


def _right(grid: Table, *places: int) -> Table:
    for place in places:
        grid.columns[place].justify = "right"
    return grid


def _moods_json(leanings: Preferences) -> list[dict[str, Any]]:
    """Every mood for programs, in the order of MOODS; `drawn` is the chance that the next artwork takes it by learning."""
    from auria_bot.domain.mood import MOODS

    by_name = {one.name: one for one in leanings.moods}
    return [
        {
            "name": mood.name,
            "parent": mood.parent,
            "description": mood.description,
            "valence": mood.valence,
            "arousal": mood.arousal,
            "strength": mood.strength,
            "words": list(mood.words),
            **_leaning(by_name[mood.name]),
            "chance": round(by_name[mood.name].chance, 6),
            "drawn": round(by_name[mood.name].chance * leanings.share, 6),
        }
        for mood in MOODS.values()
    ]


def _styles_json(leanings: Preferences) -> list[dict[str, Any]]:
    """The paintings that were used, for programs."""
    return [{"key": one.name, **_leaning(one), "weight": round(one.chance, 6)} for one in leanings.styles]


def _leaning(one: Preference) -> dict[str, Any]:
    return {"artworks": one.artworks, "mean": round(one.mean, 4), "low": round(one.low, 4), "high": round(one.high, 4)}
