"""`python -m auria_bot` is the command `auria`."""

from __future__ import annotations

from auria_bot.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
