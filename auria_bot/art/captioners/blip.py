"""A captioner of the operator's own choice: any image-to-text model that transformers can load, such as BLIP.

Needs auria-bot[torch]. `model` is a folder, or a name on the hub, which transformers downloads where
`allow_download` is set. Only safetensors weights are read, and no code of a model is run. What the model was
trained on is unknown, so the alt text does not trust what it says of people and animals unless the text writer's option
`others` is set.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auria_bot.art.captioners.vocabulary import tokenise
from auria_bot.art.pictures import open_picture
from auria_bot.art.runtime import torch_device
from auria_bot.errors import BackendMissing, ModelMissing, SettingsError
from auria_bot.files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Blip"]


class Blip:
    """Describes pictures with a transformers image-to-text model by deterministic beam search."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Config:
        """Options."""

        model: str = ""  # a folder, or a hub name such as "Salesforce/blip-image-captioning-base"
        allow_download: bool = False  # whether a hub name may be fetched over the network
        revision: str | None = None  # of a hub name
        beams: int = 5
        longest: int = 40  # tokens
        device: str = "auto"  # "cuda", "mps", "cpu"

    def __init__(self, config: Config, models: Path) -> None:  # noqa: ARG002 - every captioner is constructed alike
        """Keep the settings; the model is loaded on first use.

        Raises:
            SettingsError: no model is named.
        """
        if not config.model:
            raise SettingsError(
                "the captioner blip needs a model: set captioner.options.model to a folder or a hub name "
                'such as "Salesforce/blip-image-captioning-base"'
            )
        self._config = config

    def models(self) -> Mapping[str, str]:
        """The SHA-256 of the model's weights where it is a folder, else its name and revision."""
        folder = Path(self._config.model)
        for weights in sorted(folder.glob("*.safetensors")) if folder.is_dir() else ():
            return {"blip": sha256_of(weights)}
        return {"blip": f"{self._config.model}@{self._config.revision or 'main'}"}

    def describe(self, picture: Path) -> str:
        """One sentence on what the picture shows.

        Raises:
            PictureError: the picture cannot be read.
            BackendMissing: transformers or torch is not installed.
            ModelMissing: the model cannot be loaded.
        """
        image = open_picture(picture)
        model, processor, device = self._loaded
        import torch

        inputs = processor(images=image, return_tensors="pt").to(device)
        with torch.inference_mode():
            tokens = model.generate(
                **inputs, num_beams=self._config.beams, max_new_tokens=self._config.longest, do_sample=False
            )
        said = " ".join(processor.batch_decode(tokens, skip_special_tokens=True)[0].split()).rstrip(" .")
        if not tokenise(said):
            return "A picture that could not be described."
        return f"{said[0].upper()}{said[1:]}."

    @cached_property
    def _loaded(self) -> tuple[Any, Any, str]:
        try:
            import torch
            import transformers
        except ImportError as missing:
            raise BackendMissing("the captioner blip needs transformers: pip install 'auria-bot[torch]'") from missing
        name, revision = self._config.model, self._config.revision
        options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": not self._config.allow_download}
        if revision:
            options["revision"] = revision
        if not Path(name).is_dir() and not self._config.allow_download:
            raise ModelMissing(f"no model folder {name!r}; give a folder, or a hub name with allow_download = true")
        kind = _model_class(transformers)
        try:
            model = kind.from_pretrained(name, use_safetensors=True, **options).eval()
            processors: Any = transformers.AutoProcessor
            processor = processors.from_pretrained(name, **options)
        except (OSError, ValueError, KeyError) as error:
            raise ModelMissing(f"no image-to-text model at {name!r}: {str(error).splitlines()[0]}") from None
        device = torch_device(self._config.device, torch)
        return model.to(device), processor, device


def _model_class(transformers: Any) -> Any:
    """The automatic class of image-to-text models under the name it has in the installed release."""
    for name in ("AutoModelForImageTextToText", "AutoModelForVision2Seq"):
        if hasattr(transformers, name):
            return getattr(transformers, name)
    raise BackendMissing("this release of transformers has no image-to-text models; 4.50 or newer is needed")
