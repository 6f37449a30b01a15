"""Composes the model server with the registry behind it, and the caption service that asks it."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from auria_bot.bootstrap.studio import StudioServices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from auria_bot.services.captions.client import CaptionClient
    from auria_bot.services.captions.front import CaptionFront
    from auria_bot.services.captions.ratings import CaptionRatings
    from auria_bot.services.models.captioner_tuning import CaptionerTuner
    from auria_bot.serving.captioning import CaptionPool, ServedModel
    from auria_bot.serving.making import PicturePool, PoemPool, ServedMakers
    from auria_bot.serving.restyling import ServedStyles, StylePool
    from auria_bot.serving.server import Pools

__all__ = ["CaptionServices", "model_server"]


class CaptionServices(StudioServices):
    """Captions for pictures that others bring, and the model server."""

    @cached_property
    def caption_client(self) -> CaptionClient:
        """Asks the model server for captions."""
        from auria_bot.services.captions.client import CaptionClient

        chosen = self.settings.captions
        return CaptionClient(chosen.server, deadline=chosen.deadline, largest=chosen.largest)

    @cached_property
    def caption_front(self) -> CaptionFront:
        """Asks for captions on behalf of strangers."""
        from auria_bot.services.captions.front import CaptionFront

        return CaptionFront(client=self.caption_client, receipts=self.caption_ratings.receipts)

    @cached_property
    def caption_ratings(self) -> CaptionRatings:
        """Takes ratings of captions."""
        from auria_bot.services.captions.ratings import CaptionRatings, Receipts

        home = self.settings.home
        return CaptionRatings(
            store=self.store,
            home=home,
            receipts=Receipts(home / "secrets" / "caption-receipts.key", clock=self.clock),
            clock=self.clock,
            most=self.settings.captions.most_ratings,
        )

    def captioner_tuner(self, *, recipe: Any, report: Callable[[str], None]) -> CaptionerTuner:
        """Trains the captioner with ratings, and promotes the result when it is better."""
        from auria_bot.services.models.captioner_tuning import CaptionerTuner

        return CaptionerTuner(
            settings=self.settings,
            registry=self.model_registry,
            experiments=self.experiments,
            recipe=recipe,
            report=report,
        )

    def serving_pools(self) -> Pools:
        """All that the model server answers with; the captioner's pool is to be started."""
        from auria_bot.serving.server import Pools

        return Pools(
            captions=self.caption_pool(),
            styles=self.style_pool(),
            poems=self.poem_pool(),
            pictures=self.picture_pool(),
        )

    def caption_pool(self) -> CaptionPool:
        """The captioner in service, in threads; only the model server opens it."""
        from auria_bot.serving.captioning import CaptionPool

        self.model_registry.refresh()
        chosen = self.settings.captions
        return CaptionPool(
            find=self._served_captioner,
            threads=chosen.threads,
            waiting=chosen.waiting,
            most_pixels=chosen.most_pixels,
        )

    def style_pool(self) -> StylePool:
        """Restyles pictures; only the model server opens it."""
        from auria_bot.serving.restyling import StylePool

        chosen = self.settings.captions
        return StylePool(find=self._served_styles, waiting=chosen.waiting // 4, most_pixels=chosen.most_pixels)

    def poem_pool(self) -> PoemPool:
        """Writes poems; only the model server opens it."""
        from auria_bot.serving.making import PoemPool

        return PoemPool(find=self._served_makers, waiting=self.settings.captions.waiting // 4)

    def picture_pool(self) -> PicturePool:
        """Paints poems; only the model server opens it."""
        from auria_bot.serving.making import PicturePool

        waiting = self.settings.captions.waiting // 4
        return PicturePool(find=self._served_makers, waiting=waiting, painting=self.settings.studio)

    def _served_makers(self) -> ServedMakers:
        """The makers of the settings, with the models as they are now; a registry on a server is asked now and then."""
        from auria_bot.serving.making import ServedMakers

        for model in ("poet", "painter"):
            self.model_registry.promoted(model)
        return ServedMakers(make=self._backend, state=_state(self.settings.models_folder.glob("*/SHA256SUMS")))

    def _served_styles(self) -> ServedStyles:
        """The styles as they are now: the bank that ships, the operator's own, and those with a network."""
        from auria_bot.art.stylists.style_networks import PREFIX
        from auria_bot.serving.restyling import ServedStyles

        models, own = self.settings.models_folder, self.settings.home / "styles"
        banks = tuple(sorted(path.parent for path in own.glob("*/bank.json")))
        changing = [*models.glob(f"{PREFIX}*/SHA256SUMS"), *(folder / "bank.json" for folder in banks)]
        return ServedStyles(models=models, banks=banks, state=_state(changing))

    def _served_captioner(self) -> ServedModel:
        """The version that was promoted last."""
        from auria_bot.serving.captioning import ServedModel

        version = self.model_registry.promoted("captioner")
        return ServedModel(
            version=version,
            folder=self.model_registry.folder("captioner", version),
            models=self.settings.models_folder,
        )


def _state(files: Iterable[Path]) -> tuple[str, ...]:
    """What changes when one of the files does, or another one takes its place."""
    return tuple(sorted(f"{path.resolve()} {path.stat().st_mtime_ns}" for path in files))


def model_server(_: Any = None) -> Any:
    """The model server for Ray Serve, by the settings of the process that builds it; Serve's configuration names it."""
    from auria_bot.serving.replicas import application
    from auria_bot.settings import loading

    others = {"styles": "style_pool", "poems": "poem_pool", "pictures": "picture_pool"}
    pools: dict[str, Callable[[], Any]] = {
        "captions": _caption_replica,
        **{name: partial(_replica, pool) for name, pool in others.items()},
    }
    return application(pools, loading.load().captions)


def _caption_replica() -> CaptionPool:
    """The captioner in service, by the settings of a replica's node."""
    from auria_bot.bootstrap.application import build
    from auria_bot.settings import loading

    settings = loading.load()
    captions = settings.captions.model_copy(update={"threads": settings.captions.replica_threads})
    pool = build(settings.model_copy(update={"captions": captions})).caption_pool()
    pool.start()
    return pool


def _replica(pool: str) -> Any:
    """A pool of the application, by the settings of a replica's node."""
    from auria_bot.bootstrap.application import build
    from auria_bot.settings import loading

    return getattr(build(loading.load()), pool)()
