"""Joining the concrete classes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from auria_bot.bootstrap.application import build
from auria_bot.settings.schema import Settings

if TYPE_CHECKING:
    from pathlib import Path


def test_building_opens_nothing(tmp_path: Path) -> None:
    """No file is made before a service is used."""
    house = build(Settings(home=tmp_path / "home"))
    assert house.backend_spec("poet").name == "word-lstm"
    assert house.channels.keys() == {"folder"}
    house.close()
    assert not (tmp_path / "home").exists()


def test_importing_bootstrap_is_light() -> None:
    """Neither pydantic, SQLAlchemy nor a runtime comes with it."""
    script = (
        "import sys, auria_bot.bootstrap.application\n"
        "print([n for n in ('pydantic', 'sqlalchemy', 'numpy', 'onnxruntime', 'openvino', 'torch') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
