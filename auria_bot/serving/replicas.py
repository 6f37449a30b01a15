"""The model server as deployments of Ray Serve: captions, styles, poems and pictures on replicas that follow the load.

The HTTP interface is `create_app` over pools that ask replicas, so that it is the same as on one machine. A request
whose replica is lost is asked again of another one: answers change nothing, so it may be. Each replica takes a newer
version up between two pictures, as the model server on one machine does.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import ray
from ray import serve
from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

from auria_bot.errors import (
    AuriaError,
    BackendMissing,
    ClusterError,
    InputError,
    ModelError,
    ModelServerBusy,
    NoGoodPicture,
    PictureError,
    TextRejected,
    UnknownName,
)
from auria_bot.serving.captioning import METRICS as CAPTION_METRICS
from auria_bot.serving.captioning import WORK as CAPTIONS
from auria_bot.serving.making import PICTURES, POEMS
from auria_bot.serving.restyling import METRICS as STYLES
from auria_bot.serving.server import Pools, create_app
from auria_bot.telemetry import Sample, exposition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    from starlette.applications import Starlette

    from auria_bot.serving.work_queue import WorkMetrics
    from auria_bot.settings.captions import CaptionSettings

__all__ = ["NAME", "Replica", "application", "run"]

NAME: Final = "auria"
"""The application's name on the cluster."""

_KINDS: Final = (BackendMissing, InputError, ModelError, NoGoodPicture, PictureError, TextRejected, UnknownName)
_KNOWN: Final = {kind.__name__: kind for kind in _KINDS}
_TRIES: Final = 4  # replicas that may be lost with one request
_PACE: Final = {"upscale_delay_s": 3.0, "downscale_delay_s": 15.0, "metrics_interval_s": 1.0, "look_back_period_s": 5.0}


class Replica:
    """A pool of the model server on one replica."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._pool = make()

    async def ask(self, asked: Sequence[Any], seconds: float, given: Mapping[str, Any]) -> dict[str, Any]:
        """The pool's answer within so many seconds, or its error; and the version in use."""
        try:
            future = self._pool.submit(*asked, deadline=time.monotonic() + seconds, **given)
            answer = await asyncio.wrap_future(future)
        except AuriaError as error:
            kind = type(error).__name__
            return {"error": kind, "message": str(error), "seconds": getattr(error, "seconds", 1)}
        return {"answer": answer, "model": self.model()}

    def model(self) -> dict[str, str] | None:
        """Name and hash of the version in use, where there is one for all pictures."""
        return getattr(self._pool, "model", None)


_POOLS: Final = {"captions": CAPTIONS, "styles": STYLES, "poems": POEMS, "pictures": PICTURES}
"""The deployments that answer, and how they are counted."""


class _RemotePool:
    """A pool whose requests go to replicas; counts what `metrics` tells."""

    def __init__(self, handle: Any, work: WorkMetrics) -> None:
        self._handle, self._work = handle, work
        self._done, self._seconds, self._inside = 0, 0.0, 0
        self._refused = dict.fromkeys(work.reasons, 0)
        self.model: dict[str, str] | None = None
        self._tasks = {asyncio.get_running_loop().create_task(self._learn())} if work == CAPTIONS else set()

    def submit(self, *asked: Any, deadline: float, **given: Any) -> Future[Any]:
        """As the pool on one machine; the request goes to the replica with the least to do."""
        return asyncio.run_coroutine_threadsafe(self._counted(asked, deadline, given), asyncio.get_running_loop())

    def metrics(self) -> str:
        """All metrics in Prometheus' text format, as counted before the replicas."""
        samples = self._work.samples(self._done, self._seconds, self._refused)
        if self._work != CAPTIONS:
            return exposition(samples, self._work.table)
        samples.append(Sample(metric="auria_serve_waiting", value=self._inside))
        samples.append(Sample(metric="auria_serve_ready", value=self.model is not None))
        if self.model is not None:
            samples.append(Sample(metric="auria_serve_model", labels=self.model, value=1))
        return exposition(samples, CAPTION_METRICS)

    def close(self) -> None:
        """Nothing is held here."""

    async def _learn(self) -> None:
        """Ask for the version in use once; later it is told with each answer."""
        self.model = await self._handle.model.remote()

    async def _counted(self, asked: Sequence[Any], deadline: float, given: Mapping[str, Any]) -> Any:
        begun = time.monotonic()
        self._inside += 1
        try:
            answer = await self._ask(asked, deadline, given)
        except AuriaError as error:
            reason = self._work.unusable
            if isinstance(error, ModelServerBusy):
                reason = "busy" if time.monotonic() < deadline else "late"
            self._refused[reason] += 1
            raise
        finally:
            self._inside -= 1
        self._done += 1
        self._seconds += time.monotonic() - begun
        return answer

    async def _ask(self, asked: Sequence[Any], deadline: float, given: Mapping[str, Any]) -> Any:
        for _ in range(_TRIES):
            left = deadline - time.monotonic()
            try:
                async with asyncio.timeout(max(0.0, left)):
                    found = await self._handle.ask.remote(asked, left, given)
            except TimeoutError:
                raise ModelServerBusy("its turn came too late; come back later") from None
            except BackPressureError:
                raise ModelServerBusy(f"{self._inside} requests are waiting; come back in a moment") from None
            except (RayActorError, DeploymentUnavailableError):
                continue
            if "error" not in found:
                self.model = found["model"]
                return found["answer"]
            if found["error"] == ModelServerBusy.__name__:
                raise ModelServerBusy(found["message"], seconds=found["seconds"])
            raise _KNOWN.get(found["error"], ModelError)(found["message"])
        raise ModelServerBusy("the replicas are being replaced; come back in a moment")


