"""Registries that are asked for the rules of the OCI distribution spec 1.1, over real HTTP.

`ghcrctl serve` keeps all of them. Debian's docker-registry (2.8) is of before 1.1; what it does not
keep is listed, so that the tests are known to ask what registries do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests

from ghcrctl.oci.digest import Digest
from tests.builders import random_image
from tests.integration.test_serve import serving
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders import Built


IMAGE = random_image(seed=1)
OTHER = random_image(seed=2)
DATA = bytes(range(256)) * 40
DIGEST = Digest.of(DATA)
ABSENT = Digest.of(b"never pushed")
BINARY = {"Content-Type": "application/octet-stream"}

# Rules that docker-registry 2.8 does not keep, and why.
NOT_BY_DOCKER_REGISTRY = {
    "test_a_manifest_that_an_index_lists_cannot_be_deleted": "deletes it",
    "test_a_referrer_that_an_index_lists_is_still_listed": "has no referrers API",
    "test_a_referrer_known_from_an_index_alone_is_listed": "has no referrers API",
    "test_referrers_are_deleted_with_their_subject": "has no referrers API",
    "test_referrers_stay_when_a_tag_of_their_subject_is_deleted": "has no referrers API",
    "test_an_empty_blob_is_deleted": "has an empty blob of its own",
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


def registries_for(metafunc: pytest.Metafunc) -> None:
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
