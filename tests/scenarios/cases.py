"""Inputs made after public bug reports of other programs, each with what is right; one case for a kind.

A case gets an empty folder and the folder of the inputs, uses them by the command line or by the module that reads such input,
and returns "" when the result is right, else what it is. The inputs are not part of this repository.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from sqlalchemy import create_engine

from auria_bot.art.pictures import open_picture
from auria_bot.art.stylists.style_import import read_folder, read_table, year_of
from auria_bot.channels.bluesky.channel import BlueskyChannel
from auria_bot.channels.bluesky.record import post_record
from auria_bot.channels.pictures import fit_picture
from auria_bot.channels.text_limits import fit_text
from auria_bot.corpus.language.content_filter import blocked_words, hidden_characters, normalised
from auria_bot.domain.interfaces import Limits
from auria_bot.errors import ChannelError, SettingsError
from auria_bot.settings.loading import load
from tests.applications import migrated_database
from tests.platforms import MemorySecrets
from tests.platforms.fediverse import DIALECTS
from tests.scenarios.dialects import speak
from tests.scenarios.publishing import postgres
from tests.trials import new_post

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["CASES", "inputs"]


def inputs() -> Path:
    """Where the inputs lie, whether they are there or not: AURIA_CASES, else beside this repository."""
    given = os.environ.get("AURIA_CASES")
    return Path(given) if given else Path(__file__).resolve().parents[3] / "shared" / "cases"


def _auria(
    home: Path, *arguments: str, streams: str = "", stdin: bytes = b"", settings: Mapping[str, str] = {}
) -> subprocess.CompletedProcess[bytes]:
    """Run the command line on a home, which has a database; `streams` redirects some."""
    home.mkdir(exist_ok=True)
    if not (home / "auria.db").exists() and "AURIA_DATABASE__URL" not in settings:
        shutil.copyfile(migrated_database(), home / "auria.db")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    command = ["sh", "-c", f'exec "$@" {streams}', "sh", sys.executable, "-P", "-m", "auria_bot", *arguments]
    environment = {**kept, "AURIA_HOME": str(home), **settings}
    return subprocess.run(command, env=environment, input=stdin, capture_output=True, check=False, timeout=240)


def _words(done: subprocess.CompletedProcess[bytes]) -> str:
    """How a command ended, as far as it was wrong."""
    return f"exit code {done.returncode}: {(done.stdout + done.stderr).decode('utf-8', 'replace').strip()[-300:]}"


def _import(home: Path, *files: Path | str, settings: Mapping[str, str] = {}) -> dict[str, Any]:
    """The report of `auria corpus import` on files; its error under "error"."""
    done = _auria(home, "corpus", "import", *map(str, files), "--json", settings=settings)
    if done.returncode:
        return {"error": _words(done)}
    (report,) = json.loads(done.stdout)
    return dict(report)


def _unlike(found: dict[str, Any], **wanted: object) -> str:
    """What of a report is not as it should be."""
    wrong = {name: found.get(name) for name, value in wanted.items() if found.get(name) != value}
    return f"{wrong} instead of {wanted} {found.get('error', '')}" if wrong else ""


def _verses(home: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(_auria(home, "corpus", "sample", "--count", "20", "--json").stdout)
    return found


# Corpus


def containers(folder: Path, cases: Path) -> str:
    """The same posts in a list, in lines and in "data" get the same rules and the same sightings."""
    right = {"kept": 1, "removed": 1, "rejected": {"for adults": 1}, "read": 3}
    for name in ("posts.ndjson", "posts.json"):
        if wrong := _unlike(_import(folder / name, cases / "corpus" / name), **right):
            return f"{name}: {wrong}"
        forgotten = _auria(folder / name, "corpus", "forget", "aa1")
        if forgotten.returncode or _verses(folder / name):
            return f"{name}: forgetting forgets nothing, {_words(forgotten)}"
    return _unlike(_import(folder / "api", cases / "corpus" / "api.json"), kept=1, read=1)


def cut_off(folder: Path, cases: Path) -> str:
    """A compressed file that is cut off ends with exit code 4; a whole one is read whole."""
    done = _auria(folder / "cut", "corpus", "import", "--dry-run", str(cases / "corpus" / "cut.ndjson.zst"))
    if done.returncode != 4 or b"damaged or not finished" not in done.stderr or b"197 lines" not in done.stderr:
        return _words(done)
    return _unlike(_import(folder / "whole", cases / "corpus" / "whole.ndjson.zst"), lines=400)


def formats(folder: Path, cases: Path) -> str:
    """Formats are told by their first bytes."""
    for name in ("RS_2010-01.bz2", "RS_2020-01.NDJSON.ZST", "RS_2023-12.zst_blocks", "utf16.ndjson"):
        if wrong := _unlike(_import(folder / name, cases / "corpus" / name), kept=1):
            return f"{name}: {wrong}"
    return ""


def out_of_range(folder: Path, cases: Path) -> str:
    """A date or a score out of range is one bad line."""
    for name in ("rows_date.jsonl", "huge_score.ndjson"):
        if wrong := _unlike(_import(folder / name, cases / "corpus" / name), bad=1, kept=1):
            return f"{name}: {wrong}"
    return ""


def surrogates(folder: Path, cases: Path) -> str:
    """Half characters and NULs cost no import, on both databases."""
    nul = folder / "nul.ndjson"
    text = (cases / "corpus" / "author_surrogate.ndjson").read_text(encoding="utf-8")
    nul.write_text(text.replace("\\ud83d", "\\u0000"), encoding="utf-8")
    files = [cases / "corpus" / "rows_surrogate.jsonl", cases / "corpus" / "author_surrogate.ndjson", nul]
    with postgres() as server:
        for number, file in enumerate(files * 2):
            settings = {"AURIA_CORPUS__NAMES": "true"}
            if number >= len(files):
                with closing(create_engine(server, isolation_level="AUTOCOMMIT").raw_connection()) as connection:
                    connection.cursor().execute(f"CREATE DATABASE of_{number}")
                settings["AURIA_DATABASE__URL"] = server.set(database=f"of_{number}").render_as_string(
                    hide_password=False
                )
            report = _import(folder / f"{number}", file, settings=settings)
            if report.get("kept", 0) + report.get("bad", 0) != 2 or not report.get("kept"):
                return f"{file.name} ({'SQLite' if number < len(files) else 'PostgreSQL'}): {_unlike(report, kept=2)}"
    return ""


def code_page(folder: Path, cases: Path) -> str:
    """Text in cp1252 keeps its letters."""
    report = _import(folder / "home", cases / "corpus" / "cp1252.csv")
    lines = [verse["lines"] for verse in _verses(folder / "home")]
    right = [["café in the rain", "all the lanterns are burning", "déjà vu again"]]
    return "" if lines == right else f"{lines}, {report}"


def slashes(folder: Path, cases: Path) -> str:
    """Slashes without spaces separate nothing where those with spaces give three parts."""
    return _unlike(_import(folder / "home", cases / "corpus" / "slashes.txt"), kept=4, rejected={})


def numbers(folder: Path, cases: Path) -> str:
    """Numbers, money and letters are counted as they are read."""
    report = _import(folder / "home", cases / "corpus" / "numbers.txt")
    forms = [verse["form"] for verse in _verses(folder / "home")]
    return "" if forms == ["575"] * 7 else f"{forms}, {report}"


def pipes(folder: Path, cases: Path) -> str:
    """Standard input and a named pipe are read."""
    content = (cases / "corpus" / "posts.ndjson").read_bytes()
    done = _auria(folder / "stdin", "corpus", "import", "/dev/stdin", "--json", stdin=content)
    if done.returncode or json.loads(done.stdout)[0]["kept"] != 1:
        return _words(done)
    os.mkfifo(folder / "pipe")
    with subprocess.Popen(
        ["sh", "-c", 'cat "$1" > "$2"', "sh", cases / "corpus" / "posts.ndjson", folder / "pipe"]
    ) as feeder:
        wrong = _unlike(_import(folder / "home", folder / "pipe"), kept=1)
        feeder.kill()
    return wrong


# Paintings and pictures


def entities(_: Path, cases: Path) -> str:
    """HTML entities of a table are unescaped."""
    found = {
        one.title: one.artist
        for one in read_folder(cases / "paintings" / "entities", cases / "paintings" / "entities.tsv")
    }
    right = {"The Bay of the Côte d'Or & Sea": "André Maler", "Madonna of the Meadow": "Giovanni Pittore"}
    return "" if found == right else str(found)


def quotes(_: Path, cases: Path) -> str:
    """A quotation mark means nothing in WikiArt's table."""
    titles = [one.title for one in read_table(cases / "paintings" / "quote.tsv").values()]
    return "" if titles == ['"Untitled', "Second", "Third"] else str(titles)


