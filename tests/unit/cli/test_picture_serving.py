"""`auria channels serve`: the endpoint that Instagram fetches pictures from."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from auria_bot.channels.media.endpoint import PictureHost, picture_key
from auria_bot.secret_store import SecretStore

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = '[channels.ig]\nbackend = "instagram_graph"\noptions = { public_url = "https://auria.example/pictures" }\n'


def auria(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command, in a home of its own."""
    (home / "auria.toml").write_text(SETTINGS)
    environment = {**os.environ, "AURIA_HOME": str(home)}
    return subprocess.Popen(
        [sys.executable, "-m", "auria_bot", "channels", "serve", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_what_is_put_out_is_served_by_another_process(tmp_path: Path) -> None:
    """They share the folder and the key, and nothing else."""
    with auria(tmp_path, "ig", "--port", "0") as process:
        try:
            said = process.stderr.readline() if process.stderr else ""
            found = re.search(r"http://127\.0\.0\.1:\d+", said)
            assert found, said
            key = picture_key(SecretStore(tmp_path, "ig", environment={}))
            host = PictureHost(tmp_path / "public" / "ig", key, public_url=found[0])
            with urllib.request.urlopen(host.put(b"picture", lasts=60), timeout=10) as answer:  # noqa: S310 - loopback
                assert answer.read() == b"picture"
            with pytest.raises(urllib.error.HTTPError, match="404") as wrong:
                urllib.request.urlopen(f"{found[0]}/auria.toml", timeout=10)  # noqa: S310 - loopback
            wrong.value.close()
        finally:
            process.terminate()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "words"), [("folder", "nothing to serve"), ("nobody", "no channel named 'nobody'")])
def test_other_channels_have_nothing_to_serve(tmp_path: Path, name: str, words: str) -> None:
    """And say so."""
    with auria(tmp_path, name) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert words in " ".join(said.split())
