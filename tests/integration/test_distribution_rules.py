"""The rules of the OCI distribution spec 1.1, each by its section, over real HTTP.

`ghcrctl serve` keeps all of them. Debian's docker-registry (2.8) is of before 1.1; what it does not
keep is listed, so that these tests are known to ask what registries do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests

from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from tests.builders import artifact, index_of, random_image
from tests.integration.docker_registry import docker_registry
from tests.integration.test_serve import serving
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders import Built

__all__ = ["docker_registry"]
pytestmark = pytest.mark.integration

IMAGE = random_image(seed=1)
OTHER = random_image(seed=2)
DATA = bytes(range(256)) * 40
DIGEST = Digest.of(DATA)
ABSENT = Digest.of(b"never pushed")
BINARY = {"Content-Type": "application/octet-stream"}

# Rules that docker-registry 2.8 does not keep, and why.
NOT_BY_DOCKER_REGISTRY = {
    "test_tags_are_deleted_by_name": "takes the tag for a digest",
    "test_a_deleted_manifest_takes_its_tags": "keeps the tag's link, and lists it",
    "test_referrers_are_listed_by_subject": "has no referrers API",
    "test_referrers_are_filtered_by_artifact_type": "has no referrers API",
    "test_referrers_of_nothing_are_an_empty_index": "has no referrers API",
    "test_a_push_with_a_subject_says_so": "has no referrers API",
    "test_a_manifest_pushed_before_its_subject_is_taken_and_found": "has no referrers API",
    "test_a_chunk_out_of_order_is_416": "takes chunks as they come",
    "test_the_status_of_an_upload_is_204_with_its_range": "says 0-0 where nothing is there",
    "test_tags_come_in_pages": "has no pages before 3.0",
    "test_last_leaves_out_what_comes_before": "has no pages before 3.0",
    "test_zero_tags_are_an_empty_list": "has no pages before 3.0",
    "test_a_manifest_too_large_is_413": "says 400",
    "test_a_blob_is_uploaded_by_one_post": "begins an upload, as it may",
}


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry, and one repository of it."""

    host: str
    http: requests.Session
    name: str = "octo/image"

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send a request to a path below the repository, or to an absolute location."""
        if path.startswith("http"):
            url = path
        elif path.startswith("/"):
            url = f"http://{self.host}{path}"
        else:
            url = f"http://{self.host}/v2/{self.name}/{path}"
        return self.http.request(method, url, timeout=20, allow_redirects=True, **options)

    def begin(self) -> str:
        """Begin an upload; return its location."""
        return self.ask("POST", "blobs/uploads/").headers["Location"]

    def finish(self, location: str, digest: Digest, data: bytes = b"") -> requests.Response:
        """End an upload."""
        joint = "&" if "?" in location else "?"
        return self.ask("PUT", f"{location}{joint}digest={digest}", data=data, headers=BINARY)

    def blob(self, data: bytes = DATA) -> Digest:
        """Upload a blob."""
        digest = Digest.of(data)
        assert self.finish(self.begin(), digest, data).status_code == 201
        return digest

    def put(self, raw: bytes, kind: str, name: str) -> requests.Response:
        """Put a manifest."""
        return self.ask("PUT", f"manifests/{name}", data=raw, headers={"Content-Type": kind})

    def push(self, image: Built, tag: str) -> None:
        """Push all of an image."""
        for _, data in image.blobs:
            self.blob(data)
        for descriptor, raw in image.manifests[:-1]:
            assert self.put(raw, descriptor.media_type, str(descriptor.digest)).status_code == 201
        assert self.put(image.raw, image.root.media_type, tag).status_code == 201

    def tags(self, query: str = "") -> list[str]:
        """List the tags."""
        answer = self.ask("GET", f"tags/list{query}")
        return list(answer.json()["tags"] or []) if answer.ok else []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Ask docker-registry only for what it keeps."""
    old = () if metafunc.function.__name__ in NOT_BY_DOCKER_REGISTRY else ("docker-registry",)
    metafunc.parametrize("registry", ("ghcrctl serve", *old), indirect=True)


@pytest.fixture
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Registry]:
    with requests.Session() as http:
        if request.param == "ghcrctl serve":
            with serving(Shell(tmp_path / "home")) as host:
                yield Registry(host, http)
            return
        yield Registry(request.getfixturevalue("docker_registry").host, http)


def error_codes(answer: requests.Response) -> list[str]:
    """Return the codes of an answer that refuses (spec, "Error Codes")."""
    return [error["code"] for error in answer.json()["errors"]]


# "Determining Support"


def test_the_base_path_says_that_this_is_a_registry(registry: Registry) -> None:
    assert registry.ask("GET", "/v2/").status_code == 200


