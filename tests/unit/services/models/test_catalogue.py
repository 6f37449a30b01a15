"""The models and styles that are listed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from auria_bot.services.models import catalogue
from auria_bot.settings.locations import shipped
from auria_bot.settings.schema import Settings
from tests.style_networks import MODELS, write_inverting_network

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A verified model, one without checksums, a damaged one, a table, something else, and a model that was replaced."""
    models = tmp_path / "models"
    for name in ("good", "bare", "table", "other", "damaged", ".good.before"):
        (models / name).mkdir(parents=True)
    (models / "good" / "model.onnx").write_bytes(b"network")
    (models / "good" / "card.md").write_text("- License: *Apache-2.0*.\n")
    (models / "good" / "metrics.json").write_text('{"test": {"bleu_4": 0.2}, "ok": true, "n": 3, "name": "x"}')
    import hashlib

    digest = hashlib.sha256(b"network").hexdigest()
    (models / "good" / "SHA256SUMS").write_text(f"{digest}  model.onnx\n")
    (models / "bare" / "model.onnx").write_bytes(b"network")
    (models / ".good.before" / "model.onnx").write_bytes(b"network")
    (models / "bare" / "metrics.json").write_text("[1]")
    (models / "table" / "NOTICE.md").write_text("Apache License, Version 2.0 and BSD-3-Clause, Apache License 2.0")
    (models / "table" / "metrics.json").write_text("{")
    (models / "damaged" / "SHA256SUMS").write_text(f"{digest}  model.onnx\n")
    (models / "damaged" / "model.onnx").write_bytes(b"changed")
    (models / "damaged" / "card.md").write_bytes(b"\xff")
    return Settings(home=tmp_path / "home", models=models)


def rows(settings: Settings, *, verify: bool) -> dict[str, dict[str, Any]]:
    """Each row by name."""
    return {row["name"]: row for row in catalogue.model_rows(settings, verify=verify)}


