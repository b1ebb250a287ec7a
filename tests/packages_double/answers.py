"""The objects of GitHub's answers, with all the fields that its description requires."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from datetime import datetime

    from tests.packages_double.versions import Package, Record

_API = "https://api.github.com"
_WEB = "https://github.com"


def account(login: str, kind: str, *, public: bool = True) -> dict[str, Any]:
    url = f"{_API}/users/{login}"
    simple = {
        "login": login,
        "id": sum(map(ord, login)),
        "node_id": "MDQ6VXNlcjE=",
        "avatar_url": f"{_WEB}/images/{login}.gif",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{_WEB}/{login}",
        "followers_url": f"{url}/followers",
        "following_url": f"{url}/following{{/other_user}}",
        "gists_url": f"{url}/gists{{/gist_id}}",
        "starred_url": f"{url}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{url}/subscriptions",
        "organizations_url": f"{url}/orgs",
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events{{/privacy}}",
        "received_events_url": f"{url}/received_events",
        "type": kind,
        "site_admin": False,
    }
    counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    nothing = dict.fromkeys(
        ("name", "company", "blog", "location", "email", "hireable", "bio", "twitter_username")
    )
    dates = {"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z"}
    view = {} if public else {"user_view_type": "private"}
    return {**simple, **counts, **nothing, "blog": "", **dates, **view}


def minimal_repository(full_name: str) -> dict[str, Any]:
    owner, _, name = full_name.partition("/")
    url = f"{_API}/repos/{full_name}"
    words = (
        "archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits",
        "compare", "contents", "contributors", "deployments", "downloads", "events", "forks",
        "git_commits", "git_refs", "git_tags", "hooks", "issue_comment", "issue_events", "issues",
        "keys", "labels", "languages", "merges", "milestones", "notifications", "pulls",
        "releases", "stargazers", "statuses", "subscribers", "subscription", "tags", "teams",
        "trees",
    )  # fmt: skip
    return {
        "id": 1296269,
        "node_id": "MDEwOlJlcG9zaXRvcnkxMjk2MjY5",
        "name": name,
        "full_name": full_name,
        "owner": account(owner, "User"),
        "private": False,
        "html_url": f"{_WEB}/{full_name}",
        "description": None,
        "fork": False,
        "url": url,
        **{f"{word}_url": f"{url}/{word}" for word in words},
    }


def package_json(
    package: Package,
    *,
    owner: dict[str, Any],
    name: str,
    visibility: str,
    repository: dict[str, Any] | None,
) -> dict[str, Any]:
    path = f"{_folder(owner['login'], owner['type'])}/package/{quote(name, safe='')}"
    data = {
        "id": package.id,
        "name": name,
        "package_type": "container",
        "owner": owner,
        "version_count": len(package.active),
        "visibility": visibility,
        "url": f"{_API}/packages/{package.id}",
        "created_at": _time(package.created),
        "updated_at": _time(package.updated),
        "html_url": f"{_WEB}{path}",
    }
    return {**data, "repository": repository} if repository else data


def version_json(record: Record, owner: str, name: str, kind: str) -> dict[str, Any]:
    path = f"{_folder(owner, kind)}/package/{quote(name, safe='')}"
    data = {
        "id": record.id,
        "name": record.digest,
        "url": f"{_API}/packages/versions/{record.id}",
        "package_html_url": f"{_WEB}{path}",
        "html_url": f"{_WEB}{path}/{record.id}",
        "created_at": _time(record.created),
        "updated_at": _time(record.updated),
        "metadata": {"package_type": "container", "container": {"tags": list(record.tags)}},
    }
    return {**data, "deleted_at": _time(record.deleted)} if record.deleted else data


def _folder(owner: str, kind: str) -> str:
    return f"/{'orgs' if kind == 'Organization' else 'users'}/{owner}/packages/container"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
