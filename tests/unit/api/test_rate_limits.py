"""Secondary rate limits and faults of a proxy at each request of a transfer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ghcrctl import Client
from ghcrctl.errors import ExitStatus, GhcrctlError, RateLimitedError, RegistryUnavailableError
from tests.builders import random_image
from tests.registry_double import Fault, PlainRegistry

IMAGE = random_image(seed=7)
_LIMITED = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes."}
_FAULT = "permission_denied: Error from intermediary with HTTP status code 503"
BODIES: dict[type[GhcrctlError], Any] = {
    RateLimitedError: _LIMITED,
    RegistryUnavailableError: {"errors": [{"code": "DENIED", "message": _FAULT}]},
}
PULL = [("GET", "/manifests/"), ("GET", "/blobs/")]
PUSH = [
    ("HEAD", "/blobs/"),
    ("POST", "/blobs/uploads/"),
    ("PUT", "/blobs/uploads/"),
    ("PUT", "/manifests/"),
]


def refuse(registry: PlainRegistry, method: str, path: str, body: Any, times: int) -> None:
    """Refuse some requests. HEAD responses have no body, so the client repeats them as GET."""
    for name in (method, "GET") if method == "HEAD" else (method,):
        fault = Fault(method=name, path_contains=path, times=times, status=403)
        fault.body = json.dumps(body).encode()
        fault.headers = {"Retry-After": "0", "Content-Type": "application/json"}
        registry.faults.append(fault)


@pytest.mark.parametrize("body", BODIES.values(), ids=[kind.code for kind in BODIES])
@pytest.mark.parametrize(("method", "path"), PULL)
def test_a_pull_waits_and_resumes(
    environ: dict[str, str],
    plain_registry: PlainRegistry,
    method: str,
    path: str,
    body: Any,
) -> None:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    refuse(plain_registry, method, path, body, times=1)
    client = Client(environ=environ, retries=3)
    result = client.pull(f"{plain_registry.host}/octo/image:1.0")
    assert result.digest == IMAGE.root.digest


@pytest.mark.parametrize("body", BODIES.values(), ids=[kind.code for kind in BODIES])
@pytest.mark.parametrize(("method", "path"), PUSH)
def test_a_push_waits_and_resumes(
    environ: dict[str, str],
    plain_registry: PlainRegistry,
    method: str,
    path: str,
    body: Any,
) -> None:
    client = Client(environ=environ, retries=3)
    target = f"{plain_registry.host}/octo/image:1.0"
    with PlainRegistry() as other:
        other.push_image("octo/image", "1.0", IMAGE)
        client.pull(f"{other.host}/octo/image:1.0")
        client.tag(f"{other.host}/octo/image:1.0", target)
    refuse(plain_registry, method, path, body, times=1)
    client.push(target)
    assert plain_registry.faults[0].befell
    assert client.digest(target) == IMAGE.root.digest


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize(("method", "path"), PULL)
def test_in_the_end_the_error_is_the_limit(
    environ: dict[str, str],
    plain_registry: PlainRegistry,
    method: str,
    path: str,
    kind: type[GhcrctlError],
) -> None:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    refuse(plain_registry, method, path, BODIES[kind], times=99)
    with pytest.raises(kind) as caught:
        Client(environ=environ, retries=0).pull(f"{plain_registry.host}/octo/image:1.0")
    assert caught.value.exit_status is ExitStatus.NETWORK
    assert "login" not in (caught.value.hint or "")
