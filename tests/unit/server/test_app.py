"""The rules of the distribution spec 1.1, each a test, over real HTTP."""

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


def code_of(answer: requests.Response) -> str:
    (error,) = answer.json()["errors"]
    assert set(error) == {"code", "message", "detail"}
    return str(error["code"])


def test_the_base_endpoint_says_that_this_is_a_registry(http: requests.Session, url: str) -> None:
    answer = http.get(f"{url}/")
    assert answer.status_code == 200
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


class TestBlobs:
    def test_a_blob_is_sent_whole_with_its_digest(self, http: requests.Session, url: str) -> None:
        push_blob(http, url)
        answer = http.get(f"{url}/a/b/blobs/{DIGEST}")
        assert (answer.status_code, answer.content) == (200, BLOB)
        assert answer.headers["Docker-Content-Digest"] == str(DIGEST)

    def test_head_gives_the_size_and_no_body(self, http: requests.Session, url: str) -> None:
        push_blob(http, url)
        answer = http.head(f"{url}/a/b/blobs/{DIGEST}")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Content-Length"] == str(len(BLOB))

    @pytest.mark.parametrize(
        ("asked", "status", "content", "content_range"),
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
    def test_a_single_range_is_honoured_and_others_disregarded(
        self,
        http: requests.Session,
        url: str,
        asked: str,
        status: int,
        content: bytes | None,
        content_range: str | None,
    ) -> None:
        push_blob(http, url)
        answer = http.get(f"{url}/a/b/blobs/{DIGEST}", headers={"Range": asked})
        assert answer.status_code == status
        assert answer.headers.get("Content-Range") == content_range
        assert content is None or answer.content == content

    def test_an_unknown_blob_is_404(self, http: requests.Session, url: str) -> None:
        push_blob(http, url)
        answer = http.get(f"{url}/a/b/blobs/{OTHER}")
        assert (answer.status_code, code_of(answer)) == (404, "BLOB_UNKNOWN")

    def test_an_unknown_repository_is_404(self, http: requests.Session, url: str) -> None:
        answer = http.get(f"{url}/no/where/blobs/{OTHER}")
        assert answer.status_code == 404
        # The store keeps blobs apart by digest only.
        assert code_of(answer) in {"NAME_UNKNOWN", "BLOB_UNKNOWN"}

    def test_a_deleted_blob_is_gone(self, http: requests.Session, url: str) -> None:
        push_blob(http, url)
        assert http.delete(f"{url}/a/b/blobs/{DIGEST}").status_code == 202
        assert http.get(f"{url}/a/b/blobs/{DIGEST}").status_code == 404
        assert http.delete(f"{url}/a/b/blobs/{DIGEST}").status_code == 404

    @pytest.mark.parametrize("name", ["UPPER/case", "a//b", "-a", "a.", "a..b", "a" * 256])
    def test_a_name_that_breaks_the_grammar_is_400(
        self, http: requests.Session, url: str, name: str
    ) -> None:
        answer = http.get(f"{url}/{name}/tags/list")
        assert (answer.status_code, code_of(answer)) == (400, "NAME_INVALID")

    def test_an_invalid_digest_is_400(self, http: requests.Session, url: str) -> None:
        answer = http.get(f"{url}/a/b/blobs/sha256:beef")
        assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")


class TestUploads:
    def test_post_then_put(self, http: requests.Session, url: str) -> None:
        answer = http.put(begin(http, url), params={"digest": str(DIGEST)}, data=BLOB)
        assert answer.status_code == 201
        assert answer.headers["Location"] == f"/v2/a/b/blobs/{DIGEST}"
        assert http.get(f"{url}/a/b/blobs/{DIGEST}").content == BLOB

    def test_a_sha512_digest_is_verified_as_such(self, http: requests.Session, url: str) -> None:
        digest = Digest.of(BLOB, "sha512")
        answer = http.put(begin(http, url), params={"digest": str(digest)}, data=BLOB)
        assert answer.headers["Docker-Content-Digest"] == str(digest)
        assert http.get(f"{url}/a/b/blobs/{digest}").content == BLOB

    def test_wrong_bytes_are_refused_and_not_visible(
        self, http: requests.Session, url: str
    ) -> None:
        answer = http.put(begin(http, url), params={"digest": str(OTHER)}, data=BLOB)
        assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")
        assert http.head(f"{url}/a/b/blobs/{OTHER}").status_code == 404

    def test_finishing_needs_a_digest(self, http: requests.Session, url: str) -> None:
        answer = http.put(begin(http, url), data=BLOB)
        assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")

    def test_chunks_in_order_and_the_last_one_in_the_put(
        self, http: requests.Session, url: str
    ) -> None:
        place = begin(http, url)
        first = http.patch(place, data=BLOB[:400], headers={"Content-Range": "0-399"})
        assert (first.status_code, first.headers["Range"]) == (202, "0-399")
        second = http.patch(place, data=BLOB[400:600], headers={"Content-Range": "400-599"})
        assert second.headers["Range"] == "0-599"
        last = http.put(
            place,
            params={"digest": str(DIGEST)},
            data=BLOB[600:],
            headers={"Content-Range": "600-1023"},
        )
        assert last.status_code == 201

    def test_a_chunk_out_of_order_is_416_with_what_is_there(
        self, http: requests.Session, url: str
    ) -> None:
        place = begin(http, url)
        http.patch(place, data=BLOB[:400], headers={"Content-Range": "0-399"})
        answer = http.patch(place, data=BLOB[500:], headers={"Content-Range": "500-1023"})
        assert answer.status_code == 416
        assert answer.headers["Range"] == "0-399"
        assert place.endswith(answer.headers["Location"])

    def test_a_range_that_does_not_fit_the_length_is_400(
        self, http: requests.Session, url: str
    ) -> None:
        place = begin(http, url)
        answer = http.patch(place, data=BLOB, headers={"Content-Range": "0-9"})
        assert (answer.status_code, code_of(answer)) == (400, "SIZE_INVALID")
        assert http.get(place).headers["Range"] == "0-0"

    def test_a_stream_without_length_is_received(self, http: requests.Session, url: str) -> None:
        place = begin(http, url)
        answer = http.patch(place, data=iter([BLOB[:10], BLOB[10:]]))
        assert (answer.status_code, answer.headers["Range"]) == (202, "0-1023")
        assert http.put(place, params={"digest": str(DIGEST)}).status_code == 201

    def test_a_stream_with_a_range_too_short_is_taken_back(
        self, http: requests.Session, url: str
    ) -> None:
        place = begin(http, url)
        answer = http.patch(place, data=iter([BLOB]), headers={"Content-Range": "0-2047"})
        assert answer.status_code == 416
        assert http.get(place).headers["Range"] == "0-0"

    def test_status_tells_how_far_it_is(self, http: requests.Session, url: str) -> None:
        place = begin(http, url)
        http.patch(place, data=BLOB[:7])
        answer = http.get(place)
        assert (answer.status_code, answer.headers["Range"]) == (204, "0-6")

    def test_a_cancelled_upload_is_unknown(self, http: requests.Session, url: str) -> None:
        place = begin(http, url)
        assert http.delete(place).status_code == 204
        answer = http.get(place)
        assert (answer.status_code, code_of(answer)) == (404, "BLOB_UPLOAD_UNKNOWN")

    def test_an_upload_belongs_to_its_repository(self, http: requests.Session, url: str) -> None:
        place = begin(http, url).replace("/a/b/", "/c/d/")
        assert http.patch(place, data=BLOB).status_code == 404

    def test_mount_takes_over_what_another_repository_has(
        self, http: requests.Session, url: str
    ) -> None:
        push_blob(http, url)
        where = {"mount": str(DIGEST), "from": "a/b"}
        answer = http.post(f"{url}/c/d/blobs/uploads/", params=where)
        assert (answer.status_code, answer.headers["Location"]) == (201, f"/v2/c/d/blobs/{DIGEST}")
        assert http.get(f"{url}/c/d/blobs/{DIGEST}").content == BLOB

    @pytest.mark.parametrize("source", [{}, {"from": "a/b"}, {"from": "no/where"}])
    def test_mount_of_what_is_not_there_begins_an_upload(
        self, http: requests.Session, url: str, source: dict[str, str]
    ) -> None:
        push_blob(http, url)
        answer = http.post(f"{url}/c/d/blobs/uploads/", params={"mount": str(OTHER), **source})
        assert answer.status_code == 202
        assert "/c/d/blobs/uploads/" in answer.headers["Location"]

    def test_an_empty_blob_can_be_uploaded(self, http: requests.Session, url: str) -> None:
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
    def test_a_manifest_comes_back_byte_for_byte(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str, form: str
    ) -> None:
        image = random_image(format="docker" if form == "docker" else "oci")
        plain_registry.push_image("a/b", None, image)
        answer = self.put(http, url, "v1", image.raw, image.root.media_type)
        assert answer.status_code == 201
        assert answer.headers["Docker-Content-Digest"] == str(image.root.digest)
        for name in ("v1", str(image.root.digest)):
            got = http.get(f"{url}/a/b/manifests/{name}")
            assert got.content == image.raw
            assert got.headers["Content-Type"] == image.root.media_type

    def test_children_must_be_there(self, http: requests.Session, url: str) -> None:
        image = random_image()
        answer = self.put(http, url, "v1", image.raw, image.root.media_type)
        assert (answer.status_code, code_of(answer)) == (404, "MANIFEST_BLOB_UNKNOWN")
        missing = {entry["digest"] for entry in answer.json()["errors"][0]["detail"]}
        assert missing == {str(descriptor.digest) for descriptor, _ in image.blobs}

    def test_children_of_an_index_must_be_there(self, http: requests.Session, url: str) -> None:
        index = index_of(random_image())
        answer = self.put(http, url, "v1", index.raw, index.root.media_type)
        assert code_of(answer) == "MANIFEST_BLOB_UNKNOWN"

    def test_foreign_layers_need_not_be_there(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str
    ) -> None:
        image = random_image(foreign=True)
        plain_registry.push_image("a/b", None, image)
        assert self.put(http, url, "v1", image.raw, image.root.media_type).status_code == 201

    def test_a_digest_that_is_not_the_manifests_is_400(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str
    ) -> None:
        image = random_image()
        plain_registry.push_image("a/b", None, image)
        answer = self.put(http, url, str(OTHER), image.raw, image.root.media_type)
        assert (answer.status_code, code_of(answer)) == (400, "DIGEST_INVALID")

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
    def test_what_is_no_manifest_of_its_type_is_400(
        self, http: requests.Session, url: str, raw: bytes, kind: str
    ) -> None:
        answer = self.put(http, url, "v1", raw, kind)
        assert (answer.status_code, code_of(answer)) == (400, "MANIFEST_INVALID")

    def test_more_than_four_mebibytes_is_413(self, http: requests.Session, url: str) -> None:
        raw = b" " * (4 * 1024 * 1024 + 1)
        assert self.put(http, url, "v1", raw, media_types.OCI_MANIFEST).status_code == 413

    def test_deleting_a_tag_leaves_the_manifest(
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

    def test_a_subject_is_acknowledged_and_need_not_be_there(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str
    ) -> None:
        subject = random_image().root
        signature = artifact(subject=subject)
        plain_registry.push_image("a/b", None, signature)
        answer = self.put(http, url, "sig", signature.raw, signature.root.media_type)
        assert answer.headers["OCI-Subject"] == str(subject.digest)
