"""Smaller forms of the corpus's benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.scenarios import fuzz, import_speed, near_duplicates, poem_reading, records

if TYPE_CHECKING:
    from pathlib import Path

needs_records = pytest.mark.skipif(
    not (records.folder() / "pushshift_sample.ndjson").is_file(), reason="the folder of data is not here"
)


@needs_records
def test_real_records_are_read_as_expected():
    """Every one, its fields and its reason."""
    count, wrong = records.slips(records.folder())
    assert wrong == []
    assert count == 622


@needs_records
def test_three_line_titles_are_found_and_no_others():
    """However their lines are parted."""
    for precision, recall in poem_reading.measured(records.folder()).values():
        assert precision >= poem_reading.BAR
        assert recall >= poem_reading.BAR


def test_labels_are_ids_alone():
    """Three hundred titles of one subreddit; no title is in the repository."""
    labels = records.labels("poem_reading.json")
    assert len(labels["haiku"]) + len(labels["not"]) == 300
    assert all(name.isalnum() and len(name) < 10 for names in labels.values() for name in names)


def test_planted_versions_are_found():
    """Planted versions are found among unrelated poems of the same few words."""
    precision, recall = near_duplicates.score(*near_duplicates.planted(2000))
    assert precision >= near_duplicates.PRECISION
    assert recall >= near_duplicates.RECALL


def test_a_dump_is_filtered_to_what_is_wanted(tmp_path: Path):
    """The benchmark's own dump, with fewer records."""
    path = tmp_path / "RS.zst"
    import_speed.write(path, 20_000)
    _, tally = import_speed.speed(path)
    assert tally.lines == 20_000
    assert 400 < tally.wanted < 700


@pytest.mark.slow
def test_an_import_that_is_killed_and_repeated_is_the_same(tmp_path: Path):
    """The real command, killed by a signal."""
    path = tmp_path / "RS.zst"
    import_speed.write(path, 50_000)
    memory = import_speed.imported(tmp_path / "whole", path)
    count, whole = import_speed.kept(tmp_path / "whole")
    assert memory < import_speed.MEMORY
    assert 0 < import_speed.killed(tmp_path / "killed", path, count // 3) < count
    import_speed.imported(tmp_path / "killed", path)
    assert import_speed.kept(tmp_path / "killed") == (count, whole)


def test_bytes_that_nobody_would_write_do_no_harm():
    """No crash and little memory; a hang would run into the time-out."""
    _, largest = fuzz.worst(150)
    assert largest < fuzz.BYTES
