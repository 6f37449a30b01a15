import json

import numpy as np
import pytest

from auria_bot.corpus.language.syllables import counts

WORDS = (  # noqa: SIM905 - easier to read
    "moon snow rain wind stone cloud leaf frost pond star light bird river autumn winter evening water silence shadow "
    "the a of on in into and morning mountain flower over under falls sings sleeps waits window garden"
).split()


@pytest.fixture(scope="session")
def tiny_lm(tmp_path_factory):
    """A folder with a small Llama of random weights and a byte-level BPE; longer words have several tokens."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    folder = tmp_path_factory.mktemp("tiny-lm")
    bpe = tokenizers.ByteLevelBPETokenizer()
    texts = ["".join(f" {word}" for word in WORDS) + "\n", " poem about the snow in winter\n"]
    bpe.train_from_iterator(texts * 2, vocab_size=360, min_frequency=2, special_tokens=["<end>"], show_progress=False)
    specials = dict.fromkeys(("eos_token", "bos_token", "pad_token"), "<end>")
    transformers.PreTrainedTokenizerFast(tokenizer_object=bpe._tokenizer, **specials).save_pretrained(folder)
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=bpe.get_vocab_size(),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=128,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def haiku_data(tmp_path_factory):
    """A folder with a few hundred haiku in form, words drawn at random; every second one by a published poet."""
    zstandard = pytest.importorskip("zstandard")
    rng = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("haiku")
    by_count = {
        1: [word for word in WORDS if counts(word) == (1,)],
        2: [word for word in WORDS if counts(word) == (2,)],
    }

    def line(syllables):
        chosen = []
        while syllables:
            count = int(rng.integers(1, min(2, syllables) + 1))
            chosen.append(str(rng.choice(by_count[count])))
            syllables -= count
        return " ".join(chosen)

    rows = [
        {"lines": [line(5), line(7), line(5)], "form": "575", "tier": ("poets", "reddit")[at % 2], "nature": at % 3}
        for at in range(400)
    ]
    rows.append({"lines": ["snow", "the river falls", "wind"], "form": "free", "tier": "poets", "nature": 1})
    packed = zstandard.ZstdCompressor().compress("\n".join(map(json.dumps, rows)).encode())
    (folder / "haiku.jsonl.zst").write_bytes(packed)
    return folder


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory):
    """A folder of models with nothing but a small vocabulary for the poet."""
    from auria_bot.corpus.language.words import SPECIALS, Vocabulary

    folder = tmp_path_factory.mktemp("models")
    (folder / "poet").mkdir()
    text = Vocabulary(words=(*SPECIALS, *WORDS)).text()
    (folder / "poet" / "vocabulary.txt").write_text(text, encoding="ascii")
    return folder
