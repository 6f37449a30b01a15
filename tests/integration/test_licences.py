"""The texts of all licences that the package is under are in it, and named."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_licence_of_the_package_has_its_text_and_its_name():
    """As REUSE lays them out: LICENSES/SPDX-ID.txt, named in NOTICE, shipped with the wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = set(re.findall(r"[A-Za-z][\w.-]*", project["license"])) - {"AND", "OR", "WITH"}
    texts = {file.stem: file.read_text(encoding="utf-8") for file in (ROOT / "LICENSES").glob("*.txt")}
    assert texts.keys() == names
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assert all(f"{name}.txt" in notice for name in names)
    assert "LICENSES/*.txt" in project["license-files"]


def test_the_texts_are_exact():
    """The Apache licence as published; of the others what makes them what they are."""
    folder = ROOT / "LICENSES"
    apache = hashlib.sha256((folder / "Apache-2.0.txt").read_bytes()).hexdigest()
    assert apache == "c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4"
    assert (folder / "MIT.txt").read_bytes() == (ROOT / "LICENSE").read_bytes()
    bsd = (folder / "BSD-3-Clause.txt").read_text(encoding="utf-8")
    assert bsd.startswith("BSD 3-Clause License\n\nCopyright (c) 2021, Xintao Wang\nAll rights reserved.\n")
    assert "Neither the name of the copyright holder nor the names of its" in bsd
    dictionary = " ".join((ROOT / "models" / "words" / "NOTICE.md").read_text(encoding="utf-8").split())
    assert " ".join((folder / "BSD-2-Clause.txt").read_text(encoding="utf-8").split()) in dictionary


def test_the_image_contains_what_the_build_needs():
    """Every file that pyproject.toml names for a wheel is copied into the image, and ignored by no pattern."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for name in ("hatch_build.py", "LICENSES", "docs/manual.py", "NOTICE"):
        assert re.search(rf"^COPY .*{re.escape(name)}", dockerfile, re.MULTILINE), name
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored.index("docs/*") < ignored.index("!docs/manual.py")
