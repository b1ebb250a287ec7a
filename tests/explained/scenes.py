"""The scenes that produce each error code, and each exit status without a code.

A scene prepares the stage and returns the output of a command line.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.oci import media_types
from tests.builders import index_of, random_image
from tests.explained.stage import HELLO, Stage
from tests.registry_double import Fault

if TYPE_CHECKING:
    from tests.builders import Built

Scene = Callable[[Stage], str]
FOR_EVER = 99
LAYER, LAYER_BYTES = HELLO.blobs[0]
_PULL = "ghcrctl pull octo/hello:1.0"
_QUICK_LOCK = "import ghcrctl.store.store as store; store.LOCK_TIMEOUT = 0.5"
_NO_THREADS = (
    "import threading\n"
    'def start(self): raise RuntimeError("can\'t start new thread")\n'
    "threading.Thread.start = start"
)
_BROKEN = (
    "import ghcrctl.operations.images.list as images\n"
    "def broken(*_, **__): raise ZeroDivisionError('division by zero')\n"
    "images.list_images = broken"
)


def _line(line: str, *before: str, signed_in: bool = False) -> Scene:
    """Return a scene that only runs a command."""

    def play(stage: Stage) -> str:
        if signed_in:
            stage.sign_in()
        stage.quietly(*before)
        return stage.play(line)

    return play


def _fault(line: str = _PULL, **fault: object) -> Scene:
    """Return a scene whose registry has a fault."""

    def play(stage: Stage) -> str:
        stage.publish()
        stage.github.faults.append(Fault(times=FOR_EVER, **fault))  # type: ignore[arg-type]
        return stage.play(line)

    return play


def _published(line: str, *before: str) -> Scene:
    """Return a scene with a public image ``octo/hello:1.0`` at ghcr.io."""

    def play(stage: Stage) -> str:
        stage.publish()
        stage.quietly(*before)
        return stage.play(line)

    return play


# Usage


def _invalid_setting(stage: Stage) -> str:
    return stage.play("GHCRCTL_JOBS=many ghcrctl pull octo/hello:1.0")


# Network


def _tls(stage: Stage) -> str:
    stage.publish()
    del stage.environ["GHCRCTL_CA_FILE"]
    return stage.play(_PULL)


def _rate_limited(stage: Stage) -> str:
    stage.publish()
    stage.github.moods.rate_limited = FOR_EVER
    return stage.play(_PULL)


# Not found


def _blob_unknown(stage: Stage) -> str:
    image = random_image(2, foreign=True, seed=62)
    stage.github.push("octo/windows", "1.0", image)
    stage.github.public.add("octo/windows")
    return stage.play("ghcrctl pull octo/windows:1.0")


def _platform_not_found(stage: Stage) -> str:
    from ghcrctl.oci.platform import Platform

    images = [random_image(platform=Platform("linux", cpu)) for cpu in ("amd64", "arm64")]
    stage.github.push("octo/hello", "1.0", index_of(*images))
    stage.github.public.add("octo/hello")
    return stage.play("ghcrctl pull --platform linux/s390x octo/hello:1.0")


# Authentication


def _credential_store(stage: Stage) -> str:
    folder = stage.home / ".config" / "ghcrctl"
    folder.mkdir(parents=True)
    (folder / "auth.json").write_text('{"auths": {')
    return stage.play("ghcrctl logout")


def _denied(stage: Stage) -> str:
    stage.github.push("octo/secret", "1.0", HELLO)
    return stage.play("ghcrctl pull octo/secret:1.0")


# Integrity


def _digest_mismatch(stage: Stage) -> str:
    wrong = bytes([LAYER_BYTES[0] ^ 1]) + LAYER_BYTES[1:]
    return _layer_is(stage, wrong)


def _size_mismatch(stage: Stage) -> str:
    return _layer_is(stage, LAYER_BYTES[:-7])


def _layer_is(stage: Stage, body: bytes) -> str:
    fault = Fault("GET", LAYER.digest.encoded, FOR_EVER, body=body, no_range=True, host="storage")
    stage.publish()
    stage.github.faults.append(fault)
    return stage.play(_PULL)


def _integrity(stage: Stage) -> str:
    (stage.home / "rootfs.tar.gz").write_bytes(LAYER_BYTES[:-900])
    return stage.play("ghcrctl import rootfs.tar.gz hello")


def _manifest_is(document: object, media_type: str) -> Scene:
    headers = {"Docker-Content-Digest": "", "Content-Type": media_type}
    body = json.dumps(document).encode()
    return _fault(path_contains="/manifests/", body=body, headers=headers)


# Unsupported or refused


def _ambiguous_id(stage: Stage) -> str:
    """Pull two images whose IDs start with the same digit."""
    first, second = _alike()
    for tag, image in (("1.0", first), ("1.1", second)):
        stage.github.push("octo/hello", tag, image)
    stage.github.public.add("octo/hello")
    stage.quietly("ghcrctl pull -q octo/hello:1.0", "ghcrctl pull -q octo/hello:1.1")
    return stage.play(f"ghcrctl rmi {_id_of(first)[0]}")


def _alike() -> tuple[Built, Built]:
    first = random_image(seed=0)
    for seed in count(1):
        other = random_image(seed=seed)
        if _id_of(other)[0] == _id_of(first)[0]:
            return first, other
    raise AssertionError


def _id_of(image: Built) -> str:
    config = json.loads(image.raw)["config"]["digest"]
    return str(config).partition(":")[2]


def _conflict(stage: Stage) -> str:
    stage.publish()
    stage.quietly("ghcrctl pull -q octo/hello:1.0", "ghcrctl tag octo/hello:1.0 mine")
    return stage.play(f"ghcrctl rmi {_id_of(HELLO)[:12]}")


def _retained(stage: Stage) -> str:
    stage.sign_in()
    stage.publish()
    return stage.play("ghcrctl packages delete --yes octo/hello:1.0")


def _blocked(stage: Stage) -> str:
    stage.sign_in()
    stage.publish()
    stage.github.push("octo/hello", "1.1", random_image(seed=63))
    stage.github.api.limits.popular.add(str(HELLO.root.digest))
    return stage.play("ghcrctl packages delete --yes octo/hello:1.0")


def _unreadable_manifest(stage: Stage) -> str:
    stage.sign_in()
    stage.publish()
    stage.github.put_raw("octo/hello", None, b"[]", media_types.OCI_MANIFEST)
    return stage.play("ghcrctl packages prune --yes octo/hello")


# Store


def _store_damaged(stage: Stage) -> str:
    stage.store.mkdir(parents=True)
    (stage.store / "index.json").write_text('{"schemaVersion": 2, "manif')
    return stage.play("ghcrctl images")


def _store_locked(stage: Stage) -> str:
    from filelock import FileLock

    stage.publish()
    stage.quietly("ghcrctl pull -q octo/hello:1.0")
    # Wait for half a second instead of a minute.
    stage.prelude = _QUICK_LOCK
    stage.masks.append(("for 0 s", "for 60 s"))
    with FileLock(stage.store / "ghcrctl" / "lock"):
        return stage.play("ghcrctl tag octo/hello:1.0 mine")


def _store_read_only(stage: Stage) -> str:
    stage.publish()
    stage.quietly("ghcrctl pull -q octo/hello:1.0")
    stage.has_powers = False
    folders = [stage.store, *(path for path in stage.store.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        return stage.play("ghcrctl tag octo/hello:1.0 mine")
    finally:
        for folder in folders:
            folder.chmod(0o755)


# Signals, and statuses that are not errors


def _ended_by(number: signal.Signals) -> Scene:
    def play(stage: Stage) -> str:
        stage.publish()
        stage.github.faults.append(Fault(path_contains="/blobs/", delay=3, times=FOR_EVER))
        asked = lambda: stage.github.count("GET", "/manifests/") > 0  # noqa: E731
        return stage.interrupt(_PULL, number, asked)

    return play


def _bug(stage: Stage) -> str:
    stage.prelude = _BROKEN
    return stage.play("ghcrctl images")


def _build_failed(stage: Stage) -> str:
    stage.add_program(
        "buildah", "echo 'Error: building at STEP \"RUN false\": exit status 1'; exit 1"
    )
    return stage.play("ghcrctl build --builder buildah -t octo/hello:1.0 .")


def _no_threads(stage: Stage) -> str:
    stage.publish()
    stage.prelude = _NO_THREADS
    return stage.play(_PULL)


def _different(stage: Stage) -> str:
    stage.publish()
    stage.github.push("octo/hello", "1.1", random_image(2, 3000, seed=64))
    return stage.play("ghcrctl diff --exit-code --remote octo/hello:1.0 octo/hello:1.1")


def _tag_moved(stage: Stage) -> str:
    stage.publish()
    stage.quietly("ghcrctl lock add octo/hello:1.0")
    stage.github.push("octo/hello", "1.0", random_image(2, 3000, seed=64))
    return stage.play("ghcrctl lock check")


_NO_MANIFEST = {"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST}
_SCHEMA_ONE = {"schemaVersion": 1, "name": "octo/hello", "tag": "1.0", "fsLayers": []}

# Scenes by code. Base classes that are never raised have none.
CODES: dict[str, Scene] = {
    "bug": _bug,
    "usage": _line("ghcrctl imgaes"),
    "invalid-digest": _line(
        "ghcrctl packages restore --digest sha256:4f2a octo/hello", signed_in=True
    ),
    "invalid-filter": _line("ghcrctl images --filter colour=red"),
    "invalid-platform": _line("ghcrctl pull --platform linux/arm64/v8/extra octo/hello:1.0"),
    "invalid-reference": _line("ghcrctl pull octo//hello"),
    "invalid-setting": _invalid_setting,
    "invalid-template": _line("ghcrctl images --format '{{.Repository'"),
    "bad-redirect": _fault(
        path_contains="/blobs/", status=307, headers={"Location": "file:///etc/passwd"}
    ),
    "connection-failed": _line("ghcrctl pull localhost:9/octo/hello:1.0"),
    "connection-lost": _fault(path_contains=LAYER.digest.encoded, host="storage", cut_after=900),
    "network": _fault(
        "ghcrctl import https://files.example.com/rootfs.tar hello",
        path_contains="rootfs.tar",
        status=400,
    ),
    "proxy": _line(
        "HTTPS_PROXY=http://octo:secret@localhost:9 ghcrctl pull quay.io/octo/hello:1.0"
    ),
    "rate-limited": _rate_limited,
    "registry-unavailable": _fault(path_contains="/v2/", status=503),
    "timed-out": _fault("ghcrctl pull --timeout 1 octo/hello:1.0", path_contains="/v2/", delay=2),
    "tls": _tls,
    "blob-unknown": _blob_unknown,
    "manifest-unknown": _published("ghcrctl pull octo/hello:2.0"),
    "no-such-image": _line("ghcrctl rmi octo/hello:1.0"),
    "not-found": _published(
        "ghcrctl cat octo/hello:1.0 /etc/motd", "ghcrctl pull -q octo/hello:1.0"
    ),
    "package-unknown": _line("ghcrctl packages show octo/hello", signed_in=True),
    "platform-not-found": _platform_not_found,
    "repository-unknown": _line("ghcrctl pull octo/hello:1.0", signed_in=True),
    "credential-store": _credential_store,
    "denied": _denied,
    "unauthorized": _line("ghcrctl packages show octo/hello"),
    "digest-mismatch": _digest_mismatch,
    "integrity": _integrity,
    "invalid-manifest": _manifest_is(_NO_MANIFEST, media_types.OCI_MANIFEST),
    "invalid-response": _fault(path_contains="/token", body=b"<html>Sign in to this network"),
    "size-mismatch": _size_mismatch,
    "unreadable-manifest": _unreadable_manifest,
    "ambiguous-id": _ambiguous_id,
    "blocked": _blocked,
    "build-failed": _build_failed,
    "conflict": _conflict,
    "refused": _line("ghcrctl pull hello"),
    "retained": _retained,
    "schema1-unsupported": _manifest_is(
        _SCHEMA_ONE, "application/vnd.docker.distribution.manifest.v1+json"
    ),
    "unsupported": _line("ghcrctl packages show docker.io/library/alpine", signed_in=True),
    "resources-exhausted": _no_threads,
    "no-space": _published("ghcrctl save -o /dev/full octo/hello:1.0", f"{_PULL} -q"),
    "store": _line("ghcrctl --store notes.txt/store images", "touch notes.txt"),
    "store-damaged": _store_damaged,
    "store-locked": _store_locked,
    "store-read-only": _store_read_only,
    "tag-moved": _tag_moved,
    "interrupted": _ended_by(signal.SIGINT),
    "terminated": _ended_by(signal.SIGTERM),
}
UNUSED = {"auth"}

# Scenes by status, for statuses without a code.
STATUSES: dict[int, Scene] = {
    0: _published("ghcrctl pull octo/hello:1.0"),
    9: _different,
    141: _line("ghcrctl images --help | head -0"),
}
EXPLANATIONS = Path(__file__).parents[2] / "ghcrctl" / "cli" / "explanations"