# "Pull": "Pulling manifests", "Pulling blobs", "Checking if content exists"


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_manifest_is_pulled_as_it_was_pushed(registry: Registry, by: str) -> None:
    registry.push(IMAGE, "1.0")
    name = "1.0" if by == "tag" else str(IMAGE.root.digest)
    answer = registry.ask("GET", f"manifests/{name}", headers={"Accept": IMAGE.root.media_type})
    assert (answer.status_code, answer.content) == (200, IMAGE.raw)
    assert answer.headers["Content-Type"] == IMAGE.root.media_type
    assert answer.headers["Docker-Content-Digest"] == str(IMAGE.root.digest)


def test_an_absent_manifest_is_404(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    for name in ("2.0", str(ABSENT)):
        answer = registry.ask("GET", f"manifests/{name}")
        assert (answer.status_code, error_codes(answer)) == (404, ["MANIFEST_UNKNOWN"])


def test_a_blob_is_pulled(registry: Registry) -> None:
    registry.blob()
    answer = registry.ask("GET", f"blobs/{DIGEST}")
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["Docker-Content-Digest"] == str(DIGEST)


def test_part_of_a_blob_is_206(registry: Registry) -> None:
    registry.blob()
    answer = registry.ask("GET", f"blobs/{DIGEST}", headers={"Range": "bytes=10-19"})
    assert (answer.status_code, answer.content) == (206, DATA[10:20])
    assert answer.headers["Content-Range"] == f"bytes 10-19/{len(DATA)}"


def test_an_absent_blob_is_404(registry: Registry) -> None:
    registry.blob()
    answer = registry.ask("GET", f"blobs/{ABSENT}")
    assert (answer.status_code, error_codes(answer)) == (404, ["BLOB_UNKNOWN"])


def test_head_tells_what_get_would_without_a_body(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    blob, _ = IMAGE.blobs[0]
    for path, size in ((f"blobs/{blob.digest}", blob.size), ("manifests/1.0", IMAGE.root.size)):
        answer = registry.ask("HEAD", path, headers={"Accept": IMAGE.root.media_type})
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Content-Length"] == str(size)


def test_head_of_what_is_absent_is_404(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    for path in (f"blobs/{ABSENT}", "manifests/2.0"):
        assert registry.ask("HEAD", path).status_code == 404


# "Push": "Pushing a blob monolithically", "Pushing a blob in chunks", "Mounting a blob"


def test_an_upload_begins_with_202_and_a_location(registry: Registry) -> None:
    answer = registry.ask("POST", "blobs/uploads/", headers={"Content-Length": "0"})
    assert answer.status_code == 202
    assert answer.headers["Location"]


def test_a_blob_is_uploaded_by_post_and_put(registry: Registry) -> None:
    answer = registry.finish(registry.begin(), DIGEST, DATA)
    assert answer.status_code == 201
    assert registry.ask("GET", answer.headers["Location"]).content == DATA


def test_a_blob_is_uploaded_by_one_post(registry: Registry) -> None:
    answer = registry.ask("POST", f"blobs/uploads/?digest={DIGEST}", data=DATA, headers=BINARY)
    assert answer.status_code == 201
    assert registry.ask("GET", answer.headers["Location"]).content == DATA


def test_a_blob_is_uploaded_in_chunks(registry: Registry) -> None:
    location = registry.begin()
    for start in range(0, len(DATA), 4000):
        chunk = DATA[start : start + 4000]
        end = start + len(chunk) - 1
        headers = {**BINARY, "Content-Range": f"{start}-{end}"}
        answer = registry.ask("PATCH", location, data=chunk, headers=headers)
        assert answer.status_code == 202
        assert answer.headers["Range"] == f"0-{end}"
        location = answer.headers["Location"]
    assert registry.finish(location, DIGEST).status_code == 201
    assert registry.ask("GET", f"blobs/{DIGEST}").content == DATA


def test_the_last_chunk_may_come_with_the_put(registry: Registry) -> None:
    headers = {**BINARY, "Content-Range": "0-999"}
    answer = registry.ask("PATCH", registry.begin(), data=DATA[:1000], headers=headers)
    assert registry.finish(answer.headers["Location"], DIGEST, DATA[1000:]).status_code == 201


def test_a_chunk_out_of_order_is_416(registry: Registry) -> None:
    headers = {**BINARY, "Content-Range": "1000-1999"}
    answer = registry.ask("PATCH", registry.begin(), data=DATA[1000:2000], headers=headers)
    assert answer.status_code == 416


def test_the_status_of_an_upload_is_204_with_its_range(registry: Registry) -> None:
    headers = {**BINARY, "Content-Range": "0-999"}
    answer = registry.ask("PATCH", registry.begin(), data=DATA[:1000], headers=headers)
    status = registry.ask("GET", answer.headers["Location"])
    assert (status.status_code, status.headers["Range"]) == (204, "0-999")


def test_wrong_bytes_are_400_and_not_there(registry: Registry) -> None:
    answer = registry.finish(registry.begin(), DIGEST, b"other")
    assert (answer.status_code, error_codes(answer)) == (400, ["DIGEST_INVALID"])
    assert registry.ask("HEAD", f"blobs/{DIGEST}").status_code == 404


def test_an_upload_that_nobody_began_is_404(registry: Registry) -> None:
    registry.blob()
    location = "blobs/uploads/00000000-0000-4000-8000-000000000000?_state=none"
    assert registry.ask("PATCH", location, data=b"x", headers=BINARY).status_code == 404


def test_a_blob_is_mounted_from_another_repository(registry: Registry) -> None:
    registry.blob()
    other = Registry(registry.host, registry.http, "octo/other")
    answer = other.ask("POST", f"blobs/uploads/?mount={DIGEST}&from=octo/image")
    assert answer.status_code == 201
    assert other.ask("GET", f"blobs/{DIGEST}").content == DATA


def test_a_mount_of_what_is_not_there_begins_an_upload(registry: Registry) -> None:
    other = Registry(registry.host, registry.http, "octo/other")
    answer = other.ask("POST", f"blobs/uploads/?mount={ABSENT}&from=octo/image")
    assert answer.status_code == 202
    assert other.finish(answer.headers["Location"], DIGEST, DATA).status_code == 201


# "Pushing Manifests"


@pytest.mark.parametrize(
    "built",
    [random_image(seed=3), random_image(seed=3, format="docker"), index_of(IMAGE, OTHER)],
    ids=["image", "docker's format", "index"],
)
def test_a_manifest_is_pushed_by_tag(registry: Registry, built: Built) -> None:
    registry.push(built, "1.0")
    answer = registry.put(built.raw, built.root.media_type, "2.0")
    assert answer.status_code == 201
    assert answer.headers["Docker-Content-Digest"] == str(built.root.digest)
    accept = {"Accept": built.root.media_type}
    assert registry.ask("GET", answer.headers["Location"], headers=accept).content == built.raw


def test_a_manifest_is_pushed_by_digest_without_a_tag(registry: Registry) -> None:
    for _, data in IMAGE.blobs:
        registry.blob(data)
    digest = str(IMAGE.root.digest)
    assert registry.put(IMAGE.raw, IMAGE.root.media_type, digest).status_code == 201
    assert registry.tags() == []


def test_a_manifest_under_a_wrong_digest_is_400(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    assert registry.put(IMAGE.raw, IMAGE.root.media_type, str(ABSENT)).status_code == 400


def test_a_manifest_whose_blobs_are_missing_is_refused(registry: Registry) -> None:
    answer = registry.put(IMAGE.raw, IMAGE.root.media_type, "1.0")
    assert answer.status_code in {400, 404}
    assert set(error_codes(answer)) <= {"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN"}
    assert registry.ask("HEAD", "manifests/1.0").status_code == 404


def test_what_is_no_manifest_is_400(registry: Registry) -> None:
    answer = registry.put(b"{", media_types.OCI_MANIFEST, "1.0")
    assert (answer.status_code, error_codes(answer)) == (400, ["MANIFEST_INVALID"])


def test_a_manifest_too_large_is_413(registry: Registry) -> None:
    raw = json.dumps({"schemaVersion": 2, "fill": "x" * 4 * 1024 * 1024}).encode()
    assert registry.put(raw, media_types.OCI_MANIFEST, "1.0").status_code == 413


def test_an_artifact_with_the_empty_config_is_taken(registry: Registry) -> None:
    thing = artifact()
    registry.push(thing, "thing")
    accept = {"Accept": thing.root.media_type}
    assert registry.ask("GET", "manifests/thing", headers=accept).content == thing.raw


def test_a_tag_moves_and_the_old_manifest_stays(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    registry.push(OTHER, "1.0")
    accept = {"Accept": IMAGE.root.media_type}
    assert registry.ask("GET", "manifests/1.0", headers=accept).content == OTHER.raw
    old = registry.ask("GET", f"manifests/{IMAGE.root.digest}", headers=accept)
    assert old.content == IMAGE.raw


# "Pushing Manifests with Subject"


def test_a_push_with_a_subject_says_so(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    thing = artifact(subject=IMAGE.root)
    for _, data in thing.blobs:
        registry.blob(data)
    answer = registry.put(thing.raw, thing.root.media_type, str(thing.root.digest))
    assert answer.headers["OCI-Subject"] == str(IMAGE.root.digest)


def test_a_manifest_pushed_before_its_subject_is_taken_and_found(registry: Registry) -> None:
    thing = artifact(subject=IMAGE.root)
    registry.push(thing, "thing")
    listed = registry.ask("GET", f"referrers/{IMAGE.root.digest}").json()
    assert [entry["digest"] for entry in listed["manifests"]] == [str(thing.root.digest)]


# "Content Discovery": "Listing Tags", "Listing Referrers"


def test_tags_are_listed_with_the_name_of_the_repository(registry: Registry) -> None:
    for tag in ("1.0", "latest"):
        registry.push(IMAGE, tag)
    answer = registry.ask("GET", "tags/list")
    assert (answer.status_code, answer.json()["name"]) == (200, "octo/image")
    assert sorted(answer.json()["tags"]) == ["1.0", "latest"]


def test_tags_of_an_unknown_repository_are_404(registry: Registry) -> None:
    answer = registry.ask("GET", "/v2/octo/nothing/tags/list")
    assert (answer.status_code, error_codes(answer)) == (404, ["NAME_UNKNOWN"])


def test_tags_come_in_pages(registry: Registry) -> None:
    for tag in ("c", "a", "b"):
        registry.push(IMAGE, tag)
    first = registry.ask("GET", "tags/list?n=2")
    assert first.json()["tags"] == ["a", "b"]
    following = first.links["next"]["url"]
    second = registry.ask("GET", following)
    assert second.json()["tags"] == ["c"]
    assert "next" not in second.links


def test_last_leaves_out_what_comes_before(registry: Registry) -> None:
    for tag in ("a", "b", "c"):
        registry.push(IMAGE, tag)
    assert registry.tags("?n=5&last=a") == ["b", "c"]
    assert registry.tags("?last=c") == []


def test_zero_tags_are_an_empty_list(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    answer = registry.ask("GET", "tags/list?n=0")
    assert (answer.status_code, answer.json()["tags"]) == (200, [])
    assert "Link" not in answer.headers


def test_referrers_are_listed_by_subject(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    thing = artifact("application/vnd.example.sbom", subject=IMAGE.root, annotations={"a": "b"})
    registry.push(thing, str(thing.root.digest))
    answer = registry.ask("GET", f"referrers/{IMAGE.root.digest}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == media_types.OCI_INDEX
    (entry,) = answer.json()["manifests"]
    found = Descriptor.from_json(entry)
    assert (found.digest, found.size) == (thing.root.digest, thing.root.size)
    assert found.artifact_type == "application/vnd.example.sbom"
    assert found.annotations == {"a": "b"}


def test_referrers_are_filtered_by_artifact_type(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    for kind in ("application/vnd.example.one", "application/vnd.example.two"):
        thing = artifact(kind, subject=IMAGE.root, payload=kind.encode())
        registry.push(thing, str(thing.root.digest))
    path = f"referrers/{IMAGE.root.digest}?artifactType=application/vnd.example.two"
    answer = registry.ask("GET", path)
    assert answer.headers["OCI-Filters-Applied"] == "artifactType"
    kinds = [entry["artifactType"] for entry in answer.json()["manifests"]]
    assert kinds == ["application/vnd.example.two"]


def test_referrers_of_nothing_are_an_empty_index(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    answer = registry.ask("GET", f"referrers/{ABSENT}")
    assert (answer.status_code, answer.json()["manifests"]) == (200, [])
    assert (answer.json()["schemaVersion"], answer.json()["mediaType"]) == (
        2,
        media_types.OCI_INDEX,
    )


# "Content Management": "Deleting tags", "Deleting Manifests", "Deleting Blobs"


def test_tags_are_deleted_by_name(registry: Registry) -> None:
    for tag in ("1.0", "latest"):
        registry.push(IMAGE, tag)
    assert registry.ask("DELETE", "manifests/1.0").status_code == 202
    assert registry.ask("GET", "manifests/1.0").status_code == 404
    assert registry.tags() == ["latest"]


def test_a_manifest_is_deleted_by_digest(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    path = f"manifests/{IMAGE.root.digest}"
    assert registry.ask("DELETE", path).status_code == 202
    assert registry.ask("GET", path).status_code == 404
    assert registry.ask("DELETE", path).status_code == 404


def test_a_deleted_manifest_takes_its_tags(registry: Registry) -> None:
    registry.push(IMAGE, "1.0")
    registry.push(OTHER, "2.0")
    registry.ask("DELETE", f"manifests/{IMAGE.root.digest}")
    assert registry.tags() == ["2.0"]


def test_a_blob_is_deleted(registry: Registry) -> None:
    registry.blob()
    assert registry.ask("DELETE", f"blobs/{DIGEST}").status_code == 202
    assert registry.ask("GET", f"blobs/{DIGEST}").status_code == 404
    assert registry.ask("DELETE", f"blobs/{DIGEST}").status_code == 404
