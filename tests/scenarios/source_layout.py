"""Measures the source of the program: sizes, layers, cycles, and names and phrases that were retired."""

from __future__ import annotations

import ast
import json
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NEW_BEHAVIOUR", "PACKAGE", "RELEASED_LINES", "RETIRED", "SourceLayout", "modules", "new_lines", "survey"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "auria_bot"
RETIRED = ROOT / "tests" / "labels" / "retired_names.json"
"""Module names, class names and phrases that no longer stand in the program, by kind."""

RELEASED_LINES = 45_381
"""Lines of the release before (commit 10a9a32), laid out by today's formatter."""

NEW_BEHAVIOUR = {
    "art/nets/lora.py": "low-rank adapters of a language model",
    "art/poets/causal_lm.py": "a language model that ships as a package",
    "art/poets/subword_decoding.py": "5-7-5 by construction for language models",
    "art/poets/verse_tokens.py": "5-7-5 by construction for language models",
    "art/poets/word_trie.py": "5-7-5 by construction for language models",
    "art/training/haiku_lm/": "training of a language model, and poems of it that teach the small poet",
    "art/evaluation/poem_sense.py": "how much sense poems make",
    "art/stylists/areas.py": "woodblock prints and washes",
    "art/stylists/brushes.py": "pictures painted anew, stroke by stroke",
    "art/stylists/direction_field.py": "pictures painted anew, stroke by stroke",
    "art/stylists/hands.py": "the hand of each painting, measured",
    "art/stylists/oil_strokes.py": "pictures painted anew, stroke by stroke",
    "art/stylists/washes.py": "watercolour and ink",
    "art/nets/real_esrgan.py:Rrdbnet": "enlarging by the larger network",
    "art/nets/real_esrgan.py:_DenseBlock": "enlarging by the larger network",
    "art/evaluation/poem_reading.py": "sheets on which poems are marked blind",
    "art/exporters/pdf.py": "prints and catalogues",
    "cli/studio/prints.py": "prints and catalogues",
    "services/prints/": "prints and catalogues",
    "art/voice.py": "poems are read aloud",
    "art/films/water_flow.py": "the water of films flows",
    "art/matcher.py": "films are led by poems",
    "services/films/poem_film.py": "films are led by poems",
    "cli/studio/speak.py": "poems are read aloud",
    "services/gallery/readings.py": "poems are read aloud",
    "art/painters/ranker.py": "painted candidates are ranked by what is learnt",
    "art/training/poet/marks.py": "the poem scorer learns from what a reader marked",
    "art/training/poet/preferences.py": "the poet learns from corrections of its poems",
    "art/poets/worn_lines.py": "lines that the poet writes again and again cost",
    "art/training/poet/worn_lines.py": "lines that the poet writes again and again cost",
    "art/training/poet/averaging.py": "the poet learns from corrections of its poems",
    "art/training/painter/moments.py": "painted pictures spread as real ones do",
    "art/training/painter/picture_losses.py": "the painter's step has room for the loss of moments",
    "art/training/painter/rank.py": "painted candidates are ranked by what is learnt",
    "domain/approval.py": "painted candidates are ranked by what is learnt",
    "services/engagement/approvals.py": "painted candidates are ranked by what is learnt",
    "art/training/painter/sources.py": "the painter learns more pictures",
    "art/packaged_weights.py": "weights in packages are checked",
    "cli/corpus/rejected.py": "rejected verse is looked at and accepted",
    "services/corpus/rejected_texts.py": "rejected verse is looked at and accepted",
    "store/rejected.py": "rejected verse is looked at and accepted; what was forgotten stays so after a restore",
    "services/publishing/withdrawal.py": "published posts are withdrawn",
    "services/publishing/attempt_account.py": "a post of unknown outcome is looked for on the account it was sent from",
    "http_server.py": "slow clients starve no server: a limit of connections and a deadline for each request",
    "store/postgres.py": "PostgreSQL: the encoding is checked, the session's settings are the program's own",
    "cli/studio/review.py:Page": "a draft on one screen",
    "cli/studio/review.py:show_page": "a draft on one screen",
    "cli/studio/review.py:_key_line": "a draft on one screen",
    "cli/studio/review.py:_texts": "a draft on one screen",
    "cli/studio/review.py:_fitted": "a draft on one screen",
    "cli/studio/review.py:_ReviewSession._undo": "decisions are taken back",
    "cli/studio/drafts.py:undo": "decisions are taken back",
    "services/studio/review.py:Review.undo": "decisions are taken back",
    "services/studio/review.py:_texts_before_edit": "decisions are taken back",
    "cli/publishing/publish.py:_print_preview": "each post as it would stand on its channel",
    "cli/publishing/publish.py:_preview_facts": "each post as it would stand on its channel",
    "settings/options.py:former_names": "settings are read by their former names",
    "settings/options.py:current_path": "settings are read by their former names",
    "settings/options.py:current_names": "settings are read by their former names",
    "settings/options.py:notify_renamed": "settings are read by their former names",
    "bootstrap/web.py": "the gallery and the desk as a web site",
    "cli/web/": "the gallery and the desk as a web site",
    "services/accounts/": "operators who sign in to the desk",
    "services/gallery/": "the gallery: filters, search, pictures in sizes",
    "web/": "the gallery, the desk, the REST interface and the visitors' studio as a web site",
    "settings/web.py": "the gallery, the desk, the REST interface and the visitors' studio as a web site",
    "services/visitors/": "the visitors' studio",
    "services/publishing/calendar.py": "a calendar of posts",
    "services/operations/supervision.py": "the daemon keeps the web server running",
    "services/operations/webhooks.py": "programs are told of drafts and posts",
    "channels/folder/index_pages.py": "plain lists of a folder's posts",
    "art/captioners/attention.py": "captions with the regions of their words, and ratings of them",
    "art/training/captioner/ratings.py": "captions with the regions of their words, and ratings of them",
    "bootstrap/captions.py": "captions with the regions of their words, and ratings of them",
    "cli/captions/": "captions with the regions of their words, and ratings of them",
    "domain/rating.py": "captions with the regions of their words, and ratings of them",
    "services/captions/": "captions with the regions of their words, and ratings of them",
    "serving/": "captions with the regions of their words, and ratings of them",
    "settings/captions.py": "captions with the regions of their words, and ratings of them",
    "cli/operations/storage.py": "pictures on an S3-compatible storage",
    "services/operations/storage.py": "pictures on an S3-compatible storage",
    "settings/storage.py": "pictures on an S3-compatible storage",
    "services/studio/shared_runs.py": "pictures on an S3-compatible storage",
    "services/studio/published_pipelines.py": "pipelines that programs run",
    "web/api/pipelines.py": "pipelines that programs run",
    "store/bucket/": "pictures on an S3-compatible storage",
    "store/ratings.py": "captions with the regions of their words, and ratings of them",
    "cli/model_versions.py": "versions of trained models",
    "services/models/captioner_tuning.py": "versions of trained models",
    "services/models/versions.py": "versions of trained models",
    "services/models/folder_registry.py": "versions of trained models",
    "services/models/mlflow/client.py": "versions of trained models",
    "services/models/mlflow/registry.py": "versions of trained models",
    "services/models/experiments.py": "versions of trained models",
    "services/models/comparison_plot.py": "versions of trained models",
    "settings/models.py": "versions of trained models",
    "art/training/event_log.py": "versions of trained models",
    "art/films/": "footage to learn films from",
    "art/exporters/contact_sheet.py": "footage to learn films from",
    "art/nets/stylegan2.py": "a network for films",
    "art/training/film/": "a network for films",
    "bootstrap/films.py": "footage to learn films from",
    "cli/films/": "footage to learn films from",
    "services/footage/": "footage to learn films from",
    "services/films/": "films, and videos restyled",
    "art/evaluation/film.py": "a network for films",
    "art/evaluation/film_figures.py": "a network for films",
    "art/nets/projected_critic.py": "a network for films",
    "art/nets/vgg16.py": "a network for one painting",
    "art/nets/style_net.py": "a network for one painting",
    "art/evaluation/style_network.py": "a network for one painting",
    "art/stylists/style_networks.py": "a network for one painting",
    "art/training/style/": "a network for one painting",
    "services/models/style_training.py": "a network for one painting",
    "execution/cluster.py": "steps on a cluster",
    "execution/dispatcher.py": "steps on a cluster",
    "execution/node_worker.py": "steps on a cluster",
    "execution/ray.py": "steps on a cluster",
    "services/studio/pipelines.py": "an operator's own order of steps",
    "art/nets/stylegan2_ada.py": "a network for films",
    "art/portraits/": "a portrait",
    "cli/studio/portrait.py": "a portrait",
    "services/portraits/": "a portrait",
    "domain/avatar.py": "a portrait",
    "channels/film_encoding.py": "films as posts",
    "colour_profiles.py": "posts are in sRGB, by what reads pictures that are brought",
    "videos/": "films of high dynamic range and wide colours; what films state of turns and clocks, read in one place",
    "channels/films.py": "films as posts",
    "art/training/figures_page.py": "a training is watched",
    "services/models/training_watch.py": "a training is watched",
    "cli/training_watch.py": "a training is watched",
    "art/training/workers.py": "several processes train one model",
    "services/models/distributed_training.py": "several processes train one model",
    "services/models/training_worker.py": "several processes train one model",
    "services/models/served_folder.py": "versions of trained models",
    "services/operations/backup_contents.py": "backups of more than pictures",
    "cli/studio/pipeline.py": "an operator's own order of steps",
}
"""Folders, modules and definitions whose behaviour the release before did not have, and what it is.

What was added inside older modules and functions is not counted, so the lines for the same behaviour are at most those stated.
"""

