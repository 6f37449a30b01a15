"""Tests of auria_bot.services.films.film_drafts."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from auria_bot.art.films import video
from auria_bot.art.films.video_writer import FORMATS
from auria_bot.domain.artwork import Artwork
from auria_bot.domain.interfaces import Limits, SafetyResult
from auria_bot.domain.post import FilmLimits
from auria_bot.errors import InputError, StepFailed
from auria_bot.services.films.film_drafts import FilmDrafts, FilmRoles, poem_of
from auria_bot.services.films.film_plan import FilmRequest
from auria_bot.services.films.films import render
from auria_bot.testing import FakeChannel, FakeMoodReader, FakePoet, FakeSafetyFilter, FakeTextWriter
from auria_bot.web.export import export_site
from tests.applications import fake_application
from tests.exhibited import HOST, visitor
from tests.scenarios.films import planner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auria_bot.bootstrap.application import Application
    from auria_bot.services.films.films import Film

pytestmark = pytest.mark.skipif(video.find_spec("av") is None, reason="videos need the extra films")

POEM = "low tide / a gull walks the line of foam / back to its own prints"


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    """An application of fakes, with a folder to publish to."""
    with closing(fake_application(tmp_path / "home")) as made:
        yield made


@pytest.fixture
def film(application: Application, tmp_path: Path) -> Film:
    """A finished film of a second."""
    request = FilmRequest(seconds=Fraction(1), rate=Fraction(10), size=(96, 54), seed=5)
    planned = planner(tmp_path / "models").plan("drawn", request, FORMATS[".mp4"])
    return render(application.films, planned, lambda _done, _all: None)[0]


def test_a_film_becomes_a_draft_with_poem_poster_and_alt_text(application: Application, film: Film) -> None:
    """Its artwork survives JSON, its files are hashed, and the second call gives the same draft."""
    draft = application.film_drafts.add(film, poem_of(POEM))
    art = draft.artwork
    assert art.film is not None
    assert (art.film.seconds, art.film.width, art.film.height, art.film.rate, art.film.sound) == (1, 96, 54, 10, False)
    assert str(art.haiku) == POEM
    assert art.haiku.syllables == (2, 7, 5)
    assert draft.alt_text.startswith("A film of 1 second without sound: drawn, in")
    assert POEM in draft.alt_text
    assert draft.film_sha256 == film.facts["sha256"]
    folder = application.pictures.root / draft.folder
    assert {path.name for path in folder.iterdir()} == {"full.png", "post.jpg", "card.jpg", "film.mp4"}
    with Image.open(folder / "post.jpg") as poster:
        assert poster.size == (96, 54)
    assert Artwork.from_json(json.loads(json.dumps(art.to_json()))) == art
    assert application.film_drafts.add(film).id == draft.id


def test_the_poem_may_be_a_draft_s_or_the_poet_s(application: Application, film: Film) -> None:
    """A number names a draft; without a poem the poet writes one."""
    added = application.film_drafts.add(film)
    assert application.film_drafts.poem(str(added.id)) == added.artwork.haiku
    with pytest.raises(InputError, match="three lines"):
        application.film_drafts.poem("one / two")


def test_what_a_killed_call_left_is_replaced(application: Application, film: Film) -> None:
    """Pictures without a draft, as with another poem, do not keep the film from becoming one."""
    left = application.pictures.root / f"film-{film.label}"
    left.mkdir(parents=True)
    (left / "card.jpg").write_bytes(b"with another poem")
    draft = application.film_drafts.add(film, poem_of(POEM))
    assert {path.name for path in left.iterdir()} == {"full.png", "post.jpg", "card.jpg", "film.mp4"}
    assert application.film_drafts.add(film).id == draft.id


def test_a_film_with_a_bad_frame_is_no_draft(application: Application, film: Film) -> None:
    """Frames from all over it pass the safety filter."""

    class Strict(FakeSafetyFilter):
        def judge(self, picture: Path, **_: object) -> SafetyResult:
            passed = not picture.stem.endswith("3")
            return SafetyResult(passed=passed, reason="" if passed else "nudity", nudity=0.1, fingerprint="0" * 16)

    def roles() -> FilmRoles:
        made = application.film_drafts._roles()
        return replace(made, safety_filter=Strict(Strict.Config(), models=application.settings.home))

    strict = FilmDrafts(
        store=application.store,
        pictures=application.pictures,
        clock=application.clock,
        roles=roles,
        bank=application.film_drafts._bank,
    )
    with pytest.raises(StepFailed, match="in frame 4 of 5, nudity"):
        strict.add(film)
    assert application.review.drafts() == ()


def test_a_film_is_approved_and_published_where_films_are_taken(application: Application, film: Film) -> None:
    """A channel that takes none says so in the preview and when it is scheduled; an exchanged film is not sent."""
    draft = application.film_drafts.add(film, poem_of(POEM))
    for preview in application.post_creator.preview_draft(draft):
        if preview.channel == "folder":
            assert preview.action == "send"
            assert preview.fit == "film of 1.0 s, 96x54, 0.0 MB; sent whole and unchanged"
        else:
            assert any("takes no films" in problem for problem in preview.problems)
    application.review.approve([draft.id], channels=["fake"])
    posts, problems = application.post_creator.schedule()
    assert posts == ()
    assert "takes no films" in problems[0]
    application.review.undo(draft.id)
    approved = application.review.approve([draft.id], channels=["folder"])[0]
    stored = application.pictures.path(draft.folder, "film.mp4")
    content = stored.read_bytes()
    stored.write_bytes(content + b"x")
    assert "not the film that was approved" in application.post_creator.schedule()[1][0]
    stored.write_bytes(content)
    assert approved.is_signed
    (post,), problems = application.post_creator.schedule()
    assert problems == []
    assert (post.film, post.film_sha256) == (str(stored.absolute()), draft.film_sha256)
    application.publisher.publish()
    page = application.settings.home / "published"
    (sent,) = page.glob("posts/*/film.mp4")
    assert sent.read_bytes() == content
    assert f'<video src="{sent.relative_to(page)}"' in (page / "index.html").read_text("utf-8")


def test_a_film_that_was_exchanged_after_it_was_scheduled_is_not_sent(application: Application, film: Film) -> None:
    """The post says why."""
    draft = application.film_drafts.add(film, poem_of(POEM))
    application.review.approve([draft.id], channels=["folder"])
    application.post_creator.schedule()
    application.pictures.path(draft.folder, "film.mp4").write_bytes(b"another")
    (preview,) = application.post_creator.preview()
    assert any("film.mp4 is not the film that was approved" in problem for problem in preview.problems)
    application.publisher.publish()
    assert not list((application.settings.home / "published").glob("posts/*/film.mp4"))


def test_an_alt_text_that_a_channel_does_not_take_is_told(
    application: Application, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the film is approved."""
    monkeypatch.setattr(FakeChannel, "limits", lambda _: Limits(film=FilmLimits(alt_characters=0)))
    draft = application.film_drafts.add(film, poem_of(POEM))
    fits = {preview.channel: preview.fit for preview in application.post_creator.preview_draft(draft)}
    assert fits["fake"].endswith("; without its alt text, which the channel takes for pictures only")
    assert fits["folder"].endswith("; sent whole and unchanged")


