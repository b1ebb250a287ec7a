"""The hosts that a client contacts, the credentials each of them gets, and when it gives up."""

from __future__ import annotations

import io
import re
import threading
from typing import TYPE_CHECKING

import pytest
import requests

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.credential_chain import CredentialChain
from ghcrctl.errors import (
    ConnectionFailedError,
    InvalidResponseError,
    NetworkError,
    UnauthorizedError,
)
from ghcrctl.oci.digest import Digest
from ghcrctl.registry.client import RegistryClient
from ghcrctl.registry.endpoint import TlsPolicy
from ghcrctl.registry.repository import Repository
from ghcrctl.registry.transport_options import TransportOptions
from tests.builders import random_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import responses

    from tests.registry_double import RegistryDouble

SECRET = "verysecret"
BLOB = Digest.of(b"content")
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="https://ghcr.io/token",service="ghcr.io"'}


class Everywhere:
    """A source with a credential for every registry."""

    label = "the test"

    def get(self, registry: str, repository: str) -> Credential:
        del registry, repository
        return Credential("octo", SECRET, source=self.label)


@pytest.fixture
def said() -> list[str]:
    """Warnings and debug lines."""
    return []


@pytest.fixture
def meet(said: list[str]) -> Iterator[Callable[..., RegistryClient]]:
    """Create clients."""
    made: list[RegistryClient] = []

    def make(registry: str, *, insecure: bool = False, anonymous: bool = False) -> RegistryClient:
        options = TransportOptions(
            retry=RetryPolicy(attempts=1), tls=TlsPolicy(insecure=insecure), debug=said.append
        )
        credential_chain = None if anonymous else CredentialChain([Everywhere()])
        made.append(
            RegistryClient(
                registry, credentials=credential_chain, options=options, warn=said.append
            )
        )
        return made[-1]

    yield make
    for client in made:
        client.close()


def hosts(web: responses.RequestsMock) -> list[str]:
    """Return the hosts of all requests, in order."""
    return [str(call.request.url).partition("/v2")[0] for call in web.calls]


def shown(web: responses.RequestsMock) -> list[str | None]:
    """Return the Authorization header of each request."""
    return [call.request.headers.get("Authorization") for call in web.calls]


@pytest.mark.parametrize(
    ("registry", "base"),
    [("docker.io", "https://registry-1.docker.io"), ("quay.io:443", "https://quay.io:443")],
)
def test_a_remote_registry_is_only_contacted_over_tls(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient], registry: str, base: str
) -> None:
    web.get(re.compile("https?://.*"), body=requests.ConnectionError("refused"))
    with pytest.raises(ConnectionFailedError):
        meet(registry).get_manifest("library/ubuntu", "24.04")
    assert hosts(web) == [base]


def test_insecure_tries_tls_before_plain_http(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient]
) -> None:
    web.get("https://registry.lan/v2/", body=requests.exceptions.SSLError("WRONG_VERSION_NUMBER"))
    assert meet("registry.lan", insecure=True).http.base() == "http://registry.lan"
    assert hosts(web) == ["https://registry.lan"]


def test_insecure_uses_tls_if_available(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient]
) -> None:
    web.get("https://registry.lan/v2/", status=401)
    assert meet("registry.lan", insecure=True).http.base() == "https://registry.lan"


def test_an_invalid_certificate_on_this_machine_is_no_reason_for_plain_http(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient]
) -> None:
    wrong = "certificate verify failed: self-signed certificate (_ssl.c:1006)"
    web.get("https://localhost:5000/v2/", body=requests.exceptions.SSLError(wrong))
    with pytest.raises(NetworkError, match="self-signed"):
        meet("localhost:5000").http.base()
    assert hosts(web) == ["https://localhost:5000"]


def test_an_impossible_host_is_an_error(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient]
) -> None:
    # Docker's grammar allows this host.
    with pytest.raises(InvalidResponseError, match=r"invalid URL with the host \[:::::\]:5000"):
        meet("[:::::]:5000").get_manifest("octo/image", "1.0")
    assert len(web.calls) == 0


def test_only_the_token_endpoint_sees_the_credential(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient], said: list[str]
) -> None:
    address = f"https://ghcr.io/v2/octo/image/blobs/{BLOB}"
    web.get(address, status=401, headers=CHALLENGE)
    web.get("https://ghcr.io/token", json={"token": "t1"})
    web.get(address, status=307, headers={"Location": "https://storage.example/x?sig=verysecret"})
    web.get("https://storage.example/x", body=b"content")
    stream = meet("ghcr.io").get_blob("octo/image", BLOB)
    assert stream.read(100) == b"content"
    stream.close()
    first, credential, second, storage = shown(web)
    assert (first, second, storage) == (None, "Bearer t1", None)
    assert (credential or "").startswith("Basic ")
    assert SECRET not in str(said)


def test_a_storage_host_that_requests_a_credential_gets_none(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient]
) -> None:
    address = f"https://ghcr.io/v2/octo/image/blobs/{BLOB}"
    evil = {"WWW-Authenticate": 'Bearer realm="https://storage.example/token"'}
    web.get(address, status=307, headers={"Location": "https://storage.example/x"})
    web.get("https://storage.example/x", status=401, headers=evil)
    with pytest.raises(UnauthorizedError):
        meet("ghcr.io").get_blob("octo/image", BLOB)
    # One more URL is requested, since the first may have expired.
    assert hosts(web) == ["https://ghcr.io", "https://storage.example/x"] * 2
    assert shown(web) == [None] * 4


