"""Which endpoint answers which path and method."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.oci.digest import Digest
from ghcrctl.server.app import RegistryApp
from ghcrctl.server.memory_backend import MemoryBackend
from tests.builders import random_image

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

IMAGE = random_image()
DIGEST = Digest.of(b"missing")


@pytest.fixture
def backend() -> MemoryBackend:
    return MemoryBackend()


@pytest.fixture
def client(backend: MemoryBackend, tmp_path: Path) -> Client:
    return Client(RegistryApp(backend, upload_dir=tmp_path))


@pytest.fixture
def read_only(backend: MemoryBackend, tmp_path: Path) -> Client:
    return Client(RegistryApp(backend, upload_dir=tmp_path, read_only=True))


def push(backend: MemoryBackend, repository: str, tag: str) -> None:
    place = MemoryPlace()
    IMAGE.into(place)
    backend.name(repository, tag, Content(place, IMAGE.root))


def error_code(response: TestResponse) -> str:
    assert response.json
    (error,) = response.json["errors"]
    return str(error["code"])


@pytest.mark.parametrize(
    "name", ["blobs", "a/blobs", "a/blobs/uploads", "a/manifests", "tags/list", "a/tags", "v2/v2"]
)
def test_repository_may_be_named_like_an_endpoint(
    client: Client, backend: MemoryBackend, name: str
) -> None:
    push(backend, name, "uploads")
    assert client.get(f"/v2/{name}/tags/list").json == {"name": name, "tags": ["uploads"]}
    assert client.get(f"/v2/{name}/manifests/uploads").data == IMAGE.raw
    started = client.post(f"/v2/{name}/blobs/uploads/")
    assert started.status_code == 202
    assert started.headers["Location"].startswith(f"/v2/{name}/blobs/uploads/")
    assert client.get(started.headers["Location"]).status_code == 204
    missing = client.get(f"/v2/{name}/blobs/{DIGEST}")
    assert (missing.status_code, error_code(missing)) == (404, "BLOB_UNKNOWN")


@pytest.mark.parametrize("path", ["/v2", "/v2/"])
def test_base_endpoint_does_not_need_the_slash(client: Client, path: str) -> None:
    assert (client.get(path).status_code, client.get(path).data) == (200, b"{}")


def test_upload_can_be_started_without_the_slash(client: Client) -> None:
    assert client.post("/v2/a/b/blobs/uploads").status_code == 202


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1/",
        "/v2/a",
        "/v2/a/b/nothing/x",
        "/v2/a/b/tags/other",
        "/v2/a/b/tags/list/",
        "/v2/a/b/manifests/",
        "/v2/a/b/manifests/x/y",
        "/v2/a%0Ab/tags/list",
        "/v2//tags/list",
        "/v2/a/b/tags//list",
    ],
)
def test_unknown_path_is_404(client: Client, path: str) -> None:
    response = client.get(path)
    assert (response.status_code, error_code(response)) == (404, "UNSUPPORTED")


@pytest.mark.parametrize("name", ["A", "a//b", "a/", "/a", "a.", "é", "a b", "a/..", "a" * 256])
@pytest.mark.parametrize("end", ["tags/list", "manifests/v1", f"blobs/{DIGEST}"])
def test_malformed_name_is_400(client: Client, name: str, end: str) -> None:
    response = client.get(f"/v2/{name}/{end}")
    assert (response.status_code, error_code(response)) == (400, "NAME_INVALID")


@pytest.mark.parametrize(
    ("end", "status", "code"),
    [
        ("blobs/x", 400, "DIGEST_INVALID"),
        ("blobs/sha256:x", 400, "DIGEST_INVALID"),
        ("referrers/x", 400, "DIGEST_INVALID"),
        ("manifests/sha256:x", 400, "DIGEST_INVALID"),
        ("manifests/-x", 404, "MANIFEST_UNKNOWN"),
        ("manifests/" + "x" * 129, 404, "MANIFEST_UNKNOWN"),
        ("manifests/é", 404, "MANIFEST_UNKNOWN"),
    ],
)
def test_malformed_digest_or_tag(client: Client, end: str, status: int, code: str) -> None:
    response = client.get(f"/v2/a/b/{end}")
    assert (response.status_code, error_code(response)) == (status, code)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "", {"GET", "HEAD"}),
        ("PUT", "_catalog", {"GET", "HEAD"}),
        ("DELETE", "a/b/tags/list", {"GET", "HEAD"}),
        ("PATCH", f"a/b/referrers/{DIGEST}", {"GET", "HEAD"}),
        ("PUT", f"a/b/blobs/{DIGEST}", {"GET", "HEAD", "DELETE"}),
        ("POST", "a/b/manifests/v1", {"GET", "HEAD", "PUT", "DELETE"}),
        ("GET", "a/b/blobs/uploads/", {"POST"}),
        ("DELETE", "a/b/blobs/uploads", {"POST"}),
        ("POST", "a/b/blobs/uploads/x", {"GET", "HEAD", "PATCH", "PUT", "DELETE"}),
    ],
)
def test_unsupported_method_is_405_with_the_supported_ones(
    client: Client, method: str, path: str, allowed: set[str]
) -> None:
    response = client.open(f"/v2/{path}", method=method)
    assert (response.status_code, error_code(response)) == (405, "UNSUPPORTED")
    assert set(response.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "a/b/manifests/v1", {"GET", "HEAD"}),
        ("DELETE", f"a/b/blobs/{DIGEST}", {"GET", "HEAD"}),
        ("POST", "a/b/blobs/uploads/", {""}),
        ("PATCH", "a/b/blobs/uploads/x", {"GET", "HEAD"}),
    ],
)
def test_read_only_registry_allows_reading_only(
    read_only: Client, method: str, path: str, allowed: set[str]
) -> None:
    response = read_only.open(f"/v2/{path}", method=method)
    assert (response.status_code, error_code(response)) == (405, "UNSUPPORTED")
    assert "read-only" in response.text
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_unknown_path_of_a_read_only_registry_is_404(read_only: Client) -> None:
    assert read_only.post("/v2/a/b/nothing/x").status_code == 404


def test_response_without_body_has_no_content_type(client: Client) -> None:
    response = client.post("/v2/a/b/blobs/uploads/")
    assert "Content-Type" not in response.headers
    assert response.headers["Content-Length"] == "0"
    assert "Content-Length" not in client.delete(response.headers["Location"]).headers


def test_head_of_an_error_has_no_body(client: Client) -> None:
    response = client.head(f"/v2/a/b/blobs/{DIGEST}")
    assert (response.status_code, response.data) == (404, b"")
    assert int(response.headers["Content-Length"]) > 0


def test_internal_error_is_500_without_its_text(
    backend: MemoryBackend, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ValueError("secret")

    monkeypatch.setattr(backend, "repositories", fail)
    response = client.get("/v2/_catalog")
    assert (response.status_code, error_code(response)) == (500, "UNKNOWN")
    assert "secret" not in response.text
