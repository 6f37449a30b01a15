"""`python -m auria_bot` is the command `auria`."""

from __future__ import annotations

import os
import sys

__all__: list[str] = []

if __name__ == "__main__":
    here = os.path.realpath(".")
    if not sys.flags.safe_path and here != os.path.dirname(os.path.dirname(os.path.realpath(__file__))):  # noqa: PTH120 - quick
        sys.path[:] = [
            path for path in sys.path if path and os.path.realpath(path) != here
        ]  # import nothing from there
    from auria_bot.cli import main

    main()
