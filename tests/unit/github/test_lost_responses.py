"""Requests that took effect although their response was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.credentials.credential import Credential
from ghcrctl.errors import (
    GhcrctlError,
    NetworkError,
    PackageUnknownError,
    RateLimitedError,
    RegistryUnavailableError,
)
from ghcrctl.github.client import GitHub
from ghcrctl.github.github_hosts import Instance
from ghcrctl.github.packages import Packages
from ghcrctl.github.rate_limit import RateLimiter
from ghcrctl.registry.transport_errors import may_have_arrived
from ghcrctl.registry.transport_options import TransportOptions
from tests.builders import random_image
from tests.registry_double.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.packages_double import GitHubDouble
    from tests.registry_double.wsgi import Answer, Environ

NAME = "octo/app"
WRITES = {"DELETE", "POST"}


@dataclass
class Loss:
    """Drops the responses of requests that change something, after they took effect."""

    status: int = 0
    times: int = 1

    def __call__(self, environ: Environ, answer: Answer) -> None:
        if environ["REQUEST_METHOD"] not in WRITES or not self.times:
            return
        self.times -= 1
        if not self.status:
            raise ConnectionResetError
        answer.status = self.status


@pytest.fixture
def packages(github: GitHubDouble) -> Iterator[Packages]:
    client = GitHub(
        Instance(github.host, github.api_url, "https://github.com"),
        Credential("octo", "ghp_octo", source="the test"),
        TransportOptions(retry=RetryPolicy(attempts=2, base=0.001)),
        limiter=RateLimiter(0),
        sleep=lambda _: None,
    )
    for seed in range(2):
        github.push(NAME, f"v{seed}", random_image(seed=seed))
    yield Packages(client)
    client.close()


def number_of(github: GitHubDouble) -> int:
    return next(r.id for r in github.versions(NAME) if "v0" in r.tags)


@pytest.mark.parametrize("status", [0, 408, 499, 500, 502, 503, 504, 599])
def test_a_deletion_whose_response_was_lost_is_done(
    github: GitHubDouble, packages: Packages, status: int
) -> None:
    owner, number = packages.owner("octo"), number_of(github)
    github.api.after = Loss(status)
    packages.delete_version(owner, "app", number)
    assert set(github.tags(NAME)) == {"v1"}
    github.api.after = Loss(status)
    packages.restore_version(owner, "app", number)
    assert set(github.tags(NAME)) == {"v0", "v1"}
    github.api.after = Loss(status)
    packages.delete(owner, "app")
    assert NAME not in github.content.packages
    github.api.after = Loss(status)
    packages.restore(owner, "app")
    assert set(github.tags(NAME)) == {"v0", "v1"}


@pytest.mark.parametrize("second", [400, 404, 409, 422])
def test_a_restore_that_is_refused_after_a_lost_response_is_done(
    github: GitHubDouble, packages: Packages, second: int
) -> None:
    owner, number = packages.owner("octo"), number_of(github)
    packages.delete_version(owner, "app", number)
    statuses = iter((502, second))

    def after(environ: Environ, answer: Answer) -> None:
        if environ["REQUEST_METHOD"] == "POST":
            answer.status = next(statuses)

    github.api.after = after
    packages.restore_version(owner, "app", number)
    assert github.count("POST") == 2


def test_a_404_at_the_first_attempt_is_no_success(github: GitHubDouble, packages: Packages) -> None:
    owner, number = packages.owner("octo"), number_of(github)
    packages.delete_version(owner, "app", number)
    before = github.count("GET")
    with pytest.raises(PackageUnknownError) as caught:
        packages.delete_version(owner, "app", number)
    assert not caught.value.may_be_done
    assert github.count("GET") == before, "nothing is uncertain, so nothing is checked"


def test_after_a_rate_limit_a_404_is_no_success(github: GitHubDouble, packages: Packages) -> None:
    owner, number = packages.owner("octo"), number_of(github)
    packages.delete_version(owner, "app", number)
    github.api.limits.secondary = 1
    with pytest.raises(PackageUnknownError) as caught:
        packages.delete_version(owner, "app", number)
    assert not caught.value.may_be_done
    assert github.count("DELETE") == 3


@pytest.mark.parametrize("status", [425, 429])
def test_a_request_that_was_not_processed_has_no_uncertain_outcome(
    github: GitHubDouble, packages: Packages, status: int
) -> None:
    owner, number = packages.owner("octo"), number_of(github)
    github.faults.append(Fault("DELETE", status=status, headers={"Retry-After": "0"}))
    github.api.before = lambda method, _: (
        github.lose(NAME, github.tags(NAME)["v0"]) if method == "DELETE" else None
    )
    with pytest.raises(PackageUnknownError) as caught:
        packages.delete_version(owner, "app", number)
    assert not caught.value.may_be_done


def test_a_failed_deletion_of_an_existing_version_is_a_failure(
    github: GitHubDouble, packages: Packages
) -> None:
    owner, number = packages.owner("octo"), number_of(github)
    github.faults.append(Fault("DELETE", status=502, times=2))
    with pytest.raises(RegistryUnavailableError) as caught:
        packages.delete_version(owner, "app", number)
    assert caught.value.may_be_done
    assert set(github.tags(NAME)) == {"v0", "v1"}


def test_a_failure_whose_check_fails_too_is_reported_as_the_first_one(
    github: GitHubDouble, packages: Packages
) -> None:
    owner, number = packages.owner("octo"), number_of(github)
    github.api.after = Loss(502, times=1)
    github.faults.append(Fault("GET", f"/versions/{number}", times=9, status=500))
    with pytest.raises(PackageUnknownError, match="cannot delete") as caught:
        packages.delete_version(owner, "app", number)
    assert caught.value.may_be_done


def test_a_persistently_lost_connection_is_an_uncertain_outcome(
    github: GitHubDouble, packages: Packages
) -> None:
    owner, number = packages.owner("octo"), number_of(github)
    github.faults.append(Fault("DELETE", hang_up=True, times=2))
    with pytest.raises(NetworkError) as caught:
        packages.delete_version(owner, "app", number)
    assert caught.value.may_be_done


def test_a_rate_limit_after_a_lost_response_is_an_uncertain_outcome(
    github: GitHubDouble, packages: Packages
) -> None:
    owner, number = packages.owner("octo"), number_of(github)
    github.faults.append(Fault("DELETE", hang_up=True))
    github.faults.append(Fault("DELETE", status=429, headers={"Retry-After": "9999"}))
    with pytest.raises(RateLimitedError) as caught:
        packages.delete_version(owner, "app", number)
    assert caught.value.may_be_done


def test_an_unreached_host_is_a_certain_outcome(github: GitHubDouble, packages: Packages) -> None:
    owner, number = packages.owner("octo"), number_of(github)
    github.stop()
    with pytest.raises(NetworkError) as caught:
        packages.delete_version(owner, "app", number)
    assert not caught.value.may_be_done
    assert not may_have_arrived(GhcrctlError("no network error"))
    github.start()
