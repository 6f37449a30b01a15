"""The corpus from the command line: import, show, forget, versions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.corpus.language.season_words import theme_in
from tests.acceptance.commands import Operator

if TYPE_CHECKING:
    from pathlib import Path

POEMS = (
    "an old silent pond/a frog jumps into the pond/splash! silence again",
    "first snow on the roof/the neighbour's cat leaves a line/from our door to theirs",
    "harvest moon/the scarecrow's shadow/reaches the road",
    "what is a haiku?",
)


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """An operator with an empty home."""
    return Operator(tmp_path / "home")


def dump(folder: Path, *titles: str, first: int = 1) -> Path:
    """A dump of posts on r/haiku, and one elsewhere, and a bad line."""
    rows: list[Any] = [
        {
            "id": f"a{number}",
            "subreddit": "haiku",
            "title": title,
            "author": f"poet_{number}",
            "created_utc": 1_500_000_000,
            "score": 3,
        }
        for number, title in enumerate(titles, first)
    ]
    rows.append({"id": "b1", "subreddit": "nba", "title": "x/y/z", "created_utc": 1_500_000_000})
    path = folder / "RS_2017-07.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"subreddit": "haiku", broken\n')
    return path


def test_the_whole_way(operator: Operator, tmp_path: Path):
    """Each command says what it did, for people and for programs."""
    path = dump(tmp_path, *POEMS)
    dry = operator.json("corpus", "import", str(path), "--dry-run")
    assert (dry[0]["kept"], dry[0]["new"], dry[0]["bad"]) == (3, 0, 1)
    said = operator.run("corpus", "import", str(path))
    assert "3 poems" in said.stdout
    assert "bad lines 1" in said.stdout
    assert operator.json("corpus", "import", str(path))[0]["known"] == 4
    stats = operator.json("corpus", "stats")
    assert stats["state"] == {"kept": 3, "rejected": 1}
    assert stats["reason"] == {"not three lines": 1}
    assert stats["season"] == {"autumn": 1, "spring": 1, "winter": 1}
    shown = operator.run("corpus", "stats").stdout
    assert "3 verses kept" in shown
    assert "r/haiku" in shown
    (winter,) = operator.json("corpus", "sample", "--season", "winter")
    assert winter["lines"] == POEMS[1].split("/")
    assert POEMS[2].split("/")[1] in operator.run("corpus", "sample", "--form", "free").stdout

    first = operator.json("corpus", "version")
    assert (first["verses"], first["is_new"]) == (3, True)
    assert "nothing changed" in operator.run("corpus", "version").stdout
    forgotten = operator.json("corpus", "forget", "t3_a1", "u/poet_3")
    assert (forgotten["forgotten"], forgotten["versions"]) == ({"t3_a1": 1, "u/poet_3": 1}, [first["name"]])
    assert (forgotten["backups"], forgotten["rewritten"]) == ({"holding": [], "unreadable": []}, None)
    assert operator.json("corpus", "import", str(path))[0]["forgotten"] == 2
    second = operator.json("corpus", "version")
    assert [one["name"] for one in operator.json("corpus", "versions")] == [second["name"], first["name"]]
    change = operator.json("corpus", "diff", first["name"], second["name"])
    assert (change["added"], change["removed"], change["same"]) == (0, 2, 1)
    assert POEMS[0].split("/")[0] in operator.run("corpus", "diff", first["name"]).stdout
    assert "--yes" in operator.run("corpus", "drop", first["name"], code=2).stderr
    operator.run("corpus", "drop", first["name"], "--yes")
    assert "deleted" in operator.run("corpus", "versions").stdout
    operator.run("corpus", "export", str(tmp_path / "out.txt"))
    assert (tmp_path / "out.txt").read_text() == POEMS[1].replace("/", "\n") + "\n\n"


def test_slips_are_told(operator: Operator, tmp_path: Path):
    """In one sentence, with what is allowed."""
    assert "no file" in operator.run("corpus", "import", str(tmp_path / "none"), code=5).stderr
    path = dump(tmp_path, POEMS[0])
    assert "text=poem" in operator.run("corpus", "import", str(path), "--map", "title", code=2).stderr
    assert "known: spring" in operator.run("corpus", "sample", "--season", "monsoon", code=2).stderr
    assert "575, free" in operator.run("corpus", "sample", "--form", "sonnet", code=2).stderr
    assert "auria corpus import" in operator.run("corpus", "stats").stderr
    assert "auria corpus version" in operator.run("corpus", "diff", "a", code=5).stderr
    assert ".jsonl" in operator.run("corpus", "export", str(tmp_path / "x.pdf"), code=2).stderr
    assert "u/NAME" in operator.run("corpus", "forget", "???", code=2).stderr


def test_the_settings_hold(tmp_path: Path):
    """Subreddits, allowed words and the hemisphere are the operator's."""
    southern = Operator(
        tmp_path / "home", AURIA_CORPUS__SUBREDDITS="nba,haiku", AURIA_CORPUS__ALLOW="damn", AURIA_HEMISPHERE="south"
    )
    path = dump(tmp_path, "the damn rain again/on the roof of the old barn/and I have no coat")
    assert southern.json("corpus", "import", str(path))[0]["read"] == 2
    assert southern.json("corpus", "stats")["state"]["kept"] == 1
    assert southern.json("corpus", "sample", "--season", "now") == []


def test_an_artwork_of_a_season(operator: Operator):
    """Its theme is words of that season, the same for a seed; a theme of one's own is not mixed with it."""
    said = operator.run("make", "--season", "winter", "--seed", "5").stderr
    assert f"{theme_in('winter', seed=5)!r} (winter)" in said
    assert "--season" in operator.run("make", "--season", "winter", "--theme", "x", code=2).stderr
    assert "known: spring" in operator.run("make", "--season", "monsoon", code=2).stderr
