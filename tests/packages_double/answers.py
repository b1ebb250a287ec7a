"""The objects of GitHub's responses, with all fields that its description requires."""

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


def repository(full_name: str) -> dict[str, Any]:
    """Return a repository as in pull requests, with more fields than in packages."""
    counts = dict.fromkeys(
        ("forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count",
         "watchers", "watchers_count"), 0,
    )  # fmt: skip
    nothing = dict.fromkeys(("homepage", "language", "license", "mirror_url", "pushed_at"))
    is_so = dict.fromkeys(("has_downloads", "has_issues", "has_projects", "has_wiki"), True)
    is_not = dict.fromkeys(("archived", "disabled", "has_pages"), False)
    return {
        **minimal_repository(full_name),
        **counts,
        **nothing,
        **is_so,
        **is_not,
        "clone_url": f"{_WEB}/{full_name}.git",
        "git_url": f"git://github.com/{full_name}.git",
        "ssh_url": f"git@github.com:{full_name}.git",
        "svn_url": f"{_WEB}/{full_name}",
        "default_branch": "main",
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z",
    }


def pull_request(full_name: str, number: int) -> dict[str, Any]:
    """Return an open pull request, as in lists."""
    user = account(full_name.partition("/")[0], "User")
    base = f"{_API}/repos/{full_name}"
    url, web = f"{base}/pulls/{number}", f"{_WEB}/{full_name}/pull/{number}"
    sha = f"{number:040x}"
    addresses = {
        "self": url,
        "html": web,
        "issue": f"{base}/issues/{number}",
        "comments": f"{base}/issues/{number}/comments",
        "commits": f"{url}/commits",
        "review_comments": f"{url}/comments",
        "review_comment": f"{base}/pulls/comments{{/number}}",
        "statuses": f"{base}/statuses/{sha}",
    }
    end = {"label": "octo:main", "ref": "main", "sha": sha, "user": user}
    nothing = dict.fromkeys(
        ("assignee", "auto_merge", "body", "closed_at", "merge_commit_sha", "merged_at",
         "milestone"),
    )  # fmt: skip
    names = ("issue", "comments", "commits", "review_comments", "review_comment", "statuses")
    return {
        **nothing,
        **{f"{name}_url": addresses[name] for name in names},
        "id": number,
        "node_id": "MDExOlB1bGxSZXF1ZXN0MQ==",
        "number": number,
        "state": "open",
        "locked": False,
        "title": "Improve this",
        "user": user,
        "author_association": "OWNER",
        "labels": [],
        "url": url,
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "head": {**end, "repo": repository(full_name)},
        "base": {**end, "repo": repository(full_name)},
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z",
        "_links": {name: {"href": address} for name, address in addresses.items()},
    }


def branch(full_name: str, name: str) -> dict[str, Any]:
    """Return a branch, as in lists."""
    sha = "c5b97d5ae6c19d5c5df71a34c7fbeeda2479ccbc"
    commit = {"sha": sha, "url": f"{_API}/repos/{full_name}/commits/{sha}"}
    return {"name": name, "commit": commit, "protected": False}


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
