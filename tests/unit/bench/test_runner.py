"""The runner of the benchmarks."""

from __future__ import annotations

import sys
from types import ModuleType

from tests.bench import Result, __main__


def _bench(monkeypatch, **outcomes):
    """Benchmarks that end as given: True, False, or an error."""
    for name, outcome in outcomes.items():
        module = ModuleType(name)

        def run(name=name, outcome=outcome):
            if isinstance(outcome, Exception):
                raise outcome
            return Result(name=name, figures="3 of 4", bar="all", passed=outcome)

        module.run = run
        monkeypatch.setitem(sys.modules, f"bench_{name}", module)
    monkeypatch.setattr(__main__, "found", lambda: {name: f"bench_{name}" for name in outcomes})


def test_every_benchmark_is_found_by_its_name():
    """Underscores of the file are hyphens of the name."""
    assert {"cli-start", "hostile-input", "fresh"} <= set(__main__.found())


def test_one_line_each_and_the_exit_code_tells(monkeypatch, capsys):
    """A missed bar is exit code 1, but the others still run."""
    _bench(monkeypatch, first=False, second=True)
    assert __main__.main([]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "first  3 of 4  (bar: all)  FAIL",
        "second  3 of 4  (bar: all)  PASS",
    ]
    assert __main__.main(["second"]) == 0


def test_a_benchmark_that_breaks_has_failed(monkeypatch, capsys):
    """An error is no pass, and says what it was."""
    _bench(monkeypatch, first=ZeroDivisionError("by nought"), second=True)
    assert __main__.main([]) == 1
    assert capsys.readouterr().out.startswith("first  ZeroDivisionError: by nought")


def test_an_unknown_name_is_answered_with_the_known_ones(monkeypatch, capsys):
    """A typing error runs nothing."""
    _bench(monkeypatch, first=True)
    assert __main__.main(["frist"]) == 2
    assert "known: first" in capsys.readouterr().err
