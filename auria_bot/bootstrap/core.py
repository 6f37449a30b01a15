"""What all services are made from: settings, clock, database, pictures and secrets."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from auria_bot.art.voice import Voice
    from auria_bot.secret_store import SecretStore
    from auria_bot.services.models.experiments import ExperimentLog
    from auria_bot.services.models.versions import ModelRegistry
    from auria_bot.settings.schema import Settings
    from auria_bot.store.bucket.client import Bucket
    from auria_bot.store.files import Pictures
    from auria_bot.store.unit_of_work import Store

__all__ = ["Core", "load_voice"]


def load_voice() -> Voice:
    """The voice that reads poems aloud.

    Raises:
        BackendMissing: its package is not installed.
    """
    from auria_bot.art.voice import Voice

    return Voice()


class Core:
    """Settings, clock, database, pictures and secrets; nothing is opened before it is used."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], datetime] | None = None, store: Store | None = None
    ) -> None:
        """Use an open database where one is given; else the settings' database is opened on first use."""
        self.settings = settings
        self.clock = clock or _now
        self._store = store

    @property
    def store(self) -> Store:
        """The database, with the current schema.

        Raises:
            StoreError: it cannot be used.
            DiskError: its file cannot be written.
        """
        from auria_bot.store.unit_of_work import Store

        if self._store is None:
            self._store = Store.open(self.settings)
        return self._store

    def store_as(self, who: str) -> Store:
        """The same, whose journal names an operator; "" for the terminal's user."""
        return self.store.acting_as(who) if who else self.store

    @cached_property
    def pictures(self) -> Pictures:
        """The pictures of the drafts: in the home, or in the bucket that the settings name."""
        from auria_bot.store.files import Pictures

        if self.bucket is None:
            return Pictures(self.settings.home)
        from auria_bot.store.bucket.pictures import BucketPictures

        return BucketPictures(self.settings.home, self.bucket, limit=self.settings.storage.cache_mb * 1_000_000)

    @cached_property
    def bucket(self) -> Bucket | None:
        """The bucket that the settings name; None where everything is in the home."""
        if not self.settings.storage.pictures:
            return None
        from auria_bot.secret_store import SecretStore
        from auria_bot.store.bucket.client import Bucket

        return Bucket(self.settings.storage, secrets=SecretStore(self.settings.home, "storage"))

    @property
    def picture_copies(self) -> Path:
        """Where smaller copies of the drafts' pictures are kept."""
        return self.settings.home / "cache" / "web"

    @cached_property
    def model_registry(self) -> ModelRegistry:
        """The versions of the trained models: in a folder, or on the server that the settings name."""
        from auria_bot.services.models.folder_registry import FolderRegistry

        chosen = self.settings.registry
        if not chosen.address:
            return FolderRegistry(self.settings, clock=self.clock)
        from auria_bot.secret_store import SecretStore
        from auria_bot.services.models.mlflow.client import MlflowClient
        from auria_bot.services.models.mlflow.registry import MlflowRegistry

        return MlflowRegistry(
            client=MlflowClient(chosen.address, secrets=SecretStore(self.settings.home, "registry")),
            copy=FolderRegistry(self.settings, clock=self.clock, copy_of="mlflow"),
            experiments=self.experiments,
            every=chosen.refresh_seconds,
        )

    def settle_models(self) -> tuple[str, ...]:
        """Make the registry whole after a restore; the versions that are out of service, since they have no files.

        The copy of a registry on a server is not in a backup: the server is asked as always.
        """
        from auria_bot.services.models.folder_registry import FolderRegistry

        return () if self.settings.registry.address else FolderRegistry(self.settings, clock=self.clock).settle()

    @cached_property
    def experiments(self) -> ExperimentLog:
        """The records of the trainings."""
        from auria_bot.services.models.experiments import ExperimentLog

        return ExperimentLog(self.settings.home, clock=self.clock)

    @property
    def zone(self) -> ZoneInfo:
        """The operator's time zone."""
        return ZoneInfo(self.settings.time_zone)

    @property
    def public_url(self) -> str:
        """The web site's public address, without a slash at the end."""
        return self.settings.web.url or f"http://{self.settings.web.address}"

    def secret_store(self, name: str, *, place: str | None = None) -> SecretStore:
        """The secrets of a channel, in this place, or where its settings say."""
        from auria_bot.secret_store import SecretStore

        chosen = self.settings.channels.get(name)
        return SecretStore(self.settings.home, name, place=place or (chosen.keystore if chosen else "file"))

    def unfit_words(self, text: str, *, names: bool = False) -> list[str]:
        """Why a text must not be published; one of the operator's may name persons, which `names` reports."""
        import re

        from auria_bot.corpus.language.content_filter import faults

        # The poet's list forbids the word, since a poem should not be about itself; posts and their tags may say it.
        return faults(re.sub(r"\bhaikus?\b", "verse", text, flags=re.IGNORECASE), names=names)

    def close(self) -> None:
        """Close the database if it was opened."""
        if self._store is not None:
            self._store.close()


def _now() -> datetime:
    return datetime.now(UTC)
