"""The part of MLflow's REST interface that a registry of models needs, without MLflow's package.

Runs with their figures and files, registered models and their versions, as the server of MLflow 2 and 3 answers them
(mlflow.org/docs/latest/rest-api.html). The server must keep the files itself, which it does by default
(--serve-artifacts).
"""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar
from urllib.parse import quote, urlencode

from pydantic import AliasPath, BaseModel, ConfigDict, Field, ValidationError

from auria_bot.errors import NotFound, RegistryAway
from auria_bot.url_validation import checked_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
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
_DEEPEST: Final = 30  # folders within each other; a model has two
_BATCH: Final = 500  # most metrics in one request; the server takes 1,000


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the password to another server."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Part(BaseModel):
    """A part of an answer; what is not needed is left out, and numbers may be given as text or text as numbers."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class _Experiment(_Part):
    experiment_id: str = Field(validation_alias=AliasPath("experiment", "experiment_id"))


class _Run(_Part):
    run_id: str = Field(validation_alias=AliasPath("run", "info", "run_id"))
    artifact_uri: str = Field(validation_alias=AliasPath("run", "info", "artifact_uri"))


class _Model(_Part):
    name: str


class _Tag(_Part):
    key: str
    value: str = ""


class _Version(_Part):
    version: int
    source: str = ""
    tags: tuple[_Tag, ...] = ()


class _Appended(_Part):
    version: int = Field(validation_alias=AliasPath("model_version", "version"))


class _Page(_Part):
    next_page_token: str = ""


class _Models(_Page):
    registered_models: tuple[_Model, ...] = ()


class _Versions(_Page):
    model_versions: tuple[_Version, ...] = ()


class _File(_Part):
    path: str = Field(pattern=r"^[^\x00]*$")
    is_dir: bool = False


class _Files(_Part):
    files: tuple[_File, ...] = ()


_Kind = TypeVar("_Kind", bound=_Part)
_Listed = TypeVar("_Listed", bound=_Page)


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

    def start_run(self, experiment: str, name: str) -> tuple[str, str]:
        """Begin a run; its id, and the address of its files. Raises RegistryAway, as every method does."""
        found = self._call("GET", "experiments/get-by-name", query={"experiment_name": experiment}, missing={})
        if not found:
            self._create("experiments/create", {"name": experiment})
            found = self._call("GET", "experiments/get-by-name", query={"experiment_name": experiment})
        number = self._parsed(_Experiment, found).experiment_id
        asked = {"experiment_id": number, "run_name": name, "start_time": _now()}
        made = self._parsed(_Run, self._call("POST", "runs/create", asked))
        return made.run_id, made.artifact_uri

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

    def models(self, prefix: str) -> list[str]:
        """The names of the registered models that begin with a prefix."""
        pages = self._pages(_Models, "registered-models/search", {"filter": f"name LIKE '{prefix}%'"})
        return [row.name for page in pages for row in page.registered_models]

    def create_version(self, model: str, *, run: str, source: str, tags: Mapping[str, str]) -> int:
        """Append a version to a registered model, which is made where it is missing; its number, from 1."""
        asked = {
            "name": model,
            "run_id": run,
            "source": source,
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        self._create("registered-models/create", {"name": model})
        return self._parsed(_Appended, self._call("POST", "model-versions/create", asked)).version

    def versions(self, model: str) -> list[tuple[int, str, dict[str, str]]]:
        """Number, source and tags of each version of a registered model, in the order in which they came."""
        pages = self._pages(_Versions, "model-versions/search", {"filter": f"name='{model}'"})
        found = [
            (row.version, row.source, {tag.key: tag.value for tag in row.tags})
            for page in pages
            for row in page.model_versions
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

    def delete(self, source: str) -> None:
        """Delete the files at an address; files that are gone are no error."""
        for name in list(self._listed(_path(source), "")):
            self._ask("DELETE", f"{_ARTIFACTS}/{quote(_path(source))}/{quote(name)}").close()

    def _listed(self, path: str, below: str) -> Iterator[str]:
        """The files at a path with their folders."""
        place = f"{path}/{below}".rstrip("/")
        with self._ask("GET", f"{_ARTIFACTS}?{urlencode({'path': place})}") as answer:
            rows = self._parsed(_Files, self._read(answer)).files
        if below.count("/") > _DEEPEST:
            self._away("its folders lie within each other without end")
        for row in rows:
            name = f"{below}/{row.path.rpartition('/')[2]}".lstrip("/")
            if row.is_dir:
                yield from self._listed(path, name)
            else:
                yield name

    def _pages(self, kind: type[_Listed], method: str, query: Mapping[str, str]) -> Iterator[_Listed]:
        token, seen = "", set[str]()
        while token not in seen:
            seen.add(token)
            asked = {**query, "max_results": str(_PAGE)} | ({"page_token": token} if token else {})
            found = self._parsed(kind, self._call("GET", method, query=asked))
            yield found
            if not (token := found.next_page_token):
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

    def _parsed(self, kind: type[_Kind], found: Mapping[str, Any]) -> _Kind:
        """An answer as it must be.

        Raises:
            RegistryAway: it lacks what is needed.
        """
        try:
            return kind.model_validate(found)
        except ValidationError as error:
            at = ".".join(map(str, error.errors(include_url=False)[0]["loc"]))
            self._away(f"its answer lacks what is needed: {at}")

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
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return "", content[:100].decode(errors="replace")
    return str(found.get("error_code", "")), str(found.get("message", ""))[:200]


def _path(address: str) -> str:
    """The path of files that the server keeps."""
    if not address.startswith(_SCHEME):
        raise RegistryAway(
            f"the registry keeps its files at {address[:80]!r}, which only it can reach",
            hint="start the server with --serve-artifacts and an --artifacts-destination",
        )
    return address.removeprefix(_SCHEME).strip("/")


def _now() -> int:
    return int(time.time() * 1000)
