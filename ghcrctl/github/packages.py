"""The endpoints for packages.

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
# If a list changes during every scan, the last result is used.
_MAX_SCANS = 4


class Packages:
    """The package endpoints of one GitHub instance; safe to share between threads."""

    def __init__(self, github: GitHub) -> None:
        self.github = github
        self._owners: dict[str, Owner] = {}
        self._lock = threading.Lock()

    def owner(self, login: str) -> Owner:
        """Return an account with its type and the API path of its packages.

        Raises:
            PackageUnknownError: the account does not exist.
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
        """Return the login of the token's account; empty if it has none or hides it.

        A job's token belongs to no account, and GitHub denies it this request.
        """
        credential = self.github.credential
        if credential is None or token_kind(credential.secret) is TokenKind.ACTIONS:
            return ""
        try:
            return str(self.github.get("/user", "the token's account")["login"])
        except (AuthError, NotFoundError, KeyError, TypeError):
            return ""

    def list_all(self, owner: Owner, *, visibility: str | None = None) -> list[Package]:
        """Return the packages of an account.

        Args:
            owner: the account.
            visibility: only return ``public``, ``private`` or ``internal`` packages.
        """
        query = {"package_type": _TYPE, **({"visibility": visibility} if visibility else {})}
        what = f"the packages of {owner.login}"
        pages = self.github.pages(f"{owner.path}/packages", what, query)
        found = {package.name: package for package in map(read_package, flat(pages))}
        return list(found.values())

    def get(self, owner: Owner, name: str) -> Package:
        """Return a package.

        Raises:
            PackageUnknownError: the package does not exist, or the token has no access to it.
        """
        return read_package(self.github.get(_path(owner, name), f"{owner.login}/{name}"))

    def delete(self, owner: Owner, name: str) -> None:
        """Delete a package with all of its versions."""
        what = f"{owner.login}/{name}"
        self._delete(_path(owner, name), what, lambda: self._exists(owner, name))

    def restore(self, owner: Owner, name: str) -> None:
        """Restore a deleted package; GitHub allows this for 30 days."""
        what = f"{owner.login}/{name}"
        self._restore(_path(owner, name), what, lambda: self._exists(owner, name))

    def versions(
        self,
        owner: Owner,
        name: str,
        *,
        deleted: bool = False,
        seen: Callable[[int, int], None] | None = None,
    ) -> list[Version]:
        """Return all versions without duplicates, newest first.

        Others may push and delete while pages are read, which moves versions between pages.
        Therefore the first and last pages are read again at the end, and all pages if one of them
        has changed: a missed version might need another version.

        Args:
            owner: the account.
            name: the package's name.
            deleted: return the deleted versions, which may be restored.
            seen: called with the number of pages received and the total.
        """
        path = f"{_path(owner, name)}/versions"
        query = {"state": "deleted" if deleted else "active"}
        what = f"the versions of {owner.login}/{name}"
        found: dict[int, Version] = {}
        for _ in range(_MAX_SCANS):
            pages = self.github.pages(path, what, query, seen=seen)
            scanned = {v.id: v for v in map(read_version, flat(pages))}
            found = {**found, **scanned}
            if self._is_stable(path, what, query, pages):
                # Versions that were only found by an earlier scan have been deleted.
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
        """Return the first page of versions, newest first."""
        path, what = f"{_path(owner, name)}/versions", f"the versions of {owner.login}/{name}"
        return list(map(read_version, self.github.page(path, what, {"state": "active"}, 1)))

    def version(self, owner: Owner, name: str, number: int) -> Version:
        """Return a version by its ID.

        Raises:
            PackageUnknownError: the version does not exist.
        """
        path, what = _version(owner, name, number)
        return read_version(self.github.get(path, what))

    def delete_version(self, owner: Owner, name: str, number: int) -> None:
        """Delete a version with all of its tags.

        Raises:
            RetainedError: it is the last tagged version.
            BlockedError: it has too many downloads.
            PackageUnknownError: it does not exist, or the token cannot delete it.
        """
        path, what = _version(owner, name, number)
        self._delete(path, what, lambda: self._exists(owner, name, number))

    def restore_version(self, owner: Owner, name: str, number: int) -> None:
        """Restore a deleted version; GitHub allows this for 30 days."""
        path, what = _version(owner, name, number)
        self._restore(path, what, lambda: self._exists(owner, name, number))

    def _delete(self, path: str, what: str, exists: Callable[[], bool]) -> None:
        self.github.send(
            "DELETE", path, what, action="delete", scope=_DELETE, is_done=lambda: not exists()
        )

    def _restore(self, path: str, what: str, exists: Callable[[], bool]) -> None:
        self.github.send(
            "POST",
            f"{path}/restore",
            what,
            action="restore",
            scope=_RESTORE,
            is_done=exists,
        )

    def _exists(self, owner: Owner, name: str, number: int | None = None) -> bool:
        try:
            if number is None:
                self.get(owner, name)
            else:
                self.version(owner, name, number)
        except PackageUnknownError:
            return False
        return True


def _path(owner: Owner, name: str) -> str:
    # A package's name is a single path segment, even if it contains slashes.
    return f"{owner.path}/packages/{_TYPE}/{quote(name, safe='')}"


def _version(owner: Owner, name: str, number: int) -> tuple[str, str]:
    return f"{_path(owner, name)}/versions/{number}", f"version {number} of {owner.login}/{name}"


def _marks(page: Iterable[Any]) -> list[Version]:
    return list(map(read_version, page))
