"""A process that publishes a post and is killed at the worst moments."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auria_bot.domain.post import Post
    from tests.platforms import Platform

__all__ = ["publish_and_die"]

PROGRAM = """
import json, os, signal, sys
from datetime import datetime
from pathlib import Path
from auria_bot import registry
from auria_bot.domain.post import Post, PostState
from tests.platforms import MemorySecrets

given = json.load(sys.stdin)
def told(memo=""):
    print(memo, flush=True)
    if given["when"] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
post = Post(**{**given["post"], "state": PostState.SENDING, "due": datetime.fromisoformat(given["post"]["due"])})
kind = registry.find("channel", given["backend"])
kind(kind.Config(**given["options"]), home=Path(given["home"]), secrets=MemorySecrets(given["secrets"])).publish(post, told)
os.kill(os.getpid(), signal.SIGKILL)
"""


def publish_and_die(post: Post, platform: Platform, *, home: Path, when: str) -> str:
    """Publish in a process of its own, which is killed "before" the visible mutation or right "after" it.

    Args:
        post: whose picture lies on the disk.
        platform: where it goes.
        home: the channel's folder.
        when: "before" or "after".

    Returns:
        What the channel wanted remembered.
    """
    fields = ("id", "draft_id", "channel", "text", "alt_text", "picture", "signature", "key", "picture_sha256")
    plain = {name: getattr(post, name) for name in fields} | {"due": post.due.isoformat()}
    given = {
        "post": plain,
        "backend": platform.backend,
        "options": platform.options(),
        "secrets": platform.secrets(),
        "home": str(home),
        "when": when,
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps(given),
        text=True,
        check=False,
        capture_output=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    return done.stdout.strip()
