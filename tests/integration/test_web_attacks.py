"""Every attack on the web site, with fewer clients at once: the small form of the benchmark web-attacks."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from tests.scenarios.attacked_site import attacked
from tests.scenarios.web_attacks import CASES

if TYPE_CHECKING:
    from pathlib import Path


def test_every_attack_on_the_web_site_is_refused(tmp_path: Path) -> None:
    """Nothing is reached, nothing leaks, and the gallery is served after each."""
    reached = dict[str, str]()
    with attacked(tmp_path, clients=40, patience=inf) as site:
        for name, case in CASES.items():
            if found := case(site) or ("" if site.ask("GET", "/").status == 200 else "the gallery is away"):
                reached[name] = found
        leaks = site.leaks()
    assert reached == {}
    assert leaks == []
