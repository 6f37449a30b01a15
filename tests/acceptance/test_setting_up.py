"""What a fresh clone is set up from: the Makefile and the locked requirements. `make bench NAME=fresh` does it for real."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib

import pytest

from tests.acceptance.commands import ROOT

LOCKS = ("base", "test")


def _pins(name: str) -> dict[str, str]:
    """Each locked package and all that the lock says of it."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    found = re.split(r"^(?=[a-z0-9])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)
    pins: dict[str, str] = {}
    for block in found:
        if "==" in block:
            package = block.partition("==")[0].strip()
            pins[package] = pins.get(package, "") + block
    return pins


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_an_exact_version_and_hashes(lock):
    """An install brings the very same files everywhere."""
    pins = _pins(lock)
    assert len(pins) > 40
    assert all("--hash=sha256:" in words for words in pins.values())


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_holds_torch_or_a_path_of_some_machine(lock):
    """The builds of torch differ by machine, so it stands in a file of its own with its version alone."""
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    assert not {name for name in _pins(lock) if name.startswith(("torch", "nvidia", "triton", "cuda"))}
    assert not re.search(r"file:|--index-url|--extra-index-url|--find-links", text)
    assert "torch==2.13.0" in (ROOT / "requirements" / "torch.txt").read_text().splitlines()


def test_the_locks_hold_what_the_package_asks_for():
    """A dependency that was added without `make lock` is noticed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]

    def names(wanted: list[str]) -> set[str]:
        found = {re.split(r"[\[<>=~! ;]", one)[0].lower().replace("_", "-") for one in wanted}
        return found - {"auria-bot", "torch"}

    assert names(project["dependencies"]) <= set(_pins("base"))
    wanted = names([*project["dependencies"], *extras["dev"], *extras["torch"], *extras["postgres"]])
    assert wanted <= set(_pins("test"))


def test_both_environments_agree_on_what_they_share():
    """What is tested is what is demonstrated."""
    base, test = _pins("base"), _pins("test")
    versions = re.compile(r"==(\S+)")
    assert {name: versions.findall(base[name]) for name in base} == {
        name: versions.findall(test[name]) for name in base
    }


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
class TestMakefile:
    """The one place where the commands of set-up stand."""

    def _make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)

    def test_alone_it_lists_its_targets(self):
        """Nobody has to read it to use it."""
        said = self._make().stdout
        for target in ("demo", "test", "lint", "bench", "run", "lock"):
            assert f"make {target} " in said

    def test_an_old_python_is_refused_with_a_sentence(self, tmp_path):
        """Before anything is installed."""
        old = tmp_path / "python with blanks"
        code = "import sys; sys.version_info = (3, 9, 2); exec(sys.argv[1])"
        old.write_text(f'#!/bin/sh\nshift\nexec "{sys.executable}" -c "{code}" "$1"\n')
        old.chmod(0o755)
        said = self._make("python", f"PYTHON={old}")
        assert said.returncode != 0
        assert "Auria needs Python 3.11 or newer" in said.stderr
        assert self._make("python", f"PYTHON={sys.executable}").returncode == 0

    def test_no_python_at_all_is_told_too(self):
        """With the way to name one."""
        said = self._make("python", "PYTHON=")
        assert said.returncode != 0
        assert "make demo PYTHON=" in said.stderr

    def test_the_demo_takes_no_setting_of_the_user_along(self):
        """Someone's own database must never see the demo's drafts."""
        said = subprocess.run(
            ["make", "-n", "demo"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            env={"PATH": "/usr/bin:/bin", "AURIA_DATABASE__URL": "postgresql://x"},
        ).stdout
        assert "-u AURIA_DATABASE__URL" in said
        assert "torch" not in said
