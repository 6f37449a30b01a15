"""`auria measure`: what it does, says and ends with."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.bootstrap.application import build
from auria_bot.cli.engagement.measure import strip
from auria_bot.domain.engagement import Engagement
from auria_bot.domain.mood import MOODS
from auria_bot.errors import NotFound, Unauthorised
from auria_bot.services.models.catalogue import model_hash
from auria_bot.settings.loading import load
from auria_bot.testing import FakeChannel
from tests.engaged import add_sent
from tests.factories import add_draft
from tests.unit.cli.engaged_home import fill, home, now

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.domain.post import Receipt

__all__ = ["home"]  # the fixtures


@pytest.fixture
def posts(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three published posts whose likes are counted; the third was deleted, and the channel "other" has none."""

    def measure(self: FakeChannel, receipt: Receipt) -> Engagement:
        if receipt.id == "receipt-3":
            raise NotFound("it is gone")
        if self.name == "other":
            raise Unauthorised("the token has ended")
        return Engagement(at=now(), likes=7)

    monkeypatch.setattr(FakeChannel, "measure", measure)
    with closing(build(load())) as application, application.store.begin() as unit:
        for number in (1, 2, 3):
            add_sent(unit, number, at=now() - timedelta(days=number))


def test_what_is_due_is_counted_and_told(auria: Any, posts: None):
    """A row a channel; a vanished post with its place; the calls; and where to look next."""
    code, said, told = auria("measure")
    assert code == 0
    row = next(line for line in said.splitlines() if line.strip().startswith("fake "))
    assert row.split()[1:4] == ["2", "4", "100"]
    assert "post 3 has vanished from fake: https://example.invalid/3" in told
    assert "6 calls; see the results: auria stats" in told
    assert auria("measure")[2] == "nothing is due\n"
    assert json.loads(auria("stats", "--json")[1])["total"]["likes"] == 14
    assert "gone" in auria("stats")[1]


def test_a_preview_asks_nobody(auria: Any, posts: None):
    """It says how many calls there would be, at what price, and writes nothing."""
    code, said, told = auria("measure", "--dry-run")
    assert code == 0
    assert "6 calls would be made" in told
    assert "3" in said
    assert json.loads(auria("stats", "--json")[1])["total"]["measured"] == 0


def test_programs_are_told_the_same(auria: Any, posts: None, home: Any):
    """Visits with calls, cost and the next time; vanished posts; the exit code is that of the trouble."""
    settings = (home / "auria.toml").read_text(encoding="utf-8")
    (home / "auria.toml").write_text(f"{settings}\n[tracking]\nprices = {{ fake = 0.002 }}\n", encoding="utf-8")
    with closing(build(load())) as application, application.store.begin() as unit:
        add_sent(unit, 4, at=now() - timedelta(days=4), channel="other")
    code, said, told = auria("measure", "--json")
    assert code == 11
    assert "other: the credentials are not accepted: the token has ended" in told
    found = json.loads(said)
    assert [post["post"] for post in found["vanished"]] == [3]
    visits = {visit["channel"]: visit for visit in found["visits"]}
    assert (visits["fake"]["calls"], visits["fake"]["cost"], visits["fake"]["posts"]) == (4, 0.008, 2)
    assert visits["other"]["failed"]
    assert visits["fake"]["next_at"]
    assert "6 calls for $0.012" not in told
    assert "for $" in auria("measure", "--vanished", "--channel", "fake")[2]


def test_only_channels_that_there_are(auria: Any, posts: None):
    """An unknown name is answered with the known ones."""
    code, _, told = auria("measure", "--channel", "nowhere")
    assert code == 2
    assert "known: fake, folder, other" in told
    found = json.loads(auria("measure", "--channel", "other", "--json")[1])
    assert [visit["channel"] for visit in found["visits"]] == ["other"]


def test_without_counts_the_moods_are_listed(auria: Any):
    """What each is like; and that nothing is chosen yet, and why."""
    code, said, told = auria("moods")
    assert code == 0
    assert all(mood.description in said for mood in MOODS.values())
    assert "nothing was measured yet" in told
    assert "auria measure" in told
    rows = json.loads(auria("moods", "--json")[1])
    assert [row["name"] for row in rows] == list(MOODS)
    assert {row["drawn"] for row in rows} == {0.0}
    assert json.loads(auria("moods", "--styles", "--json")[1]) == []
    assert auria("moods", "--styles")[1] == ""


