"""Pulling from a registry that fails, sends wrong data or is slow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    DigestMismatchError,
    GhcrctlError,
    IntegrityError,
    InvalidManifestError,
    InvalidResponseError,
    RedirectError,
    RegistryUnavailableError,
    SchemaOneError,
)
from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.images.inspect import inspect_local
from ghcrctl.operations.moving.pull import pull
from tests.builders import random_image
from tests.registry_double import Fault, RegistryDouble
from tests.sessions import is_stored, name_at

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session


def test_waits_for_a_rate_limit_and_for_an_expired_address(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    ghcr.moods.rate_limited = 1
    ghcr.moods.expired = 1
    assert pull(session, name_at(ghcr, session)).updated


def test_a_truncated_layer_is_resumed(ghcr: RegistryDouble, session: Session) -> None:
    image = random_image(1, size=3_000_000)
    ghcr.push_image("octo/image", "1.0", image)
    layer = image.contents[0][0]
    ghcr.faults.append(
        Fault(method="GET", path_contains=layer.digest.encoded, cut_after=1_500_000, host="storage")
    )
    pull(session, name_at(ghcr, session))
    assert is_stored(session, image)
    answers = [e.status for e in ghcr.log if e.host == "storage" and layer.digest.encoded in e.path]
    assert answers == [200, 206]


def test_a_truncated_manifest_is_requested_again(ghcr: RegistryDouble, session: Session) -> None:
    image = random_image()
    ghcr.push_image("octo/image", "1.0", image)
    ghcr.faults.append(Fault(method="GET", path_contains="/manifests/1.0", cut_after=100, after=1))
    pull(session, name_at(ghcr, session))
    assert is_stored(session, image)


def test_a_permanent_failure_is_retried_as_often_as_configured(
    ghcr: RegistryDouble, session: Session
) -> None:
    image = random_image(1)
    ghcr.push_image("octo/image", "1.0", image)
    layer = image.blobs[0][0].digest.encoded
    ghcr.faults.append(Fault(path_contains=layer, status=503, times=99))
    with pytest.raises(RegistryUnavailableError):
        pull(session, name_at(ghcr, session))
    # The session retries once.
    assert ghcr.count("GET", layer) == 2


def test_a_damaged_stored_manifest_is_fetched_again(ghcr: RegistryDouble, session: Session) -> None:
    image = random_image()
    ghcr.push_image("octo/image", "1.0", image)
    pull(session, name_at(ghcr, session))
    path = session.store.blobs.path(image.root.digest)
    path.write_bytes(path.read_bytes().replace(b"size", b"SIZE", 1))
    pull(session, name_at(ghcr, session))
    assert path.read_bytes() == image.raw


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(path_contains="/manifests/", times=9, body=b"{}"), IntegrityError),
        (Fault(path_contains="/manifests/", times=9, body=b"no json"), IntegrityError),
        (Fault(path_contains="/manifests/", times=9, body=b"[" * 100_000), IntegrityError),
        (Fault(path_contains="/manifests/", body=b" " * (5 * 1024 * 1024)), InvalidResponseError),
        (
            Fault(
                path_contains="/manifests/",
                times=9,
                headers={"Docker-Content-Digest": f"sha256:{'0' * 64}"},
            ),
            DigestMismatchError,
        ),
        (
            Fault(
                path_contains="/manifests/",
                headers={"Content-Type": media_types.DOCKER_MANIFEST},
            ),
            InvalidManifestError,
        ),
        (Fault(host="storage", times=9, body=b"other bytes"), IntegrityError),
        (
            Fault(path_contains="/blobs/", times=9, status=307, headers={"Location": "file:///x"}),
            RedirectError,
        ),
        (
            Fault(path_contains="/blobs/", times=99, status=307, headers={"Location": "?a"}),
            RedirectError,
        ),
    ],
)
def test_wrong_content_leaves_the_store_unchanged(
    ghcr: RegistryDouble, session: Session, fault: Fault, error: type[GhcrctlError]
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(seed=1))
    pull(session, name_at(ghcr, session))
    before = session.store.records()
    image = random_image(seed=2)
    ghcr.push_image("octo/image", "1.0", image)
    ghcr.faults.append(fault)
    with pytest.raises(error):
        pull(session, name_at(ghcr, session))
    assert session.store.records() == before
    assert inspect_local(session, str(name_at(ghcr, session)))
    assert not session.store.blobs.exists(image.root)


def test_schema_1_is_refused_with_a_hint(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    body = json.dumps({"schemaVersion": 1, "name": "octo/image", "tag": "1.0"}).encode()
    digest = str(Digest.of(body))
    ghcr.faults.append(
        Fault(
            path_contains="/manifests/",
            times=9,
            body=body,
            headers={
                "Content-Type": media_types.DOCKER_SCHEMA1_SIGNED,
                "Docker-Content-Digest": digest,
            },
        )
    )
    with pytest.raises(SchemaOneError, match="schema 1") as caught:
        pull(session, name_at(ghcr, session))
    assert "rebuild" in (caught.value.hint or "")
