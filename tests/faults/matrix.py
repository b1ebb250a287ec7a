"""What can go wrong, where, and what comes of it.

What belongs here: the matrix as data, from which the tests and ``docs/reliability.md`` are made.
Reading faults befall the registry that is pulled or copied from, writing faults the one that is
pushed or copied to.
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
# More than anybody tries.
FOR_EVER = 99
# Seconds; the sessions of the tests give a silent host up after less.
SILENCE = 1.2
PATIENCE = 0.5
SEGMENT = 64 * 1024
IMAGE = random_image(1, 5 * SEGMENT, seed=1)
LAYER, LAYER_BYTES = IMAGE.blobs[0]
CONFIG = IMAGE.blobs[1][0]
_LAYER, _CONFIG = LAYER.digest.encoded, CONFIG.digest.encoded


@dataclass(frozen=True, slots=True)
class Moment:
    """When a fault strikes.

    Args:
        name: for people.
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
ADDRESS = Moment("layer's address", "reading", "GET", f"/blobs/sha256:{_LAYER}")
LAYER_READ = Moment("layer", "reading", "GET", _LAYER, "storage")
TOKEN_TO_WRITE = Moment("token", "writing", "GET", "/token")
QUESTION = Moment("question what is there", "writing", "HEAD", f"/blobs/sha256:{_LAYER}")
BEGIN = Moment("upload's begin", "writing", "POST", "/blobs/uploads/", each=2)
UPLOAD = Moment("upload", "writing", "PUT", "/blobs/uploads/", each=2)
CHUNK = Moment("piece of an upload", "writing", "PATCH", "/blobs/uploads/", chunks=True)
END = Moment("upload's end", "writing", "PUT", "/blobs/uploads/", chunks=True, each=2)
PUT = Moment("manifest", "writing", "PUT", "/manifests/1.0")
READING = (TOKEN, MANIFEST, CONFIG_READ, ADDRESS, LAYER_READ)
WRITING = (TOKEN_TO_WRITE, QUESTION, BEGIN, UPLOAD, CHUNK, END, PUT)


