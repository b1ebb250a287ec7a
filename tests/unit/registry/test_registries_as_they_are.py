"""Registries that deviate from the specification in harmless ways."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.retry import RetryPolicy
from ghcrctl.content.streams import Content
from ghcrctl.credentials.credential import Credential
from ghcrctl.errors import (
    DeniedError,
    InvalidResponseError,
    ManifestUnknownError,
    RedirectError,
)
from ghcrctl.registry import parallel_ranges
from ghcrctl.registry.client import RegistryClient
from ghcrctl.registry.repository import Repository
from ghcrctl.registry.transport_options import TransportOptions
from tests.builders import random_image
from tests.registry_double import Fault
from tests.sessions import session_on
from tests.unit.registry.bending import IMAGE, bend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import responses

    from tests.registry_double import PlainRegistry

LAYER, LAYER_BYTES = IMAGE.blobs[0]
DIGEST = str(IMAGE.root.digest)
OTHER = random_image(1, seed=7)


@pytest.fixture
def repository(client: RegistryClient) -> Repository:
    return Repository(client, "octo/image")


@pytest.fixture
def web_client() -> Iterator[Callable[[str], RegistryClient]]:
    """Create a client with a credential for a registry on the scripted web."""
    made: list[RegistryClient] = []

    class CredentialChain:
        def find(self, registry: str, repository: str = "") -> Credential | None:
            del repository
            known = registry in {"reg.example", "named.example:443"}
            return Credential("octo", "secret", source="the test") if known else None

    def make(registry: str) -> RegistryClient:
        options = TransportOptions(retry=RetryPolicy(attempts=1))
        credential_chain: Any = CredentialChain()
        made.append(
            RegistryClient(registry, credentials=credential_chain, options=options, warn=print)
        )
        return made[-1]

    yield make
    for client in made:
        client.close()


# Default ports


@pytest.mark.parametrize("registry", ["reg.example:443", "reg.example", "named.example"])
def test_an_upload_continues_on_the_same_host_with_the_credential(
    web: responses.RequestsMock, web_client: Callable[[str], RegistryClient], registry: str
) -> None:
    bare = registry.removesuffix(":443")
    challenge = {"WWW-Authenticate": 'Basic realm="x"'}
    begin = f"https://{registry}/v2/octo/image/blobs/uploads/"
    web.post(begin, status=401, headers=challenge)
    for_upload = f"https://{bare}/v2/upload" if registry != bare else f"https://{bare}:443/v2/u"
    web.post(begin, status=202, headers={"Location": for_upload})
    web.put(for_upload, status=201)
    uploads = web_client(registry).uploads
    begun = uploads.begin("octo/image")
    uploads.finish("octo/image", begun.address, LAYER.digest, LAYER_BYTES)
    assert web.calls[-1].request.headers["Authorization"].startswith("Basic ")


@pytest.mark.parametrize(
    ("registry", "link"),
    [
        ("reg.example", "<https://reg.example:443/v2/octo/image/tags/list?last=a>; rel=next"),
        ("reg.example:443", "<https://reg.example/v2/octo/image/tags/list?last=a>; rel=next"),
        ("reg.example", "<http://reg.example:80/v2/octo/image/tags/list?last=a>; rel=next"),
    ],
)
def test_a_list_continues_on_the_same_host(
    web: responses.RequestsMock,
    web_client: Callable[[str], RegistryClient],
    registry: str,
    link: str,
) -> None:
    url = f"https://{registry}/v2/octo/image/tags/list"
    web.get(f"{url}?n=1000", json={"tags": ["a"]}, headers={"Link": link})
    web.get(f"{url}?last=a", json={"tags": ["b"]})
    assert list(web_client(registry).tags("octo/image")) == ["a", "b"]


# HEAD


@pytest.mark.parametrize("status", [400, 403, 405, 501])
def test_a_get_replaces_a_refused_head_of_a_manifest(
    client: RegistryClient, repository: Repository, plain_registry: PlainRegistry, status: int
) -> None:
    plain_registry.faults.append(
        Fault(method="HEAD", path_contains="/manifests/", status=status, times=9)
    )
    assert str(repository.digest_of("1.0")) == DIGEST
    assert client.find_digest("octo/image", "1.0") == DIGEST
    assert repository.exists(IMAGE.root)
    assert not repository.exists(OTHER.root)
    with pytest.raises(ManifestUnknownError):
        repository.digest_of("2.0")


def test_a_denied_manifest_is_denied(repository: Repository, plain_registry: PlainRegistry) -> None:
    plain_registry.faults.append(Fault(path_contains="/manifests/", status=403, times=9))
    with pytest.raises(DeniedError, match="the fault script says so"):
        repository.digest_of("1.0")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_head_is_followed(
    repository: Repository, plain_registry: PlainRegistry, status: int
) -> None:
    plain_registry.push_image("moved/image", "1.0", IMAGE)
    location = {"Location": f"{plain_registry.url}/v2/moved/image/manifests/1.0"}
    plain_registry.faults.append(
        Fault(method="HEAD", path_contains="octo/image/manifests/", status=status, headers=location)
    )
    assert str(repository.digest_of("1.0")) == DIGEST
    assert plain_registry.count("GET", "/manifests/") == 0


@pytest.mark.parametrize("refusal", [400, 401, 403, 404])
def test_a_url_signed_for_get_is_requested_with_get(
    web: responses.RequestsMock, web_client: Callable[[str], RegistryClient], refusal: int
) -> None:
    url, storage = "https://reg.example/v2/octo/image/manifests/1.0", "https://storage.example/x"
    for add in (web.head, web.get):
        add(url, status=307, headers={"Location": storage})
    web.head(storage, status=refusal)
    web.get(storage, body=IMAGE.raw, content_type=IMAGE.root.media_type)
    assert web_client("reg.example").find_digest("octo/image", "1.0") == DIGEST


def test_a_get_replaces_a_denied_head_of_a_blob(
    repository: Repository, plain_registry: PlainRegistry
) -> None:
    plain_registry.faults.append(Fault(method="HEAD", path_contains="/blobs/", status=403))
    assert repository.exists(LAYER)


@pytest.mark.parametrize("status", [400, 405, 501])
def test_a_blob_whose_head_fails_is_uploaded(
    repository: Repository, plain_registry: PlainRegistry, status: int
) -> None:
    plain_registry.faults.append(Fault(method="HEAD", path_contains="/blobs/", status=status))
    assert not repository.exists(LAYER)


# Headers


@pytest.mark.parametrize(
    "stated",
    [f"{DIGEST}, {DIGEST}", DIGEST.upper(), DIGEST.replace("sha256", "SHA256"), f" {DIGEST},"],
)
def test_a_digest_may_be_stated_twice_and_in_upper_case(
    repository: Repository, plain_registry: PlainRegistry, stated: str
) -> None:
    headers = {"Docker-Content-Digest": stated}
    plain_registry.faults += [
        Fault(path_contains="/manifests/", headers=headers, method=method, times=9)
        for method in ("GET", "HEAD", "PUT")
    ]
    assert str(repository.digest_of("1.0")) == DIGEST
    assert str(repository.resolve("1.0").digest) == DIGEST
    repository.tag(_content(IMAGE.root, IMAGE.raw), "2.0")


def test_two_digests_for_one_manifest_are_an_error(
    repository: Repository, plain_registry: PlainRegistry
) -> None:
    headers = {"Docker-Content-Digest": f"{DIGEST}, {OTHER.root.digest}"}
    plain_registry.faults.append(Fault(path_contains="/manifests/", headers=headers, times=9))
    with pytest.raises(InvalidResponseError, match="several digests"):
        repository.digest_of("1.0")


@pytest.mark.parametrize(
    "link",
    [
        "/v2/octo/image/tags/list?last=a",
        "/v2/octo/image/tags/list?last=a; rel=next",
        '</v2/octo/image/tags/list?last=a> ; title="x"; REL="next"',
        '</v2/octo/image/tags/list?last=0>; rel="prev", </v2/octo/image/tags/list?last=a>;rel=next',
    ],
)
def test_a_link_needs_no_brackets(
    client: RegistryClient, plain_registry: PlainRegistry, link: str
) -> None:
    bend(plain_registry, "/tags/list", body=b'{"tags": ["a"]}', headers={"Link": link})
    bend(plain_registry, "/tags/list", body=b'{"tags": ["b"]}')
    assert list(client.tags("octo/image")) == ["a", "b"]


# Bodies


def test_unrequested_compression_is_decoded(
    client: RegistryClient, repository: Repository, plain_registry: PlainRegistry
) -> None:
    def packed(path: str, raw: bytes) -> None:
        headers = {"Content-Encoding": "gzip"}
        plain_registry.faults.append(
            Fault(method="GET", path_contains=path, body=gzip.compress(raw), headers=headers)
        )

    packed("/manifests/", IMAGE.raw)
    packed("/tags/list", json.dumps({"tags": ["1.0"]}).encode())
    packed("/blobs/", LAYER_BYTES)
    assert str(repository.resolve("1.0").digest) == DIGEST
    assert list(client.tags("octo/image")) == ["1.0"]
    assert Content(repository, LAYER).open().read() == LAYER_BYTES


def test_a_compressed_layer_with_content_encoding_is_not_decoded(
    repository: Repository, plain_registry: PlainRegistry
) -> None:
    headers = {"Content-Encoding": "gzip"}
    plain_registry.faults.append(Fault(method="GET", path_contains="/blobs/", headers=headers))
    assert Content(repository, LAYER).open().read() == LAYER_BYTES


@pytest.mark.parametrize("status", [400, 403, 404, 405, 416, 501])
@pytest.mark.parametrize("parallel", [False, True])
def test_a_blob_is_read_whole_if_ranges_are_refused(
    repository: Repository,
    plain_registry: PlainRegistry,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    parallel: bool,
) -> None:
    if parallel:
        monkeypatch.setattr(parallel_ranges, "SEGMENT", 1000)
        monkeypatch.setattr(parallel_ranges, "PARALLEL_FROM", 2000)
    plain_registry.faults.append(Fault(method="GET", path_contains="/blobs/", status=status))
    offset = 0 if parallel else 5
    stream = repository.open(LAYER, offset)
    got = bytearray()
    while chunk := stream.read(4096):
        got += chunk
    stream.close()
    assert bytes(got) == LAYER_BYTES[offset:]


# Writing


def test_a_manifest_may_be_accepted_with_an_empty_response(
    repository: Repository, plain_registry: PlainRegistry
) -> None:
    plain_registry.faults.append(Fault(method="PUT", path_contains="/manifests/", status=204))
    repository.tag(_content(IMAGE.root, IMAGE.raw), "2.0")


@pytest.mark.parametrize("status", [200, 204, 400, 401, 403, 404, 405, 429, 500, 502])
def test_a_mount_that_fails_in_any_way_is_an_upload(
    plain_registry: PlainRegistry, client: RegistryClient, status: int
) -> None:
    target = Repository(client, "octo/other")
    plain_registry.faults.append(Fault(method="POST", path_contains="/uploads/", status=status))
    assert target.mount(LAYER, ["octo/image"]) is None
    target.write(_content(LAYER, LAYER_BYTES))
    assert target.exists(LAYER)
    assert plain_registry.count("POST") == 2


def test_a_mount_whose_connection_breaks_is_an_upload(
    plain_registry: PlainRegistry, client: RegistryClient
) -> None:
    target = Repository(client, "octo/other")
    plain_registry.faults.append(Fault(method="POST", path_contains="/uploads/", hang_up=True))
    assert target.mount(LAYER, ["octo/image"]) is None
    target.write(_content(LAYER, LAYER_BYTES))
    assert target.exists(LAYER)


def _content(descriptor: Any, raw: bytes) -> Content:
    place = MemoryPlace("the test")
    place.put(descriptor, raw)
    return Content(place, descriptor)


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1", "169.254.169.254", "[::1]"])
def test_a_remote_registry_cannot_redirect_an_upload_to_this_machine(
    web: responses.RequestsMock, web_client: Callable[[str], RegistryClient], host: str
) -> None:
    begin = "https://reg.example/v2/octo/image/blobs/uploads/"
    web.post(begin, status=202, headers={"Location": f"https://{host}/upload"})
    uploads = web_client("reg.example").uploads
    begun = uploads.begin("octo/image")
    with pytest.raises(RedirectError, match=r"reg\.example named this host"):
        uploads.finish("octo/image", begun.address, LAYER.digest, LAYER_BYTES)
    assert len(web.calls) == 1


@pytest.mark.parametrize(
    ("source", "target", "mounted"),
    [
        ("reg.example", "reg.example:443", "octo/a"),
        ("reg.example:443", "reg.example", "octo/a"),
        ("reg.example", "reg.example:444", None),
        ("reg.example", "other.example", None),
    ],
)
def test_blobs_are_mounted_whether_or_not_the_default_port_is_written(
    tmp_path: Path, source: str, target: str, mounted: str | None
) -> None:
    with session_on(tmp_path) as session:
        names = (session.parse(f"{source}/octo/a:1"), session.parse(f"{target}/octo/b:1"))
        assert session.resolver.mount_source(*names) == mounted
