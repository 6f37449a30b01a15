"""Joining the concrete classes."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from auria_bot.bootstrap.application import build
from auria_bot.settings.schema import Settings
from tests.applications import fake_application, fake_settings

if TYPE_CHECKING:
    from pathlib import Path


def test_building_opens_nothing(tmp_path: Path) -> None:
    """No file is made before a service is used."""
    application = build(Settings(home=tmp_path / "home"))
    assert application.backend_spec("poet").name == "word-lstm"
    assert application.channels.keys() == {"folder"}
    application.close()
    assert not (tmp_path / "home").exists()


def test_importing_bootstrap_is_light() -> None:
    """Neither pydantic, SQLAlchemy nor a runtime comes with it."""
    script = (
        "import sys, auria_bot.bootstrap.application\n"
        "print([n for n in ('pydantic', 'sqlalchemy', 'numpy', 'onnxruntime', 'openvino', 'torch') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_operations_obey_the_settings(tmp_path: Path) -> None:
    """Backups lie where the settings say, and without URLs nothing is sent."""
    settings = fake_settings(tmp_path).model_dump() | {"maintenance": {"backup_folder": "safe"}}
    with closing(build(Settings.model_validate(settings))) as app:
        assert app.backups.folder == tmp_path / "safe"
        assert app.notifier is None
        assert app.notification_urls == ()
        assert app.expiring_tokens() == {}


def test_every_channel_has_its_own_posting_job(tmp_path: Path) -> None:
    """Each channel has a posting job beside the built-in jobs, in the operator's time zone."""
    with closing(fake_application(tmp_path)) as app:
        assert {"make", "publish folder", "publish fake"} <= app.job_scheduler.schedules.keys()
        assert str(app.job_scheduler.zone) == "UTC"
        assert app.job_planner.inventory().approved == 0


@pytest.mark.parametrize("model", ["poet", "captioner"])
def test_the_daemons_retraining_is_a_command_that_there_is(tmp_path: Path, model: str) -> None:
    """Its options are those of `auria train`, with the limits of the settings."""
    import typer

    from auria_bot.cli.models import train

    with closing(fake_application(tmp_path)) as application:
        command = application.job_planner.more[f"retrain-{model}"]
    assert command[:2] == ("train", model)
    app = typer.Typer()
    app.command()(train)
    known = {option for parameter in typer.main.get_command(app).params for option in parameter.opts}
    assert {word for word in command if word.startswith("--")} <= known
    assert command[-3:] == ("--minutes", "45", "--json")
