"""Published pipelines are listed and run by programs, each request once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from auria_bot.web.runs import BackgroundRun, BackgroundRuns
from tests.unit.web.api.test_runs import ended

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.testclient import TestClient

    from auria_bot.bootstrap.application import Application

PIPELINES = "/api/v1/pipelines"


@pytest.fixture
def postcard(application: Application, tmp_path: Path) -> None:
    """A pipeline of a poem and an enlarged picture."""
    Image.linear_gradient("L").resize((32, 32)).convert("RGB").save(tmp_path / "scan.png")
    text = '[steps.verse]\nstep = "poem"\n[steps.large]\nstep = "enlarge"\npicture = "scan.png"\n'
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    application.published_pipelines.publish(tmp_path / "own.toml", "postcard")


@pytest.mark.usefixtures("postcard")
def test_a_pipeline_is_run_watched_and_gives_pictures(client: TestClient):
    """The answer leads to a run as any other; its results are words and pictures by step; a repetition starts nothing."""
    (listed,) = client.get(PIPELINES).json()["items"]
    assert listed == client.get(f"{PIPELINES}/postcard").json()
    assert {"name": "verse", "step": "poem"} in listed["steps"]
    sent = {"headers": {"Idempotency-Key": "a7"}, "json": {"theme": "fog", "seed": 3}}
    begun = client.post(f"{PIPELINES}/postcard/runs", **sent)
    assert (begun.status_code, begun.json()["pipeline"]) == (202, "postcard")
    again = client.post(f"{PIPELINES}/postcard/runs", **sent)
    assert (again.json()["id"], again.headers["Idempotency-Replayed"]) == (begun.json()["id"], "true")
    run = ended(client, begun.headers["location"])
    assert (run["state"], run["draft"], run["error"]) == ("done", None, "")
    steps = [item["step"] for item in client.get(f"{begun.headers['location']}/events").json()["items"]]
    assert {"verse", "large"} <= set(steps)
    result = client.get(f"{PIPELINES}/postcard/runs/{run['id']}").json()
    found = {step["name"]: step for step in result["steps"]}
    assert (result["seed"], len(found["verse"]["found"]["haiku"]["lines"])) == (3, 3)
    picture = client.get(found["large"]["pictures"][0])
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert client.get(found["large"]["pictures"][0].replace("large-", "other-")).status_code == 404


@pytest.mark.usefixtures("postcard")
def test_a_run_may_be_over_before_it_is_answered(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    """Its results are found all the same."""

    def begun(_: BackgroundRuns, draft_id: int | None, work: Any, **given: str) -> BackgroundRun:
        run = BackgroundRun(draft_id, work, **given)
        run.work()
        return run

    monkeypatch.setattr(BackgroundRuns, "start", begun)
    run = client.post(f"{PIPELINES}/postcard/runs", json={"seed": 3}).json()
    assert (run["state"], run["error"]) == ("done", "")
    assert client.get(f"{PIPELINES}/postcard/runs/{run['id']}").status_code == 200


@pytest.mark.usefixtures("postcard")
def test_what_cannot_run_is_refused_at_once(client: TestClient, client_of: Callable[..., TestClient]):
    """A pipeline that is not there, a poem of one line, an unknown field, a key that may not make anything."""
    runs = f"{PIPELINES}/postcard/runs"
    assert client.post(f"{PIPELINES}/other/runs", json={}).status_code == 404
    refused = client.post(runs, json={"poem": "one line"})
    assert (refused.status_code, "a poem has three lines" in refused.json()["detail"]) == (422, True)
    assert client.post(runs, json={"season": "winter"}).status_code == 422
    assert client_of("read").post(runs, json={}).status_code == 403
    assert client_of("make").get(PIPELINES).status_code == 403
    assert client.get(f"{runs}/none").status_code == 404
