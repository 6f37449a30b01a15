"""Each verse is stored once by its best copy, and a forgotten one never comes back; bookmarks and versions."""

from __future__ import annotations

import hashlib
import itertools
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.corpus.item import CorpusItem, author_key, place_key
from auria_bot.corpus.verses import CorpusVersion
from tests.factories import NOW

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store


def item(number: int = 1, place: str = "a", **changes: Any) -> CorpusItem:
    """A stored verse that was found at a place."""
    values: dict[str, Any] = {
        "digest": f"{number:032x}",
        "key": place_key("reddit", place),
        "author_key": author_key("ria"),
        "lines": (f"snow number {number}", "a frog jumps in", "sound"),
        "syllables": (5, 4, 1),
        "form": "free",
        "season": "winter",
        "source": "reddit",
        "origin": "dump",
        "subreddit": "haiku",
        "external_id": place,
        "created_at": NOW,
        "score": 7,
    }
    return CorpusItem(**{**values, **changes})


def rejected(number: int = 1, place: str = "a", **changes: Any) -> CorpusItem:
    """A text that is no poem."""
    return item(
        number, place, **{"lines": (), "syllables": (), "form": "", "season": "", "reason": "quality", **changes}
    )


def test_a_verse_comes_out_as_it_went_in(store: Store):
    """But for the hashes of its place and its author."""
    with store.begin() as unit:
        assert unit.verses.add([item()]) == ["new"]
    with store.read() as unit:
        (found,) = unit.verses.kept()
        assert found == item(key="", author_key="") == unit.verses.find(found.digest)
        assert unit.verses.find("f" * 32) is None


def test_taking_again_changes_nothing(store: Store):
    """Within a batch and in another."""
    batch = [item(1), rejected(2, "b"), item(1, "c")]
    with store.begin() as unit:
        assert unit.verses.add(batch) == ["new", "new", "known"]
        before = list(unit.verses.kept()), unit.verses.counts()
    with store.begin() as unit:
        assert unit.verses.add(batch) == ["known"] * 3
        assert (list(unit.verses.kept()), unit.verses.counts()) == before


COPIES = [
    rejected(1, "f"),
    item(1, "e", source="file", external_id="", created_at=None, score=None),
    item(1, "d", created_at=NOW + timedelta(days=1)),
    item(1, "c"),
    item(1, "b", source="file", external_id="", licence="CC0", created_at=None),
]
"""Five copies of one poem, the worst first."""


@pytest.mark.parametrize("order", list(itertools.permutations(range(5)))[::17])
def test_the_best_copy_is_kept_in_whatever_order_they_come(store: Store, order: tuple[int, ...]):
    """A licence goes before Reddit, Reddit before a file, the older before the younger, all before a rejected one."""
    assert sorted(COPIES, key=lambda one: one.standing) == COPIES[::-1]
    for number in order:
        with store.begin() as unit:
            unit.verses.add([COPIES[number]])
    with store.read() as unit:
        assert [(one.licence, one.source) for one in unit.verses.kept()] == [("CC0", "file")]
        assert unit.verses.counts()["state"] == {"kept": 1}


def test_what_became_of_each_is_told(store: Store):
    """Better than the copy that was known, or not."""
    with store.begin() as unit:
        assert unit.verses.add([COPIES[1]]) == ["new"]
        assert unit.verses.add([COPIES[3], COPIES[2]]) == ["better", "known"]


@pytest.mark.parametrize("way", ["place", "author", "digest"])
def test_what_is_forgotten_leaves_nothing_and_never_comes_back(store: Store, way: str):
    """By the place where it stood, its author, or its digest; every copy with it."""
    with store.begin() as unit:
        unit.verses.add([item(1, "a"), item(1, "b", author_key=author_key("bo")), item(2, "c", author_key="")])
    with store.begin() as unit:
        if way == "digest":
            assert unit.verses.forget_digest(item(1).digest)
            assert not unit.verses.forget_digest(item(1).digest)
        else:
            key = place_key("reddit", "t3_B") if way == "place" else author_key("/u/RIA")
            assert unit.verses.forget([key], at=NOW) == 1
            assert unit.verses.forget([key], at=NOW) == 0
    with store.begin() as unit:
        assert [one.digest for one in unit.verses.kept()] == [item(2).digest]
        assert unit.verses.add([item(1, "a"), item(1, "x", author_key="")]) == ["forgotten", "forgotten"]
        assert unit.verses.counts()["state"] == {"forgotten": 1, "kept": 1}
        assert "snow number 1" not in str(unit.verses.sample(9))


def test_what_is_to_be_forgotten_before_it_came_takes_its_copies_with_it(store: Store):
    """In whatever order copy and deletion come."""
    with store.begin() as unit:
        assert unit.verses.forget([place_key("reddit", "a")], at=NOW) == 0
        assert unit.verses.add([item(1, "b", author_key="")]) == ["new"]
        assert unit.verses.add([item(1, "a")]) == ["forgotten"]
        assert list(unit.verses.kept()) == []
        assert unit.verses.add([item(1, "b", author_key="")]) == ["forgotten"]


