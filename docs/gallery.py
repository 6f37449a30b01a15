"""Makes the artworks that README.md shows: `make gallery`.

Each is made in an empty home by the very command that README.md prints under it; its picture goes, made smaller, into
docs/art/, and its poem between the marks in README.md.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from auria_bot.domain.artwork import Style

__all__ = ["WORKS", "main"]

WORKS = (
    ("--theme", "autumn leaves", "--mood", "wistful", "--seed", "3"),
    ("--theme", "storm over the sea", "--mood", "stormy", "--seed", "4"),
    ("--theme", "snow on the mountain", "--mood", "still", "--seed", "2"),
    ("--theme", "sunset over the sea", "--mood", "grateful", "--seed", "3"),
    ("--theme", "a path in the forest", "--mood", "serene", "--seed", "2"),
    ("--theme", "moonlight on the sea", "--mood", "dreamy", "--seed", "2"),
)
"""The options of each artwork."""

ROOT = Path(__file__).resolve().parents[1]
_BEGIN, _END = "<!-- gallery: made by `make gallery` -->", "<!-- end of gallery -->"
_SIZE = (480, 600)  # pixels
_COLUMNS = 3


def main() -> None:
    """Make all six and write them into docs/art and README.md."""
    with tempfile.TemporaryDirectory(prefix="auria-gallery-") as scratch:
        cells = _cells(Path(scratch))
    rows = [cells[at : at + _COLUMNS] for at in range(0, len(cells), _COLUMNS)]
    block = "<table>\n" + "".join("<tr>\n" + "\n".join(row) + "\n</tr>\n" for row in rows) + "</table>"
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    readme.write_text(f"{before}{_BEGIN}\n{block}\n{_END}{after}", encoding="utf-8")


def _cells(scratch: Path) -> list[str]:
    """Make each artwork in a home of its own, save its picture, and give what README.md shows of it."""
    cells = []
    for number, options in enumerate(WORKS, start=1):
        draft = _made(options, scratch / str(number))
        target = ROOT / "docs" / "art" / f"{number}.jpg"
        with Image.open(draft["pictures"]["post"]) as picture:
            small = picture.convert("RGB").resize(_SIZE, Image.Resampling.LANCZOS)
        small.save(target, quality=84, optimize=True)
        style = draft["style"]
        cells.append(
            f'<td valign="top" width="33%"><img src="docs/art/{number}.jpg" alt="{_escaped(draft["alt_text"])}"><br>'
            f"<em>{'<br>'.join(_escaped(line) for line in draft['haiku'])}</em><br>"
            f"<sub>{_escaped(Style(**style).credit)}</sub><br>"
            f"<sub><code>auria make {_escaped(shlex.join(options))}</code></sub></td>"
        )
    return cells


def _made(options: tuple[str, ...], home: Path) -> dict[str, Any]:
    """The draft of these options, as `auria make --json` prints it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    env["AURIA_HOME"] = str(home)
    command = [sys.executable, "-m", "auria_bot", "make", *options, "--json"]
    done = subprocess.run(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own command
    draft: dict[str, Any] = json.loads(done.stdout)[0]["drafts"][0]
    return draft


def _escaped(text: object) -> str:
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("\n", " ")


if __name__ == "__main__":
    main()
