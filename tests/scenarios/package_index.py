"""A package index on the loopback interface that offers small wheels made on the spot and notes which projects it is asked for."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PackageIndex", "Release", "lock"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """A release of a project: a wheel that holds one empty module."""

    name: str
    version: str
    requires: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The wheel's file name."""
        return f"{self.name.replace('-', '_')}-{self.version}-py3-none-any.whl"

    @property
    def wheel(self) -> bytes:
        """The wheel's bytes, the same for every call."""
        module, folder = self.name.replace("-", "_"), f"{self.name.replace('-', '_')}-{self.version}.dist-info"
        metadata = [
            "Metadata-Version: 2.1",
            f"Name: {self.name}",
            f"Version: {self.version}",
            *(f"Provides-Extra: {extra}" for extra in self.extras),
            *(f"Requires-Dist: {wanted}" for wanted in self.requires),
        ]
        files = {
            f"{module}.py": "",
            f"{folder}/METADATA": "\n".join(metadata) + "\n",
            f"{folder}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        files[f"{folder}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{folder}/RECORD"))
        with io.BytesIO() as buffer:
            with zipfile.ZipFile(buffer, "w") as archive:
                for name, text in files.items():
                    archive.writestr(zipfile.ZipInfo(name), text)
            return buffer.getvalue()

    @property
    def digest(self) -> str:
        """The wheel's SHA-256 in hexadecimal."""
        return hashlib.sha256(self.wheel).hexdigest()


def lock(releases: Iterable[Release]) -> str:
    """The text of a lock that pins these releases by version and hash."""
    return "".join(
        f"{release.name}=={release.version} \\\n    --hash=sha256:{release.digest}\n" for release in releases
    )


class PackageIndex:
    """A context in which the releases can be installed from `url`; `asked` gathers the names of the projects looked up."""

    def __init__(self, releases: Iterable[Release]) -> None:
        self._files = {release.file: release for release in releases}
        self.asked: set[str] = set()
        index = self

        class Handler(BaseHTTPRequestHandler):
            """Serves `/simple/NAME/` as PEP 503 describes it, and the wheels."""

            def do_GET(self) -> None:
                body = index._answer(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                """Keep the test's output free of requests."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/simple"

    def _answer(self, path: str) -> bytes | None:
        *_, folder, name = path.rstrip("/").split("/")
        if folder == "simple":
            self.asked.add(name)
            found = [file for file, release in self._files.items() if release.name == name]
            links = "".join(f'<a href="/files/{file}">{file}</a>\n' for file in found)
            return f"<!DOCTYPE html><html><body>{links}</body></html>".encode() if found else None
        return self._files[name].wheel if name in self._files else None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, name="package-index", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
