"""What is shipped for running Auria unattended is true: paths, commands, settings and figures exist."""

from __future__ import annotations

import configparser
import json
import re
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auria_bot.cli.app import COMMANDS
from auria_bot.services.beacon import Beacon
from auria_bot.services.health import Well
from auria_bot.settings import load
from auria_bot.telemetry import METRICS
from tests.bench.docker import instructions, lint

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
FIGURES = {metric.name: metric for metric in METRICS}


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "deploy/auria.service", "deploy/prometheus-rules.yml"])
def test_every_command_that_is_named_exists(name: str):
    """In comments and advice too."""
    named = set(
        re.findall(r"(?:bin/auria|exec (?:-it )?auria auria|[:;\"'] ?auria|\baction: auria) ([a-z]+)\b", _text(name))
    )
    assert named - set(COMMANDS) == set()
    assert named


def test_the_dockerfile_copies_what_is_there():
    """Each COPY's source is in the repository and not kept out; it ends as another user than root, with a health check."""
    steps = instructions(_text("Dockerfile"))
    ignored = {line.strip("*/") for line in _text(".dockerignore").splitlines()}
    for name, words in steps:
        if name == "COPY" and not words.startswith("--from"):
            for source in words.split()[:-1]:
                assert (ROOT / source).exists()
                assert source not in ignored
    names = [name for name, _ in steps]
    assert {"USER", "HEALTHCHECK", "VOLUME", "ENTRYPOINT"} <= set(names)
    assert dict(steps)["USER"] not in {"root", "0"}
    assert names.index("USER") > [at for at, name in enumerate(names) if name == "RUN"][-1]
    assert {words.partition("=")[0] for name, words in steps if name == "ARG"} == {"VARIANT", "EXTRAS"}
    assert json.loads(dict(steps)["CMD"])[0] in COMMANDS
    variables = dict(part.split("=", 1) for part in dict(steps)["ENV"].split())
    settings = load({name: value for name, value in variables.items() if name.startswith("AURIA_")})
    assert f":{settings.health.address.rpartition(':')[2]}/healthz" in dict(steps)["HEALTHCHECK"]


def test_the_dockerfile_is_linted():
    """By hadolint, where it is installed."""
    found = lint(ROOT / "Dockerfile")
    if found is None:
        pytest.skip("hadolint is not installed")
    assert found == ""


def test_the_dockerfile_finds_the_locked_versions(tmp_path: Path):
    """Its line of sed makes constraints of the lock: every package, without hashes."""
    command = re.search(r"sed -n '.*?' requirements/test\.txt", _text("Dockerfile"))
    assert command is not None
    done = subprocess.run(["sh", "-c", command[0]], cwd=ROOT, capture_output=True, text=True, check=True)
    locked = re.findall(r"^([A-Za-z0-9][^ =]*)==", _text("requirements/test.txt"), re.MULTILINE)
    lines = done.stdout.splitlines()
    assert [line.partition("==")[0] for line in lines] == locked
    assert not any("\\" in line or "hash" in line for line in lines)


def test_the_composition_fits_together(tmp_path: Path):
    """Volumes, services and settings that are named exist."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    found = yaml.safe_load(_text("compose.yaml"))
    auria = found["services"]["auria"]
    assert set(auria["depends_on"]) <= set(found["services"])
    for service in found["services"].values():
        assert {volume.partition(":")[0] for volume in service["volumes"]} <= set(found["volumes"])
    filled = {name: re.sub(r"\$\{(\w+)[^}]*\}", _filled, value) for name, value in auria["environment"].items()}
    settings = load({"AURIA_HOME": str(tmp_path), **filled})
    assert settings.database_url == "postgresql://auria:s3cret-pass@postgres/auria"
    args = {words.partition("=")[0] for name, words in instructions(_text("Dockerfile")) if name == "ARG"}
    assert set(auria["build"]["args"]) == args
    extras = re.search(r"EXTRAS:-([a-z,]+)", auria["build"]["args"]["EXTRAS"])
    import tomllib

    known = tomllib.loads(_text("pyproject.toml"))["project"]["optional-dependencies"]
    assert extras is not None
    assert set(extras[1].split(",")) <= set(known)


def _filled(variable: re.Match[str]) -> str:
    return {"POSTGRES_PASSWORD": "s3cret-pass", "TZ": "Europe/Paris"}[variable[1]]


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path):
    """With a watchdog, its own user and a shut-off file system; by systemd's own checker where that is here."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(_text("deploy/auria.service"))
    service = unit["Service"]
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) >= 30
    assert service["User"] == "auria"
    assert (service["ProtectSystem"], service["NoNewPrivileges"], service["CapabilityBoundingSet"]) == (
        "strict",
        "true",
        "",
    )
    if shutil.which("systemd-analyze"):
        copy = tmp_path / "auria.service"
        copy.write_text(_text("deploy/auria.service").replace("/opt/auria/bin/auria", "/bin/true"))
        done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
        assert "auria.service" not in done.stdout + done.stderr


def _used(expression: str) -> set[str]:
    return set(re.findall(r"\bauria_[a-z_]+", expression))


def test_alerts_and_dashboard_ask_for_figures_that_there_are():
    """Every name and label of Auria's in them is one that /metrics tells."""
    board = json.loads(_text("deploy/grafana-dashboard.json"))
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = re.findall(r"expr: (.*)", _text("deploy/prometheus-rules.yml"))
    for expression in (*expressions, *rules):
        assert _used(expression) - set(FIGURES) == set()
        for name, labels in re.findall(r"(auria_[a-z_]+)\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)=", labels)) <= set(FIGURES[name].labels)
    assert set().union(*map(_used, expressions)) == set(FIGURES)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_the_alerts():
    """By its own checker."""
    done = subprocess.run(
        ["promtool", "check", "rules", str(DEPLOY / "prometheus-rules.yml")], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


class _Pulse:
    """A house that is unwell."""

    def look(self) -> Well:
        return Well(troubles=("no daemon",))

    def metrics(self) -> str:
        from auria_bot.telemetry import Sample, exposition

        return exposition([Sample(metric="auria_healthy", labels={}, value=0)])


def _asked(url: str) -> Mapping[str, object]:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - this machine's own
        return json.loads(answer.read())["data"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed")
def test_a_real_prometheus_scrapes_and_warns(tmp_path: Path):
    """One scrape of the endpoint, and the alert of an unwell house is pending."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Beacon(_Pulse(), "127.0.0.1:0") as beacon:
        config = tmp_path / "prometheus.yml"
        target = beacon.url.removeprefix("http://")
        config.write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: [{DEPLOY / 'prometheus-rules.yml'}]\n"
            f"scrape_configs: [{{job_name: auria, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        server = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            alerts: list[str] = []
            until = time.monotonic() + 60
            while "AuriaUnwell" not in alerts and time.monotonic() < until:
                time.sleep(0.5)
                try:
                    alerts = [
                        one["labels"]["alertname"] for one in _asked(f"http://127.0.0.1:{port}/api/v1/alerts")["alerts"]
                    ]
                except OSError:
                    continue  # it is not up yet
            assert "AuriaUnwell" in alerts
            found = _asked(f"http://127.0.0.1:{port}/api/v1/query?query=auria_healthy")["result"]
            assert [one["value"][1] for one in found] == ["0"]
        finally:
            server.terminate()
            server.wait(20)
