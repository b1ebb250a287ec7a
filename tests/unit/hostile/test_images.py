"""Malicious images: too many descriptors, invalid layers, and control characters."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import GhcrctlError, InvalidManifestError
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.manifest import MAX_DESCRIPTORS, parse
from ghcrctl.oci.reference import Reference
from ghcrctl.oci.version import Range, Version
from ghcrctl.operations.moving.pull import pull
from ghcrctl.registry.challenge import parse_challenges
from ghcrctl.registry.headers import _LINK
from ghcrctl.registry.retry_after import requested_wait
from ghcrctl.transfer import plan
from ghcrctl.transfer.plan import make_plan
from tests.builders import Built, index_of, random_image
from tests.sessions import name_at
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.registry_double import PlainRegistry, RegistryDouble

# Cursor movement, a window title, a C1 control, a link, a bell and right-to-left text.
EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\x1b]8;;http://x\x1b\\\r\x08\u202e"


def built(body: dict[str, object], *below: Built) -> Built:
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, str(body["mediaType"]))
    contents = dict.fromkeys(pair for image in below for pair in image.contents)
    return Built(root, (*contents, (root, raw)))


@pytest.mark.parametrize("key", ["layers", "manifests"])
def test_too_many_descriptors_are_rejected(key: str) -> None:
    config = Descriptor.of(b"{}", media_types.OCI_CONFIG).to_json()
    body: dict[str, object] = {key: [config] * (MAX_DESCRIPTORS + 1)}
    body |= {"config": config} if key == "layers" else {}
    with pytest.raises(InvalidManifestError, match="10000 are allowed"):
        parse(json.dumps(body).encode())
    body[key] = [config] * MAX_DESCRIPTORS
    parse(json.dumps(body).encode())


def test_multiplying_indexes_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "MAX_DESCRIPTORS", 50)
    images = [random_image(1, size=10, seed=number) for number in range(30)]
    place = MemoryPlace()
    nested = index_of(*(index_of(*images[n : n + 3]) for n in range(0, 30, 3)))
    nested.into(place)
    with pytest.raises(InvalidManifestError, match="at most 50 blobs"):
        make_plan(place, MemoryPlace(), nested.root)


def test_too_large_manifests_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    index = index_of(*(random_image(1, size=10, seed=number) for number in range(3)))
    monkeypatch.setattr(plan, "MAX_MANIFESTS", sum(d.size for d, _ in index.contents[-3:]))
    place = MemoryPlace()
    index.into(place)
    with pytest.raises(InvalidManifestError, match=r"[0-9]+ bytes of manifests"):
        make_plan(place, MemoryPlace(), index.root)


@pytest.mark.parametrize("depth", [9, 60])
def test_too_deeply_nested_indexes_are_rejected(depth: int) -> None:
    nested = random_image(1)
    for _ in range(depth):
        nested = index_of(nested)
    place = MemoryPlace()
    nested.into(place)
    with pytest.raises(InvalidManifestError, match="nested"):
        make_plan(place, MemoryPlace(), nested.root)


@pytest.mark.parametrize(
    "change",
    [
        {"size": -1},
        {"size": 2**63},
        {"size": 1.5},
        {"size": True},
        {"size": "7"},
        {"digest": "sha256:../../../etc/passwd"},
        {"digest": "sha256:" + "A" * 64},
        {"digest": "md5:" + "0" * 32},
        {"digest": 7},
        {"mediaType": 7},
    ],
    ids=repr,
)
def test_invalid_layer_stores_nothing(
    ghcr: RegistryDouble, session: Session, change: dict[str, object]
) -> None:
    image = random_image(1)
    body = json.loads(image.raw)
    body["layers"][0] |= change
    ghcr.push_image("octo/image", "1.0", random_image(1, seed=3))
    evil = built(body)
    with pytest.raises(InvalidManifestError):
        parse(evil.raw, evil.root.media_type)
    place = MemoryPlace()
    evil.into(place)
    with pytest.raises(InvalidManifestError):
        make_plan(place, MemoryPlace(), evil.root)
    pull(session, name_at(ghcr, session))
    assert len(session.store.records()) == 1


def test_text_of_an_image_has_no_control_characters(
    tmp_path: Path, plain_registry: PlainRegistry
) -> None:
    shell = Shell(tmp_path)
    config = {
        "os": "linux",
        "architecture": EVIL,
        "author": EVIL,
        "created": EVIL,
        "config": {"Labels": {EVIL: EVIL}, "Cmd": [EVIL], "Env": [f"X={EVIL}"]},
        "rootfs": {"type": "layers", "diff_ids": []},
        "history": [{"created_by": EVIL, "comment": EVIL, "author": EVIL, "empty_layer": True}],
    }
    raw = json.dumps(config).encode()
    described = Descriptor.of(raw, media_types.OCI_CONFIG)
    body: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "artifactType": EVIL,
        "config": described.to_json(),
        "layers": [],
        "annotations": {EVIL: EVIL},
    }
    image = built(body, Built(described, ((described, raw),)))
    name = f"{plain_registry.host}/octo/evil:1"
    plain_registry.push_image("octo/evil", "1", image)
    for line in (
        f"pull {name}",
        "images",
        "images --digests --format json",
        f"inspect {name}",
        f"inspect --remote {name}",
        f"history --no-trunc {name}",
        f"history --format json {name}",
        f"tags --long {name.removesuffix(':1')}",
        f"referrers {name}",
        "df -v",
        "fsck",
        f"rmi {name}",
    ):
        done = shell.run(*line.split())
        assert done.returncode == 0, (line, done.stderr)
        output = done.stdout + done.stderr
        assert not [c for c in output if c in EVIL and not c.isprintable()], line
        assert "\u202e" not in output, line


HOSTILE = [
    "a" * 100_000,
    "a,b=" * 25_000,
    '"' * 100_000,
    "\\" * 100_000,
    "<" * 100_000,
    "1." * 50_000,
    " " * 100_000,
    'Bearer a="' + "\\a" * 50_000,
]
READERS: dict[str, Callable[[str], object]] = {
    "challenge": parse_challenges,
    "link": _LINK.findall,
    "wait": lambda text: requested_wait(text, text),
    "waits": lambda text: requested_wait(None, "retry-after: " + text),
    "reference": Reference.parse,
    "version": Version.parse,
    "range": Range.parse,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:6]))
def test_parsing_text_takes_no_long_time(reader: str, text: str) -> None:
    began = time.process_time()
    with contextlib.suppress(GhcrctlError):
        READERS[reader](text)
    assert time.process_time() - began < 1
