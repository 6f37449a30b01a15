"""The better of two poets is found, whatever words each knows."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("torch")

from auria_bot.art.evaluation.poet_comparison import compare, fair_perplexity
from auria_bot.art.training.poet import train as recipe
from auria_bot.art.training.poet.train import PoetSettings
from auria_bot.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

NOUNS = [
    "moon",
    "river",
    "stone",
    "frost",
    "heron",
    "window",
    "lantern",
    "snow",
    "pond",
    "willow",
    "train",
    "smoke",
    "barn",
    "crow",
    "leaf",
    "wind",
    "road",
    "hill",
    "dog",
    "garden",
    "star",
    "night",
]
VERBS = ["sleeps", "sings", "waits", "falls", "turns", "burns", "moves", "stands", "runs", "ends"]
SETTINGS = PoetSettings(
    batch=16,
    warm_up=1,
    least=1,
    most=200,
    themed=0,
    width=16,
    hidden=16,
    common=10,
    sampled=10,
    drop_weight=0.0,
    drop_hidden=0.0,
    drop_input=0.0,
    drop_output=0.0,
    rate=1e-2,
    average=0.5,
    plain_average=0.5,
)


def verse(folder: Path, count: int = 400) -> Path:
    """A file of verse that can be learned."""
    folder.mkdir(exist_ok=True)
    chance = random.Random(4)
    rows = []
    for number in range(count):
        noun, other = chance.choices(NOUNS, [1 / place**2 for place in range(1, len(NOUNS) + 1)], k=2)
        lines = [
            f"the {noun} {chance.choice(VERBS)}",
            f"{other} {chance.choice(VERBS)} {noun} {chance.choice(VERBS)}",
            f"the {other}",
        ]
        rows.append(json.dumps({"lines": lines, "form": "free", "tier": "reddit", "nature": number % 3}))
    import zstandard

    (folder / "haiku.jsonl.zst").write_bytes(zstandard.compress("\n".join(rows).encode()))
    return folder


def trained(data: Path, folder: Path, *, steps: int, most: int = 200) -> Path:
    """A poet after so many updates, with a budget that leaves no time for a critic."""
    from dataclasses import replace

    recipe.train(
        data=data,
        folder=folder / "run",
        out=folder / "model",
        steps=steps,
        minutes=0.5 if steps > 1 else 1e-9,
        settings=replace(SETTINGS, most=most),
        log=lambda _: None,
        corpus={"name": "v1", "verses": 400, "sha256": "ab"},
    )
    return folder / "model"


@pytest.mark.slow
def test_the_better_taught_one_is_better_and_unknown_words_are_charged(tmp_path: Path):
    """A poet that calls most words unknown looks better by its own count than it is."""
    data = verse(tmp_path / "data")
    fresh, taught = trained(data, tmp_path / "a", steps=1, most=8), trained(data, tmp_path / "b", steps=60)
    found = compare(data=data, candidate=taught, incumbent=fresh)
    assert found.better
    assert found.poems > 0
    assert not compare(data=data, candidate=fresh, incumbent=taught).better
    assert not compare(data=data, candidate=taught, incumbent=taught).better
    words = {*NOUNS, *VERBS, "the"}
    assert fair_perplexity(data, fresh, words) > 1.5 * fair_perplexity(data, fresh, set())
    assert fair_perplexity(data, taught, words) == fair_perplexity(data, taught, set())
    assert "version v1 of the operator's own corpus: 400 verses" in (taught / "card.md").read_text()
    assert json.loads((taught / "config.json").read_text())["training"]["corpus"]["name"] == "v1"


def test_a_corpus_too_small_to_tell_is_told(tmp_path: Path):
    """Without a test split nobody is better."""
    with pytest.raises(InputError, match="too small"):
        compare(data=verse(tmp_path / "data", 1), candidate=tmp_path, incumbent=tmp_path)
