"""Calls on registries: tags, digest, exists, referrers, attach, outdated, login, logout."""

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
    """Calls on registries."""

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
            filters: ``name=GLOB`` and ``version=RANGE``. A tag must match one filter of each key.
            sort: ``version`` (newest first), ``name``, ``created`` (newest first) or ``size``
                (largest first).
            helpers: also list tags that only hold signatures.
            details: also read digests, dates, sizes and platforms, which takes requests for each
                image. Otherwise, a thousand tags take one request.

        Raises:
            NotFoundError: the repository does not exist.
            UsageError: the name has a tag or digest, or a filter is invalid.
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
        """Return the digest of a name at its registry, without downloading.

        Args:
            name: ``NAME[:TAG]``; without a tag, ``latest``.
            platform: return the digest for this platform; by default, that of the index.

        Raises:
            NotFoundError: the image does not exist, or not for the platform.
            RefusedError: the name is local.
        """
        from ghcrctl.operations.registries.digest import digest_of

        with self._session() as session:
            reference = reference_of(session, name).tagged()
            return digest_of(session, reference, platform=platform_of(platform))

    def exists(
        self, name: Name, *, platform: str | Platform | None = None, local: bool = False
    ) -> Digest | None:
        """Return the digest of an image, or ``None`` if it does not exist.

        Args:
            name: ``NAME[:TAG|@DIGEST]``; for local images also an ID.
            platform: a platform that the image must have; only at a registry.
            local: only check the local store.

        Raises:
            AuthError: the registry denies access.
            NetworkError: the registry cannot be reached.
            RefusedError: the name is local, and ``local`` is not given.
        """
        from ghcrctl.operations.registries.exists import exists

        with self._session() as session:
            return exists(session, text_of(name), platform=platform_of(platform), local=local)

    def referrers(self, name: Name) -> Node:
        """Find the signatures, attestations and other referrers of an image at its registry.

        Args:
            name: ``NAME[:TAG|@DIGEST]``.

        Returns:
            A tree of the image, its platforms and the referrers of each.

        Raises:
            NotFoundError: the image does not exist.
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
        """Attach files to an image in a registry, such as an SBOM, a signature or a report.

        Args:
            name: ``NAME[:TAG|@DIGEST]``.
            files: paths, or entries with a media type.
            artifact_type: the media type of the artifact.
            annotations: annotations of the artifact.
            observer: receives progress events.

        Raises:
            NotFoundError: the image does not exist.
            UsageError: no file is given, two files have the same name, or the type is invalid.
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
        """Compare local images with their registries, without downloading.

        Args:
            names: the names to compare; by default, all. Local names are skipped.

        Returns:
            The state or error of each name.
        """
        from ghcrctl.operations.registries.outdated import compare

        with self._session() as session:
            return compare(session, [reference_of(session, name) for name in names])

    def login(self, username: str, secret: str, server: str = "ghcr.io") -> LoginResult:
        """Log in to a registry: verify a credential and store it for other calls.

        Args:
            username: the user name; on ghcr.io, the GitHub login.
            secret: the password or token.
            server: the registry.

        Raises:
            UnauthorizedError: the registry rejects the credential; nothing is stored.
            CredentialStoreError: the credential cannot be stored.
            UsageError: the registry name is invalid.
        """
        from ghcrctl.operations.registries.login import login, registry_name

        with self._session() as session:
            return login(session, registry_name(server), username, secret)

    def logout(self, server: str = "ghcr.io") -> list[str]:
        """Log out from a registry.

        Args:
            server: the registry.

        Returns:
            The places from which the credential was deleted; empty if there was none.
        """
        from ghcrctl.operations.registries.login import logout, registry_name

        with self._session() as session:
            return logout(session, registry_name(server))

    def logged_in(self) -> list[str]:
        """Return the registries with credentials stored by `login`."""
        from ghcrctl.operations.registries.login import logged_in

        with self._session() as session:
            return logged_in(session)


def entries_of(files: PathLike | FileEntry | Iterable[PathLike | FileEntry]) -> list[FileEntry]:
    """Return one or more paths or entries as entries."""
    import os

    from ghcrctl.operations.making.artifact import FileEntry

    given = [files] if isinstance(files, (str, os.PathLike, FileEntry)) else files
    return [one if isinstance(one, FileEntry) else FileEntry(path_of(one)) for one in given]
