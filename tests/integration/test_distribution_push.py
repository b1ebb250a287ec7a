"""The rules of the distribution spec for pushing, by section."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci import media_types
from tests.builders import artifact, index_of, random_image
from tests.integration.distribution import (
    ABSENT,
    BINARY,
    DATA,
    DIGEST,
    IMAGE,
    OTHER,
    Registry,
    error_codes,
    registries_for,
    registry,
)
from tests.integration.docker_registry import docker_registry

if TYPE_CHECKING:
    from tests.builders import Built

__all__ = ["docker_registry", "registry"]
pytestmark = pytest.mark.integration
pytest_generate_tests = registries_for


# "Push": "Pushing a blob monolithically", "Pushing a blob in chunks", "Mounting a blob"


def test_start_upload_returns_a_location(registry: Registry) -> None:
    response = registry.ask("POST", "blobs/uploads/", headers={"Content-Length": "0"})
    assert response.status_code == 202
    assert response.headers["Location"]


def test_upload_blob_with_post_and_put(registry: Registry) -> None:
    response = registry.finish(registry.begin(), DIGEST, DATA)
    assert response.status_code == 201
    assert registry.ask("GET", response.headers["Location"]).content == DATA


def test_upload_blob_with_one_post(registry: Registry) -> None:
    response = registry.ask("POST", f"blobs/uploads/?digest={DIGEST}", data=DATA, headers=BINARY)
    assert response.status_code == 201
    assert registry.ask("GET", response.headers["Location"]).content == DATA


def test_upload_blob_in_chunks(registry: Registry) -> None:
    location = registry.begin()
    for start in range(0, len(DATA), 4000):
        chunk = DATA[start : start + 4000]
        end = start + len(chunk) - 1
        headers = {**BINARY, "Content-Range": f"{start}-{end}"}
        response = registry.ask("PATCH", location, data=chunk, headers=headers)
        assert response.status_code == 202
        assert response.headers["Range"] == f"0-{end}"
        location = response.headers["Location"]
    assert registry.finish(location, DIGEST).status_code == 201
    assert registry.ask("GET", f"blobs/{DIGEST}").content == DATA


def test_last_chunk_in_put(registry: Registry) -> None:
    headers = {**BINARY, "Content-Range": "0-999"}
    response = registry.ask("PATCH", registry.begin(), data=DATA[:1000], headers=headers)
    assert registry.finish(response.headers["Location"], DIGEST, DATA[1000:]).status_code == 201


def test_chunk_out_of_order_is_416(registry: Registry) -> None:
    headers = {**BINARY, "Content-Range": "1000-1999"}
    response = registry.ask("PATCH", registry.begin(), data=DATA[1000:2000], headers=headers)
    assert response.status_code == 416


def test_upload_status_is_204_with_the_range(registry: Registry) -> None:
    headers = {**BINARY, "Content-Range": "0-999"}
    response = registry.ask("PATCH", registry.begin(), data=DATA[:1000], headers=headers)
    status = registry.ask("GET", response.headers["Location"])
    assert (status.status_code, status.headers["Range"]) == (204, "0-999")


def test_wrong_bytes_are_400_and_not_stored(registry: Registry) -> None:
    response = registry.finish(registry.begin(), DIGEST, b"other")
    assert (response.status_code, error_codes(response)) == (400, ["DIGEST_INVALID"])
    assert registry.ask("HEAD", f"blobs/{DIGEST}").status_code == 404


def test_unknown_upload_is_404(registry: Registry) -> None:
    registry.blob()
    location = "blobs/uploads/00000000-0000-4000-8000-000000000000?_state=none"
    assert registry.ask("PATCH", location, data=b"x", headers=BINARY).status_code == 404


def test_mount_blob_from_another_repository(registry: Registry) -> None:
    registry.blob()
    other = Registry(registry.host, registry.http, "octo/other")
    response = other.ask("POST", f"blobs/uploads/?mount={DIGEST}&from=octo/image")
    assert response.status_code == 201
    assert other.ask("GET", f"blobs/{DIGEST}").content == DATA


def test_mount_from_repository_without_the_blob_starts_an_upload(registry: Registry) -> None:
    other = Registry(registry.host, registry.http, "octo/other")
    response = other.ask("POST", f"blobs/uploads/?mount={ABSENT}&from=octo/image")
    assert response.status_code == 202
    assert other.finish(response.headers["Location"], DIGEST, DATA).status_code == 201


# "Pushing Manifests"


@pytest.mark.parametrize(
    "built",
    [random_image(seed=3), random_image(seed=3, format="docker"), index_of(IMAGE, OTHER)],
    ids=["image", "docker's format", "index"],
)
def test_push_manifest_by_tag(registry: Registry, built: Built) -> None:
    registry.push(built, "1.0")
    response = registry.put(built.raw, built.root.media_type, "2.0")
    assert response.status_code == 201
    assert response.headers["Docker-Content-Digest"] == str(built.root.digest)
    accept = {"Accept": built.root.media_type}
    assert registry.ask("GET", response.headers["Location"], headers=accept).content == built.raw


def test_push_manifest_by_digest(registry: Registry) -> None:
    for _, data in IMAGE.blobs:
        registry.blob(data)
    digest = str(IMAGE.root.digest)
    assert registry.put(IMAGE.raw, IMAGE.root.media_type, digest).status_code == 201
    assert registry.tags() == []


def test_push_manifest_with_wrong_digest_is_400(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    assert registry.put(IMAGE.raw, IMAGE.root.media_type, str(ABSENT)).status_code == 400


def test_manifest_with_missing_blobs_is_rejected(registry: Registry) -> None:
    response = registry.put(IMAGE.raw, IMAGE.root.media_type, "1.0")
    assert response.status_code in {400, 404}
    assert set(error_codes(response)) <= {"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"}
    assert registry.ask("HEAD", "manifests/1.0").status_code == 404


def test_invalid_manifest_is_400(registry: Registry) -> None:
    response = registry.put(b"{", media_types.OCI_MANIFEST, "1.0")
    assert (response.status_code, error_codes(response)) == (400, ["MANIFEST_INVALID"])


def test_too_large_manifest_is_413(registry: Registry) -> None:
    raw = json.dumps({"schemaVersion": 2, "fill": "x" * 4 * 1024 * 1024}).encode()
    assert registry.put(raw, media_types.OCI_MANIFEST, "1.0").status_code == 413


def test_push_artifact_with_empty_config(registry: Registry) -> None:
    thing = artifact()
    registry.push(thing, "thing")
    accept = {"Accept": thing.root.media_type}
    assert registry.ask("GET", "manifests/thing", headers=accept).content == thing.raw


def test_moving_a_tag_keeps_the_old_manifest(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    registry.push(OTHER, "1.0")
    accept = {"Accept": IMAGE.root.media_type}
    assert registry.ask("GET", "manifests/1.0", headers=accept).content == OTHER.raw
    old = registry.ask("GET", f"manifests/{IMAGE.root.digest}", headers=accept)
    assert old.content == IMAGE.raw


# "Pushing Manifests with Subject"


def test_push_with_subject_returns_oci_subject(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    thing = artifact(subject=IMAGE.root)
    for _, data in thing.blobs:
        registry.blob(data)
    response = registry.put(thing.raw, thing.root.media_type, str(thing.root.digest))
    assert response.headers["OCI-Subject"] == str(IMAGE.root.digest)


def test_referrer_pushed_before_its_subject_is_listed(registry: Registry) -> None:
    thing = artifact(subject=IMAGE.root)
    registry.push(thing, "thing")
    listed = registry.ask("GET", f"referrers/{IMAGE.root.digest}").json()
    assert [entry["digest"] for entry in listed["manifests"]] == [str(thing.root.digest)]
