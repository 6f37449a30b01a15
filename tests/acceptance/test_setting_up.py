"""What a fresh clone is set up from: the Makefile and the locked requirements. `make bench NAME=fresh` does it for real."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

from tests.acceptance.commands import ROOT
from tests.scenarios.package_index import PackageIndex, Release, lock

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = sorted({*PROJECT["optional-dependencies"]} - {"dev"})
NOT_TESTED = {"extras/cluster", "extras/lab"}  # too large for every test installation; their tests skip without them
LOCKS = ("base", "test", "cuda", *(f"extras/{name}" for name in EXTRAS))


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


def _names(wanted: list[str]) -> set[str]:
    """The projects that these requirements name, those of Auria's own extras among them."""
    inner = {
        extra for one in wanted if (own := re.match(r"auria-bot\[([a-z,-]+)\]", one)) for extra in own[1].split(",")
    }
    found = {re.split(r"[\[<>=~! ;]", one)[0].lower().replace("_", "-").replace(".", "-") for one in wanted}
    return (found - {"auria-bot"}).union(*(_names(PROJECT["optional-dependencies"][extra]) for extra in inner))


def _versions(name: str) -> dict[str, list[str]]:
    return {package: re.findall(r"==(\S+)", words) for package, words in _pins(name).items()}


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_an_exact_version_and_hashes(name):
    """An install brings the very same files everywhere."""
    pins = _pins(name)
    assert len(pins) > (40 if name in {"base", "test"} else 0)
    assert all("--hash=sha256:" in words for words in pins.values())


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_holds_torch_or_a_path_of_some_machine(name):
    """The builds of torch differ by machine, so it stands in a file of its own with its version alone, and what CUDA needs in another."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    cuda = {package for package in _pins(name) if package.startswith(("nvidia", "triton", "cuda"))}
    assert "torch" not in _pins(name)
    assert cuda == (set(_pins(name)) if name == "cuda" else set())
    assert not re.search(r"file:|--index-url|--extra-index-url|--find-links", text)
    assert "torch==2.13.0" in (ROOT / "requirements" / "torch.txt").read_text().splitlines()


def test_the_locks_hold_what_the_package_asks_for():
    """A dependency that was added without `make lock` is noticed."""
    extras = PROJECT["optional-dependencies"]
    assert _names(PROJECT["dependencies"]) <= set(_pins("base"))
    assert _names([*PROJECT["dependencies"], *extras["dev"]]) - {"torch"} <= set(_pins("test"))
    for extra in EXTRAS:
        assert _names(extras[extra]) - {"torch"} <= {*_pins("base"), *_pins(f"extras/{extra}")}, extra


def test_the_locks_agree_on_what_they_share():
    """What is tested is what is demonstrated and deployed."""
    tested = _versions("test")
    for name in LOCKS:
        if name not in {"test", "cuda"}:
            found = _versions(name)
            assert set(found) <= set(tested) or name in NOT_TESTED, name
            shared = found.keys() & tested
            assert {package: found[package] for package in shared} == {
                package: tested[package] for package in shared
            }, name
    assert not set(_pins("cuda")) & set(tested)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
class TestMakefile:
    """The one place where the commands of set-up stand."""

    def _make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)

    def test_alone_it_lists_its_targets(self):
        """`make` without a target lists the targets."""
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
        """The demo ignores the user's settings, so its drafts never reach the user's own database."""
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


NEWER = "99.0"
LOCKED = (
    Release(name="pytest-cov", version="7.1.0", requires=("coverage[toml]>=7.10", "pluggy")),
    Release(name="coverage", version="7.17.5", requires=("tomli; extra == 'toml'",), extras=("toml",)),
    Release(name="tomli", version="2.4"),
    Release(name="pluggy", version="1.7.0"),
    Release(name="click", version="8.5.1"),
)
TORCH = Release(name="torch", version="2.13.0", requires=("cuda-toolkit[cublas]==13.0.3", "pluggy"))
CUDA = (
    Release(
        name="cuda-toolkit", version="13.0.3", requires=("nvidia-cublas<14; extra == 'cublas'",), extras=("cublas",)
    ),
    Release(name="nvidia-cublas", version="13.1"),
)
LATER = tuple(
    Release(name=old.name, version=NEWER, requires=("not-locked",), extras=old.extras)
    for old in (*LOCKED, TORCH, *CUDA)
)
PACKAGE = Release(name="auria-bot", version="0.1.0", requires=("pytest-cov", "click"))
BACKEND = f"""
import shutil

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    shutil.copy({PACKAGE.file!r}, wheel_directory)
    return {PACKAGE.file!r}
