"""Hostile input: every case must end in one clear sentence and its documented exit code, and lose nothing.

Each case runs the real command line in a process of its own, in a home that holds one draft; afterwards that draft, its
picture and the database must be as before. What is tried: themes (ten megabytes, characters that reorder text, SQL,
paths), pictures for styles (truncated, huge, empty, CMYK, animated, 16 bits), damaged weights, a read-only disk, a full
one, and damaged runs. Where this process may mount, the full and read-only disks are real file systems of their own
(tmpfs); elsewhere a limit on the size of files and a folder without write permission stand in for them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from auria_bot.bootstrap.application import build
from auria_bot.settings.schema import Settings
from auria_bot.store.files import Pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auria_bot.domain.draft import Draft

__all__ = ["CASES", "FAKES", "Said", "Victim", "attack"]

FAKES = {
    f"AURIA_{role}__BACKEND": "fake"
    for role in ("POET", "MOOD", "PAINTER", "GATE", "ENLARGER", "STYLIST", "CAPTIONER", "SCRIBE", "FINISHER")
}
"""Settings under which the studio needs no model."""

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command said."""

    code: int
    out: str
    err: str

    @classmethod
    def by(cls, done: subprocess.CompletedProcess[bytes]) -> Said:
        """What a process said that has ended."""
        out, err = (printed.decode(errors="replace") for printed in (done.stdout, done.stderr))
        return cls(code=done.returncode, out=out, err=err)

    def refused(self, code: int, *words: str) -> str:
        """Nothing when it ended with that code and one sentence that holds the words, else what was wrong."""
        if self.code != code:
            return f"exit code {self.code} instead of {code}: {self.err[-300:]}"
        if "Traceback" in self.out + self.err:
            return f"a traceback: {self.err[-300:]}"
        if "Error: " not in self.err:
            return f"no sentence: {self.err[-300:]}"
        missing = [word for word in words if word not in self.err]
        return f"{missing} not said: {self.err[-300:]}" if missing else ""

    def done(self) -> str:
        """Nothing when it succeeded, else what was wrong."""
        return "" if self.code == 0 and "Traceback" not in self.err else f"exit code {self.code}: {self.err[-300:]}"


@dataclass(slots=True, kw_only=True)
class Victim:
    """A home with one draft, and the command line to attack it with."""

    home: Path
    settings: dict[str, str] = field(default_factory=dict)

    def auria(self, *arguments: str, stdin: bytes = b"", limit: int | None = None, **settings: str) -> Said:
        """Run a command; `limit` is the largest file it may write, in bytes."""
        command = [sys.executable, "-m", "auria_bot", *arguments]
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            env=self.environment(**settings),
            cwd=ROOT,
            check=False,
            timeout=280,
            preexec_fn=None if limit is None else _limiter(limit),
        )
        return Said.by(done)

    def environment(self, **settings: str) -> dict[str, str]:
        """The environment of a command, with these settings too."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
        return kept | self.settings | {"AURIA_HOME": str(self.home)} | settings

    def drafts(self) -> list[Draft]:
        """Every draft, the oldest first."""
        with contextlib.closing(build(Settings(home=self.home))) as application:
            return list(application.review.drafts())[::-1]

    def pictures(self, draft: Draft) -> dict[str, bytes]:
        """The content of a draft's pictures."""
        folder, art = Pictures(self.home), draft.artwork
        return {file.name: folder.path(draft.folder, file.name).read_bytes() for file in art.files.values()}


def _limiter(size: int) -> Callable[[], None]:
    import resource

    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _theme(text: str, code: int, *words: str) -> Callable[[Victim], str]:
    return lambda victim: victim.auria("make", "--theme", text).refused(code, *words)


def _ten_megabytes(victim: Victim) -> str:
    return victim.auria("make", "--theme", "-", stdin=b"snow " * 2_000_000).refused(4, "longer than")


def _sql(victim: Victim) -> str:
    """It may be refused or set in verse; the tables must stand afterwards."""
    said = victim.auria("make", "--theme", "snow'; DROP TABLE drafts;--")
    return said.done() if said.code == 0 else said.refused(4)


def _path(victim: Victim) -> str:
    """A path is refused or set in verse; nothing may appear outside the home."""
    before = set(victim.home.parent.iterdir())
    said = victim.auria("make", "--theme", "../../")
    if set(victim.home.parent.iterdir()) != before:
        return "something appeared outside the home"
    return said.done() if said.code == 0 else said.refused(4)


