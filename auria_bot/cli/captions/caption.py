"""`auria serve` and `auria caption`: the model server, and a question to it."""

from __future__ import annotations

import contextlib
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auria_bot.bootstrap.captions import model_server
from auria_bot.cli.app import Json, app_context, existing, extra
from auria_bot.cli.terminal.console import echo, note, print_json
from auria_bot.http_server import check_address
from auria_bot.settings.locations import CONFIG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.settings.schema import Settings

__all__ = ["Engine", "caption", "serve"]

_SHADES = " ░▒▓█"


class Engine(StrEnum):
    """Where the model server runs."""

    LOCAL = "local"
    RAY = "ray"


def serve(
    engine: Annotated[
        Engine | None,
        typer.Option(
            metavar="local|ray",
            help="ray: replicas on the cluster of execution.address; by default captions.engine.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run the model server: captions and restyled pictures, poems and pictures of them, for the site and programs.

    It listens at captions.server in the settings, by default 127.0.0.1:8630, and is meant for this machine or a trusted
    network. A version that is promoted while it runs is taken up without losing a request. Ctrl-C or SIGTERM ends it
    after what was begun.
    """
    from auria_bot import telemetry

    with app_context() as app:
        telemetry.set_up(level=app.settings.logging.level, form=app.settings.logging.format)
        chosen = app.settings.captions
        if (engine or chosen.engine) == Engine.RAY:
            _serve_on_cluster(app.settings)
            return
        with extra("web", "the model server needs a package that is not installed"):
            from auria_bot.serving.server import serve as run
        check_address(chosen.server, setting="captions.server")
        pools = app.serving_pools()
        with contextlib.closing(pools.captions):
            pools.captions.start()
            version = (pools.captions.model or {}).get("version", "")
            note(f"The captioner (version {version}) answers at {chosen.server}; Ctrl-C ends it.")
            run(pools, chosen.server, largest=chosen.largest, deadline=chosen.deadline)


def _serve_on_cluster(settings: Settings) -> None:
    """Put the model server on the cluster until this command is ended.

    Raises:
        BackendMissing: Ray is not installed.
        ClusterError: the cluster does not take it.
    """
    with extra("cluster", "--engine ray needs a package that is not installed"):
        from auria_bot.serving.replicas import run
    address = settings.captions.server
    passed = {
        name: value for name, value in os.environ.items() if name == CONFIG or name.startswith("AURIA_CAPTIONS__")
    }
    run(
        model_server(),
        cluster=settings.execution.address,
        address=address,
        environment=passed | {"AURIA_HOME": str(settings.home)},
        ready=lambda: note(f"The model server answers at {address} of the cluster's head; Ctrl-C ends it."),
    )


def caption(
    picture: Annotated[
        Path, typer.Argument(metavar="FILE", callback=existing, help="A picture: PNG, JPEG, WebP, TIFF, BMP or GIF.")
    ],
    regions: Annotated[
        bool, typer.Option("--regions", help="Show for each word where in the picture the captioner looked.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Describe a picture of anything by asking the model server, which `auria serve` runs.

    The first line is the caption, the others are what else was found, each with the mean probability of its words.
    """
    with app_context() as app:
        answer = app.caption_client.caption_file(picture)
    if as_json:
        print_json(answer)
        return
    for one in answer["captions"]:
        echo(f"{one['text']}  ({one['confidence']:.0%})")
    if regions:
        for word in answer["captions"][0]["words"]:
            echo("")
            echo(word["text"])
            for row in _shaded(word):
                echo(row)


def _shaded(word: Mapping[str, Any]) -> list[str]:
    """A word's attention as rows of blocks, the darkest where the captioner looked most."""
    most = max(max(row) for row in word["attention"]) or 1.0
    last = len(_SHADES) - 1
    return ["  " + "".join(_SHADES[round(value / most * last)] * 2 for value in row) for row in word["attention"]]