@dataclass(frozen=True, slots=True)
class Case:
    """One misfortune at one moment.

    Args:
        what: what goes wrong, for people.
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
        """What it can befall."""
        return ("pull", "copy") if self.moment.side == "reading" else ("push", "copy")

    def strike(self, registry: RegistryDouble, repository: str) -> Fault | None:
        """Let it happen to a repository."""
        if self.mood:
            setattr(registry.moods, *self.mood)
            return None
        moment = self.moment
        given = {key: _filled(value, registry.url, repository) for key, value in self.fault.items()}
        fault = Fault(method=moment.method, path_contains=moment.path, host=moment.host, **given)  # type: ignore[arg-type]
        registry.faults.append(fault)
        return fault


def _filled(value: object, url: str, repository: str) -> object:
    """Put the registry's address, and the repository's name, into headers."""
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
    """Yield what can happen to every request."""
    for status, error in _STATUSES:
        yield Case(f"{status} once", moment, None, {"status": status})
        yield Case(f"{status} for ever", moment, error, {"status": status, "times": FOR_EVER})
    yield Case("hangs up once", moment, None, {"hang_up": True})
    yield Case(
        "hangs up for ever", moment, ConnectionLostError, {"hang_up": True, "times": FOR_EVER}
    )
    yield Case("silent once", moment, None, {"delay": SILENCE}, patience=PATIENCE)
    silent = {"delay": SILENCE, "times": FOR_EVER}
    # What is written is written, though nobody says so.
    arrives = moment is PUT
    yield Case("silent for ever", moment, TimedOutError, silent, patience=PATIENCE, arrives=arrives)


def _answers(moment: Moment) -> Iterator[Case]:
    """Yield what can happen to answers that have a body."""
    yield Case("cut after 20 bytes, once", moment, None, {"cut_after": 20})
    yield Case(
        "cut after 20 bytes, for ever",
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
    yield Case("drips", moment, None, {"drip": 200 if moment is not LAYER_READ else 40_000})


def _waits() -> Iterator[Case]:
    """Yield each form in which a registry can ask to wait."""
    waits = {
        "0 seconds": {"Retry-After": "0"},
        "a date": {"Retry-After": _later(0)},
        "a date that is past": {"Retry-After": _later(-3600)},
        "nonsense": {"Retry-After": "soon"},
    }
    for what, headers in waits.items():
        yield Case(
            f"429, Retry-After {what}", LAYER_READ, None, {"status": 429, "headers": headers}
        )
    for what, asked in (("an hour", "3600"), ("tomorrow", _later(86400))):
        fault: Faults = {"status": 429, "headers": {"Retry-After": asked}}
        yield Case(f"429, Retry-After {what}", LAYER_READ, RateLimitedError, fault)
    yield Case("429 with ghcr.io's own words", MANIFEST, None, mood=("rate_limited", 1))


def _refusals() -> Iterator[Case]:
    for moment in (MANIFEST, ADDRESS, QUESTION, BEGIN, UPLOAD, CHUNK, END, PUT):
        fault: Faults = {"status": 401, "headers": _CHALLENGE}
        yield Case("401: the token has ended", moment, None, fault)
        yield Case(
            "401 for ever",
            moment,
            DeniedError if moment.side == "reading" else UnauthorizedError,
            {**fault, "times": FOR_EVER},
            limited=False,
        )
    for moment in (MANIFEST, ADDRESS, BEGIN, UPLOAD, PUT):
        yield Case("403", moment, DeniedError, {"status": 403, "times": FOR_EVER})
    yield Case("404", MANIFEST, ManifestUnknownError, {"status": 404, "times": FOR_EVER})
    yield Case("the signed address has expired", LAYER_READ, None, mood=("expired", 1))


def _lies() -> Iterator[Case]:
    """Yield bytes that are not what they should be."""
    wrong = bytes([LAYER_BYTES[0] ^ 1]) + LAYER_BYTES[1:]
    bodies: tuple[tuple[str, bytes, type[GhcrctlError]], ...] = (
        ("other bytes", wrong, DigestMismatchError),
        ("too few bytes", LAYER_BYTES[:-7], SizeMismatchError),
        ("bytes beyond the end", LAYER_BYTES + b"x", SizeMismatchError),
    )
    for what, body, error in bodies:
        fault = {"body": body, "times": FOR_EVER, "no_range": True}
        yield Case(what, LAYER_READ, error, fault)
        yield Case(f"{what}, once", LAYER_READ, None, {**fault, "times": 1})
    yield Case("other bytes, once", CONFIG_READ, None, {"body": b"{}"})
    yield Case("other bytes, once", MANIFEST, None, {"body": b"{}"})
    yield Case("other bytes", CONFIG_READ, SizeMismatchError, {"body": b"{}", "times": FOR_EVER})
    yield Case("other bytes", MANIFEST, DigestMismatchError, {"body": b"{}", "times": FOR_EVER})
    nothing = json.dumps({"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST}).encode()
    headers = {"Docker-Content-Digest": "", "Content-Type": media_types.OCI_MANIFEST}
    invalid = {"body": nothing, "headers": headers, "times": FOR_EVER}
    yield Case("a manifest that is none", MANIFEST, InvalidManifestError, invalid)
    yield Case("no JSON", TOKEN, InvalidResponseError, {"body": b"<html>", "times": FOR_EVER})


def _ranges() -> Iterator[Case]:
    """Yield what can happen to a layer that is read in parts."""
    yield Case("200 for 206", LAYER_READ, None, {"no_range": True, "times": FOR_EVER})
    yield Case("another ETag for a part", LAYER_READ, None, {"headers": {"ETag": "x"}, "after": 1})
    span = {"headers": {"Content-Range": "bytes 7-9/10"}, "after": 1}
    yield Case("another part than asked for", LAYER_READ, None, span)
    yield Case("a part is cut", LAYER_READ, None, {"cut_after": 100, "after": 2})
    yield Case("416 for a part", LAYER_READ, None, {"status": 416, "after": 1})


def _redirects() -> Iterator[Case]:
    for status in (403, 404, 405, 501):
        part = {"status": status, "after": 1}
        yield Case(f"{status} for a part", LAYER_READ, None, part)
    for what, target in (
        ("to a file", "file:///etc/passwd"),
        ("in a circle", "?again"),
        ("to what is no address", "http://[::1"),
    ):
        fault = {"status": 307, "headers": {"Location": target}, "times": FOR_EVER}
        yield Case(f"redirects {what}", ADDRESS, RedirectError, fault, limited=False)


def _uploads() -> Iterator[Case]:
    """Yield what can happen to uploads alone."""
    yield Case("cut after 100,000 bytes", UPLOAD, None, {"cut_after": 100_000})
    yield Case("cut in a piece", CHUNK, None, {"cut_after": 1000, "after": 1})
    yield Case("only a part of a piece is taken", CHUNK, None, {"takes": 1000, "after": 1})
    yield Case("404: the upload is gone", CHUNK, None, {"status": 404, "after": 1})
    yield Case("404: the upload is gone", END, None, {"status": 404})
    gone = {"status": 404, "times": FOR_EVER}
    yield Case("404: the upload is gone, for ever", CHUNK, RegistryUnavailableError, gone)
    yield Case("413: too large a body", UPLOAD, None, {"status": 413})
    yield Case("416: too large a body", UPLOAD, None, {"status": 416})
    yield Case(
        "405: takes no pieces", CHUNK, None, {"status": 405, "times": FOR_EVER}, limited=False
    )
    blob = b'{"errors":[{"code":"DIGEST_INVALID","message":"invalid digest"}]}'
    wrong = {"status": 400, "body": blob, "times": FOR_EVER}
    yield Case("400: another digest", UPLOAD, InvalidResponseError, wrong)
    unknown = b'{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}'
    lag = {"status": 404, "body": unknown}
    yield Case("a blob is unknown that was just sent", PUT, None, lag)
    invalid = b'{"errors":[{"code":"MANIFEST_INVALID","message":"manifest invalid"}]}'
    refused = {"status": 400, "body": invalid, "times": FOR_EVER}
    yield Case("400: manifest invalid", PUT, InvalidResponseError, refused)
    other = {"headers": {"Docker-Content-Digest": f"sha256:{'0' * 64}"}, "times": FOR_EVER}
    yield Case("says another digest", PUT, InvalidResponseError, other, arrives=True)
    away = {"headers": {"Location": "ftp://example.com/"}, "times": FOR_EVER}
    yield Case("sends to what is no address", BEGIN, InvalidResponseError, away)
    none = {"status": 405, "times": FOR_EVER}
    yield Case("405: takes no uploads", BEGIN, UnsupportedError, none)


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
    ("the name does not resolve", "registry.invalid", "", ConnectionFailedError),
    ("the proxy is down", "registry.example", "http://127.0.0.1:9", ProxyError),
    ("a certificate that nobody vouches for", "TLS", "", TlsError),
)
