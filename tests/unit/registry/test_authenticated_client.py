"""Which hosts a client asks, what it shows to which of them, and where it gives up."""

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
    """A credential for each registry."""

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
    """Make clients."""
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
    """Return whom was spoken to, in order."""
    return [str(call.request.url).partition("/v2")[0] for call in web.calls]


def shown(web: responses.RequestsMock) -> list[str | None]:
    """Return what authorized each request."""
    return [call.request.headers.get("Authorization") for call in web.calls]


@pytest.mark.parametrize(
    ("registry", "base"),
    [("docker.io", "https://registry-1.docker.io"), ("quay.io:443", "https://quay.io:443")],
)
def test_a_registry_elsewhere_is_asked_over_tls_alone(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient], registry: str, base: str
) -> None:
    web.get(re.compile("https?://.*"), body=requests.ConnectionError("refused"))
    with pytest.raises(ConnectionFailedError):
        meet(registry).get_manifest("library/ubuntu", "24.04")
    assert hosts(web) == [base]


def test_insecure_tries_tls_first_and_then_goes_without(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient]
) -> None:
    web.get("https://registry.lan/v2/", body=requests.exceptions.SSLError("WRONG_VERSION_NUMBER"))
    assert meet("registry.lan", insecure=True).http.base() == "http://registry.lan"
    assert hosts(web) == ["https://registry.lan"]


def test_insecure_keeps_tls_where_there_is_some(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient]
) -> None:
    web.get("https://registry.lan/v2/", status=401)
    assert meet("registry.lan", insecure=True).http.base() == "https://registry.lan"


def test_this_machine_is_not_asked_without_tls_where_its_certificate_is_wrong(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient]
) -> None:
    wrong = "certificate verify failed: self-signed certificate (_ssl.c:1006)"
    web.get("https://localhost:5000/v2/", body=requests.exceptions.SSLError(wrong))
    with pytest.raises(NetworkError, match="self-signed"):
        meet("localhost:5000").http.base()
    assert hosts(web) == ["https://localhost:5000"]


def test_a_host_that_no_address_can_have_is_told(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient]
) -> None:
    # Docker's grammar allows it.
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


def test_storage_that_asks_for_a_credential_gets_none(
    web: responses.RequestsMock, meet: Callable[..., RegistryClient]
) -> None:
    address = f"https://ghcr.io/v2/octo/image/blobs/{BLOB}"
    evil = {"WWW-Authenticate": 'Bearer realm="https://storage.example/token"'}
    web.get(address, status=307, headers={"Location": "https://storage.example/x"})
    web.get("https://storage.example/x", status=401, headers=evil)
    with pytest.raises(UnauthorizedError):
        meet("ghcr.io").get_blob("octo/image", BLOB)
    # A second address is asked for, since the first may have expired; nothing else happens.
    assert hosts(web) == ["https://ghcr.io", "https://storage.example/x"] * 2
    assert shown(web) == [None] * 4


def start(web: responses.RequestsMock, location: str) -> None:
    """Script the begin of an upload to somewhere."""
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
def test_an_upload_goes_where_it_is_told_and_the_token_to_the_registry_alone(
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


def test_a_token_that_ends_during_an_upload_is_replaced_for_the_next_try(
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


def test_a_token_that_ends_before_a_chunk_is_replaced_at_once(
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


def test_what_goes_wrong_with_a_credential_says_nothing_of_it(
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


def test_threads_that_begin_together_share_one_token(
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


def test_a_token_that_ends_on_the_way_is_replaced_once(
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
