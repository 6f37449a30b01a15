"""Makes versions of the corpus: what passes the current rules, each poem once, in a file that never changes.

A version is written beside its place and moved there whole.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from auria_bot.corpus import verses as version_files
from auria_bot.corpus.language.words import words
from auria_bot.corpus.quality_filter import FilterRules, judge
from auria_bot.corpus.verses import FILE, MANIFEST, CorpusVersion, versions
from auria_bot.errors import InputError, NotFound, UsageError
from auria_bot.files import disk_errors, output_path, remove_strays
from auria_bot.services.serialization import csv_cell

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from auria_bot.corpus.item import CorpusItem
    from auria_bot.domain.interfaces import Clock
    from auria_bot.store.unit_of_work import Store

__all__ = ["Change", "VersionBuilder"]

_EXAMPLES = 5  # verses that a comparison shows of what came and what went
_FORMATS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".csv", ".txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is different between two versions."""

    added: int
    removed: int
    same: int
    came: Sequence[tuple[str, ...]]  # a few of the added
    went: Sequence[tuple[str, ...]]  # a few of the removed


class VersionBuilder:
    """Makes, compares and writes out version_files.

    Posts that fewer people liked than `least_score` are left out.
    """

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        folder: Path,
        rules: FilterRules | None = None,
        least_score: int | None = None,
    ) -> None:
        self._store, self._clock, self._folder = store, clock, folder
        self._rules, self._least = rules or FilterRules(), least_score

    def make(self) -> CorpusVersion:
        """Make a version of what is kept now; where the newest version is the same, that one.

        Raises:
            InputError: nothing is kept.
            DiskError: it cannot be written.
            BackendMissing: zstandard is not installed.
        """
        with self._store.read() as unit:
            chosen, left_out = self._chosen(unit.verses.kept(), unit.rejected.accepted())
            if not chosen:
                raise InputError("the corpus is empty; fill it with: auria corpus import FILE")
            with disk_errors(self._folder):
                made = self._write((piece for piece in unit.verses.kept() if piece.digest in chosen), left_out)
        with self._store.begin() as unit:
            unit.corpus_versions.add(made)
        return made

    def list(self) -> Sequence[CorpusVersion]:
        """Every version, the newest first."""
        with self._store.read() as unit:
            return unit.corpus_versions.list()

    def find(self, name: str = "") -> CorpusVersion:
        """A version by its name or how that begins or ends; the newest when not given.

        Raises:
            NotFound: there is none.
            UsageError: several are called so.
        """
        known = self.list()
        if not known:
            raise NotFound("there is no version of the corpus yet; make one: auria corpus version")
        if name in {"", "newest"}:
            return known[0]
        found = [one for one in known if one.name.startswith(name) or one.name.endswith(name)]
        if not found:
            names = ", ".join(one.name for one in known[:8])
            raise NotFound(f"no version named {name[:40]!r}; known: {names}")
        if len(found) > 1 and not any(one.name == name for one in found):
            raise UsageError(f"{name[:40]!r} may be {' or '.join(one.name for one in found[:4])}")
        return next((one for one in found if one.name == name), found[0])

    def file(self, one: CorpusVersion) -> Path:
        """Where a version's verses lie.

        Raises:
            NotFound: its folder is gone.
        """
        path = self._folder / one.name / FILE
        if not self.has_file(one):
            raise NotFound(
                f"the version {one.name} was removed: {path} is not there; make a new one: auria corpus version"
            )
        return path

    def has_file(self, one: CorpusVersion) -> bool:
        """Whether a version's file is there."""
        return (self._folder / one.name / FILE).is_file()

    def drop(self, name: str) -> CorpusVersion:
        """Remove a version's file; its name stays known.

        Raises:
            NotFound: there is none, or it was removed before.
        """
        one = self.find(name)
        shutil.rmtree(self.file(one).parent)
        return one

    def compare(self, before: str, after: str) -> Change:
        """What came and what went between two versions.

        Raises:
            NotFound: there is no such version, or its file is gone.
        """
        old, new = (version_files.digests(self.file(self.find(name))) for name in (before, after))
        counts: Counter[str] = Counter()
        shown: dict[str, list[tuple[str, ...]]] = {"added": [], "removed": []}
        for what, lines in _merged(old, new):
            counts[what] += 1
            if what in shown and len(shown[what]) < _EXAMPLES:
                shown[what].append(lines)
        return Change(
            added=counts["added"],
            removed=counts["removed"],
            same=counts["same"],
            came=shown["added"],
            went=shown["removed"],
        )

    def export(self, path: Path) -> int:
        """Write everything that is kept, as the file's name says; how many verses.

        Raises:
            InputError: the name says nothing that is known.
            DiskError: it cannot be written.
        """
        name = path.name.lower()
        if not name.endswith(_FORMATS):
            raise UsageError(
                f"{path.name!r} is no kind of file that verses are written to; known: {', '.join(_FORMATS)}"
            )
        with output_path(path, mode=0o600) as scratch, scratch.open("wb") as file, self._store.read() as unit:
            if name.endswith((".csv", ".txt")):
                return (_write_csv if name.endswith(".csv") else _write_text)(file, unit.verses.kept())
            return version_files.write(file, unit.verses.kept(), suffix=path.suffix.lower())[0]

    def _chosen(self, pieces: Iterable[CorpusItem], accepted: Collection[str]) -> tuple[set[str], Counter[str]]:
        """The digests of a version's verses, and how many were left out why; accepted ones are not judged."""
        left_out: Counter[str] = Counter()
        standing = []
        for piece in pieces:
            if self._least is not None and piece.score is not None and piece.score < self._least:
                left_out["score"] += 1
            elif piece.digest not in accepted and (reason := judge(piece.lines, self._rules)):
                left_out[reason] += 1
            else:
                # The same few thousand words stand in all poems: each is kept once.
                spelt = tuple(tuple(map(sys.intern, words(line))) for line in piece.lines)
                standing.append((piece.standing, piece.digest, spelt))
        standing.sort(key=lambda one: one[:2])
        first = versions([spelt for _, _, spelt in standing])
        chosen = {digest for number, (_, digest, _) in enumerate(standing) if first[number] == number}
        left_out["versions of another"] = len(standing) - len(chosen)
        return chosen, +left_out

    def _write(self, pieces: Iterator[CorpusItem], left_out: Counter[str]) -> CorpusVersion:
        self._folder.mkdir(parents=True, exist_ok=True)
        remove_strays(self._folder, old_only=True)
        with tempfile.TemporaryDirectory(dir=self._folder, prefix=".new-") as scratch:
            folder, forms, sources = Path(scratch) / "made", Counter[str](), Counter[str]()
            folder.mkdir()

            def counted() -> Iterator[CorpusItem]:
                for piece in pieces:
                    forms[piece.form] += 1
                    sources[piece.source] += 1
                    yield piece

            with (folder / FILE).open("wb") as file:
                count, sha256 = version_files.write(file, counted(), suffix=".zst")
            known = next((one for one in self.list() if one.sha256 == sha256), None)
            now = self._clock()
            made = known or CorpusVersion(
                name=f"{now:%Y-%m-%d}-{sha256[:10]}",
                made_at=now,
                verses=count,
                sha256=sha256,
                settings={
                    "rules": asdict(self._rules) | {"allow": sorted(self._rules.allow)},
                    "least_score": self._least,
                    "left_out": dict(left_out),
                    "forms": dict(forms),
                    "sources": dict(sources),
                },
            )
            text = json.dumps(_manifest(made), indent=2, ensure_ascii=False) + "\n"
            (folder / MANIFEST).write_text(text, encoding="utf-8")
            if not (self._folder / made.name / FILE).is_file():
                shutil.rmtree(self._folder / made.name, ignore_errors=True)
                folder.rename(self._folder / made.name)
            return made


