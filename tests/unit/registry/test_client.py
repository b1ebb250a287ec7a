"""The registry client, against a standard registry with modified responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.errors import (
    DigestMismatchError,
    GhcrctlError,
    InvalidManifestError,
    InvalidResponseError,
    ManifestUnknownError,
    NetworkError,
)
from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from ghcrctl.registry.client import RegistryClient
from ghcrctl.registry.repository import Repository
from ghcrctl.registry.transport_options import TransportOptions
from tests.builders import random_image
from tests.unit.registry.bending import IMAGE, bend

if TYPE_CHECKING:
    from tests.registry_double import PlainRegistry


def test_a_loopback_registry_without_tls_is_found(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    assert client.http.base() == plain_registry.url
    assert client.http.base() == plain_registry.url
    assert plain_registry.count() == 0


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ('<https://evil.example/v2/octo/image/tags/list?last=a>; rel="next"', "another host"),
        ('<//evil.example/v2/octo/image/tags/list?last=a>; rel="next"', "another host"),
        ('</other/octo/image/tags/list?last=a>; rel="next"', "another host"),
        ('<https://[evil.example/v2/x?last=a>; rel="next"', "another host"),
        ('<javascript:alert(1)>; rel="next"', "another host"),
    ],
)
def test_a_list_that_continues_on_another_host_is_rejected(
    client: RegistryClient, plain_registry: PlainRegistry, link: str, words: str
) -> None:
    body = b'{"name": "octo/image", "tags": ["a"]}'
    bend(plain_registry, "/tags/list", body=body, headers={"Link": link})
    with pytest.raises(InvalidResponseError, match=words):
        list(client.tags("octo/image"))


def test_a_list_that_links_in_a_loop_ends(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    body = b'{"name": "octo/image", "tags": ["a", "b", 7, null]}'
    link = "</v2/octo/image/tags/list?n=1&last=a>; rel=next"
    bend(plain_registry, "/tags/list", body=body, headers={"Link": link}, times=99)
    assert list(client.tags("octo/image")) == ["a", "b"]
    assert plain_registry.count("GET", "/tags/list") == 2


@pytest.mark.parametrize("tags", ["7", "true", '"abc"', '{"a": 1}'])
def test_invalid_tag_lists_are_an_error(
    client: RegistryClient, plain_registry: PlainRegistry, tags: str
) -> None:
    bend(plain_registry, "/tags/list", body=f'{{"tags": {tags}}}'.encode())
    with pytest.raises(InvalidResponseError, match="invalid tag list"):
        list(client.tags("octo/image"))


def test_every_page_of_a_list_is_read(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    pages = [("a", '</v2/octo/image/tags/list?last=a>; rel="next"'), ("b", ""), ("c", "")]
    prev = '</v2/octo/image/tags/list?last=0>; rel="prev", '
    pages[1] = ("b", f"{prev}<{plain_registry.url}/v2/octo/image/tags/list?last=b>; REL=NEXT")
    for tag, link in pages:
        body = f'{{"tags": ["{tag}"]}}'.encode()
        bend(plain_registry, "/tags/list", body=body, headers={"Link": link})
    assert list(client.tags("octo/image")) == ["a", "b", "c"]
    assert [entry.query for entry in plain_registry.log] == ["n=1000", "last=a", "last=b"]


@pytest.mark.parametrize(
    "link",
    [
        '<{}>; rel="next"',
        "<{}>;rel=next",
        '<{}>; title="more"; REL="next"',
        '</v2/>; rel="first", <{}>; rel="next"',
        '<http://{host}{}>; rel="next"',
    ],
)
def test_a_list_continues_at_its_link(
    client: RegistryClient, plain_registry: PlainRegistry, link: str
) -> None:
    text = link.format("/v2/octo/image/tags/list?n=1&last=a", host=plain_registry.host)
    body = b'{"name": "octo/image", "tags": ["a"]}'
    bend(plain_registry, "/tags/list", body=body, headers={"Link": text})
    assert list(client.tags("octo/image")) == ["a"]
    assert plain_registry.count("GET", "/tags/list") == 2
    assert plain_registry.log[-1].query == "n=1&last=a"


@pytest.mark.parametrize("body", [b"", b"[]", b"no json", b"[" * 99_999])
def test_an_invalid_list_is_an_error(
    client: RegistryClient, plain_registry: PlainRegistry, body: bytes
) -> None:
    bend(plain_registry, "/tags/list", body=body)
    with pytest.raises(InvalidResponseError, match="expected a JSON object"):
        list(client.tags("octo/image"))


def test_a_repository_without_tags_has_none(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    bend(plain_registry, "/tags/list", body=b'{"name": "octo/image", "tags": null}')
    assert list(client.tags("octo/image")) == []


@pytest.mark.parametrize(
    "location",
    [
        "",
        "ftp://127.0.0.1/x",
        "file:///x",
        "https:",
        "https://[storage.example/x",
        "https://me:verysecret@[storage.example/x",
    ],
)
def test_an_invalid_upload_url_is_rejected(
    client: RegistryClient, plain_registry: PlainRegistry, location: str
) -> None:
    bend(plain_registry, "/blobs/uploads/", status=202, body=b"", headers={"Location": location})
    with pytest.raises(InvalidResponseError) as caught:
        client.uploads.begin("octo/image")
    assert "verysecret" not in str(caught.value)


@pytest.mark.parametrize("absolute", [True, False])
def test_an_upload_url_may_be_relative_or_absolute(
    client: RegistryClient, plain_registry: PlainRegistry, absolute: bool
) -> None:
    data = b"content"
    path = "/v2/octo/image/blobs/uploads/"
    begun = client.uploads.begin("octo/image").address
    relative = begun.removeprefix(plain_registry.url)
    bend(
        plain_registry,
        path,
        status=202,
        body=b"",
        headers={"Location": begun if absolute else relative},
    )
    assert client.uploads.begin("octo/image").address == begun
    client.uploads.finish("octo/image", begun, Digest.of(data), data)
    assert client.has_blob("octo/image", Digest.of(data))


def test_a_rejected_upload_is_an_error(client: RegistryClient) -> None:
    address = client.uploads.begin("octo/image").address
    with pytest.raises(GhcrctlError, match="DIGEST_INVALID"):
        client.uploads.finish("octo/image", address, Digest.of(b"other"), b"content")
    assert not client.has_blob("octo/image", Digest.of(b"other"))


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        ({"Docker-Content-Digest": f"sha256:{'0' * 64}"}, None, DigestMismatchError),
        ({"Docker-Content-Digest": "nonsense"}, None, InvalidResponseError),
        ({"Docker-Content-Digest": "md5:0"}, None, InvalidResponseError),
        ({}, b" " * (5 * 1024 * 1024), InvalidResponseError),
        ({"Content-Type": media_types.OCI_INDEX}, None, InvalidManifestError),
        ({}, b"{}", GhcrctlError),
    ],
)
def test_a_manifest_with_another_digest_is_rejected(
    client: RegistryClient,
    plain_registry: PlainRegistry,
    headers: dict[str, str],
    body: bytes | None,
    error: type[GhcrctlError],
) -> None:
    bend(
        plain_registry,
        "/manifests/1.0",
        body=IMAGE.raw if body is None else body,
        headers={"Content-Type": media_types.OCI_MANIFEST, **headers},
        times=2,
    )
    with pytest.raises(error):
        Repository(client, "octo/image").resolve("1.0")


def test_a_manifest_asked_for_by_digest_must_be_that_digest(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    other = random_image(1, seed=9)
    bend(
        plain_registry,
        "/manifests/sha256",
        body=other.raw,
        headers={"Content-Type": media_types.OCI_MANIFEST},
        times=2,
    )
    with pytest.raises(DigestMismatchError):
        Repository(client, "octo/image").resolve(str(IMAGE.root.digest))


def test_without_a_stated_digest_the_bytes_are_hashed(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    bend(
        plain_registry,
        "/manifests/1.0",
        body=IMAGE.raw,
        headers={"Content-Type": "application/json"},
    )
    assert Repository(client, "octo/image").resolve("1.0").digest == IMAGE.root.digest


@pytest.mark.parametrize("span", ["bytes 0-9/10", "nonsense", ""])
def test_a_different_range_is_rejected(
    client: RegistryClient, plain_registry: PlainRegistry, span: str
) -> None:
    digest = IMAGE.blobs[0][0].digest
    bend(plain_registry, "/blobs/", status=206, body=b"x", headers={"Content-Range": span})
    with pytest.raises(InvalidResponseError, match="a different range"):
        client.get_blob("octo/image", digest, 5)


def test_a_server_without_ranges_is_read_up_to_the_offset(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    digest, content = IMAGE.blobs[0][0].digest, IMAGE.blobs[0][1]
    bend(plain_registry, "/blobs/", status=200, body=content)
    stream = client.get_blob("octo/image", digest, 100)
    assert b"".join(iter(lambda: stream.read(500), b"")) == content[100:]
    stream.close()


def test_a_manifest_is_put_and_deleted(client: RegistryClient) -> None:
    said, listed = client.put_manifest("octo/image", "2.0", IMAGE.raw, IMAGE.root.media_type)
    assert (said, listed) == (str(IMAGE.root.digest), False)
    client.delete_manifest("octo/image", "2.0")
    with pytest.raises(ManifestUnknownError):
        client.get_manifest("octo/image", "2.0")


def test_read_after_write_lag_may_be_tried_again(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    body = b'{"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "not yet"}]}'
    bend(plain_registry, "/manifests/2.0", status=404, body=body)
    with pytest.raises(InvalidResponseError) as caught:
        client.put_manifest("octo/image", "2.0", IMAGE.raw, IMAGE.root.media_type)
    assert caught.value.retryable


def test_an_unreachable_registry_is_an_error() -> None:
    options = TransportOptions(retry=RetryPolicy(attempts=1))
    client = RegistryClient("127.0.0.1:9", credentials=None, options=options, warn=print)
    with pytest.raises(NetworkError, match="refused"):
        client.get_manifest("octo/image", "1.0")
    client.close()
