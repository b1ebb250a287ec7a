"""GitHub's API: pages, rate limits, owners and invalid responses."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.errors import (
    GhcrctlError,
    PackageUnknownError,
    RateLimitedError,
    RegistryUnavailableError,
)
from ghcrctl.oci.media_types import OCI_INDEX
from tests.registry_double import Fault
from tests.unit.github.package_requests import ATTEMPTS, Ask, ask, asked, body, fill, slept

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.github.packages import Packages
    from ghcrctl.github.records import Owner
    from tests.packages_double import GitHubDouble

__all__ = ["ask", "slept"]


# Lists


@pytest.mark.parametrize("count", [1, 99, 100, 101, 350])
def test_every_page_is_read_without_duplicates(github: GitHubDouble, ask: Ask, count: int) -> None:
    digests = fill(github, count)
    packages = ask()
    found = packages.versions(packages.owner("octo"), "app")
    assert [version.digest for version in found] == digests[::-1]


def test_concurrent_pushes_hide_no_version(github: GitHubDouble, ask: Ask) -> None:
    digests = set(fill(github, 350))
    pushed = 0

    def push(_method: str, path: str) -> None:
        nonlocal pushed
        # A push between two pages moves the last version of one to the start of the next.
        if path.endswith("/versions") and pushed < 3:
            pushed += 1
            fill(github, 60, start=1000 * pushed)

    github.api.before = push
    packages = ask()
    found = {version.digest for version in packages.versions(packages.owner("octo"), "app")}
    assert pushed == 3
    assert digests <= found


def test_concurrent_deletions_hide_no_version(github: GitHubDouble, ask: Ask) -> None:
    digests = fill(github, 350)
    gone: list[str] = []

    def delete(_method: str, path: str) -> None:
        # A deletion moves the first version of a page to the end of the previous one.
        if path.endswith("/versions") and len(gone) < 120:
            for digest in digests[-40 - len(gone) : len(digests) - len(gone)]:
                gone.append(digest)
                github.lose("octo/app", digest)

    github.api.before = delete
    packages = ask()
    found = {version.digest for version in packages.versions(packages.owner("octo"), "app")}
    assert len(gone) == 120
    assert found == set(digests) - set(gone)


def test_pages_are_requested_in_parallel(github: GitHubDouble, ask: Ask) -> None:
    fill(github, 600)
    both = threading.Barrier(2)
    # The first page states their number; each of the next two waits for the other.
    waiting = iter([False, True, True])

    def meet(_method: str, path: str) -> None:
        if path.endswith("/versions") and next(waiting, False):
            both.wait(30)

    github.api.meanwhile = meet
    packages = ask()
    assert len(packages.versions(packages.owner("octo"), "app")) == 600


def test_a_failed_page_is_requested_again(github: GitHubDouble, ask: Ask) -> None:
    digests = fill(github, 250)
    packages = ask()
    owner = packages.owner("octo")

    def fail_once(_method: str, path: str) -> None:
        if path.endswith("/versions"):
            github.api.before = lambda *_: None
            github.api.limits.errors = 1

    github.api.before = fail_once
    assert len(packages.versions(owner, "app")) == len(digests)


def test_a_persistently_failing_page_is_an_error(github: GitHubDouble, ask: Ask) -> None:
    fill(github, 1)
    packages = ask()
    owner = packages.owner("octo")
    github.api.limits.errors = 99
    with pytest.raises(RegistryUnavailableError, match="status 500"):
        packages.versions(owner, "app")


# Owners


def test_the_path_depends_on_the_type_of_owner(github: GitHubDouble, ask: Ask) -> None:
    github.accounts["mona"] = "ghp_mona"
    github.api.organizations.add("Acme")
    packages = ask()
    assert packages.owner("OCTO").path == "/user"
    assert packages.owner("mona").path == "/users/mona"
    assert packages.owner("acme").path == "/orgs/Acme"
    kinds = [packages.owner(login).is_organization for login in ("octo", "mona", "acme")]
    assert kinds == [False, False, True]
    with pytest.raises(PackageUnknownError, match="the account nobody"):
        packages.owner("nobody")


def test_an_owner_is_requested_once(github: GitHubDouble, ask: Ask) -> None:
    packages = ask()
    first = packages.owner("octo")
    before = github.count()
    assert packages.owner("Octo") is first
    assert github.count() == before


def test_a_name_with_slashes_is_one_segment(github: GitHubDouble, ask: Ask) -> None:
    github.put_raw("octo/group/sub/app", "v1", body(1), OCI_INDEX)
    packages = ask()
    owner = packages.owner("octo")
    assert packages.get(owner, "group/sub/app").name == "group/sub/app"
    assert [v.tags for v in packages.versions(owner, "group/sub/app")] == [("v1",)]


# Limits


def test_a_secondary_limit_is_waited_for(
    github: GitHubDouble, ask: Ask, slept: list[float]
) -> None:
    fill(github, 1)
    github.api.limits.secondary = 2
    packages = ask()
    assert len(packages.versions(packages.owner("octo"), "app")) == 1
    assert slept == [1.0, 1.0]


def test_an_hourly_limit_is_waited_for_until_its_reset(
    github: GitHubDouble, ask: Ask, slept: list[float]
) -> None:
    fill(github, 1)
    packages = ask()
    owner = packages.owner("octo")
    github.api.limits.remaining, github.api.limits.reset = 0, time.time() + 1.5
    # Time only passes here, so waiting lifts the limit.
    slept.clear()
    original = packages.github._sleep

    def sleep(seconds: float) -> None:
        original(seconds)
        github.api.limits.remaining = None

    packages.github._sleep = sleep
    assert len(packages.versions(owner, "app")) == 1
    [wait] = slept
    assert 1.0 <= wait <= 4.0


def test_a_reset_in_the_past_does_not_wait_forever(
    github: GitHubDouble, ask: Ask, slept: list[float]
) -> None:
    fill(github, 1)
    packages = ask()
    owner = packages.owner("octo")
    # Refused although the reset is in the past, since clocks differ: the double uses a later one.
    github.api.limits.remaining, github.api.limits.reset = 0, time.time() - 60
    assert len(packages.versions(owner, "app")) == 1
    assert all(0 <= wait <= 2 for wait in slept)


def test_an_endless_limit_is_an_error(github: GitHubDouble, ask: Ask, slept: list[float]) -> None:
    packages = ask()
    github.api.limits.secondary = 10_000
    with pytest.raises(RateLimitedError, match="is rate limiting requests") as caught:
        packages.owner("octo")
    assert slept == [1.0] * 5
    assert asked(github, "/users/octo") == 6
    assert caught.value.exit_status == RateLimitedError.exit_status
    assert "it resumes where it stopped" in (caught.value.hint or "")


@pytest.mark.parametrize(("seconds", "waits"), [("3700", [3700.0]), ("3701", [])])
def test_a_wait_is_limited_to_an_hour(
    github: GitHubDouble, ask: Ask, slept: list[float], seconds: str, waits: list[float]
) -> None:
    packages = ask()
    headers = {"Retry-After": seconds}
    github.faults.append(Fault("GET", "/users/octo", status=429, headers=headers))
    with contextlib.nullcontext() if waits else pytest.raises(RateLimitedError):
        packages.owner("octo")
    assert slept == waits
    assert asked(github, "/users/octo") == 1 + len(waits)


@pytest.mark.parametrize("failure", [{"status": 500}, {"status": 502}, {"hang_up": True}], ids=str)
@pytest.mark.parametrize(
    ("method", "path", "act"),
    [
        ("GET", "/users/octo", lambda p, _o, _n: p._find_owner("octo")),
        ("GET", "/versions", lambda p, o, _n: p.versions(o, "app")),
        ("GET", "/versions", lambda p, o, _n: p.newest(o, "app")),
        ("DELETE", "/versions/", lambda p, o, n: p.delete_version(o, "app", n)),
        ("DELETE", "/container/app", lambda p, o, _n: p.delete(o, "app")),
        ("POST", "/restore", lambda p, o, _n: p.restore_version(o, "app", 1)),
    ],
    ids=["account", "versions", "newest", "delete version", "delete", "restore"],
)
def test_each_request_is_sent_as_often_as_allowed(
    github: GitHubDouble,
    ask: Ask,
    method: str,
    path: str,
    act: Callable[[Packages, Owner, int], object],
    failure: dict[str, Any],
) -> None:
    fill(github, 1)
    packages = ask()
    owner = packages.owner("octo")
    [record] = github.versions("octo/app")
    fault = Fault(method, path, times=9999, host="api", **failure)
    github.faults.append(fault)
    with pytest.raises(GhcrctlError):
        act(packages, owner, record.id)
    assert fault.befell == ATTEMPTS


def test_a_wait_of_many_hours_is_an_error(
    github: GitHubDouble, ask: Ask, slept: list[float]
) -> None:
    packages = ask()
    github.api.limits.remaining, github.api.limits.reset = 0, time.time() + 90_000
    with pytest.raises(RateLimitedError):
        packages.owner("octo")
    assert slept == []
