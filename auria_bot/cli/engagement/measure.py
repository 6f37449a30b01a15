"""Engagement: `measure`, and `moods`, how followers received them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from auria_bot.cli.app import Json, OnChannels, app_context
from auria_bot.cli.terminal.console import counted, note, out, print_json, single_line, table, when
from auria_bot.cli.terminal.progress import counting
from auria_bot.domain.approval import accuracy, fit
from auria_bot.domain.mood import MOODS
from auria_bot.errors import ChannelError
from auria_bot.execution.parent_watch import report
from auria_bot.services.engagement.report import measurement_json, moods_json, styles_json, vanished_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from auria_bot.bootstrap.application import Application
    from auria_bot.domain.approval import Approval
    from auria_bot.domain.engagement import TrackedPost
    from auria_bot.domain.mood import Mood
    from auria_bot.services.engagement.preferences import Preference, Preferences
    from auria_bot.services.engagement.tracker import MeasurementResult

__all__ = ["list_moods", "measure", "show_ranker", "strip"]


def measure(
    channel: OnChannels = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what is due; ask no platform, write nothing.")
    ] = False,
    vanished: Annotated[
        bool,
        typer.Option(
            "--vanished", help="Ask again for posts that vanished, and accept it when all posts of a channel have."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure engagement with published posts, where that is due.

    A post is measured 15 minutes, 1, 3, 6 and 12 hours, 1, 2, 4, 7, 14 and 30 days after its publication, then every
    30 days for a year; followers are counted once a day. Running this often does no harm.
    """
    with app_context() as app:
        for name in channel or ():
            app.channel_administration.require(name)
        if dry_run:
            _print_results(app, app.tracker.preview(channel or ()), (), as_json=as_json, dry_run=True)
            return
        with counting("measuring", shown=sys.stderr.isatty() and not as_json) as progress:
            done = app.tracker.measure(channel or (), vanished=vanished, progress=progress)
        _print_results(app, done.results, done.vanished, as_json=as_json, dry_run=False)
    if done.problems:
        raise ChannelError("\n".join(done.problems))


def _print_results(
    app: Application,
    results: Sequence[MeasurementResult],
    vanished: Sequence[TrackedPost],
    *,
    as_json: bool,
    dry_run: bool,
) -> None:
    if as_json:
        print_json(
            {
                "visits": [measurement_json(one) for one in results],
                "vanished": [vanished_json(post) for post in vanished],
            }
        )
    else:
        out().print(_table(results, app))
    for post in vanished:
        place = single_line(post.receipt.url or post.receipt.id, 300)
        note(f"post {post.post_id} has vanished from {post.channel}: {place}")
    calls, cost = sum(one.calls for one in results), sum(one.cost for one in results)
    price = f" for ${cost:.3f}" if cost else ""
    if dry_run:
        note(f"{counted(calls, 'call')}{price} would be made" if calls else "nothing is due")
    else:
        note(f"{counted(calls, 'call')}{price}; see the results: auria stats" if calls else "nothing is due")
        gone = f"; {counted(len(vanished), 'post')} vanished" if vanished else ""
        report(f"{counted(calls, 'call')}{price}{gone}" if calls else f"nothing is due{gone}")


def _table(results: Sequence[MeasurementResult], app: Application) -> Table:
    now, zone = app.clock(), app.settings.time_zone
    rows = [
        (
            one.channel,
            str(one.posts or ""),
            str(one.left or ""),
            str(one.calls or ""),
            "" if one.followers is None else f"{one.followers:,}",
            "now" if one.next_at and one.next_at <= now else when(one.next_at, zone),
            single_line(one.message, 300),
        )
        for one in results
    ]
    grid = table("", ("channel", "posts", "left", "calls", "followers", "next due", "why"), rows)
    for column in grid.columns[1:5]:
        column.justify = "right"
    return grid


_SCALE = 1.5  # spreads to either side of what is usual, on the drawn scale
_HALF = 9  # characters to either side
_SCALE_HEAD = f"-{_SCALE:g}{'usual':^{2 * _HALF - 7}}+{_SCALE:g}"
_SHOWN = 5  # paintings or drafts from each end of a ranking
_WIDE = 110  # columns from which a mood is described


def list_moods(
    styles: Annotated[bool, typer.Option("--styles", help="List all paintings that were used instead.")] = False,
    as_json: Json = False,
) -> None:
    """List the moods, with their chances learned from engagement.

    Engagement with earlier artworks makes some moods and paintings more likely. How each was received is given in
    units of the channel's usual spread, 0 being average; with few artworks it is drawn towards the average.
    """
    with app_context() as app:
        preferences = app.preferences.preferences()
        if as_json:
            print_json(styles_json(preferences) if styles else moods_json(preferences))
        elif not preferences.artworks:
            if not styles:
                out().print(_plain(MOODS.values()))
            note(
                "nothing was measured yet, so every mood is read from its poem; once posts are published: auria measure"
            )
        else:
            console = out()
            if not styles:
                console.print(_moods(preferences, MOODS if console.width >= _WIDE else {}))
            console.print(_paintings(app, preferences, whole=styles))
            note(_summary(preferences))


