"""Published artworks in the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from auria_bot.domain.post import Outcome, PostState, Receipt
from tests.factories import NOW, add_draft

if TYPE_CHECKING:
    from auria_bot.store.unit_of_work import Store


def post(store: Store, number: int, channel: str, *, hours: int = 0, state: PostState = PostState.SENT) -> int:
    """A draft with a post in that state; the draft's id."""
    at = NOW + timedelta(hours=hours)
    with store.begin() as unit:
        draft = add_draft(unit, number)
        unit.posts.add(draft, channel, due=at, picture="p.jpg", key=f"{number}-{channel}")
        claimed = unit.posts.claim(now=at, lease=timedelta(minutes=5), channels=[channel])[0]
        receipt = Receipt(id="1", url=f"https://{channel}/{number}", at=at) if state is PostState.SENT else None
        unit.posts.close_attempt(
            replace(claimed.moved(state), receipt=receipt), outcome=Outcome.SENT, message="", at=at
        )
    return draft.id


def test_a_draft_is_published_when_its_first_post_is_out(store: Store) -> None:
    """The earliest receipt counts; drafts with only failed posts are not published."""
    first = post(store, 1, "x", hours=2)
    assert post(store, 1, "folder", hours=1) == first
    post(store, 2, "x", state=PostState.FAILED)
    with store.read() as unit:
        assert unit.published.dates() == {first: NOW + timedelta(hours=1)}
        assert [(one.channel, one.url) for one in unit.published.posted(first)] == [
            ("folder", "https://folder/1"),
            ("x", "https://x/1"),
        ]


def test_the_signature_changes_with_what_is_published(store: Store) -> None:
    """A new post changes it, and so does one that vanished."""
    with store.read() as unit:
        empty = unit.published.signature()
    post(store, 1, "x")
    with store.read() as unit:
        one = unit.published.signature()
        sent = unit.posts.list()[0]
    with store.begin() as unit:
        unit.samples.mark_vanished(sent.id, at=NOW)
    with store.read() as unit:
        gone, dates = unit.published.signature(), unit.published.dates()
    assert empty == (0, None)
    assert one == (1, NOW)
    assert gone == (0, None)
    assert dates == {}


def test_rows_hold_what_an_index_needs(store: Store) -> None:
    """Mood, alt text and the artwork as JSON, for more ids than one query takes."""
    draft = post(store, 3, "x")
    with store.read() as unit:
        (row,) = unit.published.rows([draft, *range(10_000, 10_900)])
    assert (row.draft_id, row.mood, row.alt_text) == (draft, "serene", "A painting of lake 3.")
    assert row.artwork["haiku"]["lines"][0] == "stone number 3"
