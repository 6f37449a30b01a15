"""Training and measuring from the command line."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from auria_bot.cli.models import train as training
from auria_bot.errors import InputError, NotFound, UnknownName
from auria_bot.settings.schema import Settings


def test_an_unknown_model_is_answered_with_the_known_ones():
    """The stylist is measured but not trained."""
    with pytest.raises(UnknownName, match=r"known: poet, painter, captioner$"):
        training._module("stylist", training.TRAINED, "training")


def test_the_data_are_the_options_or_the_settings(tmp_path):
    """Without either, the message says how to name them."""
    assert training._data(tmp_path, Settings(home=tmp_path)) == tmp_path
    assert training._data(None, Settings(home=tmp_path, data=tmp_path)) == tmp_path
    with pytest.raises(InputError, match="--data DIR"):
        training._data(None, Settings(home=tmp_path))
    with pytest.raises(NotFound, match="not a folder"):
        training._data(tmp_path / "nowhere", Settings(home=tmp_path))


def test_figures_within_figures_keep_their_names():
    """A table of a table is one table."""
    assert training._rows({"bleu": 0.25, "published": {"bleu": 0.2}, "pictures": 3}) == [
        ("bleu", "0.25"),
        ("published bleu", "0.2"),
        ("pictures", "3"),
    ]


def test_training_hands_over_what_was_asked_and_makes_the_folder_complete(tmp_path, monkeypatch, capsys):
    """The recipe gets data, folders and budget; the other models are put beside the new one."""
    asked = {}
    recipe = ModuleType("auria_bot.art.training.poet.train")
    recipe.train = lambda **given: asked.update(given) or {"perplexity": 12.5}
    monkeypatch.setitem(sys.modules, "auria_bot.art.training.poet.train", recipe)
    monkeypatch.setenv("AURIA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("AURIA_MODELS", str(tmp_path / "models"))
    (tmp_path / "models" / "painter").mkdir(parents=True)
    (tmp_path / "home" / "models").mkdir(parents=True)
    training.train("poet", data=tmp_path, minutes=0.5)
    assert (asked["data"], asked["minutes"], asked["steps"]) == (tmp_path, 0.5, None)
    assert asked["out"] == tmp_path / "home" / "models" / "poet"
    assert (tmp_path / "home" / "models" / "painter").is_dir()
    said = capsys.readouterr()
    assert "perplexity" in said.out
    assert f"AURIA_MODELS={tmp_path / 'home' / 'models'}" in said.err
