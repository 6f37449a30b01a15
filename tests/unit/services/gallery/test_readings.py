"""Tests of auria_bot.services.gallery.readings."""

from __future__ import annotations

import json
import wave
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from auria_bot.art.films import video
from auria_bot.bootstrap.web import WebServices
from auria_bot.domain.artwork import Haiku
from auria_bot.errors import InputError, NotFound
from auria_bot.services.gallery.readings import Readings
from auria_bot.web.export import export_site
from tests.exhibited import exhibited, visitor
from tests.scenarios.voices import HummingVoice

if TYPE_CHECKING:
    from pathlib import Path

HAIKU = Haiku(lines=("low tide", "a gull walks the line of foam", "back to its own prints"), syllables=(2, 7, 5))
needs_encoder = pytest.mark.skipif(video.find_spec("av") is None, reason="encoded sound needs the extra films")


def readings(home: Path, *, has_encoder: bool) -> Readings:
    """Readings by a voice that hums."""
    voice: Any = HummingVoice
    return Readings(home, voice, has_encoder=lambda: has_encoder)


def test_without_an_encoder_a_reading_is_wav(tmp_path: Path) -> None:
    """It is kept by what is read, found, and removed."""
    made = readings(tmp_path, has_encoder=False)
    stamp = made.stamp
    assert made.find(HAIKU) is None
    kept = made.keep(HAIKU, pace=1.0)
    assert (made.find(HAIKU), kept.seconds) == (kept.path, 5.0)
    assert made.stamp != stamp
    with wave.open(str(kept.path)) as file:
        assert file.getnframes() == 5 * 24_000
    made.remove(HAIKU)
    assert made.find(HAIKU) is None
    with pytest.raises(NotFound, match="auria speak"):
        made.remove(HAIKU)


@needs_encoder
@pytest.mark.parametrize("suffix", [".m4a", ".ogg", ".opus"])
def test_an_encoded_reading_says_how_it_was_made(tmp_path: Path, suffix: str) -> None:
    """It is as long as the reading, and the same poem gives the same bytes."""
    import av

    made = readings(tmp_path, has_encoder=True)
    first, second = (made.write(HAIKU, tmp_path / f"{name}{suffix}", pace=1.0).path for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    with av.open(str(first)) as opened:
        about = {**opened.metadata, **opened.streams.audio[0].metadata}
        record = json.loads(next(value for name, value in about.items() if name.lower() == "comment"))
        assert sum(frame.samples for frame in opened.decode(audio=0)) / 48_000 == pytest.approx(5.0, abs=0.1)
    assert (record["voice"], record["pace"]) == ("humming==1", 1.0)


@needs_encoder
def test_one_reading_is_kept_of_a_poem(tmp_path: Path) -> None:
    """The encoded one replaces the other."""
    earlier = readings(tmp_path, has_encoder=False).keep(HAIKU, pace=1.0)
    later = readings(tmp_path, has_encoder=True).keep(HAIKU, pace=1.0)
    assert later.path.suffix == ".m4a"
    assert not earlier.path.exists()


def test_another_ending_is_refused(tmp_path: Path) -> None:
    """With those that are possible."""
    with pytest.raises(InputError, match=r"\.m4a, \.wav"):
        readings(tmp_path, has_encoder=True).write(HAIKU, tmp_path / "a.mp3", pace=1.0)


def test_a_kept_reading_is_heard_on_the_web_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the running site, at once, and in an export; the poem beside it is the transcript."""
    monkeypatch.setattr(WebServices, "readings", readings(tmp_path / "home", has_encoder=False))
    with closing(exhibited(tmp_path / "home", 1)) as application:
        (draft,) = application.review.drafts()
        with visitor(application) as site:
            address = f"/artworks/{application.gallery.entries()[0].slug}"
            assert "<audio" not in site.get(address).text
            kept = application.readings.keep(draft.artwork.haiku, pace=1.0)
            page = site.get(address).text
            assert f'<audio src="/readings/{draft.id}.wav" controls preload="none"' in page
            assert "AudioObject" in page
            heard = site.get(f"/readings/{draft.id}.wav", headers={"Range": "bytes=0-3"})
            assert (heard.status_code, heard.headers["Content-Type"], heard.content) == (206, "audio/wav", b"RIFF")
            assert site.get(f"/readings/{draft.id}.m4a").status_code == 404
        export_site(application, tmp_path / "site")
        assert (tmp_path / "site" / "readings" / f"{draft.id}.wav").read_bytes() == kept.path.read_bytes()