MOST_FUNCTION_LINES = 60
MOST_MODULE_LINES = 400
MOST_IN_A_FOLDER = 15
MOST_COLUMNS = 120


@dataclass(slots=True, kw_only=True)
class SourceLayout:
    """What was found; each list names its places."""

    modules: int = 0  # with code; a package marker with a docstring alone is not one
    packages: int = 0
    lines: int = 0
    new_modules: int = 0  # of NEW_BEHAVIOUR
    new_lines: int = 0
    module_lines: list[int] = field(default_factory=list)
    function_lines: list[int] = field(default_factory=list)
    longest_module: tuple[int, str] = (0, "")
    long_modules: list[str] = field(default_factory=list)
    long_functions: list[str] = field(default_factory=list)
    full_folders: list[str] = field(default_factory=list)
    wide_lines: list[str] = field(default_factory=list)
    formatter_exceptions: list[str] = field(default_factory=list)
    retired_modules: list[str] = field(default_factory=list)
    retired_classes: list[str] = field(default_factory=list)
    retired_phrases: list[str] = field(default_factory=list)
    cycles: list[str] = field(default_factory=list)

    def forbidden(self) -> dict[str, list[str]]:
        """Everything of which there must be none, by what it is."""
        return {
            "functions over 60 lines": self.long_functions,
            "modules over 400 lines": self.long_modules,
            "folders of more than 15 modules": self.full_folders,
            "lines over 120 columns": self.wide_lines,
            "# fmt: skip": self.formatter_exceptions,
            "retired module names": self.retired_modules,
            "retired class names": self.retired_classes,
            "retired phrases": self.retired_phrases,
            "import cycles": self.cycles,
        }

    def figures(self) -> str:
        """The counts in one line."""
        counts = ", ".join(f"{len(places)} {name}" for name, places in self.forbidden().items())
        return (
            f"{self.modules} modules in {self.packages} packages, {self.lines:,} lines; for new behaviour {self.new_modules}"
            f" modules and {self.new_lines:,} lines, so {self.modules - self.new_modules} and"
            f" {self.lines - self.new_lines:,} for that of the release before, which had {RELEASED_LINES:,} lines;"
            f" a module has {statistics.median(self.module_lines):.0f} lines"
            f" (longest {self.longest_module[0]}: {self.longest_module[1]}), a function"
            f" {statistics.median(self.function_lines):.0f} (longest {max(self.function_lines)}); {counts}"
        )


