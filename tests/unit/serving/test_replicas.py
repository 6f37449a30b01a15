"""The model server on a Ray cluster answers as the one on one machine does."""

from __future__ import annotations

import contextlib
import http.client
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from starlette.testclient import TestClient

from auria_bot.domain.model_requests import PictureRequest, PoemRequest
from auria_bot.errors import InputError, ModelError, ModelServerBusy, PictureError, UnknownName
from auria_bot.serving.server import Pools, create_app
from auria_bot.settings.captions import CaptionSettings, ReplicaSettings
from tests.scenarios.caption_serve import free_port
from tests.scenarios.ray_cluster import REASON, ray_nodes
from tests.scenarios.serve_scale import has_serve

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not has_serve(), reason=REASON)]

ROOT = Path(__file__).parents[3]
SETTINGS = CaptionSettings(
    threads=2, waiting=20, deadline=30, largest_mb=1, replicas=ReplicaSettings(fewest=1, most=2, cpus=0.1)
)
NAMES = ("captions", "styles", "poems", "pictures")
ERRORS = {
    b"damaged": PictureError("it is damaged"),
    b"full": ModelServerBusy("many wait", seconds=7),
    b"broken": ModelError("the model is broken"),
    b"unknown": UnknownName("no painting or artist like that"),
}
POEM = b'{"lines": ["one", "two", "three"], "syllables": [1, 1, 1]}'
REQUESTS = (
    ("POST", "/captions", b"picture"),
    ("POST", "/captions?drawn=1", b"picture"),
    *(("POST", "/captions", content) for content in ERRORS),
    ("POST", "/captions", b"x" * (SETTINGS.largest + 1)),
    ("POST", "/captions", b""),
    ("POST", "/styles?style=monet", b"picture"),
    ("POST", "/styles?style=x", b"unknown"),
    ("POST", "/styles", b"picture"),
    ("POST", "/poems?theme=rain", b""),
    ("POST", "/poems?theme=unknown", b""),
    ("POST", "/poems?count=99", b""),
    ("POST", "/pictures", POEM),
    ("POST", "/pictures", b"rain"),
    ("GET", "/healthz", b""),
    ("GET", "/readyz", b""),
    ("GET", "/nothing", b""),
)


class Pool:
    """A pool that answers at once, by what the picture holds."""

    def __init__(self) -> None:
        self.model = {"version": "v1", "sha256": "ab"}

    def submit(self, content: Any, request: Any = None, **given: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if isinstance(content, PoemRequest):
            if content.theme == "unknown":
                future.set_exception(InputError("no poem of that"))
            else:
                future.set_result({"poems": [], "seed": content.seed})
        elif isinstance(content, PictureRequest):
            future.set_result(b"\xff\xd8\xff" + content.haiku.text.encode())
        elif content in ERRORS:
            future.set_exception(ERRORS[content])
        elif request is None:
            future.set_result({"captions": [], "drawn": given["drawn"], "model": {"name": "captioner", **self.model}})
        else:
            future.set_result(b"\xff\xd8\xff" + request.style.encode())
        return future

    def metrics(self) -> str:
        return ""

    def close(self) -> None:
        pass


def serve_pools(cluster: str, port: str) -> None:
    """Serve the pools on a cluster, in a process of its own."""
    from auria_bot.serving.replicas import application, run

    run(
        application(dict.fromkeys(NAMES, Pool), SETTINGS),
        cluster=cluster,
        address=f"127.0.0.1:{port}",
        environment={"PYTHONPATH": str(ROOT)},
        ready=lambda: print("ready", flush=True),
    )


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where a cluster answers."""
    free = free_port()
    with ray_nodes((1.0,)) as nodes:
        code = f"from tests.unit.serving.test_replicas import serve_pools; serve_pools({nodes.address!r}, '{free}')"
        with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert any(line == "ready\n" for line in process.stdout)
            yield free
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def ask(port: int, method: str, path: str, content: bytes) -> tuple[int, bytes, str | None, str | None]:
    """Status, body, media type and when to come back."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, body=content or None)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("content-type"), answer.getheader("retry-after")


@pytest.mark.parametrize(("method", "path", "content"), REQUESTS)
def test_answers_are_those_of_one_machine(port: int, method: str, path: str, content: bytes) -> None:
    """Status, body, media type and Retry-After, of answers and of errors."""
    pools = Pools(**{name: Pool() for name in NAMES})  # type: ignore[arg-type]
    with TestClient(create_app(pools, largest=SETTINGS.largest, deadline=SETTINGS.deadline)) as client:
        wanted = client.request(method, path, content=content)
    found = ask(port, method, path, content)
    until = time.monotonic() + 30
    while path == "/readyz" and found[0] == 503 and time.monotonic() < until:  # before the first replica has started
        found = ask(port, method, path, content)
    kinds = wanted.headers.get("content-type"), wanted.headers.get("retry-after")
    assert found == (wanted.status_code, wanted.content, *kinds)


def test_metrics_count_what_was_asked(port: int) -> None:
    """Captions, restyled pictures, refusals by reason, and the version in use."""
    for content in (b"picture", b"damaged"):
        ask(port, "POST", "/captions", content)
    for path, content in (("/poems?theme=unknown", b""), ("/pictures", POEM)):
        ask(port, "POST", path, content)
    text = ask(port, "GET", "/metrics", b"")[1].decode()
    assert 'auria_serve_model{version="v1",sha256="ab"} 1' in text or 'sha256="ab",version="v1"' in text
    counts = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}
    assert counts["auria_serve_captions_total"] >= 1
    assert counts['auria_serve_refused_total{reason="picture"}'] >= 1
    assert counts["auria_serve_waiting"] == 0
    assert counts["auria_serve_pictures_total"] >= 1
    assert counts['auria_serve_poem_refused_total{reason="wrong"}'] >= 1


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # of Ray
def test_the_configuration_of_serve_is_valid() -> None:
    """It names the model server, under the name and at the place that the command uses."""
    from ray.serve.schema import ServeDeploySchema

    from auria_bot.bootstrap.captions import model_server
    from auria_bot.serving.replicas import NAME

    found = ServeDeploySchema(**yaml.safe_load((ROOT / "deploy" / "ray-serve.yaml").read_text("utf-8")))
    (named,) = found.applications
    assert (named.name, named.route_prefix, found.http_options.port) == (NAME, "/", 8630)
    assert named.import_path == f"{model_server.__module__}:{model_server.__name__}"
