"""The photorealistic stylist: a painting's colours, the picture's own edges, no brush strokes.

Knows nothing of its own but its mode: choosing is `auria_bot.art.stylists.choice`'s, the colours are
`auria_bot.art.stylists.grading`'s, files and models are the painterly stylist's.
"""

from __future__ import annotations

from auria_bot.art.stylists.magenta import Magenta

__all__ = ["Photorealistic"]


class Photorealistic(Magenta):
    """A Stylist whose styles have the mode "photorealistic"."""

    mode = "photorealistic"
