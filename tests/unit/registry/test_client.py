"""One method an endpoint, against a registry by the book whose answers are bent where told."""

from __future__ import annotations

import json
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
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import parse
from ghcrctl.registry.client import RegistryClient
from ghcrctl.registry.referrers import add_referrer, referrers_tag
from ghcrctl.registry.repository import Repository
from ghcrctl.registry.transport import TransportOptions
from tests.builders import Built, artifact, index_of, random_image
from tests.registry_double import Fault, PlainRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator

IMAGE = random_image(1)


@pytest.fixture
def client(plain_registry: PlainRegistry) -> Iterator[RegistryClient]:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    options = TransportOptions(retry=RetryPolicy(attempts=1), stall_timeout=5.0)
    made = RegistryClient(plain_registry.host, keychain=None, options=options, warn=print)
    yield made
    made.close()


def bend(
    registry: PlainRegistry,
    path: str,
    *,
    status: int = 200,
    body: bytes | None = None,
    times: int = 1,
    headers: dict[str, str] | None = None,
) -> None:
    """Change answers below a path."""
    registry.faults.append(
        Fault(path_contains=path, status=status, body=body, headers=headers or {}, times=times)
    )


def test_a_loopback_registry_without_tls_is_found(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    assert client.base() == plain_registry.url
    assert client.base() == plain_registry.url
    assert plain_registry.count() == 0


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ('<https://evil.example/v2/octo/image/tags/list?last=a>; rel="next"', "another host"),
        ('</other/octo/image/tags/list?last=a>; rel="next"', "another host"),
    ],
)
def test_a_list_that_goes_on_elsewhere_is_refused(
    client: RegistryClient, plain_registry: PlainRegistry, link: str, words: str
) -> None:
    body = b'{"name": "octo/image", "tags": ["a"]}'
    bend(plain_registry, "/tags/list", body=body, headers={"Link": link})
    with pytest.raises(InvalidResponseError, match=words):
        list(client.tags("octo/image"))


