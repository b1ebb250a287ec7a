"""Calls of the groups ``manifest`` and ``artifact``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.api.arguments import (
    Caller,
    path_of,
    platform_of,
    reference_of,
    text_of,
    texts_of,
    texts_of_names,
)
from ghcrctl.api.registries import entries_of
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ghcrctl.api.arguments import Name, Names, PathLike, Texts
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.manifest import Index, Manifest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.making.artifact import FileEntry, Made
    from ghcrctl.operations.making.indexes import NewImage
    from ghcrctl.transfer.events import Observer


class Manifests(Caller):
    """Calls on image manifests and manifest lists.

    With ``local``, they use the local store. Otherwise, only local names refer to the store, and
    other names to their registry.
    """

    def inspect(
        self, name: Name, manifest: Name | Platform | Digest = "", *, local: bool = False
    ) -> Manifest | Index:
        """Return a manifest or index with its original bytes, without pulling.

        A local manifest list that is not pushed yet takes precedence.

        Args:
            name: ``NAME[:TAG|@DIGEST]``.
            manifest: an image in the list, by name, platform or digest.
            local: use the local store.

        Raises:
            NotFoundError: the manifest does not exist.
        """
        from ghcrctl.operations.making.indexes import parse_source, read_manifest
        from ghcrctl.operations.making.manifest_lists import read_list_entry, read_local_index

        with self._session() as session:
            end = parse_source(session, text_of(name), local=local)
            if manifest:
                return read_list_entry(session, end, str(manifest))
            return read_local_index(session, end) or read_manifest(session, end)

    def entries(
        self, name: Name, *, local: bool = False
    ) -> list[tuple[Descriptor, Manifest | Index]]:
        """Return the entries of an index with their manifests, or an image as its only entry.

        Args:
            name: ``NAME[:TAG|@DIGEST]``.
            local: use the local store.

        Raises:
            NotFoundError: the manifest does not exist.
        """
        from ghcrctl.operations.making.indexes import parse_source, read_entries
        from ghcrctl.operations.making.manifest_lists import read_local_entries

        with self._session() as session:
            end = parse_source(session, text_of(name), local=local)
            return read_local_entries(session, end) or read_entries(session, end)

    def create(  # noqa: PLR0913 one argument an option
        self,
        target: Name,
        sources: Names,
        *,
        amend: bool = False,
        replace: bool = False,
        annotations: Mapping[str, str] | None = None,
        push: bool = False,
        local: bool = False,
        observer: Observer = ignore,
    ) -> NewImage:
        """Create a manifest list, which is stored locally until it is pushed.

        With ``local``, or a local name, the index is stored in the local store.

        Args:
            target: the name of the list.
            sources: images, or indexes whose images are added.
            amend: add to an existing list or index with this name.
            replace: start from an empty list and replace the tag at the registry.
            annotations: annotations of the list.
            push: push the list immediately.
            local: use the local store.
            observer: receives progress events.

        Raises:
            NotFoundError: the image does not exist.
            RefusedError: the name exists, and neither ``amend`` nor ``replace`` is given.
            UsageError: two images are for the same platform.
        """
        from ghcrctl.operations.making import index_changes
        from ghcrctl.operations.making.indexes import parse_index_target, parse_source

        with self._session() as session:
            return index_changes.create(
                session,
                parse_index_target(session, text_of(target), local=local),
                [parse_source(session, source, local=local) for source in texts_of_names(sources)],
                annotations=annotations or {},
                amend=amend,
                replace=replace,
                push=push,
                observer=observer,
            )

    def add(
        self,
        target: Name,
        sources: Names,
        *,
        push: bool = False,
        local: bool = False,
        observer: Observer = ignore,
    ) -> NewImage:
        """Add images to a manifest list, stored locally or at the registry.

        An image for the same platform is replaced. Nothing is pushed without ``push``.

        Args:
            target: the manifest list.
            sources: the images to add.
            push: push the list immediately.
            local: use the local store.
            observer: receives progress events.

        Raises:
            NotFoundError: a list, index or image does not exist.
        """
        from ghcrctl.operations.making import index_changes
        from ghcrctl.operations.making.indexes import parse_index_target, parse_source

        with self._session() as session:
            end = parse_index_target(session, text_of(target), local=local)
            ends = [
                parse_source(session, source, local=local) for source in texts_of_names(sources)
            ]
            return index_changes.add(session, end, ends, push=push, observer=observer)

    def remove(
        self,
        target: Name,
        *chosen: str | Platform | Digest,
        push: bool = False,
        local: bool = False,
    ) -> NewImage:
        """Remove images and their attestations from a manifest list.

        Args:
            target: the manifest list.
            chosen: image names, platforms or digests.
            push: push the list immediately; otherwise nothing is pushed.
            local: use the local store.

        Raises:
            NotFoundError: the list or an image in it does not exist.
        """
        from ghcrctl.operations.making import index_changes
        from ghcrctl.operations.making.indexes import parse_index_target

        with self._session() as session:
            end = parse_index_target(session, text_of(target), local=local)
            return index_changes.remove(session, end, [str(one) for one in chosen], push=push)

    def annotate(  # noqa: PLR0913 one argument an option
        self,
        target: Name,
        chosen: str | Platform | Digest = "",
        *,
        annotations: Mapping[str, str] | None = None,
        platform: str | Platform | None = None,
        os: str | None = None,
        arch: str | None = None,
        variant: str | None = None,
        os_version: str | None = None,
        os_features: Texts | None = None,
        push: bool = False,
        local: bool = False,
    ) -> NewImage:
        """Set annotations of a manifest list, or annotations and the platform of an entry.

        Args:
            target: the manifest list.
            chosen: an image name, platform or digest; empty for the list itself.
            annotations: annotations to set; an empty value removes one.
            platform: the platform of the entry.
            os: the operating system of the entry.
            arch: the architecture of the entry.
            variant: the architecture variant of the entry.
            os_version: the ``os.version`` of the entry (Windows).
            os_features: the ``os.features`` of the entry.
            push: push the list immediately; otherwise nothing is pushed.
            local: use the local store.

        Raises:
            NotFoundError: the list or the entry does not exist.
            UsageError: the change requires an entry, and ``chosen`` is empty.
        """
        from ghcrctl.operations.common.index_entries import EntryChange
        from ghcrctl.operations.making import index_changes
        from ghcrctl.operations.making.indexes import parse_index_target

        change = EntryChange(
            annotations or {},
            platform_of(platform),
            os_version,
            os,
            arch,
            variant,
            None if os_features is None else texts_of(os_features),
        )
        with self._session() as session:
            end = parse_index_target(session, text_of(target), local=local)
            return index_changes.annotate(session, end, str(chosen), change, push=push)

    def push(
        self,
        name: Name,
        *,
        purge: bool = False,
        replace: bool = False,
        observer: Observer = ignore,
    ) -> NewImage:
        """Push a manifest list with all of its images.

        Args:
            name: ``NAME[:TAG]``.
            purge: remove the local list or name after the push.
            replace: replace an existing tag, no matter what it points to.
            observer: receives progress events.

        Raises:
            NoSuchImageError: no list or local image has this name.
            RefusedError: the tag exists, and the list is not based on it.
        """
        from ghcrctl.operations.making.indexes import parse_index_target
        from ghcrctl.operations.moving.push_index import push_index

        with self._session() as session:
            end = parse_index_target(session, text_of(name), local=False)
            return push_index(session, end, purge=purge, replace=replace, observer=observer)

    def rm(self, names: Names) -> None:
        """Delete local manifest lists, without changing registries.

        Args:
            names: the names of the lists.

        Raises:
            NoSuchImageError: a list does not exist.
        """
        from ghcrctl.operations.making.indexes import parse_index_target
        from ghcrctl.operations.making.manifest_lists import remove_list

        with self._session() as session:
            for name in texts_of_names(names):
                remove_list(session, parse_index_target(session, name, local=False))


class Artifacts(Caller):
    """Calls that push and pull files as artifacts, in the same format as oras."""

    def push(
        self,
        name: Name,
        files: PathLike | FileEntry | Iterable[PathLike | FileEntry],
        artifact_type: str,
        *,
        annotations: Mapping[str, str] | None = None,
        observer: Observer = ignore,
    ) -> Made:
        """Push files to a registry as one artifact with a tag.

        Args:
            name: ``NAME[:TAG]``; without a tag, ``latest``.
            files: paths, or entries with a media type.
            artifact_type: the media type of the artifact.
            annotations: annotations of the artifact.
            observer: receives progress events.

        Raises:
            UsageError: no file is given, two files have the same name, or the type is invalid.
            StoreError: a file cannot be read.
        """
        from ghcrctl.operations.making.artifact import push_artifact

        with self._session() as session:
            return push_artifact(
                session,
                reference_of(session, name),
                entries_of(files),
                artifact_type,
                annotations=annotations or {},
                observer=observer,
            )

    def pull(self, name: Name, folder: PathLike = ".") -> list[Path]:
        """Pull the files of an artifact into a directory.

        Args:
            name: ``NAME[:TAG|@DIGEST]``.
            folder: the directory, created if needed; existing files are replaced.

        Returns:
            The files, in the order of the artifact.

        Raises:
            NotFoundError: the artifact does not exist.
            UnsupportedError: the artifact does not consist of files.
            RefusedError: the name of a file is outside the directory.
        """
        from ghcrctl.operations.making.artifact import pull_artifact

        with self._session() as session:
            return pull_artifact(session, reference_of(session, name), path_of(folder))
