"""The settings of the caption service: the model server, the page, and what visitors may ask of them."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from auria_bot.settings.sections import Section

__all__ = ["CaptionSettings", "ReplicaSettings"]


def _place(address: str) -> str:
    if address.startswith("unix:/"):
        return address
    match = re.fullmatch(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})", address)
    if match is None or int(match[1]) > 65_535:
        raise ValueError('it must be HOST:PORT, such as "127.0.0.1:8630", or unix:/ and the path of a socket')
    return address


class ReplicaSettings(Section):
    """Replicas of the model server on a Ray cluster."""

    fewest: int = Field(default=1, ge=0, le=1000)
    """Fewest replicas for captions; with 0 the first picture waits until one has started. The others go to 0."""
    most: int = Field(default=4, ge=1, le=1000)
    """Most replicas for captions, for styles, for poems, and for pictures."""
    cpus: float = Field(default=1.0, ge=0, le=256)
    """Processor cores of a replica."""
    gpus: float = Field(default=0.0, ge=0, le=64)
    """GPUs of a replica; a fraction lets replicas share one."""

    @model_validator(mode="after")
    def _ordered(self) -> ReplicaSettings:
        if self.fewest > self.most:
            raise ValueError(f"fewest is {self.fewest}, which is more than most, {self.most}")
        return self


class CaptionSettings(Section):
    """Captions for pictures that others bring."""

    page: bool = False
    """Whether the web site has a page where anybody may bring a picture."""
    server: Annotated[str, AfterValidator(_place)] = "127.0.0.1:8630"
    """Where `auria serve` listens and is asked: HOST:PORT, or "unix:/run/auria/serve.sock"."""
    engine: Literal["local", "ray"] = "local"
    """local: this machine answers; ray: replicas on the cluster of execution.address (needs auria-bot[cluster])."""
    replicas: ReplicaSettings = Field(default_factory=ReplicaSettings)
    """Replicas with the engine ray."""
    threads: int = Field(default=0, ge=0, le=256)
    """Pictures that are captioned at once; 0 for one on each processor core."""
    waiting: int = Field(default=32, ge=1, le=10_000)
    """Most pictures that wait for their turn; further ones are told to come back later."""
    deadline: float = Field(default=10.0, gt=0, le=300)
    """Seconds within which a caption must be there; a picture's file must have arrived by then."""
    largest_mb: int = Field(default=10, ge=1, le=100)
    """Largest picture file, in MB."""
    most_pixels: int = Field(default=30_000_000, ge=10_000, le=60_000_000)
    """Most pixels of a picture."""
    per_hour: int = Field(default=60, ge=1, le=100_000)
    """Pictures that may be brought to the page from one address in an hour."""
    most_ratings: int = Field(default=5000, ge=0, le=1_000_000)
    """Most ratings that are kept; with as many, further ones are refused."""

    @property
    def largest(self) -> int:
        """Largest picture file, in bytes."""
        return self.largest_mb * 1_000_000

    @property
    def replica_threads(self) -> int:
        """Pictures that a replica captions at once."""
        return self.threads or max(1, round(self.replicas.cpus))