def twins(_: Path, cases: Path) -> str:
    """Two files of one name keep their own descriptions."""
    found = [(one.title, one.artist) for one in read_folder(cases / "paintings" / "twins")]
    return "" if found == [("First", "Ann Other"), ("Second", "Bob Other")] else str(found)


def bad_name(folder: Path, cases: Path) -> str:
    """A file whose name is not text keeps no other from being added."""
    good = cases / "paintings" / "badname" / "good.jpg"
    (folder / "paintings").mkdir()
    shutil.copyfile(good, folder / "paintings" / "good.jpg")
    shutil.copyfile(good, os.fsencode(folder / "paintings") + b"/caf\xe9.jpg")
    done = _auria(folder / "home", "styles", "add", str(folder / "paintings"))
    listed = _auria(folder / "home", "styles", "list")
    return "" if done.returncode == 0 and b"good" in listed.stdout.lower() else f"{_words(done)}; {_words(listed)}"


def main_picture(folder: Path, cases: Path) -> str:
    """Of a phone's file with several pictures the main one is taken, as a painting and for a channel."""
    for file in (cases / "paintings" / "mpo" / "phone.jpg", cases / "pictures" / "phone_mpo.jpg"):
        open_picture(file).load()
        _fitted(file, folder)
    return ""


def profile(_: Path, cases: Path) -> str:
    """An embedded colour profile is honoured."""
    pixel = open_picture(cases / "pictures" / "adobe_rgb.png").convert("RGB").tobytes()[:3]
    return "" if all(abs(a - b) <= 6 for a, b in zip(pixel, (0, 161, 85), strict=True)) else str(list(pixel))


