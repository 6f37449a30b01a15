"""Runs a command under the filter of system calls that a unit file asks for: `python -m tests.acceptance.caged UNIT COMMAND...`.

The sets' meaning is asked of systemd-analyze, the filter is set up by libseccomp; so it is the kernel that refuses, as it would under systemd.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["allowed", "is_possible"]

_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # SCMP_ACT_ALLOW; SCMP_ACT_ERRNO(EPERM)


def is_possible() -> bool:
    """Whether both are here."""
    return shutil.which("systemd-analyze") is not None and ctypes.util.find_library("seccomp") is not None


def allowed(unit: str) -> set[str]:
    """The system calls that a unit's filters let through: the first names what may be, the others with ~ take away."""
    told = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True).stdout
    sets: dict[str, list[str]] = {}
    for line in told.splitlines():
        if line.startswith("@"):
            members = sets[line.strip()] = []
        elif line.startswith(" ") and not line.strip().startswith("#"):
            members.append(line.strip())

    def calls(name: str) -> set[str]:
        return set().union(*map(calls, sets[name])) if name.startswith("@") else {name}

    found = calls("@default")
    for words in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        named = set().union(*map(calls, words.removeprefix("~").split()))
        found = found - named if words.startswith("~") else found | named
    return found


def _cage(names: set[str]) -> None:
    """Refuse every other system call from now on, children included."""
    seccomp = ctypes.CDLL(ctypes.util.find_library("seccomp"))
    seccomp.seccomp_init.restype = ctypes.c_void_p
    seccomp.seccomp_rule_add.argtypes = (ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint)
    seccomp.seccomp_load.argtypes = (ctypes.c_void_p,)
    cage = seccomp.seccomp_init(_REFUSE)
    for name in names:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number >= 0 and seccomp.seccomp_rule_add(cage, _ALLOW, number, 0) != 0:
            raise OSError(f"no rule for {name}")
    if seccomp.seccomp_load(cage) != 0:
        raise OSError("the kernel does not take the filter")


if __name__ == "__main__":
    _cage(allowed(Path(sys.argv[1]).read_text(encoding="utf-8")))
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the test's own command, under the cage
