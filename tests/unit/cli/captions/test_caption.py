"""`auria serve` and `auria caption`."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from PIL import Image

from auria_bot.services.captions.client import CaptionClient

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ANSWER = {
    "model": {"version": "v2"},
    "captions": [
        {"text": "A dog.", "confidence": 0.5, "words": [{"text": "dog", "attention": [[0.0, 1.0], [0.5, 0.0]]}]},
        {"text": "A cat.", "confidence": 0.25, "words": []},
    ],
}


def test_a_caption_is_printed(auria: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The best first, with the others; regions as blocks; all of it as JSON."""
    monkeypatch.setattr(CaptionClient, "caption_file", lambda *_: ANSWER)
    (tmp_path / "a.png").touch()
    picture = str(tmp_path / "a.png")
    code, out, _ = auria("caption", picture)
    assert (code, out.splitlines()) == (0, ["A dog.  (50%)", "A cat.  (25%)"])
    assert auria("caption", picture, "--regions")[1].splitlines()[-2:] == ["    ██", "  ▒▒  "]
    assert json.loads(auria("caption", picture, "--json")[1]) == ANSWER


def test_a_server_that_is_away_is_told(auria: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that starts it, and the exit code of models."""
    Image.new("RGB", (20, 20)).save(tmp_path / "a.png")
    monkeypatch.setenv("AURIA_CAPTIONS__SERVER", f"unix:{tmp_path / 'none'}")
    code, _, err = auria("caption", str(tmp_path / "a.png"))
    assert (code, "auria serve starts it" in err) == (8, True)


def test_serving_runs_the_captioner_in_service(auria: Any, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the address of the settings, with their limits; without the extra the command says what to install."""
    from auria_bot.serving import server

    asked: list[Any] = []
    monkeypatch.setattr(
        server, "serve", lambda pools, address, **limits: asked.append((pools.captions.model, address, limits))
    )
    code, _, err = auria("serve")
    assert (code, "version installed" in err) == (0, True)
    ((model, address, limits),) = asked
    assert (model["version"], address, limits) == (
        "installed",
        "127.0.0.1:8630",
        {"largest": 10_000_000, "deadline": 10.0},
    )
    monkeypatch.setitem(sys.modules, "auria_bot.serving.server", None)
    assert "[web]" in auria("serve")[2]


def test_serving_on_a_cluster_says_what_to_install(auria: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the option and by the setting, where Ray is not installed."""
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "auria_bot.serving.replicas", raising=False)
    assert "[cluster]" in auria("serve", "--engine", "ray")[2]
    monkeypatch.setenv("AURIA_CAPTIONS__ENGINE", "ray")
    assert "[cluster]" in auria("serve")[2]
