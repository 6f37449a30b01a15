"""What is shipped for running Auria unattended is true: paths, commands, settings and figures exist."""

from __future__ import annotations

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auria_bot import daemon
from auria_bot.cli.app import COMMANDS
from auria_bot.services.operations.health import HealthReport, HealthServer
from auria_bot.services.schedule.job_scheduler import HEARTBEAT
from auria_bot.serving.captioning import METRICS as SERVED
from auria_bot.settings.captions import CaptionSettings
from auria_bot.settings.loading import load
from auria_bot.settings.sections import DaemonSettings
from auria_bot.store.engine import CONNECT_TIMEOUT
from auria_bot.store.sqlite import BUSY_TIMEOUT
from auria_bot.telemetry import METRICS
from auria_bot.web import app, metrics
from tests.acceptance import caged
from tests.scenarios.docker import instructions, lint

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
FIGURES = {name: labels for metric in (*METRICS, *SERVED, *metrics.METRICS) for name, labels in metric.series.items()}


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile",
        "compose.yaml",
        "deploy/auria.service",
        "deploy/auria-web.service",
        "deploy/auria-serve.service",
        "deploy/prometheus-rules.yml",
    ],
)
def test_every_command_that_is_named_exists(name: str):
    """In comments and advice too."""
    named = set(
        re.findall(r"(?:bin/auria|exec (?:-it )?auria auria|[:;\"'] ?auria|\baction: auria) ([a-z]+)\b", _text(name))
    )
    assert named - set(COMMANDS) == set()
    assert named


def test_the_dockerfile_copies_what_is_there():
    """Each COPY's source is in the repository and not ignored; the image has a user and a health check."""
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


@pytest.mark.parametrize("name", ["Dockerfile", "deploy/auria.service"])
def test_what_is_deployed_is_installed_from_the_locks(name: str):
    """Nothing is resolved, every file that is named exists, and hashes are demanded of all but torch and Auria herself."""
    joined = re.sub(r"\\\n\s*", " ", _text(name))
    commands = re.findall(r"pip install ([^&;|\n]+)", joined)
    assert len(commands) >= 2
    for command in commands:
        assert "--no-deps" in command
        locks = re.findall(r"-r \"?(requirements/\S+?\.txt)", command)
        for lock in locks:
            assert (ROOT / lock.replace("$extra", "social")).is_file()
        assert ("--require-hashes" in command) == bool(locks and locks != ["requirements/torch.txt"])
        assert locks or "--no-build-isolation" in command


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

    served = re.fullmatch(r"postgres:(\d+)", found["services"]["postgres"]["image"])
    assert served is not None
    assert f"postgresql-client-{served[1]} " in _text("Dockerfile")  # pg_dump refuses a newer server
    assert all(published.startswith("127.0.0.1:") for published in auria["ports"])
    known = tomllib.loads(_text("pyproject.toml"))["project"]["optional-dependencies"]
    assert extras is not None
    assert set(extras[1].split(",")) <= set(known)


def _filled(variable: re.Match[str]) -> str:
    return {"POSTGRES_PASSWORD": "s3cret-pass", "TZ": "Europe/Paris"}[variable[1]]


@pytest.fixture
def unit() -> Mapping[str, str]:
    """The unit's section [Service]; of what stands there twice, the last."""
    parsed = configparser.ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(_text("deploy/auria.service"))
    return parsed["Service"]


def test_the_unit_keeps_the_daemons_times(unit: Mapping[str, str]):
    """A tick that waits for the database does not look dead, and who is told to stop may take the time that the settings give."""
    slow_tick = HEARTBEAT + BUSY_TIMEOUT + CONNECT_TIMEOUT
    assert int(unit["WatchdogSec"]) >= 3 * slow_tick
    to_stop = DaemonSettings().stop_timeout + HEARTBEAT + BUSY_TIMEOUT + daemon._PATIENCE
    assert int(unit["TimeoutStopSec"]) >= to_stop
    told = re.search(r"stop_timeout seconds more \((\d+)\): keep this (\d+) above it", _text("deploy/auria.service"))
    assert told is not None
    assert int(told[1]) == DaemonSettings().stop_timeout
    assert int(told[1]) + int(told[2]) == int(unit["TimeoutStopSec"])
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    composed = yaml.safe_load(_text("compose.yaml"))["services"]["auria"]["stop_grace_period"]
    assert int(composed.removesuffix("s")) >= to_stop
    assert all(int(given) >= to_stop for given in re.findall(r"--stop-timeout (\d+)", _text("Dockerfile")))


