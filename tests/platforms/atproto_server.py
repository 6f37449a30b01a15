"""A stand-in for an account's server of the AT protocol (a PDS), and an AppView that counts what servers keep.

The server keeps accounts, tokens, blobs and records, and refuses what the real one refuses: wrong, unknown and expired
tokens, records beyond the lexicon's limits, blobs that it does not hold, a write over a record where none may stand. Beyond the
real one it refuses hashtags whose places in the text are wrong. The live tests run against a real PDS what the others run against this.

The AppView asks a server, this or a real one, for its accounts' public records, and counts likes, reposts, replies,
quotes and follows.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

import regex

from tests.platforms.http_server import HttpServer
from tests.platforms.proxy import json_answer
from tests.platforms.video import sent_video

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.platforms.proxy import Answer

__all__ = ["AppView", "PersonalServer", "XrpcError", "ask"]

TID = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
POST = "app.bsky.feed.post"
LONGEST = 1_000_000  # bytes of a picture, on older servers
LONGEST_FILM = 50_000_000  # bytes of a film, on older servers


class XrpcError(Exception):
    """An answer that is an error."""

    def __init__(self, error: str, message: str, status: int = 400) -> None:
        super().__init__(f"{error}: {message}")
        self.error, self.message, self.status = error, message, status


def ask(
    address: str, method: str, *, body: object = None, content: bytes | None = None, token: str = "", **params: str
) -> dict[str, Any]:
    """One call of XRPC, as a client of no library makes it.

    Raises:
        XrpcError: the server said no.
    """
    query = f"?{urllib.parse.urlencode(params)}" if params else ""
    data = content if content is not None else None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}/xrpc/{method}{query}", data=data)  # noqa: S310 - loopback
    if data is not None:
        request.add_header("Content-Type", "application/json" if content is None else "image/jpeg")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - loopback
            return json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        with error:
            said = json.loads(error.read() or b"{}")
        raise XrpcError(said.get("error", ""), said.get("message", ""), error.code) from None


class _Server:
    """Serves `app.bsky...` and `com.atproto...` methods over HTTP; each is a method with underscores for the dots."""

    def __init__(self) -> None:
        self._http = HttpServer(self._answer)
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.__exit__()

    def _answer(self, _: str, target: str, headers: Any, content: bytes) -> Answer:
        path, _, query = target.partition("?")
        bearer = (headers.get("Authorization") or "").removeprefix("Bearer ")
        try:
            name = path.removeprefix("/xrpc/").replace(".", "_")
            method = getattr(self, name if name.startswith(("com_", "app_")) else "unknown", self.unknown)
            with self._lock:
                return json_answer(200, method(dict(urllib.parse.parse_qsl(query)), content, bearer, headers) or {})
        except XrpcError as error:
            return json_answer(error.status, {"error": error.error, "message": error.message})

    def unknown(self, *_: Any) -> dict[str, Any]:
        """A method that is not served."""
        raise XrpcError("MethodNotImplemented", "Method Not Implemented", 501)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._http.port

    @property
    def address(self) -> str:
        """The same, for clients."""
        return self._http.address


class PersonalServer(_Server):
    """Accounts and their records, in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._accounts: dict[str, dict[str, Any]] = {}  # by DID
        self._tokens: dict[str, tuple[str, str, float]] = {}  # token: DID, kind, end
        self._numbers = itertools.count(1)

    def expire(self) -> None:
        """Let every access token run out, though its own words say otherwise."""
        with self._lock:
            self._tokens = {
                token: (did, kind, 0.0 if kind == "access" else end) for token, (did, kind, end) in self._tokens.items()
            }

    def revoke(self) -> None:
        """Invalidate every token."""
        with self._lock:
            self._tokens.clear()

    def com_atproto_server_createAccount(self, _: dict, data: bytes, *__: Any) -> dict:  # noqa: N802
        given = json.loads(data)
        did = "did:plc:" + base64.b32encode(hashlib.sha256(given["handle"].encode()).digest()).decode()[:24].lower()
        if did in self._accounts:
            raise XrpcError("HandleNotAvailable", f"Handle already taken: {given['handle']}")
        self._accounts[did] = {
            "handle": given["handle"],
            "passwords": {given["password"]: "com.atproto.access"},
            "records": {},
            "blobs": {},
        }
        return self._session(did, "com.atproto.access")

    def com_atproto_server_createAppPassword(self, _: dict, data: bytes, bearer: str, *__: Any) -> dict:  # noqa: N802
        did = self._authorised(bearer, "access")
        password = "-".join(
            hashlib.sha256(f"{did}{next(self._numbers)}".encode()).hexdigest()[i : i + 4] for i in (0, 4, 8, 12)
        )
        self._accounts[did]["passwords"][password] = "com.atproto.appPass"
        return {"name": json.loads(data)["name"], "password": password}

    def com_atproto_server_createSession(self, _: dict, data: bytes, *__: Any) -> dict:  # noqa: N802
        given = json.loads(data)
        for did, account in self._accounts.items():
            if given["identifier"] in {did, account["handle"]} and given["password"] in account["passwords"]:
                return self._session(did, account["passwords"][given["password"]])
        raise XrpcError("AuthenticationRequired", "Invalid identifier or password", 401)

    def com_atproto_server_refreshSession(self, _: dict, __: bytes, bearer: str, *___: Any) -> dict:  # noqa: N802
        return self._session(self._authorised(bearer, "refresh"), "com.atproto.appPass")

    def com_atproto_server_getSession(self, _: dict, __: bytes, bearer: str, *___: Any) -> dict:  # noqa: N802
        did = self._authorised(bearer, "access")
        return {"did": did, "handle": self._accounts[did]["handle"], "active": True}

    def com_atproto_repo_uploadBlob(self, _: dict, data: bytes, bearer: str, headers: Any) -> dict:  # noqa: N802
        did = self._authorised(bearer, "access")
        blob = {
            "$type": "blob",
            "ref": {"$link": _cid(data, 0x55)},
            "mimeType": headers["Content-Type"],
            "size": len(data),
        }
        if blob["mimeType"].startswith("video/"):
            try:
                faults = sent_video(data).faults(most_bytes=100_000_000, seconds=(0.0, 180.0))
            except ValueError as error:
                faults = [str(error)]
            if faults:  # beyond the real one, whose video service refuses it later
                raise XrpcError("InvalidRequest", f"Not a video that can be processed: {faults}")
        self._accounts[did]["blobs"][blob["ref"]["$link"]] = blob
        return {"blob": blob}

    def com_atproto_repo_putRecord(self, _: dict, data: bytes, bearer: str, *__: Any) -> dict:  # noqa: N802
        given = json.loads(data)
        did = self._own(given, bearer)
        place = (given["collection"], given["rkey"])
        self._check(did, given)
        records = self._accounts[did]["records"]
        cid = _cid(json.dumps(given["record"], sort_keys=True).encode(), 0x71)
        there = records.get(place)
        swap = given.get("swapRecord")
        if swap is not None and not re.fullmatch(r"baf[a-z2-7]{56}", swap):
            raise XrpcError("InvalidRequest", f"Invalid CID string (got {swap!r}) at $.swapRecord")
        if "swapRecord" in given and (there["cid"] if there else None) not in {given["swapRecord"], cid}:
            raise XrpcError("InvalidSwap", f"Record was at {there['cid'] if there else 'null'}")
        records[place] = {"cid": cid, "value": given["record"]}
        return {"uri": f"at://{did}/{place[0]}/{place[1]}", "cid": cid, "validationStatus": "valid"}

    def com_atproto_repo_createRecord(self, _: dict, data: bytes, bearer: str, *__: Any) -> dict:  # noqa: N802
        given = json.loads(data)
        given.setdefault("rkey", _tid(next(self._numbers)))
        if (given["collection"], given["rkey"]) in self._accounts[self._own(given, bearer)]["records"]:
            raise XrpcError("InternalServerError", "Internal Server Error", 500)
        return self.com_atproto_repo_putRecord({}, json.dumps(given).encode(), bearer)

    def com_atproto_repo_deleteRecord(self, _: dict, data: bytes, bearer: str, *__: Any) -> dict:  # noqa: N802
        given = json.loads(data)
        self._accounts[self._own(given, bearer)]["records"].pop((given["collection"], given["rkey"]), None)
        return {}

    def com_atproto_repo_getRecord(self, params: dict, *_: Any) -> dict:  # noqa: N802
        uri = f"at://{params['repo']}/{params['collection']}/{params['rkey']}"
        found = self._account(params["repo"])["records"].get((params["collection"], params["rkey"]))
        if found is None:
            raise XrpcError("RecordNotFound", f"Could not locate record: {uri}")
        return {"uri": uri, **found}

    def com_atproto_repo_listRecords(self, params: dict, *_: Any) -> dict:  # noqa: N802
        did, kept = params["repo"], self._account(params["repo"])["records"]
        keys = sorted((key for collection, key in kept if collection == params["collection"]), reverse=True)
        keys = [key for key in keys if not params.get("cursor") or key < params["cursor"]][
            : int(params.get("limit", 50))
        ]
        records = [
            {"uri": f"at://{did}/{params['collection']}/{key}", **kept[params["collection"], key]} for key in keys
        ]
        return {"records": records, **({"cursor": keys[-1]} if keys else {})}

    def com_atproto_identity_resolveHandle(self, params: dict, *_: Any) -> dict:  # noqa: N802
        for did, account in self._accounts.items():
            if account["handle"] == params["handle"]:
                return {"did": did}
        raise XrpcError("InvalidRequest", "Unable to resolve handle")

    def com_atproto_sync_listRepos(self, *_: Any) -> dict:  # noqa: N802
        return {"repos": [{"did": did, "active": True} for did in self._accounts]}

    def _account(self, did: str) -> dict[str, Any]:
        if did not in self._accounts:
            raise XrpcError("InvalidRequest", f"Could not find repo: {did}")
        return self._accounts[did]

    def _session(self, did: str, scope: str) -> dict[str, Any]:
        handle = self._accounts[did]["handle"]
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.address}
        return {
            "did": did,
            "handle": handle,
            "active": True,
            "email": "a@example.org",
            "accessJwt": self._token(did, "access", scope),
            "refreshJwt": self._token(did, "refresh", "com.atproto.refresh"),
            "didDoc": {
                "@context": ["https://www.w3.org/ns/did/v1"],
                "id": did,
                "alsoKnownAs": [f"at://{handle}"],
                "verificationMethod": [],
                "service": [service],
            },
        }

    def _token(self, did: str, kind: str, scope: str) -> str:
        end = time.time() + (7200 if kind == "access" else 60 * 86400)
        payload = {
            "scope": scope,
            "sub": did,
            "iat": int(time.time()),
            "exp": int(end),
            "aud": "did:web:localhost",
            "jti": str(next(self._numbers)),
        }
        parts = [json.dumps({"typ": f"{kind}+jwt", "alg": "HS256"}).encode(), json.dumps(payload).encode()]
        parts.append(hashlib.sha256(b"not so secret" + parts[1]).digest())
        token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        self._tokens[token] = (did, kind, end)
        return token

    def _authorised(self, bearer: str, kind: str) -> str:
        if not bearer:
            raise XrpcError("AuthMissing", "Authentication Required", 401)
        did, known, end = self._tokens.get(bearer, ("", "", 0.0))
        if known != kind:
            raise XrpcError("InvalidToken", "Token could not be verified" if not known else "Bad token scope")
        if end < time.time():
            raise XrpcError("ExpiredToken", "Token has expired")
        return did

    def _own(self, given: dict[str, Any], bearer: str) -> str:
        did = self._authorised(bearer, "access")
        if given["repo"] not in {did, self._accounts[did]["handle"]}:
            raise XrpcError("AuthenticationRequired", "Authentication Required", 401)
        return did

    def _check(self, did: str, given: dict[str, Any]) -> None:
        """What the lexicon says about a record."""
        record, kind = given["record"], given["collection"]
        if kind.startswith("app.bsky.feed.") and not TID.fullmatch(given["rkey"]):
            raise XrpcError("InvalidRequest", f"Invalid rkey for {kind}")
        if record.get("$type", kind) != kind:
            raise XrpcError("InvalidRequest", f"Invalid $type: expected {kind}, got {record['$type']}")
        if kind == POST:
            for fault in _post_faults(record, self._accounts[did]["blobs"]):
                raise XrpcError("InvalidRequest", f"Invalid {POST} record: {fault}")


