"""Paint drafts anew at any size: the same strokes as on the picture that was posted, larger on a larger canvas.

What a longer piece of work has painted is kept in a folder as JPEG, named by everything that it depends on, so that an
interrupted catalogue goes on with its next picture.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot import registry
from auria_bot.errors import InputError
from auria_bot.files import atomic_path, disk_errors
from auria_bot.services.studio.plan import derive
from auria_bot.settings.options import configure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL import Image

    from auria_bot.domain.artwork import Style
    from auria_bot.domain.draft import Draft
    from auria_bot.services.studio.plan import BackendSpec
    from auria_bot.store.files import Pictures

__all__ = ["CanvasPainter"]

_STROKES = "oil"  # the mode of drafts that were restyled without strokes
_KEPT_SECONDS = 7 * 86_400.0  # after which a kept picture is deleted
_QUALITY = 95


class CanvasPainter:
    """Paints the pictures of drafts with the enlarger and the stylist that the settings choose.

    Args:
        pictures: where the drafts' paintings are.
        backends: the specification of "enlarger" and of "stylist".
        shared_options: for every backend whose Config has such a field.
        size: pixels of the short side to which paintings are enlarged before they are restyled.
        folder: where pictures are kept until the work is done.
    """

    def __init__(
        self,
        *,
        pictures: Pictures,
        backends: Mapping[str, BackendSpec],
        shared_options: Mapping[str, Any],
        size: int,
        folder: Path,
    ) -> None:
        self._pictures, self._specs, self._shared = pictures, backends, shared_options
        self._size, self._folder = size, folder
        self._made: dict[str, Any] = {}

    def paint(self, draft: Draft, size: tuple[int, int]) -> Image.Image:
        """The draft's picture on a canvas of a size in pixels, RGB; cropped to its proportions.

        Raises:
            NotFound: its painting is not there any more.
            InputError: the stylist of the settings cannot paint at other sizes.
            PictureError: the painting cannot be read.
            UnknownName: its style is not in the style bank any more.
        """
        from auria_bot.art.pictures import open_picture

        stylist = self._backend("stylist")
        if not hasattr(stylist, "painted"):
            raise InputError(
                f"the stylist {self._specs['stylist'].name} cannot paint at other sizes;"
                ' set [stylist] backend = "magenta"'
            )
        artwork = draft.artwork
        source = self._pictures.path(draft.folder, artwork.files["painting"].name)
        with tempfile.TemporaryDirectory(prefix="auria-print-") as scratch:
            enlarged = Path(scratch) / "enlarged.png"
            self._backend("enlarger").enlarge(source, enlarged, size=self._size)
            picture = open_picture(enlarged)
        painted: Image.Image = stylist.painted(
            picture, _with_strokes(artwork.style), size=size, seed=derive(artwork.seed, "strokes")
        )
        return painted

    def kept(self, draft: Draft, size: tuple[int, int], dpi: int) -> Path:
        """A JPEG of the draft's picture, with an sRGB profile; painted only where it is not kept from before.

        Raises:
            AuriaError: see `paint`.
            DiskError: it cannot be written.
        """
        from auria_bot.art.exporters.exporter import icc_profile

        path = self._folder / f"{self._key(draft, size, dpi)}.jpg"
        if not path.is_file():
            picture = self.paint(draft, size)
            with disk_errors(path):
                self._folder.mkdir(parents=True, exist_ok=True)
                with atomic_path(path) as scratch:
                    picture.save(
                        scratch, "JPEG", quality=_QUALITY, subsampling=0, dpi=(dpi, dpi), icc_profile=icc_profile()
                    )
        return path

    def tidy(self, done: tuple[Path, ...] = ()) -> None:
        """Delete pictures that are needed no more, and those that were kept for a week."""
        for path in self._folder.glob("*.jpg") if self._folder.is_dir() else ():
            if path in done or time.time() - path.stat().st_mtime > _KEPT_SECONDS:
                path.unlink(missing_ok=True)

    def _key(self, draft: Draft, size: tuple[int, int], dpi: int) -> str:
        models = {role: dict(self._backend(role).models()) for role in self._specs}
        options = {role: [spec.name, spec.options] for role, spec in self._specs.items()}
        artwork = draft.artwork
        content = [draft.folder, artwork.seed, asdict(_with_strokes(artwork.style)), size, dpi, self._size]
        text = json.dumps([*content, models, options], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    def _backend(self, role: str) -> Any:
        if role not in self._made:
            spec = self._specs[role]
            kind = registry.find(role, spec.name)
            config = configure(role, kind, spec.options, self._shared)
            self._made[role] = kind(config, models=Path(spec.models))
        return self._made[role]


def _with_strokes(style: Style) -> Style:
    """The style in a mode that paints stroke by stroke."""
    from auria_bot.art.stylists.magenta import STROKE_MODES

    return style if style.mode in STROKE_MODES else replace(style, mode=_STROKES)
