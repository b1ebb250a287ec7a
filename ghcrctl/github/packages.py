"""The endpoints for packages: one method each.

What belongs here: what to ask and reading the answer. What does not: what every request has in
common (``client``), what versions mean to each other (``graph``).

Spec: GitHub's documentation, "REST API endpoints for packages", version 2022-11-28.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

from ghcrctl.credentials.token_kinds import TokenKind, token_kind
from ghcrctl.errors import AuthError, InvalidResponseError, NotFoundError, PackageUnknownError
from ghcrctl.github.client import flat
from ghcrctl.github.records import Owner, Package, Version, read_package, read_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ghcrctl.github.client import GitHub

_TYPE = "container"
_DELETE, _RESTORE = "delete:packages", "write:packages"
# A list that changes each time that it is read is taken as it is then.
_MOST_SCANS = 4


class Packages:
    """The packages of one GitHub; threads may share it."""

    def __init__(self, github: GitHub) -> None:
        self.github = github
        self._owners: dict[str, Owner] = {}
        self._lock = threading.Lock()

    def owner(self, login: str) -> Owner:
        """Find out what an account is, and where its packages are in the API.

        Raises:
            PackageUnknownError: there is no such account.
        """
        with self._lock:
            if login.lower() not in self._owners:
                self._owners[login.lower()] = self._find_owner(login)
            return self._owners[login.lower()]

    def _find_owner(self, login: str) -> Owner:
        found = self.github.get(f"/users/{quote(login, safe='')}", f"the account {login}")
        try:
            name, is_organization = str(found["login"]), found["type"] == "Organization"
        except (KeyError, TypeError):
            raise InvalidResponseError(f"GitHub returned an invalid account: {login}") from None
        if is_organization:
            return Owner(name, is_organization=True, path=f"/orgs/{name}")
        if self.me().lower() == name.lower():
            return Owner(name, is_organization=False, path="/user")
        return Owner(name, is_organization=False, path=f"/users/{name}")

    def me(self) -> str:
        """Return whose token it is; nothing where it is nobody's, or that is not told.

        The token of a job is nobody's, and GitHub denies it the question.
        """
        credential = self.github.credential
        if credential is None or token_kind(credential.secret) is TokenKind.ACTIONS:
            return ""
        try:
            return str(self.github.get("/user", "the token's account")["login"])
        except (AuthError, NotFoundError, KeyError, TypeError):
            return ""

    def list_all(self, owner: Owner, *, visibility: str | None = None) -> list[Package]:
        """List the packages of an account.

        Args:
            owner: the account.
            visibility: only those that are ``public``, ``private`` or ``internal``.
        """
        query = {"package_type": _TYPE, **({"visibility": visibility} if visibility else {})}
        what = f"the packages of {owner.login}"
        pages = self.github.pages(f"{owner.path}/packages", what, query)
        found = {package.name: package for package in map(read_package, flat(pages))}
        return list(found.values())

    def get(self, owner: Owner, name: str) -> Package:
        """Get a package.

        Raises:
            PackageUnknownError: there is none, or it is not shown to this token.
        """
        return read_package(self.github.get(_path(owner, name), f"{owner.login}/{name}"))

    def delete(self, owner: Owner, name: str) -> None:
        """Delete a package with all of its versions."""
        what = f"{owner.login}/{name}"
        self._delete(_path(owner, name), what, lambda: self._is_there(owner, name))

    def restore(self, owner: Owner, name: str) -> None:
        """Bring a deleted package back; GitHub can for 30 days."""
        what = f"{owner.login}/{name}"
        self._restore(_path(owner, name), what, lambda: self._is_there(owner, name))

    def versions(
        self,
        owner: Owner,
        name: str,
        *,
        deleted: bool = False,
        seen: Callable[[int, int], None] | None = None,
    ) -> list[Version]:
        """List all versions, the newest first, each once.

        While pages are read others push and delete, which moves versions from page to page. So
        the first and the last page are read again at the end, and all of them if one changed: a
        version that was missed could be the one that needs another.

        Args:
            owner: the account.
            name: the package.
            deleted: those that were deleted, and may be restored.
            seen: is told how many pages have come, and of how many.
        """
        path = f"{_path(owner, name)}/versions"
        query = {"state": "deleted" if deleted else "active"}
        what = f"the versions of {owner.login}/{name}"
        found: dict[int, Version] = {}
        for _ in range(_MOST_SCANS):
            pages = self.github.pages(path, what, query, seen=seen)
            scanned = {v.id: v for v in map(read_version, flat(pages))}
            found = {**found, **scanned}
            if self._is_stable(path, what, query, pages):
                # Those of an earlier scan only are gone.
                found = scanned
                break
        return sorted(found.values(), key=lambda v: (v.created, v.id), reverse=True)

    def _is_stable(
        self, path: str, what: str, query: dict[str, str], pages: list[list[Any]]
    ) -> bool:
        if len(pages) == 1:
            return True
        ends = ((1, pages[0]), (len(pages), pages[-1]))
        return all(_marks(self.github.page(path, what, query, n)) == _marks(p) for n, p in ends)

    def newest(self, owner: Owner, name: str) -> list[Version]:
        """Return the first page of versions, the newest first."""
        path, what = f"{_path(owner, name)}/versions", f"the versions of {owner.login}/{name}"
        return list(map(read_version, self.github.page(path, what, {"state": "active"}, 1)))

    def version(self, owner: Owner, name: str, number: int) -> Version:
        """Get a version.

        Raises:
            PackageUnknownError: there is none with this number.
        """
        path, what = _version(owner, name, number)
        return read_version(self.github.get(path, what))

    def delete_version(self, owner: Owner, name: str, number: int) -> None:
        """Delete a version with all of its tags.

        Raises:
            RetainedError: it is the last tagged one.
            BlockedError: it was downloaded too often.
            PackageUnknownError: it is gone, or the token may not delete it.
        """
        path, what = _version(owner, name, number)
        self._delete(path, what, lambda: self._is_there(owner, name, number))

    def restore_version(self, owner: Owner, name: str, number: int) -> None:
        """Bring a deleted version back; GitHub can for 30 days."""
        path, what = _version(owner, name, number)
        self._restore(path, what, lambda: self._is_there(owner, name, number))

    def _delete(self, path: str, what: str, is_there: Callable[[], bool]) -> None:
        self.github.send(
            "DELETE", path, what, action="delete", scope=_DELETE, is_done=lambda: not is_there()
        )

    def _restore(self, path: str, what: str, is_there: Callable[[], bool]) -> None:
        self.github.send(
            "POST",
            f"{path}/restore",
            what,
            action="restore",
            scope=_RESTORE,
            is_done=is_there,
        )

    def _is_there(self, owner: Owner, name: str, number: int | None = None) -> bool:
        try:
            if number is None:
                self.get(owner, name)
            else:
                self.version(owner, name, number)
        except PackageUnknownError:
            return False
        return True


def _path(owner: Owner, name: str) -> str:
    # A package's name is one segment of the path, whatever slashes it has.
    return f"{owner.path}/packages/{_TYPE}/{quote(name, safe='')}"


def _version(owner: Owner, name: str, number: int) -> tuple[str, str]:
    return f"{_path(owner, name)}/versions/{number}", f"version {number} of {owner.login}/{name}"


def _marks(page: Iterable[Any]) -> list[Version]:
    return list(map(read_version, page))