def test_models_are_listed_with_hash_licence_and_metrics(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    """Verified when asked; a model without checksums is bad in any case, a table has a hash over its files."""
    monkeypatch.setattr(catalogue, "_PACKAGES", {})
    found = rows(settings, verify=False)
    assert list(found) == ["bare", "damaged", "good", "table"]
    assert {name: row["state"] for name, row in found.items()} == {
        "bare": "bad",
        "damaged": "",
        "good": "",
        "table": "",
    }
    assert found["good"]["metrics"] == {"test.bleu_4": 0.2, "n": 3.0}
    assert (found["good"]["licence"], found["table"]["licence"]) == ("Apache-2.0", "Apache-2.0, BSD-3-Clause")
    assert (found["damaged"]["licence"], found["bare"]["metrics"], found["table"]["metrics"]) == ("", {}, {})
    assert len(found["table"]["sha256"]) == 64
    verified = rows(settings, verify=True)
    assert (verified["good"]["state"], verified["damaged"]["state"]) == ("ok", "bad")
    assert "install auria-bot again" in found["bare"]["words"]


def test_networks_in_packages_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A package that is not installed is bad, with the command that installs it."""
    file = tmp_path / "net.onnx"
    file.write_bytes(b"network")

    def distribution(name: str) -> Any:
        if name == "missing":
            raise PackageNotFoundError(name)
        return SimpleNamespace(files=[SimpleNamespace(suffix=".onnx", locate=lambda: file)])

    monkeypatch.setattr("importlib.metadata.distribution", distribution)
    monkeypatch.setattr(catalogue, "_PACKAGES", {"there": "MIT", "missing": "MIT"})
    found = rows(Settings(home=tmp_path, models=tmp_path / "nowhere"), verify=True)
    assert found["there/net.onnx"]["bytes"] == 7
    assert "pip install missing" in found["missing"]["words"]


def test_styles_are_found_by_key_title_or_artist(tmp_path: Path):
    """Whatever the case; the operator's own bank is read when it exists."""
    settings = Settings(home=tmp_path, models=shipped("models"))
    everything = catalogue.style_rows(settings)
    artist = everything[0]["artist"]
    some = catalogue.style_rows(settings, matching=artist.upper())
    assert 0 < len(some) < len(everything)
    assert {"key", "title", "artist", "year"} <= set(some[0])
    json.dumps(some)


def test_paintings_are_added_to_the_own_bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """With the shipped ones as references for their moods."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(
        "auria_bot.art.stylists.style_indexing.add",
        lambda folder, into, **options: given.update(folder=folder, into=into, **options) or "added",
    )
    settings = Settings(home=tmp_path, models=shipped("models"))
    assert catalogue.add_styles(settings, tmp_path / "x", moods=None, progress=lambda *_: None) == "added"
    assert given["into"] == tmp_path / "styles" / "own"
    assert given["references"].paintings


def test_own_paintings_are_listed_and_removed(tmp_path: Path):
    """Those that ship stay."""
    from auria_bot.art.stylists.style_bank import StyleBank
    from auria_bot.errors import UnknownName

    settings = Settings(home=tmp_path, models=shipped("models"))
    everything = catalogue.style_bank(settings).paintings
    assert catalogue.style_rows(settings, own=True) == []
    with pytest.raises(UnknownName, match="'lost'"):
        catalogue.remove_styles(settings, ["lost"])
    assert not (tmp_path / "styles").exists()  # an empty folder would be taken for a bank
    mine = [replace(everything[0], key="mine"), replace(everything[1], key="other")]
    StyleBank(paintings=tuple(mine)).save(tmp_path / "styles" / "own")
    assert [row["key"] for row in catalogue.style_rows(settings, own=True)] == ["mine", "other"]
    catalogue.remove_styles(settings, ["mine"])
    assert [row["key"] for row in catalogue.style_rows(settings, own=True)] == ["other"]
    catalogue.remove_styles(settings, ["other"])
    assert catalogue.style_rows(settings, own=True) == []
    with pytest.raises(UnknownName, match=everything[0].key):
        catalogue.remove_styles(settings, [everything[0].key])
    assert len(catalogue.style_bank(settings).paintings) == len(everything)


def test_a_sample_shows_strokes_and_palette(tmp_path: Path):
    """The palette lies beneath, its largest colour first."""
    from PIL import Image

    settings = Settings(home=tmp_path, models=shipped("models"))
    row = catalogue.style_rows(settings)[0]
    catalogue.style_sample(settings, row["key"], tmp_path / "sample.png")
    with Image.open(tmp_path / "sample.png") as sample:
        assert sample.size == (480, 360)
        assert "#{:02x}{:02x}{:02x}".format(*sample.getpixel((2, 340))) == row["palette"][0][0]
        assert len(sample.crop((0, 0, 480, 300)).getcolors(200_000) or range(1000)) > 500


def test_styles_with_a_network_are_listed_and_found_by_name(tmp_path: Path):
    """After the paintings of the bank; a sample of one is painted by its network."""
    pytest.importorskip("onnx")
    for name in ("stylist", "styles"):
        (tmp_path / name).symlink_to(MODELS / name, target_is_directory=True)
    write_inverting_network(tmp_path, "negative")
    settings = Settings(home=tmp_path / "home", models=tmp_path)
    rows = catalogue.style_rows(settings, matching="van gogh")
    assert [(row["key"], row["network"]) for row in rows][-1] == ("negative", True)
    assert len([row for row in rows if row["network"]]) == 1
    assert catalogue.style_rows(settings, own=True) == []
    assert catalogue.find_style(settings, "negative").key == "negative"
    assert catalogue.find_style(settings, "Monet Claude").artist == "Claude Monet"
    catalogue.style_sample(settings, "negative", tmp_path / "sample.png")
    with Image.open(tmp_path / "sample.png") as sample:
        assert sample.size == (480, 360)


def test_a_model_is_identified_by_its_checksums(tmp_path: Path):
    """Or, in a folder without them, by names and content of all its files."""
    (tmp_path / "weights").write_text("one")
    without = catalogue.model_hash(tmp_path)
    (tmp_path / "weights").write_text("two")
    assert catalogue.model_hash(tmp_path) != without
    (tmp_path / "SHA256SUMS").write_text("sums")
    assert catalogue.model_hash(tmp_path) == hashlib.sha256(b"sums").hexdigest()
