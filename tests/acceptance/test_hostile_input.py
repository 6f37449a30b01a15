"""The smaller form of the benchmark hostile-input: every case, with the studio's roles played by the fakes."""

from __future__ import annotations

import pytest

from tests import command_server
from tests.scenarios.hostile_input import CASES, FAKES, Said, Victim


class _Quick(Victim):
    """A victim whose commands begin with the program imported, except where what they write is limited."""

    def auria(self, *arguments: str, stdin: bytes = b"", limit: int | None = None, **settings: str) -> Said:
        """Run a command."""
        if limit is not None:
            return super().auria(*arguments, stdin=stdin, limit=limit, **settings)
        return Said.by(command_server.run(*arguments, environment=self.environment(**settings), stdin=stdin))


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    """A home with one draft."""
    home = tmp_path_factory.mktemp("hostile") / "home"
    someone = _Quick(home=home, settings=FAKES)
    assert someone.auria("make", "--seed", "7").done() == ""
    return someone


@pytest.mark.parametrize("name", CASES)
def test_hostile_input_ends_in_a_sentence_and_loses_nothing(victim, name):
    """A documented exit code, no traceback, and the draft that was there is there as it was."""
    first = victim.drafts()[0]
    pictures = victim.pictures(first)
    assert CASES[name](victim) == ""
    assert victim.drafts()[0] == first
    assert victim.pictures(first) == pictures
