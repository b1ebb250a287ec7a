"""Parse names of packages and versions: ``OWNER/IMAGE[:TAG|@DIGEST|#ID]``, and patterns."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import GhcrctlError, InvalidReferenceError, UsageError
from ghcrctl.oci.numbers import whole_number
from ghcrctl.oci.reference import Reference
from ghcrctl.operations.common.session import local_name_error
from ghcrctl.operations.packages.package_batch import ends_run, name_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ghcrctl.github.packages import Packages
    from ghcrctl.github.records import Owner
    from ghcrctl.operations.common.session import Session

_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class PackageName:
    """A package, and optionally one of its versions. ``tag`` and ``digest`` may be empty."""

    registry: str
    owner: str
    package: str
    tag: str = ""
    digest: str = ""
    id: int | None = None

    @property
    def reference(self) -> Reference:
        """The package as a repository at its registry."""
        return Reference(self.registry, self.repository)

    @property
    def repository(self) -> str:
        """Owner and name."""
        return f"{self.owner}/{self.package}"

    @property
    def name(self) -> str:
        """Registry, owner and name."""
        return f"{self.registry}/{self.repository}"

    @property
    def is_whole(self) -> bool:
        """Whether no version is given."""
        return not (self.tag or self.digest) and self.id is None


def read_name(session: Session, text: str) -> PackageName:
    """Parse the name of a package, optionally with a version.

    Raises:
        InvalidReferenceError: the name is invalid.
        RefusedError: the name is local.
    """
    name, hash_, number = text.partition("#")
    id_ = whole_number(number) if hash_ else None
    if hash_ and id_ is None:
        raise InvalidReferenceError(
            f"invalid name `{text}`: expected a version number after #, as shown by `versions`"
        )
    reference = session.parse(name, is_github=True)
    if reference.is_local:
        raise local_name_error(reference)
    owner, slash, package = reference.repository.partition("/")
    if not slash:
        raise InvalidReferenceError(f"invalid name `{text}`: expected OWNER/IMAGE")
    digest = str(reference.digest) if reference.digest else ""
    return PackageName(
        reference.registry, owner, package, "" if digest else reference.tag or "", digest, id_
    )


def read_package(session: Session, text: str) -> PackageName:
    """Parse the name of a package without a version.

    Raises:
        InvalidReferenceError: the name has a version, or is invalid.
    """
    named = read_name(session, text)
    if not named.is_whole:
        raise InvalidReferenceError(
            f"invalid name `{text}`: expected a package, not a version", hint=f"use {named.name}"
        )
    return named


def read_tags(session: Session, texts: Iterable[str]) -> list[PackageName]:
    """Parse ``OWNER/IMAGE:TAG`` names, before any of them is used.

    Raises:
        InvalidReferenceError: a name is invalid.
        UsageError: a name has no tag.
    """
    wanted = [read_name(session, text) for text in texts]
    for named in wanted:
        if not named.tag:
            raise UsageError(f"invalid name `{named.name}`: expected OWNER/IMAGE:TAG")
    return wanted


def read_owner(session: Session, text: str) -> tuple[str, str]:
    """Parse ``[REGISTRY/]OWNER``; return registry and account."""
    registry, slash, owner = text.rstrip("/").rpartition("/")
    if not owner or "/" in registry:
        raise InvalidReferenceError(f"invalid owner `{text}`: expected OWNER or REGISTRY/OWNER")
    default: str = session.settings.get("default_registry")
    return registry.lower() if slash else default, owner


def match_packages(
    session: Session, texts: Iterable[str], unlisted: dict[str, GhcrctlError] | None = None
) -> list[PackageName]:
    """Return the packages that names and patterns match, without duplicates.

    Warns of each pattern that matches nothing.

    Args:
        session: the run.
        texts: names; or ``OWNER/PATTERN``, a glob for the owner's packages.
        unlisted: receives each pattern whose packages cannot be listed, with the error; without
            it, the error is raised.
    """
    found: dict[str, PackageName] = {}
    # Workflows may pass names with surrounding whitespace.
    for text in map(str.strip, texts):
        is_pattern = bool(_WILD & set(text))
        try:
            some = _match_pattern(session, text) if is_pattern else [read_package(session, text)]
        except GhcrctlError as error:
            if unlisted is None or not is_pattern or ends_run(error):
                raise
            name_error(error, text)
            unlisted[text] = error
            continue
        if not some:
            session.warn(f"no package matches `{text}`")
        found.update((named.name, named) for named in some)
    return list(found.values())


def _match_pattern(session: Session, text: str) -> list[PackageName]:
    head, _, pattern = text.partition("/")
    if "." in head or ":" in head:
        owner, _, pattern = pattern.partition("/")
        head = f"{head}/{owner}"
    registry, login = read_owner(session, head)
    owner_found = session.packages(registry).owner(login)
    names = sorted(p.name for p in session.packages(registry).list_all(owner_found))
    # Names at a registry are lower case, so patterns ignore case.
    chosen = [name for name in names if fnmatch.fnmatchcase(name.lower(), pattern.lower())]
    return [PackageName(registry, login.lower(), name.lower()) for name in chosen]


def resolve_owner(session: Session, named: PackageName) -> tuple[Packages, Owner]:
    """Return GitHub's packages for a name's registry, and the owner's account there."""
    packages = session.packages(named.registry)
    return packages, packages.owner(named.owner)
