"""A painter of the operator's own choice: any text-to-image pipeline that the library diffusers can load.

Needs the torch extra. Only safetensors weights are read, never pickles, and no code that comes with a model is run. The
pipeline is a folder saved by diffusers, or a hub name where `allow_download` permits the network.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.art.pictures import save_picture
from auria_bot.art.runtime import torch_device
from auria_bot.domain.interfaces import Painting
from auria_bot.errors import BackendMissing, InputError, ModelCorrupt, ModelMissing
from auria_bot.files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auria_bot.domain.artwork import Haiku
    from auria_bot.domain.mood import Mood

__all__ = ["DiffusersPainter"]


class DiffusersPainter:
    """Paints poems with a diffusers pipeline.

    Args:
        config: see `Config`; `pipeline` must be set.
        models: not used; `Config.pipeline` names the pipeline.

    Raises:
        BackendMissing: diffusers or torch is not installed.
        ModelMissing: the pipeline is not set, not there, or has no safetensors weights.
        ModelCorrupt: it cannot be loaded.
    """

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        pipeline: str = ""  # a folder saved by diffusers, or a hub name such as "owner/name"
        allow_download: bool = False  # whether a hub name may be fetched over the network
        steps: int = 30  # denoising steps
        guidance: float = 7.0
        size: int = 512  # pixels a side
        manner: str = "a painting of {poem}"  # the prompt; {poem}, {mood} and {theme} are filled in
        avoid: str = "text, letters, watermark, frame"
        device: str = "auto"  # "auto", "cuda", "mps" or "cpu"

    def __init__(self, config: Config | None = None, *, models: Path) -> None:
        del models
        self.config = config if config is not None else self.Config()
        self._pipeline = _load(self.config)

    def models(self) -> Mapping[str, str]:
        """SHA-256 over every file of the pipeline's folder, or over the hub name."""
        folder = Path(self.config.pipeline)
        digest = hashlib.sha256(self.config.pipeline.encode())
        if folder.is_dir():
            digest = hashlib.sha256()
            for path in sorted(file for file in folder.rglob("*") if file.is_file()):
                digest.update(path.relative_to(folder).as_posix().encode())
                digest.update(bytes.fromhex(sha256_of(path)))
        return {"painter": digest.hexdigest()}

    def prompt(self, haiku: Haiku, *, mood: Mood | None = None, theme: str | None = None) -> str:
        """The prompt for a poem.

        Raises:
            InputError: `manner` has fields other than poem, mood and theme.
        """
        try:
            return self.config.manner.format(
                poem=", ".join(haiku.lines), mood=mood.name if mood else "", theme=(theme or "")[:200]
            )
        except (KeyError, IndexError, ValueError) as error:
            raise InputError(
                f"the manner {self.config.manner!r} may hold {{poem}}, {{mood}} and {{theme}} only: {error}"
            ) from None

    def paint(
        self, haiku: Haiku, *, seed: int, count: int, folder: Path, mood: Mood | None = None, theme: str | None = None
    ) -> tuple[Painting, ...]:
        """Paint `count` candidates as PNG files in `folder`, in the order painted; all have the score 0.

        Raises:
            InputError: the manner or the count cannot be used.
            DiskError: a picture cannot be written.
        """
        import torch

        if count < 1:
            raise InputError(f"count must be 1 or more, not {count}")
        text = self.prompt(haiku, mood=mood, theme=theme)
        paintings = []
        for number in range(count):
            generator = torch.Generator("cpu").manual_seed((seed * 1_000_003 + number) % 2**63)
            image = self._pipeline(
                prompt=text,
                negative_prompt=self.config.avoid,
                num_inference_steps=self.config.steps,
                guidance_scale=self.config.guidance,
                height=self.config.size,
                width=self.config.size,
                generator=generator,
            ).images[0]
            path = folder / f"painting-{number}.png"
            save_picture(image.convert("RGB"), path)
            paintings.append(Painting(path=path, score=0.0))
        return tuple(paintings)


def _load(config: DiffusersPainter.Config) -> Any:
    """Load the pipeline onto its device, without progress bars, remote code or pickles."""
    try:
        import torch
        from diffusers import DiffusionPipeline
    except ImportError:
        raise BackendMissing(
            "the diffusers painter needs the torch extra; run: pip install 'auria-bot[torch]'"
        ) from None
    if not config.pipeline:
        raise ModelMissing(
            "the diffusers painter needs a pipeline: set `pipeline` to a folder or a hub name in the settings"
        )
    folder = Path(config.pipeline)
    if not folder.is_dir() and (not config.allow_download or folder.is_absolute()):
        raise ModelMissing(
            f"no pipeline folder at {config.pipeline!r}; give a folder saved by diffusers,"
            " or a hub name with allow_download = true"
        )
    if folder.is_dir() and not any(folder.rglob("*.safetensors")):
        raise ModelMissing(
            f"the pipeline at {config.pipeline!r} holds no safetensors weights; pickled weights are never read"
        )
    try:
        pipeline = DiffusionPipeline.from_pretrained(  # type: ignore[no-untyped-call]
            config.pipeline, use_safetensors=True, trust_remote_code=False, local_files_only=not config.allow_download
        )
    except Exception as error:  # diffusers and its parts raise whatever they like
        first = str(error).strip().splitlines()
        raise ModelCorrupt(
            f"the pipeline at {config.pipeline!r} cannot be loaded: {first[0] if first else type(error).__name__}"
        ) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(torch_device(config.device, torch))
