import json

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from auria_bot.art.poets.lexicon import Lexicon  # noqa: E402 - after the skip
from auria_bot.art.poets.subword_decoding import SubwordDecoder, SubwordSampling  # noqa: E402
from auria_bot.art.poets.verse_tokens import VerseTokens  # noqa: E402
from auria_bot.art.poets.word_trie import WordTrie  # noqa: E402
from auria_bot.art.training.haiku_lm.dataset import read_haiku  # noqa: E402
from auria_bot.art.training.haiku_lm.sampling import header_for, sample, written  # noqa: E402
from auria_bot.corpus import verses  # noqa: E402
from auria_bot.corpus.language.syllables import fits  # noqa: E402
from auria_bot.corpus.language.words import Vocabulary  # noqa: E402


@pytest.fixture(scope="module")
def write(tiny_lm, tiny_models, haiku_data):
    """Samples from the tiny model into a file."""
    tokens = VerseTokens(transformers.AutoTokenizer.from_pretrained(tiny_lm))
    net = transformers.AutoModelForCausalLM.from_pretrained(tiny_lm).eval()
    words = Vocabulary.parse((tiny_models / "poet" / "vocabulary.txt").read_text(encoding="ascii"))
    decoder = SubwordDecoder(net, WordTrie(Lexicon.of(words), tokens.word, tokens.newline))
    haiku = read_haiku(haiku_data).train
    return lambda out, poems: sample(
        decoder, tokens, haiku, out, poems=poems, batch=8, params=SubwordSampling(least=0.0), log=lambda _: None
    )


def test_a_stopped_run_goes_on_as_the_same_run(write, tmp_path):
    """A file whose last batch was cut off ends as the file of a run that was not stopped."""
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    count = write(whole, 30)
    assert count >= 30
    write(cut, 10)
    rows = cut.read_bytes()
    cut.write_bytes(rows + b'{"lines": ["snow')
    assert write(cut, 30) == count
    assert cut.read_bytes() == whole.read_bytes()
    assert written(whole)[1] == count
    assert written(tmp_path / "none.jsonl") == (0, 0)


def test_the_file_is_read_as_verse(write, tmp_path):
    """Every poem of the file is in form and says that a machine wrote it; rows that end a batch are no poems."""
    out = tmp_path / "poems.jsonl"
    count = write(out, 10)
    poems = list(verses.read(out))
    assert len(poems) == count
    assert all(fits(poem.tokens) for poem in poems)
    rows = [json.loads(row) for row in out.read_text().splitlines()]
    assert {row.get("tier") for row in rows} == {"machine", None}


def test_headers_are_of_many_kinds(haiku_data):
    """A batch's header depends on its number: mostly a theme of the haiku, sometimes season words, sometimes none."""
    haiku = read_haiku(haiku_data).train
    headers = [header_for(number, haiku, 1) for number in range(100)]
    assert headers == [header_for(number, haiku, 1) for number in range(100)]
    themes = [header.theme for header in headers]
    assert 5 < themes.count("") < 30
    assert len(set(themes)) > 40
