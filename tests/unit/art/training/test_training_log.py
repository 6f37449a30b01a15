"""Tests of auria_bot.art.training.training_log."""

from __future__ import annotations

import pytest

from auria_bot.art.training.training_log import LogRow, parse_row


def test_a_row_has_step_seconds_and_figures():
    """What is no number is left out; seconds may be missing."""
    assert parse_row('{"step": 7, "seconds": 1.5, "loss": 2, "name": "x"}') == LogRow(
        step=7, seconds=1.5, figures={"loss": 2.0}
    )
    assert parse_row(b'{"step": 1}') == LogRow(step=1, seconds=0.0, figures={})


@pytest.mark.parametrize("line", ["", "{", '{"step": 7, "los', "[1]", "3", '{"loss": 1}', '{"step": null}'])
def test_a_line_that_was_cut_is_no_row(line: str):
    """A crash leaves such lines."""
    assert parse_row(line) is None