def modules(package: Path = PACKAGE) -> list[Path]:
    """Every module of the program, without the data of an installed copy."""
    return sorted(path for path in package.rglob("*.py") if "_data" not in path.parts)


def survey(package: Path = PACKAGE) -> SourceLayout:
    """Read every module and measure it."""
    retired, found = json.loads(RETIRED.read_text(encoding="utf-8")), SourceLayout()
    phrases = [phrase.lower() for phrase in retired["phrases"]]
    folders: dict[Path, int] = defaultdict(int)
    imports: dict[str, set[str]] = {}
    for path in modules(package):
        name, text = path.relative_to(package).as_posix(), path.read_text(encoding="utf-8")
        tree, lines = ast.parse(text, filename=name), text.splitlines()
        marker = path.name == "__init__.py" and len(tree.body) <= 1
        found.packages += path.name == "__init__.py"
        found.modules += not marker
        found.new_modules += not marker and any(
            name == new or (new[-1] == "/" and name.startswith(new)) for new in NEW_BEHAVIOUR
        )
        found.lines += len(lines)
        if not marker:
            found.module_lines.append(len(lines))
        found.longest_module = max(found.longest_module, (len(lines), name))
        folders[path.parent] += 1
        if len(lines) > MOST_MODULE_LINES:
            found.long_modules.append(f"{name}: {len(lines)} lines")
        found.wide_lines += [f"{name}:{at}" for at, line in enumerate(lines, 1) if len(line) > MOST_COLUMNS]
        found.formatter_exceptions += [f"{name}:{at}" for at, line in enumerate(lines, 1) if "# fmt: " in line]
        if name in retired["modules"] or f"{path.parent.name}/{path.name}" in retired["modules"]:
            found.retired_modules.append(name)
        _definitions(found, name, tree, set(retired["classes"]))
        flat = " ".join(text.lower().split())
        found.retired_phrases += [f"{name}: {phrase!r}" for phrase in phrases if phrase in flat]
        imports[_dotted(path, package)] = set(_imported(tree))
    found.full_folders = [
        f"{folder.relative_to(package.parent)}: {count}"
        for folder, count in folders.items()
        if count > MOST_IN_A_FOLDER
    ]
    found.cycles = _cycles(imports)
    found.new_lines = sum(new_lines(package).values())
    return found