def test_a_list_that_goes_in_a_circle_ends(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    body = b'{"name": "octo/image", "tags": ["a", "b", 7, null]}'
    link = "</v2/octo/image/tags/list?n=1&last=a>; rel=next"
    bend(plain_registry, "/tags/list", body=body, headers={"Link": link}, times=99)
    assert list(client.tags("octo/image")) == ["a", "b"]
    assert plain_registry.count("GET", "/tags/list") == 2


@pytest.mark.parametrize("body", [b"", b"[]", b"no json", b"[" * 99_999])
def test_a_list_that_is_none_is_told(
    client: RegistryClient, plain_registry: PlainRegistry, body: bytes
) -> None:
    bend(plain_registry, "/tags/list", body=body)
    with pytest.raises(InvalidResponseError, match="no JSON object"):
        list(client.tags("octo/image"))


def test_a_repository_without_tags_has_none(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    bend(plain_registry, "/tags/list", body=b'{"name": "octo/image", "tags": null}')
    assert list(client.tags("octo/image")) == []


@pytest.mark.parametrize(
    "location",
    ["", "ftp://127.0.0.1/x", "file:///x", "https:"],
)
def test_an_address_to_upload_to_that_is_none_is_refused(
    client: RegistryClient, plain_registry: PlainRegistry, location: str
) -> None:
    bend(plain_registry, "/blobs/uploads/", status=202, body=b"", headers={"Location": location})
    with pytest.raises(InvalidResponseError):
        client.start_upload("octo/image")


@pytest.mark.parametrize("absolute", [True, False])
def test_an_address_to_upload_to_may_be_of_either_form(
    client: RegistryClient, plain_registry: PlainRegistry, absolute: bool
) -> None:
    data = b"content"
    path = "/v2/octo/image/blobs/uploads/"
    begun, _ = client.start_upload("octo/image")
    assert begun is not None
    relative = begun.removeprefix(plain_registry.url)
    bend(
        plain_registry,
        path,
        status=202,
        body=b"",
        headers={"Location": begun if absolute else relative},
    )
    address, mounted = client.start_upload("octo/image")
    assert (address, mounted) == (begun, False)
    client.finish_upload("octo/image", begun, Digest.of(data), data)
    assert client.has_blob("octo/image", Digest.of(data))


def test_an_upload_that_is_not_taken_is_told(client: RegistryClient) -> None:
    address, _ = client.start_upload("octo/image")
    with pytest.raises(GhcrctlError, match="DIGEST_INVALID"):
        client.finish_upload("octo/image", address or "", Digest.of(b"other"), b"content")
    assert not client.has_blob("octo/image", Digest.of(b"other"))


@pytest.mark.parametrize(
    ("headers", "body", "error"),
    [
        ({"Docker-Content-Digest": f"sha256:{'0' * 64}"}, None, DigestMismatchError),
        ({"Docker-Content-Digest": "nonsense"}, None, GhcrctlError),
        ({}, b" " * (5 * 1024 * 1024), InvalidResponseError),
        ({"Content-Type": media_types.OCI_INDEX}, None, InvalidManifestError),
        ({}, b"{}", GhcrctlError),
    ],
)
def test_a_manifest_that_is_not_what_it_says_is_refused(
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
    )
    with pytest.raises(DigestMismatchError):
        Repository(client, "octo/image").resolve(str(IMAGE.root.digest))


def test_a_registry_that_names_no_digest_is_believed_its_bytes(
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
def test_another_range_than_asked_for_is_refused(
    client: RegistryClient, plain_registry: PlainRegistry, span: str
) -> None:
    digest = IMAGE.blobs[0][0].digest
    bend(plain_registry, "/blobs/", status=206, body=b"x", headers={"Content-Range": span})
    with pytest.raises(InvalidResponseError, match="another part"):
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


def test_a_registry_that_is_gone_is_told() -> None:
    options = TransportOptions(retry=RetryPolicy(attempts=1))
    client = RegistryClient("127.0.0.1:9", keychain=None, options=options, warn=print)
    with pytest.raises(NetworkError, match="refused"):
        client.get_manifest("octo/image", "1.0")
    client.close()


def entries(client: RegistryClient) -> list[dict[str, object]]:
    raw = client.get_manifest("octo/image", referrers_tag(IMAGE.root.digest)).raw
    listed: list[dict[str, object]] = json.loads(raw)["manifests"]
    return listed


def test_referrers_are_listed_under_the_tag_of_their_subject_each_once(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    things = [
        artifact("application/vnd.example.sbom", subject=IMAGE.root, payload=b"1"),
        artifact("application/vnd.example.signature", subject=IMAGE.root, annotations={"a": "b"}),
    ]
    for thing in (*things, *things):
        plain_registry.push_image("octo/image", None, thing)
        add_referrer(client, "octo/image", parse(thing.raw, thing.root.media_type))
    assert [entry["digest"] for entry in entries(client)] == [str(t.root.digest) for t in things]
    assert entries(client)[1]["artifactType"] == "application/vnd.example.signature"
    assert entries(client)[1]["annotations"] == {"a": "b"}


def test_what_has_no_subject_is_not_listed(client: RegistryClient) -> None:
    add_referrer(client, "octo/image", parse(IMAGE.raw, IMAGE.root.media_type))
    with pytest.raises(ManifestUnknownError):
        entries(client)


def test_an_image_under_the_tag_of_referrers_is_left_alone(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    tag = referrers_tag(IMAGE.root.digest)
    plain_registry.push_image("octo/image", tag, random_image(1, seed=5))
    thing = artifact(subject=IMAGE.root)
    with pytest.raises(InvalidManifestError, match="no list of referrers"):
        add_referrer(client, "octo/image", parse(thing.raw, thing.root.media_type))
    assert client.get_manifest("octo/image", tag).raw == random_image(1, seed=5).raw


def test_an_index_with_a_subject_is_listed_too(
    client: RegistryClient, plain_registry: PlainRegistry
) -> None:
    index = index_of(IMAGE)
    raw = json.dumps({**json.loads(index.raw), "subject": IMAGE.root.to_json()}).encode()
    root = Descriptor.of(raw, media_types.OCI_INDEX)
    built = Built(root, (*index.contents[:-1], (root, raw)))
    plain_registry.push_image("octo/image", None, built)
    add_referrer(client, "octo/image", parse(raw, media_types.OCI_INDEX))
    assert [entry["mediaType"] for entry in entries(client)] == [media_types.OCI_INDEX]
