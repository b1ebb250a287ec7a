"""Requests of ghcrctl and responses of the double match GitHub's OpenAPI description."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import requests

from ghcrctl.errors import (
    BlockedError,
    DeniedError,
    GhcrctlError,
    InvalidResponseError,
    PackageUnknownError,
    RateLimitedError,
    RetainedError,
    UnauthorizedError,
)
from ghcrctl.github.repositories import branches, open_pull_requests
from ghcrctl.operations.packages.doctor import diagnose
from tests.builders import index_of, random_image
from tests.integration.github_contract import Contract, Recorder, contract
from tests.packages_double.fixtures import environ_for, github
from tests.sessions import session_on
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ghcrctl.github.packages import Packages
    from ghcrctl.github.records import Owner
    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble

__all__ = ["contract", "github"]

pytestmark = pytest.mark.integration

_PACKAGE = "packages/{package_type}/{package_name}"
_VERSION = f"{_PACKAGE}/versions/{{package_version_id}}"
# Requests about the packages of an owner.
_OPERATIONS = {
    ("GET", "packages"),
    ("GET", _PACKAGE),
    ("DELETE", _PACKAGE),
    ("POST", f"{_PACKAGE}/restore"),
    ("GET", f"{_PACKAGE}/versions"),
    ("GET", _VERSION),
    ("DELETE", _VERSION),
    ("POST", f"{_VERSION}/restore"),
}
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.fixture
def recorder(contract: Contract, github: GitHubDouble) -> Recorder:
    made = Recorder(contract)
    github.api.after = made.note
    return made


@pytest.fixture
def at_github(github: GitHubDouble, tmp_path: Path) -> Iterator[Session]:
    with _session(github, tmp_path, "ghp_octo") as session:
        yield session


def _session(github: GitHubDouble, folder: Path, token: str) -> Session:
    environ = environ_for(github, folder)
    return session_on(folder, registry=github.host, token=token, environ=environ)


def _fill(github: GitHubDouble, owner: str) -> None:
    """Create a package with a slash in its name, and one with more versions than a page."""
    app = index_of(random_image(seed=1), random_image(seed=2))
    for name in ("tools/app", "lib"):
        github.push(f"{owner}/{name}", "1.0", app)
        github.push(f"{owner}/{name}", "2.0", random_image(seed=3))
        github.public.add(f"{owner}/{name}")
    for number in range(110):
        raw = b'{"schemaVersion":2,"mediaType":"%b","n":%d}' % (_MANIFEST.encode(), number)
        github.put_raw(f"{owner}/lib", None, raw, _MANIFEST)
    github.api.linked[f"{owner}/lib"] = f"{owner}/lib"
    github.authority.members[owner] = {"octo"}


def _ask_everything(packages: Packages, owner: Owner) -> None:
    listed = packages.list_all(owner)
    assert {package.name for package in listed} == {"tools/app", "lib"}
    packages.list_all(owner, visibility="internal")
    assert len(packages.versions(owner, "lib")) == 114
    assert packages.get(owner, "lib").repository
    name = "tools/app"
    newest = packages.versions(owner, name)[0]
    packages.delete_version(owner, name, newest.id)
    assert [v.id for v in packages.versions(owner, name, deleted=True)] == [newest.id]
    packages.restore_version(owner, name, newest.id)
    assert packages.version(owner, name, newest.id).digest == newest.digest
    packages.delete(owner, name)
    packages.restore(owner, name)
    assert packages.get(owner, name).name == name


@pytest.mark.parametrize(
    ("login", "folder"),
    [("acme", "/orgs/{org}"), ("octo", "/user"), ("hubot", "/users/{username}")],
    ids=["an organisation", "the own account", "another user"],
)
def test_package_operations_match_the_description(
    github: GitHubDouble, at_github: Session, recorder: Recorder, login: str, folder: str
) -> None:
    github.api.organizations.add("acme")
    _fill(github, login)
    packages = at_github.packages(github.host)

    _ask_everything(packages, packages.owner(login))

    recorder.assert_all_fit()
    expected = {f"{method} {folder}/{path}" for method, path in _OPERATIONS}
    assert expected <= recorder.operations
    assert "GET /users/{username}" in recorder.operations
    assert any("page=2" in exchange.target for exchange in recorder.exchanges)


def test_account_and_repository_requests_match_the_description(
    github: GitHubDouble, at_github: Session, recorder: Recorder
) -> None:
    github.api.pulls["octo/app"] = list(range(1, 120))
    github.api.branches["octo/app"] = ["main", "fix/this"]
    requested = at_github.packages(github.host).github

    assert open_pull_requests(requested, "octo/app") == set(range(1, 120))
    assert branches(requested, "octo/app") == {"main", "fix/this"}
    signs = list(diagnose(at_github, github.host, None))
    assert any("octo" in sign.message for sign in signs)
    with pytest.raises(PackageUnknownError):
        branches(requested, "octo/nothing")
    with pytest.raises(PackageUnknownError):
        at_github.packages(github.host).owner("nobody")

    recorder.assert_all_fit()
    assert recorder.operations == {
        "GET /user",
        "GET /users/{username}",
        "GET /rate_limit",
        "GET /repos/{owner}/{repo}/pulls",
        "GET /repos/{owner}/{repo}/branches",
    }


def test_requests_of_commands_match_the_description(
    github: GitHubDouble, recorder: Recorder, tmp_path: Path
) -> None:
    _fill(github, "octo")
    github.push("octo/tools/app", "pr-7", random_image(seed=7))
    github.api.linked["octo/tools/app"] = "octo/app"
    github.api.pulls["octo/app"] = [8]
    shell = Shell(tmp_path / "home")
    shell.environ |= environ_for(github, tmp_path)
    shell.environ |= {"GHCRCTL_REGISTRY": github.host, "GHCRCTL_TOKEN": "ghp_octo"}

    assert any("tools/app" in line for line in shell.ok("packages", "list", "octo"))
    shell.ok("packages", "show", "octo/tools/app")
    shell.ok("packages", "doctor", "octo/tools/app")
    prune = ("packages", "prune", "octo/tools/app", "--closed-pull-requests", "pr-{number}")
    shell.ok(*prune, "--min-age", "0s", "--yes")
    assert "pr-7" not in github.tags("octo/tools/app")
    shell.ok("packages", "versions", "octo/tools/app", "--state", "deleted")
    shell.ok("packages", "restore", "octo/tools/app", "--tag", "pr-7")
    assert "pr-7" in github.tags("octo/tools/app")
    shell.ok("packages", "untag", "octo/tools/app:pr-7")
    shell.ok("packages", "check", "octo/tools/app")

    recorder.assert_all_fit()


def _delete_last_tagged(github: GitHubDouble, packages: Packages) -> None:
    github.push("octo/one", "1.0", random_image(seed=9))
    owner = packages.owner("octo")
    packages.delete_version(owner, "one", packages.versions(owner, "one")[0].id)


def _delete_popular(github: GitHubDouble, packages: Packages) -> None:
    owner = packages.owner("octo")
    version = packages.versions(owner, "lib")[0]
    github.api.limits.popular.add(version.digest)
    packages.delete_version(owner, "lib", version.id)


def _delete_what_is_gone(_: GitHubDouble, packages: Packages) -> None:
    packages.delete_version(packages.owner("octo"), "lib", 999_999)


def _restore_what_is_there(_: GitHubDouble, packages: Packages) -> None:
    packages.restore(packages.owner("octo"), "lib")


def _list_too_far(_: GitHubDouble, packages: Packages) -> None:
    packages.github.page("/user/packages", "all", {"package_type": "container"}, 101)


def _list(_: GitHubDouble, packages: Packages) -> None:
    packages.list_all(packages.owner("octo"))


def _list_without_scope(github: GitHubDouble, packages: Packages) -> None:
    github.api.scopes["ghp_octo"] = ("repo",)
    packages.list_all(packages.owner("octo"))


def _get_behind_single_sign_on(github: GitHubDouble, packages: Packages) -> None:
    github.api.organizations.add("acme")
    github.push("acme/app", "1.0", random_image(seed=9))
    github.api.sso["acme"] = "https://github.com/orgs/acme/sso?authorization_request=a"
    packages.get(packages.owner("acme"), "app")


def _ask_beyond_the_hour(github: GitHubDouble, packages: Packages) -> None:
    github.api.limits.remaining = 0
    github.api.limits.reset = time.time() + 100_000
    packages.get(packages.owner("octo"), "lib")


@pytest.mark.parametrize(
    ("act", "token", "error", "status"),
    [
        (_delete_last_tagged, "ghp_octo", RetainedError, 400),
        (_delete_popular, "ghp_octo", BlockedError, 400),
        (_list_too_far, "ghp_octo", InvalidResponseError, 400),
        (_list, "ghp_nobody", UnauthorizedError, 401),
        (_list, "ghs_job", DeniedError, 403),
        (_list, "github_pat_fine", DeniedError, 403),
        (_list_without_scope, "ghp_octo", DeniedError, 403),
        (_get_behind_single_sign_on, "ghp_octo", DeniedError, 403),
        (_ask_beyond_the_hour, "ghp_octo", RateLimitedError, 403),
        (_delete_what_is_gone, "ghp_octo", PackageUnknownError, 404),
        (_restore_what_is_there, "ghp_octo", GhcrctlError, 409),
    ],
)
def test_error_responses_match_the_description(
    github: GitHubDouble,
    recorder: Recorder,
    tmp_path: Path,
    *,
    act: Callable[[GitHubDouble, Packages], None],
    token: str,
    error: type[GhcrctlError],
    status: int,
) -> None:
    if token != "ghp_nobody":
        github.accounts[f"octo{token}" if token != "ghp_octo" else "octo"] = token
    _fill(github, "octo")
    with _session(github, tmp_path, token) as session, pytest.raises(error):
        act(github, session.packages(github.host))

    recorder.assert_all_fit()
    assert status in recorder.statuses


@pytest.mark.parametrize(("mood", "status"), [("errors", 500), ("secondary", 403)])
def test_temporary_failures_match_the_description(
    github: GitHubDouble, at_github: Session, recorder: Recorder, mood: str, status: int
) -> None:
    _fill(github, "octo")
    packages = at_github.packages(github.host)
    owner = packages.owner("octo")
    setattr(github.api.limits, mood, 1)

    assert packages.get(owner, "lib").name == "lib"

    recorder.assert_all_fit()
    assert status in recorder.statuses


def test_request_body_is_recorded(github: GitHubDouble, recorder: Recorder) -> None:
    _fill(github, "octo")
    github.api.organizations.add("octo")
    url = f"{github.api_url}/orgs/octo/packages/container/lib/versions/1"
    headers = {"Authorization": "Bearer ghp_octo", "Accept": "application/json"}

    response = requests.delete(url, json={}, headers=headers, timeout=10)

    assert response.status_code == 422
    (exchange,) = recorder.exchanges
    found = "\n".join(recorder.contract.violations(exchange))
    assert "has a body of 2 bytes" in found
    assert "says the type of a body" in found
