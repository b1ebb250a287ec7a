"""The matrix of faults: when each occurs, and the expected result.

The tests and ``docs/reliability.md`` are generated from it. Reading faults occur at the source
registry, writing faults at the target registry.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal

from ghcrctl.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    DeniedError,
    DigestMismatchError,
    GhcrctlError,
    InvalidManifestError,
    InvalidResponseError,
    ManifestUnknownError,
    ProxyError,
    RateLimitedError,
    RedirectError,
    RegistryUnavailableError,
    SizeMismatchError,
    TimedOutError,
    TlsError,
    UnauthorizedError,
    UnsupportedError,
)
from ghcrctl.oci import media_types
from tests.builders import random_image
from tests.registry_double import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_double import RegistryDouble

Side = Literal["reading", "writing"]
Faults = Mapping[str, object]
# More attempts than any command makes.
FOR_EVER = 99
# Seconds. The sessions of the tests drop a silent connection earlier.
SILENCE = 1.2
PATIENCE = 0.5
SEGMENT = 64 * 1024
IMAGE = random_image(1, 5 * SEGMENT, seed=1)
LAYER, LAYER_BYTES = IMAGE.blobs[0]
CONFIG = IMAGE.blobs[1][0]
_LAYER, _CONFIG = LAYER.digest.encoded, CONFIG.digest.encoded


@dataclass(frozen=True, slots=True)
class Moment:
    """The request at which a fault occurs.

    Args:
        name: as shown in the table.
        side: which registry.
        method: of the request.
        path: a part of the request's path.
        host: ``storage`` where the bytes themselves come from.
        chunks: whether layers are sent in pieces.
        each: how many pieces of content it concerns.
    """

    name: str
    side: Side
    method: str
    path: str
    host: str = "registry"
    chunks: bool = False
    each: int = 1


TOKEN = Moment("token", "reading", "GET", "/token")
MANIFEST = Moment("manifest", "reading", "GET", "/manifests/1.0")
CONFIG_READ = Moment("config", "reading", "GET", _CONFIG, "storage")
ADDRESS = Moment("layer URL", "reading", "GET", f"/blobs/sha256:{_LAYER}")
LAYER_READ = Moment("layer", "reading", "GET", _LAYER, "storage")
TOKEN_TO_WRITE = Moment("token", "writing", "GET", "/token")
QUESTION = Moment("existence check", "writing", "HEAD", f"/blobs/sha256:{_LAYER}")
BEGIN = Moment("start of an upload", "writing", "POST", "/blobs/uploads/", each=2)
UPLOAD = Moment("upload", "writing", "PUT", "/blobs/uploads/", each=2)
CHUNK = Moment("chunk of an upload", "writing", "PATCH", "/blobs/uploads/", chunks=True)
END = Moment("end of an upload", "writing", "PUT", "/blobs/uploads/", chunks=True, each=2)
PUT = Moment("manifest", "writing", "PUT", "/manifests/1.0")
READING = (TOKEN, MANIFEST, CONFIG_READ, ADDRESS, LAYER_READ)
WRITING = (TOKEN_TO_WRITE, QUESTION, BEGIN, UPLOAD, CHUNK, END, PUT)


@dataclass(frozen=True, slots=True)
class Case:
    """One fault at one request.

    Args:
        what: what goes wrong, as shown in the table.
        moment: when.
        outcome: the error that ends the operation; ``None`` where it succeeds.
        fault: the misfortune, but for the moment.
        mood: what the registry does by itself: an attribute of its moods, and its value.
        limited: whether the person's limit of tries holds for it.
        patience: seconds without a byte after which the person gives a connection up.
        arrives: whether the target has the image all the same, since an answer is wrong or late.
    """

    what: str
    moment: Moment
    outcome: type[GhcrctlError] | None
    fault: Faults = field(default_factory=dict)
    mood: tuple[str, int] | None = None
    limited: bool = True
    patience: float = 5.0
    arrives: bool = False

    @property
    def name(self) -> str:
        """The name of the test."""
        return f"{self.moment.name}: {self.what}"

    @property
    def operations(self) -> tuple[str, ...]:
        """The operations that the fault affects."""
        return ("pull", "copy") if self.moment.side == "reading" else ("push", "copy")

    def strike(self, registry: RegistryDouble, repository: str) -> Fault | None:
        """Let the fault occur in a repository."""
        if self.mood:
            setattr(registry.moods, *self.mood)
            return None
        moment = self.moment
        given = {key: _filled(value, registry.url, repository) for key, value in self.fault.items()}
        fault = Fault(method=moment.method, path_contains=moment.path, host=moment.host, **given)  # type: ignore[arg-type]
        registry.faults.append(fault)
        return fault


def _filled(value: object, url: str, repository: str) -> object:
    """Insert the URL of the registry and the name of the repository into headers."""
    if not isinstance(value, dict):
        return value
    return {
        key: str(text).replace("REGISTRY", url).replace("NAME", repository)
        for key, text in value.items()
    }


def _later(seconds: float) -> str:
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)


_STATUSES: tuple[tuple[int, type[GhcrctlError]], ...] = (
    (408, TimedOutError),
    (429, RateLimitedError),
    (500, RegistryUnavailableError),
    (502, RegistryUnavailableError),
    (503, RegistryUnavailableError),
    (504, RegistryUnavailableError),
    (499, RegistryUnavailableError),
    (520, RegistryUnavailableError),
)
_CHALLENGE = {
    "WWW-Authenticate": 'Bearer realm="REGISTRY/token",service="ghcr.io",'
    'scope="repository:NAME:pull,push"'
}


def _everywhere(moment: Moment) -> Iterator[Case]:
    """Yield the faults of any request."""
    for status, error in _STATUSES:
        yield Case(f"{status} once", moment, None, {"status": status})
        yield Case(f"{status} always", moment, error, {"status": status, "times": FOR_EVER})
    yield Case("connection closed once", moment, None, {"hang_up": True})
    yield Case(
        "connection closed always",
        moment,
        ConnectionLostError,
        {"hang_up": True, "times": FOR_EVER},
    )
    yield Case("no response once", moment, None, {"delay": SILENCE}, patience=PATIENCE)
    silent = {"delay": SILENCE, "times": FOR_EVER}
    # What is written is written, though nobody says so.
    arrives = moment is PUT
    yield Case(
        "no response always", moment, TimedOutError, silent, patience=PATIENCE, arrives=arrives
    )


def _answers(moment: Moment) -> Iterator[Case]:
    """Yield the faults of responses with a body."""
    yield Case("cut after 20 bytes, once", moment, None, {"cut_after": 20})
    yield Case(
        "cut after 20 bytes, always",
        moment,
        ConnectionLostError,
        {"cut_after": 20, "times": FOR_EVER},
    )
    yield Case(
        "stalls after 50 bytes, once",
        moment,
        None,
        {"stall_after": 50, "delay": SILENCE},
        patience=PATIENCE,
    )
    yield Case("slow response", moment, None, {"drip": 200 if moment is not LAYER_READ else 40_000})


def _waits() -> Iterator[Case]:
    """Yield each form of a rate limit."""
    waits = {
        "0 seconds": {"Retry-After": "0"},
        "a date": {"Retry-After": _later(0)},
        "a date in the past": {"Retry-After": _later(-3600)},
        "an invalid value": {"Retry-After": "soon"},
    }
    for what, headers in waits.items():
        yield Case(
            f"429, Retry-After: {what}", LAYER_READ, None, {"status": 429, "headers": headers}
        )
    for what, asked in (("an hour", "3600"), ("tomorrow", _later(86400))):
        fault: Faults = {"status": 429, "headers": {"Retry-After": asked}}
        yield Case(f"429, Retry-After: {what}", LAYER_READ, RateLimitedError, fault)
    yield Case("429 in the format of ghcr.io", MANIFEST, None, mood=("rate_limited", 1))


def _refusals() -> Iterator[Case]:
    for moment in (MANIFEST, ADDRESS, QUESTION, BEGIN, UPLOAD, CHUNK, END, PUT):
        fault: Faults = {"status": 401, "headers": _CHALLENGE}
        yield Case("401: token expired", moment, None, fault)
        yield Case(
            "401 always",
            moment,
            DeniedError if moment.side == "reading" else UnauthorizedError,
            {**fault, "times": FOR_EVER},
            limited=False,
        )
    for moment in (MANIFEST, ADDRESS, BEGIN, UPLOAD, PUT):
        yield Case("403", moment, DeniedError, {"status": 403, "times": FOR_EVER})
    yield Case("404", MANIFEST, ManifestUnknownError, {"status": 404, "times": FOR_EVER})
    yield Case("expired signed URL", LAYER_READ, None, mood=("expired", 1))


def _lies() -> Iterator[Case]:
    """Yield wrong content."""
    wrong = bytes([LAYER_BYTES[0] ^ 1]) + LAYER_BYTES[1:]
    bodies: tuple[tuple[str, bytes, type[GhcrctlError]], ...] = (
        ("wrong bytes", wrong, DigestMismatchError),
        ("too few bytes", LAYER_BYTES[:-7], SizeMismatchError),
        ("too many bytes", LAYER_BYTES + b"x", SizeMismatchError),
    )
    for what, body, error in bodies:
        fault = {"body": body, "times": FOR_EVER, "no_range": True}
        yield Case(what, LAYER_READ, error, fault)
        yield Case(f"{what}, once", LAYER_READ, None, {**fault, "times": 1})
    yield Case("wrong bytes, once", CONFIG_READ, None, {"body": b"{}"})
    yield Case("wrong bytes, once", MANIFEST, None, {"body": b"{}"})
    yield Case("wrong bytes", CONFIG_READ, SizeMismatchError, {"body": b"{}", "times": FOR_EVER})
    yield Case("wrong bytes", MANIFEST, DigestMismatchError, {"body": b"{}", "times": FOR_EVER})
    nothing = json.dumps({"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST}).encode()
    headers = {"Docker-Content-Digest": "", "Content-Type": media_types.OCI_MANIFEST}
    invalid = {"body": nothing, "headers": headers, "times": FOR_EVER}
    yield Case("invalid manifest", MANIFEST, InvalidManifestError, invalid)
    yield Case("invalid JSON", TOKEN, InvalidResponseError, {"body": b"<html>", "times": FOR_EVER})


def _ranges() -> Iterator[Case]:
    """Yield the faults of a layer that is read in ranges."""
    yield Case("200 instead of 206", LAYER_READ, None, {"no_range": True, "times": FOR_EVER})
    yield Case("another ETag for a range", LAYER_READ, None, {"headers": {"ETag": "x"}, "after": 1})
    span = {"headers": {"Content-Range": "bytes 7-9/10"}, "after": 1}
    yield Case("another range than requested", LAYER_READ, None, span)
    yield Case("a range is cut", LAYER_READ, None, {"cut_after": 100, "after": 2})
    yield Case("416 for a range", LAYER_READ, None, {"status": 416, "after": 1})


def _redirects() -> Iterator[Case]:
    for status in (403, 404, 405, 501):
        part = {"status": status, "after": 1}
        yield Case(f"{status} for a range", LAYER_READ, None, part)
    for what, target in (
        ("to a file", "file:///etc/passwd"),
        ("in a loop", "?again"),
        ("to an invalid URL", "http://[::1"),
    ):
        fault = {"status": 307, "headers": {"Location": target}, "times": FOR_EVER}
        yield Case(f"redirects {what}", ADDRESS, RedirectError, fault, limited=False)


def _uploads() -> Iterator[Case]:
    """Yield the faults of uploads."""
    yield Case("cut after 100,000 bytes", UPLOAD, None, {"cut_after": 100_000})
    yield Case("cut in a chunk", CHUNK, None, {"cut_after": 1000, "after": 1})
    yield Case("only a part of a chunk is accepted", CHUNK, None, {"takes": 1000, "after": 1})
    yield Case("404: unknown upload", CHUNK, None, {"status": 404, "after": 1})
    yield Case("404: unknown upload", END, None, {"status": 404})
    gone = {"status": 404, "times": FOR_EVER}
    yield Case("404: unknown upload, always", CHUNK, RegistryUnavailableError, gone)
    yield Case("413: request too large", UPLOAD, None, {"status": 413})
    yield Case("416: request too large", UPLOAD, None, {"status": 416})
    yield Case(
        "405: no chunked uploads", CHUNK, None, {"status": 405, "times": FOR_EVER}, limited=False
    )
    blob = b'{"errors":[{"code":"DIGEST_INVALID","message":"invalid digest"}]}'
    wrong = {"status": 400, "body": blob, "times": FOR_EVER}
    yield Case("400: wrong digest", UPLOAD, InvalidResponseError, wrong)
    unknown = b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}'
    lag = {"status": 404, "body": unknown}
    yield Case("404: uploaded blob unknown", PUT, None, lag)
    invalid = b'{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid"}]}'
    refused = {"status": 400, "body": invalid, "times": FOR_EVER}
    yield Case("400: manifest invalid", PUT, InvalidResponseError, refused)
    other = {"headers": {"Docker-Content-Digest": f"sha256:{'0' * 64}"}, "times": FOR_EVER}
    yield Case("another digest in the response", PUT, InvalidResponseError, other, arrives=True)
    away = {"headers": {"Location": "ftp://example.com/"}, "times": FOR_EVER}
    yield Case("invalid upload URL", BEGIN, InvalidResponseError, away)
    none = {"status": 405, "times": FOR_EVER}
    yield Case("405: no uploads", BEGIN, UnsupportedError, none)


def _all() -> Iterator[Case]:
    for moment in (*READING, *WRITING):
        yield from _everywhere(moment)
    for moment in (TOKEN, MANIFEST, CONFIG_READ, LAYER_READ):
        yield from _answers(moment)
    yield from _waits()
    yield from _refusals()
    yield from _lies()
    yield from _ranges()
    yield from _redirects()
    yield from _uploads()


CASES = tuple(_all())

# Hosts that cannot be talked to at all: what, address, the environment's proxy, the error.
DEAD: tuple[tuple[str, str, str, type[GhcrctlError]], ...] = (
    ("connection refused", "127.0.0.1:9", "", ConnectionFailedError),
    ("name does not resolve", "registry.invalid", "", ConnectionFailedError),
    ("proxy refuses the connection", "registry.example", "http://127.0.0.1:9", ProxyError),
    ("untrusted certificate", "TLS", "", TlsError),
)