def orientation(folder: Path, cases: Path) -> str:
    """A fitted picture is upright, and nothing in it says that it is to be turned."""
    content = _fitted(cases / "pictures" / "exif_and_xmp_orientation.jpg", folder)
    with Image.open(io.BytesIO(content)) as image:
        turned = image.getexif().get(0x0112, 1)
        xmp = image.info.get("xmp", b"")
    return "" if turned == 1 and b"rientation>6" not in xmp and b'rientation="6' not in xmp else f"{turned}, {xmp!r}"


def _fitted(picture: Path, folder: Path) -> bytes:
    sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
    post = replace(new_post(folder), picture=str(picture), picture_sha256=sha256)
    return fit_picture(post, Limits(characters=300, alt_characters=300, picture_bytes=10**6)).content


def years(folder: Path, _: Path) -> str:
    """A year of a column of floats is whole, and a missing one is none."""
    found = [year_of(cell) for cell in ("1889.0", "nan")]
    return "" if found == ["1889", ""] else f"{found} {folder}"


# Words


def no_word(_folder: Path, _: Path) -> str:
    """A number is no blocked word."""
    return "; ".join(f"{text!r}: {found}" for text in ("1515", "the road 455") if (found := blocked_words(text)))


def contexts(_folder: Path, _: Path) -> str:
    """Birds, plants and moths are allowed, the words alone are not."""
    allowed = ("a great tit sings", "pussy willow buds", "a rape field in bloom", "a gypsy moth at dusk")
    blocked = ("you pussy", "rape in the field")
    wrong = [text for text in allowed if blocked_words(text)] + [text for text in blocked if not blocked_words(text)]
    return ", ".join(wrong)


def hashtags(_folder: Path, _: Path) -> str:
    """A hashtag that begins with a digit is one: dropped over a limit, and marked on Bluesky."""
    text = "\n".join(["frog jumps in the pond " * 4, "", "#haiku #100DaysOfHaiku"])
    fitted = fit_text(
        text, "", Limits(characters=100, alt_characters=100, picture_bytes=10**6), name="x", count=len
    ).text
    parts = {"text": text[-22:], "alt_text": "", "blob": {}, "size": (1, 1), "languages": (), "labels": ()}
    record = post_record(**parts, at=datetime.now(UTC))  # type: ignore[arg-type]  # as the channel calls it
    tags = [facet["features"][0]["tag"] for facet in record.get("facets", [])]
    right = "#100DaysOfHaiku" not in fitted and tags == ["haiku", "100DaysOfHaiku"]
    return "" if right else f"{fitted!r}, {tags}"


def editing(_folder: Path, _: Path) -> str:
    """What editors add is normalised, and what a script or a flag needs is allowed."""
    scotland = "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in "gbsct") + "\U000e007f"
    text = normalised(f"\ufeffrain {scotland}\r\n\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645\r\n")
    return f"{hidden_characters(text)} in {text!r}" if hidden_characters(text) or "\r" in text else ""


# Terminals and settings


