"""Composes what the web interface alone needs: the public gallery, its pictures, and the operators' accounts."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from auria_bot.bootstrap.core import Core, load_voice

if TYPE_CHECKING:
    from auria_bot.services.accounts.accounts import Accounts
    from auria_bot.services.accounts.api_keys import ApiKeys
    from auria_bot.services.accounts.idempotency import AnsweredRequests
    from auria_bot.services.accounts.passkeys import Passkeys
    from auria_bot.services.gallery.gallery import Gallery
    from auria_bot.services.gallery.lineage import CorpusVersions
    from auria_bot.services.gallery.picture_sizes import PictureSizes
    from auria_bot.services.gallery.readings import Readings

__all__ = ["WebServices"]


class WebServices(Core):
    """The public gallery, its pictures, and the operators' accounts."""

    @cached_property
    def gallery(self) -> Gallery:
        """Finds published artworks."""
        from auria_bot.services.gallery.gallery import Gallery

        return Gallery(store=self.store, zone=self.zone)

    @cached_property
    def picture_sizes(self) -> PictureSizes:
        """The published pictures in several sizes."""
        from auria_bot.services.gallery.picture_sizes import PictureSizes

        return PictureSizes(pictures=self.pictures, cache=self.picture_copies)

    @cached_property
    def readings(self) -> Readings:
        """Poems read aloud."""
        from auria_bot.services.gallery.readings import Readings

        def has_encoder() -> bool:
            from auria_bot.art.films import video

            return video.is_installed()

        return Readings(self.settings.home, load_voice, has_encoder=has_encoder)

    @cached_property
    def corpus_lineage(self) -> CorpusVersions:
        """Finds the corpus that a poet was trained on."""
        from auria_bot.services.gallery.lineage import CorpusVersions

        return CorpusVersions(models=self.settings.models_folder, home=self.settings.home)

    @cached_property
    def accounts(self) -> Accounts:
        """The operators who may sign in, and their sessions."""
        from auria_bot.services.accounts.accounts import Accounts

        return Accounts(
            file=self.settings.home / "secrets" / "web-operators.json", clock=self.clock, note=self._note_account
        )

    @cached_property
    def passkeys(self) -> Passkeys:
        """The operators' passkeys."""
        from auria_bot.services.accounts.passkeys import Passkeys

        return Passkeys(accounts=self.accounts, site=self.public_url, clock=self.clock, note=self._note_account)

    def _note_account(self, who: str, action: str, details: str) -> None:
        """Record in the journal what an operator, or ("") the terminal's user, did with an account."""
        with self.store_as(who).begin() as unit:
            unit.journal.note(action, details=details, at=self.clock())

    @cached_property
    def api_keys(self) -> ApiKeys:
        """The keys of the REST interface."""
        from auria_bot.services.accounts.api_keys import ApiKeys

        return ApiKeys(file=self.settings.home / "secrets" / "api-keys.json", clock=self.clock)

    @cached_property
    def answered_requests(self) -> AnsweredRequests:
        """The answers to requests that a program may repeat."""
        from auria_bot.services.accounts.idempotency import AnsweredRequests

        return AnsweredRequests(folder=self.settings.home / "web" / "requests", clock=self.clock)
