"""Invalid responses of GitHub's API, invalid tokens, and repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import InvalidResponseError, PackageUnknownError, UnauthorizedError
from ghcrctl.github.repositories import branches, open_pull_requests
from tests.registry_double import Fault
from tests.registry_double.wsgi import Answer, Environ
from tests.unit.github.package_requests import Ask, ask, asked, fill, slept

if TYPE_CHECKING:
    from tests.packages_double import GitHubDouble

__all__ = ["ask", "slept"]


# Tokens


def test_whitespace_around_a_token_is_removed(github: GitHubDouble, ask: Ask) -> None:
    fill(github, 1)
    packages = ask(" ghp_octo\n")
    assert packages.me() == "octo"


@pytest.mark.parametrize("token", ["ghp_\nocto", "ghp_öcto", "ghp_\x00"])
def test_an_invalid_token_is_reported_without_its_text(ask: Ask, token: str) -> None:
    with pytest.raises(UnauthorizedError, match="non-ASCII or control characters") as caught:
        ask(token).owner("octo")
    assert token not in f"{caught.value!r} {caught.value.message} {caught.value.hint}"


def test_a_jobs_token_is_not_looked_up(github: GitHubDouble, ask: Ask) -> None:
    github.accounts["octo"] = "ghs_job"
    assert ask("ghs_job").me() == ""
    assert asked(github, "/user") == 0


# Invalid responses


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/users/octo", b"[]"),
        ("/users/octo", b'{"login": "octo"}'),
        ("/users/octo", b"<html>"),
        ("/users/octo", b"[" * 50_000),
        ("/user/packages/container/app", b"null"),
        ("/user/packages/container/app", b'{"name": "app"}'),
        ("/user/packages/container/app/versions", b"{}"),
        ("/user/packages/container/app/versions", b"[7]"),
        ("/user/packages/container/app/versions", b'[{"id": "x"}]'),
        ("/user/packages/container/app/versions", b'[{"id": 1, "name": "sha256:../../x"}]'),
    ],
)
def test_an_invalid_response_is_reported(
    github: GitHubDouble, ask: Ask, monkeypatch: pytest.MonkeyPatch, path: str, answer: bytes
) -> None:
    fill(github, 1)
    route = github.api._route

    def routed(method: str, asked: str, environ: Environ, length: int) -> Answer:
        return Answer(200, {}, [answer]) if asked == path else route(method, asked, environ, length)

    monkeypatch.setattr(github.api, "_route", routed)
    packages = ask()
    with pytest.raises(InvalidResponseError, match=r"GitHub (sent|returned)"):
        (
            packages.get(packages.owner("octo"), "app"),
            packages.versions(packages.owner("octo"), "app"),
        )


@pytest.mark.parametrize("last", ["99999999", "soon", "", "-1"])
def test_a_link_to_impossible_pages_is_an_error(
    github: GitHubDouble, ask: Ask, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    fill(github, 1)
    route = github.api._route

    def routed(method: str, asked: str, environ: Environ, length: int) -> Answer:
        answer = route(method, asked, environ, length)
        answer.headers["Link"] = f'<{github.api_url}{asked}?page={last}>; rel="last"'
        return answer

    monkeypatch.setattr(github.api, "_route", routed)
    packages = ask()
    owner = packages.owner("octo")
    if last == "99999999":
        with pytest.raises(InvalidResponseError, match="99999999 pages"):
            packages.versions(owner, "app")
    else:
        assert len(packages.versions(owner, "app")) == 1


# Repositories


@pytest.mark.parametrize("answer", [b"[{}]", b"[7]", b'[{"number": "x", "name": 7}]'])
def test_invalid_lists_are_reported(github: GitHubDouble, ask: Ask, answer: bytes) -> None:
    github.faults.append(Fault("GET", "/pulls", status=200, body=answer))
    github.faults.append(Fault("GET", "/branches", status=200, body=answer.replace(b"name", b"x")))
    client = ask().github
    with pytest.raises(InvalidResponseError, match="invalid list of pull requests of octo/app"):
        open_pull_requests(client, "octo/app")
    with pytest.raises(InvalidResponseError, match="invalid list of branches of octo/app"):
        branches(client, "octo/app")


def test_all_pages_of_pull_requests_and_branches_are_read(github: GitHubDouble, ask: Ask) -> None:
    github.api.pulls["octo/app"] = list(range(1, 251))
    github.api.branches["octo/app"] = [f"b{number}" for number in range(130)]
    client = ask().github
    assert open_pull_requests(client, "octo/app") == set(range(1, 251))
    assert len(branches(client, "octo/app")) == 130
    with pytest.raises(PackageUnknownError, match="the branches of octo/none"):
        branches(client, "octo/none")
