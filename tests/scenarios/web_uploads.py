"""Uploads that are meant to exhaust the web site: bombs, bodies without end, forms of endless parts, files of nobody with a key."""

from __future__ import annotations

import io
import itertools
import socket
import struct
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.scenarios.attacked_site import Answer, Site

__all__ = ["UPLOADS", "multipart"]

_BOUNDARY = "AuriaBoundary"
_WAIT = 60.0  # seconds
_BY_REST = {"/api/v1/captions": "caption", "/api/v1/styles?style=cezanne": "restyle"}  # what takes pictures: its scope


def multipart(content: bytes, *, filename: str = "mine.jpg", field: str = "picture") -> tuple[bytes, str]:
    """The body of a form with one file, and its content type."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{filename}"\r\n\r\n'
    return head.encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={_BOUNDARY}"


def _bring(site: Site, content: bytes, *, filename: str = "mine.jpg") -> Answer:
    body, kind = multipart(content, filename=filename)
    return site.ask("POST", "/captions", body, Content_Type=kind)


def _png(width: int, height: int) -> bytes:
    """A PNG file whose pixels are all black, so that it is small."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" * (width // 8 + 1)
    packer, pixels = zlib.compressobj(9), bytearray()
    for _ in range(height):
        pixels += packer.compress(row)
    pixels += packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", bytes(pixels)) + chunk(b"IEND", b"")


def _frames(count: int) -> bytes:
    """An animated GIF file."""
    buffer, frames = io.BytesIO(), [Image.new("RGB", (64, 64), (n % 256, 0, 99)) for n in range(count)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def _bombs(site: Site) -> str:
    """Pictures of too many pixels or frames, other kinds of files, damaged ones: to caption and to restyle."""
    jpeg = io.BytesIO()
    Image.new("RGB", (64, 64)).save(jpeg, "JPEG")
    files = {
        "900 megapixels": _png(30_000, 30_000),
        "a line of a million pixels": _png(1_000_000, 100),
        "a claim of 4 gigapixels": b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", 65_500, 65_500, 8, 6, 0, 0, 0, 0),
        "300 frames": _frames(300),
        "half a picture": jpeg.getvalue()[:300],
        "a page": b"<html><script>alert(1)</script>",
        "a drawing": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "a program": b"\x7fELF" + b"\0" * 100,
        "an archive": b"PK\x03\x04" + b"\0" * 100,
        "nothing": b"",
        "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    }
    wrong = list[str]()
    for path, scope in _BY_REST.items():  # so that what is refused is refused for what it is
        key = {"Authorization": f"Bearer {site.keys[scope]}"}
        if (status := site.ask("POST", path, jpeg.getvalue(), **key).status) not in {200, 503}:
            wrong.append(f"a sound picture to {path}: {status}")
    for name, content in files.items():
        status = _bring(site, content).status
        if status != 422:
            wrong.append(f"{name}: {status}")
        for path, scope in _BY_REST.items():
            key = {"Authorization": f"Bearer {site.keys[scope]}"}
            if (status := site.ask("POST", path, content, **key).status) != 422:
                wrong.append(f"{name} to {path}: {status}")
    return ", ".join(wrong)


def _names(site: Site) -> str:
    """Names of files that are paths or markup; what the model server says is no markup either."""
    jpeg = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(jpeg, "JPEG")
    for name in ("../../../../tmp/x.jpg", "<x-injected>.jpg", "a" * 4000, "nul\0.jpg", "/etc/passwd"):
        answer = _bring(site, jpeg.getvalue(), filename=name)
        if answer.status not in {200, 400} or "<x-injected" in answer.text:
            return f"{name[:20]!r}: {answer.status}"
    return ""


def _send(site: Site, head: str, body: bytes = b"", *, most: int = 0) -> bytes:
    """Send a request's head and a body that has no end if `most` is given; the first bytes of the answer."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=_WAIT) as line:
        line.sendall(head.encode())
        sent = 0
        with suppress(OSError):
            while sent < most:
                line.sendall(body)
                sent += len(body)
        with suppress(OSError):
            return line.recv(4096)
    return b""


def _too_large(site: Site) -> str:
    """Bodies over the limit: refused by their head, or while they arrive; odd lengths."""
    wrong, host = list[str](), "Host: 127.0.0.1\r\n"
    chunk = b"10000\r\n" + b"\0" * 65_536 + b"\r\n"
    for path in ("/captions", *_BY_REST, "/desk/sign-in", "/studio", "/api/v1/runs", "/nowhere"):
        scope = _BY_REST.get(path, "caption")
        key = f"Authorization: Bearer {site.keys[scope]}\r\nContent-Type: application/octet-stream\r\n"
        declared = _send(site, f"POST {path} HTTP/1.1\r\n{host}{key}Content-Length: 90000000\r\n\r\n")
        if b" 413 " not in declared[:20]:
            wrong.append(f"{path} declared: {declared[:20]!r}")
        kind = key if path.startswith("/api") else "Content-Type: application/x-www-form-urlencoded\r\n"
        endless = _send(
            site, f"POST {path} HTTP/1.1\r\n{host}{kind}Transfer-Encoding: chunked\r\n\r\n", chunk, most=9_000_000
        )
        if endless and not any(
            status in endless[:20] for status in (b" 413 ", b" 400 ", b" 401 ", b" 403 ", b" 404 ", b" 405 ")
        ):
            wrong.append(f"{path} in parts: {endless[:20]!r}")
    for length in ("-1", "1e9", "0x10", "99999999999999999999", "1, 1000000000"):
        odd = _send(site, f"POST /captions HTTP/1.1\r\n{host}Content-Length: {length}\r\n\r\n")
        if not any(status in odd[:20] for status in (b" 400 ", b" 413 ")):
            wrong.append(f"length {length}: {odd[:20]!r}")
    both = f"POST /studio HTTP/1.1\r\n{host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n"
    if b" 200 " in _send(site, both)[:20]:
        wrong.append("two lengths")
    return ", ".join(wrong)


def _endless_forms(site: Site) -> str:
    """Forms of very many fields or parts, and nested values."""
    wrong = list[str]()
    kind = "application/x-www-form-urlencoded"
    parts = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'.encode() * 2500
    tests = {
        "fields": ("/desk/sign-in", b"a&" * 120_000, kind),
        "parts": ("/captions", parts + f"--{_BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={_BOUNDARY}"),
        "no end of parts": ("/captions", parts[:2000], f"multipart/form-data; boundary={_BOUNDARY}"),
        "no boundary": ("/captions", parts[:2000], "multipart/form-data"),
        "nested": ("/api/v1/runs", b"[" * 200_000, "application/json"),
        "large numbers": ("/api/v1/runs", b'{"seed":' + b"9" * 100_000 + b"}", "application/json"),
    }
    for name, (path, body, content_type) in tests.items():
        key = {"Authorization": f"Bearer {site.keys['make']}"} if path.startswith("/api") else {}
        answer = site.ask("POST", path, body, source="127.2.0.1", Content_Type=content_type, **key)
        if answer.status not in {400, 403, 413, 422, 429}:
            wrong.append(f"{name}: {answer.status}")
    return ", ".join(wrong)


def _without_a_key(site: Site) -> str:
    """A picture for the REST interface without a right key is refused before it is sent."""
    wrong = list[str]()
    keys = {"no": "", "a wrong": "auria_" + "A" * 43, "a lesser": site.keys["read"]}
    for path, (name, key) in itertools.product(_BY_REST, keys.items()):
        shown = f"Authorization: Bearer {key}\r\n" if key else ""
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{shown}Content-Length: 1900000\r\n\r\n"
        with socket.create_connection(("127.0.0.1", site.port), timeout=_WAIT / 2) as line:
            line.sendall(head.encode())
            try:
                found = line.recv(4096)[:20]
            except TimeoutError:
                found = b"it waits for the picture"
        if not any(status in found for status in (b" 401 ", b" 403 ", b" 429 ")):
            wrong.append(f"{path} with {name} key: {found!r}")
    return ", ".join(wrong)


UPLOADS: dict[str, Callable[[Site], str]] = {
    "bombs": _bombs,
    "names of files": _names,
    "bodies that are too large": _too_large,
    "endless forms": _endless_forms,
    "pictures without a key": _without_a_key,
}
"""Every upload."""