def test_with_counts_she_says_what_she_leans_to(auria: Any):
    """The loved mood comes first, with works, reception, interval and chance; then paintings; then a few sentences."""
    fill()
    code, said, told = auria("moods")
    assert code == 0
    first = said.splitlines()[2]
    assert first.split()[:2] == ["stormy", "8"]
    assert "●" in first
    assert MOODS["stormy"].description in first
    assert "The Wave, G. Courbet" in said
    assert "24 artworks measured" in told
    assert "stormy first with" in told
    assert "No chance falls below 1.0%" in told
    rows = {row["name"]: row for row in json.loads(auria("moods", "--json")[1])}
    assert rows["stormy"]["artworks"] == 8
    assert rows["stormy"]["low"] < rows["stormy"]["mean"] < rows["stormy"]["high"]
    assert rows["stormy"]["chance"] > rows["shy"]["chance"] > 0.01
    assert sum(row["chance"] for row in rows.values()) == pytest.approx(1.0, abs=1e-4)
    assert 0.3 < sum(row["drawn"] for row in rows.values()) < 0.8


def test_the_paintings_alone(auria: Any):
    """Five at either end on the first screen, all of them on their own."""
    fill()
    assert auria("moods")[1].count("The Wave") == 10
    assert auria("moods", "--styles")[1].count("The Wave") == 24
    rows = json.loads(auria("moods", "--styles", "--json")[1])
    assert len(rows) == 24
    assert rows == sorted(rows, key=lambda row: -row["weight"])
    assert all(1 / 3 <= row["weight"] <= 3 for row in rows)


def test_switched_off(auria: Any, monkeypatch: pytest.MonkeyPatch):
    """It is told what was loved, and that it is not followed."""
    fill()
    monkeypatch.setenv("AURIA_LEARNING__ENABLED", "false")
    assert "Learning is off" in auria("moods")[2]
    assert {row["drawn"] for row in json.loads(auria("moods", "--json")[1])} == {0.0}


def test_a_narrow_screen_goes_without_descriptions(auria: Any, screen: Any):
    """Eighty columns hold every number."""
    fill()
    screen(80)
    said = auria("moods")[1]
    assert max(len(line) for line in said.splitlines()) <= 80
    assert MOODS["stormy"].description not in said


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ((-0.5, 0.0, 0.5), "      ───●───      "),
        ((0.5, 1.0, 1.5), "         │  ───●───"),
        ((2.0, 5.0, 9.0), "         │        ●"),
        ((-9.0, -1.5, -1.0), "●───     │         "),
    ],
)
def test_a_strip_shows_where_the_mean_lies(values: tuple[float, float, float], drawn: str):
    """The usual value is in the middle; what lies beyond the scale is drawn at its end."""
    assert strip(*values) == drawn


def test_nothing_decided_nothing_learned(auria: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`auria ranker` says what is needed first: a ranker, then decisions."""
    monkeypatch.setenv("AURIA_MODELS", str(tmp_path))
    assert f"the painter has no ranker in {tmp_path / 'ranker'}; train one" in " ".join(auria("ranker")[2].split())
    (tmp_path / "ranker").mkdir()
    assert auria("ranker")[2].endswith("approvals and rejections are both needed: auria review\n")
    assert json.loads(auria("ranker", "--json")[1])["weights"] == []
    code, said, told = auria("eye", "--json")  # its earlier name
    assert (code, json.loads(said)["weights"], "`auria ranker` now" in told) == (0, [], True)
    assert "\n  eye " not in auria("--help")[1]


def test_decisions_are_accounted_for(auria: Any):
    """It shows the drafts that the learned weights set highest and lowest, and how well they foresee a decision."""
    with closing(build(load())) as application, application.store.begin() as unit:
        ranker = model_hash(application.settings.models_folder / "ranker")
        for number in range(1, 25):
            traits = (1.0 if number % 2 else -1.0, float(number % 5))
            draft = add_draft(unit, 100 + number, traits=traits, ranker=ranker)
            unit.drafts.save(draft.approve(("folder",), now()) if number % 2 else draft.reject("", now()))
    code, said, told = auria("ranker")
    assert code == 0
    assert (said.count("approved"), said.count("rejected")) == (5, 5)
    assert "24 decisions (12 approved)" in told
    assert "100% of cases" in told
    found = json.loads(auria("ranker", "--json")[1])
    assert (found["approved"], len(found["drafts"]), found["enabled"]) == (12, 24, True)
