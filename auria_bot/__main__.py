"""`python -m auria_bot` is the command `auria`."""

from __future__ import annotations

import os
import sys

__all__: list[str] = []

if __name__ == "__main__":
    here, package = os.path.realpath("."), os.path.realpath(__file__)
    if not sys.flags.safe_path and here != os.path.dirname(os.path.dirname(package)):  # noqa: PTH120 - pathlib is slow
        # A module in the working directory must not be imported in place of a real one.
        sys.path[:] = [path for path in sys.path if path and os.path.realpath(path) != here]
    from auria_bot.cli import main

    main()
