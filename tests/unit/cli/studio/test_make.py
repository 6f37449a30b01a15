"""`auria make`: what becomes of its options, and of runs that were left unfinished."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import Mock

import pytest

from auria_bot.errors import InvalidTransition, NotFound
from auria_bot.services.studio.studio import UnfinishedRun
from tests.processes import children

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.execution.local import ChildProcessExecutor

Auria = Any
OLD = "20260101-000000-abcdef"


@pytest.fixture
def old_run(application: Application) -> Path:
    """A run that an earlier version began."""
    folder = application.runs.root / OLD
    (folder / "01").mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps({"format": 1, "run": OLD, "seed": 1, "count": 1, "wish": {}}))
    return folder


def test_the_options_become_one_request(application: Application, auria: Auria) -> None:
    """What is asked for is what the draft says, and the progress goes to stderr."""
    code, out, err = auria("make", "--theme", "fog", "--mood", "lonely", "--style", "fake-03", "--seed", "5", "--json")
    (made,) = json.loads(out)
    (draft,) = made["drafts"]
    assert code == 0
    assert (draft["theme"], draft["mood"], draft["style"]["key"], draft["seed"]) == ("fog", "lonely", "fake-03", 5)
    assert "[8/8] exporting: done" in err


def test_the_theme_of_a_season_is_told(application: Application, auria: Auria) -> None:
    """It is the draft's."""
    code, out, err = auria("make", "--season", "Winter", "--seed", "5", "--json")
    assert code == 0
    assert f"the theme is {json.loads(out)[0]['drafts'][0]['theme']!r} (winter)" in err


@pytest.mark.parametrize(
    ("theme", "is_read"),
    [
        ("\u521d\u96ea", False),
        ("\u043f\u0435\u0440\u0432\u044b\u0439 \u0441\u043d\u0435\u0433", False),
        ("\u521d\u96ea, first snow", True),
        ("\u00e9t\u00e9", True),
    ],
    ids=["Chinese", "Russian", "both", "French"],
)
def test_a_theme_that_the_poet_cannot_read_is_told(
    auria: Auria, application: Application, monkeypatch: pytest.MonkeyPatch, theme: str, is_read: bool
) -> None:
    """In one line on stderr, and in the JSON; nothing is said of a poet of which that is not known."""
    code, out, err = auria("make", "--theme", theme, "--json")
    assert (code, json.loads(out)[0]["notes"], "could not be used" in err) == (0, [], False)
    monkeypatch.setattr("auria_bot.cli.studio.make._ENGLISH_POETS", {"fake"})
    code, out, err = auria("make", "--theme", theme, "--json")
    (made,) = json.loads(out)
    said = (
        f"the theme {theme!r} could not be used for the poem: the poet reads English, and it has no word in Latin"
        " letters; it is only kept with the draft"
    )
    assert (code, made["notes"]) == (0, [] if is_read else [said])
    assert ("could not be used" in err) is not is_read
    assert made["drafts"][0]["theme"] == theme


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--resume", "--theme", "fog"), "leave out --theme"),
        (("--discard", "all", "--resume"), "leave out --resume"),
        (("--theme", "fog", "--season", "now"), "leave out --theme or --season"),
    ],
)
def test_options_that_cannot_be_combined_are_refused(auria: Auria, arguments: tuple[str, ...], message: str) -> None:
    """Before anything is opened."""
    code, _, err = auria("make", *arguments)
    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "code", "ahead"),
    [
        (("--seed", "5"), 0, 1),
        (("--mood", "no-such"), 2, 1),
        (("--season", "no-such"), 2, 1),
        (("--resume",), 0, 0),
        (("--discard", "all"), 0, 0),
        (("--resume", "--theme", "fog"), 2, 0),
    ],
)
def test_only_a_new_run_starts_its_worker_ahead(
    application: Application,
    auria: Auria,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    ahead: int,
) -> None:
    """Before the database is used; a command that is refused leaves no process behind."""
    executor = cast("ChildProcessExecutor", application.executor)
    before, wrapped = children(), Mock(side_effect=executor.start_ahead)
    monkeypatch.setattr(executor, "start_ahead", wrapped)
    assert auria("make", *arguments)[0] == code
    assert wrapped.call_count == ahead
    assert children() == before


@pytest.mark.parametrize("error", [NotFound("it was finished elsewhere"), InvalidTransition("vm works on it")])
def test_a_run_that_another_machine_took_meanwhile_is_skipped(
    application: Application, auria: Auria, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """With a line; it is no failure, and the others are gone on with."""
    runs = type(application.runs)
    there = UnfinishedRun(run="r1", count=1)
    monkeypatch.setattr(type(application.studio), "unfinished", lambda _: (there,))
    monkeypatch.setattr(runs, "open", Mock(side_effect=error))
    code, _, err = auria("make", "--resume")
    assert (code, f"skipped: {error}" in err) == (0, True)
    with pytest.raises(type(error)):
        application.studio.resume("r1")


def test_a_run_of_an_earlier_version_is_named_with_what_to_do(old_run: Path, auria: Auria) -> None:
    """`--resume` cannot go on with it, `--discard` removes it."""
    code, _, err = auria("make", "--resume")
    assert code == 4
    assert f"of another version of auria; this one reads 2; give it up: auria make --discard {OLD}" in err
    assert auria("make", "--discard", OLD)[0] == 0
    assert not old_run.exists()
    assert "nothing is unfinished" in auria("make", "--resume")[2]
