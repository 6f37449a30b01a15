"""A log record is one line for people or machines, without secrets; metrics keep to their table."""

from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING

import pytest

from auria_bot.redaction import clear_secrets, redacted, register_secret
from auria_bot.store.engine import connect
from auria_bot.telemetry import METRICS, Sample, exposition, set_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    with clear_secrets():
        yield


def _written(form: str, level: str = "info") -> tuple[logging.Logger, io.StringIO]:
    stream = io.StringIO()
    set_up(level=level, form=form, stream=stream)
    return logging.getLogger("auria_bot.some.module"), stream


def test_json_is_a_sentence_and_keys():
    """A JSON record holds time, level, logger, sentence and the keys that were given, and no others."""
    log, stream = _written("json")
    log.warning("The draft „%s“ waits", "moon", extra={"action": "make", "draft": 7, "stranger": "x"})
    record = json.loads(stream.getvalue())
    assert record.pop("time").endswith("Z")
    assert record == {
        "level": "warning",
        "logger": "auria_bot.some.module",
        "message": "The draft „moon“ waits",
        "action": "make",
        "draft": 7,
    }


def test_text_is_one_line():
    """A text record is one line with its keys at the end, even when the sentence has several."""
    log, stream = _written("text")
    log.info("first\nsecond", extra={"post": 3})
    (line,) = stream.getvalue().splitlines()
    assert line.endswith(r"INFO    first\nsecond post=3")


def test_a_record_does_not_control_the_terminal():
    """Nor does its traceback: what a platform answered may hold escape sequences."""
    log, stream = _written("text")
    values = {"channel": "a\x9b\nb"}
    log.error("refused: \x1b]0;title\x07", extra=values, exc_info=ValueError("answer \x1b[2J"))
    written = stream.getvalue()
    assert r"refused: \x1b]0;title\x07 channel=a\x9b\nb" in written
    assert r"ValueError: answer \x1b[2J" in written
    assert written.replace("\n", "").isprintable()


def test_levels_are_kept():
    """What is less important than the level is not written."""
    log, stream = _written("text", "error")
    log.warning("quiet")
    log.error("loud")
    assert "quiet" not in stream.getvalue()
    assert "loud" in stream.getvalue()


def test_setting_up_twice_writes_once():
    """A second set-up replaces the first."""
    _written("text")
    log, stream = _written("text")
    log.info("once")
    assert stream.getvalue().count("once") == 1


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgresql://me:hunter2@host/db", "hunter2"),
        ("postgresql://me:hun@ter/2@host/db refused", "ter/2"),
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ("{'api_key': 'abc123', 'x': 1}", "abc123"),
        ("client_secret=abc123&x=1", "abc123"),
        ("host=h password='a b c' user=u", "a b c"),
        ('{"access_token": "abc"}', "abc"),
    ],
)
def test_secrets_are_masked(text: str, secret: str):
    """Passwords in URLs, tokens in headers and values of telling names are replaced."""
    assert secret not in redacted(text)
    assert "***" in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://host/path:1@2 stays",
        "a token ring of words: yes",
        "sqlite:////home/me/auria.db",
        "see http://h:80/a?b",
    ],
)
def test_innocent_text_is_left_alone(text: str):
    """Text without a secret is not changed."""
    assert redacted(text) == text


@pytest.mark.timeout(60)
def test_masking_ends_on_hostile_text():
    """A long text made to look like a URL is masked in linear time; a quadratic search would run into the time-out."""
    for text in ("a://b:" + "/" * 100_000, "a" * 100_000, "a://" * 25_000, "password=" * 10_000):
        assert isinstance(redacted(text), str)


def test_logged_secrets_are_masked():
    """A secret in the sentence, its arguments, a key or a traceback never reaches the stream."""
    for form in ("text", "json"):
        log, stream = _written(form)
        try:
            int("postgresql://me:hunter2@host")
        except ValueError:
            log.exception("failed for %s", "http://u:hunter2@h", extra={"action": "password=hunter2"})
        assert "hunter2" not in stream.getvalue()
        assert "ValueError" in stream.getvalue()


def test_libraries_are_heard_when_they_warn_and_masked():
    """Their requests and answers are not written, whatever level the operator or the library sets."""
    _, stream = _written("text", "debug")
    register_secret("a-token-of-mine")
    library = logging.getLogger("some_library")
    library.setLevel(logging.DEBUG)
    library.debug("request with a-token-of-mine")
    assert stream.getvalue() == ""
    library.warning("retrying /me?key=a-token-of-mine")
    assert stream.getvalue().endswith("WARNING retrying /me?key=***\n")
    library.setLevel(logging.NOTSET)


def test_statements_go_into_the_log_and_not_to_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """What `database.echo` asks for stands beside the other records, so that --json stays one document."""
    _, stream = _written("json", "error")
    engine = connect(f"sqlite:///{tmp_path / 'a.db'}", echo=True)
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 'hidden' WHERE 1 = ?", (1,))
    engine.dispose()
    assert capsys.readouterr().out == ""
    messages = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert any(message.startswith("SELECT") for message in messages)


def test_a_record_that_does_not_fit_its_sentence_is_no_failure(capsys: pytest.CaptureFixture[str]):
    """A library's slip in its logging is written as it is, or lost; it tells nothing on stderr."""
    log, stream = _written("text")
    log.info("%d of %d", "token=abcdef")  # noqa: PLE1206 - the slip
    assert "%d of %d" in stream.getvalue()
    stream.close()
    log.info("lost")
    assert capsys.readouterr().err == ""


def test_a_traceback_that_another_handler_wrote_before_is_masked_too():
    """Handlers share a record's text of the traceback."""
    log, stream = _written("text")
    register_secret("a-token-of-mine")
    record = logging.LogRecord("auria_bot.x", logging.ERROR, "f", 1, "failed", None, None)
    record.exc_text = "ValueError: a-token-of-mine"
    log.handle(record)
    assert "ValueError: ***" in stream.getvalue()


def test_metrics_in_prometheus_format():
    """Samples are grouped under their metric's help and type, labels escaped."""
    text = exposition(
        [
            Sample(metric="auria_posts", labels={"channel": 'a"b\\', "state": "sent"}, value=2),
            Sample(metric="auria_drafts", labels={"state": "made"}, value=1),
        ]
    )
    lines = text.splitlines()
    at = lines.index("# HELP auria_drafts Drafts in each state.")
    assert lines[at : at + 6] == [
        "# HELP auria_drafts Drafts in each state.",
        "# TYPE auria_drafts gauge",
        'auria_drafts{state="made"} 1',
        "# HELP auria_posts Posts of each channel in each state.",
        "# TYPE auria_posts gauge",
        r'auria_posts{channel="a\"b\\",state="sent"} 2',
    ]


def test_a_moment_keeps_its_seconds():
    """A time in seconds is not rounded, and a metric without labels has no braces."""
    when = 1795251615.25
    text = exposition([Sample(metric="auria_leader_heartbeat_timestamp_seconds", labels={}, value=when)])
    assert "auria_leader_heartbeat_timestamp_seconds 1795251615.25" in text.splitlines()


def test_samples_keep_to_the_table():
    """A metric or a label that the table does not name is refused."""
    with pytest.raises(KeyError):
        exposition([Sample(metric="auria_other", labels={}, value=1)])
    with pytest.raises(KeyError):
        exposition([Sample(metric="auria_drafts", labels={"mood": "x"}, value=1)])
    assert all(metric.name.startswith("auria_") for metric in METRICS)
