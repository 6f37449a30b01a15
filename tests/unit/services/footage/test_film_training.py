"""Tests of auria_bot.services.footage.film_training."""

from __future__ import annotations

from pathlib import Path

import pytest

from auria_bot.errors import InputError, NotFound
from auria_bot.services.footage.film_training import film_model, footage_folder, parsed_size
from auria_bot.services.footage.library import Footage, FootageLibrary


@pytest.mark.parametrize(
    ("folder", "model"), [("waves", "film-waves"), ("North Sea (2)", "film-north-sea-2"), ("海", "film-footage")]
)
def test_a_model_is_named_after_its_footage(folder: str, model: str) -> None:
    """In letters, digits and hyphens, as the registry wants them."""
    assert film_model(Path(folder)) == model


def test_footage_is_a_set_or_a_folder(tmp_path: Path) -> None:
    """What has a slash or begins with a dot is a folder; anything else the name of a set."""
    library = FootageLibrary(tmp_path)
    library.save(Footage(name="waves", width=64, height=64, shape="square"))
    assert footage_folder(library, "waves") == tmp_path / "footage" / "waves"
    assert footage_folder(library, str(tmp_path)) == tmp_path
    with pytest.raises(NotFound):
        footage_folder(library, "storms")
    with pytest.raises(InputError, match="no folder"):
        footage_folder(library, "./storms")


@pytest.mark.parametrize("text", ["112", "112x", "16x16", "112x64x3", "9999x64", "-64x64"])
def test_a_size_is_width_and_height(text: str) -> None:
    """Within what a model can have; anything else is refused."""
    assert parsed_size("112x64") == (112, 64)
    with pytest.raises(InputError, match="width and height"):
        parsed_size(text)
