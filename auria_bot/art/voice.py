"""Reads poems aloud with the packaged voice of hibari-tts (extra `voice`): English, 24 kHz, no network, no espeak-ng.

Every line is spoken by itself, so that pauses are exact; the whole is brought to one loudness. The same text and pace
give the same samples.

ITU-R BS.1770-4, "Algorithms to measure audio programme loudness and true-peak audio level", 2015.
"""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from auria_bot.art.packaged_weights import VOICE, checked
from auria_bot.errors import BackendMissing, InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["LOUDNESS", "PACE", "RATE", "Reading", "Voice", "loudness", "require_pace", "wav"]

RATE = 24_000
"""Samples a second."""

LOUDNESS = -20.0
"""Loudness of every reading in LUFS."""

PACE = 0.85
"""Of every reading that no other pace is asked for: 1 as in conversation; less is slower."""

_PEAK = 10 ** (-1.5 / 20)  # largest sample, 1.5 dB below full scale
_BEFORE, _AFTER, _BETWEEN = 0.4, 1.0, 0.75  # seconds of silence at pace 1
_SILENT = 10 ** (-45 / 20)  # beginning and end of a line that are quieter are cut off
_LEAST, _MOST = 0.6, 1.5  # pace
_LONGEST = 400  # characters of a line
_BLOCKS = 64  # measured at once, which bounds the memory
_SEED = 0  # of the voice's noise


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A poem read aloud."""

    samples: NDArray[np.float32]  # (n,) mono, -1 to 1
    spans: tuple[tuple[float, float], ...]  # where each line begins and ends, in seconds


class Voice:
    """The voice.

    Raises:
        BackendMissing: its package is not installed.
        ModelCorrupt: its weights are not those that were pinned.
    """

    package, sha256 = VOICE.package, VOICE.sha256

    def __init__(self) -> None:
        weights = checked(VOICE)
        try:
            from hibari import Hibari
        except ImportError as error:
            raise BackendMissing(f"{VOICE.package} cannot be loaded ({error}); run: {VOICE.command}") from None
        self._voice: Any = Hibari(model=str(weights), threads=1)

    def read(self, lines: Sequence[str], *, pace: float = PACE) -> Reading:
        """Read lines aloud, with a pause after each.

        Args:
            lines: at least one that is not blank.
            pace: 1 as in conversation; less is slower, and lengthens the pauses too.

        Raises:
            InputError: there is nothing to read or to be heard, a line is too long, or the pace is out of range.
        """
        require_pace(pace)
        wanted = [" ".join(line.split()) for line in lines if line.strip()]
        if not wanted or max(map(len, wanted)) > _LONGEST:
            raise InputError(f"one or more lines of up to {_LONGEST} characters can be read aloud")
        parts, spans = [_silence(_BEFORE / pace)], []
        place = len(parts[0])
        for number, line in enumerate(wanted):
            spoken = _trimmed(np.asarray(self._voice(line, speed=pace, seed=_SEED), np.float32))
            spans.append((place / RATE, (place + len(spoken)) / RATE))
            pause = _silence((_BETWEEN if number + 1 < len(wanted) else _AFTER) / pace)
            parts += [spoken, pause]
            place += len(spoken) + len(pause)
        if all(begin == end for begin, end in spans):
            raise InputError(f"the voice has nothing to say for {wanted[0][:40]!r}; it reads English")
        samples = np.concatenate(parts)
        gain = 10 ** ((LOUDNESS - loudness(samples)) / 20)
        gain = min(gain, _PEAK / max(float(np.abs(samples).max()), 1e-9))
        return Reading(samples=(samples * np.float32(gain)).astype(np.float32), spans=tuple(spans))


def _silence(seconds: float) -> NDArray[np.float32]:
    return np.zeros(round(seconds * RATE), np.float32)


def _trimmed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """A line without the silence around it, its ends faded over 10 ms."""
    heard = np.flatnonzero(np.abs(samples) > _SILENT)
    if not len(heard):
        return samples[:0]
    margin = RATE // 50
    cut = samples[max(0, heard[0] - margin) : heard[-1] + 3 * margin].copy()
    fade = np.linspace(0, 1, min(RATE // 100, len(cut)), dtype=np.float32)
    cut[: len(fade)] *= fade
    cut[len(cut) - len(fade) :] *= fade[::-1]
    return cut


def require_pace(pace: float) -> None:
    """Make sure that a poem can be read at a pace.

    Raises:
        UsageError: it cannot.
    """
    if not _LEAST <= pace <= _MOST:
        raise UsageError(f"a pace of {pace:g} cannot be read; {_LEAST:g} to {_MOST:g} are possible")


def loudness(samples: NDArray[np.float32], rate: int = RATE) -> float:
    """Integrated loudness of mono samples in LUFS, gated; -70 for silence.

    K-weighting is applied to the power spectrum of 400 ms blocks that overlap by three quarters.
    """
    length, hop = rate * 2 // 5, rate // 10
    if len(samples) < length:
        samples = np.pad(samples, (0, length - len(samples)))
    blocks = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]
    weights = _weights(length, rate)
    weights[1:-1] *= 2
    parts = (blocks[start : start + _BLOCKS] for start in range(0, len(blocks), _BLOCKS))
    energy = np.concatenate([np.abs(np.fft.rfft(part, axis=1)) ** 2 @ weights for part in parts]) / length**2
    levels = -0.691 + 10 * np.log10(np.maximum(energy, 1e-12))
    kept = energy[levels > -70]
    if not len(kept):
        return -70.0
    gate = -0.691 + 10 * np.log10(kept.mean()) - 10
    return float(-0.691 + 10 * np.log10(energy[(levels > -70) & (levels > gate)].mean()))


def _weights(length: int, rate: int) -> NDArray[np.float64]:
    """(length // 2 + 1,) the power response of K-weighting: the standard's filters, which it states at 48 kHz."""
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(length, 1 / rate) / 48_000)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return np.asarray(np.abs(shelf * high) ** 2, np.float64)


def wav(reading: Reading) -> bytes:
    """A reading as 16-bit WAV."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(reading.samples, -1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()
