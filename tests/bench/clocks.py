"""The benchmark clocks: see `tests.scenarios.clocks`."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench import Result
from tests.platforms import PLATFORMS
from tests.scenarios.clocks import SCENES, expired_token

__all__ = ["run"]


def run() -> Result:
    """Play every scene."""
    root = Path(tempfile.mkdtemp(prefix="auria-clocks-"))
    wrong = [f"{scene.__name__}: {words}" for scene in SCENES for words in scene(root / scene.__name__)]
    wrong += [f"expired_token: {words}" for channel in PLATFORMS for words in expired_token(root / channel, channel)]
    for words in wrong:
        print(f"  {words}", file=sys.stderr)
    shutil.rmtree(root)
    count = len(SCENES) + len(PLATFORMS)
    figures = (
        f"{count} scenes ({len(PLATFORMS)} channels' tokens refused between upload and post, {len(SCENES)} of leases that ran out and"
        f" of clocks set back an hour): {len(wrong)} not as the protocol says"
    )
    return Result(name="clocks", figures=figures, bar="all as the protocol says", passed=not wrong)
