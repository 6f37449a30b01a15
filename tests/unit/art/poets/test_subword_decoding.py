import numpy as np
import pytest

from auria_bot.corpus.language.syllables import fits

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from auria_bot.art.poets.lexicon import Lexicon  # noqa: E402 - after the skip
from auria_bot.art.poets.subword_decoding import SubwordDecoder, SubwordSampling  # noqa: E402
from auria_bot.art.poets.verse_tokens import Header, VerseTokens  # noqa: E402
from auria_bot.art.poets.word_trie import WordTrie  # noqa: E402
from auria_bot.corpus.language.words import Vocabulary  # noqa: E402


@pytest.fixture(scope="module")
def parts(tiny_lm, tiny_models):
    """The tiny model, its tokens, and the trie of the tiny vocabulary."""
    tokens = VerseTokens(transformers.AutoTokenizer.from_pretrained(tiny_lm))
    net = transformers.AutoModelForCausalLM.from_pretrained(tiny_lm).eval()
    words = Vocabulary.parse((tiny_models / "poet" / "vocabulary.txt").read_text(encoding="ascii"))
    return net, tokens, WordTrie(Lexicon.of(words), tokens.word, tokens.newline)


def sample(parts, count=40, **params):
    """Poems under a header with a theme."""
    net, tokens, trie = parts
    prompt = tokens.header(Header(theme="snow"))
    params = SubwordSampling(**{"least": 0.0} | params)
    return SubwordDecoder(net, trie).sample(prompt, count=count, rng=np.random.default_rng(2), params=params)


def test_every_poem_is_in_form(parts):
    """All of many poems by a model that knows nothing have 5, 7 and 5 syllables, and no line leans on the next."""
    poems = sample(parts)
    assert len(poems) == 40
    for poem in poems:
        assert fits(poem.lines)
        assert poem.lines[0][-1] not in {"the", "a", "of", "into"}
    assert len({poem.lines for poem in poems}) > 35


def test_likelihoods_are_the_models_own(parts):
    """The word scores and line ends of a poem add up to what the model gives the same tokens in one pass."""
    net, tokens, trie = parts
    for poem in sample(parts, count=3):
        head, body = tokens.header(Header(theme="snow")), tokens.poem(poem.lines)
        with torch.no_grad():
            logits = net(input_ids=torch.tensor([[*head, *body]])).logits[0, len(head) - 1 : -1]
        scores = logits[:, torch.from_numpy(trie.tokens)].log_softmax(-1)
        each = scores[torch.arange(len(body)), torch.from_numpy(np.searchsorted(trie.tokens, body))]
        whole = poem.likelihood * sum(map(len, poem.lines)) + poem.breaks * 3
        assert float(each.sum()) == pytest.approx(whole, abs=1e-3)
        assert poem.lowest <= poem.likelihood


def test_forced_poems_are_given_up(parts):
    """A poem is dropped where the form leaves too little of what the model would write."""
    assert len(sample(parts, least=0.2)) < 40
    assert sample(parts, least=1.0) == []