def start(web: responses.RequestsMock, location: str) -> None:
    """Script the start of an upload with a location."""
    uploads = "https://ghcr.io/v2/octo/image/blobs/uploads/"
    web.post(uploads, status=401, headers=CHALLENGE)
    web.get("https://ghcr.io/token", json={"token": "t1"})
    web.post(uploads, status=202, headers={"Location": location})


@pytest.mark.parametrize(
    "location", ["http://ghcr.io/upload/1", "http://127.0.0.1/upload/1", "//[ghcr.io/upload"]
)
def test_an_upload_is_never_sent_without_tls(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient], location: str
) -> None:
    start(web, location)
    with pytest.raises(InvalidResponseError, match="invalid upload URL"):
        meet("ghcr.io").uploads.begin("octo/image")
    assert len(web.calls) == 3


@pytest.mark.parametrize(
    ("location", "url", "authorization"),
    [
        ("/upload/1?state=a%2Fb", "https://ghcr.io/upload/1?state=a%2Fb&digest=", "Bearer t1"),
        ("2", "https://ghcr.io/v2/octo/image/blobs/uploads/2?digest=", "Bearer t1"),
        ("https://ghcr.io/upload/3", "https://ghcr.io/upload/3?digest=", "Bearer t1"),
        ("https://storage.example/4?sig=x", "https://storage.example/4?sig=x&digest=", None),
        ("https://ghcr.io:444/5", "https://ghcr.io:444/5?digest=", None),
    ],
)
def test_an_upload_uses_its_location_but_only_the_registry_gets_the_token(
    web: responses.RequestsMock,
    meet: Callable[..., RegistryClient],
    location: str,
    url: str,
    authorization: str | None,
) -> None:
    start(web, location)
    web.put(re.compile(".*"), status=201)
    uploads = meet("ghcr.io").uploads
    uploads.finish("octo/image", uploads.begin("octo/image").address, BLOB, b"content")
    sent = web.calls[3].request
    assert sent.url == url + str(BLOB).replace(":", "%3A")
    assert sent.headers.get("Authorization") == authorization
    assert sent.body == b"content"


def test_a_token_that_expires_during_an_upload_is_replaced_for_the_retry(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient]
) -> None:
    start(web, "/upload/1")
    web.put("https://ghcr.io/upload/1", status=401, headers=CHALLENGE)
    web.get("https://ghcr.io/token", json={"token": "t2"})
    web.put("https://ghcr.io/upload/1", status=201)
    uploads = meet("ghcr.io").uploads
    address = uploads.begin("octo/image").address
    with pytest.raises(UnauthorizedError) as caught:
        uploads.finish("octo/image", address, BLOB, io.BytesIO(b"content"))
    assert caught.value.retryable
    uploads.finish("octo/image", address, BLOB, io.BytesIO(b"content"))
    assert shown(web)[-1] == "Bearer t2"


def test_a_token_that_expires_before_a_chunk_is_replaced_at_once(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient]
) -> None:
    start(web, "/upload/1")
    web.patch("https://ghcr.io/upload/1", status=401, headers=CHALLENGE)
    web.get("https://ghcr.io/token", json={"token": "t2"})
    web.patch("https://ghcr.io/upload/1", status=202, headers={"Range": "0-6"})
    uploads = meet("ghcr.io").uploads
    address = uploads.begin("octo/image").address
    assert uploads.append("octo/image", address, 0, b"content").received == 7
    assert shown(web)[-1] == "Bearer t2"


def test_errors_about_a_credential_do_not_contain_it(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient], said: list[str]
) -> None:
    web.get("https://ghcr.io/v2/", status=401, headers=CHALLENGE)
    web.get("https://ghcr.io/token", status=403, json={"errors": [{"code": "DENIED"}]})
    with pytest.raises(UnauthorizedError, match="rejects this user name and password") as caught:
        meet("ghcr.io").check(Credential("octo", SECRET))
    told = f"{caught.value!r} {caught.value} {caught.value.hint} {said}"
    assert SECRET not in told
    assert "octo" in told
    assert "read:packages" in told


def test_concurrent_threads_share_one_token(
    ghcr: RegistryDouble, meet: Callable[..., RegistryClient]
) -> None:
    image = random_image(8)
    ghcr.push_image("octo/image", "1.0", image)
    ghcr.accounts["octo"] = SECRET
    repository = Repository(meet(ghcr.host), "octo/image")
    together = threading.Barrier(8)
    found: list[bool] = []

    def begin(number: int) -> None:
        together.wait()
        found.append(repository.exists(image.blobs[number][0]))

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 8
    assert ghcr.count("GET", "/token") == 1


def test_an_expired_token_is_replaced_once(
    ghcr: RegistryDouble, meet: Callable[..., RegistryClient]
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(1))
    ghcr.public.add("octo/image")
    client = meet(ghcr.host, anonymous=True)
    client.get_manifest("octo/image", "1.0")
    ghcr.authority.grants.clear()
    client.get_manifest("octo/image", "1.0")
    client.get_manifest("octo/image", "1.0")
    assert ghcr.count("GET", "/token") == 2
