"""The benchmark print: an A2 page by the models that ship, and a catalogue of 50 works, in two readers of PDF."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench import Result

__all__ = ["run"]

MEMORY = 2000  # MB, of the command's process
POINT = 72 / 25.4


def run(works: int = 50, size: str = "A2", dpi: int = 300) -> Result:
    """Make a draft and print it; then write a catalogue of `works` drafts whose pictures are those of fakes."""
    with tempfile.TemporaryDirectory(prefix="auria-print-bench-") as scratch:
        folder = Path(scratch)
        real = {"AURIA_HOME": str(folder / "real")}
        _auria(["make", "--count", "1", "--seed", "4242"], real)
        page, first = _auria(
            ["print", "1", "--size", size, "--dpi", str(dpi), "-o", f"{folder}/page.pdf", "--json"], real
        )
        fakes = _fakes(folder / "fakes", works)
        _, second = _auria(
            ["catalogue", "--ids", f"1-{works}", "--dpi", str(dpi), "-o", f"{folder}/works.pdf", "--json"],
            {"AURIA_HOME": str(fakes)},
        )
        faults = [
            *_faults(folder / "page.pdf", sides=page["mm"], dpi=dpi, pictures=1),
            *_faults(folder / "works.pdf", sides=[210, 297], dpi=dpi, pictures=works),
        ]
        megabytes = [round((folder / name).stat().st_size / 1e6, 1) for name in ("page.pdf", "works.pdf")]
    figures = (
        f"{size} with {page['pixels'][0]} x {page['pixels'][1]} pixels, {megabytes[0]} MB, {first:.0f} MB of memory; {works}"
        f" works, {megabytes[1]} MB, {second:.0f} MB; {'; '.join(faults) or 'no faults'}"
    )
    bar = f"opens in PDFium and MuPDF, fonts embedded, {dpi} dpi, sizes in mm right; at most {MEMORY} MB"
    return Result(name="print", figures=figures, bar=bar, passed=not faults and max(first, second) <= MEMORY)


def _auria(arguments: list[str], environment: dict[str, str]) -> tuple[Any, float]:
    """What a command prints as JSON, and its largest resident size in MB."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    code = (
        "import resource, sys\n"
        "from auria_bot.cli import main\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print('peak', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=clean | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"auria {arguments[0]} ended with {done.returncode}: {done.stderr[-500:]}")
    peak = float(done.stderr.rsplit("peak ", 1)[1]) / 1024
    return json.loads(done.stdout) if "--json" in arguments else None, peak


def _fakes(home: Path, works: int) -> Path:
    """A home with drafts whose every role was played by a fake."""
    from auria_bot.domain.pipeline import ROLES, ArtworkRequest
    from tests.applications import fake_application

    app = fake_application(home)
    app.studio.make(ArtworkRequest(count=works, seed=1))
    app.close()
    (home / "auria.toml").write_text("\n".join(f'[{role}]\nbackend = "fake"' for role in ROLES), encoding="utf-8")
    return home


def _faults(path: Path, *, sides: list[float], dpi: int, pictures: int) -> list[str]:
    """What is wrong with a document, in the eyes of two readers."""
    import pymupdf
    import pypdfium2

    faults, shown = [], 0
    with pymupdf.open(path) as document:
        for page in document:
            if [round(side / POINT, 1) for side in page.trimbox[2:]] != [round(side, 1) for side in sides]:
                faults.append(f"{path.name}: page {page.number + 1} is {page.trimbox}")
            for number, *_ in page.get_fonts(full=True):
                if len(document.extract_font(number)[3]) < 1000:
                    faults.append(f"{path.name}: a font is not embedded")
            for image in page.get_image_info():
                wide = (image["bbox"][2] - image["bbox"][0]) / 72
                shown += 1
                if abs(image["width"] / wide - dpi) > 1:
                    faults.append(f"{path.name}: a picture has {image['width'] / wide:.0f} dpi")
        pages = document.page_count
    if shown != pictures:
        faults.append(f"{path.name}: {shown} pictures instead of {pictures}")
    reader = pypdfium2.PdfDocument(path)
    if len(reader) != pages:
        faults.append(f"{path.name}: {len(reader)} pages in one reader and {pages} in the other")
    for number in (0, len(reader) // 2, len(reader) - 1):
        page = reader[number].render(scale=0.5).to_pil().convert("L")
        if page.getextrema()[0] > 200:
            faults.append(f"{path.name}: page {number + 1} is empty")
    reader.close()
    return faults
