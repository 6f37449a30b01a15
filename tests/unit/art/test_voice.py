"""Tests of auria_bot.art.voice."""

from __future__ import annotations

import io
import sys
import wave
from itertools import pairwise

import numpy as np
import pytest

from auria_bot.art import packaged_weights
from auria_bot.art.voice import LOUDNESS, RATE, Reading, Voice, loudness, wav
from auria_bot.corpus.language import syllables
from auria_bot.errors import BackendMissing, InputError

INSTALLED = packaged_weights.find_spec("hibari") is not None
LINES = ("low tide", "a gull walks the line of foam", "back to its own prints")


@pytest.fixture(scope="module")
def voice() -> Voice:
    """The packaged voice."""
    if not INSTALLED:
        pytest.skip("reading aloud needs the extra voice")
    return Voice()


def test_a_poem_is_read_line_by_line_at_one_loudness(voice: Voice) -> None:
    """It neither clips nor hurries; pauses are silent; the same poem gives the same samples."""
    made, again = voice.read(LINES), voice.read(LINES)
    assert np.array_equal(made.samples, again.samples)
    assert loudness(made.samples) == pytest.approx(LOUDNESS, abs=1.0)
    assert np.abs(made.samples).max() < 0.85
    for (begin, end), line in zip(made.spans, LINES, strict=True):
        assert 0.12 < (end - begin) / min(syllables.text_counts(line)) < 0.5
    for (_, end), (begin, _) in pairwise(made.spans):
        assert begin - end == pytest.approx(0.75 / 0.85, abs=0.01)
        assert not made.samples[round(end * RATE) : round(begin * RATE)].any()


def test_a_slower_pace_takes_longer(voice: Voice) -> None:
    """The words and the pauses."""
    slow, quick = voice.read(LINES[:2], pace=0.7), voice.read(LINES[:2], pace=1.2)
    assert len(slow.samples) > 1.4 * len(quick.samples)
    assert slow.spans[1][0] - slow.spans[0][1] > quick.spans[1][0] - quick.spans[0][1]


@pytest.mark.parametrize(
    ("lines", "pace", "why"),
    [((" ",), 1.0, "can be read"), (("a" * 500,), 1, "400"), ("a", 3, "pace"), (("日本語",), 1.0, "reads English")],
)
def test_what_cannot_be_read_is_refused(voice: Voice, lines: tuple[str, ...], pace: float, why: str) -> None:
    """Nothing, a line that is too long, and a pace out of range."""
    with pytest.raises(InputError, match=why):
        voice.read(lines, pace=pace)


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a command that installs it."""
    monkeypatch.setattr(packaged_weights, "find_spec", lambda _: None)
    monkeypatch.setitem(sys.modules, "hibari", None)
    with pytest.raises(BackendMissing, match=r"auria-bot\[voice\]"):
        Voice()


@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_loudness_is_that_of_the_standard(rate: int) -> None:
    """A sine of 997 Hz at full scale in one channel has -3.01 LUFS; silence counts as -70, and pauses do not count."""
    tone = np.sin(np.arange(rate * 2) * 997 * 2 * np.pi / rate).astype(np.float32)
    assert loudness(tone, rate) == pytest.approx(-3.01, abs=0.05)
    assert loudness(np.zeros(rate, np.float32), rate) == -70
    paused = np.concatenate([tone, np.zeros(rate * 4, np.float32)])
    assert loudness(paused, rate) == pytest.approx(-3.01, abs=0.6)


def test_a_reading_is_written_as_wav() -> None:
    """Sixteen bits, one channel, 24 kHz."""
    samples = np.linspace(-1, 1, 240, dtype=np.float32)
    with wave.open(io.BytesIO(wav(Reading(samples=samples, spans=((0, 0.01),))))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth(), file.getnframes()) == (RATE, 1, 2, 240)
        found = np.frombuffer(file.readframes(240), "<i2")
    assert found == pytest.approx(samples * 32767, abs=1)
