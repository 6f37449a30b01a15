"""`auria train`: which service it calls and what it prints."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.cli.models import metric_rows

if TYPE_CHECKING:
    from pathlib import Path


def test_nested_metrics_keep_their_names():
    """A table within the table becomes part of one table."""
    assert metric_rows({"bleu": 0.25, "published": {"bleu": 0.2}, "pictures": 3}) == [
        ("bleu", "0.25"),
        ("published bleu", "0.2"),
        ("pictures", "3"),
    ]


def test_a_trained_model_is_shown_with_how_to_use_it(
    auria: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Metrics and path on stdout, the command that puts it in service on stderr; the same as JSON."""
    recipe = ModuleType("auria_bot.art.training.poet.train")

    def trained(*, out: Path, **_: Any) -> dict[str, float]:
        out.mkdir(parents=True, exist_ok=True)
        (out / "weights").touch()
        return {"perplexity": 12.5}

    recipe.train = trained  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "auria_bot.art.training.poet.train", recipe)
    monkeypatch.setenv("AURIA_MODELS", str(tmp_path / "models"))
    (tmp_path / "models").mkdir()
    code, out, err = auria("train", "poet", "--data", str(tmp_path))
    assert (code, "perplexity" in out) == (0, True)
    assert "auria models promote poet v1" in err
    assert (home / "registry" / "poet" / "v1" / "files" / "weights").is_file()
    done = json.loads(auria("train", "poet", "--data", str(tmp_path), "--json", "--out", str(tmp_path / "x"))[1])
    assert done == {"model": "poet", "version": "", "path": str(tmp_path / "x"), "metrics": {"perplexity": 12.5}}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("painter", "--corpus", "newest"), "trains the poet, not the painter"),
        (("poet", "--corpus", "newest", "--out", "x"), "--out cannot be combined with --corpus"),
        (("poet", "--if-grown", "much"), "10%"),
    ],
)
def test_options_that_cannot_be_combined(auria: Any, arguments: tuple[str, ...], message: str):
    """The message says which."""
    code, _, err = auria("train", *arguments)
    assert (code, message in err) == (2, True)


def test_the_captioner_is_trained_with_ratings(auria: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What came of it is printed, and as JSON; other models have no ratings."""
    from auria_bot.services.models import training
    from auria_bot.services.models.captioner_tuning import CaptionerTuner, TuningResult

    result = TuningResult(version="v4", path=tmp_path, is_promoted=True, figures={"after": {"cider_d": 0.5}})
    monkeypatch.setattr(training, "captioner_ratings", lambda: None)
    monkeypatch.setattr(CaptionerTuner, "tune", lambda *_, **__: result)
    arguments = ("train", "captioner", "--with-ratings", "--data", str(tmp_path))
    assert "version v4 of the captioner is in service" in auria(*arguments)[1]
    assert json.loads(auria(*arguments, "--json")[1])["promoted"] is True
    assert auria("train", "poet", "--with-ratings")[0] == 2
    assert json.loads(auria(*arguments, "--if-rated", "5", "--json")[1]) == {
        "model": "captioner",
        "trained": False,
        "ratings": 0,
    }
    assert "give it with --with-ratings" in auria("train", "poet", "--if-rated", "5")[2]
    assert auria(*arguments, "--out", "x")[0] == 2
