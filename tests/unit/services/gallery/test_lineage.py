"""How an artwork came about."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from auria_bot.files import sha256_of
from auria_bot.services.gallery.lineage import CorpusVersions, ModelUsed, models_used
from tests.factories import artwork

if TYPE_CHECKING:
    from pathlib import Path


def test_models_are_listed_by_role_whatever_an_earlier_version_called_it() -> None:
    """`scribe` is the text writer, and a key without a model's name is kept."""
    made = artwork(models=(("scribe:plain:hashtags", "a" * 64), ("poet:word-lstm", "b" * 64)))
    assert models_used(made) == (
        ModelUsed(role="poet", backend="word-lstm", name="", sha256="b" * 64),
        ModelUsed(role="text-writer", backend="plain", name="hashtags", sha256="a" * 64),
    )


def test_the_corpus_is_found_by_the_poets_hash(tmp_path: Path) -> None:
    """A poet that was trained on a version and is still on this machine names it; others name none."""
    model = tmp_path / "home" / "train" / "poet-corpus" / "2026-11-01-ab" / "model"
    model.mkdir(parents=True)
    (model / "SHA256SUMS").write_text("x")
    (model / "config.json").write_text(json.dumps({"training": {"corpus": {"name": "2026-11-01-ab"}}}))
    corpora = CorpusVersions(models=tmp_path / "models", home=tmp_path / "home")
    assert corpora.of(artwork(models=(("poet:word-lstm:poet", sha256_of(model / "SHA256SUMS")),))) == "2026-11-01-ab"
    assert corpora.of(artwork()) == ""
    (model / "config.json").write_text("[]")
    again = CorpusVersions(models=tmp_path / "models", home=tmp_path / "home")
    assert again.of(artwork(models=(("poet:word-lstm:poet", sha256_of(model / "SHA256SUMS")),))) == ""
