"""The project's rules, read from the source: who may import whom, how long things may be, what must be documented."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.scenarios.source_layout import survey

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "auria_bot"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)

LAYERS = (
    {"errors"},
    {"files", "memory", "redaction", "http_server", "colour_profiles", "videos"},
    {"domain"},
    {"url_validation", "settings", "registry", "telemetry", "secret_store"},
    {"store", "corpus"},
    {"art", "channels", "execution"},
    {"serving", "services"},
    {"bootstrap"},
    {"cli", "web", "daemon"},
)
"""The lowest first; a layer imports the ones below it."""

ALLOWED_BESIDE = {("cli", "daemon"), ("cli", "web"), ("store", "corpus")}
"""Within a layer: commands start the daemon and the web server; the store keeps corpus items."""

OUTSIDE = {"testing"}
"""The shipped fakes stand in for any role; only the domain, the errors and the files module are theirs to import."""

HEAVY = {
    "numpy",
    "torch",
    "onnxruntime",
    "openvino",
    "onnx",
    "transformers",
    "diffusers",
    "tokenizers",
    "safetensors",
}
TORCH = {"torch", "transformers", "diffusers", "onnx"}
TORCH_HOMES = ("art/nets/", "art/training/", "art/evaluation/")

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "base", "manager", "common", "misc"}


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(_text(path), filename=str(path))


@cache
def _nodes(path: Path) -> tuple[ast.AST, ...]:
    return tuple(ast.walk(_tree(path)))


@pytest.fixture(autouse=True, scope="module")
def _forgotten() -> Iterator[None]:
    """Leave nothing behind: a million nodes would make every later collection of garbage slow."""
    yield
    for remembered in (_text, _tree, _nodes, _imports):
        remembered.cache_clear()


def _part(path: Path) -> str:
    return _name(path).split("/")[0].removesuffix(".py")


def _typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


@cache
def _imports(path: Path, *, inside: bool) -> tuple[tuple[int, str], ...]:
    """(line, module) of each import that a module carries out; `inside` also looks into functions."""
    return tuple(_imports_in(_tree(path), inside=inside))


def _imports_in(node: ast.AST, *, inside: bool) -> Iterator[tuple[int, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((child.lineno, alias.name) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module and not child.level:
            yield child.lineno, child.module
            if child.module == "auria_bot":
                yield from ((child.lineno, f"auria_bot.{alias.name}") for alias in child.names)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if inside:
                yield from _imports_in(child, inside=True)
        elif not _typing_only(child):
            yield from _imports_in(child, inside=inside)


def _level(part: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


def test_imports_go_downwards():
    """A module imports only from layers below its own, inside functions too; those of one layer do not import each other."""
    wrong = [
        f"{_name(path)}:{line} imports {imported}"
        for path in MODULES
        for line, imported in _imports(path, inside=True)
        if not _is_downwards(_part(path), imported.split("."))
    ]
    assert wrong == []


def _is_downwards(part: str, names: list[str]) -> bool:
    if names[0] != "auria_bot" or len(names) == 1 or names[1] == part or names[1].startswith("__"):
        return True
    if part.startswith("__"):
        return names[1] in {"__main__": {"cli"}, "__init__": {"domain", "errors"}}.get(part, set())
    if part in OUTSIDE:
        return names[1] in {"domain", "errors", "files"}
    return names[1] not in OUTSIDE and (_level(names[1]) < _level(part) or (part, names[1]) in ALLOWED_BESIDE)


def test_heavy_imports_stand_in_art():
    """numpy, torch and the runtimes are imported at module top only under art/; torch only where nets are defined or trained."""
    wrong = []
    for path in MODULES:
        name = _name(path)
        heavy = HEAVY if not name.startswith("art/") else (set() if name.startswith(TORCH_HOMES) else TORCH)
        top = _imports(path, inside=False)
        wrong += [f"{name}:{line} imports {imported}" for line, imported in top if imported.split(".")[0] in heavy]
    assert wrong == []


def test_serving_never_needs_torch():
    """Outside nets, training, evaluation and the torch backends, torch is not imported even inside functions."""
    exempt = (
        *TORCH_HOMES,
        "art/checkpoint.py",
        "art/poets/causal_lm.py",
        "art/poets/subword_decoding.py",
        "art/painters/diffusers.py",
        "art/captioners/blip.py",
    )
    found = [
        f"{_name(path)}:{line}"
        for path in MODULES
        if not _name(path).startswith(exempt)
        for line, imported in _imports(path, inside=True)
        if imported.split(".")[0] == "torch"
    ]
    assert found == []


def test_ray_is_imported_by_the_driver_and_the_replicas_alone():
    """Nobody else needs the cluster's engine: neither the program nor what runs the steps on the nodes."""
    found = {
        _name(path)
        for path in MODULES
        for _, imported in _imports(path, inside=True)
        if imported.split(".")[0] == "ray"
    }
    assert found == {"execution/ray.py", "serving/replicas.py"}


