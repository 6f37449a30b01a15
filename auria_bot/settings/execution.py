"""The settings of where steps run: on this machine or on a cluster, in which environment and with what compute."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from auria_bot.settings.sections import ByStep, Section, host_and_port

__all__ = ["ExecutionSettings", "StepSettings"]


def _address(address: str) -> str:
    if address.startswith("ray://"):
        raise ValueError('Ray Client is not supported: start a node of the cluster on this machine, and write "auto"')
    if address != "auto" and not host_and_port(address):
        raise ValueError('it must be "auto" or HOST:PORT of the head node')
    return address


class StepSettings(Section):
    """The environment and the compute of one step on a cluster."""

    pip: tuple[str, ...] = ()
    """Packages that are installed for the step, as pip takes them."""
    image: str = ""
    """Container image that the step runs in; it must contain auria-bot[cluster]."""
    cpus: float = Field(default=1.0, ge=0, le=4096)
    """Processor cores of a worker."""
    gpus: float = Field(default=0.0, ge=0, le=64)
    """GPUs of a worker; a fraction lets workers share one."""
    memory_mb: int = Field(default=0, ge=0, le=100_000_000)
    """Memory that the cluster reserves for a worker, in MiB."""
    resources: dict[str, Annotated[float, Field(gt=0, le=1_000_000)]] = Field(default_factory=dict)
    """Resources of the cluster's own naming."""

    @model_validator(mode="after")
    def _one_environment(self) -> StepSettings:
        if self.pip and self.image:
            raise ValueError("pip and image exclude each other; install the packages in the image")
        return self


class ExecutionSettings(Section):
    """Where the studio's steps run."""

    engine: Literal["local", "ray"] = "local"
    """local: child processes of this machine; ray: a Ray cluster (needs auria-bot[cluster])."""
    address: Annotated[str, AfterValidator(_address)] = "auto"
    """The cluster: "auto" for the one that a node on this machine belongs to, or HOST:PORT of the head node."""
    device: Literal["cpu", "auto", "cuda", "tensorrt", "mps"] = "cpu"
    """Where the program's networks compute: cpu; cuda, tensorrt or mps (an Apple GPU); auto: a GPU if there is one."""
    wait: float = Field(default=5.0, ge=0, le=3600)
    """Longest wait for a node that has what a step asks for, in seconds; longer where nodes are added on demand."""
    start: float = Field(default=300.0, gt=0, le=86_400)
    """Longest wait for a worker to start, in seconds."""
    idle: float = Field(default=60.0, ge=0, le=86_400)
    """Seconds for which the workers of a run are kept for the next one of the same program."""
    attempts: int = Field(default=4, ge=1, le=100)
    """Most workers on which a step is tried when they are lost with it."""
    steps: ByStep[StepSettings] = Field(default_factory=dict)
    """Steps with an environment or compute of their own, by the step's name."""