def new_lines(package: Path = PACKAGE) -> dict[str, int]:
    """The lines of each entry of NEW_BEHAVIOUR; 0 where nothing stands there."""
    return {place: _lines_of(package, place) for place in NEW_BEHAVIOUR}


def _lines_of(package: Path, place: str) -> int:
    name, _, definition = place.partition(":")
    if name.endswith("/"):
        return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in modules(package / name))
    path = package / name
    if not path.is_file():
        return 0
    text = path.read_text(encoding="utf-8")
    if not definition:
        return len(text.splitlines())
    node: ast.AST | None = ast.parse(text)
    for part in definition.split("."):
        node = (
            next((one for one in ast.iter_child_nodes(node) if getattr(one, "name", "") == part), None)
            if node
            else None
        )
    first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", 0)
    return max(0, int(last) - int(first) + 1)


def _definitions(found: SourceLayout, name: str, tree: ast.Module, retired: set[str]) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name.lstrip("_") in retired:
            found.retired_classes.append(f"{name}:{node.lineno} {node.name}")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            length = node.end_lineno - node.lineno + 1
            found.function_lines.append(length)
            if length > MOST_FUNCTION_LINES:
                found.long_functions.append(f"{name}:{node.lineno} {node.name}: {length} lines")


def _dotted(path: Path, package: Path) -> str:
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(tree: ast.Module) -> Iterator[str]:
    """Names of the program's modules that importing this one imports: not inside functions, nor for types alone."""

    def at_top(node: ast.AST) -> Iterator[ast.AST]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            yield child
            yield from at_top(child)

    for node in at_top(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("auria_bot"):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("auria_bot"))


def _cycles(imports: dict[str, set[str]]) -> list[str]:
    """Modules that import one another in a ring, one line for each ring (Tarjan's strongly connected components)."""
    graph = {name: {to for to in targets if to in imports and to != name} for name, targets in imports.items()}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    rings: list[str] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for to in sorted(graph[name]):
            if to not in index:
                visit(to)
                low[name] = min(low[name], low[to])
            elif to in stack:
                low[name] = min(low[name], index[to])
        if low[name] == index[name]:
            ring = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(ring) > 1:
                rings.append(" <-> ".join(sorted(ring)))

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return rings
