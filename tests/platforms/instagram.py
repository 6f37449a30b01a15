"""Instagram's private API on this machine, as far as the package instagrapi uses it: the app's login, uploads, posts.

It decrypts the password as the real one does, asks for a second factor, ends sessions, and can put a challenge before
everything until the account's owner confirms. It refuses unknown fields, unknown sessions and pictures or words beyond its
limits. A proxy before it fails at any byte.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import io
import itertools
import json
import re
import struct
import threading
import time
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from tests.platforms import FAULTS
from tests.platforms.feed import Feed
from tests.platforms.http_server import HttpServer
from tests.platforms.proxy import FaultyProxy, json_answer

if TYPE_CHECKING:
    from tests.platforms.proxy import Answer

__all__ = ["InstagramPlatform"]

CONFIGURE_FIELDS = {
    "_uuid",
    "device_id",
    "timezone_offset",
    "camera_model",
    "camera_make",
    "scene_type",
    "nav_chain",
    "usertags",
    "date_time_original",
    "date_time_digitalized",
    "creation_logger_session_id",
    "scene_capture_type",
    "software",
    "multi_sharing",
    "location",
    "media_folder",
    "source_type",
    "caption",
    "upload_id",
    "device",
    "edits",
    "extra",
    "custom_accessibility_caption",
}
LOGIN_ACTION = "com.bloks.www.bloks.caa.login.async.send_login_request"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class _Wrong(Exception):
    """An answer that is an error."""

    def __init__(self, status: int, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message, "status": "fail", **extra}


class InstagramPlatform(Feed):
    """One account, and the app's servers."""

    backend = "instagram"
    faults = (*FAULTS, "challenge", "feedback", "logged-out", "wait")

    username = "auria.art"
    password = "an old pond, a frog"  # noqa: S105 - of the stand-in
    number = "50123456789"
    seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

    def __init__(self) -> None:
        self.sessions: set[str] = set()
        self.devices: list[str] = []  # that logged in, in order
        self.logins = 0  # passwords that were sent here
        self.two_factor = False
        self.challenged = False
        self.uploads: dict[str, bytes] = {}
        self.media: list[dict[str, Any]] = []  # the oldest first
        self.calls: list[tuple[str, str]] = []
        self.followers = 314
        self._faults: list[str] = []
        self._numbers = itertools.count(3_400_000_000_000_000_001)
        self._contexts: set[str] = set()
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        self._server = HttpServer(self._answer).__enter__()
        wait = {"message": "Please wait a few minutes before you try again.", "status": "fail"}
        self.proxy = FaultyProxy(
            self._server.port,
            mutation=lambda method, path: method == "POST" and path.endswith("/media/configure/"),
            answers={
                "401": lambda: json_answer(401, {"message": "unauthorized", "status": "fail"}),
                "403": lambda: json_answer(403, {"message": "forbidden", "status": "fail"}),
                "429": lambda: json_answer(429, wait | {"message": "too many requests"}, Retry_After="1800"),
            },
        )
        self.proxy.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.__exit__()
        self._server.__exit__()

    def options(self) -> dict[str, Any]:
        """Point a channel here."""
        return {
            "accept_risk": True,
            "username": self.username,
            "address": self.proxy.address,
            "delay": (0.0, 0.0),
            "timeout": 3.0,
            "settle": 0.1,
            "login_wait": 0.1,
        }

    def secrets(self) -> dict[str, str]:
        """The account's password."""
        return {"password": self.password, **({"totp_seed": self.seed} if self.two_factor else {})}

    def confirm(self) -> None:
        """The owner does in the app what it asks."""
        self.challenged = False

    def end_sessions(self) -> None:
        """Log every device out."""
        self.sessions.clear()

    def _answer(self, method: str, target: str, headers: Any, content: bytes) -> Answer:
        parts = urlsplit(target)
        try:
            with self._lock:
                self.calls.append((method, parts.path))
                if parts.path == "/api/v1/qe/sync/" and method == "GET":
                    return json_answer(200, {"status": "ok"}, **_public_key())
                body = self._call(method, parts.path.removeprefix("/api/v1/"), parts.query, headers, content)
                return json_answer(200, {"status": "ok", **body}, ig_set_x_mid="aStandInMid")
        except _Wrong as wrong:
            return json_answer(wrong.status, wrong.body)

    def _call(self, method: str, path: str, query: str, headers: Any, content: bytes) -> dict[str, Any]:
        app = headers.get("User-Agent", "").startswith("Instagram ")
        if not app or not headers.get("Host", "").endswith("instagram.com"):
            raise _Wrong(400, "useragent mismatch")
        form = {} if path.startswith("/rupload") else dict(parse_qsl(content.decode(), keep_blank_values=True))
        if path == "/graphql_www":
            return self._registered(form)
        if path.startswith("bloks/"):
            return self._bloks(path, form, headers)
        if path == "attestation/create_android_keystore/":
            return {"challenge_nonce": "nonce-1", "key_nonce": "nonce-2"}
        if path == "launcher/sync/":
            return {}
        if path == "accounts/login/":
            self._entered(_signed(form))
            raise _Wrong(400, "Please use the newer way in", error_type="needs_upgrade")
        self._known(headers)
        return self._inside(method, path, query, form, headers, content)

    def _inside(  # noqa: PLR0911 - one an endpoint
        self, method: str, path: str, query: str, form: dict[str, str], headers: Any, content: bytes
    ) -> dict[str, Any]:
        """What needs a session."""
        if path in {"feed/reels_tray/", "feed/timeline/"} and method == "POST":
            return {"feed_items": [], "tray": []}
        if path == "accounts/current_user/" and query == "edit=true":
            return {"user": {"pk": self.number, "username": self.username}}
        if path == f"users/{self.number}/info/":
            counts = {"follower_count": self.followers, "media_count": len(self.media)}
            return {"user": {"pk": self.number, "username": self.username, **counts}}
        if path.startswith("/rupload_igphoto/") and method == "POST":
            return self._uploaded(headers, content)
        if path == "media/configure/" and method == "POST":
            return self._configured(_signed(form))
        if (found := re.fullmatch(r"media/(\d+)_(\d+)/delete/", path)) and method == "POST":
            return self._deleted(found[1], found[2], _signed(form))
        if path == f"feed/user/{self.number}/":
            return self._listed(dict(parse_qsl(query)))
        if found := re.fullmatch(r"media/(\d+)/info/", path):
            for one in self.media:
                if one["id"] == found[1]:
                    return {"items": [_public(one)], "num_results": 1}
            raise _Wrong(400, "Media not found or unavailable")
        raise _Wrong(404, "there is no such endpoint")

    def _listed(self, query: dict[str, str]) -> dict[str, Any]:
        """A page of the account's posts, the newest first."""
        start, size = int(query.get("max_id", "0")), int(query.get("count", "12"))
        items = [_public(one) for one in self.media[::-1][start : start + size]]
        if start + size >= len(self.media):
            return {"items": items, "more_available": False}
        return {"items": items, "more_available": True, "next_max_id": str(start + size)}

    def _registered(self, form: dict[str, str]) -> dict[str, Any]:
        given = json.loads(form.get("variables", "{}"))
        if form.get("fb_api_req_friendly_name") != "IGUSDIDRegistrationMutation" or "usdid_token" not in given["input"]:
            raise _Wrong(400, "unknown query")
        return {"data": {"xdt_usdid_registration(input:$input)": {"success": True}}}

    def _bloks(self, path: str, form: dict[str, str], headers: Any) -> dict[str, Any]:
        action = path.rstrip("/").rpartition("/")[2]
        params = json.loads(form["params"])
        inputs, server = params.get("client_input_params", {}), params.get("server_params", {})
        if action.endswith("process_client_data_and_redirect"):
            return _payload(data=[{"data": {"key": "CAA_ACCOUNT_ACCESS_CONTEXT:aac", "initial": "aac-1"}}])
        if action == LOGIN_ACTION:
            if inputs.get("aac") != "aac-1" or "nonce-1" not in headers.get("X-IG-Attest-Params", ""):
                raise _Wrong(400, "the device did not introduce itself")
            return self._login(inputs)
        if "two_step_verification" in action:
            if server.get("two_step_verification_context") not in self._contexts:
                raise _Wrong(400, "unknown context")
            if action.endswith("verify_code.async"):
                if inputs.get("code") not in _codes(self.seed):
                    raise _Wrong(400, "This code is not valid", error_type="invalid_verficaition_code")
                return self._session(inputs["device_id"])
        return _payload()

    def _login(self, inputs: dict[str, Any]) -> dict[str, Any]:
        right = self._entered({"username": inputs["contact_point"], "enc_password": inputs["password"]})
        if self.challenged:
            raise self._challenge()
        if not right:
            raise _Wrong(400, "The password you entered is incorrect.", error_type="bad_password")
        if self.two_factor:
            context = f"context-{self.logins}"
            self._contexts.add(context)
            return _payload(two_step_verification_context=context)
        return self._session(inputs["device_id"])

    def _entered(self, given: dict[str, Any]) -> bool:
        """Whether name and password are right; counted."""
        self.logins += 1
        return given.get("username") == self.username and _decrypted(given["enc_password"]) == self.password

    def _session(self, device: str) -> dict[str, Any]:
        session = f"{self.number}%3Asession{self.logins:04d}{'x' * 20}"
        self.sessions.add(session)
        self.devices.append(device)
        data = base64.b64encode(json.dumps({"ds_user_id": self.number, "sessionid": session}).encode()).decode()
        told = {
            "login_response": json.dumps({"logged_in_user": {"pk": self.number}, "status": "ok"}),
            "headers": json.dumps({"IG-Set-Authorization": f"Bearer IGT:2:{data}", "ig-set-ig-u-rur": "RVA,1"}),
            "cookies": "",
        }
        return _payload(
            action=f"(bk.action.caa.HandleLoginResponse (bk.action.tree.Make {json.dumps(json.dumps(told))}))"
        )

    def _known(self, headers: Any) -> None:
        given = headers.get("Authorization", "").rpartition(":")[2]
        try:
            session = json.loads(base64.b64decode(given)).get("sessionid")
        except ValueError:
            session = None
        if session not in self.sessions:
            raise _Wrong(403, "login_required", error_title="You've Been Logged Out", logout_reason=8)
        if self.challenged:
            raise self._challenge()

    def _challenge(self) -> _Wrong:
        path = f"/challenge/{self.number}/PlWAX2OMVk/"
        return _Wrong(
            400,
            "challenge_required",
            error_type="checkpoint_challenge_required",
            challenge={"url": f"https://i.instagram.com{path}", "api_path": path, "native_flow": False, "lock": True},
        )

    def _uploaded(self, headers: Any, content: bytes) -> dict[str, Any]:
        from PIL import Image

        params = json.loads(headers["X-Instagram-Rupload-Params"])
        if int(headers["X-Entity-Length"]) != len(content) or len(content) > 8 * 1024 * 1024:
            raise _Wrong(400, "the picture's length is wrong")
        try:
            with Image.open(io.BytesIO(content)) as image:
                kind, width, height = image.format, image.width, image.height
        except (OSError, SyntaxError):
            kind, width, height = None, 1, 1
        if kind != "JPEG" or not 0.79 <= width / height <= 1.92 or max(width, height) > 1440:
            raise _Wrong(400, "bad image input")
        self.uploads[params["upload_id"]] = content
        return {"upload_id": params["upload_id"]}

    def _configured(self, given: dict[str, Any]) -> dict[str, Any]:
        if unknown := set(given) - CONFIGURE_FIELDS:
            raise _Wrong(400, f"unknown fields: {sorted(unknown)}")
        fault = self._faults.pop(0) if self._faults else ""
        if fault == "challenge":
            self.challenged = True
            raise self._challenge()
        if fault == "feedback":
            raise _Wrong(400, "feedback_required", feedback_message="We restrict certain activity.", spam=True)
        if fault == "logged-out":
            self.sessions.clear()
            raise _Wrong(403, "login_required", logout_reason=8)
        if fault == "wait":
            raise _Wrong(400, "Please wait a few minutes before you try again.")
        if len(given["caption"]) > 2200 or given["caption"].count("#") > 30:
            raise _Wrong(400, "caption_too_long")
        upload = given["upload_id"]
        if upload not in self.uploads:
            raise _Wrong(400, "media_needs_reupload")
        one = {
            "id": str(next(self._numbers)),
            "caption": given["caption"],
            "upload": upload,
            "at": int(time.time()),
            "alt_text": given.get("custom_accessibility_caption", ""),
            "likes": 0,
            "picture": self.uploads[upload],
        }
        self.media.append(one)
        return {"media": _public(one), "upload_id": upload}

    def _deleted(self, number: str, owner: str, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("media_id") != f"{number}_{owner}" or owner != self.number:
            raise _Wrong(400, "You cannot delete this media")
        kept = [one for one in self.media if one["id"] != number]
        if len(kept) == len(self.media):
            raise _Wrong(400, "Media not found or unavailable")
        self.media = kept
        return {"did_delete": True}


def _public(one: dict[str, Any]) -> dict[str, Any]:
    number, code = int(one["id"]), ""
    while number:
        number, digit = divmod(number, 64)
        code = ALPHABET[digit] + code
    return {
        "pk": int(one["id"]),
        "id": f"{one['id']}_{InstagramPlatform.number}",
        "code": code,
        "taken_at": one["at"],
        "device_timestamp": int(one["upload"]),
        "media_type": 1,
        "like_count": one["likes"],
        "comment_count": 2,
        "caption": {"text": one["caption"]},
        "user": {"pk": InstagramPlatform.number, "username": "auria.art"},
        "accessibility_caption": one["alt_text"],
    }


def _payload(**values: Any) -> dict[str, Any]:
    return {"layout": {"bloks_payload": {"data": [], **values}}}


def _signed(form: dict[str, str]) -> dict[str, Any]:
    mark, _, text = form.get("signed_body", "").partition(".")
    if mark != "SIGNATURE":
        raise _Wrong(400, "the body is not signed")
    try:
        return dict(json.loads(text))
    except ValueError:
        return dict(json.loads(unquote_plus(text)))


@functools.cache
def _key() -> Any:
    from Cryptodome.PublicKey import RSA

    return RSA.generate(1024)  # noqa: S505 - quick, and for the tests' own password only


def _public_key() -> dict[str, str]:
    pem = base64.b64encode(_key().public_key().export_key()).decode()
    return {"ig-set-password-encryption-key-id": "41", "ig-set-password-encryption-pub-key": pem}


def _decrypted(given: str) -> str:
    """The password in "#PWD_INSTAGRAM:4:time:payload"."""
    from Cryptodome.Cipher import AES, PKCS1_v1_5

    _, version, moment, payload = given.split(":", 3)
    raw = base64.b64decode(payload)
    size = int.from_bytes(raw[14:16], "little")
    secret = PKCS1_v1_5.new(_key()).decrypt(raw[16 : 16 + size], b"")
    cipher = AES.new(secret, AES.MODE_GCM, raw[2:14])
    cipher.update(moment.encode())
    text = cipher.decrypt_and_verify(raw[32 + size :], raw[16 + size : 32 + size]).decode()
    return text if version == "4" and abs(time.time() - int(moment)) < 600 else ""


def _codes(seed: str) -> set[str]:
    """The codes of this half minute and its neighbours (RFC 6238)."""
    key, found = base64.b32decode(seed), set()
    for step in (-1, 0, 1):
        digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30 + step), hashlib.sha1)
        start = digest[-1] & 15
        found.add(f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}")
    return found
