"""Steps on their own: `auria step`, and `auria pipeline` with its commands."""

from __future__ import annotations

import shutil
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.cli.app import Json, app_context, command_group, existing
from auria_bot.cli.studio.make import Mode, Strength, StyleName
from auria_bot.cli.terminal.console import echo, note, out, print_json, print_rows, table
from auria_bot.domain.pipeline import STEPS
from auria_bot.errors import UsageError
from auria_bot.execution.work_unit import UnitFinished
from auria_bot.files import output_path, scratch_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auria_bot.bootstrap.application import Application
    from auria_bot.execution.work_unit import Requirements, UnitEvent
    from auria_bot.services.studio.pipelines import Pipeline, StepResult

__all__ = ["pipeline", "step"]

pipeline = command_group(no_args_is_help=True)


def step(
    name: Annotated[
        str, typer.Argument(metavar="STEP", help="poem, mood, painting, enlarge, style, caption or words.")
    ],
    source: Annotated[
        Path | None, typer.Option("--in", metavar="FILE", callback=existing, help="The picture that the step works on.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where its picture goes, a PNG.")
    ] = None,
    poem: Annotated[str | None, typer.Option("--poem", help='Three lines, like "one / two / three".')] = None,
    theme: Annotated[str | None, typer.Option("--theme", "-t", help="What it is about.")] = None,
    mood: Annotated[str | None, typer.Option("--mood", "-m", help="A mood (see auria moods).")] = None,
    style: StyleName = None,
    strength: Strength = None,
    mode: Mode = None,
    seed: Annotated[int | None, typer.Option("--seed", "-s", help="The same seed gives the same result.")] = None,
    as_json: Json = False,
) -> None:
    """Perform a single step on a picture or a poem of yours.

    For example: auria step style --in photo.jpg --out painted.png --poem "a / b / c" --mood stormy. Nothing is kept but
    the file that --out names; words are printed.
    """
    from auria_bot.services.studio.pipelines import Pipeline, PipelineStep

    given = {"theme": theme, "poem": poem, "mood": mood, "style": style, "strength": strength, "mode": mode}
    options = {key: value for key, value in given.items() if value is not None}
    chosen = Pipeline.single(PipelineStep(name=name, step=name, picture=source, options=options), seed=seed)
    if target is not None and target.suffix.lower() != ".png":
        raise UsageError(f"{target} must end with .png")
    with app_context() as app, scratch_folder() as scratch:
        (result,) = app.pipelines.run(chosen, scratch)
        if result.files and target is None:
            note("the picture was not kept; --out FILE keeps it")
        if target is not None:
            if not result.files:
                raise UsageError(f"step {name!r} makes no picture; leave --out out")
            _copy(next(iter(result.files.values())), target)
        if as_json:
            print_json(_as_json(result, chosen, [target] if target else []))
        else:
            _print(result, target)


@pipeline.command("show")
def show(
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="Draw them into this file, an SVG.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the steps of an artwork: what makes each, in which environment and with what compute."""
    with app_context() as app:
        rows = _rows(app)
        engine = app.settings.execution.engine
    if picture is not None:
        if picture.suffix.lower() != ".svg":
            raise UsageError(f"{picture} must end with .svg")
        with output_path(picture) as scratch:
            scratch.write_text(_drawing(rows), encoding="utf-8", newline="")
    if as_json:
        print_json({"engine": engine, "steps": rows})
        return
    compute = "compute" if engine == "ray" else "compute, on a cluster"
    out().print(
        table(
            "",
            ("step", compute, "environment", "made by"),
            [(row["step"], row["compute"], row["environment"], row["backends"]) for row in rows],
        )
    )


@pipeline.command("run")
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A TOML file with a table for each step.")],
    target: Annotated[
        Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of the pictures, made where it is missing.")
    ] = Path(),
    check: Annotated[bool, typer.Option("--check", help="Only check the file.")] = False,
    as_json: Json = False,
) -> None:
    """Run steps in an order of your own.

    Each [steps.NAME] has a `step`, `after` (the steps that it continues), and what is given for it: `picture`, `poem`,
    `theme`, `mood`, `style`, `mode`, `strength`. The file is checked as a whole before anything runs.
    """
    from auria_bot.services.studio.pipelines import Pipeline

    chosen = Pipeline.read(file)
    if check:
        echo(f"{file} can be run: {', '.join(item.name for item in chosen.steps)}")
        return
    with app_context() as app, scratch_folder() as scratch:
        results = app.pipelines.run(chosen, scratch, report=_progress)
        kept = [_keep(result, target) for result in results]
    if as_json:
        print_json([_as_json(result, chosen, paths) for result, paths in zip(results, kept, strict=True)])
        return
    for result, paths in zip(results, kept, strict=True):
        _print(result, *paths)


@pipeline.command("publish")
def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `auria pipeline run` takes.")],
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Small letters, digits and -.")],
    replace: Annotated[bool, typer.Option("--replace", help="In place of the one of that name.")] = False,
) -> None:
    """Let programs run steps of yours: POST /api/v1/pipelines/NAME/runs, with a key that has the scope `make`.

    The file is checked and copied, with the pictures that it names. What a program gives (theme, poem, mood, style,
    mode, strength, seed) counts for all steps but those for which the file says otherwise.
    """
    with app_context() as app:
        made = app.published_pipelines.publish(file, name, replace=replace)
    echo(f"published {made.name}: {', '.join(step for step, _ in made.steps)}; POST /api/v1/pipelines/{made.name}/runs")


