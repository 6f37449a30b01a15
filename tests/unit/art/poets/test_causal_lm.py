import pytest

from auria_bot.art.poets.causal_lm import CausalLm, CausalLmConfig, recut
from auria_bot.art.poets.checks import faults
from auria_bot.corpus.language.words import words
from auria_bot.domain.mood import find_mood
from auria_bot.errors import ModelCorrupt, ModelMissing, SettingsError, StepFailed

WORDS = "moon snow rain wind stone cloud leaf frost pond star light bird river autumn winter evening water silence shadow".split()  # noqa: SIM905
SPECIAL = {"unk": "[UNK]", "eos": "[END]", "pad": "[END]"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny language model that was never trained: it writes words of a small vocabulary at random."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    target = tmp_path_factory.mktemp("causal")
    numbers = {word: number for number, word in enumerate(["[UNK]", "[END]", *WORDS])}
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(numbers, unk_token=SPECIAL["unk"]))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, **{f"{name}_token": word for name, word in SPECIAL.items()}
    ).save_pretrained(target)
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=len(numbers), n_positions=96, n_embd=16, n_layer=1, n_head=2, bos_token_id=1, eos_token_id=1
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(target)
    return target


def poet(folder, models, **options):
    """A poet on the tiny model."""
    return CausalLm(
        CausalLmConfig(model=str(folder), device="cpu", candidates=3, batch=4, rounds=40, **options), models=models
    )


def test_it_writes_in_form(folder, tmp_path):
    """Even an untrained model's words are cut to 5-7-5 and pass the checks; the seed decides them."""
    asked = {"seed": 3, "count": 2, "theme": "first snow", "mood": find_mood("still")}
    verses = poet(folder, tmp_path).compose(**asked)
    assert len(verses) == 2
    for verse in verses:
        assert faults([words(line) for line in verse.haiku.lines], None) == []
    assert poet(folder, tmp_path).compose(**asked) == verses


def test_a_model_that_writes_nothing_usable_is_told(folder, tmp_path):
    """When no text holds a haiku the step fails with advice."""
    with pytest.raises(StepFailed, match="rounds"):
        poet(folder, tmp_path, new_tokens=3).compose(seed=1)


def test_models_that_cannot_be_used_are_told(folder, tmp_path):
    """No name, no folder, and a folder without a model each raise an error of their own."""
    with pytest.raises(SettingsError):
        CausalLm(CausalLmConfig(), models=tmp_path)
    with pytest.raises(ModelMissing):
        CausalLm(CausalLmConfig(model=str(tmp_path / "none")), models=tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelCorrupt):
        CausalLm(CausalLmConfig(model=str(tmp_path)), models=tmp_path)


def test_lines_are_cut_anew():
    """Right lines stay; wrong breaks are moved; words around the run go; without a run there is nothing."""
    right = [
        ["still", "water", "tonight"],
        ["the", "moon", "lies", "down", "on", "a", "leaf"],
        ["and", "does", "not", "wake", "it"],
    ]
    assert recut(right) == tuple(map(tuple, right))
    flat = [word for line in right for word in line]
    assert recut([["oh"], flat]) == recut(right)
    assert recut([["butterfly"]]) is None
    assert recut([]) is None
