"""Bookmarks stay where they are put; versions are listed the newest first."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.corpus.versions import CorpusVersion
from tests.factories import NOW

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store


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