def test_domain_and_corpus_need_only_python():
    """At import, the domain and the corpus need nothing but the standard library."""
    wrong = [
        f"{_name(path)}:{line} imports {imported}"
        for path in MODULES
        if _part(path) in {"domain", "corpus", "errors"}
        for line, imported in _imports(path, inside=False)
        if imported.split(".")[0] not in {"auria_bot", *sys.stdlib_module_names}
    ]
    assert wrong == []


def test_all_is_complete():
    """`__all__` names every public class, function and documented constant of a module, and nothing else."""
    assert [fault for path in MODULES for fault in _faults_of_all(path)] == []


def _faults_of_all(path: Path) -> Iterator[str]:
    tree = _tree(path)
    if path.name == "__main__.py" or not any(not isinstance(node, ast.Expr) for node in tree.body):
        return  # nothing but a docstring
    listed: list[str] | None = None
    defined: set[str] = set()
    documented: set[str] = set()
    for node, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            defined.add(node.name)
            # A program's entry and a registered command are called by nobody in the code.
            if node.name != "main" and not any(".command(" in ast.unparse(one) for one in node.decorator_list):
                documented.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
            if "__all__" in names and node.value is not None:
                listed = list(ast.literal_eval(node.value))
            defined |= names
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                documented |= names
        elif isinstance(node, ast.ImportFrom):
            defined |= {alias.asname or alias.name for alias in node.names}
        elif _typing_only(node):
            defined |= {
                alias.asname or alias.name
                for inner in ast.walk(node)
                if isinstance(inner, ast.ImportFrom)
                for alias in inner.names
            }
    if listed is None:
        yield f"{_name(path)}: no __all__"
        return
    if len(listed) != len(set(listed)):
        yield f"{_name(path)}: a name stands twice in __all__"
    yield from (f"{_name(path)}: {name} is listed but not defined" for name in set(listed) - defined)
    public = {name for name in documented if not name.startswith("_")}
    yield from (f"{_name(path)}: {name} is public but not listed" for name in public - set(listed))


def test_modules_are_short_and_explained():
    """A module has a docstring, a noun for a name, and at most 400 lines."""
    assert [_name(path) for path in MODULES if not ast.get_docstring(_tree(path))] == []
    assert [_name(path) for path in MODULES if path.stem in FORBIDDEN_NAMES] == []
    assert [_name(path) for path in MODULES if len(_text(path).splitlines()) > 400] == []


def test_functions_are_short():
    """A function has at most 60 lines."""
    long = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in _nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 60
    ]
    assert long == []


def test_a_program_starts_on_its_last_line():
    """What stands after `if __name__ == "__main__"` is not defined yet when the module is run as a program."""
    wrong = [
        f"{_name(path)}:{node.lineno}"
        for path in MODULES
        for node in _tree(path).body[:-1]
        if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
    ]
    assert wrong == []


