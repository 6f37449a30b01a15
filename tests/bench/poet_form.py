"""10,000 haiku as they come from the poet: form, copies, blocked words, line breaks, variety."""

from __future__ import annotations

from auria_bot.art.poets.word_lstm import WordLstm
from auria_bot.corpus.language import content_filter, syllables, verse_rules
from auria_bot.corpus.language.words import models_folder, words
from auria_bot.corpus.originality import CopyGuard
from tests.bench import Result

__all__ = ["run"]


def run(count: int = 10_000) -> Result:
    """Write `count` haiku at default settings in one call, and look at every one anew.

    Within a call the poet drops a haiku whose first line she has written already; two calls know nothing of each other.
    """
    poet = WordLstm(WordLstm.Config(), models=models_folder())
    guard = CopyGuard.load(models_folder() / "poet" / "originality.bin")
    wrong = copied = blocked = broken = ambiguous = 0
    first: set[str] = set()
    written = 0
    for haiku in poet.write(seed=1, count=count):
        lines = [words(line) for line in haiku.lines]
        written += 1
        wrong += not syllables.fits(lines) or not all(syllables.in_dictionary(word) for line in lines for word in line)
        ambiguous += any(len(syllables.line_counts(line)) > 1 for line in lines)
        copied += bool(guard.copied(lines))
        blocked += bool(content_filter.faults("\n".join(haiku.lines)))
        broken += bool(verse_rules.bad_breaks(lines))
        first.add(" ".join(lines[0]))
    share, distinct = broken / written, len(first) / written
    figures = (
        f"{written} haiku: {written - wrong} exact ({ambiguous} with a word that CMUdict also counts otherwise), {copied} copied, "
        f"{blocked} with blocked words or names, {share:.2%} with a bad line break, {distinct:.1%} first lines distinct"
    )
    return Result(
        name="poet-form",
        figures=figures,
        bar="100 % exact, 0 copied, 0 blocked, < 2 % bad breaks, >= 95 % distinct",
        passed=written == count and not (wrong or copied or blocked) and share < 0.02 and distinct >= 0.95,
    )
