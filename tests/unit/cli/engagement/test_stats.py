"""`auria stats`: the screens, and the same for programs."""

from __future__ import annotations

import csv
import io
import json
import os
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from auria_bot.bootstrap.application import build
from auria_bot.cli.engagement.stats import since_when
from auria_bot.errors import InputError
from auria_bot.settings.loading import load
from tests.engaged import add_sent
from tests.unit.cli.engaged_home import fill, home

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["home"]

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def test_before_anything_is_out(auria: Any):
    """A sentence says what to do; programs get an empty document."""
    code, said, told = auria("stats")
    assert (code, said) == (0, "")
    assert "auria publish" in told
    for by in (None, "post", "mood"):
        found = json.loads(auria("stats", "--json", *(["--by", by] if by else []))[1])
        assert found == [] if by else found["total"]["posts"] == 0
    assert auria("stats", "--csv", "-")[1] == ""


def test_everything_at_a_glance(auria: Any):
    """Channels with their growth, moods, paintings, times and the latest posts stand on one screen."""
    fill()
    code, said, _ = auria("stats")
    assert code == 0
    for words in (
        "48 posts",
        "times in Europe/Paris",
        "stormy",
        "The Wave, G. Courbet",
        "stone number 1",
        "by hour",
        "Mo  Tu",
        "▁",
        "━",
    ):
        assert words in said, words
    row = next(line for line in said.splitlines() if line.strip().startswith("fake "))
    assert " 299 " in row
    assert "+23" in row
    assert "$0.36" in row
    other = next(line for line in said.splitlines() if line.strip().startswith("other "))
    assert "±0" in other


@pytest.mark.parametrize("width", [60, 80, 110, 130, 200])
def test_it_fits_every_screen(auria: Any, screen: Any, width: int):
    """No line is longer than the screen, and on an ordinary one no number is cut."""
    fill()
    screen(width)
    for arguments in ((), ("--by", "post"), ("--by", "mood"), ("--by", "style")):
        code, said, _ = auria("stats", *arguments)
        assert code == 0
        assert max(len(line) for line in said.splitlines()) <= width
        if width >= 80 and arguments != ("--by", "style"):
            assert "…" not in said


@pytest.mark.parametrize("by", ["post", "channel", "mood", "style", "hour", "day", "month"])
def test_one_table(auria: Any, by: str):
    """On the screen, as JSON and as CSV: the same rows."""
    fill()
    code, said, _ = auria("stats", "--by", by)
    assert code == 0
    assert by in said.splitlines()[0]
    rows = json.loads(auria("stats", "--by", by, "--json")[1])
    table = list(csv.DictReader(io.StringIO(auria("stats", "--by", by, "--csv", "-")[1])))
    assert [list(row) for row in rows] == [list(row) for row in table]
    assert [row["likes"] for row in table] == [str(row["likes"]) for row in rows]
    assert sum(row.get("posts", 1) for row in rows) == 48
    assert sum(row["points"] for row in rows) == json.loads(auria("stats", "--json")[1])["total"]["points"]


def test_a_post_in_full(auria: Any):
    """A post's row names draft, mood, poem, counts, followers at the time, cost and place."""
    fill(3)
    row = json.loads(auria("stats", "--by", "post", "--channel", "fake", "--json")[1])[0]
    assert row["poem"].startswith("stone number 1 / ")
    assert (row["channel"], row["likes"], row["followers"], row["cost"]) == ("fake", 21, 299, 0.015)
    assert row["rate"] == pytest.approx(100 * row["points"] / 299, abs=1e-3)
    assert row["url"] == "https://example.invalid/1"
    assert datetime.fromisoformat(row["measured_at"]) > datetime.fromisoformat(row["posted_at"])


def test_what_was_never_counted(auria: Any):
    """The screen stands, and says what to do."""
    with closing(build(load())) as application, application.store.begin() as unit:
        add_sent(unit, 1, at=datetime.now(UTC))
    code, said, _ = auria("stats")
    assert code == 0
    assert "Nothing was measured yet: auria measure" in said
    fill(1)
    assert "Last measured 20" in auria("stats")[1]


