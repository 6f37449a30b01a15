"""What the web server counts."""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.request
from typing import TYPE_CHECKING

import pytest

from auria_bot.services.operations.health import HealthServer
from auria_bot.web.app import create_app
from auria_bot.web.metrics import BUCKETS, RequestCounts, WebHealth, route_of
from tests.exhibited import HOST, exhibited
from tests.unit.services.visitors.test_studio import opened

if TYPE_CHECKING:
    from pathlib import Path

    from auria_bot.bootstrap.application import Application


def told(application: Application, *paths: str) -> str:
    """The metrics after requests for some pages."""
    from starlette.testclient import TestClient

    app = create_app(application)
    browser = TestClient(app, base_url=HOST, follow_redirects=False)
    for path in paths:
        browser.get(path)
    health: WebHealth = app.state.health
    return health.metrics()


def test_requests_are_counted_by_route(tmp_path: Path) -> None:
    """By its template, never by the path that a stranger typed; what no route answers counts together."""
    paths = ("/", "/artworks/1-x", "/nothing/at/all", "/wall", "/static/site.css", "/static/../x", "/api/v1/zzz/1")
    text = told(exhibited(tmp_path, 1), *paths)
    routes = set(re.findall(r'auria_web_requests_total\{route="([^"]*)"', text))
    assert {"/{path:path}", "/wall", "/static"} <= routes
    assert not any(typed in text for typed in ("nothing", "1-x", "zzz"))
    assert 'route="/wall",method="GET",status="2xx"} 1' in text
    assert "auria_web_requests_open 0" in text


def test_seconds_are_a_histogram() -> None:
    """Each bucket holds those below it; a stream counts as a request only."""
    counts = RequestCounts()
    for seconds in (0.001, 0.02, 99.0, None):
        counts.begin()
        counts.end({"method": "TRACE"}, 200, seconds)
    samples = {(one.metric, one.labels.get("le")): one.value for one in counts.samples()}
    assert samples["auria_web_request_seconds_bucket", str(BUCKETS[0])] == 1
    assert samples["auria_web_request_seconds_bucket", str(BUCKETS[2])] == 2
    assert samples["auria_web_request_seconds_bucket", "+Inf"] == 3
    assert samples["auria_web_request_seconds_count", None] == 3
    assert samples["auria_web_request_seconds_sum", None] == pytest.approx(99.021)
    assert samples["auria_web_requests_total", None] == 4
    assert {one.labels.get("method") for one in counts.samples()} == {None, "other"}


def test_a_request_without_a_route_or_an_answer() -> None:
    """It was refused before, or its client went away."""
    assert route_of({}) == "other"
    counts = RequestCounts()
    counts.begin()
    counts.end({"method": "GET"}, 0, 0.1)
    assert "none" in {one.labels.get("status") for one in counts.samples()}


def test_the_visitors_studio_is_counted_where_it_is_open(tmp_path: Path) -> None:
    """Its queue, and what became of the artworks."""
    application = opened(tmp_path)
    application.visitor_studio.outcomes["refused_day"] += 2
    text = told(application)
    assert "auria_visitors_waiting 0" in text
    assert 'auria_visitors_artworks_total{outcome="refused_day"} 2' in text
    assert "\nauria_visitors_waiting" not in told(exhibited(tmp_path / "closed", 0))


def test_it_is_told_at_an_address_of_its_own(tmp_path: Path) -> None:
    """Not on the public site."""
    application = exhibited(tmp_path, 1)
    app = create_app(application)
    with HealthServer(app.state.health, "127.0.0.1:0", setting="web.metrics") as server:
        for path, start in (("/healthz", "well"), ("/metrics", "# HELP auria_web_")):
            with urllib.request.urlopen(server.url + path, timeout=30) as answer:  # noqa: S310 - this machine
                assert answer.read().decode().startswith(start)
    assert 'route="/metrics"' not in told(application, "/metrics")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_accepts_it(tmp_path: Path) -> None:
    """By its own checker."""
    text = told(exhibited(tmp_path, 1), "/", "/wall")
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
