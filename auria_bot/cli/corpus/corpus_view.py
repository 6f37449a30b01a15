"""The corpus on the screen: an overview, results of imports, verses, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from auria_bot.cli.terminal.console import bar, counted, number, single_line, sparkline, table, when

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from auria_bot.corpus.item import CorpusItem
    from auria_bot.corpus.verses import CorpusVersion
    from auria_bot.services.corpus.corpus_import import ImportReport
    from auria_bot.services.corpus.corpus_versions import Change

__all__ = ["change_lines", "overview", "report_lines", "verse_lines", "version_rows"]

_ROWS = 8  # of a table in the overview
_PAIR = 116  # columns from which two tables stand side by side
_ALONE, _PAIRED = (
    (34, 16),
    (24, 12),
)  # characters of a name and of the longest bar, in a table by itself and in one of a pair
_BAD = 5  # bad lines that are shown
_SEASONS = {"spring": "green", "summer": "yellow", "autumn": "red", "winter": "blue", "new year": "magenta"}
_ORDER = ("spring", "summer", "autumn", "winter", "new year", "")


def overview(counts: Mapping[str, Mapping[str, int]], known: Sequence[CorpusVersion], *, width: int) -> RenderableType:
    """Everything at a glance: size, forms, seasons, sources, years, reasons of rejection."""
    state = counts["state"]
    kept = state.get("kept", 0)
    head = Text.assemble(
        (f"{kept:,}", "bold"),
        f" {'verse' if kept == 1 else 'verses'} kept",
        (f"   {state.get('rejected', 0):,} rejected", "dim"),
        (f"   {state.get('forgotten', 0):,} forgotten", "dim"),
    )
    parts: list[RenderableType] = [head]
    if years := {int(year): count for year, count in counts["year"].items() if year}:
        span = range(min(years), max(years) + 1)
        parts.append(
            Text.assemble(
                "\n",
                (f"{span[0]} ", "dim"),
                (sparkline([float(years.get(year, 0)) for year in span], zero=True), "cyan"),
                (f" {span[-1]}", "dim"),
                ("   verses by year", "dim"),
            )
        )
    forms = {{"575": "5-7-5", "free": "free"}.get(name, name): count for name, count in counts["form"].items()}
    seasons = {name: counts["season"][name] for name in _ORDER if name in counts["season"]}
    where = {
        (f"r/{name}" if name and "/" not in name and ":" not in name else name): count
        for name, count in counts["subreddit"].items()
    }
    sizes = _PAIRED if width >= _PAIR else _ALONE
    tables = [
        _ranking("form", forms, "cyan", sizes),
        _ranking("season", seasons, "cyan", sizes, blank="no season word", inks=_SEASONS),
        _ranking("source", where, "cyan", sizes, blank="unknown"),
        _ranking("rejected", counts["reason"], "red", sizes),
    ]
    parts += _paired([one for one in tables if one is not None], width)
    if known:
        newest = known[0]
        grown = kept - newest.verses
        more = f", {counted(abs(grown), 'verse')} {'fewer' if grown > 0 else 'more'} than are kept now" if grown else ""
        parts.append(
            Text.assemble(
                ("newest version ", "dim"), newest.name, (f"   {counted(newest.verses, 'verse')}{more}", "dim")
            )
        )
    return Group(*parts)


def _ranking(
    name: str,
    counts: Mapping[str, int],
    ink: str,
    sizes: tuple[int, int],
    *,
    blank: str = "",
    inks: Mapping[str, str] | None = None,
) -> Table | None:
    """Names with bars; the rest of a long list in one row."""
    rows = list(counts.items())
    if not rows:
        return None
    if len(rows) > _ROWS:
        rest = rows[_ROWS - 1 :]
        rows = [*rows[: _ROWS - 1], (f"{len(rest)} others", sum(count for _, count in rest))]
    total, most = sum(counts.values()), max((count for one, count in rows if one), default=1)
    drawn: list[list[str | Text]] = [
        [
            single_line(one, sizes[0]) if one else Text(blank, style="dim"),
            Text(number(count)),
            Text(f"{100 * count / total:.0f} %", style="dim"),
            Text(bar(count, most, sizes[1]) if one else "", style=(inks or {}).get(one, ink)),
        ]
        for one, count in rows
    ]
    grid = table("", (name, "verses", "", ""), drawn)
    for place in (1, 2):
        grid.columns[place].justify = "right"
    grid.columns[3].no_wrap = True
    return grid


def _paired(tables: Sequence[Table], width: int) -> list[RenderableType]:
    """Two tables side by side where there is room."""
    if width < _PAIR:
        return list(tables)
    grid = Table.grid(padding=(0, 4))
    for at in range(0, len(tables), 2):
        grid.add_row(*tables[at : at + 2])
    return [grid]


def report_lines(name: str, report: ImportReport, *, dry_run: bool) -> Iterator[Text]:
    """The result of importing a file."""
    tally, outcomes = report.tally, report.outcomes
    yield Text.assemble((name, "bold"), (f"   {counted(tally.lines, 'line')}, {tally.wanted:,} read", "dim"))
    kept = f"  {counted(report.kept, 'poem')}" + (" would be kept" if dry_run else "")
    parts = [
        (outcomes["new"], "new"),
        (outcomes["better"], "better copies"),
        (outcomes["known"], "known"),
        (outcomes["forgotten"], "forgotten earlier"),
        (report.removed, "removed by their authors or others"),
        (report.buried, "deleted for it"),
    ]
    details = "; ".join(f"{count:,} {what}" for count, what in parts if count)
    yield Text.assemble((kept, "green"), (f"   {details}" if details else "", "dim"))
    if report.reasons:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in report.reasons.most_common())
        yield Text.assemble("  rejected ", (f"{report.reasons.total():,}", "red"), (f": {reasons}", "dim"))
    if tally.recoded:
        yield Text(f"  {tally.recoded:,} lines are not UTF-8 and were read as Windows-1252", "yellow")
    if tally.bad:
        yield Text.assemble("  bad lines ", (f"{tally.bad:,}", "bold red"))
        for number_, why, text in tally.samples[:_BAD]:
            yield Text.assemble(f"    line {number_:,}: ", why, (f"  {single_line(text, 70)}", "dim"))


def verse_lines(item: CorpusItem) -> Iterator[Text]:
    """A verse and its source."""
    for line in item.lines:
        yield Text(single_line(line, 200))
    ink = _SEASONS.get(item.season, "dim")
    where = item.subreddit or item.origin
    facts = (
        "-".join(map(str, item.syllables)),
        f"{item.created_at:%Y}" if item.created_at else "",
        f"r/{item.subreddit}" if item.source == "reddit" else single_line(where, 50),
        item.external_id,
    )
    yield Text.assemble((item.season, ink), " " if item.season else "", ("  ".join(one for one in facts if one), "dim"))
    yield Text(f"{item.digest}\n", style="dim")


def version_rows(known: Sequence[CorpusVersion], there: Collection[str], zone: str) -> Iterator[tuple[str, ...]]:
    """Each version's name, time, verses, those in form, those left out, and whether its file is gone."""
    for one in known:
        forms, left = one.settings.get("forms", {}), sum(one.settings.get("left_out", {}).values())
        counts = (f"{count:,}" for count in (one.verses, forms.get("575", 0), left))
        yield one.name, when(one.made_at, zone), *counts, "" if one.name in there else "deleted"


def change_lines(names: Sequence[str], change: Change) -> Iterator[Text]:
    """Verses added and removed."""
    yield Text.assemble((names[0], "dim"), " → ", (names[1], "bold"))
    yield Text.assemble(
        (f"+{change.added:,}", "green"), "  ", (f"-{change.removed:,}", "red"), (f"   {change.same:,} the same", "dim")
    )
    for sign, ink, verses in (("+", "green", change.came), ("-", "red", change.went)):
        for lines in verses:
            yield Text.assemble((f"{sign} ", ink), single_line(" / ".join(lines), 120))
