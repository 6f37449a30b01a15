"""The benchmark secrets: see `tests.scenarios.secrets`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from auria_bot import registry
from tests.bench import Result
from tests.platforms import PLATFORMS
from tests.scenarios.secret_search import Findings
from tests.scenarios.secrets import try_backend, try_database, try_directly, try_keyring

__all__ = ["run"]


def run() -> Result:
    """Plant, provoke and search for every channel."""
    findings = Findings()
    with tempfile.TemporaryDirectory() as folder:
        for backend in PLATFORMS:
            registry.find("channel", backend)
            try_directly(backend, Path(folder), findings)
            try_backend(backend, Path(folder), findings)
        try_keyring("x", Path(folder), findings)
        try_database(Path(folder), findings)
    for told in dict.fromkeys(findings.told):
        print(f"  {told[:400]}")
    words = (
        f"{len(PLATFORMS)} channels, {findings.secrets} secrets and tokens, {findings.provoked.total()} failures provoked"
        f" ({', '.join(f'{number} {name}' for name, number in findings.provoked.items())});"
        f" {findings.searched.total() / 1e6:.1f} MB searched; told {len(findings.told)} times"
    )
    return Result(
        name="secrets", figures=words, bar="not one byte of a secret", passed=not findings.told and findings.secrets > 0
    )


if __name__ == "__main__":
    print(run().line())
