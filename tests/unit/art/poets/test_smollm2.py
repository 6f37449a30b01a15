import pytest

from auria_bot.art.poets import smollm2
from auria_bot.errors import BackendMissing, ModelCorrupt


class _Spec:
    def __init__(self, folder):
        self.submodule_search_locations = [str(folder)]


def test_the_package_that_is_missing_is_named(monkeypatch):
    """Without the package the error says how to install it."""
    monkeypatch.setattr(smollm2.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(BackendMissing, match="haiku-lm"):
        smollm2.path()


def test_other_weights_are_refused(monkeypatch, tmp_path):
    """A file that does not match the known checksum is not read."""
    (tmp_path / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(smollm2.importlib.util, "find_spec", lambda _: _Spec(tmp_path))
    with pytest.raises(ModelCorrupt, match="checksum"):
        smollm2.load()