def latin_terminal(folder: Path, _: Path) -> str:
    """A terminal that lacks a character gets another one."""
    for command in (("moods",), ("doctor",), ("drafts",)):
        for odd in (
            {"LC_ALL": "en_US.ISO-8859-1", "PYTHONIOENCODING": "iso-8859-1"},
            {"LC_ALL": "C", "PYTHONUTF8": "0"},
        ):
            done = _auria(folder / "home", *command, settings=odd)
            if (
                done.returncode not in ({0, 1} if command == ("doctor",) else {0})
                or b"UnicodeEncodeError" in done.stderr
            ):
                return f"{command[0]} with {odd}: {_words(done)}"
    return ""


def closed_output(folder: Path, _: Path) -> str:
    """Without stdout a command is quiet."""
    done = _auria(folder / "home", "drafts", streams=">&-")
    return "" if done.returncode == 0 and b"Error" not in done.stderr else _words(done)


def time_zone(folder: Path, _: Path) -> str:
    """An offset is answered with a place."""
    try:
        load({"AURIA_HOME": str(folder), "AURIA_TIME_ZONE": "GMT+2"})
    except SettingsError as error:
        return "" if "Europe/Athens" in str(error) and "Etc/" not in str(error) else str(error)
    return "accepted"


def bluesky_handle(folder: Path, _: Path) -> str:
    """A handle is cleaned of invisible characters; one without a dot is told so before anything is asked."""
    secrets = MemorySecrets({"app_password": "abcd-efgh-ijkl-mnop"})
    service = "http://127.0.0.1:9"
    options = BlueskyChannel.Config(handle="\u2068auria\u2069", service=service)
    try:
        BlueskyChannel(options, home=folder, secrets=secrets).check()
    except ChannelError as error:
        if "no dot" not in str(error) or "auria.bsky.social" not in str(error) or "\u2068" in str(error):
            return str(error)
    cleaned = BlueskyChannel(
        BlueskyChannel.Config(handle="\u2068@auria.art\u2069", service=service), home=folder, secrets=secrets
    )
    return "" if cleaned._account.handle == "auria.art" else cleaned._account.handle


def mastodon_servers(folder: Path, _: Path) -> str:
    """Other software of the Fediverse: Accept is sent, scopes are read as text."""
    return "; ".join(
        wrong for name in ("pixelfed", "takahe", "snac") if name in DIALECTS for wrong in _spoken(name, folder)
    )


def _spoken(name: str, folder: Path) -> list[str]:
    (folder / name).mkdir()
    return speak(name, folder / name)


# Databases


def encodings(folder: Path, _: Path) -> str:
    """A PostgreSQL database that cannot hold every text is refused before any work; a role's date style is harmless."""
    with postgres() as server:
        with closing(create_engine(server, isolation_level="AUTOCOMMIT").raw_connection()) as connection:
            for encoding in ("LATIN1", "SQL_ASCII"):
                connection.cursor().execute(
                    f"CREATE DATABASE in_{encoding} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
                )
            connection.cursor().execute("CREATE DATABASE german")
            connection.cursor().execute("ALTER DATABASE german SET datestyle = 'German'")
        for name in ("in_latin1", "in_sql_ascii", "german"):
            url = server.set(database=name).render_as_string(hide_password=False)
            done = _auria(folder / name, "drafts", settings={"AURIA_DATABASE__URL": url})
            fine = (
                done.returncode == 0 if name == "german" else done.returncode == 7 and b"ENCODING 'UTF8'" in done.stderr
            )
            if not fine:
                return f"{name}: {_words(done)}"
    return ""


def schema_row(folder: Path, _: Path) -> str:
    """A restored database without its schema's version, or with two, says what it is and what to do."""
    for name, change in (
        ("none", "DELETE FROM alembic_version"),
        ("two", "INSERT INTO alembic_version VALUES ('0001')"),
    ):
        (folder / name).mkdir()
        shutil.copyfile(migrated_database(), folder / name / "auria.db")
        with closing(sqlite3.connect(folder / name / "auria.db")) as connection, connection:
            connection.execute(change)
        done = _auria(folder / name, "drafts")
        if done.returncode != 7 or b"alembic_version" not in done.stderr or b"that Auria did not make" in done.stderr:
            return f"{name}: {_words(done)}"
    return ""


CASES: dict[str, Callable[[Path, Path], str]] = {
    case.__name__.replace("_", " "): case
    for case in (
        containers,
        cut_off,
        formats,
        out_of_range,
        surrogates,
        code_page,
        slashes,
        numbers,
        pipes,
        entities,
        quotes,
        twins,
        bad_name,
        main_picture,
        profile,
        orientation,
        years,
        no_word,
        contexts,
        hashtags,
        editing,
        latin_terminal,
        closed_output,
        time_zone,
        bluesky_handle,
        mastodon_servers,
        encodings,
        schema_row,
    )
}
"""Every case by its name."""
