"""Words that must not be published are stopped at every door: at the edit, at the approval, and when they are scheduled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from auria_bot.domain.artwork import Style
from auria_bot.domain.draft import DraftState
from auria_bot.errors import TextRejected
from tests.factories import NOW, add_draft, artwork
from tests.publishing import keep_pictures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.bootstrap.application import Application

WRONG = {
    "a mention": "pond at noon\n\n— Auria, with @someone",
    "a fullwidth mention": "pond\n\nfor \uff20someone",
    "a link": "pond at noon\n\nsee evil.example.com",
    "an address": "pond\n\nwrite to a@b.example",
    "a hidden character": "pond\u202e at noon",
    "a zero width space": "po\u200bnd",
    "a control character": "pond\x07",
    "a slur": "you fucking pond",
}


def draft_of(application: Application, **words: str) -> int:
    """A draft with these words, as a scribe or an older version may have written it."""
    keep_pictures(application, "run-1")
    with application.store.begin() as unit:
        made = artwork(1, **words)
        return unit.drafts.add(made, folder="run-1", picture_sha256="0" * 64, made_at=NOW).id


@pytest.mark.parametrize("words", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("field", ["post_text", "alt_text"])
def test_no_door_lets_them_through(application: Application, words: str, field: str) -> None:
    """The operator's own edit, the approval of a scribe's words, and an approval that was signed elsewhere."""
    number = draft_of(application, **{field: words})
    with pytest.raises(TextRejected, match=rf"draft {number}: .* must not be published: .*auria edit {number}"):
        application.review.approve([number])
    changed: Mapping[str, str] = {"text" if field == "post_text" else field: words}
    with pytest.raises(TextRejected):
        application.review.edit(number, **changed)
    with application.store.begin() as unit:
        unit.drafts.save(unit.drafts.get(number).approve(("fake",), NOW))
    posts, problems = application.post_creator.schedule()
    assert posts == ()
    assert any("must not be published" in problem for problem in problems)
    assert application.review.draft(number).state is DraftState.APPROVED


def test_fit_words_pass_every_door(application: Application) -> None:
    """In any script, with hashtags and emoji."""
    number = draft_of(
        application, post_text="古池や\n蛙飛びこむ\n水の音 🐸\n\n— Auria\n#haiku #俳句", alt_text="A frog, and a pond."
    )
    assert application.review.approve([number])[0].state is DraftState.APPROVED


def test_a_paintings_credit_is_no_fault(application: Application) -> None:
    """A museum's title is told as it is; the rest of the words is still looked at."""
    style = Style(key="s", title="The Sleeping Gypsy", artist="Henri Rousseau", year="1897")
    credit = "A pond, after “The Sleeping Gypsy” by Henri Rousseau (1897)."
    with application.store.begin() as unit:
        draft = add_draft(unit, 2)
        draft = unit.drafts.add(
            artwork(3, style=style, alt_text=credit), folder="r", picture_sha256="0" * 64, made_at=NOW
        )
    keep_pictures(application, "r")
    assert application.review.approve([draft.id])
    with application.store.begin() as unit:
        other = unit.drafts.add(
            artwork(4, style=style, alt_text=f"{credit} @someone"), folder="q", picture_sha256="0" * 64, made_at=NOW
        )
    assert other.unfit(application.unfit_words) == ["the alt text must not be published: a mention"]
