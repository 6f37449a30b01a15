"""The part of MLflow's REST interface that a registry of models needs, without MLflow's package.

Runs with their figures and files, registered models and their versions, as the server of MLflow 2 and 3 answers them
(mlflow.org/docs/latest/rest-api.html). The server must keep the files itself, which it does by default
(--serve-artifacts).
"""

from __future__ import annotations

import base64
import functools
import http.client
import json
import shutil
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Concatenate, Final, NoReturn, ParamSpec, TypeVar
from urllib.parse import quote, urlencode

from auria_bot.errors import NotFound, RegistryAway
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from auria_bot.secret_store import SecretStore

__all__ = ["MlflowClient"]

_API: Final = "/api/2.0/mlflow/"
_ARTIFACTS: Final = "/api/2.0/mlflow-artifacts/artifacts"
_SCHEME: Final = "mlflow-artifacts:/"
_TIMEOUT: Final = 20.0  # seconds without an answer
_FILE_TIMEOUT: Final = 120.0  # seconds without progress, for files
_PAGE: Final = 200  # most versions in one answer
_LONGEST: Final = 64 << 20  # bytes of an answer in JSON
_BATCH: Final = 500  # most metrics in one request; the server takes 1,000


_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the password to another server."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _understood(method: Callable[Concatenate[MlflowClient, _Given], _Result]) -> Callable[..., _Result]:
    """A method that tells of an answer without what it needs, instead of failing on it."""

    @functools.wraps(method)
    def asked(client: MlflowClient, *args: _Given.args, **named: _Given.kwargs) -> _Result:
        try:
            return method(client, *args, **named)
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            client._away(f"its answer lacks what is needed: {type(error).__name__}")  # noqa: SLF001 - its own method

    return asked


