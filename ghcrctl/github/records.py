"""Accounts, packages and versions, parsed from the JSON of GitHub's API.

Spec: GitHub's documentation, "REST API endpoints for packages", version 2022-11-28.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ghcrctl.errors import InvalidDigestError, InvalidResponseError
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.reference import is_tag


@dataclass(frozen=True, slots=True)
class Owner:
    """An account. ``path``: the API path of its packages, without ``/packages``."""

    login: str
    is_organization: bool
    path: str


@dataclass(frozen=True, slots=True)
class Package:
    """A package.

    Args:
        owner: the account's name, as GitHub writes it.
        name: the package's name, which may contain slashes.
        visibility: ``public``, ``private`` or ``internal``.
        version_count: the number of versions.
        created: when the package was created.
        updated: when the package was last changed.
        repository: the linked repository as ``OWNER/NAME``; may be empty.
        repository_is_private: whether that repository is private.
        page: the URL of its page.
    """

    owner: str
    name: str
    visibility: str
    version_count: int
    created: datetime
    updated: datetime
    repository: str = ""
    repository_is_private: bool = False
    page: str = ""

    @property
    def full_name(self) -> str:
        """Owner and name."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a package: one manifest.

    Args:
        id: GitHub's ID of the version.
        digest: the digest of its manifest.
        tags: its tags.
        created: when the manifest was first pushed.
        updated: when the version or its tags last changed.
        deleted: when the version was deleted; ``None`` if it exists.
        page: the URL of its page.
    """

    id: int
    digest: str
    tags: tuple[str, ...]
    created: datetime
    updated: datetime
    deleted: datetime | None = None
    page: str = ""


def read_package(data: Any) -> Package:
    """Parse a package.

    Raises:
        InvalidResponseError: a field is missing or has the wrong type.
    """
    try:
        repository = data.get("repository") or {}
        return Package(
            owner=_text((data.get("owner") or {})["login"]),
            name=_text(data["name"]),
            visibility=_text(data["visibility"]),
            version_count=_number(data.get("version_count") or 0),
            created=_time(data["created_at"]),
            updated=_time(data["updated_at"]),
            repository=_text(repository.get("full_name") or ""),
            repository_is_private=bool(repository.get("private")),
            page=_text(data.get("html_url") or ""),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _invalid("package", error) from None


def read_version(data: Any) -> Version:
    """Parse a version.

    Raises:
        InvalidResponseError: a field is missing or has the wrong type.
    """
    try:
        container = (data.get("metadata") or {}).get("container") or {}
        deleted = data.get("deleted_at")
        return Version(
            id=_number(data["id"]),
            digest=str(Digest.parse(_text(data["name"]))),
            # An invalid tag could change the path of a URL.
            tags=tuple(t for t in _list(container.get("tags") or []) if is_tag(t)),
            created=_time(data["created_at"]),
            updated=_time(data["updated_at"]),
            deleted=_time(deleted) if deleted else None,
            page=_text(data.get("html_url") or ""),
        )
    except (KeyError, TypeError, AttributeError, ValueError, InvalidDigestError) as error:
        raise _invalid("version", error) from None


def _invalid(what: str, error: Exception) -> InvalidResponseError:
    """Return the error for a record that cannot be parsed."""
    why = "a field has an unexpected value"
    if isinstance(error, KeyError):
        why = f"the field `{error.args[0]}` is missing"
    return InvalidResponseError(f"GitHub returned an invalid {what}: {why}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not a string")
    return value


def _list(value: object) -> list[str]:
    """Return the strings of a list; a bare string would be read as its characters."""
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return [item for item in value if isinstance(item, str)]


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a number")
    return value


def _time(value: object) -> datetime:
    found = datetime.fromisoformat(_text(value).replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