@pipeline.command("unpublish")
def unpublish(name: Annotated[str, typer.Argument(metavar="NAME", help="One of `auria pipeline list`.")]) -> None:
    """Take a published pipeline away; runs that were begun are finished."""
    with app_context() as app:
        app.published_pipelines.unpublish(name)
    echo(f"unpublished {name}")


@pipeline.command("list")
def list_pipelines(as_json: Json = False) -> None:
    """List the published pipelines."""
    with app_context() as app:
        found = app.published_pipelines.list()
    values = [
        {
            "name": one.name,
            "steps": [{"name": name, "step": step} for name, step in one.steps],
            "published_at": one.published_at.isoformat(),
        }
        for one in found
    ]
    lines = [(one.name, ", ".join(step for step, _ in one.steps), f"{one.published_at:%Y-%m-%d}") for one in found]
    empty = "nothing is published; auria pipeline publish FILE --name NAME"
    print_rows(("name", "steps", "published"), lines, values, as_json=as_json, empty=empty)


def _progress(event: UnitEvent) -> None:
    if isinstance(event, UnitFinished):
        note(f"{event.unit.name}: {'failed' if event.failure else 'done'}, {event.seconds:.1f} s")


def _keep(result: StepResult, folder: Path) -> list[Path]:
    """Copy a step's pictures to where the operator wants them."""
    found = []
    for path in result.files.values():
        found.append(folder / f"{result.name}-{path.name}")
        _copy(path, found[-1])
    return found


def _copy(source: Path, target: Path) -> None:
    with output_path(target) as scratch:
        shutil.copyfile(source, scratch)


def _as_json(result: StepResult, chosen: Pipeline, paths: Sequence[Path]) -> dict[str, Any]:
    return {
        "name": result.name,
        "step": result.step,
        "seed": chosen.seed,
        "seconds": round(result.seconds, 3),
        "changes": dict(result.changes),
        "files": [str(path) for path in paths],
    }


def _print(result: StepResult, *paths: Path | None) -> None:
    """What a step found for people to read, and where its pictures are."""
    changes = result.changes
    if "haiku" in changes:
        echo("\n".join(changes["haiku"]["lines"]))
    for key in ("mood", "caption", "alt_text", "post_text"):
        if changes.get(key):
            echo(str(changes[key]))
    for path in paths:
        if path is not None:
            echo(str(path))


def _rows(app: Application) -> list[dict[str, str]]:
    """Every step with what plays its roles, its environment and its compute."""
    config = app.studio_config
    rows = []
    for item in STEPS:
        wanted, spec = config.requirements_of(item.name), config.backends[item.roles[0]]
        environment = [f"python {spec.python}"] if spec.python else []
        environment += [f"pip: {', '.join(wanted.pip)}"] if wanted.pip else []
        environment += [f"image {wanted.image}"] if wanted.image else []
        backends = ", ".join(f"{role.replace('_', '-')} {config.backends[role].name}" for role in item.roles)
        rows.append(
            {
                "step": item.name,
                "backends": backends,
                "environment": "; ".join(environment) or "Auria's own",
                "compute": _compute(wanted),
            }
        )
    return rows


def _compute(wanted: Requirements) -> str:
    words = [f"{wanted.cpus:g} {'core' if wanted.cpus == 1 else 'cores'}"]
    words += [f"{wanted.gpus:g} {'GPU' if wanted.gpus == 1 else 'GPUs'}"] if wanted.gpus else []
    words += [f"{wanted.memory >> 20} MiB"] if wanted.memory else []
    return ", ".join([*words, *(f"{amount:g} of {name}" for name, amount in wanted.resources)])


def _drawing(rows: Sequence[dict[str, str]]) -> str:
    """The steps from top to bottom, as SVG."""
    height, gap, width = 62, 26, 560  # pixels
    parts = []
    for number, row in enumerate(rows):
        top = 10 + number * (height + gap)
        if number:
            parts.append(
                f'<path d="M{width / 2 + 10:g} {top - gap} v{gap - 6}" stroke="#555" stroke-width="1.5"'
                ' marker-end="url(#end)"/>'
            )
        parts.append(
            f'<rect x="10" y="{top}" width="{width}" height="{height}" rx="6" fill="#f6f3ec" stroke="#8a8170"/>'
            f'<text x="26" y="{top + 25}" font-size="16" font-weight="600">{escape(row["step"])}</text>'
            f'<text x="130" y="{top + 25}" font-size="13">{escape(row["backends"])}</text>'
            f'<text x="130" y="{top + 46}" font-size="12" fill="#555">'
            f"{escape(row['environment'])} · {escape(row['compute'])}</text>"
        )
    total = 20 + len(rows) * (height + gap) - gap
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 20}" height="{total}"'
        f' viewBox="0 0 {width + 20} {total}" font-family="sans-serif" role="img"'
        f' aria-label="The steps of an artwork: {", ".join(row["step"] for row in rows)}">'
        '<defs><marker id="end" markerWidth="8" markerHeight="8" refX="4" refY="4" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#555"/></marker></defs>'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n'
    )
