"""N retries are N + 1 requests, whatever fails and however retry loops are nested."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.content import retry
from ghcrctl.errors import GhcrctlError
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.moving.push import push
from ghcrctl.registry import blob_upload, parallel_ranges
from ghcrctl.store import blobs
from tests.builders import random_image
from tests.registry_double import Fault, PlainRegistry, RegistryDouble
from tests.sessions import name_at, session_on

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.operations.common.session import Session

IMAGE = random_image(1, 500_000, seed=1)
LAYER = IMAGE.blobs[0][0].digest.encoded
SEGMENT = 64 * 1024
FOR_EVER = 9999

FAILURES: dict[str, dict[str, Any]] = {
    "503": {"status": 503},
    "429": {"status": 429, "headers": {"Retry-After": "0"}},
    "403 for a 502": {
        "status": 403,
        "body": b"Error from intermediary with HTTP status code 502",
    },
    "hangs up": {"hang_up": True},
    "cut": {"cut_after": 10},
}


@pytest.fixture(autouse=True)
def _quick_and_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove waits between attempts, and treat a small layer as a large one."""
    decide = retry.RetryPolicy.delay

    def at_once(policy: retry.RetryPolicy, attempt: int, error: GhcrctlError) -> float | None:
        return None if decide(policy, attempt, error) is None else 0.0

    monkeypatch.setattr(retry.RetryPolicy, "delay", at_once)
    monkeypatch.setattr(blob_upload, "CHUNK", 200_000)
    monkeypatch.setattr(parallel_ranges, "SEGMENT", SEGMENT)
    monkeypatch.setattr(parallel_ranges, "PARALLEL_FROM", 4 * SEGMENT)
    monkeypatch.setattr(parallel_ranges, "_FAST", 1e15)


@pytest.fixture(params=[0, 2], ids=["no retries", "two retries"])
def retries(request: pytest.FixtureRequest) -> int:
    number: int = request.param
    return number


@pytest.fixture
def begin(tmp_path: Path, ghcr: RegistryDouble, retries: int) -> Callable[..., Session]:
    """Return a function that starts a session with some retries, and push the image."""
    ghcr.push_image("octo/image", "1.0", IMAGE)

    def make(**environ: str) -> Session:
        given = {"GHCRCTL_RETRIES": str(retries), **environ}
        return session_on(tmp_path, registry=ghcr.host, token="ghp_octo", environ=given)

    return make


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(
    "where",
    [
        ("/manifests/", "registry", "1"),
        (LAYER, "registry", "1"),
        (LAYER, "registry", "6"),
        (LAYER, "storage", "1"),
        (LAYER, "storage", "6"),
        ("/token", "registry", "1"),
    ],
    ids=["manifest", "redirect", "redirect of ranges", "blob", "ranges", "token"],
)
def test_a_pull_sends_each_request_as_often_as_allowed(
    begin: Callable[..., Session],
    ghcr: RegistryDouble,
    retries: int,
    where: tuple[str, str, str],
    failure: str,
) -> None:
    path, host, connections = where
    # The first request for a manifest only gets the challenge; a redirect has no body to cut.
    after = int(path == "/manifests/")
    if (path, host, failure) == (LAYER, "registry", "cut"):
        return
    fault = Fault("GET", path, times=FOR_EVER, after=after, host=host, **FAILURES[failure])
    ghcr.faults.append(fault)
    with begin(GHCRCTL_CONNECTIONS=connections) as session, pytest.raises(GhcrctlError) as caught:
        pull(session, name_at(ghcr, session))
    assert fault.befell == retries + 1
    assert not caught.value.retryable


@pytest.mark.parametrize("failure", FAILURES)
def test_a_segment_in_the_middle_is_requested_as_often_as_allowed(
    begin: Callable[..., Session], ghcr: RegistryDouble, retries: int, failure: str
) -> None:
    ghcr.faults.append(
        Fault("GET", LAYER, times=FOR_EVER, after=2, host="storage", **FAILURES[failure])
    )
    with begin() as session, pytest.raises(GhcrctlError):
        pull(session, name_at(ghcr, session))
    asked = Counter(e.range for e in ghcr.log if e.host == "storage" and LAYER in e.path)
    # A segment that is cut during read-ahead is requested again by its reader.
    most = retries + 1 + (failure == "cut")
    assert max(asked.values()) <= most, asked


@pytest.mark.parametrize("hang_ups", [1, 2])
def test_mixed_failures_without_progress_share_one_budget(
    begin: Callable[..., Session], ghcr: RegistryDouble, retries: int, hang_ups: int
) -> None:
    for _ in range(10):
        ghcr.faults += [
            Fault("GET", LAYER, times=hang_ups, host="storage", hang_up=True),
            Fault("GET", LAYER, host="storage", cut_after=0),
        ]
    with begin(GHCRCTL_CONNECTIONS="1") as session, pytest.raises(GhcrctlError):
        pull(session, name_at(ghcr, session))
    assert sum(fault.befell for fault in ghcr.faults) <= retries + 1 + hang_ups


def test_a_resume_with_progress_has_all_attempts_again(
    monkeypatch: pytest.MonkeyPatch,
    begin: Callable[..., Session],
    ghcr: RegistryDouble,
    retries: int,
) -> None:
    monkeypatch.setattr(blobs, "CHUNK_SIZE", SEGMENT)
    for _ in range(retries):
        ghcr.faults += [
            Fault("GET", LAYER, times=retries, host="storage", hang_up=True),
            Fault("GET", LAYER, host="storage", cut_after=100_000),
        ]
    with begin(GHCRCTL_CONNECTIONS="1") as session:
        pull(session, name_at(ghcr, session))
    assert sum(fault.befell for fault in ghcr.faults) == retries * (retries + 1)


@pytest.mark.parametrize("failure", ["503", "hangs up", "cut"])
@pytest.mark.parametrize(
    "request_",
    [
        ("HEAD", "/blobs/", 0),
        ("HEAD", "/manifests/", 0),
        ("POST", "/uploads/", 0),
        ("POST", "/uploads/", 200_000),
        ("PATCH", "/uploads/", 200_000),
        ("PUT", "/uploads/", 0),
        ("PUT", "/uploads/", 200_000),
        ("PUT", "/manifests/", 0),
    ],
    ids=str,
)
def test_a_push_sends_each_request_as_often_as_allowed(
    begin: Callable[..., Session],
    ghcr: RegistryDouble,
    plain_registry: PlainRegistry,
    request_: tuple[str, str, int],
    failure: str,
) -> None:
    method, path, chunk = request_
    if method == "HEAD" and failure == "cut":
        # The response to a HEAD has no body.
        return
    fault = Fault(method, path, times=FOR_EVER, **FAILURES[failure])
    plain_registry.faults.append(fault)
    with begin(GHCRCTL_UPLOAD_CHUNK=str(chunk)) as session:
        source, target = name_at(ghcr, session), name_at(plain_registry, session)
        pull(session, source)
        tag(session, str(source), [target])
        with pytest.raises(GhcrctlError) as caught:
            push(session, target)
    # Each upload has its own URL, so failures are counted by blob: there are two.
    blobs = 1 if path == "/manifests/" else 2
    attempts = session.retry.attempts
    assert attempts <= fault.befell <= blobs * attempts
    assert not caught.value.retryable
