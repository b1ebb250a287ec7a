"""Calls that ask registries, or sign in: tags, digest, exists, referrers, attach, outdated, login.

What belongs here: their arguments. What does not: what they do (``operations``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.api.arguments import Caller, path_of, platform_of, reference_of, text_of, texts_of
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ghcrctl.api.arguments import Name, PathLike, Texts
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.making.artifact import FileEntry, Made
    from ghcrctl.operations.registries.login import LoginResult
    from ghcrctl.operations.registries.outdated import Compared
    from ghcrctl.operations.registries.referrers import Node
    from ghcrctl.operations.registries.tags import TagRow
    from ghcrctl.transfer.events import Observer


class Registries(Caller):
    """Calls that ask registries, or sign in to them."""

    def tags(
        self,
        name: Name,
        *,
        filters: Texts = (),
        sort: str = "version",
        helpers: bool = False,
        details: bool = False,
    ) -> list[TagRow]:
        """List the tags of a repository.

        Args:
            name: the repository, without a tag.
            filters: ``name=GLOB`` and ``version=RANGE``; of one key any must hold, of both both.
            sort: ``version``, ``name``, ``created`` or ``size``: the newest version, the newest or
                the largest first, or by name.
            helpers: list tags too that only hold signatures and the like.
            details: look at each image, for digest, date, size and platforms; tags alone take one
                request a thousand.

        Raises:
            NotFoundError: there is no such repository.
            UsageError: the name is that of one image, or a filter is malformed.
        """
        from ghcrctl.operations.registries.tags import list_tags

        with self._session() as session:
            return list_tags(
                session,
                reference_of(session, name),
                filters=texts_of(filters),
                sort=sort,
                helpers=helpers,
                details=details,
            )

    def digest(self, name: Name, *, platform: str | Platform | None = None) -> Digest:
        """Return the digest that a name stands for at its registry, downloading nothing.

        Args:
            name: ``NAME[:TAG]``; without a tag, ``latest``.
            platform: whose image of a multi-platform image is meant; the whole without it.

        Raises:
            NotFoundError: there is no such image, or it is not for the platform.
            RefusedError: the name is local.
        """
        from ghcrctl.operations.registries.digest import digest_of

        with self._session() as session:
            reference = reference_of(session, name).tagged()
            return digest_of(session, reference, platform=platform_of(platform))

    def exists(
        self, name: Name, *, platform: str | Platform | None = None, local: bool = False
    ) -> Digest | None:
        """Return what a name stands for, or ``None`` where there is no such image.

        Args:
            name: ``NAME[:TAG|@DIGEST]``; of a local image also its ID.
            platform: whose image of a multi-platform image at a registry must be there.
            local: look in the local store, and ask nobody.

        Raises:
            AuthError: the registry does not say, since it wants another credential.
            NetworkError: the registry cannot be asked.
            RefusedError: the name is local, and the registry is meant.
        """
        from ghcrctl.operations.registries.exists import exists

        with self._session() as session:
            return exists(session, text_of(name), platform=platform_of(platform), local=local)

    def referrers(self, name: Name) -> Node:
        """Find what signs, attests or describes an image at its registry.

        Args:
            name: ``NAME[:TAG|@DIGEST]``.

        Returns:
            The image; below it its platforms, and what refers to each.

        Raises:
            NotFoundError: there is no such image.
        """
        from ghcrctl.operations.registries.referrers import referrers_tree

        with self._session() as session:
            return referrers_tree(session, reference_of(session, name).tagged())

    def attach(
        self,
        name: Name,
        files: PathLike | FileEntry | Iterable[PathLike | FileEntry],
        artifact_type: str,
        *,
        annotations: Mapping[str, str] | None = None,
        observer: Observer = ignore,
    ) -> Made:
        """Attach files to an image in a registry: an SBOM, a signature, a report.

        Args:
            name: ``NAME[:TAG|@DIGEST]``.
            files: paths, or entries with a media type of their own.
            artifact_type: what they are, a media type.
            annotations: of the whole.
            observer: watches what moves.

        Raises:
            NotFoundError: there is no such image.
            UsageError: there is no file, or two have one name, or the type is no media type.
            StoreError: a file cannot be read.
        """
        from ghcrctl.operations.making.artifact import attach

        with self._session() as session:
            return attach(
                session,
                reference_of(session, name),
                entries_of(files),
                artifact_type,
                annotations=annotations or {},
                observer=observer,
            )

    def outdated(self, *names: Name) -> list[Compared]:
        """Compare local names with what they stand for at their registry; nothing is downloaded.

        Args:
            names: which; all without any. Those that belong to no registry are left out.

        Returns:
            Each with its state; one that cannot be compared has an error.
        """
        from ghcrctl.operations.registries.outdated import compare

        with self._session() as session:
            return compare(session, [reference_of(session, name) for name in names])

    def login(self, username: str, secret: str, server: str = "ghcr.io") -> LoginResult:
        """Check a credential with its registry, then keep it where `pull` and `push` find it.

        Args:
            username: on ghcr.io, the GitHub login.
            secret: the password or token.
            server: the registry.

        Raises:
            UnauthorizedError: the registry rejects it; nothing is kept.
            CredentialStoreError: it cannot be kept.
            UsageError: there is no such registry.
        """
        from ghcrctl.operations.registries.login import login, registry_name

        with self._session() as session:
            return login(session, registry_name(server), username, secret)

    def logout(self, server: str = "ghcr.io") -> list[str]:
        """Forget the credential for a registry.

        Args:
            server: the registry.

        Returns:
            The places that it was erased from; none where there was none.
        """
        from ghcrctl.operations.registries.login import logout, registry_name

        with self._session() as session:
            return logout(session, registry_name(server))

    def logged_in(self) -> list[str]:
        """Return the registries whose credentials were kept by `login`."""
        from ghcrctl.operations.registries.login import logged_in

        with self._session() as session:
            return logged_in(session)


def entries_of(files: PathLike | FileEntry | Iterable[PathLike | FileEntry]) -> list[FileEntry]:
    """Read files, or one that stands alone: paths, or entries as they are."""
    import os

    from ghcrctl.operations.making.artifact import FileEntry

    given = [files] if isinstance(files, (str, os.PathLike, FileEntry)) else files
    return [one if isinstance(one, FileEntry) else FileEntry(path_of(one)) for one in given]