def show_ranker(as_json: Json = False) -> None:
    """Show what the ranker learned from your approvals and rejections.

    The painter measures a few traits of each painting. Your decisions give them weights, by which it chooses among its
    candidates; the drafts that the weights set highest and lowest show what they stand for.
    """
    with app_context() as app:
        model = app.approvals
        decisions = model.decisions()
        learned, foreseen = fit(decisions), accuracy(decisions)
        scored = sorted(
            (
                (learned.score(each.traits), each)
                for each in decisions
                if learned.weights and len(each.traits) == len(learned.weights)
            ),
            key=lambda pair: (-pair[0], pair[1].draft_id),
        )
        if as_json:
            print_json(
                {
                    "enabled": model.enabled,
                    "decisions": learned.decisions,
                    "approved": learned.approved,
                    "share": learned.share,
                    "without": model.explore,
                    "foreseen": foreseen,
                    "weights": list(learned.weights),
                    "drafts": [
                        {"draft": each.draft_id, "score": score, "approved": each.approved} for score, each in scored
                    ],
                }
            )
            return
        if scored:
            ends = scored if len(scored) <= 2 * _SHOWN else [*scored[:_SHOWN], *scored[-_SHOWN:]]
            rows = [
                (str(each.draft_id), f"{score:+.2f}", "approved" if each.approved else "rejected")
                for score, each in ends
            ]
            out().print(_right(table("", ("draft", "score", "decision"), rows), 0, 1))
        ranker = app.settings.models_folder / "ranker"
        if not decisions and not ranker.is_dir():
            note(
                f"no traits are measured: the painter has no ranker in {ranker};"
                " train one: python -m auria_bot.art.training.painter.rank --data DIR --out DIR"
            )
            return
        note(_ranker_summary(learned, foreseen, enabled=model.enabled, without=model.explore))


def _ranker_summary(learned: Approval, foreseen: float | None, *, enabled: bool, without: float) -> str:
    """How paintings are chosen, in a few sentences."""
    count = counted(learned.decisions, "decision")
    if not learned.weights:
        return f"{count} about paintings so far; approvals and rejections are both needed: auria review"
    said = f"{count} ({learned.approved} approved) count by {learned.share:.0%}."
    if foreseen is not None:
        said += f" Of an approved and a rejected painting they tell the approved one in {foreseen:.0%} of cases."
    if not enabled:
        return f"{said} They choose nothing, because learning.approvals is off."
    return f"{said} {without:.0%} of runs are made without them."


def _summary(preferences: Preferences) -> str:
    """How the next moods are chosen, in a few sentences."""
    count = counted(preferences.artworks, "artwork")
    measured = f"{count} measured; weighted by age they count as {preferences.evidence:.0f}."
    if not preferences.enabled:
        return f"{measured} Learning is off (learning.enabled), so every mood is read from its poem."
    best = preferences.moods[0]
    return (
        f"{measured} Unless a mood is given, {preferences.share:.0%} of artworks take one by these chances,"
        f" {best.name} first with {best.chance:.0%}; the mood of the others is read from the poem."
        f" No chance falls below {preferences.floor:.1%}."
    )


def _plain(moods: Iterable[Mood]) -> Table:
    rows = ((mood.name, mood.parent, f"{mood.strength:.2f}", mood.description) for mood in moods)
    return table("", ("mood", "emotion", "style", "description"), rows)


def _moods(preferences: Preferences, moods: Mapping[str, Mood]) -> Table:
    """One row a mood, the likeliest first; with its description where `moods` holds it."""
    rows: list[list[str | Text]] = []
    for one in preferences.moods:
        row: list[str | Text] = [one.name, str(one.artworks or ""), *_received(one), f"{one.chance:.1%}"]
        rows.append([*row, moods[one.name].parent, moods[one.name].description] if moods else row)
    names = ("mood", "works", "received", _SCALE_HEAD, "next", *(("emotion", "description") if moods else ()))
    return _right(table("", names, rows), 1, 2, 4)


def _received(one: Preference) -> tuple[str, Text]:
    return f"{one.mean:+.2f}", Text(strip(one.low, one.mean, one.high), style="magenta" if one.artworks else "dim")


def strip(low: float, mean: float, high: float) -> str:
    """An interval with its mean, on a scale with the average in its middle."""
    left, place, right = (max(0, min(2 * _HALF, round(_HALF + value / _SCALE * _HALF))) for value in (low, mean, high))
    cells = ["─" if left <= cell <= right else "│" if cell == _HALF else " " for cell in range(2 * _HALF + 1)]
    cells[place] = "●"
    return "".join(cells)


def _paintings(app: Application, preferences: Preferences, *, whole: bool) -> Table:
    """The paintings that were received best and worst, or all, each with its weight in the choice of a style."""
    shown = preferences.styles
    if len(shown) > 2 * _SHOWN and not whole:
        shown = (*shown[:_SHOWN], *shown[-_SHOWN:])
    artworks = app.engagement_reporter.style_artworks([one.name for one in shown])
    titles = {key: single_line(f"{art.style.title}, {art.style.artist}", 44) for key, art in artworks.items()}
    rows = [
        (titles.get(one.name, one.name), str(one.artworks), *_received(one), f"x {one.chance:.2f}") for one in shown
    ]
    return _right(table("", ("painting", "works", "received", _SCALE_HEAD, "weight"), rows), 1, 2, 4)


def _right(grid: Table, *places: int) -> Table:
    for place in places:
        grid.columns[place].justify = "right"
    return grid
