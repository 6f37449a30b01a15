"""The settings of the caption service."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from auria_bot.settings.captions import CaptionSettings, ReplicaSettings


@pytest.mark.parametrize("place", ["127.0.0.1:8630", "[::1]:8630", "serve:8630", "unix:/run/auria/serve.sock"])
def test_a_server_is_a_port_or_a_socket(place: str) -> None:
    """Of this machine or of another."""
    assert CaptionSettings(server=place).server == place


@pytest.mark.parametrize("place", ["", "8630", "127.0.0.1", "127.0.0.1:99999", "unix:serve.sock", "http://serve:8630"])
def test_other_addresses_are_refused_with_an_example(place: str) -> None:
    """The message shows both forms."""
    with pytest.raises(ValidationError, match=r"HOST:PORT.*unix:/"):
        CaptionSettings(server=place)


def test_strangers_bring_no_pictures_unless_it_is_switched_on() -> None:
    """The page is off by default, and the server on this machine only."""
    assert (CaptionSettings().page, CaptionSettings().server) == (False, "127.0.0.1:8630")


def test_fewest_replicas_are_no_more_than_most() -> None:
    """The message names both."""
    with pytest.raises(ValidationError, match="fewest is 5, which is more than most, 4"):
        ReplicaSettings(fewest=5)


def test_a_replica_captions_as_many_pictures_at_once_as_it_has_cores() -> None:
    """One with a part of a core; the setting goes before."""
    asked = [
        CaptionSettings(threads=threads, replicas=ReplicaSettings(cpus=cpus)).replica_threads
        for threads, cpus in ((0, 0.1), (0, 3.8), (2, 8))
    ]
    assert asked == [1, 4, 2]