def _post_faults(record: dict[str, Any], blobs: dict[str, Any]) -> list[str]:
    """What is wrong with a post."""
    text, found = record["text"], list[str]()
    if len(text.encode()) > 3000:
        found.append("Record/text must not be longer than 3000 bytes")
    if len(regex.findall(r"\X", text)) > 300:
        found.append("Record/text must not be longer than 300 graphemes")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", record["createdAt"]):
        found.append("Record/createdAt must be an valid atproto datetime")
    elif datetime.fromisoformat(record["createdAt"]).tzinfo is None:
        found.append("Record/createdAt has no time zone")
    if len(record.get("langs", [])) > 3:
        found.append("Record/langs must not have more than 3 elements")
    for facet in record.get("facets", []):
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        tag = facet["features"][0]["tag"]
        if text.encode()[start:end].decode("utf-8", "replace") != f"#{tag}":
            found.append(f"Record/facets do not mark #{tag}")
        if len(regex.findall(r"\X", tag)) > 64 or len(tag.encode()) > 640:
            found.append("Record/facets tag must not be longer than 64 graphemes")
    images = record.get("embed", {}).get("images", [])
    if len(images) > 4:
        found.append("Record/embed/images must not have more than 4 elements")
    for image in images:
        blob = image["image"]
        if not isinstance(image.get("alt"), str):
            found.append('Record/embed/images must have the property "alt"')
        if any(
            not isinstance(image["aspectRatio"][side], int) or image["aspectRatio"][side] < 1
            for side in ("width", "height")
        ):
            found.append("Record/embed/images/aspectRatio can not be less than 1")
        if blobs.get(blob["ref"]["$link"]) != blob:
            found.append(f"Could not find blob: {blob['ref']['$link']}")
        if blob["size"] > LONGEST:
            found.append(f"This file is too large. It is {blob['size']} but the maximum size is {LONGEST}.")
        if not blob["mimeType"].startswith("image/"):
            found.append(f"Wrong type of file. It is {blob['mimeType']} but it must match image/*.")
    return found + _film_faults(record.get("embed", {}), blobs)


