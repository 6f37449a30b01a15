"""`auria train MODEL --watch`: figures and curves of a training while it runs."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table

from auria_bot.cli.terminal.console import echo, is_terminal, note, out, resampled, sparkline, table
from auria_bot.services.models.training_watch import TrainingWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.services.models.training_watch import TrainingFigures

__all__ = ["curves_table", "watch_training"]

_EVERY = 1.0  # seconds between two looks at the logs
_CURVE = 48  # columns


def watch_training(model: str, *, as_json: bool) -> None:
    """Show a training until it ends: as a table that is redrawn on a terminal, else as a line for each row.

    Args:
        model: the name of its folder, such as poet, style-NAME or film-NAME.
        as_json: print each row as a line of JSON.

    Raises:
        NotFound: nothing of that name was ever trained here.
    """
    from auria_bot.settings.loading import load

    watch = TrainingWatch(load().home, model)
    was_running = watch.is_running()
    if as_json or not is_terminal():
        _print_rows(watch, as_json=as_json)
    else:
        _draw(model, watch)
    ended = "has ended" if was_running else "does not run now; these were its figures"
    note(f"the training of {model} {ended}")


def _print_rows(watch: TrainingWatch, *, as_json: bool) -> None:
    is_running = True
    while is_running:
        is_running = watch.is_running()  # asked before the last look, so that no row is missed
        for row in watch.read():
            echo(json.dumps(row.to_json()) if as_json else _line(row))
        if is_running:
            time.sleep(_EVERY)


def _draw(model: str, watch: TrainingWatch) -> None:
    rows = watch.read()
    with Live(curves_table(model, rows), console=out(), auto_refresh=False) as live:
        while watch.is_running():
            time.sleep(_EVERY)
            rows += watch.read()
            live.update(curves_table(model, rows), refresh=True)
        live.update(curves_table(model, rows + watch.read()), refresh=True)


def _line(row: TrainingFigures) -> str:
    figures = "  ".join(f"{name} {value:.4g}" for name, value in row.figures.items())
    return f"{_when(row)}  {figures}"


def _when(row: TrainingFigures) -> str:
    return f"{row.part} step {row.step}  {row.seconds / 60:.1f} min".strip()


def curves_table(model: str, rows: Sequence[TrainingFigures]) -> Table:
    """Every figure with its last value and its curve, which is as long as the training so far."""
    curves: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        for name, value in row.figures.items():
            curves.setdefault((row.part, name), []).append(value)
    shown = [
        (" ".join(filter(None, key)), f"{values[-1]:.4g}", sparkline(resampled(values, _CURVE)))
        for key, values in curves.items()
    ]
    return table(
        f"{model}: {_when(rows[-1])}" if rows else f"{model}: no figures yet", ("figure", "last", "curve"), shown
    )
