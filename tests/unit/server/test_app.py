"""The rules of the OCI distribution spec 1.1, tested over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from tests.builders import artifact, index_of, random_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_double import PlainRegistry

BLOB = bytes(range(256)) * 4
DIGEST = Digest.of(BLOB)
OTHER = Digest.of(b"something else")


@pytest.fixture
def url(plain_registry: PlainRegistry) -> str:
    return f"{plain_registry.url}/v2"


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def push_blob(http: requests.Session, url: str, repository: str = "a/b") -> None:
    begun = http.post(
        f"{url}/{repository}/blobs/uploads/", params={"digest": str(DIGEST)}, data=BLOB
    )
    assert begun.status_code == 201


def begin(http: requests.Session, url: str) -> str:
    begun = http.post(f"{url}/a/b/blobs/uploads/")
    assert begun.status_code == 202
    return url.removesuffix("/v2") + begun.headers["Location"]


def code_of(response: requests.Response) -> str:
    (error,) = response.json()["errors"]
    assert set(error) == {"code", "message", "detail"}
    return str(error["code"])


def test_base_endpoint_identifies_a_registry(http: requests.Session, url: str) -> None:
    response = http.get(f"{url}/")
    assert response.status_code == 200
    assert response.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


class TestBlobs:
    def test_get_blob_sends_it_with_its_digest(self, http: requests.Session, url: str) -> None:
        push_blob(http, url)
        response = http.get(f"{url}/a/b/blobs/{DIGEST}")
        assert (response.status_code, response.content) == (200, BLOB)
        assert response.headers["Docker-Content-Digest"] == str(DIGEST)

    def test_head_blob_sends_the_size_without_a_body(
        self, http: requests.Session, url: str
    ) -> None:
        push_blob(http, url)
        response = http.head(f"{url}/a/b/blobs/{DIGEST}")
        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["Content-Length"] == str(len(BLOB))

    @pytest.mark.parametrize(
        ("range_", "status", "content", "content_range"),
        [
            ("bytes=0-0", 206, BLOB[:1], "bytes 0-0/1024"),
            ("bytes=100-", 206, BLOB[100:], "bytes 100-1023/1024"),
            ("bytes=-24", 206, BLOB[-24:], "bytes 1000-1023/1024"),
            ("bytes=1000-9999", 206, BLOB[1000:], "bytes 1000-1023/1024"),
            ("bytes=-9999", 206, BLOB, "bytes 0-1023/1024"),
            ("bytes=1024-", 416, None, "bytes */1024"),
            ("bytes=-0", 416, None, "bytes */1024"),
            ("bytes=5-2", 416, None, "bytes */1024"),
            ("bytes=0-1,5-6", 200, BLOB, None),
            ("lines=0-1", 200, BLOB, None),
        ],
    )
    def test_single_byte_range_is_sent_and_other_ranges_are_ignored(
        self,
        http: requests.Session,
        url: str,
        range_: str,
        status: int,
        content: bytes | None,
        content_range: str | None,
    ) -> None:
        push_blob(http, url)
        response = http.get(f"{url}/a/b/blobs/{DIGEST}", headers={"Range": range_})
        assert response.status_code == status
        assert response.headers.get("Content-Range") == content_range
        assert content is None or response.content == content

    def test_unknown_blob_is_404(self, http: requests.Session, url: str) -> None:
        push_blob(http, url)
        response = http.get(f"{url}/a/b/blobs/{OTHER}")
        assert (response.status_code, code_of(response)) == (404, "BLOB_UNKNOWN")

    def test_unknown_repository_is_404(self, http: requests.Session, url: str) -> None:
        response = http.get(f"{url}/no/where/blobs/{OTHER}")
        assert response.status_code == 404
        # The store keeps blobs by digest only.
        assert code_of(response) in {"NAME_UNKNOWN", "BLOB_UNKNOWN"}

    def test_deleted_blob_is_404(self, http: requests.Session, url: str) -> None:
        push_blob(http, url)
        assert http.delete(f"{url}/a/b/blobs/{DIGEST}").status_code == 202
        assert http.get(f"{url}/a/b/blobs/{DIGEST}").status_code == 404
        assert http.delete(f"{url}/a/b/blobs/{DIGEST}").status_code == 404

    @pytest.mark.parametrize("name", ["UPPER/case", "a//b", "-a", "a.", "a..b", "a" * 256])
    def test_invalid_repository_name_is_400(
        self, http: requests.Session, url: str, name: str
    ) -> None:
        response = http.get(f"{url}/{name}/tags/list")
        assert (response.status_code, code_of(response)) == (400, "NAME_INVALID")

    def test_invalid_digest_is_400(self, http: requests.Session, url: str) -> None:
        response = http.get(f"{url}/a/b/blobs/sha256:beef")
        assert (response.status_code, code_of(response)) == (400, "DIGEST_INVALID")


class TestUploads:
    def test_monolithic_upload_with_post_and_put(self, http: requests.Session, url: str) -> None:
        response = http.put(begin(http, url), params={"digest": str(DIGEST)}, data=BLOB)
        assert response.status_code == 201
        assert response.headers["Location"] == f"/v2/a/b/blobs/{DIGEST}"
        assert http.get(f"{url}/a/b/blobs/{DIGEST}").content == BLOB

    def test_sha512_digest_is_verified(self, http: requests.Session, url: str) -> None:
        digest = Digest.of(BLOB, "sha512")
        response = http.put(begin(http, url), params={"digest": str(digest)}, data=BLOB)
        assert response.headers["Docker-Content-Digest"] == str(digest)
        assert http.get(f"{url}/a/b/blobs/{digest}").content == BLOB

    def test_upload_with_wrong_digest_is_rejected(self, http: requests.Session, url: str) -> None:
        response = http.put(begin(http, url), params={"digest": str(OTHER)}, data=BLOB)
        assert (response.status_code, code_of(response)) == (400, "DIGEST_INVALID")
        assert http.head(f"{url}/a/b/blobs/{OTHER}").status_code == 404

    def test_put_without_digest_is_400(self, http: requests.Session, url: str) -> None:
        response = http.put(begin(http, url), data=BLOB)
        assert (response.status_code, code_of(response)) == (400, "DIGEST_INVALID")

    def test_chunked_upload_with_the_last_chunk_in_put(
        self, http: requests.Session, url: str
    ) -> None:
        location = begin(http, url)
        first = http.patch(location, data=BLOB[:400], headers={"Content-Range": "0-399"})
        assert (first.status_code, first.headers["Range"]) == (202, "0-399")
        second = http.patch(location, data=BLOB[400:600], headers={"Content-Range": "400-599"})
        assert second.headers["Range"] == "0-599"
        last = http.put(
            location,
            params={"digest": str(DIGEST)},
            data=BLOB[600:],
            headers={"Content-Range": "600-1023"},
        )
        assert last.status_code == 201

    def test_chunk_out_of_order_is_416_with_the_current_range(
        self, http: requests.Session, url: str
    ) -> None:
        location = begin(http, url)
        http.patch(location, data=BLOB[:400], headers={"Content-Range": "0-399"})
        response = http.patch(location, data=BLOB[500:], headers={"Content-Range": "500-1023"})
        assert response.status_code == 416
        assert response.headers["Range"] == "0-399"
        assert location.endswith(response.headers["Location"])

    def test_range_that_does_not_match_the_length_is_400(
        self, http: requests.Session, url: str
    ) -> None:
        location = begin(http, url)
        response = http.patch(location, data=BLOB, headers={"Content-Range": "0-9"})
        assert (response.status_code, code_of(response)) == (400, "SIZE_INVALID")
        assert http.get(location).headers["Range"] == "0-0"

    def test_stream_without_length_is_received(self, http: requests.Session, url: str) -> None:
        location = begin(http, url)
        response = http.patch(location, data=iter([BLOB[:10], BLOB[10:]]))
        assert (response.status_code, response.headers["Range"]) == (202, "0-1023")
        assert http.put(location, params={"digest": str(DIGEST)}).status_code == 201

    def test_stream_shorter_than_its_range_is_discarded(
        self, http: requests.Session, url: str
    ) -> None:
        location = begin(http, url)
        response = http.patch(location, data=iter([BLOB]), headers={"Content-Range": "0-2047"})
        assert response.status_code == 416
        assert http.get(location).headers["Range"] == "0-0"

    def test_upload_status_is_the_received_range(self, http: requests.Session, url: str) -> None:
        location = begin(http, url)
        http.patch(location, data=BLOB[:7])
        response = http.get(location)
        assert (response.status_code, response.headers["Range"]) == (204, "0-6")

    def test_cancelled_upload_is_unknown(self, http: requests.Session, url: str) -> None:
        location = begin(http, url)
        assert http.delete(location).status_code == 204
        response = http.get(location)
        assert (response.status_code, code_of(response)) == (404, "BLOB_UPLOAD_UNKNOWN")

    def test_upload_of_another_repository_is_404(self, http: requests.Session, url: str) -> None:
        location = begin(http, url).replace("/a/b/", "/c/d/")
        assert http.patch(location, data=BLOB).status_code == 404

    def test_mount_blob_of_another_repository(self, http: requests.Session, url: str) -> None:
        push_blob(http, url)
        where = {"mount": str(DIGEST), "from": "a/b"}
        response = http.post(f"{url}/c/d/blobs/uploads/", params=where)
        assert (response.status_code, response.headers["Location"]) == (
            201,
            f"/v2/c/d/blobs/{DIGEST}",
        )
        assert http.get(f"{url}/c/d/blobs/{DIGEST}").content == BLOB

    @pytest.mark.parametrize("source", [{}, {"from": "a/b"}, {"from": "no/where"}])
    def test_mount_of_missing_blob_starts_an_upload(
        self, http: requests.Session, url: str, source: dict[str, str]
    ) -> None:
        push_blob(http, url)
        response = http.post(f"{url}/c/d/blobs/uploads/", params={"mount": str(OTHER), **source})
        assert response.status_code == 202
        assert "/c/d/blobs/uploads/" in response.headers["Location"]

    def test_empty_blob_can_be_uploaded(self, http: requests.Session, url: str) -> None:
        empty = Digest.of(b"")
        assert http.put(begin(http, url), params={"digest": str(empty)}).status_code == 201
        assert http.get(f"{url}/a/b/blobs/{empty}").content == b""


class TestManifests:
    def put(
        self, http: requests.Session, url: str, reference: str, raw: bytes, kind: str
    ) -> requests.Response:
        return http.put(
            f"{url}/a/b/manifests/{reference}", data=raw, headers={"Content-Type": kind}
        )

    @pytest.mark.parametrize("form", ["oci", "docker"])
    def test_manifest_is_returned_byte_for_byte(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str, form: str
    ) -> None:
        image = random_image(format="docker" if form == "docker" else "oci")
        plain_registry.push_image("a/b", None, image)
        response = self.put(http, url, "v1", image.raw, image.root.media_type)
        assert response.status_code == 201
        assert response.headers["Docker-Content-Digest"] == str(image.root.digest)
        for name in ("v1", str(image.root.digest)):
            got = http.get(f"{url}/a/b/manifests/{name}")
            assert got.content == image.raw
            assert got.headers["Content-Type"] == image.root.media_type

    def test_manifest_with_missing_blobs_is_404(self, http: requests.Session, url: str) -> None:
        image = random_image()
        response = self.put(http, url, "v1", image.raw, image.root.media_type)
        assert (response.status_code, code_of(response)) == (404, "MANIFEST_BLOB_UNKNOWN")
        missing = {entry["digest"] for entry in response.json()["errors"][0]["detail"]}
        assert missing == {str(descriptor.digest) for descriptor, _ in image.blobs}

    def test_index_with_missing_manifests_is_404(self, http: requests.Session, url: str) -> None:
        index = index_of(random_image())
        response = self.put(http, url, "v1", index.raw, index.root.media_type)
        assert code_of(response) == "MANIFEST_BLOB_UNKNOWN"

    def test_foreign_layers_may_be_missing(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str
    ) -> None:
        image = random_image(foreign=True)
        plain_registry.push_image("a/b", None, image)
        assert self.put(http, url, "v1", image.raw, image.root.media_type).status_code == 201

    def test_manifest_with_wrong_digest_is_400(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str
    ) -> None:
        image = random_image()
        plain_registry.push_image("a/b", None, image)
        response = self.put(http, url, str(OTHER), image.raw, image.root.media_type)
        assert (response.status_code, code_of(response)) == (400, "DIGEST_INVALID")

    @pytest.mark.parametrize(
        ("raw", "kind"),
        [
            (b"no json", media_types.OCI_MANIFEST),
            (b"[]", media_types.OCI_MANIFEST),
            (random_image().raw, media_types.OCI_INDEX),
            (random_image().raw, "text/plain"),
            (b'{"schemaVersion":1}', media_types.DOCKER_SCHEMA1),
        ],
    )
    def test_invalid_manifest_is_400(
        self, http: requests.Session, url: str, raw: bytes, kind: str
    ) -> None:
        response = self.put(http, url, "v1", raw, kind)
        assert (response.status_code, code_of(response)) == (400, "MANIFEST_INVALID")

    def test_manifest_over_4_mib_is_413(self, http: requests.Session, url: str) -> None:
        raw = b" " * (4 * 1024 * 1024 + 1)
        assert self.put(http, url, "v1", raw, media_types.OCI_MANIFEST).status_code == 413

    def test_deleting_a_tag_keeps_the_manifest(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str
    ) -> None:
        image = random_image()
        plain_registry.push_image("a/b", "v1", image)
        assert http.delete(f"{url}/a/b/manifests/v1").status_code == 202
        assert http.get(f"{url}/a/b/manifests/v1").status_code == 404
        assert http.get(f"{url}/a/b/manifests/{image.root.digest}").status_code == 200

    def test_deleting_a_digest_takes_its_tags(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str
    ) -> None:
        image = random_image()
        plain_registry.push_image("a/b", "other", random_image(seed=1))
        plain_registry.push_image("a/b", "v1", image)
        assert http.delete(f"{url}/a/b/manifests/{image.root.digest}").status_code == 202
        assert code_of(http.get(f"{url}/a/b/manifests/v1")) == "MANIFEST_UNKNOWN"
        assert http.get(f"{url}/a/b/tags/list").json()["tags"] == ["other"]

    def test_subject_is_acknowledged_even_if_missing(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str
    ) -> None:
        subject = random_image().root
        signature = artifact(subject=subject)
        plain_registry.push_image("a/b", None, signature)
        response = self.put(http, url, "sig", signature.raw, signature.root.media_type)
        assert response.headers["OCI-Subject"] == str(subject.digest)