def application(pools: Mapping[str, Callable[[], Any]], settings: CaptionSettings) -> Any:
    """The application for Ray Serve.

    Args:
        pools: functions of modules that make the started pools on replicas: captions, styles, poems, pictures.
        settings: how many replicas, and what each takes.
    """
    size, largest, deadline = settings.replicas, settings.largest, settings.deadline

    def deployment(name: str, make: Callable[[], Any], *, fewest: int, at_once: int) -> Any:
        scaling = {"min_replicas": fewest, "max_replicas": size.most, "target_ongoing_requests": at_once, **_PACE}
        return serve.deployment(
            Replica,
            name=name,
            max_ongoing_requests=2 * at_once,  # so that the next picture is there when one is done
            max_queued_requests=settings.waiting,
            autoscaling_config=scaling,
            ray_actor_options={"num_cpus": size.cpus, "num_gpus": size.gpus},
            graceful_shutdown_timeout_s=deadline,
        ).bind(make)

    def build() -> Starlette:
        here = serve.get_replica_context().app_name

        def remote(name: str, work: WorkMetrics) -> Any:
            return _RemotePool(serve.get_deployment_handle(name, app_name=here), work)

        remote_pools = Pools(**{name: remote(name, work) for name, work in _POOLS.items()})
        return create_app(remote_pools, largest=largest, deadline=deadline)

    front = serve.deployment(
        serve.ingress(build)(),
        name="http",
        num_replicas=1,
        max_ongoing_requests=512,
        ray_actor_options={"num_cpus": 0},
    )
    first = deployment("captions", pools["captions"], fewest=size.fewest, at_once=settings.replica_threads)
    others = (deployment(name, pools[name], fewest=0, at_once=1) for name in _POOLS if name != "captions")
    return front.bind(first, *others)


def run(made: Any, *, cluster: str, address: str, environment: Mapping[str, str], ready: Callable[[], None]) -> None:
    """Put the application on a cluster and keep it there until SIGTERM or SIGINT.

    Args:
        made: the application.
        cluster: "auto", or HOST:PORT of the head node.
        address: HOST:PORT on the head node, where requests are answered.
        environment: variables of the replicas.
        ready: called when requests are answered.

    Raises:
        InputError: the address is a socket.
        ClusterError: the cluster cannot be joined, or does not start the application.
    """
    host, _, port = address.rpartition(":")
    if address.startswith("unix:"):
        raise InputError(f'captions.server is "{address}"; with --engine ray it must be HOST:PORT')
    stopped = threading.Event()
    try:
        ray.init(
            address=cluster,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": dict(environment)},
        )
        for number in (signal.SIGTERM, signal.SIGINT):  # only now, because Ray sets a handler of its own
            signal.signal(number, lambda *_: stopped.set())
        serve.start(proxy_location="HeadOnly", http_options={"host": host.strip("[]"), "port": int(port)})
        serve.run(made, name=NAME, route_prefix="/")
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise ClusterError(f"the cluster at {cluster} does not serve: {reason}") from error
    if not stopped.is_set():
        ready()
    stopped.wait()
    serve.delete(NAME)
    ray.shutdown()
