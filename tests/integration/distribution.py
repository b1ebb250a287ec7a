"""Registries to test against the rules of the OCI distribution spec 1.1, over HTTP.

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

# Rules that docker-registry 2.8 does not implement, and why.
NOT_BY_DOCKER_REGISTRY = {
    "test_manifest_in_an_index_cannot_be_deleted": "deletes it",
    "test_referrer_in_an_index_is_listed": "has no referrers API",
    "test_referrer_only_in_an_index_is_listed": "has no referrers API",
    "test_deleting_a_subject_deletes_its_referrers": "has no referrers API",
    "test_deleting_a_tag_keeps_referrers": "has no referrers API",
    "test_delete_empty_blob": "has an empty blob of its own",
    "test_delete_tag": "treats the tag as a digest",
    "test_deleting_a_manifest_deletes_its_tags": "keeps the tag's link, and lists it",
    "test_list_referrers": "has no referrers API",
    "test_filter_referrers_by_artifact_type": "has no referrers API",
    "test_referrers_of_unknown_digest_are_an_empty_index": "has no referrers API",
    "test_push_with_subject_returns_oci_subject": "has no referrers API",
    "test_referrer_pushed_before_its_subject_is_listed": "has no referrers API",
    "test_chunk_out_of_order_is_416": "accepts chunks in any order",
    "test_upload_status_is_204_with_the_range": "returns 0-0 for an empty upload",
    "test_tags_are_paginated": "has no pages before 3.0",
    "test_last_omits_previous_tags": "has no pages before 3.0",
    "test_page_of_zero_tags_is_empty": "has no pages before 3.0",
    "test_too_large_manifest_is_413": "returns 400",
    "test_upload_blob_with_one_post": "starts an upload, which is allowed",
}


@dataclass(frozen=True, slots=True)
class Registry:
    """A repository of a registry."""

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
        """Start an upload; return its location."""
        return self.ask("POST", "blobs/uploads/").headers["Location"]

    def finish(self, location: str, digest: Digest, data: bytes = b"") -> requests.Response:
        """Finish an upload."""
        joint = "&" if "?" in location else "?"
        return self.ask("PUT", f"{location}{joint}digest={digest}", data=data, headers=BINARY)

    def blob(self, data: bytes = DATA) -> Digest:
        """Upload a blob."""
        digest = Digest.of(data)
        assert self.finish(self.begin(), digest, data).status_code == 201
        return digest

    def put(self, raw: bytes, kind: str, name: str) -> requests.Response:
        """Push a manifest."""
        return self.ask("PUT", f"manifests/{name}", data=raw, headers={"Content-Type": kind})

    def push(self, image: Built, tag: str) -> None:
        """Push an image with its blobs."""
        for _, data in image.blobs:
            self.blob(data)
        for descriptor, raw in image.manifests[:-1]:
            assert self.put(raw, descriptor.media_type, str(descriptor.digest)).status_code == 201
        assert self.put(image.raw, image.root.media_type, tag).status_code == 201

    def tags(self, query: str = "") -> list[str]:
        """List the tags."""
        reply = self.ask("GET", f"tags/list{query}")
        return list(reply.json()["tags"] or []) if reply.ok else []


def registries_for(metafunc: pytest.Metafunc) -> None:
    """Run tests against docker-registry only for rules that it implements."""
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


def error_codes(reply: requests.Response) -> list[str]:
    """Return the codes of an error response (spec, "Error Codes")."""
    return [error["code"] for error in reply.json()["errors"]]
