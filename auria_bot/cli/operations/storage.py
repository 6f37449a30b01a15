"""`auria storage`: where pictures are kept, and moving them to a bucket or back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from auria_bot.cli.app import Json, app_context, command_group
from auria_bot.cli.terminal.console import counted, echo, note, print_json, print_result
from auria_bot.services.operations.storage import PictureMover, storage_use

__all__ = ["storage"]

storage = command_group(no_args_is_help=True)


@storage.command("show")
def show(as_json: Json = False) -> None:
    """Show where pictures are kept, and how many are still on the disk."""
    with app_context() as app:
        use = storage_use(app.pictures)
    if as_json:
        print_json(asdict(use))
        return
    if use.address:
        echo(f"{use.address}: pictures of {counted(use.in_bucket, 'draft')}, {use.bucket_size / 1e6:.1f} MB")
    echo(f"on the disk: pictures of {counted(use.on_disk, 'draft')}, {use.disk_size / 1e6:.1f} MB")
    if use.address and use.on_disk:
        note("to move them to the bucket: auria storage move")


@storage.command("move")
def move(
    back: Annotated[
        bool, typer.Option("--back", help="Copy from the bucket to the disk; the bucket keeps its own.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Move the pictures on the disk to the bucket that storage.pictures names.

    Each draft's pictures are written, read from the bucket again and compared by their hashes before they are removed
    from the disk. An interrupted move is continued by the same command. Nothing else needs to stop meanwhile.
    """
    with app_context() as app:
        mover, address = PictureMover(app.pictures), app.pictures.address
        done = (mover.to_disk if back else mover.to_bucket)(report=None if as_json else note)
    size = f"pictures of {counted(done.folders, 'draft')}, {done.size / 1e6:.1f} MB,"
    line = f"copied {size} from {address} to the disk" if back else f"moved {size} to {address}"
    print_result({"drafts": done.folders, "bytes": done.size}, line, as_json=as_json)
    if back and not as_json:
        note('they are used from there now; to leave the bucket, set storage.pictures to ""')