def test_the_unit_speaks_the_daemons_language(unit: Mapping[str, str]):
    """Systemd learns that the daemon is ready, alive and stopping; SIGHUP reads checked settings."""
    assert (unit["Type"], unit["NotifyAccess"]) == ("notify", "main")
    said = _text("auria_bot/daemon.py")
    assert all(re.search(rf'\bnotify_service_manager\(f?"{word}=1', said) for word in ("READY", "WATCHDOG", "STOPPING"))
    reload = re.findall(r"^ExecReload=(.*)$", _text("deploy/auria.service"), re.MULTILINE)
    assert [line.split()[0] for line in reload] == ["/bin/sh", "/bin/kill"]
    assert "auria config" in reload[0]
    assert "-HUP $MAINPID" in reload[1]
    home = Path("/var/lib") / unit["StateDirectory"]
    assert unit["Environment"] == f"AURIA_HOME={home}"
    assert f"AURIA_HOME={home} " in _text("deploy/auria.service")  # in the command for the operator too


def test_the_unit_is_hardened(unit: Mapping[str, str]):
    """The unit runs as its own user, with a protected file system and without privileges."""
    assert unit["User"] == "auria"
    assert (unit["ProtectSystem"], unit["NoNewPrivileges"], unit["CapabilityBoundingSet"]) == ("strict", "true", "")
    assert "MemoryDenyWriteExecute" not in unit  # the runtimes write machine code
    assert "ProcSubset" not in unit  # they read /proc/cpuinfo