def with_bank(application: Application, **paintings: Any) -> FilmDrafts:
    """The same service, with these paintings in its style bank."""
    own = application.film_drafts
    bank = SimpleNamespace(find=paintings.__getitem__)
    return FilmDrafts(
        store=application.store,
        pictures=application.pictures,
        clock=application.clock,
        roles=own._roles,
        bank=lambda: bank,
    )


def test_the_painting_whose_colours_a_film_has_is_named(application: Application, film: Film) -> None:
    """In the artwork and in its alt text."""
    irises = SimpleNamespace(key="irises", title="Irises", artist="Vincent van Gogh", year="1889")
    draft = with_bank(application, irises=irises).add(replace(film, facts={**film.facts, "painting": "irises"}))
    style = draft.artwork.style
    assert (style.key, style.title, style.artist, style.year) == ("irises", "Irises", "Vincent van Gogh", "1889")
    assert "Its colours are taken from a painting, Irises." in draft.alt_text


def test_a_film_that_cannot_be_read_is_no_draft(application: Application, film: Film) -> None:
    """The sentence says what helps."""
    film.path.write_bytes(b"no video")
    with pytest.raises(InputError, match=f"the film {film.label} cannot be read .*make it again"):
        application.film_drafts.add(film)
    assert application.review.drafts() == ()


