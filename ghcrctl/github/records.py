"""What GitHub's API says of packages and their versions, as values.

What belongs here: reading its JSON. What does not: asking for it (``packages``).

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
    """An account. ``path``: where its packages are in the API."""

    login: str
    is_organization: bool
    path: str


@dataclass(frozen=True, slots=True)
class Package:
    """One package.

    Args:
        owner: the account's name, as GitHub writes it.
        name: with the slashes that it may have.
        visibility: ``public``, ``private`` or ``internal``.
        version_count: how many versions GitHub counts.
        repository: the linked repository as ``OWNER/NAME``; empty where there is none.
        repository_is_private: whether that repository is private.
        page: for people.
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
    """One version of a package: one manifest.

    Args:
        id: GitHub's number.
        digest: the manifest's.
        tags: that stand for it, as GitHub has them.
        created: when this manifest was first pushed.
        updated: when it, or its tags, changed last.
        deleted: when it was deleted; ``None`` for those that are there.
        page: for people.
    """

    id: int
    digest: str
    tags: tuple[str, ...]
    created: datetime
    updated: datetime
    deleted: datetime | None = None
    page: str = ""


def read_package(data: Any) -> Package:
    """Read a package.

    Raises:
        InvalidResponseError: a field is missing or has a wrong type.
    """
    try:
        repository = data.get("repository") or {}
        return Package(
            owner=_text((data.get("owner") or {})["login"]),
            name=_text(data["name"]),
            visibility=_text(data["visibility"]),
            version_count=_number(data.get("version_count") or 0),
            created=_moment(data["created_at"]),
            updated=_moment(data["updated_at"]),
            repository=_text(repository.get("full_name") or ""),
            repository_is_private=bool(repository.get("private")),
            page=_text(data.get("html_url") or ""),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _invalid("package", error) from None


def read_version(data: Any) -> Version:
    """Read a version.

    Raises:
        InvalidResponseError: a field is missing or has a wrong type.
    """
    try:
        container = (data.get("metadata") or {}).get("container") or {}
        gone = data.get("deleted_at")
        return Version(
            id=_number(data["id"]),
            digest=str(Digest.parse(_text(data["name"]))),
            # What is no tag would lead elsewhere in a path.
            tags=tuple(t for t in _list(container.get("tags") or []) if is_tag(t)),
            created=_moment(data["created_at"]),
            updated=_moment(data["updated_at"]),
            deleted=_moment(gone) if gone else None,
            page=_text(data.get("html_url") or ""),
        )
    except (KeyError, TypeError, AttributeError, ValueError, InvalidDigestError) as error:
        raise _invalid("version", error) from None


def _invalid(what: str, error: Exception) -> InvalidResponseError:
    """Build the error for a record that cannot be read."""
    why = "a field has an unexpected value"
    if isinstance(error, KeyError):
        why = f"the field `{error.args[0]}` is missing"
    return InvalidResponseError(f"GitHub returned an invalid {what}: {why}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
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


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value).replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
