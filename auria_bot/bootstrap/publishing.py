"""Composes publishing and engagement: the channels, what sends posts to them, and what measures the posts."""

from __future__ import annotations

from datetime import timedelta
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

from auria_bot.bootstrap.core import Core
from auria_bot.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auria_bot.domain.interfaces import Channel, Secrets
    from auria_bot.services.engagement.approvals import ApprovalModel
    from auria_bot.services.engagement.preferences import PreferenceModel
    from auria_bot.services.engagement.report import EngagementReporter
    from auria_bot.services.engagement.tracker import Tracker
    from auria_bot.services.publishing.channel_administration import ChannelAdministration
    from auria_bot.services.publishing.post_creation import PostCreator
    from auria_bot.services.publishing.publisher import Publisher
    from auria_bot.settings.sections import ChannelSettings

__all__ = ["PublishingServices"]


class PublishingServices(Core):
    """The channels, the publisher, the tracker, the reporter and the preferences."""

    @cached_property
    def channels(self) -> Mapping[str, Callable[[], Channel]]:
        """Every channel by the operator's name for it; each is constructed on its first call."""
        return {name: cache(partial(self._channel, name)) for name in self.settings.channels}

    @cached_property
    def publisher(self) -> Publisher:
        """Sends approved drafts to the channels."""
        return self.publisher_as("")

    def publisher_as(self, who: str) -> Publisher:
        """The same, for an operator whom the journal names."""
        from auria_bot.services.operations.backup_files import unfinished_restore
        from auria_bot.services.publishing.publisher import Publisher

        return Publisher(
            store=self.store_as(who),
            clock=self.clock,
            channels=self.channels,
            creator=self._post_creator_as(who),
            restoring=partial(unfinished_restore, self.settings.home),
        )

    @cached_property
    def post_creator(self) -> PostCreator:
        """Creates posts from approved drafts, and shows how each channel would publish a draft."""
        return self._post_creator_as("")

    def _post_creator_as(self, who: str) -> PostCreator:
        from auria_bot.services.publishing.post_creation import PostCreator

        return PostCreator(
            store=self.store_as(who),
            pictures=self.pictures,
            clock=self.clock,
            channels=self.channels,
            faults=self.unfit_words,
        )

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

    @cached_property
    def approvals(self) -> ApprovalModel:
        """Learns which paintings the operator approves."""
        from auria_bot.services.engagement.approvals import ApprovalModel
        from auria_bot.services.models.catalogue import model_hash

        chosen, ranker = self.settings.learning, model_hash(self.settings.models_folder / "ranker")
        return ApprovalModel(store=self.store, ranker=ranker, enabled=chosen.approvals, explore=chosen.exploration)

    @cached_property
    def channel_administration(self) -> ChannelAdministration:
        """Adds, removes, checks and lists channels."""
        from auria_bot.services.publishing.channel_administration import ChannelAdministration
        from auria_bot.settings.editing import SettingsFile
        from auria_bot.settings.locations import own_file

        return ChannelAdministration(
            settings=self.settings,
            file=SettingsFile(own_file()),
            store=lambda: self.store,
            publisher=lambda: self.publisher,
            channels=self.channels,
            make=self.channel,
            secrets=lambda name, place: self.secret_store(name, place=place),
        )

    def channel(self, name: str, chosen: ChannelSettings, secrets: Secrets) -> Channel:
        """Construct a channel from these settings and secrets, which may differ from those in force.

        Raises:
            SettingsError: no such backend, or a wrong option.
            BackendMissing: its package is not installed.
        """
        from auria_bot import registry
        from auria_bot.settings.options import configure

        backend = registry.find_chosen("channel", chosen.backend, section=f"channels.{name}")
        config = configure(f"channels.{name}", backend, chosen.options, {"name": name})
        made: Channel = backend(config, home=self.settings.home, secrets=secrets)
        return made

    def _channel(self, name: str) -> Channel:
        made = self.channel(name, self.settings.channels[name], self.secret_store(name))
        if name in self.settings.shared_folders:
            raise SettingsError(self.settings.shared_folders[name])
        return made
