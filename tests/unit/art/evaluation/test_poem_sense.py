import json

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from auria_bot.art.evaluation import poem_sense  # noqa: E402 - after the skip
from auria_bot.art.evaluation.poem_sense import Sense, SenseJudge, floor_of, shares_below  # noqa: E402
from auria_bot.art.poets.verse_tokens import Header, VerseTokens  # noqa: E402

POEMS = (
    (
        ("snow", "falls", "on", "the", "stone"),
        ("the", "moon", "waits", "over", "a", "pond"),
        ("in", "autumn", "silence"),
    ),
    (("the", "rain"), ("a", "bird"), ("light",)),
)


@pytest.fixture(scope="module")
def judge(tiny_lm):
    """A judge that knows nothing."""
    tokens = VerseTokens(transformers.AutoTokenizer.from_pretrained(tiny_lm))
    return SenseJudge(transformers.AutoModelForCausalLM.from_pretrained(tiny_lm), tokens)


def test_likelihood_is_the_models_own(judge):
    """Poems of different lengths judged together have the figures of each judged alone, in the model's own scores."""
    both = judge.judge(POEMS)
    for poem, sense in zip(POEMS, both, strict=True):
        (alone,) = judge.judge([poem])
        assert sense.likelihood == pytest.approx(alone.likelihood, abs=1e-5)
        head, body = judge._tokens.header(Header()), judge._tokens.poem(poem)
        with torch.no_grad():
            scores = judge._net(input_ids=torch.tensor([[*head, *body]])).logits[0, len(head) - 1 : -1].log_softmax(-1)
        mean = float(scores[torch.arange(len(body)), torch.tensor(body)].mean())
        assert sense.likelihood == pytest.approx(mean, abs=1e-4)
        assert sense.lowest <= 0
        assert abs(sense.coherence) < 1


def test_tokens_that_are_never_asked_for_are_unlikely(judge):
    """A word outside the restricted softmax counts as all but impossible."""
    written = torch.tensor(sorted({token for poem in POEMS[1:] for token in judge._tokens.poem(poem)}))
    narrow = SenseJudge(judge._net, judge._tokens, written)
    assert narrow.judge(POEMS)[0].lowest <= -20


def test_floors_are_shares_of_human_poems():
    """The floor leaves the wanted share of the first set under it, and others are counted against it."""
    human = [Sense(likelihood=-number / 100, lowest=-number / 10, coherence=number / 100) for number in range(101)]
    floor = floor_of(human, share=0.1)
    below = shares_below(human, floor)
    assert floor.likelihood == pytest.approx(-0.9)
    assert below["likelihood"] == pytest.approx(0.1, abs=0.01)
    assert below["any"] == pytest.approx(0.2, abs=0.02)


def test_files_are_judged(judge, tmp_path, monkeypatch, capsys):
    """The command prints a row for each file, the floor taken from the first."""
    rows = [json.dumps({"lines": [" ".join(line) for line in poem]}) for poem in POEMS]
    (tmp_path / "a.jsonl").write_text("\n".join(rows))
    monkeypatch.setattr(SenseJudge, "load", classmethod(lambda _cls, _folder: judge))
    monkeypatch.setattr("sys.argv", ["poem_sense", "--judge", str(tmp_path), *[str(tmp_path / "a.jsonl")] * 2])
    poem_sense.main()
    first, second = (json.loads(row) for row in capsys.readouterr().out.splitlines())
    assert first == second
    assert first["poems"] == 2
