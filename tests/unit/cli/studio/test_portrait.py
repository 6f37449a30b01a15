"""The command `portrait`, and `channels avatar`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from auria_bot.art.pictures import open_picture
from auria_bot.bootstrap.studio import StudioServices
from tests.unit.services.portraits.test_portraits import portraits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    Auria = Callable[..., tuple[int, str, str]]


def test_candidates_are_shown_and_one_is_used(
    home: Path, auria: Auria, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First a sheet, then the chosen one, which a channel's avatar can be made of."""
    monkeypatch.setattr(StudioServices, "portraits", portraits(home))
    code, out, err = auria("portrait", "--count", "2", "--seed", "7", "-o", str(tmp_path / "all.jpg"), "--json")
    assert (code, json.loads(out)["seeds"]) == (0, [7, 8])
    assert "[1/2] painting" in err
    code, out, err = auria("portrait", "--count", "1", "--mood", "shy", "-o", str(tmp_path / "one.png"))
    assert "auria portrait use 1 --mood shy" in err
    assert open_picture(tmp_path / "one.png").size == (1024, 1024)
    code, _, err = auria("portrait", "show")
    assert (code, "auria portrait use SEED" in err) == (5, True)
    assert auria("portrait", "use", "8", "--medium", "oil")[0] == 0
    assert auria("portrait", "show")[1].startswith("seed 8 --medium oil: ")
    assert json.loads(auria("portrait", "show", "--json")[1])["seed"] == 8
    (home / "auria.toml").write_text(
        "".join(f'[channels.{one}]\nbackend = "{one}"\n' for one in ("folder", "mastodon"))
    )
    code, _, err = auria("channels", "avatar", "folder")
    assert (code, "upload" in err) == (4, True)
    code, out, err = auria("channels", "avatar", "mastodon", "--dry-run")
    assert code == 0, err
    assert "would be the avatar of mastodon" in out
