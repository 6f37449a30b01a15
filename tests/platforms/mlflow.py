"""MLflow's tracking server: a stand-in that answers what a registry of models asks, and the real one from its own environment."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.platforms.http_server import HttpServer

if TYPE_CHECKING:
    from tests.platforms.proxy import Answer

__all__ = ["MlflowStandIn", "RealMlflow", "real_program"]

_API, _FILES = "/api/2.0/mlflow/", "/api/2.0/mlflow-artifacts/artifacts"


class MlflowStandIn:
    """Experiments, runs, registered models with numbered versions, and files, in memory; numbers are given one at a time."""

    def __init__(self) -> None:
        self.experiments: list[str] = []
        self.runs: dict[str, dict[str, Any]] = {}
        self.models: dict[str, list[dict[str, Any]]] = {}
        self.aliases: dict[tuple[str, str], str] = {}
        self.files: dict[str, bytes] = {}
        self.authorizations: set[str] = set()
        self.is_away = False
        self.refused_aliases = 0  # so many times the next ones are refused, as those of two that set one at once
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._server = HttpServer(self._answer).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    @property
    def address(self) -> str:
        """Where it listens."""
        return self._server.address

    def _answer(self, method: str, target: str, headers: Any, content: bytes) -> Answer:
        if self.is_away:
            return 503, {}, b"away"
        self.authorizations.add(headers.get("Authorization", ""))
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self._lock:
            if parts.path.startswith(_FILES):
                return self._file(method, unquote(parts.path.removeprefix(_FILES)).strip("/"), query, content)
            asked = json.loads(content) if content else query
            name = parts.path.removeprefix(_API).replace("/", "_").replace("-", "_")
            found = getattr(self, "_" + ("delete_" * (method == "DELETE")) + name)(asked)
        status, body = found if isinstance(found, tuple) else (200, found)
        return status, {"Content-Type": "application/json"}, json.dumps(body).encode()

    def _file(self, method: str, path: str, query: dict[str, str], content: bytes) -> Answer:
        if method == "PUT":
            self.files[path] = content
            return 200, {}, b""
        if method == "DELETE":
            del self.files[path]
            return 200, {}, b"{}"
        if path:
            return (200, {}, self.files[path]) if path in self.files else (404, {}, b"{}")
        above = query["path"] + "/"
        names = {name.removeprefix(above).split("/", 1)[0]: name for name in self.files if name.startswith(above)}
        rows = [{"path": name, "is_dir": full != above + name} for name, full in sorted(names.items())]
        return 200, {}, json.dumps({"files": rows}).encode()

    def _experiments_get_by_name(self, asked: dict[str, Any]) -> Any:
        name = asked["experiment_name"]
        if name not in self.experiments:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no such experiment"}
        return {"experiment": {"experiment_id": str(self.experiments.index(name)), "name": name}}

    def _experiments_create(self, asked: dict[str, Any]) -> Any:
        if asked["name"] in self.experiments:
            return 400, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "there already"}
        self.experiments.append(asked["name"])
        return {"experiment_id": str(len(self.experiments) - 1)}

    def _runs_create(self, asked: dict[str, Any]) -> Any:
        run = f"run{len(self.runs)}"
        self.runs[run] = {**asked, "metrics": [], "params": []}
        place = f"mlflow-artifacts:/{asked['experiment_id']}/{run}/artifacts"
        return {"run": {"info": {"run_id": run, "artifact_uri": place}}}

    def _runs_log_batch(self, asked: dict[str, Any]) -> Any:
        for kind in ("metrics", "params"):
            self.runs[asked["run_id"]][kind] += asked[kind]
        return {}

    def _runs_update(self, asked: dict[str, Any]) -> Any:
        self.runs[asked["run_id"]] |= asked
        return {}

    def _registered_models_create(self, asked: dict[str, Any]) -> Any:
        if asked["name"] in self.models:
            return 400, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "there already"}
        self.models[asked["name"]] = []
        return {}

    def _registered_models_search(self, asked: dict[str, Any]) -> Any:
        prefix = asked["filter"].split("'")[1].rstrip("%")
        return {"registered_models": [{"name": name} for name in self.models if name.startswith(prefix)]}

    def _registered_models_alias(self, asked: dict[str, Any]) -> Any:
        if self.refused_aliases:
            self.refused_aliases -= 1
            return 400, {"error_code": "BAD_REQUEST", "message": "(sqlite3.IntegrityError) UNIQUE constraint failed"}
        self.aliases[asked["name"], asked["alias"]] = asked["version"]
        return {}

    def _delete_registered_models_alias(self, asked: dict[str, Any]) -> Any:
        self.aliases.pop((asked["name"], asked["alias"]), None)
        return {}

    def _model_versions_create(self, asked: dict[str, Any]) -> Any:
        rows = self.models[asked["name"]]
        rows.append({**asked, "version": str(len(rows) + 1)})
        return {"model_version": rows[-1]}

    def _model_versions_search(self, asked: dict[str, Any]) -> Any:
        """Two at a time, the newest first."""
        rows = self.models.get(asked["filter"].split("'")[1], [])[::-1]
        at = int(asked.get("page_token", 0))
        more = {"next_page_token": str(at + 2)} if at + 2 < len(rows) else {}
        return {"model_versions": rows[at : at + 2], **more}


def real_program() -> Path | None:
    """MLflow's program in the environment of the tools; None where it was not installed."""
    found = Path(__file__).resolve().parents[2] / ".venv-mlflow" / "bin" / "mlflow"
    return found if found.is_file() else None


class RealMlflow:
    """The real server with SQLite and a folder of files; it can be stopped and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as found:
            self.address = f"http://127.0.0.1:{found.getsockname()[1]}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers; its database and its first answer take up to a minute on a busy machine."""
        command = [str(real_program()), "server", "--host", "127.0.0.1", "--port", self.address.rpartition(":")[2]]
        command += ["--backend-store-uri", f"sqlite:///{self._folder / 'mlflow.db'}", "--workers", "1"]
        command += ["--artifacts-destination", str(self._folder / "files")]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder, start_new_session=True)
        for _ in range(1200):
            if self._process.poll() is not None:
                break
            try:
                for asked in ("registered-models/search", "experiments/search?max_results=1"):  # both import at first
                    urllib.request.urlopen(f"{self.address}{_API}{asked}", timeout=120).close()  # noqa: S310 - of this machine
            except (OSError, urllib.error.URLError):
                time.sleep(0.25)
            else:
                return
        raise RuntimeError((self._folder / "log").read_text(errors="replace")[-1000:])

    def stop(self) -> None:
        """End it and its workers."""
        import os
        import signal

        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
