"""The command `speak`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from auria_bot.bootstrap.web import WebServices
from tests.exhibited import exhibited
from tests.unit.services.gallery.test_readings import readings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Auria = Callable[..., tuple[int, str, str]]


def test_a_poem_is_kept_written_and_removed(
    home: Path, auria: Auria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each says where the file is, and how long."""
    monkeypatch.setattr(WebServices, "readings", readings(home, has_encoder=False))
    exhibited(home, 1).close()
    code, out, err = auria("speak", "1")
    assert (code, out.startswith(f"{home / 'readings'}")) == (0, True)
    assert "5.5 s" in out
    assert "web site" in err
    monkeypatch.setattr("auria_bot.art.voice.PACE", 1.0)
    assert json.loads(auria("speak", "1", "--out", str(tmp_path / "usual.wav"), "--json")[1])["seconds"] == 5.0
    code, out, _ = auria("speak", "1", "--out", str(tmp_path / "a.wav"), "--pace", "1", "--json")
    facts = json.loads(out)
    assert (code, facts["seconds"], len(facts["lines"])) == (0, 5.0, 3)
    assert (tmp_path / "a.wav").is_file()
    code, _, err = auria("speak", "1", "--remove", "--out", "b.wav")
    assert (code, "--remove" in err) == (2, True)
    assert auria("speak", "1", "--remove")[0] == 0
    assert not list((home / "readings").iterdir())
