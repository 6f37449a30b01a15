"""Average the weights of poets that were trained one from another.

    python -m auria_bot.art.training.poet.averaging FOLDER FOLDER ... --out FOLDER

Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing
inference time", 2022 (arXiv:2203.05482). Poets taught with a reader's corrections each learn other habits; their mean
keeps what they agree on. The scorer is trained anew for it: see `poem_scorer`.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from auria_bot.art.checkpoint import read_json, write_checksums, write_json
from auria_bot.art.evaluation.poet import load_net
from auria_bot.art.poets import worn_lines
from auria_bot.art.training.poet.export import describe, store_net
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["average"]

_TABLES = ("originality.bin", "scenes.npy", "usage.npz", "vocabulary.txt")


def average(folders: Sequence[Path], out: Path) -> None:
    """Write the mean of poets into `out`; words, tables and the record of training are the last one's.

    Args:
        folders: two poets or more, of the same words and sizes.

    Raises:
        InputError: they are fewer than two, or not of the same words and sizes.
        ModelMissing, ModelCorrupt: one cannot be read.
    """
    if len(folders) < 2:
        raise InputError("give two poets or more to be averaged")
    nets = [load_net(folder) for folder in folders]
    net, vocabulary = nets[-1]
    states = [other.state_dict() for other, _ in nets]
    sizes = [{name: weights.shape for name, weights in state.items()} for state in states]
    if any(words != vocabulary for _, words in nets) or any(each != sizes[-1] for each in sizes):
        raise InputError("poets of different words or sizes cannot be averaged")
    net.load_state_dict({name: torch.stack([state[name] for state in states]).mean(0) for name in states[-1]})
    out.mkdir(parents=True, exist_ok=True)
    for name in _TABLES:
        shutil.copyfile(folders[-1] / name, out / name)
    store_net(net.eval(), out)
    config = read_json(folders[-1] / "config.json")
    others = [read_json(folder / "config.json")["training"] for folder in folders[:-1]]
    write_json(out / "config.json", {"net": config["net"], "training": config["training"] | {"averaged_with": others}})
    for name in ("metrics.json", "critic.onnx", worn_lines.FILE):
        (out / name).unlink(missing_ok=True)  # an earlier model's
    write_checksums(out)
    describe(out, {"parameters": sum(parameter.numel() for parameter in net.parameters())})


def main() -> None:
    """Average from the command line."""
    parser = argparse.ArgumentParser(description="Average the weights of poets trained one from another.")
    parser.add_argument("folders", type=Path, nargs="+", help="the poets' folders")
    parser.add_argument("--out", type=Path, required=True, help="where the mean is written")
    given = parser.parse_args()
    average(given.folders, given.out)
    print(f"wrote {given.out}")  # noqa: T201 - a command's answer


if __name__ == "__main__":
    main()
