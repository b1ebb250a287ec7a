"""The double behaves like GitHub as documented, so that our mistakes show."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.builders import index_of, random_image

if TYPE_CHECKING:
    from tests.packages_double import GitHubDouble

APP = "/user/packages/container/app"


def ask(
    github: GitHubDouble, method: str, path: str, token: str = "ghp_octo", **options: Any
) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return requests.request(
        method, f"{github.api_url}{path}", headers=headers, timeout=10, **options
    )


def said(response: requests.Response) -> str:
    return str(response.json()["message"])


@pytest.fixture
def app(github: GitHubDouble) -> list[int]:
    """A package with two tagged images; returns the IDs of their versions."""
    for number in range(2):
        github.push("octo/app", f"v{number}", random_image(seed=number))
    return [record.id for record in reversed(github.versions("octo/app"))]


def test_the_last_tagged_version_cannot_be_deleted(github: GitHubDouble, app: list[int]) -> None:
    github.push("octo/app", None, random_image(seed=9))
    assert ask(github, "DELETE", f"{APP}/versions/{app[0]}").status_code == 204
    refused = ask(github, "DELETE", f"{APP}/versions/{app[1]}")
    assert refused.status_code == 400
    assert "last tagged version" in said(refused)
    assert len(github.versions("octo/app")) == 2


def test_popular_public_packages_cannot_be_deleted(github: GitHubDouble, app: list[int]) -> None:
    github.api.limits.popular.add(github.tags("octo/app")["v0"])
    github.public.add("octo/app")
    for path in (APP, f"{APP}/versions/{app[0]}"):
        refused = ask(github, "DELETE", path)
        assert refused.status_code == 400
        assert "5000 downloads" in said(refused)
    github.public.clear()
    assert ask(github, "DELETE", f"{APP}/versions/{app[0]}").status_code == 204


def test_a_deleted_version_is_missing_in_both_apis_and_listed_as_deleted(
    github: GitHubDouble, app: list[int]
) -> None:
    digest = github.tags("octo/app")["v0"]
    assert ask(github, "DELETE", f"{APP}/versions/{app[0]}").status_code == 204
    assert ask(github, "DELETE", f"{APP}/versions/{app[0]}").status_code == 404
    assert ask(github, "GET", f"{APP}/versions/{app[0]}").status_code == 404
    assert "v0" not in github.tags("octo/app")
    assert not github.has("octo/app", digest)
    listed = ask(github, "GET", f"{APP}/versions?state=deleted").json()
    assert [(v["id"], v["name"]) for v in listed] == [(app[0], digest)]
    assert listed[0]["deleted_at"]


def test_a_deleted_version_can_be_restored_within_thirty_days(
    github: GitHubDouble, app: list[int]
) -> None:
    for number in app:
        github.push("octo/app", f"more{number}", random_image(seed=number))
        ask(github, "DELETE", f"{APP}/versions/{number}")
    assert ask(github, "POST", f"{APP}/versions/{app[0]}/restore").status_code == 204
    assert "v0" in github.tags("octo/app")
    github.clock.now += timedelta(days=31)
    assert ask(github, "POST", f"{APP}/versions/{app[1]}/restore").status_code == 404


def test_a_package_cannot_be_restored_if_its_name_is_taken(
    github: GitHubDouble, app: list[int]
) -> None:
    assert ask(github, "DELETE", APP).status_code == 204
    github.push("octo/app", "v9", random_image(seed=9))
    assert ask(github, "POST", f"{APP}/restore").status_code == 409
    ask(github, "DELETE", APP)
    assert ask(github, "POST", f"{APP}/restore").status_code == 204
    assert len(app) == 2


def test_the_same_bytes_under_another_tag_are_the_same_version(github: GitHubDouble) -> None:
    image = random_image(seed=1)
    for tag in ("v1", "latest"):
        github.push("octo/app", tag, image)
    [record] = github.versions("octo/app")
    assert record.tags == ["v1", "latest"]
    assert record.updated > record.created


def test_children_of_an_index_are_versions_without_a_tag(github: GitHubDouble) -> None:
    github.push("octo/app", "v1", index_of(random_image(seed=1), random_image(seed=2)))
    assert [record.tags for record in github.versions("octo/app")] == [["v1"], [], []]


def test_changing_requests_must_not_have_a_body(github: GitHubDouble, app: list[int]) -> None:
    refused = ask(github, "DELETE", f"{APP}/versions/{app[0]}", json={})
    assert refused.status_code == 422
    assert len(github.versions("octo/app")) == 2


def test_the_registry_deletes_nothing(github: GitHubDouble, app: list[int]) -> None:
    for name in ("v0", github.tags("octo/app")["v0"]):
        url = f"http://{github.host}/v2/octo/app/manifests/{name}"
        assert requests.delete(url, timeout=10).status_code in {401, 405}
    assert len(github.versions("octo/app")) == len(app)


def test_a_name_with_a_slash_is_one_segment(github: GitHubDouble) -> None:
    github.push("octo/a/b", "v1", random_image(seed=1))
    assert ask(github, "GET", "/user/packages/container/a%2Fb").status_code == 200
    assert ask(github, "GET", "/user/packages/container/a/b").status_code == 404


def test_pages_have_links_and_at_most_a_hundred_entries(github: GitHubDouble) -> None:
    for number in range(120):
        github.put_raw("octo/app", f"t{number}", b'{"n": %d}' % number, "application/json")
    first = ask(github, "GET", f"{APP}/versions?per_page=500")
    assert len(first.json()) == 100
    assert set(first.links) == {"next", "last"}
    second = requests.get(
        first.links["next"]["url"], headers={"Authorization": "Bearer ghp_octo"}, timeout=10
    )
    assert len(second.json()) == 20
    assert len(ask(github, "GET", f"{APP}/versions").json()) == 30


def test_the_package_list_needs_a_type_and_ends_at_ten_thousand(
    github: GitHubDouble, app: list[int]
) -> None:
    assert ask(github, "GET", "/user/packages").status_code == 400
    packages = "/user/packages?package_type=container&per_page=100"
    [found] = ask(github, "GET", packages).json()
    assert (found["name"], found["version_count"]) == ("app", len(app))
    assert ask(github, "GET", f"{packages}&page=101").status_code == 400


@pytest.mark.parametrize(
    ("token", "scopes", "method", "path", "status", "message"),
    [
        ("", (), "GET", APP, 401, "Requires authentication"),
        ("ghp_other", (), "GET", APP, 401, "Bad credentials"),
        ("ghp_octo", ("repo",), "GET", APP, 403, "read:packages"),
        ("ghp_octo", ("read:packages",), "DELETE", APP, 403, "delete:packages"),
        ("ghp_octo", ("read:packages",), "POST", f"{APP}/restore", 403, "write:packages"),
    ],
)
@pytest.mark.usefixtures("app")
def test_a_token_without_permission_is_refused(
    github: GitHubDouble,
    *,
    token: str,
    scopes: tuple[str, ...],
    method: str,
    path: str,
    status: int,
    message: str,
) -> None:
    github.api.scopes["ghp_octo"] = scopes
    refused = ask(github, method, path, token)
    assert refused.status_code == status
    assert message in said(refused)


@pytest.mark.usefixtures("app")
def test_the_scopes_of_a_classic_token_are_in_the_headers(github: GitHubDouble) -> None:
    given = ask(github, "GET", "/user").headers["X-OAuth-Scopes"]
    assert given == "read:packages, write:packages, delete:packages"


@pytest.mark.usefixtures("app")
def test_others_see_only_public_packages(github: GitHubDouble) -> None:
    github.accounts["mona"] = "ghp_mona"
    path = "/users/octo/packages/container/app"
    assert ask(github, "GET", path, "ghp_mona").status_code == 404
    github.public.add("octo/app")
    assert ask(github, "GET", path, "ghp_mona").status_code == 200
    assert ask(github, "DELETE", path, "ghp_mona").status_code == 404


@pytest.mark.usefixtures("app")
def test_rate_limits_use_the_messages_of_github(github: GitHubDouble) -> None:
    github.api.limits.secondary = 1
    refused = ask(github, "GET", APP)
    assert refused.status_code == 403
    assert refused.headers["Retry-After"] == "1"
    assert "secondary rate limit" in said(refused)
    github.api.limits.remaining, github.api.limits.reset = 1, time.time() + 60
    assert ask(github, "GET", APP).status_code == 200
    refused = ask(github, "GET", APP)
    assert refused.status_code == 403
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert int(refused.headers["X-RateLimit-Reset"]) > time.time()


def test_pushed_versions_can_be_listed_late(github: GitHubDouble) -> None:
    github.push("octo/app", "v0", random_image(seed=0))
    github.content.lag = 2
    github.push("octo/app", "v1", random_image(seed=1))
    seen = [len(ask(github, "GET", f"{APP}/versions").json()) for _ in range(3)]
    assert seen == [1, 1, 2]