def test_counts_tell_states_reasons_and_what_is_kept(store: Store):
    """Each by how many there are, years in their order."""
    with store.begin() as unit:
        unit.verses.add(
            [
                item(1, "a", form="575", season=""),
                item(2, "b", created_at=None, source="file", subreddit=""),
                item(3, "c", created_at=NOW - timedelta(days=800)),
                rejected(4, "d"),
                rejected(5, "e", reason="language"),
                rejected(6, "f"),
            ]
        )
        counts = unit.verses.counts()
    assert counts["state"] == {"kept": 3, "rejected": 3}
    assert counts["reason"] == {"quality": 2, "language": 1}
    assert counts["form"] == {"free": 2, "575": 1}
    assert counts["season"] == {"winter": 2, "": 1}
    assert counts["subreddit"] == {"haiku": 2, "": 1}
    assert counts["source"] == {"reddit": 2, "file": 1}
    years = {"": 1, str((NOW - timedelta(days=800)).year): 1, str(NOW.year): 1}
    assert list(counts["year"].items()) == sorted(years.items())


def test_samples_are_by_chance_and_the_same_for_a_seed(store: Store):
    """Of a season or a form, never twice the same verse, and all there are when there are fewer."""
    with store.begin() as unit:
        unit.verses.add(
            [
                item(
                    number,
                    str(number),
                    digest=hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest(),
                    season="spring" if number % 3 else "winter",
                    form="575" if number % 2 else "free",
                )
                for number in range(1, 61)
            ]
        )
    with store.read() as unit:
        first = unit.verses.sample(5, seed=1)
        assert first == unit.verses.sample(5, seed=1) != unit.verses.sample(5, seed=2)
        assert len({one.digest for one in first}) == 5
        assert {one.season for one in unit.verses.sample(9, season="winter")} == {"winter"}
        assert {one.form for one in unit.verses.sample(9, form="575")} == {"575"}
        assert len(unit.verses.sample(99, season="winter")) == 20
        assert unit.verses.sample(3, season="autumn") == []


def test_pages_give_every_verse_once(store: Store, monkeypatch: pytest.MonkeyPatch):
    """In the order of their digests."""
    monkeypatch.setattr("auria_bot.store.corpus._PAGE", 7)
    with store.begin() as unit:
        unit.verses.add([item(number, str(number)) for number in range(1, 22)])
        assert [one.digest for one in unit.verses.kept()] == [f"{number:032x}" for number in range(1, 22)]


def test_scores_and_names_beyond_a_column_are_cut(store: Store):
    """What the database cannot hold does not stop an import."""
    with store.begin() as unit:
        unit.verses.add([item(1, "a", score=10**12, subreddit="x" * 300, external_id="y" * 300)])
        (found,) = unit.verses.kept()
    assert (found.score, len(found.subreddit), len(found.external_id)) == (2**31 - 1, 100, 200)


def reddit_item(number: int, **more: Any) -> CorpusItem:
    """A poem of a post that is so many days old."""
    values: dict[str, Any] = {
        "digest": f"{number:032x}",
        "key": place_key("reddit", str(number)),
        "lines": ("a", "b", f"{number}"),
        "syllables": (1, 1, 1),
        "form": "free",
        "source": "reddit",
        "external_id": str(number),
        "created_at": NOW - timedelta(days=number),
    }
    return CorpusItem(**{**values, **more})


def test_only_posts_of_reddit_whose_poems_are_kept(store: Store):
    """Neither rejected ones, nor files, nor forgotten ones."""
    with store.begin() as unit:
        unit.verses.add(
            [
                reddit_item(1),
                reddit_item(2, reason="profanity", lines=()),
                reddit_item(3, source="file"),
                reddit_item(4, external_id=""),
                reddit_item(5),
            ]
        )
        unit.verses.forget([place_key("reddit", "5")], at=NOW)
    with store.read() as unit:
        assert [name for _, name in unit.verses.reddit_posts(0, since=None, until=None, limit=10)] == ["1"]


def test_pages_by_age(store: Store):
    """From and until are days; a page begins after the last one's place."""
    with store.begin() as unit:
        unit.verses.add([reddit_item(number) for number in range(1, 9)])
    with store.read() as unit:
        first = unit.verses.reddit_posts(0, since=NOW - timedelta(days=6), until=NOW - timedelta(days=2), limit=3)
        second = unit.verses.reddit_posts(
            first[-1][0], since=NOW - timedelta(days=6), until=NOW - timedelta(days=2), limit=3
        )
    assert [name for _, name in (*first, *second)] == ["3", "4", "5", "6"]


def test_a_bookmark_is_moved(store: Store):
    """One for each subreddit, in any case, and listing."""
    with store.begin() as unit:
        assert unit.bookmarks.get("haiku", "new") is None
        unit.bookmarks.put("Haiku", "new", "t3_a", at=NOW)
        unit.bookmarks.put("haiku", "top", "t3_b", at=NOW)
        unit.bookmarks.put("haiku", "new", "t3_c", at=NOW + timedelta(hours=1))
    with store.read() as unit:
        assert unit.bookmarks.get("HAIKU", "new") == "t3_c"
        assert unit.bookmarks.all() == {
            ("haiku", "new"): ("t3_c", NOW + timedelta(hours=1)),
            ("haiku", "top"): ("t3_b", NOW),
        }


def test_versions_are_kept_by_name(store: Store):
    """The newest first; a name that is there already stays as it is."""
    old = CorpusVersion(name="a", made_at=NOW, verses=3, sha256="0" * 64, settings={"least_score": None})
    new = CorpusVersion(name="b", made_at=NOW + timedelta(days=1), verses=4, sha256="1" * 64, settings={})
    with store.begin() as unit:
        unit.corpus_versions.add(old)
        unit.corpus_versions.add(new)
        unit.corpus_versions.add(CorpusVersion(name="a", made_at=NOW, verses=9, sha256="2" * 64, settings={}))
        assert unit.corpus_versions.list() == (new, old)