class MlflowClient:
    """An MLflow server.

    Usage::

        run, files = client.start_run("auria-poet", "v3")
        client.upload(folder, files)
        version = client.create_version("auria-poet", run=run, source=files, tags={"sha256": "..."})
    """

    def __init__(self, address: str, *, secrets: SecretStore | None = None) -> None:
        """Use a server.

        Args:
            address: http or https.
            secrets: hold `token`, or `username` and `password`; read at each request.
        """
        self._address, self._secrets = address, secrets
        self._opener = urllib.request.build_opener(_NoRedirects())

    @_understood
    def start_run(self, experiment: str, name: str) -> tuple[str, str]:
        """Begin a run; its id, and the address of its files. Raises RegistryAway, as every method does."""
        found = self._call("GET", "experiments/get-by-name", query={"experiment_name": experiment}, missing={})
        if not found:
            self._create("experiments/create", {"name": experiment})
            found = self._call("GET", "experiments/get-by-name", query={"experiment_name": experiment})
        asked = {"experiment_id": found["experiment"]["experiment_id"], "run_name": name, "start_time": _now()}
        info = self._call("POST", "runs/create", asked)["run"]["info"]
        return str(info["run_id"]), str(info["artifact_uri"])

    def finish_run(
        self, run: str, *, settings: Mapping[str, Any], curves: Mapping[str, Sequence[tuple[int, float]]]
    ) -> None:
        """Record what a training was asked and its curves, and end the run."""
        params = [{"key": key, "value": str(value)[:500]} for key, value in settings.items()]
        points = [
            {"key": key, "value": value, "step": step, "timestamp": _now()}
            for key, curve in curves.items()
            for step, value in curve
        ]
        for at in range(0, max(1, len(points)), _BATCH):
            batch = {"run_id": run, "metrics": points[at : at + _BATCH], "params": [] if at else params}
            self._call("POST", "runs/log-batch", batch)
        self._call("POST", "runs/update", {"run_id": run, "status": "FINISHED", "end_time": _now()})

    @_understood
    def models(self, prefix: str) -> list[str]:
        """The names of the registered models that begin with a prefix."""
        rows = self._pages("registered-models/search", "registered_models", {"filter": f"name LIKE '{prefix}%'"})
        return [str(row["name"]) for row in rows]

    @_understood
    def create_version(self, model: str, *, run: str, source: str, tags: Mapping[str, str]) -> int:
        """Append a version to a registered model, which is made where it is missing; its number, from 1."""
        asked = {
            "name": model,
            "run_id": run,
            "source": source,
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        self._create("registered-models/create", {"name": model})
        return int(self._call("POST", "model-versions/create", asked)["model_version"]["version"])

    @_understood
    def versions(self, model: str) -> list[tuple[int, str, dict[str, str]]]:
        """Number, source and tags of each version of a registered model, in the order in which they came."""
        rows = self._pages("model-versions/search", "model_versions", {"filter": f"name='{model}'"})
        found = [
            (int(row["version"]), str(row.get("source", "")), {tag["key"]: tag["value"] for tag in row.get("tags", ())})
            for row in rows
        ]
        return sorted(found, key=lambda one: one[0])

    def set_alias(self, model: str, alias: str, version: int) -> None:
        """Name a version by an alias."""
        self._call("POST", "registered-models/alias", {"name": model, "alias": alias, "version": str(version)})

    def remove_alias(self, model: str, alias: str) -> None:
        """Take an alias away, where there is one."""
        self._call("DELETE", "registered-models/alias", {"name": model, "alias": alias}, missing={})

    def upload(self, folder: Path, target: str) -> None:
        """Copy the files of a folder to the address of files."""
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            place = f"{_ARTIFACTS}/{quote(_path(target))}/{quote(path.relative_to(folder).as_posix())}"
            with path.open("rb") as file:
                size = {"Content-Length": str(path.stat().st_size), "Content-Type": "application/octet-stream"}
                self._ask("PUT", place, file, headers=size, timeout=_FILE_TIMEOUT).close()

    @_understood
    def download(self, source: str, folder: Path) -> None:
        """Copy all files at an address into a folder.

        Raises:
            NotFound: there are none.
        """
        folder.mkdir(parents=True, exist_ok=True)
        files = list(self._listed(_path(source), ""))
        if not files:
            raise NotFound(f"the registry has no files at {source}")
        for name in files:
            target = folder / name
            if not target.resolve().is_relative_to(folder.resolve()):
                raise RegistryAway(f"the registry names a file outside its folder: {name[:80]!r}")
            target.parent.mkdir(parents=True, exist_ok=True)
            place = f"{_ARTIFACTS}/{quote(_path(source))}/{quote(name)}"
            with self._ask("GET", place, timeout=_FILE_TIMEOUT) as answer, target.open("wb") as file:
                shutil.copyfileobj(answer, file)

    @_understood
    def delete(self, source: str) -> None:
        """Delete the files at an address; files that are gone are no error."""
        for name in list(self._listed(_path(source), "")):
            self._ask("DELETE", f"{_ARTIFACTS}/{quote(_path(source))}/{quote(name)}").close()

    def _listed(self, path: str, below: str) -> Iterator[str]:
        """The files at a path with their folders."""
        place = f"{path}/{below}".rstrip("/")
        with self._ask("GET", f"{_ARTIFACTS}?{urlencode({'path': place})}") as answer:
            rows = self._read(answer).get("files", [])
        for row in rows:
            name = f"{below}/{row['path'].rpartition('/')[2]}".lstrip("/")
            if row.get("is_dir"):
                yield from self._listed(path, name)
            else:
                yield name

    def _pages(self, method: str, key: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        token, seen = "", set[str]()
        while token not in seen:
            seen.add(token)
            asked = {**query, "max_results": str(_PAGE)} | ({"page_token": token} if token else {})
            found = self._call("GET", method, query=asked)
            yield from found.get(key, ())
            if not (token := found.get("next_page_token", "")):
                return

    def _create(self, method: str, body: Mapping[str, Any]) -> None:
        """Make what may be there already."""
        self._call("POST", method, body, existing=True)

    def _call(
        self,
        verb: str,
        method: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        missing: dict[str, Any] | None = None,
        existing: bool = False,
    ) -> dict[str, Any]:
        """A call with JSON; `missing` is returned for what does not exist, {} for what may exist already."""
        content = None if body is None else json.dumps(body).encode()
        place = _API + method + (f"?{urlencode(query)}" if query else "")
        try:
            with self._ask(verb, place, content, headers={"Content-Type": "application/json"}) as answer:
                return self._read(answer)
        except _RequestRejected as error:
            if missing is not None and error.code == "RESOURCE_DOES_NOT_EXIST":
                return missing
            if existing and error.code == "RESOURCE_ALREADY_EXISTS":
                return {}
            raise

    def _read(self, answer: Any) -> dict[str, Any]:
        """An answer's object, read within a time and a length."""
        until, content = time.monotonic() + _TIMEOUT, bytearray()
        try:
            while part := answer.read1(1 << 16):
                content += part
                if len(content) > _LONGEST or time.monotonic() > until:
                    self._away("its answer is too long or too slow")
            found = json.loads(content)
        except (OSError, http.client.HTTPException) as error:
            self._away(str(error) or type(error).__name__)
        except (ValueError, RecursionError):
            self._away("it is no MLflow server: its answer is not JSON")
        if not isinstance(found, dict):
            self._away("it is no MLflow server: its answer is no JSON object")
        return found

    def _ask(
        self,
        verb: str,
        place: str,
        content: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float = _TIMEOUT,
    ) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the settings allow http and https only
            self._address + place, data=content, method=verb, headers={**(headers or {}), **self._authorization()}
        )
        try:
            return self._opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            with error:
                told = _told(error.read(4096))
            raise _RequestRejected(
                f"the registry at {self._address} refuses ({error.code}): {told[1]}", told[0]
            ) from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            self._away(str(getattr(error, "reason", error)) or type(error).__name__)

    def _authorization(self) -> dict[str, str]:
        if self._secrets is None:
            return {}
        token, name, password = (self._secrets.get(key) for key in ("token", "username", "password"))
        if token or (name and password):
            checked_address(self._address, setting="registry.address")  # no password over http to another machine
        if token:
            return {"Authorization": f"Bearer {token}"}
        if not name or not password:
            return {}
        return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}

    def _away(self, reason: str) -> NoReturn:
        raise RegistryAway(f"the registry at {self._address} does not answer ({reason[:200]})") from None


class _RequestRejected(RegistryAway):
    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def _told(content: bytes) -> tuple[str, str]:
    """The code and the message of an error's body."""
    try:
        found = json.loads(content)
        return str(found.get("error_code", "")), str(found.get("message", ""))[:200]
    except (ValueError, AttributeError):
        return "", content[:100].decode(errors="replace")


def _path(address: str) -> str:
    """The path of files that the server keeps.

    Raises:
        RegistryAway: they are elsewhere.
    """
    if not address.startswith(_SCHEME):
        raise RegistryAway(
            f"the registry keeps its files at {address[:80]!r}, which only it can reach",
            hint="start the server with --serve-artifacts and an --artifacts-destination",
        )
    return address.removeprefix(_SCHEME).strip("/")


def _now() -> int:
    return int(time.time() * 1000)