def test_a_published_film_is_shown_in_the_gallery_on_the_desk_and_in_feeds(
    application: Application, film: Film, tmp_path: Path
) -> None:
    """With its poster, controls and length; the video can be read in parts; an export holds it."""
    draft = application.film_drafts.add(film, poem_of(POEM))
    application.review.approve([draft.id], channels=["folder"])
    application.publisher.publish()
    with visitor(application) as site:
        page = site.get("/artworks/1-low-tide").text
        assert '<video src="/films/1.mp4" poster="/pictures/1/96.jpg" width="96" height="54" controls' in page
        assert '"@type":"VideoObject"' in page.replace(" ", "")
        part = site.get("/films/1.mp4", headers={"Range": "bytes=0-9"})
        assert (part.status_code, part.headers["Content-Type"]) == (206, "video/mp4")
        assert part.content == film.path.read_bytes()[:10]
        assert site.get("/films/1.webm").status_code == 404
        assert "media-src 'self'" in site.get("/").headers["Content-Security-Policy"]
        assert "Film, 1 s" in site.get(f"/moods/{draft.artwork.mood}").text
        assert site.get("/wall/works.json").json()["works"][0]["film"] == "/films/1.mp4"
        (item,) = site.get("/feed.json").json()["items"]
        assert item["attachments"][0]["mime_type"] == "video/mp4"
        assert 'rel="enclosure"' in site.get("/feed.xml").text
        embedded = site.get("/oembed", params={"url": f"{HOST}/artworks/1-low-tide"}).json()
        assert (embedded["type"], embedded["width"], embedded["thumbnail_width"]) == ("video", 96, 96)
        small = site.get("/oembed", params={"url": f"{HOST}/artworks/1-low-tide", "maxwidth": 48}).json()
        assert (small["type"], small["width"], small["height"], "thumbnail_url" in small) == ("video", 48, 27, False)
        assert 'width="48" height="27"' in small["html"]
        assert 'poster="http://' in small["html"]
    export_site(application, tmp_path / "site")
    assert (tmp_path / "site" / "films" / "1.mp4").read_bytes() == film.path.read_bytes()
    assert 'src="../films/1.mp4"' in (tmp_path / "site" / "artworks" / "1-low-tide.html").read_text("utf-8")


def test_a_backup_holds_films(application: Application, film: Film) -> None:
    """With the pictures of their draft."""
    draft = application.film_drafts.add(film, poem_of(POEM))
    backup = application.backups.make()
    assert f"pictures/{draft.folder}/film.mp4" in backup.files


def test_the_roles_are_the_settings(application: Application) -> None:
    """In this process."""
    roles = application.film_drafts._roles()
    kinds = (type(roles.poet), type(roles.mood_reader), type(roles.text_writer), type(roles.safety_filter))
    assert kinds == (FakePoet, FakeMoodReader, FakeTextWriter, FakeSafetyFilter)


def test_a_film_that_was_led_by_a_poem_is_shown_with_it(application: Application, film: Film) -> None:
    """Its lines are in the film's plan."""
    led = replace(film, facts={**film.facts, "poem": POEM.split(" / ")})
    assert str(application.film_drafts.add(led).artwork.haiku) == POEM


def test_a_poem_in_another_coding_is_refused() -> None:
    """No database and no video would take it, the latter after hours."""
    with pytest.raises(InputError, match="not UTF-8"):
        poem_of("caf\udce9 / two / three")
