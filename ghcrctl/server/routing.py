"""Which endpoint a path means, and the grammars of what stands in it.

Spec: OCI distribution spec 1.1, "Endpoints" and "Pulling manifests" (the grammars).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ghcrctl.oci.reference import MAX_REPOSITORY_LENGTH
from ghcrctl.server.response import Refusal

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*\Z")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\Z")
# In order: `blobs/uploads` before `blobs`, since a repository may itself be called `a/blobs`.
_ROUTES = (
    ("base", re.compile(r"/v2/?\Z")),
    ("catalog", re.compile(r"/v2/_catalog\Z")),
    ("uploads", re.compile(r"/v2/(?P<repository>.+)/blobs/uploads/?\Z")),
    ("upload", re.compile(r"/v2/(?P<repository>.+)/blobs/uploads/(?P<last>[^/]+)\Z")),
    ("blob", re.compile(r"/v2/(?P<repository>.+)/blobs/(?P<last>[^/]+)\Z")),
    ("manifest", re.compile(r"/v2/(?P<repository>.+)/manifests/(?P<last>[^/]+)\Z")),
    ("tags", re.compile(r"/v2/(?P<repository>.+)/tags/list\Z")),
    ("referrers", re.compile(r"/v2/(?P<repository>.+)/referrers/(?P<last>[^/]+)\Z")),
)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes: the endpoint's name, the repository and the path's last part."""

    endpoint: str
    repository: str = ""
    last: str = ""


def find_route(path: str) -> Route:
    """Take a path apart.

    Raises:
        Refusal: no endpoint has this path (404), or its repository breaks the grammar (400).
    """
    for endpoint, pattern in _ROUTES:
        match = pattern.match(path)
        if match:
            groups = match.groupdict()
            repository = groups.get("repository", "")
            if repository:
                check_repository(repository)
            return Route(endpoint, repository, groups.get("last") or "")
    raise Refusal(404, "UNSUPPORTED", "there is no such endpoint")


def check_repository(name: str) -> None:
    """Refuse a name that breaks the grammar of repositories."""
    if not is_repository(name):
        raise Refusal(400, "NAME_INVALID", "invalid repository name", detail={"name": name})


def is_repository(name: str) -> bool:
    """Return whether a name keeps to the grammar of repositories."""
    return len(name) <= MAX_REPOSITORY_LENGTH and bool(_NAME.match(name))


def is_tag(text: str) -> bool:
    """Tell whether a text is a tag by the grammar."""
    return bool(_TAG.match(text))
