"""Plans runs: turns a request, or a change to a draft, into a plan and the artworks it begins with.

Knows what was made before and what followers preferred; starts nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auria_bot.corpus.language.season_words import season_named, theme_in
from auria_bot.domain.artwork import ArtworkInProgress
from auria_bot.domain.mood import find_mood
from auria_bot.domain.pipeline import STEPS, ArtworkRequest, provenance_name, steps_from
from auria_bot.errors import TextRejected
from auria_bot.services.studio.plan import GIVEN, ArtworkState, CompletedStep, Plan, artwork_seed, draw_mood, new_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from auria_bot.domain.artwork import Artwork
    from auria_bot.domain.draft import Draft
    from auria_bot.domain.interfaces import Clock
    from auria_bot.services.engagement.approvals import ApprovalModel
    from auria_bot.services.engagement.preferences import PreferenceModel, Preferences
    from auria_bot.services.studio.plan import StudioConfig
    from auria_bot.store.unit_of_work import Store

__all__ = ["PlannedRun", "RunPlanner"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRun:
    """A run that has not begun."""

    plan: Plan
    states: tuple[ArtworkState, ...]
    given_files: tuple[str, ...] = ()  # names of the draft's files that the only artwork begins with


class RunPlanner:
    """Plans runs of the studio.

    Usage::

        planned = planner.new(ArtworkRequest(count=3, theme="autumn rain"))
        planned = planner.restyled(draft, ArtworkRequest(mood="stormy"))
    """

    def __init__(
        self,
        *,
        config: StudioConfig,
        store: Store,
        clock: Clock,
        faults: Callable[[str], Sequence[str]],
        preferences: PreferenceModel | None = None,
        approvals: ApprovalModel | None = None,
        find_style: Callable[[str], object] | None = None,
    ) -> None:
        """`faults` gives reasons why a theme must not be used.

        Without `preferences` engagement has no effect, without `approvals` the operator's decisions have none;
        `find_style` raises UnknownName for a style that does not exist.
        """
        self._find_style = find_style
        self._config, self._store, self._clock = config, store, clock
        self._faults, self._preferences, self._approvals = faults, preferences, approvals

    def with_theme(self, request: ArtworkRequest) -> ArtworkRequest:
        """The request with the theme that its season chooses; the same seed chooses the same one.

        Raises:
            UnknownName: there is no such season.
        """
        if request.season is None or request.theme is not None:
            return request
        season = season_named(request.season, self._clock().date(), hemisphere=self._config.hemisphere)
        seed = secrets.randbits(32) if request.seed is None else request.seed
        return replace(request, season=season, theme=theme_in(season, seed=seed))

    def checked(self, request: ArtworkRequest) -> ArtworkRequest:
        """The request in its normal form, with the theme that its season chooses.

        Raises:
            InputError: it cannot be fulfilled.
        """
        request = self.with_theme(request.validated())
        if request.theme and (found := self._faults(request.theme)):
            raise TextRejected(f"the theme cannot be used: {'; '.join(found[:3])}")
        self._check_style(request)
        return request

    def new(self, request: ArtworkRequest, *, origin: str = "") -> PlannedRun:
        """A run of new artworks; for `origin` see ArtworkInProgress.

        Raises:
            InputError: the request cannot be fulfilled.
        """
        request = self.checked(request)
        preferences = self._preferences_for(request)
        plan = self._plan(request, preferences)
        is_free = request.mood is None and (request.theme is None or request.season is not None)
        states = []
        for number in range(1, request.count + 1):
            seed = artwork_seed(plan.seed, number)
            mood, source = _mood_of(request, seed, preferences if is_free else None)
            start = ArtworkInProgress(
                key=f"{number:02d}",
                seed=seed,
                theme=request.theme,
                wanted_style=request.style,
                wanted_strength=request.strength,
                style_mode=request.mode or "",
                mood=mood,
                mood_source=source,
                origin=origin,
            )
            states.append(ArtworkState(number=number, start=start))
        return PlannedRun(plan=plan, states=tuple(states))

    def restyled(self, draft: Draft, request: ArtworkRequest) -> PlannedRun:
        """A run that makes another version from a draft's poem and painting; what `request` leaves open stays as it is.

        Raises:
            InputError: the request cannot be fulfilled.
        """
        artwork = draft.artwork
        painting = artwork.files["painting"]
        given = ArtworkInProgress(
            key="01", seed=0, haiku=artwork.haiku, nudity=artwork.nudity, files={"painting": painting}
        )
        planned = self._rework(draft, request, given, from_step="enlarge")
        return replace(planned, given_files=(painting.name,))

    def repainted(self, draft: Draft, request: ArtworkRequest) -> PlannedRun:
        """A run that makes another version from a draft's poem, with another picture.

        Raises:
            InputError: the request cannot be fulfilled.
        """
        given = ArtworkInProgress(key="01", seed=0, haiku=draft.artwork.haiku)
        return self._rework(draft, request, given, from_step="painting")

    def _rework(self, draft: Draft, request: ArtworkRequest, given: ArtworkInProgress, *, from_step: str) -> PlannedRun:
        """A run of one artwork whose steps before `from_step` are given."""
        artwork = draft.artwork
        preferences = self._preferences_for(request)
        mood, mood_source = (request.mood, "given") if request.mood else (artwork.mood, artwork.mood_source)
        request = replace(
            request,
            count=1,
            theme=artwork.theme or None,
            season=None,
            mood=find_mood(mood).name,
            mode=request.mode or artwork.style.mode,
            seed=new_seed() if request.seed is None else request.seed,
        ).validated()
        self._check_style(request)
        strength = None if mood_source == "given" and mood != artwork.mood else artwork.style.strength
        avoided = () if request.style else (artwork.style.key,)
        plan = replace(self._plan(request, preferences), recent_styles=avoided)
        steps = [step for step in STEPS if step not in steps_from(from_step)]
        start = given.evolve(
            seed=plan.seed,
            theme=request.theme,
            mood=request.mood,
            mood_source=mood_source,
            wanted_style=request.style,
            wanted_strength=strength if request.strength is None else request.strength,
            style_mode=request.mode,
            models=_models_of(artwork, {role for step in steps for role in step.roles}),
            origin=artwork.origin,
        )
        done = tuple(CompletedStep(step=step.name, key=GIVEN, seconds=0.0, changes={}) for step in steps)
        return PlannedRun(plan=plan, states=(ArtworkState(number=1, start=start, done=done),))

    def _check_style(self, request: ArtworkRequest) -> None:
        """Make sure that the style exists, before any work.

        Raises:
            UnknownName: it does not.
        """
        if request.style and self._find_style is not None:
            self._find_style(request.style)

    def _preferences_for(self, request: ArtworkRequest) -> Preferences | None:
        """What followers preferred; nothing where a seed is given, so that it always makes the same artwork."""
        return self._preferences.preferences() if self._preferences and request.seed is None else None

    def _plan(self, request: ArtworkRequest, preferences: Preferences | None) -> Plan:
        config = self._config
        seed = new_seed() if request.seed is None else request.seed
        learned = {
            "leanings": preferences.weights(seed) if preferences else {},
            "approval": self._approvals.weights(seed) if self._approvals and request.seed is None else {},
        }
        plan = Plan(
            run=f"{self._clock():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
            seed=seed,
            request=request,
            backends=dict(config.backends),
            shared_options={**config.shared_options, **{name: value for name, value in learned.items() if value}},
            candidates=config.candidates,
            rounds=config.rounds,
            size=config.size,
        )
        if request.seed is not None:
            return plan
        with self._store.read() as unit:
            return replace(
                plan,
                recent_poems=tuple(unit.drafts.recent_haiku(config.recent)),
                recent_styles=tuple(unit.drafts.recent_styles(config.recent)),
                fingerprints=tuple(unit.drafts.fingerprints()),
            )


def _mood_of(request: ArtworkRequest, seed: int, preferences: Preferences | None) -> tuple[str | None, str | None]:
    """The mood an artwork begins with, and its source; None where it is to be read from the poem."""
    if request.mood == "draw":
        return draw_mood(seed), "drawn"
    if request.mood not in {None, "read"}:
        return request.mood, "given"
    if preferences and (preferred := preferences.mood(seed)):
        return preferred, "learned"
    return None, None


def _models_of(artwork: Artwork, roles: Collection[str]) -> tuple[tuple[str, str], ...]:
    names = {provenance_name(role) for role in roles}
    return tuple((name, sha256) for name, sha256 in artwork.models if name.partition(":")[0] in names)
