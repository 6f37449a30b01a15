"""Turn grain into brush strokes: a generalised Kuwahara filter, then smoothing along the picture's contours.

Each pixel becomes a mean of the eight sectors around it, weighted by how even each is, which flattens grain and keeps
edges. Then the result is smeared along the direction of least change (the minor eigenvector of the smoothed structure
tensor), so that strokes follow forms; last, some relief is added. There are no learned weights; it is a module so that
it can be exported and run by the same runtime as the networks.

Papari, Petkov and Campisi, "Artistic edge and corner enhancing smoothing", 2007.
Kyprianidis and Kang, "Image and video abstraction by coherence-enhancing filtering", 2011.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["KuwaharaFilter"]

_SECTORS = 8
_RADIUS = 5  # pixels of a sector; about the width of the strokes
_EVEN = 4.0  # standard deviation of L in a sector above which its weight falls
_FLOW = 12.0  # pixels over which directions are averaged; more makes longer, calmer strokes
_COARSE = 4  # directions are averaged on a copy this many times smaller
_DABS = (2.4, 5.4)  # pixels to either side from which each pass of smearing samples
_RELIEF, _BLUR = 0.3, 1.5  # share of detail finer than so many pixels that is added again


class KuwaharaFilter(nn.Module):
    """(batch, 3, height, width) CIELAB, L from 0 to 100, to the same shape."""

    sectors: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("sectors", _sectors(_RADIUS), persistent=False)  # (8, 1, side, side)
        self.fine, self.flow = _Blur(1.0, channels=1), _Blur(_FLOW / _COARSE, channels=3)
        self.blur = _Blur(_BLUR, channels=3)

    def forward(self, lab: torch.Tensor) -> torch.Tensor:
        """Filter; borders are repeated."""
        flat = self._flattened(lab)
        painted = self._smeared(flat)
        blurred: torch.Tensor = self.blur(painted)
        return painted + _RELIEF * (painted - blurred)

    def _flattened(self, lab: torch.Tensor) -> torch.Tensor:
        around = F.pad(lab, (_RADIUS,) * 4, mode="replicate")
        lightness = around[:, :1]
        means = [F.conv2d(around[:, channel : channel + 1], self.sectors) for channel in range(3)]  # (batch, 8, h, w)
        spread = (F.conv2d(lightness * lightness, self.sectors) - means[0] * means[0]).clamp(min=1e-6) / _EVEN**2
        spread = spread * spread  # the fourth power of the deviation
        weight = 1 / (1 + spread * spread) + 1e-6  # the most even sector dominates by the eighth power
        weight = weight / weight.sum(1, keepdim=True)
        return torch.cat([(mean * weight).sum(1, keepdim=True) for mean in means], 1)

    def _smeared(self, lab: torch.Tensor) -> torch.Tensor:
        along_x, along_y = self._directions(lab)  # each (batch, height, width)
        height, width = lab.shape[2], lab.shape[3]
        x = torch.arange(width, dtype=lab.dtype, device=lab.device)[None, None, :]
        y = torch.arange(height, dtype=lab.dtype, device=lab.device)[None, :, None]
        x, y = 2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1  # as grid_sample counts
        along_x, along_y = 2 * along_x / (width - 1), 2 * along_y / (height - 1)
        for far in _DABS:  # two passes reach as far as many samples in one
            ends = [
                F.grid_sample(
                    lab,
                    torch.stack([x + way * along_x, y + way * along_y], -1),
                    padding_mode="border",
                    align_corners=True,
                )
                for way in (far, -far)
            ]
            lab = (lab + ends[0] + ends[1]) / 3
        return lab

    def _directions(self, lab: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The unit vectors along which lightness changes least."""
        light = F.pad(self.fine(lab[:, :1]), (1, 1, 1, 1), mode="replicate")
        across, down = light[:, :, 1:-1, 2:] - light[:, :, 1:-1, :-2], light[:, :, 2:, 1:-1] - light[:, :, :-2, 1:-1]
        tensor = torch.cat([across * across, across * down, down * down], 1)
        tensor = self.flow(F.avg_pool2d(tensor, _COARSE, ceil_mode=True, count_include_pad=False))
        tensor = F.interpolate(tensor, size=lab.shape[2:], mode="bilinear")
        xx, xy, yy = tensor[:, 0], tensor[:, 1], tensor[:, 2]
        greater = (xx + yy + ((xx - yy) ** 2 + 4 * xy * xy).clamp(min=1e-12).sqrt()) / 2
        upright = (xx >= yy).to(lab.dtype)  # of two expressions of the same eigenvector, the one that cannot vanish
        major_x = upright * (greater - yy) + (1 - upright) * xy
        major_y = upright * xy + (1 - upright) * (greater - xx)
        length = (major_x * major_x + major_y * major_y).clamp(min=1e-12).sqrt()
        return -major_y / length, major_x / length


def _sectors(radius: int) -> torch.Tensor:
    """(8, 1, side, side) weights of overlapping sectors of a disc, each summing to 1."""
    y, x = torch.meshgrid(*(torch.arange(-radius, radius + 1, dtype=torch.float32),) * 2, indexing="ij")
    far = x * x + y * y
    disc = torch.exp(-far / (2 * (0.5 * radius) ** 2)) * (far <= (radius + 0.5) ** 2)
    angle, width = torch.atan2(y, x), 2 * torch.pi / _SECTORS
    kernels = []
    for number in range(_SECTORS):
        off = torch.remainder(angle - number * width + torch.pi, 2 * torch.pi) - torch.pi
        share = torch.cos(off * _SECTORS / 4).clamp(min=0) * (off.abs() < width)
        kernels.append(disc * torch.where(far == 0, torch.full_like(share, 1 / _SECTORS), share))
    weights = torch.stack(kernels)[:, None]
    return weights / weights.sum((2, 3), keepdim=True)


class _Blur(nn.Module):
    """A Gaussian blur of (batch, channels, height, width), the rows first and then the columns."""

    rows: torch.Tensor
    columns: torch.Tensor

    def __init__(self, deviation: float, *, channels: int) -> None:
        super().__init__()
        self.channels, self.reach = channels, int(3 * deviation + 0.5)
        far = torch.arange(-self.reach, self.reach + 1, dtype=torch.float32)
        bell = torch.exp(-far * far / (2 * deviation * deviation))
        bell = bell / bell.sum()
        self.register_buffer("rows", bell.view(1, 1, 1, -1).repeat(channels, 1, 1, 1), persistent=False)
        self.register_buffer("columns", bell.view(1, 1, -1, 1).repeat(channels, 1, 1, 1), persistent=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Blur; borders are repeated."""
        reach = self.reach
        values = F.conv2d(F.pad(values, (reach, reach, 0, 0), mode="replicate"), self.rows, groups=self.channels)
        return F.conv2d(F.pad(values, (0, 0, reach, reach), mode="replicate"), self.columns, groups=self.channels)
