"""The rules of the distribution spec for pulling, discovery and management, by section."""

from __future__ import annotations

import pytest

from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from tests.builders import artifact, index_of, random_image
from tests.integration.distribution import (
    ABSENT,
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

__all__ = ["docker_registry", "registry"]
pytestmark = pytest.mark.integration
ANY = {"Accept": ", ".join(media_types.MANIFESTS)}
pytest_generate_tests = registries_for


# "Determining Support"


def test_base_path_is_200(registry: Registry) -> None:
    assert registry.ask("GET", "/v2/").status_code == 200


# "Pull": "Pulling manifests", "Pulling blobs", "Checking if content exists"


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_pulled_manifest_is_unchanged(registry: Registry, by: str) -> None:
    registry.push(IMAGE, "1.0")
    name = "1.0" if by == "tag" else str(IMAGE.root.digest)
    response = registry.ask("GET", f"manifests/{name}", headers={"Accept": IMAGE.root.media_type})
    assert (response.status_code, response.content) == (200, IMAGE.raw)
    assert response.headers["Content-Type"] == IMAGE.root.media_type
    assert response.headers["Docker-Content-Digest"] == str(IMAGE.root.digest)


def test_missing_manifest_is_404(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    for name in ("2.0", str(ABSENT)):
        response = registry.ask("GET", f"manifests/{name}")
        assert (response.status_code, error_codes(response)) == (404, ["MANIFEST_UNKNOWN"])


def test_pull_blob(registry: Registry) -> None:
    registry.blob()
    response = registry.ask("GET", f"blobs/{DIGEST}")
    assert (response.status_code, response.content) == (200, DATA)
    assert response.headers["Docker-Content-Digest"] == str(DIGEST)


def test_part_of_a_blob_is_206(registry: Registry) -> None:
    registry.blob()
    response = registry.ask("GET", f"blobs/{DIGEST}", headers={"Range": "bytes=10-19"})
    assert (response.status_code, response.content) == (206, DATA[10:20])
    assert response.headers["Content-Range"] == f"bytes 10-19/{len(DATA)}"


def test_missing_blob_is_404(registry: Registry) -> None:
    registry.blob()
    response = registry.ask("GET", f"blobs/{ABSENT}")
    assert (response.status_code, error_codes(response)) == (404, ["BLOB_UNKNOWN"])


def test_head_has_the_headers_of_get_without_a_body(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    blob, _ = IMAGE.blobs[0]
    for path, size in ((f"blobs/{blob.digest}", blob.size), ("manifests/1.0", IMAGE.root.size)):
        response = registry.ask("HEAD", path, headers={"Accept": IMAGE.root.media_type})
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["Content-Length"] == str(size)


def test_head_of_missing_content_is_404(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    for path in (f"blobs/{ABSENT}", "manifests/2.0"):
        assert registry.ask("HEAD", path).status_code == 404


# "Content Discovery": "Listing Tags", "Listing Referrers"


def test_list_tags(registry: Registry) -> None:
    for tag in ("1.0", "latest"):
        registry.push(IMAGE, tag)
    response = registry.ask("GET", "tags/list")
    assert (response.status_code, response.json()["name"]) == (200, "octo/image")
    assert sorted(response.json()["tags"]) == ["1.0", "latest"]


def test_tags_of_unknown_repository_is_404(registry: Registry) -> None:
    response = registry.ask("GET", "/v2/octo/nothing/tags/list")
    assert (response.status_code, error_codes(response)) == (404, ["NAME_UNKNOWN"])


def test_tags_are_paginated(registry: Registry) -> None:
    for tag in ("c", "a", "b"):
        registry.push(IMAGE, tag)
    first = registry.ask("GET", "tags/list?n=2")
    assert first.json()["tags"] == ["a", "b"]
    following = first.links["next"]["url"]
    second = registry.ask("GET", following)
    assert second.json()["tags"] == ["c"]
    assert "next" not in second.links


def test_last_omits_previous_tags(registry: Registry) -> None:
    for tag in ("a", "b", "c"):
        registry.push(IMAGE, tag)
    assert registry.tags("?n=5&last=a") == ["b", "c"]
    assert registry.tags("?last=c") == []


def test_page_of_zero_tags_is_empty(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    response = registry.ask("GET", "tags/list?n=0")
    assert (response.status_code, response.json()["tags"]) == (200, [])
    assert "Link" not in response.headers


def test_list_referrers(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    thing = artifact("application/vnd.example.sbom", subject=IMAGE.root, annotations={"a": "b"})
    registry.push(thing, str(thing.root.digest))
    response = registry.ask("GET", f"referrers/{IMAGE.root.digest}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == media_types.OCI_INDEX
    (entry,) = response.json()["manifests"]
    found = Descriptor.from_json(entry)
    assert (found.digest, found.size) == (thing.root.digest, thing.root.size)
    assert found.artifact_type == "application/vnd.example.sbom"
    assert found.annotations == {"a": "b"}


def test_filter_referrers_by_artifact_type(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    for kind in ("application/vnd.example.one", "application/vnd.example.two"):
        thing = artifact(kind, subject=IMAGE.root, payload=kind.encode())
        registry.push(thing, str(thing.root.digest))
    path = f"referrers/{IMAGE.root.digest}?artifactType=application/vnd.example.two"
    response = registry.ask("GET", path)
    assert response.headers["OCI-Filters-Applied"] == "artifactType"
    kinds = [entry["artifactType"] for entry in response.json()["manifests"]]
    assert kinds == ["application/vnd.example.two"]


def test_referrers_of_unknown_digest_are_an_empty_index(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    response = registry.ask("GET", f"referrers/{ABSENT}")
    assert (response.status_code, response.json()["manifests"]) == (200, [])
    assert (response.json()["schemaVersion"], response.json()["mediaType"]) == (
        2,
        media_types.OCI_INDEX,
    )


# "Content Management": "Deleting tags", "Deleting Manifests", "Deleting Blobs"


def test_delete_tag(registry: Registry) -> None:
    for tag in ("1.0", "latest"):
        registry.push(IMAGE, tag)
    assert registry.ask("DELETE", "manifests/1.0").status_code == 202
    assert registry.ask("GET", "manifests/1.0").status_code == 404
    assert registry.tags() == ["latest"]


def test_delete_manifest(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    path = f"manifests/{IMAGE.root.digest}"
    assert registry.ask("DELETE", path).status_code == 202
    assert registry.ask("GET", path).status_code == 404
    assert registry.ask("DELETE", path).status_code == 404


def test_deleting_a_manifest_deletes_its_tags(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    registry.push(OTHER, "2.0")
    registry.ask("DELETE", f"manifests/{IMAGE.root.digest}")
    assert registry.tags() == ["2.0"]


def test_delete_blob(registry: Registry) -> None:
    registry.blob()
    assert registry.ask("DELETE", f"blobs/{DIGEST}").status_code == 202
    assert registry.ask("GET", f"blobs/{DIGEST}").status_code == 404
    assert registry.ask("DELETE", f"blobs/{DIGEST}").status_code == 404


# The content of one repository, independent of the storage.


def test_manifest_of_another_repository_is_404(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    other = Registry(registry.host, registry.http, "octo/other")
    other.push(OTHER, "1.0")
    path = f"manifests/{IMAGE.root.digest}"
    for method in ("GET", "HEAD", "DELETE"):
        assert other.ask(method, path, headers=ANY).status_code == 404
    assert registry.ask("HEAD", path, headers=ANY).status_code == 200


def test_index_with_manifests_of_another_repository_is_rejected(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    other = Registry(registry.host, registry.http, "octo/other")
    other.push(OTHER, "1.0")
    index = index_of(IMAGE)
    response = other.put(index.raw, index.root.media_type, "2.0")
    assert response.status_code in {400, 404}
    assert other.ask("HEAD", "manifests/2.0", headers=ANY).status_code == 404


def test_deleting_an_index_keeps_its_manifests(registry: Registry) -> None:
    index = index_of(IMAGE, OTHER)
    registry.push(index, "1.0")
    assert registry.ask("DELETE", f"manifests/{index.root.digest}").status_code == 202
    for child in (IMAGE.root.digest, OTHER.root.digest):
        path = f"manifests/{child}"
        assert registry.ask("GET", path, headers=ANY).status_code == 200
        assert registry.ask("DELETE", path).status_code == 202
        assert registry.ask("HEAD", path, headers=ANY).status_code == 404


def test_manifest_in_an_index_cannot_be_deleted(registry: Registry) -> None:
    index = index_of(IMAGE, OTHER)
    registry.push(index, "1.0")
    path = f"manifests/{IMAGE.root.digest}"
    assert registry.ask("DELETE", path).status_code == 405
    assert registry.ask("HEAD", path, headers=ANY).status_code == 200


def test_manifest_is_kept_when_its_tag_moves(registry: Registry) -> None:
    for image in (IMAGE, OTHER):
        registry.push(image, "latest")
    assert registry.ask("HEAD", f"manifests/{IMAGE.root.digest}", headers=ANY).status_code == 200


def test_referrer_in_an_index_is_listed(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    thing = artifact(subject=IMAGE.root)
    registry.push(thing, str(thing.root.digest))
    registry.push(index_of(IMAGE, thing), "2.0")
    response = registry.ask("GET", f"referrers/{IMAGE.root.digest}")
    assert [entry["digest"] for entry in response.json()["manifests"]] == [str(thing.root.digest)]


def test_referrer_only_in_an_index_is_listed(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    thing = artifact(subject=IMAGE.root)
    index = index_of(random_image(seed=5), thing)
    registry.push(index, "2.0")
    registry.ask("DELETE", f"manifests/{thing.root.digest}")
    response = registry.ask("GET", f"referrers/{IMAGE.root.digest}")
    assert [entry["digest"] for entry in response.json()["manifests"]] == [str(thing.root.digest)]


def test_deleting_a_subject_deletes_its_referrers(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    thing = artifact(subject=IMAGE.root)
    signature = artifact("application/vnd.example.signature", subject=thing.root)
    for item in (thing, signature):
        registry.push(item, str(item.root.digest))
    registry.ask("DELETE", f"manifests/{IMAGE.root.digest}")
    for item in (thing, signature):
        assert registry.ask("HEAD", f"manifests/{item.root.digest}", headers=ANY).status_code == 404
        assert registry.ask("GET", f"referrers/{item.root.digest}").json()["manifests"] == []


def test_deleting_a_tag_keeps_referrers(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    thing = artifact(subject=IMAGE.root)
    registry.push(thing, str(thing.root.digest))
    registry.ask("DELETE", "manifests/1.0")
    response = registry.ask("GET", f"referrers/{IMAGE.root.digest}")
    assert [entry["digest"] for entry in response.json()["manifests"]] == [str(thing.root.digest)]


def test_delete_empty_blob(registry: Registry) -> None:
    digest = registry.blob(b"")
    assert registry.ask("DELETE", f"blobs/{digest}").status_code == 202
    assert registry.ask("HEAD", f"blobs/{digest}").status_code == 404
