"""Rejected texts are listed, accepted and forgotten from the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from auria_bot.cli.app import app
from tests.applications import fake_application
from tests.unit.services.corpus.test_corpus_import import POND, dump, post
from tests.unit.services.corpus.test_rejected_texts import MAIL, MARY

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a kept and three rejected texts."""
    place = tmp_path / "home"
    fake_application(place).close()
    monkeypatch.setenv("AURIA_HOME", str(place))
    monkeypatch.setattr("auria_bot.telemetry.set_up", lambda **_: None)  # the log is the other tests' too
    auria("import", str(dump(tmp_path, post(1, MARY), post(2, MAIL), post(3, "who knows?"), post(4, POND))))
    return place


def auria(*words: str) -> Any:
    """Run a command of `auria corpus`."""
    done = CliRunner().invoke(app, ["corpus", *words])
    if isinstance(done.exception, Exception):
        raise done.exception
    return done


def test_rejected_texts_are_listed_with_the_meaning_of_their_reasons():
    """As text and as JSON; of an address no lines are shown."""
    said = auria("rejected").stdout
    assert "name of a person  1  it names a person; corpus.allowed_words accepts a name" in said
    assert MARY.replace("/", " / ") in said
    assert "frog@" not in said
    (one,) = json.loads(auria("rejected", "--reason", "name of a person", "--json").stdout)
    assert (one["count"], one["texts"][0]["id"], len(one["texts"][0]["lines"])) == (1, "a1", 3)
    assert "nothing was rejected for 'profanity'" in auria("rejected", "--reason", "profanity").stderr


def test_a_poem_is_accepted_and_rejected_again():
    """One whose lines are not kept is read again."""
    done = auria("accept", "a1", "a2")
    assert "accepted, in spite of 'name of a person'" in done.stdout
    assert "auria corpus refresh --subreddit haiku --since 2017-07-14 --until 2017-07-14" in done.stderr
    assert "was accepted before" in auria("accept", "a1").stdout
    assert json.loads(auria("accept", "a1", "--undo", "--json").stdout)[0]["reason"] == "name of a person"
    assert "rejected again (contact data)" in auria("accept", "a2", "--undo").stdout


def test_forgetting_names_the_backups_that_hold_the_text(home: Path):
    """And rewrites them when asked."""
    CliRunner().invoke(app, ["db", "backup"])
    (backup,) = (home / "backups").iterdir()
    done = auria("forget", "a4")
    assert "1 verse forgotten" in done.stdout
    assert str(backup) in done.stderr
    assert "--backups" in done.stderr
    assert f"rewritten without it: {backup}" in auria("forget", "a4", "--backups").stdout
    value = json.loads(auria("forget", "a4", "--json").stdout)
    assert (value["forgotten"], value["backups"]["holding"], value["rewritten"]) == ({"a4": 0}, [], None)


def test_a_dump_of_other_subreddits_says_how_to_read_it(tmp_path: Path):
    """Instead of nothing at all."""
    file = dump(tmp_path, post(9, POND, subreddit="poetry"), name="poetry.ndjson")
    done = auria("import", str(file))
    assert "no post in it is of r/haiku" in done.stderr
    assert f"auria corpus import {file} --subreddit all" in done.stderr
    assert "--subreddit all" not in auria("import", str(file), "--subreddit", "all").stderr
