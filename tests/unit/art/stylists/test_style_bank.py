"""Tests of auria_bot.art.stylists.style_bank."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from auria_bot.art.colour import ColourDistribution
from auria_bot.art.stylists.style_bank import BankedPainting, StyleBank
from auria_bot.errors import ModelCorrupt, ModelMissing, UnknownName

MODELS = Path(__file__).resolve().parents[4] / "models"


def painting(key: str = "a-sea", *, seed: int = 0, **changes: object) -> BankedPainting:
    """A painting of made-up numbers."""
    rng = np.random.default_rng(seed)
    meaning = rng.normal(size=384).astype(np.float32)
    plain = BankedPainting(
        key=key,
        title="Sea",
        artist="Ann",
        year="1900",
        licence="CC0",
        emotions=(("happiness", 1.0),),
        emotion_source="labelled",
        nature=0.9,
        palette=(("#112233", 1.0),),
        vector=rng.normal(size=100).astype(np.float32),
        meaning=meaning / np.linalg.norm(meaning),
        colours=ColourDistribution.of(rng.normal(50, 10, (500, 3)).astype(np.float32)),
    )
    return replace(plain, **changes)


def test_a_bank_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    """Words exactly, numbers in half precision; an older file of numbers is cleared away."""
    StyleBank(paintings=(painting(seed=1),)).save(tmp_path)
    StyleBank(paintings=(painting(), painting("b-wood", seed=2))).save(tmp_path)
    bank = StyleBank.load(tmp_path)
    assert [each.row() for each in bank.paintings] == [painting().row(), painting("b-wood", seed=2).row()]
    assert np.abs(bank.paintings[0].vector - painting().vector).max() < 0.01
    assert bank.paintings[1].colours.distance(painting(seed=2).colours) < 0.1
    assert len(list(tmp_path.glob("numbers-*"))) == 1


def test_the_same_bank_is_the_same_bytes(tmp_path: Path) -> None:
    """Saving twice writes the same files."""
    for name in ("one", "two"):
        StyleBank(paintings=(painting(),)).save(tmp_path / name)
    assert {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()} == {
        path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()
    }


def test_adding_replaces_by_key() -> None:
    """A painting with a known key takes the old one's place."""
    bank = StyleBank(paintings=(painting(), painting("b"))).with_added([painting(title="New sea"), painting("c")])
    assert [(each.key, each.title) for each in bank.paintings] == [("a-sea", "New sea"), ("b", "Sea"), ("c", "Sea")]


def test_paintings_are_found_by_key_or_words() -> None:
    """The key first, then any part of title and artist; an unknown one shows what there is."""
    bank = StyleBank(paintings=(painting(), painting("b", title="Poppies", artist="Claude Monet")))
    assert bank.find("A-SEA").key == "a-sea"
    assert bank.find("claude  monet").key == "b"
    with pytest.raises(UnknownName, match=r"Klee"):
        bank.find("Klee")
    with pytest.raises(UnknownName, match=r"nearest: Claude Monet"):
        bank.find("Monnet")


def test_a_wish_names_a_painting_or_all_of_an_artist() -> None:
    """An artist by whole words, whatever the accents; a title gives the first that has it."""
    theirs = [painting(key, title=title, artist="Édouard Manet") for key, title in (("m", "Lilac"), ("n", "Peonies"))]
    bank = StyleBank(paintings=(painting(), *theirs, painting("o", title="Manet's garden", artist="Bob")))
    assert [each.key for each in bank.matching("manet").paintings] == ["m", "n"]
    assert [each.key for each in bank.matching(" edouard  MANET").paintings] == ["m", "n"]
    assert [each.key for each in bank.matching("N").paintings] == ["n"]
    assert [each.key for each in bank.matching("garden").paintings] == ["o"]
    assert [each.key for each in bank.without(["m", "o"]).paintings] == ["a-sea", "n"]
    for wrong in ("mane ti", ""):
        with pytest.raises(UnknownName):
            bank.matching(wrong)
    with pytest.raises(UnknownName, match="zz"):
        bank.without(["m", "zz"])


def test_damaged_banks_are_told_from_missing_ones(tmp_path: Path) -> None:
    """No bank, no numbers, half a file, other shapes: each has its error."""
    with pytest.raises(ModelMissing):
        StyleBank.load(tmp_path)
    StyleBank(paintings=(painting(),)).save(tmp_path)
    numbers = next(tmp_path.glob("numbers-*"))
    whole = numbers.read_bytes()
    numbers.write_bytes(whole[:500])
    with pytest.raises(ModelCorrupt):
        StyleBank.load(tmp_path)
    numbers.unlink()
    with pytest.raises(ModelMissing):
        StyleBank.load(tmp_path)
    numbers.write_bytes(whole)
    index = json.loads((tmp_path / "bank.json").read_text())
    index["paintings"] *= 2
    (tmp_path / "bank.json").write_text(json.dumps(index))
    with pytest.raises(ModelCorrupt, match="does not fit"):
        StyleBank.load(tmp_path)
    (tmp_path / "bank.json").write_text("{")
    with pytest.raises(ModelCorrupt):
        StyleBank.load(tmp_path)


def test_the_bank_that_ships_is_whole() -> None:
    """Hundreds of paintings, unique keys, every one felt, in the public domain and with finite numbers."""
    bank = StyleBank.load(MODELS / "styles")
    assert len(bank.paintings) > 300
    assert len({each.key for each in bank.paintings}) == len(bank.paintings)
    for each in bank.paintings:
        assert sum(share for _, share in each.emotions) == pytest.approx(1, abs=0.02)
        assert each.licence.startswith(("CC0", "public domain"))
        assert each.title
        assert each.artist
        assert 0.99 < np.linalg.norm(each.meaning) < 1.01
