"""Composes the corpus: importing, versions, Reddit, and training on a version."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from auria_bot.bootstrap.core import Core

if TYPE_CHECKING:
    from collections.abc import Callable

    from auria_bot.corpus.quality_filter import FilterRules
    from auria_bot.corpus.sources.reddit import Reddit
    from auria_bot.services.corpus.corpus_import import CorpusImporter
    from auria_bot.services.corpus.corpus_versions import VersionBuilder
    from auria_bot.services.corpus.deletion_check import DeletionChecker
    from auria_bot.services.corpus.reddit_sync import SubredditSync
    from auria_bot.services.corpus.refresh import RedditRefresh
    from auria_bot.services.corpus.rejected_texts import RejectedTexts
    from auria_bot.services.models.training import PoetRetrainer

__all__ = ["CorpusServices"]


class CorpusServices(Core):
    """Importing, versions, Reddit, and training on a version."""

    @cached_property
    def corpus_importer(self) -> CorpusImporter:
        """Imports verse into the corpus, and removes it."""
        from auria_bot.services.corpus.corpus_import import CorpusImporter

        return CorpusImporter(
            store=self.store,
            clock=self.clock,
            rules=self._filter_rules(),
            names=self.settings.corpus.keep_author_names,
            keeps_rejected=self.settings.corpus.keep_rejected_days > 0,
        )

    @cached_property
    def rejected_texts(self) -> RejectedTexts:
        """What the filter rejected, and what the operator accepts of it."""
        from auria_bot.services.corpus.rejected_texts import RejectedTexts

        return RejectedTexts(store=self.store, clock=self.clock, days=self.settings.corpus.keep_rejected_days)

    @cached_property
    def version_builder(self) -> VersionBuilder:
        """Builds versions of the corpus."""
        from auria_bot.services.corpus.corpus_versions import VersionBuilder

        return VersionBuilder(
            store=self.store,
            clock=self.clock,
            folder=self.settings.home / "corpus",
            rules=self._filter_rules(),
            least_score=self.settings.corpus.min_score,
        )

    @cached_property
    def reddit(self) -> Reddit:
        """Reddit, read only; the first request is made on first use."""
        from auria_bot.corpus.sources.reddit import Reddit

        return Reddit(self.settings.corpus.reddit, self.secret_store("reddit"))

    @cached_property
    def subreddit_sync(self) -> SubredditSync:
        """Imports new posts from Reddit."""
        from auria_bot.services.corpus.reddit_sync import SubredditSync

        return SubredditSync(
            pages=self.reddit,
            store=self.store,
            importer=self.corpus_importer,
            clock=self.clock,
            overlap=self.settings.corpus.reddit.overlap * 3600,
        )

    @cached_property
    def deletion_checker(self) -> DeletionChecker:
        """Checks whether known posts were deleted."""
        from auria_bot.services.corpus.deletion_check import DeletionChecker

        return DeletionChecker(posts=self.reddit, store=self.store, clock=self.clock)

    @cached_property
    def reddit_refresh(self) -> RedditRefresh:
        """Imports new posts from Reddit, and checks known posts for deletions."""
        from auria_bot.services.corpus.refresh import RedditRefresh

        chosen = self.settings.corpus.reddit
        return RedditRefresh(
            sync=self.subreddit_sync,
            checker=self.deletion_checker,
            clock=self.clock,
            searches=chosen.search_terms,
            requests=chosen.check_requests,
        )

    def poet_retrainer(self, *, recipe: Any, comparison: Any, report: Callable[[str], None]) -> PoetRetrainer:
        """Trains the poet on a version of the corpus, and replaces the one in service when the new one is better."""
        from auria_bot.services.models.training import PoetRetrainer

        return PoetRetrainer(
            settings=self.settings,
            versions=self.version_builder,
            registry=self.model_registry,
            experiments=self.experiments,
            recipe=recipe,
            comparison=comparison,
            report=report,
        )

    def _filter_rules(self) -> FilterRules:
        from auria_bot.corpus.language.words import words
        from auria_bot.corpus.quality_filter import FilterRules

        chosen = self.settings.corpus
        return FilterRules(
            least_english=chosen.min_english,
            most_capitals=chosen.max_capitals,
            most_repeated=chosen.max_repetition,
            most_odd=chosen.max_symbols,
            names=chosen.allow_person_names,
            allow=frozenset(" ".join(words(phrase)) for phrase in chosen.allowed_words),
        )
