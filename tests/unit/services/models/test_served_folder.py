"""A folder of links to folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from auria_bot.services.models.served_folder import link_folders


@pytest.mark.parametrize("has_links", [True, False])
def test_it_holds_what_is_wanted_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool):
    """As links, and as copies where links cannot be made."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "SHA256SUMS").write_text(name)
    if not has_links:

        def refuse(*_: object, **__: object) -> None:
            raise OSError("no right to make links")

        monkeypatch.setattr(Path, "symlink_to", refuse)
    served = tmp_path / "served"
    for wanted in ({"a": "one", "b": "two"}, {"a": "two"}, {"a": "two"}):
        link_folders(served, {name: tmp_path / target for name, target in wanted.items()})
        assert {one.name: (one / "SHA256SUMS").read_text() for one in served.iterdir()} == wanted
        assert all(one.is_symlink() is has_links for one in served.iterdir())