"""


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
class TestInstallation:
    """The Makefile's own recipes in a small checkout, whose locks' packages have all been released anew since."""

    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        """A checkout with the real Makefile, in a folder with a blank in its name."""
        found = tmp_path / "a checkout"
        (found / "requirements").mkdir(parents=True)
        for name in ("Makefile", "requirements/torch.txt"):
            shutil.copy(ROOT / name, found / name)
        for name, releases in {"base": LOCKED, "test": LOCKED, "cuda": CUDA}.items():
            (found / "requirements" / f"{name}.txt").write_text(lock(releases))
        (found / "pyproject.toml").write_text(
            '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        )
        (found / "backend.py").write_text(BACKEND)
        (found / PACKAGE.file).write_bytes(PACKAGE.wheel)
        pip = pytest.importorskip("pip", reason="pip is not installed")
        (found / "pip at hand").mkdir()
        (found / "pip at hand" / "pip").symlink_to(Path(pip.__file__).parent)
        for environment in (".venv", ".venv-test"):
            venv.create(found / environment)
        return found

    def _run(self, checkout: Path, index: PackageIndex, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command without this machine's pip index, cache and settings."""
        own = {name: value for name, value in os.environ.items() if not name.upper().startswith(("PIP_", "AURIA_"))}
        own |= {
            "PIP_INDEX_URL": index.url,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_CACHE_DIR": "1",
            "HOME": str(checkout),
        }
        own |= {"PYTHONPATH": str(checkout / "pip at hand"), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        return subprocess.run(command, cwd=checkout, env=own, capture_output=True, text=True, check=False)

    def _make(self, checkout: Path, index: PackageIndex, environment: str) -> subprocess.CompletedProcess[str]:
        return self._run(checkout, index, "make", f"{environment}/.installed", f"PYTHON={sys.executable}")

    def _installed(self, checkout: Path, environment: str) -> set[str]:
        packages = checkout.glob(f"{environment}/**/site-packages/*.dist-info")
        return {folder.name.removesuffix(".dist-info").replace("_", "-") for folder in packages}

    def test_newer_releases_change_nothing(self, checkout: Path):
        """Both environments get the locked versions, torch's with what its build needs of CUDA, and no other package is looked up."""
        base = {f"{release.name}-{release.version}" for release in (*LOCKED, PACKAGE)}
        for environment, more in {".venv": (), ".venv-test": (TORCH, *CUDA)}.items():
            with PackageIndex([*LOCKED, TORCH, *CUDA, *LATER]) as index:
                done = self._make(checkout, index, environment)
                assert done.returncode == 0, done.stderr
                expected = base | {f"{release.name}-{release.version}" for release in more}
                assert self._installed(checkout, environment) == expected
                assert index.asked == {release.name for release in (*LOCKED, *more)}
        with PackageIndex([*LOCKED, *LATER]) as index:
            python = str(checkout / ".venv" / "bin" / "python")
            self._run(checkout, index, python, "-m", "pip", "install", "-U", "--no-deps", "coverage")
            assert f"coverage-{NEWER}" in self._installed(checkout, ".venv")  # so the index does offer it

    def test_a_lock_that_lacks_a_package_is_noticed(self, checkout: Path):
        """The installation fails with pip's own words and the way out."""
        (checkout / "requirements" / "base.txt").write_text(
            lock(release for release in LOCKED if release.name != "pluggy")
        )
        with PackageIndex([*LOCKED, *LATER]) as index:
            done = self._make(checkout, index, ".venv")
        assert done.returncode != 0
        assert "pytest-cov 7.1.0 requires pluggy, which is not installed" in done.stderr
        assert "rm -r .venv" in done.stderr
        assert "pluggy" not in index.asked
