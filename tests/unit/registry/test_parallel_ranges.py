"""Large blobs over several connections, and when a single one is used."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import DigestMismatchError, GhcrctlError, NetworkError
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.moving.pull import pull
from ghcrctl.registry import parallel_ranges
from ghcrctl.registry.parallel_ranges import RangedStream, open_blob
from ghcrctl.registry.read_ahead import ReadAhead, Span
from tests.builders import random_image
from tests.registry_double import Fault, RegistryDouble
from tests.sessions import is_stored, name_at, session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session

IMAGE = random_image(1, 1_000_000, seed=1)
LAYER, CONTENT = IMAGE.blobs[0]
SEGMENT = 64 * 1024


@pytest.fixture(autouse=True)
def _small_and_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat the layer as large, and every connection as slow."""
    monkeypatch.setattr(parallel_ranges, "SEGMENT", SEGMENT)
    monkeypatch.setattr(parallel_ranges, "PARALLEL_FROM", 4 * SEGMENT)
    monkeypatch.setattr(parallel_ranges, "_FAST", 1e15)


@pytest.fixture
def session(tmp_path: Path, ghcr: RegistryDouble) -> Iterator[Session]:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    with session_on(tmp_path / "home", registry=ghcr.host, token="ghp_octo") as made:
        yield made


def fetched(ghcr: RegistryDouble) -> list[int]:
    """Return the statuses of the layer's requests at the storage host."""
    entries = [e for e in ghcr.log if e.host == "storage" and LAYER.digest.encoded in e.path]
    assert not any(entry.had_authorization for entry in entries)
    return [entry.status for entry in entries]


def asked(ghcr: RegistryDouble) -> int:
    """Count the layer's requests at the registry itself."""
    return sum(e.host == "registry" and LAYER.digest.encoded in e.path for e in ghcr.log)


def storage_fault(**fault: object) -> Fault:
    return Fault(host="storage", path_contains=LAYER.digest.encoded, **fault)  # type: ignore[arg-type]


def pulled(ghcr: RegistryDouble, session: Session) -> bool:
    pull(session, name_at(ghcr, session))
    return is_stored(session, IMAGE)