def _film_faults(embed: dict[str, Any], blobs: dict[str, Any]) -> list[str]:
    """What is wrong with a post's video."""
    if embed.get("$type") != "app.bsky.embed.video":
        return []
    blob, found = embed["video"], list[str]()
    alt = embed.get("alt", "")
    if len(regex.findall(r"\X", alt)) > 1000 or len(alt.encode()) > 10_000:
        found.append("Record/embed/alt must not be longer than 1000 graphemes")
    if any(not isinstance(embed["aspectRatio"][side], int) for side in ("width", "height")):
        found.append("Record/embed/aspectRatio must be integers")
    if blobs.get(blob["ref"]["$link"]) != blob:
        found.append(f"Could not find blob: {blob['ref']['$link']}")
    if blob["mimeType"] != "video/mp4":
        found.append(f"Wrong type of file. It is {blob['mimeType']} but it must match video/mp4.")
    if blob["size"] > LONGEST_FILM:
        found.append(f"This file is too large. It is {blob['size']} but the maximum size is {LONGEST_FILM}.")
    return found


class AppView(_Server):
    """Counts what the accounts of a server did, from their public records."""

    def __init__(self, server: str) -> None:
        """Name the server's address."""
        super().__init__()
        self._server_address = server

    def app_bsky_feed_getPosts(self, params: dict, *_: Any) -> dict:  # noqa: N802
        found = []
        for uri in [params["uris"]]:
            did, collection, key = uri.removeprefix("at://").split("/")
            try:
                kept = ask(
                    self._server_address, "com.atproto.repo.getRecord", repo=did, collection=collection, rkey=key
                )
            except XrpcError:
                continue
            found.append(
                {
                    "$type": "app.bsky.feed.defs#postView",
                    "uri": uri,
                    "cid": kept["cid"],
                    "record": kept["value"],
                    "likeCount": self._count("app.bsky.feed.like", lambda record: record["subject"]["uri"], uri),
                    "repostCount": self._count("app.bsky.feed.repost", lambda record: record["subject"]["uri"], uri),
                    "replyCount": self._count(POST, lambda record: record["reply"]["parent"]["uri"], uri),
                    "quoteCount": self._count(POST, lambda record: record["embed"]["record"]["uri"], uri),
                }
            )
        return {"posts": found}

    def app_bsky_actor_getProfile(self, params: dict, *_: Any) -> dict:  # noqa: N802
        did = params["actor"]
        if not did.startswith("did:"):
            did = ask(self._server_address, "com.atproto.identity.resolveHandle", handle=did)["did"]
        return {
            "did": did,
            "followersCount": self._count("app.bsky.graph.follow", lambda record: record["subject"], did),
        }

    def _count(self, collection: str, subject: Callable[[dict], str], wanted: str) -> int:
        """How many accounts have a record there with that subject."""
        count = 0
        for repo in ask(self._server_address, "com.atproto.sync.listRepos", limit="1000")["repos"]:
            kept = ask(
                self._server_address,
                "com.atproto.repo.listRecords",
                repo=repo["did"],
                collection=collection,
                limit="100",
            )
            for record in kept["records"]:
                try:
                    if subject(record["value"]) == wanted:
                        count += 1
                        break
                except (KeyError, TypeError):
                    continue
        return count


def _cid(data: bytes, codec: int) -> str:
    digest = hashlib.sha256(data).digest()
    return "b" + base64.b32encode(bytes([1, codec, 0x12, 0x20]) + digest).decode().rstrip("=").lower()


def _tid(number: int) -> str:
    value = (int(time.time() * 1e6) << 10 | number & 0x3FF) & (1 << 63) - 1
    return "".join("234567abcdefghijklmnopqrstuvwxyz"[value >> shift & 31] for shift in range(60, -5, -5))