def test_the_proxy_lets_pictures_through():
    """Each path that takes pictures has as much room in nginx.conf as the web site gives it."""
    location = re.search(r"location ~ (\S+) \{\s*client_max_body_size (\d+)m;", _text("deploy/nginx.conf"))
    assert location is not None
    for path, largest in app._larger_bodies(CaptionSettings()).items():
        assert re.search(location[1], path)
        assert largest <= int(location[2]) * 2**20


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", ["auria.service", "auria-web.service", "auria-serve.service"])
def test_systemd_takes_the_unit(tmp_path: Path, name: str):
    """Its own checker finds no fault, and it counts as little exposed: 1.1 of 10 by systemd 252."""
    copy = tmp_path / name
    copy.write_text(_text(f"deploy/{name}").replace("/opt/auria/bin/auria", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert name not in done.stdout + done.stderr
    weighed = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", weighed.stdout)
    if exposure is None:
        pytest.skip("this systemd-analyze does not weigh a unit that is not loaded")
    assert float(exposure[1]) < 2


@pytest.mark.slow
@pytest.mark.skipif(not caged.is_possible(), reason="systemd-analyze or libseccomp is not installed")
def test_the_units_filter_lets_auria_work(tmp_path: Path):
    """Under the unit's system call filter an artwork is made, approved and posted, and the home is backed up."""
    cage = [sys.executable, "-m", "tests.acceptance.caged", str(DEPLOY / "auria.service")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AURIA_")}
    environment |= {"AURIA_HOME": str(tmp_path / "home")}
    told = subprocess.run([*cage, "chown", "1", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode != 0
    assert "not permitted" in told.stderr
    for words in ("make --seed 1", "approve 1", "publish", "db backup", "daemon --once"):
        done = subprocess.run(
            [*cage, sys.executable, "-m", "auria_bot", *words.split()],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{words}: {done.stderr[-2000:]}"
        assert "not permitted" not in done.stderr.lower()


def _used(expression: str) -> set[str]:
    return set(re.findall(r"\bauria_[a-z_]+", expression))


def _labels(expression: str) -> set[str]:
    """The labels of an expression's figures; none is `job`, which Prometheus keeps for itself."""
    known = set[str]().union(*(FIGURES[name] for name in _used(expression)))
    assert "job" not in known
    return known


def test_alerts_and_dashboard_ask_for_figures_that_there_are():
    """Every name and label of Auria's in them is one that /metrics tells, and every figure is shown."""
    board = json.loads(_text("deploy/grafana-dashboard.json"))
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = re.findall(r"expr: (.*)", _text("deploy/prometheus-rules.yml"))
    for expression in (*expressions, *rules):
        assert _used(expression) - set(FIGURES) == set()
        for name, labels in re.findall(r"(auria_[a-z_]+)\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)=", labels)) <= _labels(name)
        for grouped in re.findall(r"\bby \(([^)]*)\)", expression):
            assert set(grouped.split(", ")) <= _labels(expression)
    assert set().union(*map(_used, expressions)) == set(FIGURES)


def test_the_dashboard_hangs_together():
    """Panels lie side by side, each with its source, and say only labels that their expressions keep."""
    board = json.loads(_text("deploy/grafana-dashboard.json"))
    sources = {f"${{{one['name']}}}" for one in board["templating"]["list"] if one["type"] == "datasource"}
    taken = set[tuple[int, int]]()
    for panel in board["panels"]:
        at = panel["gridPos"]
        squares = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not squares & taken
        taken |= squares
        assert panel["datasource"]["uid"] in sources
        for target in panel["targets"]:
            assert target["datasource"]["uid"] in sources
            kept = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", target["expr"])[:1])))
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def _alerts(text: str) -> list[str]:
    return re.findall(r"\balert: (\w+)", text)


def test_every_alert_is_tried():
    """By a case in which it comes; each says how grave it is, what is the matter and what to do."""
    rules = _text("deploy/prometheus-rules.yml")
    alerts = _alerts(rules)
    assert len(set(alerts)) == len(alerts)
    for part in re.split(r"- alert: ", rules)[1:]:
        assert re.search(r"severity: (critical|warning|info)\b", part)
        assert all(f" {word}: " in part for word in ("summary", "action"))
    tried = re.findall(r"alertname: (\w+)\n +exp_alerts:\n", _text("tests/acceptance/prometheus-rules.test.yml"))
    assert set(tried) == set(alerts)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_alerts_and_panels(tmp_path: Path):
    """By its own checker; and the alerts come when they should, and only then, in its own trial."""
    board = json.loads(_text("deploy/grafana-dashboard.json"))
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    records = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(expressions)]
    panels = tmp_path / "panels.yml"
    panels.write_text(json.dumps({"groups": [{"name": "panels", "rules": records}]}))  # JSON is YAML too
    for words in (
        ("check", "rules", "deploy/prometheus-rules.yml"),
        ("check", "rules", str(panels)),
        ("test", "rules", "tests/acceptance/prometheus-rules.test.yml"),
    ):
        done = subprocess.run(["promtool", *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


class _Pulse:
    """A health endpoint that reports problems."""

    def look(self) -> HealthReport:
        return HealthReport(troubles=("no daemon",))

    def metrics(self) -> str:
        from auria_bot.telemetry import Sample, exposition

        overdue = Sample(metric="auria_job_overdue", labels={"name": "make"}, value=1)
        return exposition([Sample(metric="auria_healthy", labels={}, value=0), overdue])


def _asked(url: str) -> Mapping[str, object]:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - this machine's own
        return json.loads(answer.read())["data"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed")
def test_a_real_prometheus_scrapes_and_warns(tmp_path: Path):
    """After one scrape of an endpoint with problems the alerts are pending, and a job's alert names the job."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with HealthServer(_Pulse(), "127.0.0.1:0") as beacon:
        config = tmp_path / "prometheus.yml"
        target = beacon.url.removeprefix("http://")
        config.write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: [{DEPLOY / 'prometheus-rules.yml'}]\n"
            f"scrape_configs: [{{job_name: auria, static_configs: [{{targets: ['{target}']}}]}}]\n"
        )
        server = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            alerts: dict[str, dict[str, str]] = {}
            until = time.monotonic() + 60
            while not {"AuriaUnwell", "AuriaJobOverdue"} <= alerts.keys() and time.monotonic() < until:
                time.sleep(0.5)
                try:
                    told = _asked(f"http://127.0.0.1:{port}/api/v1/alerts")["alerts"]
                    alerts = {one["labels"]["alertname"]: one["annotations"] for one in told}
                except OSError:
                    continue  # it is not up yet
            assert "AuriaUnwell" in alerts
            assert alerts["AuriaJobOverdue"]["summary"] == "The job make is overdue"
            found = _asked(f"http://127.0.0.1:{port}/api/v1/query?query=auria_healthy")["result"]
            assert [one["value"][1] for one in found] == ["0"]
        finally:
            server.terminate()
            server.wait(20)