def test_a_large_blob_is_read_in_segments_from_the_redirect_target(
    ghcr: RegistryDouble, session: Session
) -> None:
    assert pulled(ghcr, session)
    assert fetched(ghcr) == [206] * -(-LAYER.size // SEGMENT)
    assert asked(ghcr) <= 2


def test_a_fast_connection_reads_the_rest_at_once(
    ghcr: RegistryDouble, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel_ranges, "_FAST", 0)
    assert pulled(ghcr, session)
    assert fetched(ghcr) == [206, 206]


def test_a_connections_speed_only_counts_waiting_time(
    ghcr: RegistryDouble, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A speed in bytes per second that is far below loopback's, but above the test's total speed.
    monkeypatch.setattr(parallel_ranges, "_FAST", 100)
    assert pulled(ghcr, session)
    assert fetched(ghcr) == [206, 206]


def test_the_remaining_size_decides_whether_a_blob_is_large(
    ghcr: RegistryDouble, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, repository = session.resolver.access(name_at(ghcr, session))
    monkeypatch.setattr(parallel_ranges, "PARALLEL_FROM", LAYER.size - 5)
    for offset, is_large in ((0, True), (5, True), (6, False)):
        stream = open_blob(client, repository, LAYER, offset)
        stream.close()
        assert isinstance(stream, RangedStream) is is_large


@pytest.mark.parametrize("failure", [{"status": 503}, {"hang_up": True}], ids=["503", "hangs up"])
def test_a_segment_that_fails_is_requested_as_often_as_allowed(
    ghcr: RegistryDouble, session: Session, failure: dict[str, object]
) -> None:
    ghcr.faults.append(storage_fault(after=2, times=9999, **failure))
    with pytest.raises(NetworkError):
        pulled(ghcr, session)
    requested = Counter(e.range for e in ghcr.log if e.host == "storage")
    # The session retries once.
    assert max(requested.values()) == 2


def test_the_user_can_choose_a_single_connection(tmp_path: Path, ghcr: RegistryDouble) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    with session_on(
        tmp_path, registry=ghcr.host, token="ghp_octo", environ={"GHCRCTL_CONNECTIONS": "1"}
    ) as session:
        assert pulled(ghcr, session)
    assert fetched(ghcr) == [200]


def test_a_server_without_ranges_sends_the_whole_blob(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.faults.append(storage_fault(status=200, body=CONTENT, times=99))
    assert pulled(ghcr, session)
    assert fetched(ghcr) == [200]


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": '"another"'},
        {"Content-Range": f"bytes 0-{SEGMENT - 1}/{LAYER.size}"},
        {"Content-Range": "nonsense"},
    ],
)
def test_a_mismatching_segment_is_not_used(
    ghcr: RegistryDouble, session: Session, headers: dict[str, str]
) -> None:
    ghcr.faults += [storage_fault(), storage_fault(), storage_fault(headers=headers)]
    assert pulled(ghcr, session)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_failing_redirect_target_is_requested_again(
    ghcr: RegistryDouble, session: Session, status: int
) -> None:
    ghcr.faults += [storage_fault(), storage_fault(), storage_fault(status=status)]
    assert pulled(ghcr, session)
    assert asked(ghcr) >= 2


def test_an_expired_signed_url_is_renewed(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.moods.expired = 1
    assert pulled(ghcr, session)


def test_a_truncated_segment_is_requested_again(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.faults += [storage_fault(), storage_fault(cut_after=1000), storage_fault(cut_after=9)]
    assert pulled(ghcr, session)


def test_a_corrupted_segment_is_fetched_again(ghcr: RegistryDouble, session: Session) -> None:
    span = f"bytes {SEGMENT}-{2 * SEGMENT - 1}/{LAYER.size}"
    spoilt = storage_fault(body=bytes(SEGMENT), headers={"Content-Range": span})
    ghcr.faults += [storage_fault(), spoilt]
    assert pulled(ghcr, session)
    assert spoilt.befell == 1


def test_reading_can_start_at_any_byte(ghcr: RegistryDouble, session: Session) -> None:
    repository = session.repository(name_at(ghcr, session))
    for offset in (1, SEGMENT, 3 * SEGMENT + 7, LAYER.size - 1):
        stream = repository.open(LAYER, offset)
        data = b""
        while chunk := stream.read(50_000):
            data += chunk
        stream.close()
        assert Digest.of(data) == Digest.of(CONTENT[offset:])


def free_slots(session: Session, ghcr: RegistryDouble, expected: int = 6) -> int:
    """Count the free slots for reading ahead, once running reads have ended."""
    ahead = session.resolver.sign_in(ghcr.host).ahead
    assert ahead
    held = 0
    deadline = time.monotonic() + 20
    while held < expected and time.monotonic() < deadline:
        held += ahead.submit(bytearray) is not None
    return held + (ahead.submit(bytearray) is not None)


def test_a_stopped_reader_releases_its_segments(ghcr: RegistryDouble, session: Session) -> None:
    repository = session.repository(name_at(ghcr, session))
    for _ in range(9):
        stream = repository.open(LAYER)
        assert stream.read(2 * SEGMENT)
        assert stream.read(2 * SEGMENT)
        stream.close()
    assert free_slots(session, ghcr) == 6


def test_a_finished_reader_has_released_its_segments(
    ghcr: RegistryDouble, session: Session
) -> None:
    for _ in range(3):
        stream = session.repository(name_at(ghcr, session)).open(LAYER)
        while stream.read(SEGMENT):
            pass
        stream.close()
    assert free_slots(session, ghcr) == 6


@pytest.mark.parametrize(
    "failure",
    [{"status": 503}, {"status": 404}, {"hang_up": True}, {"cut_after": 9}, {"body": b"x" * 99}],
    ids=["503", "404", "hangs up", "cut", "other bytes"],
)
def test_a_failed_reader_releases_its_segments(
    ghcr: RegistryDouble, session: Session, failure: dict[str, object]
) -> None:
    ghcr.faults.append(storage_fault(after=3, times=9999, **failure))
    for _ in range(3):
        with contextlib.suppress(GhcrctlError):
            pulled(ghcr, session)
    assert free_slots(session, ghcr) == 6


def test_a_connection_that_cannot_be_closed_keeps_no_segment(
    ghcr: RegistryDouble, session: Session
) -> None:
    client, repository = session.resolver.access(name_at(ghcr, session))
    stream = open_blob(client, repository, LAYER, 0)
    assert isinstance(stream, RangedStream)
    assert stream.read(2 * SEGMENT)
    assert stream.read(2 * SEGMENT)
    close = stream._current.close

    def fail() -> None:
        close()
        raise OSError("bad descriptor")

    stream._current.close = fail  # type: ignore[method-assign]
    with pytest.raises(OSError, match="bad descriptor"):
        stream.close()
    assert free_slots(session, ghcr) == 6


def test_a_running_segment_is_held_until_it_ends() -> None:
    ahead, ended = ReadAhead(1), threading.Event()

    def read() -> bytearray:
        assert ended.wait(30)
        return bytearray()

    future = ahead.submit(read)
    assert future
    while not future.running():
        time.sleep(0.001)
    ahead.release(future)
    assert ahead.submit(bytearray) is None
    ended.set()
    future.result(30)
    while (other := ahead.submit(bytearray)) is None:
        time.sleep(0.001)
    assert other.result(30) == bytearray()
    ahead.close()


def test_the_segment_limit_is_respected() -> None:
    ahead = ReadAhead(2)
    first, second = ahead.submit(lambda: None), ahead.submit(lambda: None)
    assert first
    assert second
    assert ahead.submit(lambda: None) is None
    ahead.release(first)
    assert ahead.submit(lambda: None) is not None
    ahead.close()


@pytest.mark.parametrize(
    ("span", "header"),
    [(Span(0), {}), (Span(5), {"Range": "bytes=5-"}), (Span(0, 10), {"Range": "bytes=0-9"})],
)
def test_each_span_has_its_range_header(span: Span, header: dict[str, str]) -> None:
    assert span.header == header


def test_wrong_bytes_are_an_error(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.faults.append(storage_fault(status=200, body=bytes(LAYER.size), times=9))
    with pytest.raises(DigestMismatchError):
        pulled(ghcr, session)


def test_a_thread_that_cannot_be_started_holds_no_segment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ahead = ReadAhead(1)

    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        assert ahead.submit(bytearray) is None
    future = ahead.submit(bytearray)
    assert future
    assert future.result(30) == bytearray()
    ahead.close()


def test_closing_does_not_wait_for_running_segments() -> None:
    ahead, ended = ReadAhead(1), threading.Event()

    def read() -> bytearray:
        ended.wait(5)
        return bytearray()

    future = ahead.submit(read)
    assert future
    ahead.close()
    assert not future.done()
    ended.set()
    assert future.result(30) == bytearray()


def test_a_closed_pool_reads_nothing() -> None:
    ahead = ReadAhead(2)
    ahead.close()
    for _ in range(5):
        assert ahead.submit(bytearray) is None