def test_a_channel_that_counts_no_followers(auria: Any):
    """Its posts are added up, and what is not known is a dash."""
    fill(3)
    with closing(build(load())) as application, application.store.begin() as unit:
        unit.samples._connection.exec_driver_sql("DELETE FROM audiences WHERE channel = 'other'")
    row = next(line for line in auria("stats")[1].splitlines() if line.strip().startswith("other "))
    assert row.split()[2] == "-"


def test_only_a_channel_and_only_lately(auria: Any):
    """Both narrow everything, the followers too."""
    fill()
    found = json.loads(auria("stats", "--channel", "other", "--since", "10d", "--json")[1])
    assert [row["name"] for row in found["channels"]] == ["other"]
    assert found["total"]["posts"] == 9
    assert list(found["followers"]) == ["other"]
    assert len(found["followers"]["other"]) == 9
    assert found["time_zone"] == "Europe/Paris"
    code, said, told = auria("stats", "--since", "2099-01-01")
    assert (code, said) == (0, "")
    assert "not in that time" in told


def test_a_channel_of_the_past_is_known(auria: Any, home: Path):
    """One that was taken out of the settings can still be asked for; one that never was cannot."""
    fill(2)
    settings = (home / "auria.toml").read_text(encoding="utf-8")
    (home / "auria.toml").write_text(settings.replace("[channels.other]", "[channels.third]"), encoding="utf-8")
    assert auria("stats", "--channel", "other")[0] == 0
    code, _, told = auria("stats", "--channel", "nowhere")
    assert code == 2
    assert "known: fake, folder, other, third" in told
    assert auria("stats", "--by", "colour")[0] == 2


def test_long_tables_say_how_they_go_on(auria: Any, screen: Any):
    """Forty rows on a terminal and the command that shows the rest; piped output has every row."""
    fill(30)
    assert "more: " not in auria("stats", "--by", "post")[1]
    screen(120)
    said = auria("stats", "--by", "post")[1]
    assert "20 more: auria stats --by post --csv -" in said


def test_a_file_is_written_in_one_stroke(auria: Any, tmp_path: Path):
    """As CSV and as a figure; nothing is left beside them, and a cell that looks like a formula is none."""
    fill(4)
    with closing(build(load())) as application, application.store.begin() as unit:
        unit.drafts._connection.exec_driver_sql("UPDATE posts SET channel = '=1+1' WHERE channel = 'other'")
    code, said, told = auria("stats", "--csv", str(tmp_path / "out.csv"), "--plot", str(tmp_path / "out.png"))
    assert (code, said) == (0, "")
    assert "8 rows" in told
    assert "figure: " in told
    text = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert "'=1+1" in text
    assert ",=1+1" not in text
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "out.csv", "out.png"]


def test_a_pipe_is_written_to(auria: Any, tmp_path: Path):
    """What is no file is never replaced by one."""
    fill(2)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text(encoding="utf-8")), daemon=True)
    reader.start()
    assert auria("stats", "--csv", str(pipe))[0] == 0
    reader.join(10)
    assert got[0].startswith("post,draft,channel")
    assert pipe.is_fifo()


def test_a_file_that_cannot_be_written(auria: Any, tmp_path: Path):
    """A file in the folder's place, or a folder in the file's, is said; nothing is left behind."""
    fill(2)
    (tmp_path / "file").touch()
    (tmp_path / "taken").mkdir()
    for option in ("--csv", "--plot"):
        for name in ("file/out.png", "taken"):
            target = tmp_path / (f"{name}.png" if option == "--plot" and name == "taken" else name)
            target.mkdir(exist_ok=True) if name == "taken" else None
            code, _, told = auria("stats", option, str(target))
            assert code == 10, (option, name)
            assert "cannot be written" in told
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".new-")]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30d", NOW - timedelta(days=30)),
        ("2 W", NOW - timedelta(days=14)),
        ("6m", NOW - timedelta(days=180)),
        ("1y", NOW - timedelta(days=365)),
        ("2026-01-31", datetime(2026, 1, 30, 23, 0, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 22, 0, tzinfo=UTC)),
    ],
)
def test_since_when(text: str, moment: datetime):
    """So long ago, or midnight of a day where the operator is."""
    assert since_when(text, NOW, PARIS) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "31.01.2026", "2026-02-30", "5", "-3d", "99999d", "d", "9999y"])
def test_since_nonsense(text: str):
    """The message shows what can be written."""
    with pytest.raises(InputError, match="2026-01-31"):
        since_when(text, NOW, PARIS)
