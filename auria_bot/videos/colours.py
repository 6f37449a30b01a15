"""Shows frames of high dynamic range, or of wider primaries, in the colours of BT.709.

Light above the white of standard video, 203 cd/m2, is rolled off by the curve of BT.2390 on the largest of the three
components; what BT.709 cannot show is clipped. A table of three dimensions holds the whole map, which FFmpeg applies.

ITU-R BT.2100-2 (PQ, which is SMPTE ST 2084, and HLG, ARIB STD-B67); ITU-R BT.2390-11, section 5.4; ITU-R BT.2408-7.
"""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from auria_bot.videos.streams import scaler_matrix

__all__ = ["ToBt709", "is_bt709"]

_PQ, _HLG = 16, 18  # FFmpeg's numbers of transfers
_BT709 = 1
_TO_BT709 = {  # linear light of wider primaries, by FFmpeg's number of them: BT.2020 and Display P3
    9: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    12: ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),
}
_WHITE = 203.0  # cd/m2
_USUAL_PEAK = 1000.0  # cd/m2, of HLG, and of PQ that does not state that of the display on which it was graded
_MOST = 10_000.0  # cd/m2 that PQ can state
_STEPS = 33  # of the table, in each direction


def is_bt709(told: Any) -> bool:
    """Whether colours that a frame or a decoder states need no conversion but that of the matrix."""
    return int(told.color_trc) not in {_PQ, _HLG} and int(told.color_primaries) not in _TO_BT709


class ToBt709:
    """Converts the frames of a film, one after the other."""

    def __init__(self) -> None:
        self._kind: tuple[Any, ...] = ()
        self._peak: float | None = None
        self._graph: Any = None

    def __call__(self, frame: Any, size: tuple[int, int]) -> Any:
        """The frame in a width and height in pixels, as 16-bit R'G'B' of BT.709."""
        shown = frame.reformat(
            *size,
            "gbrp16le",
            src_colorspace=scaler_matrix(int(frame.colorspace), frame.height),
            interpolation="AREA",
            threads=1,
        )
        if self._peak is None:  # asked once, since a frame that was asked stays
            self._peak = _peak(frame) if int(frame.color_trc) == _PQ else _USUAL_PEAK
        kind = (int(frame.color_trc), int(frame.color_primaries), size)
        if kind != self._kind:
            self._kind, self._graph = kind, _graph(kind[0], kind[1], self._peak, size)
        self._graph.push(shown)
        mapped = self._graph.pull()
        mapped.color_primaries, mapped.color_trc = _BT709, _BT709
        return mapped


def _peak(frame: Any) -> float:
    """The peak, in cd/m2, of the display on which a film in PQ was graded."""
    data = frame.side_data.get("MASTERING_DISPLAY_METADATA")
    if data is None:
        return _USUAL_PEAK
    values = struct.unpack_from("=22i", bytes(data))  # AVMasteringDisplayMetadata: ten fractions and two flags
    over, under, _, luminance = values[18:]
    return min(max(over / under, _WHITE), _MOST) if luminance and under else _USUAL_PEAK


def _graph(transfer: int, primaries: int, peak: float, size: tuple[int, int]) -> Any:
    """FFmpeg's filter that looks frames up in the table."""
    from av.filter import Graph

    graph: Any = Graph()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.cube"
        path.write_text(_table(transfer, primaries, peak), encoding="ascii")
        source = graph.add_buffer(width=size[0], height=size[1], format="gbrp16le", time_base=Fraction(1, 1000))
        nodes = [source, graph.add("lut3d", file=str(path), interp="tetrahedral"), graph.add("buffersink")]
        graph.link_nodes(*nodes)
        graph.configure()
    return graph


@cache
def _table(transfer: int, primaries: int, peak: float) -> str:
    """The map as a file in the format of Adobe's cubes: red changes fastest."""
    axis = [step / (_STEPS - 1) for step in range(_STEPS)]
    rows = (_shown((red, green, blue), transfer, primaries, peak) for blue in axis for green in axis for red in axis)
    return f"LUT_3D_SIZE {_STEPS}\n" + "".join("{:.6f} {:.6f} {:.6f}\n".format(*row) for row in rows)


def _shown(signal: tuple[float, float, float], transfer: int, primaries: int, peak: float) -> list[float]:
    """R'G'B' of BT.709, 0 to 1, of R'G'B' of a transfer and primaries."""
    is_hdr = transfer in {_PQ, _HLG}
    if is_hdr:
        light = [_pq_light(value) for value in signal] if transfer == _PQ else _hlg_light(signal)
        brightest = max(*light, 1e-9)
        light = [value * _rolled_off(brightest, peak) / brightest / _WHITE for value in light]
    else:  # both have the curve of sRGB, as standard video is read
        light = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in signal]
    if primaries != _BT709:
        rows = _TO_BT709.get(primaries, _TO_BT709[9])
        light = [sum(share * value for share, value in zip(row, light, strict=True)) for row in rows]
    light = [min(max(value, 0.0), 1.0) for value in light]
    if is_hdr:
        return [value ** (1 / 2.4) for value in light]  # BT.1886
    return [12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055 for value in light]


def _pq_light(signal: float) -> float:
    """Light in cd/m2 of a value of PQ."""
    root: float = signal ** (32 / 2523)
    return float(_MOST * (max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (16384 / 2610))


def _pq_signal(light: float) -> float:
    """The value of PQ of light in cd/m2."""
    power = (light / _MOST) ** (2610 / 16384)
    return float(((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** (2523 / 32))


def _hlg_light(signal: tuple[float, float, float]) -> list[float]:
    """Light in cd/m2 that a display of _USUAL_PEAK shows of R'G'B' of HLG."""
    scene = [
        value**2 / 3 if value <= 0.5 else (math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
        for value in signal
    ]
    luminance = 0.2627 * scene[0] + 0.6780 * scene[1] + 0.0593 * scene[2]
    return [_USUAL_PEAK * luminance**0.2 * value for value in scene]


def _rolled_off(light: float, peak: float) -> float:
    """Light of at most _WHITE for light of at most a peak, in cd/m2."""
    if peak <= _WHITE:
        return min(light, _WHITE)
    top = _pq_signal(peak)
    value, most = min(_pq_signal(light) / top, 1.0), _pq_signal(_WHITE) / top
    knee = 1.5 * most - 0.5
    if value <= knee:
        return light
    part = (value - knee) / (1 - knee)
    cube, square = part**3, part**2
    curve = (2 * cube - 3 * square + 1) * knee + (cube - 2 * square + part) * (1 - knee)
    return _pq_light((curve + (3 * square - 2 * cube) * most) * top)
