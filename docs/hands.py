"""Paint one picture, of 64 pixels or more, with the hands of twelve masters.

`python docs/hands.py PICTURE` writes docs/art/hands.webp.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image, ImageDraw

from auria_bot.art.exporters.card import load_font
from auria_bot.art.pictures import open_picture
from auria_bot.art.real_esrgan import RealEsrgan
from auria_bot.art.stylists.magenta import Magenta
from auria_bot.domain.artwork import Style

ROOT = Path(__file__).resolve().parents[1]
MASTERS = (
    ("the starry night", "oil"),
    ("claude-monet-water-lilies", "oil"),
    ("grande jatte", "oil"),
    ("great wave", "oil"),
    ("storm on the sea of galilee", "oil"),
    ("boy in the red vest", "oil"),
    ("the scream", "oil"),
    ("ninth wave", "oil"),
    ("hunters in the snow", "oil"),
    ("sakai-hoitsu-flowers", "oil"),
    ("impression, sunrise", "watercolour"),
    ("moonlit night on the dnieper", "ink"),
)
PANEL, LINE = (360, 450), 34  # pixels of a picture, and of the words under it
MOST_BYTES = 390_000


def main(picture: Path) -> None:
    """Paint the sheet."""
    stylist = Magenta(Magenta.Config(), ROOT / "models")
    shown = RealEsrgan(RealEsrgan.Config(), ROOT / "models").enlarged(open_picture(picture), 768)
    sheet = Image.new("RGB", (4 * PANEL[0] + 11, 3 * (PANEL[1] + LINE) + 5), (250, 248, 243))
    draw, font = ImageDraw.Draw(sheet), load_font(19)
    for number, (words, mode) in enumerate(MASTERS):
        master = stylist.bank.find(words)
        style = Style(key=master.key, title=master.title, artist=master.artist, year="", mode=mode, strength=0.7)
        painted = stylist.painted(shown, style, size=(2 * PANEL[0], 2 * PANEL[1]), seed=1)
        x, y = 4 + number % 4 * (PANEL[0] + 1), 4 + number // 4 * (PANEL[1] + LINE)
        sheet.paste(painted.resize(PANEL, Image.Resampling.LANCZOS), (x, y))
        name = f"{master.artist}, {master.title}" + ("" if mode == "oil" else f" ({mode})")
        while draw.textlength(name, font) > PANEL[0] - 4:
            name = name.rstrip("…")[:-1].rstrip() + "…"
        draw.text((x + 2, y + PANEL[1] + 4), name, fill=(50, 48, 44), font=font)
    target = ROOT / "docs" / "art" / "hands.webp"
    for quality in range(84, 40, -6):
        sheet.save(target, quality=quality, method=6)
        if target.stat().st_size <= MOST_BYTES:
            break


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python docs/hands.py PICTURE")
    main(Path(sys.argv[1]))