def _path_as_mood(victim: Victim) -> str:
    return victim.auria("make", "--mood", "../../etc/passwd").refused(2, "known:")


def _paintings(folder: Path) -> None:
    """Bad files and odd but good ones."""
    import numpy as np
    from PIL import Image

    folder.mkdir()
    noise = np.random.default_rng(3).integers(0, 256, (160, 200, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((320, 256), Image.Resampling.BICUBIC)
    picture.save(folder / "good.jpg")
    (folder / "truncated.jpg").write_bytes((folder / "good.jpg").read_bytes()[:3000])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.jpg").write_text("this is no picture")
    Image.new("1", (40_000, 40_000)).save(folder / "huge.png")  # 200 KB on disk, 1.6 billion pixels
    picture.convert("CMYK").save(folder / "cmyk.jpg")
    turned = [picture, picture.rotate(180)]
    turned[0].save(folder / "animated.gif", save_all=True, append_images=turned[1:])
    Image.fromarray(noise[:, :, 0].astype(np.uint16) * 257).save(folder / "sixteen.png")
    (folder / "folder.jpg").mkdir()
    (folder / "loop.jpg").symlink_to(folder / "loop.jpg")


def _styles(victim: Victim) -> str:
    """The bad ones are named and left out, the odd ones are taken."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "paintings"
        _paintings(folder)
        said = victim.auria("styles", "add", str(folder), "--json")
        if wrong := said.done():
            return wrong
        told = json.loads(said.out)
        refused = {name for name, _ in told["refused"]}
        expected = {"truncated.jpg", "empty.png", "text.jpg", "huge.png", "animated.gif"}
        if not expected <= refused:
            return f"taken, though they cannot be used: {sorted(expected - refused)}"
        if good := {"good.jpg", "cmyk.jpg", "sixteen.png"} & refused:
            return f"left out, though they can be used: {sorted(good)}: {told['refused']}"
        for name in ("good.jpg", "cmyk.jpg", "sixteen.png"):
            (folder / name).unlink()
        return victim.auria("styles", "add", str(folder)).refused(4)


def _weights(kind: str) -> Callable[[Victim], str]:
    """The poet's network damaged in one way; the others are linked."""

    def case(victim: Victim) -> str:
        shipped = ROOT / "models"
        with tempfile.TemporaryDirectory() as scratch:
            models = Path(scratch) / "models"
            shutil.copytree(shipped, models, copy_function=os.symlink)
            network = models / "poet" / "model.onnx"
            content = bytearray((shipped / "poet" / "model.onnx").read_bytes())
            network.unlink()
            if kind == "flipped":
                content[len(content) // 2] ^= 1
            if kind != "missing":
                network.write_bytes(content[: len(content) // 2] if kind == "truncated" else content)
            settings = victim.settings | {"AURIA_MODELS": str(models), "AURIA_POET__BACKEND": "word-lstm"}
            struck = Victim(home=victim.home, settings=settings)
            try:
                for command in (("make",), ("models", "--verify")):
                    if wrong := struck.auria(*command).refused(8, "poet"):
                        return f"{command[0]}: {wrong}"
                return struck.auria("doctor").refused(8)
            finally:  # the run waits for weights that will never be there again
                shutil.rmtree(victim.home / "studio", ignore_errors=True)

    return case


def _full_disk(victim: Victim) -> str:
    """The run stops with a clear error and goes on once there is room."""
    with _disk(victim.home, size="2m") as (home, grow):
        if home is None:
            return _full_by_limit(victim)
        small = Victim(home=home, settings=victim.settings)
        (home / "ballast").write_bytes(bytes(1_500_000))
        with contextlib.suppress(OSError), (home / "ballast2").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        if wrong := small.auria("make", "--seed", "3").refused(10):
            return wrong
        (home / "ballast2").unlink()
        code = small.auria("make", "--seed", "3").code
        if code not in {0, 10}:
            return f"exit code {code} on a nearly full disk"
        (home / "ballast").unlink()
        grow("300m")
        return small.auria("make", "--resume").done() or small.auria("make", "--seed", "3").done() or _only_whole(small)


def _full_by_limit(victim: Victim) -> str:
    said = victim.auria("make", "--seed", "3", limit=20_000)
    return said.refused(10) or victim.auria("make", "--resume").done()


def _read_only(victim: Victim) -> str:
    """Making is refused; what is there can still be read, or is refused clearly."""
    with _disk(victim.home, size="300m") as (home, grow):
        if home is None:
            victim.home.chmod(0o555)
            try:
                return victim.auria("make").refused(10)
            finally:
                victim.home.chmod(0o755)
        closed = Victim(home=home, settings=victim.settings)
        if wrong := closed.auria("make", "--seed", "4").done():
            return wrong
        grow("ro")
        return (
            closed.auria("make").refused(10)
            or closed.auria("approve", "1").refused(10)
            or closed.auria("doctor").refused(10)
        )


def _only_whole(victim: Victim) -> str:
    """Every draft has all its pictures."""
    empty = [
        f"draft {draft.id}: {name}"
        for draft in victim.drafts()
        for name, content in victim.pictures(draft).items()
        if not content
    ]
    return f"empty pictures: {', '.join(empty)}" if empty else ""


@contextlib.contextmanager
def _disk(beside: Path, *, size: str) -> Iterator[tuple[Path | None, Callable[[str], None]]]:
    """A small file system of its own, and how to grow it or make it read-only ("ro"); None where none can be mounted."""
    point = beside.parent / f"disk-{beside.name}"
    point.mkdir()

    def change(how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{'ro' if how == 'ro' else f'size={how}'}", str(point)], check=True)

    mounted = _mounted(point, size)
    try:
        yield (point if mounted else None), change
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(point)], check=True)
        point.rmdir()


def _mounted(point: Path, size: str) -> bool:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(point)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _torn_run(victim: Victim) -> str:
    """A run whose plan was damaged is named; the other commands go on."""
    run = victim.home / "studio" / "20260101-000000-aaaaaa"
    (run / "logs").mkdir(parents=True)
    (run / "plan.json").write_text('{"format": 1, "run"')
    try:
        said = victim.auria("make", "--resume")
        return said.done() if said.code == 0 else said.refused(4, "plan.json")
    finally:
        shutil.rmtree(run)


def _broken_database(victim: Victim) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "auria.db"
        file.write_bytes(b"this is no database, but long enough to look like one" * 100)
        url = f"sqlite:///{file}"
        said = victim.auria("drafts", AURIA_DATABASE__URL=url).refused(7)
        return said or victim.auria("make", AURIA_DATABASE__URL=url).refused(7)


CASES: dict[str, Callable[[Victim], str]] = {
    "theme of 10 MB": _ten_megabytes,
    "theme that reorders text": _theme("sn\u202eow", 4, "U+202E"),
    "theme with a control character": _theme("snow\x1b[2J", 4, "U+001B"),
    "empty theme": _theme("   ", 4, "empty"),
    "theme with a link": _theme("see https://example.org now", 4, "theme"),
    "SQL as theme": _sql,
    "path as theme": _path,
    "path as mood": _path_as_mood,
    "path as style": lambda victim: victim.auria("make", "--style", "../../etc/passwd").refused(2, "style"),
    "seed out of range": lambda victim: victim.auria("make", "--seed", "9" * 30).refused(2, "seed"),
    "SQL as number": lambda victim: victim.auria("show", "1;DROP").refused(2),
    "number of no draft": lambda victim: victim.auria("show", "9" * 30).refused(5),
    "bad pictures for styles": _styles,
    "flipped bit in weights": _weights("flipped"),
    "truncated weights": _weights("truncated"),
    "missing weights": _weights("missing"),
    "setting of the wrong kind": lambda victim: victim.auria("make", AURIA_STUDIO__COUNT="x").refused(
        3, "AURIA_STUDIO__COUNT"
    ),
    "database that is none": _broken_database,
    "damaged run": _torn_run,
    "full disk": _full_disk,
    "read-only disk": _read_only,
}
"""Each case by name: attacks a victim and gives "" or what was wrong."""


def attack(victim: Victim, names: list[str]) -> dict[str, str]:
    """Run cases one after another; what went wrong in each, and whether anything was lost."""
    if wrong := victim.auria("make", "--seed", "7").done():
        return {"first draft": wrong}
    first, wrongs = victim.drafts()[0], dict[str, str]()
    pictures = victim.pictures(first)
    for name in names:
        if wrong := CASES[name](victim):
            wrongs[name] = wrong
        if victim.drafts()[0] != first or victim.pictures(first) != pictures:
            wrongs[name] = f"{wrongs.get(name, '')} the first draft was changed".strip()
    return wrongs
