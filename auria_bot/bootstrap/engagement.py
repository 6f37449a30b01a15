"""Composes engagement: measuring it, reporting it, and learning from it."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from auria_bot.bootstrap.publishing import PublishingServices

if TYPE_CHECKING:
    from auria_bot.services.engagement.preferences import PreferenceModel
    from auria_bot.services.engagement.report import EngagementReporter
    from auria_bot.services.engagement.tracker import Tracker

__all__ = ["EngagementServices"]


class EngagementServices(PublishingServices):
    """The tracker, the reporter and the preferences."""

    @cached_property
    def tracker(self) -> Tracker:
        """Measures the engagement of published posts."""
        from auria_bot.services.engagement.tracker import Tracker

        chosen = self.settings.tracking
        prices = {name: chosen.prices.get(one.backend, 0.0) for name, one in self.settings.channels.items()}
        return Tracker(
            store=self.store,
            channels=self.channels,
            clock=self.clock,
            calls=chosen.calls,
            dollars=chosen.dollars,
            prices=prices,
        )

    @cached_property
    def engagement_reporter(self) -> EngagementReporter:
        """Reports engagement by post, channel, mood, style and time."""
        from auria_bot.services.engagement.report import EngagementReporter

        return EngagementReporter(store=self.store, zone=self.zone)

    @cached_property
    def preferences(self) -> PreferenceModel:
        """Learns preferences for moods and styles from engagement."""
        from auria_bot.services.engagement.preferences import PreferenceModel

        chosen = self.settings.learning
        return PreferenceModel(
            store=self.store,
            half_life=timedelta(days=chosen.half_life),
            enabled=chosen.enabled,
            share=chosen.share,
            explore=chosen.exploration,
        )