def test_what_is_never_written():
    """No assert, no bare except, nothing left to do later, nothing unpickled."""
    wrong = []
    for path in MODULES:
        name, nodes, text = _name(path), _nodes(path), _text(path)
        wrong += [f"{name}:{node.lineno} assert" for node in nodes if isinstance(node, ast.Assert)]
        bare = (node for node in nodes if isinstance(node, ast.ExceptHandler) and node.type is None)
        wrong += [f"{name}:{node.lineno} bare except" for node in bare]
        wrong += [
            f"{name}:{line} imports {imported}"
            for line, imported in _imports(path, inside=True)
            if imported.split(".")[0] in {"pickle", "marshal", "shelve", "joblib", "dill"}
        ]
        wrong += [f"{name}: {mark}" for mark in ("TODO", "FIXME", "XXX", "HACK") if f"# {mark}" in text]
    assert wrong == []


def test_values_are_frozen():
    """Every public dataclass of the domain is frozen, slotted and keyword-only."""
    wrong = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for path in MODULES
        if _part(path) == "domain"
        for node in _nodes(path)
        if isinstance(node, ast.ClassDef)
        for decorator in map(ast.unparse, node.decorator_list)
        if decorator.startswith("dataclass") and decorator != "dataclass(frozen=True, slots=True, kw_only=True)"
    ]
    assert wrong == []


def test_only_settings_reads_the_environment():
    """Auria's environment variables are read by settings alone; programs that train and evaluate take defaults from them."""
    reads = [
        f"{_name(path)}:{node.lineno}"
        for path in MODULES
        if not _name(path).startswith(("settings/", "art/training/", "art/evaluation/")) and "AURIA_" in _text(path)
        for node in _nodes(path)
        if isinstance(node, ast.Subscript | ast.Call)
        and (ast.unparse(node).startswith(("os.environ['AURIA_", "os.environ.get('AURIA_", "os.getenv('AURIA_")))
    ]
    assert reads == []


def test_where_do_i_find():
    """Each question of the map in ARCHITECTURE.md is answered by paths that exist."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = [row.split("|")[1:3] for row in text.splitlines() if row.startswith("| ") and "auria_bot/" in row]
    assert len(rows) >= 12
    for question, answer in rows:
        paths = re.findall(r"`(auria_bot/[\w/.]+)`", answer)
        assert paths, question
        assert [path for path in paths if not (ROOT / path).is_file()] == [], question


def test_commands_hold_no_logic():
    """A command parses, calls a service and prints: it opens no unit of work, knows no database and no net."""
    forbidden = (
        "auria_bot.store",
        "sqlalchemy",
        "auria_bot.art.training",
        "auria_bot.art.nets",
    )
    wrong = [
        f"{_name(path)}:{line} imports {imported}"
        for path in MODULES
        if _part(path) == "cli"
        for line, imported in _imports(path, inside=True)
        if imported.startswith(forbidden)
    ]
    assert wrong == []
    assert [place for place, called in _calls_of_commands() if called.endswith(("store.begin", "store.read"))] == []


def _calls_of_commands() -> Iterator[tuple[str, str]]:
    """Each call in `cli/`: module and line, and what is called."""
    for path in MODULES:
        if _part(path) == "cli":
            for node in _nodes(path):
                if isinstance(node, ast.Call):
                    yield f"{_name(path)}:{node.lineno}", ast.unparse(node.func)


def test_commands_print_through_the_console():
    """What commands print goes through `cli/terminal/console.py`, where harmful characters are replaced."""
    printed = [place for place, called in _calls_of_commands() if called in {"print", "typer.echo", "typer.secho"}]
    assert [place for place in printed if not place.startswith("cli/terminal/console.py:")] == []


def test_nothing_retired_or_too_long_stands_in_the_source() -> None:
    """Everything that the benchmark source-layout counts as forbidden."""
    assert {kind: places for kind, places in survey().forbidden().items() if places} == {}
