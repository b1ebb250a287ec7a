"""Uploads in one request and in chunks, and how they resume after failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.retry import RetryPolicy, retry
from ghcrctl.content.streams import Content
from ghcrctl.errors import (
    GhcrctlError,
    RedirectError,
    RegistryUnavailableError,
    UnsupportedError,
)
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.registry import blob_upload
from ghcrctl.registry.client import RegistryClient
from ghcrctl.registry.repository import Repository
from ghcrctl.registry.transport_options import TransportOptions
from tests.registry_double import Fault, PlainRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = 64 * 1024
UPLOADS = "/blobs/uploads/"
DATA = bytes(range(256)) * 1024
BLOB = Descriptor.of(DATA, "application/octet-stream")
PATIENT = RetryPolicy(attempts=4, base=0.0)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blob_upload, "CHUNK", CHUNK)


@pytest.fixture
def target(plain_registry: PlainRegistry) -> Iterator[Callable[..., Repository]]:
    """Create target repositories."""
    clients = []

    def make(*, chunk: int = 0) -> Repository:
        options = TransportOptions(retry=RetryPolicy(attempts=2, base=0.0), chunk=chunk)
        client = RegistryClient(
            plain_registry.host, credentials=None, options=options, warn=lambda _: None
        )
        clients.append(client)
        return Repository(client, "octo/image")

    yield make
    for client in clients:
        client.close()


def send(repository: Repository, policy: RetryPolicy = PATIENT) -> None:
    """Upload the blob like the engine, with retries."""
    place = MemoryPlace()
    place.put(BLOB, DATA)
    retry(lambda: repository.write(Content(place, BLOB)), policy)


def requests_of(registry: PlainRegistry) -> list[tuple[str, int]]:
    """Return methods and statuses of the upload requests."""
    return [(e.method, e.status) for e in registry.log if UPLOADS in e.path]


def test_a_blob_is_uploaded_in_two_requests(
    target: Callable[..., Repository], plain_registry: PlainRegistry
) -> None:
    send(target())
    assert requests_of(plain_registry) == [("POST", 202), ("PUT", 201)]


def test_a_blob_is_uploaded_in_chunks_on_request(
    target: Callable[..., Repository], plain_registry: PlainRegistry
) -> None:
    repository = target(chunk=100_000)
    send(repository)
    chunks = [("PATCH", 202)] * 3
    assert requests_of(plain_registry) == [("POST", 202), *chunks, ("PUT", 201)]
    assert repository.exists(BLOB)


@pytest.mark.parametrize("status", [413, 416])
def test_a_body_rejected_as_too_large_is_uploaded_in_chunks(
    target: Callable[..., Repository], plain_registry: PlainRegistry, status: int
) -> None:
    plain_registry.faults.append(Fault(method="PUT", path_contains=UPLOADS, status=status))
    repository = target()
    send(repository)
    chunks = [("PATCH", 202)] * 4
    refused = [("POST", 202), ("PUT", status)]
    assert requests_of(plain_registry) == [*refused, ("POST", 202), *chunks, ("PUT", 201)]
    assert repository.exists(BLOB)


def test_received_bytes_are_not_sent_again(
    target: Callable[..., Repository], plain_registry: PlainRegistry
) -> None:
    cut = Fault(method="PUT", path_contains=UPLOADS, cut_after=3 * CHUNK + 5)
    plain_registry.faults.append(cut)
    repository = target()
    send(repository)
    assert [method for method, _ in requests_of(plain_registry)] == [
        "POST",
        "PUT",
        "GET",
        "PATCH",
        "PUT",
    ]
    assert repository.exists(BLOB)


def test_an_interrupted_chunk_is_resumed(
    target: Callable[..., Repository], plain_registry: PlainRegistry
) -> None:
    cut = Fault(method="PATCH", path_contains=UPLOADS, cut_after=1000, after=1)
    plain_registry.faults.append(cut)
    repository = target(chunk=CHUNK)
    send(repository)
    assert repository.exists(BLOB)
    # The registry has received part of the chunk, so the same chunk again is out of order.
    assert ("PATCH", 416) in requests_of(plain_registry)
    assert requests_of(plain_registry).count(("POST", 202)) == 1


@pytest.mark.parametrize("taken", [1, 1000, CHUNK - 1])
def test_the_missing_part_of_a_chunk_is_sent_again(
    target: Callable[..., Repository], plain_registry: PlainRegistry, taken: int
) -> None:
    short = Fault(method="PATCH", path_contains=UPLOADS, takes=taken, after=1)
    plain_registry.faults.append(short)
    repository = target(chunk=CHUNK)
    send(repository)
    assert repository.exists(BLOB)
    assert requests_of(plain_registry).count(("PATCH", 202)) == 5


def test_an_unknown_upload_is_restarted(
    target: Callable[..., Repository], plain_registry: PlainRegistry
) -> None:
    gone = Fault(method="PATCH", path_contains=UPLOADS, status=404, after=2)
    plain_registry.faults.append(gone)
    plain_registry.faults.append(Fault(method="GET", path_contains=UPLOADS, status=404))
    repository = target(chunk=CHUNK)
    send(repository)
    assert repository.exists(BLOB)
    assert requests_of(plain_registry).count(("POST", 202)) == 2


def test_an_upload_that_is_always_unknown_is_an_error(
    target: Callable[..., Repository], plain_registry: PlainRegistry
) -> None:
    plain_registry.faults.append(Fault(method="PATCH", path_contains=UPLOADS, status=404, times=99))
    with pytest.raises(RegistryUnavailableError, match="no longer knows the upload"):
        send(target(chunk=CHUNK))


def test_a_registry_without_upload_status_gets_the_whole_blob_again(
    target: Callable[..., Repository], plain_registry: PlainRegistry
) -> None:
    plain_registry.faults += [
        Fault(method="PUT", path_contains=UPLOADS, cut_after=3 * CHUNK),
        Fault(method="GET", path_contains=UPLOADS, status=405),
    ]
    repository = target()
    send(repository)
    assert repository.exists(BLOB)
    assert requests_of(plain_registry).count(("PATCH", 202)) == 4


def test_a_registry_without_chunked_uploads_gets_the_whole_blob_again(
    target: Callable[..., Repository], plain_registry: PlainRegistry
) -> None:
    plain_registry.faults += [
        Fault(method="PUT", path_contains=UPLOADS, cut_after=CHUNK),
        Fault(method="PATCH", path_contains=UPLOADS, status=405, times=99),
    ]
    repository = target()
    send(repository)
    assert repository.exists(BLOB)


def test_a_registry_that_rejects_all_uploads_is_an_error(
    target: Callable[..., Repository], plain_registry: PlainRegistry
) -> None:
    plain_registry.faults += [
        Fault(method="PUT", path_contains=UPLOADS, status=413, times=99),
        Fault(method="PATCH", path_contains=UPLOADS, status=405, times=99),
    ]
    with pytest.raises(GhcrctlError) as caught:
        send(target())
    assert "413" in str(caught.value) or isinstance(caught.value, UnsupportedError)


@pytest.mark.parametrize("said", ["0-10", "0-99999999", "0-0"])
def test_a_wrong_byte_count_is_an_error(
    target: Callable[..., Repository], plain_registry: PlainRegistry, said: str
) -> None:
    headers = {"Range": said}
    plain_registry.faults += [
        Fault(method="PATCH", path_contains=UPLOADS, headers=headers, times=99, after=1),
        Fault(method="GET", path_contains=UPLOADS, headers=headers, times=99),
    ]
    with pytest.raises(GhcrctlError, match="after it was sent"):
        send(target(chunk=CHUNK))


def test_the_registrys_minimum_chunk_size_is_used(
    target: Callable[..., Repository], plain_registry: PlainRegistry
) -> None:
    smallest = {"OCI-Chunk-Min-Length": str(2 * CHUNK)}
    plain_registry.faults.append(Fault(method="POST", path_contains=UPLOADS, headers=smallest))
    send(target(chunk=CHUNK))
    assert requests_of(plain_registry).count(("PATCH", 202)) == 2


@pytest.mark.parametrize("chunk", [0, CHUNK])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_redirect_within_the_host_is_followed(
    target: Callable[..., Repository],
    plain_registry: PlainRegistry,
    method: str,
    status: int,
    chunk: int,
) -> None:
    repository = target(chunk=chunk)
    moved = Fault(method, UPLOADS, status=status, headers={"Location": "?moved=1"})
    plain_registry.faults.append(moved)
    send(repository)
    assert repository.exists(BLOB)


def test_endless_redirects_of_a_body_are_an_error(
    target: Callable[..., Repository], plain_registry: PlainRegistry
) -> None:
    away = Fault("PUT", UPLOADS, status=307, headers={"Location": "?moved=1"}, times=99)
    plain_registry.faults.append(away)
    with pytest.raises(RedirectError, match="more than 10 times"):
        send(target())
    assert not target().exists(BLOB)