def _manifest(one: CorpusVersion) -> dict[str, Any]:
    return {
        "name": one.name,
        "made_at": one.made_at.isoformat(),
        "verses": one.verses,
        "sha256": one.sha256,
        "file": FILE,
        **one.settings,
        "rights": "the verses belong to their poets; for training only",
    }


def _merged(
    old: Iterator[tuple[str, tuple[str, ...]]], new: Iterator[tuple[str, tuple[str, ...]]]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Walk two sorted versions side by side: ("added" | "removed" | "same", lines)."""
    before, after = next(old, None), next(new, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before[0] < after[0]):
            yield "removed", before[1] if before else ()
            before = next(old, None)
        elif before is None or after[0] < before[0]:
            yield "added", after[1]
            after = next(new, None)
        else:
            yield "same", after[1]
            before, after = next(old, None), next(new, None)


def _write_text(file: IO[bytes], pieces: Iterable[CorpusItem]) -> int:
    count = 0
    for piece in pieces:
        file.write(("\n".join(piece.lines) + "\n\n").encode())
        count += 1
    return count


def _write_csv(file: IO[bytes], pieces: Iterable[CorpusItem]) -> int:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer, count = csv.writer(text), 0
    for piece in pieces:
        row = version_files.described(piece)
        if not count:
            writer.writerow(["text", *(name for name in row if name not in {"lines", "author"})])
        cells = (value for name, value in row.items() if name not in {"lines", "author"})
        plain = (" ".join(map(str, cell)) if isinstance(cell, list) else cell for cell in cells)
        writer.writerow(map(csv_cell, (" / ".join(piece.lines), *plain)))
        count += 1
    text.flush()
    text.detach()
    return count
