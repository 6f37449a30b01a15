"""Composes what films are made from."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from auria_bot.bootstrap.core import Core, load_voice

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.art.films.film_frames import PictureEnlarger
    from auria_bot.art.matcher import PictureMatcher
    from auria_bot.services.films.film_plan import FilmPlanner
    from auria_bot.services.films.films import FilmLibrary
    from auria_bot.services.footage.kinds import Kinds
    from auria_bot.services.footage.library import FootageLibrary

__all__ = ["FilmServices"]


class FilmServices(Core):
    """Footage, and films made by what was learned from it."""

    @cached_property
    def footage(self) -> FootageLibrary:
        """The sets of footage."""
        from auria_bot.services.footage.library import FootageLibrary

        return FootageLibrary(self.settings.home)

    @cached_property
    def footage_kinds(self) -> Kinds:
        """The kinds of frames."""
        from auria_bot.services.footage.kinds import Kinds

        return Kinds(self.footage, self.settings.models_folder)

    @cached_property
    def films(self) -> FilmLibrary:
        """The finished films."""
        from auria_bot.services.films.films import FilmLibrary

        return FilmLibrary(self.settings.home)

    @cached_property
    def film_planner(self) -> FilmPlanner:
        """Prepares films with the models in force."""
        from auria_bot.art.films.generator import FilmGenerator
        from auria_bot.services.films.film_plan import FilmPlanner
        from auria_bot.services.films.poem_film import PoemGuide
        from auria_bot.services.models.catalogue import style_bank

        def matcher() -> PictureMatcher:
            from auria_bot.art.matcher import PictureMatcher

            return PictureMatcher(self.settings.models_folder)

        return FilmPlanner(
            self.settings.models_folder,
            load=FilmGenerator,
            enlarger=self._film_enlarger,
            bank=lambda: style_bank(self.settings),
            poems=PoemGuide(matcher=matcher, voice=load_voice),
        )

    @property
    def video_work(self) -> Path:
        """Where videos that are being restyled lie."""
        return self.settings.home / "cache" / "videos"

    def _film_enlarger(self) -> tuple[PictureEnlarger, str]:
        """The fast network, whose frames follow each other more steadily than those of the one that paintings get."""
        from auria_bot.art.real_esrgan import RealEsrgan

        made = RealEsrgan(RealEsrgan.Config(network="fast", last_pass=4096), self.settings.models_folder)
        return made, made.models()["enlarger"]
