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
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _part(path: Path) -> str:
    return _name(path).split("/")[0].removesuffix(".py")


def _typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def _imports(node: ast.AST, *, inside: bool) -> Iterator[tuple[int, str]]:
    """(line, module) of each import that is carried out; `inside` also looks into functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((child.lineno, alias.name) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module and not child.level:
            yield child.lineno, child.module
            if child.module == "auria_bot":
                yield from ((child.lineno, f"auria_bot.{alias.name}") for alias in child.names)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            if inside:
                yield from _imports(child, inside=True)
        elif not _typing_only(child):
            yield from _imports(child, inside=inside)


def _level(part: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


modules = pytest.mark.parametrize("path", MODULES, ids=_name)


@modules
def test_imports_go_downwards(path: Path):
    """A module imports only from layers below its own, inside functions too; those of one layer do not import each other."""
    part = _part(path)
    wrong = []
    for line, imported in _imports(_tree(path), inside=True):
        names = imported.split(".")
        if names[0] != "auria_bot" or len(names) == 1 or names[1] == part or names[1].startswith("__"):
            continue
        if part.startswith("__"):
            fine = part == "__main__" and names[1] == "cli"
            fine = fine or (part == "__init__" and names[1] in {"domain", "errors"})
        elif part in OUTSIDE:
            fine = names[1] in {"domain", "errors", "files"}
        else:
            fine = names[1] not in OUTSIDE and (_level(names[1]) < _level(part) or (part, names[1]) in ALLOWED_BESIDE)
        if not fine:
            wrong.append(f"{_name(path)}:{line} imports {imported}")
    assert wrong == []


@modules
def test_heavy_imports_stand_in_art(path: Path):
    """numpy, torch and the runtimes are imported at module top only under art/; torch only where nets are defined or trained."""
    name = _name(path)
    top = {(line, imported.split(".")[0]) for line, imported in _imports(_tree(path), inside=False)}
    heavy = HEAVY if not name.startswith("art/") else (set() if name.startswith(TORCH_HOMES) else TORCH)
    assert [f"{name}:{line} imports {imported}" for line, imported in sorted(top) if imported in heavy] == []


@modules
def test_serving_never_needs_torch(path: Path):
    """Outside nets, training, evaluation and the torch backends, torch is not imported even inside functions."""
    name = _name(path)
    exempt = (
        *TORCH_HOMES,
        "art/checkpoint.py",
        "art/poets/causal_lm.py",
        "art/poets/subword_decoding.py",
        "art/painters/diffusers.py",
        "art/captioners/blip.py",
    )
    if name.startswith(exempt):
        return
    found = [
        f"{name}:{line}" for line, imported in _imports(_tree(path), inside=True) if imported.split(".")[0] == "torch"
    ]
    assert found == []


@modules
def test_ray_is_imported_by_the_driver_and_the_replicas_alone(path: Path):
    """Nobody else needs the cluster's engine: neither the program nor what runs the steps on the nodes."""
    found = {imported.split(".")[0] for _, imported in _imports(_tree(path), inside=True)}
    assert ("ray" in found) == (_name(path) in {"execution/ray.py", "serving/replicas.py"})


@modules
def test_domain_and_corpus_need_only_python(path: Path):
    """At import, the domain and the corpus need nothing but the standard library."""
    if _part(path) not in {"domain", "corpus", "errors"}:
        return
    top = {imported.split(".")[0] for _, imported in _imports(_tree(path), inside=False)}
    assert top - set(sys.stdlib_module_names) <= {"auria_bot"}


@modules
def test_all_is_complete(path: Path):
    """`__all__` names every public class, function and documented constant of a module, and nothing else."""
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
    assert listed is not None, "no __all__"
    assert len(listed) == len(set(listed)), "a name stands twice in __all__"
    assert set(listed) - defined == set(), "listed but not defined"
    assert {name for name in documented if not name.startswith("_")} - set(listed) == set(), "public but not listed"


@modules
def test_modules_are_short_and_explained(path: Path):
    """A module has a docstring, a noun for a name, and at most 400 lines."""
    assert ast.get_docstring(_tree(path)), "no docstring"
    assert path.stem not in FORBIDDEN_NAMES
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@modules
def test_functions_are_short(path: Path):
    """A function has at most 60 lines."""
    long = [
        f"{_name(path)}:{node.lineno} {node.name}"
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 60
    ]
    assert long == []


@modules
def test_a_program_starts_on_its_last_line(path: Path):
    """What stands after `if __name__ == "__main__"` is not defined yet when the module is run as a program."""
    starts = [
        number
        for number, node in enumerate(reversed(_tree(path).body))
        if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)
    ]
    assert starts in ([], [0])


@modules
def test_what_is_never_written(path: Path):
    """No assert, no bare except, nothing left to do later, nothing unpickled."""
    tree = _tree(path)
    wrong = [f"assert in line {node.lineno}" for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    wrong += [
        f"bare except in line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and node.type is None
    ]
    wrong += [
        f"{imported} in line {line}"
        for line, imported in _imports(tree, inside=True)
        if imported.split(".")[0] in {"pickle", "marshal", "shelve", "joblib", "dill"}
    ]
    text = path.read_text(encoding="utf-8")
    wrong += [mark for mark in ("TODO", "FIXME", "XXX", "HACK") if f"# {mark}" in text]
    assert wrong == []


@modules
def test_values_are_frozen(path: Path):
    """Every public dataclass of the domain is frozen, slotted and keyword-only."""
    if _part(path) != "domain":
        return
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ClassDef):
            for decorator in map(ast.unparse, node.decorator_list):
                if decorator.startswith("dataclass"):
                    assert decorator == "dataclass(frozen=True, slots=True, kw_only=True)", node.name


@modules
def test_only_settings_reads_the_environment(path: Path):
    """Auria's environment variables are read by settings alone; programs that train and evaluate take defaults from them."""
    if _name(path).startswith("settings/") or _name(path).startswith(("art/training/", "art/evaluation/")):
        return
    reads = [
        f"{_name(path)}:{node.lineno}"
        for node in ast.walk(_tree(path))
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


@modules
def test_commands_hold_no_logic(path: Path):
    """A command parses, calls a service and prints: it opens no unit of work, knows no database and no net."""
    name = _name(path)
    if not name.startswith("cli/"):
        return
    forbidden = (
        "auria_bot.store",
        "sqlalchemy",
        "auria_bot.art.training",
        "auria_bot.art.nets",
    )
    wrong = [
        f"{name}:{line} imports {imported}"
        for line, imported in _imports(_tree(path), inside=True)
        if imported.startswith(forbidden)
    ]
    wrong += [
        f"{name}:{node.lineno} calls {ast.unparse(node.func)}()"
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("store.begin", "store.read"))
    ]
    assert wrong == []


@modules
def test_commands_print_through_the_console(path: Path):
    """What commands print goes through `cli/terminal/console.py`, where harmful characters are replaced."""
    name = _name(path)
    if not name.startswith("cli/") or name == "cli/terminal/console.py":
        return
    calls = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.Call)]
    printed = [
        f"{name}:{node.lineno}" for node in calls if ast.unparse(node.func) in {"print", "typer.echo", "typer.secho"}
    ]
    assert printed == []


def test_nothing_retired_or_too_long_stands_in_the_source() -> None:
    """Everything that the benchmark source-layout counts as forbidden."""
    assert {kind: places for kind, places in survey().forbidden().items() if places} == {}
