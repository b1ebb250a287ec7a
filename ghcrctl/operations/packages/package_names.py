"""How people name packages and versions of them.

What belongs here: reading ``OWNER/IMAGE[:TAG|@DIGEST|#ID]`` and patterns of names.
"""

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
class Named:
    """A package, and maybe one version of it. ``tag``, ``digest``: empty where not given."""

    registry: str
    owner: str
    package: str
    tag: str = ""
    digest: str = ""
    id: int | None = None

    @property
    def reference(self) -> Reference:
        """The package as a repository of its registry."""
        return Reference(self.registry, self.repository)

    @property
    def repository(self) -> str:
        """Owner and name, as the registry has them."""
        return f"{self.owner}/{self.package}"

    @property
    def name(self) -> str:
        """Registry, owner and name."""
        return f"{self.registry}/{self.repository}"

    @property
    def is_whole(self) -> bool:
        """Whether no version is named."""
        return not (self.tag or self.digest) and self.id is None


def read_name(session: Session, text: str) -> Named:
    """Read a package's name, maybe with a version.

    Raises:
        InvalidReferenceError: it is none.
        RefusedError: it is a local name.
    """
    name, hash_, number = text.partition("#")
    id_ = whole_number(number) if hash_ else None
    if hash_ and id_ is None:
        raise InvalidReferenceError(
            f"invalid name `{text}`: after # stands a version's number, as `versions` shows it"
        )
    reference = session.parse(name, is_github=True)
    if reference.is_local:
        raise local_name_error(reference)
    owner, slash, package = reference.repository.partition("/")
    if not slash:
        raise InvalidReferenceError(f"invalid name `{text}`: a package has an owner: OWNER/IMAGE")
    digest = str(reference.digest) if reference.digest else ""
    return Named(
        reference.registry, owner, package, "" if digest else reference.tag or "", digest, id_
    )


def read_package(session: Session, text: str) -> Named:
    """Read a package's name without a version.

    Raises:
        InvalidReferenceError: it names a version, or is no name.
    """
    named = read_name(session, text)
    if not named.is_whole:
        raise InvalidReferenceError(
            f"`{text}` is one version, where a package is meant", hint=named.name
        )
    return named


def read_tags(session: Session, texts: Iterable[str]) -> list[Named]:
    """Read ``OWNER/IMAGE:TAG``, all of them before anything is done to one.

    Raises:
        InvalidReferenceError: one is no name.
        UsageError: one has no tag.
    """
    wanted = [read_name(session, text) for text in texts]
    for named in wanted:
        if not named.tag:
            raise UsageError(f"`{named.name}` has no tag to take away: write OWNER/IMAGE:TAG")
    return wanted


def read_owner(session: Session, text: str) -> tuple[str, str]:
    """Read ``[REGISTRY/]OWNER``: registry and account."""
    registry, slash, owner = text.rstrip("/").rpartition("/")
    if not owner or "/" in registry:
        raise InvalidReferenceError(f"invalid owner `{text}`: write OWNER, or REGISTRY/OWNER")
    default: str = session.settings.get("default_registry")
    return registry.lower() if slash else default, owner


def matching(
    session: Session, texts: Iterable[str], unlisted: dict[str, GhcrctlError] | None = None
) -> list[Named]:
    """Return the packages that names and patterns stand for, each once.

    Args:
        session: the run.
        texts: names; or ``OWNER/PATTERN``, a glob over the names of all packages of the owner.
        unlisted: gets each pattern whose packages cannot be listed, with the error; without it, the
            error is raised.

    A pattern that fits none is told, since the packages of a list of rules come and go.
    """
    found: dict[str, Named] = {}
    # In workflows, names come from lists of lines.
    for text in map(str.strip, texts):
        is_pattern = bool(_WILD & set(text))
        try:
            some = _fitting(session, text) if is_pattern else [read_package(session, text)]
        except GhcrctlError as error:
            if unlisted is None or not is_pattern or ends_run(error):
                raise
            name_error(error, text)
            unlisted[text] = error
            continue
        if not some:
            session.warn(f"no package fits `{text}`")
        found.update((named.name, named) for named in some)
    return list(found.values())


def _fitting(session: Session, text: str) -> list[Named]:
    head, _, pattern = text.partition("/")
    if "." in head or ":" in head:
        owner, _, pattern = pattern.partition("/")
        head = f"{head}/{owner}"
    registry, login = read_owner(session, head)
    owner_found = session.packages(registry).owner(login)
    names = sorted(p.name for p in session.packages(registry).list_all(owner_found))
    # Names in a registry are lower case, so a pattern means that as well.
    chosen = [name for name in names if fnmatch.fnmatchcase(name.lower(), pattern.lower())]
    return [Named(registry, login.lower(), name.lower()) for name in chosen]


def owner_of(session: Session, named: Named) -> tuple[Packages, Owner]:
    """Return the packages of a name's GitHub, and its owner's account there."""
    packages = session.packages(named.registry)
    return packages, packages.owner(named.owner)
