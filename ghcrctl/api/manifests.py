"""Calls of the groups ``manifest`` and ``artifact``.

What belongs here: their arguments. What does not: what they do (``operations``).
"""

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
    """Calls that look at manifests, and make and change indexes.

    With ``local`` they use the local store; without it, names that belong to a registry are asked
    for there. A local name is always one of the store.
    """

    def inspect(
        self, name: Name, manifest: Name | Platform | Digest = "", *, local: bool = False
    ) -> Manifest | Index:
        """Return a manifest or an index with its raw bytes, without pulling.

        A local manifest list that is not pushed yet takes precedence.

        Args:
            name: ``NAME[:TAG|@DIGEST]``.
            manifest: one image that the list has: its name, platform or digest.
            local: use the local store.

        Raises:
            NotFoundError: there is none.
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
        """Return an index's entries with what they stand for; for an image itself alone.

        Args:
            name: ``NAME[:TAG|@DIGEST]``.
            local: use the local store.

        Raises:
            NotFoundError: there is none.
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
        """Create a manifest list, which is kept locally until it is pushed.

        With ``local``, or a local name, the index is stored in the local store.

        Args:
            target: the list's name.
            sources: the images, or indexes whose images it lists.
            amend: add to an existing list or index of this name.
            replace: start from an empty list and replace the registry's tag.
            annotations: of the list.
            push: publish the list at once.
            local: use the local store.
            observer: watches what moves.

        Raises:
            NotFoundError: there is no such image.
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
        """Add images to a manifest list, or to the registry's index; nothing is published yet.

        An image for the same platform is replaced.

        Args:
            target: the list.
            sources: the images.
            push: publish the list at once.
            local: use the local store.
            observer: watches what moves.

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
        """Remove images and their attestations from a manifest list or the registry's index.

        Args:
            target: the list.
            chosen: names of images, platforms or digests.
            push: publish the list at once; without it, nothing is published yet.
            local: use the local store.

        Raises:
            NotFoundError: the list, the index or the image in it does not exist.
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
            target: the list.
            chosen: the name of an image, a platform or a digest; empty for the list itself.
            annotations: one with an empty value is removed.
            platform: what the entry is for.
            os: its operating system.
            arch: its architecture.
            variant: its architecture variant.
            os_version: its ``os.version`` (Windows).
            os_features: its ``os.features``.
            push: publish the list at once; without it, nothing is published yet.
            local: use the local store.

        Raises:
            NotFoundError: the list, the index or the entry does not exist.
            UsageError: a change of an entry does not name the entry.
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
        """Push a manifest list, or an index of the local store, with all of its images.

        Args:
            name: ``NAME[:TAG]``.
            purge: remove the list, or the local name, afterwards.
            replace: replace the registry's tag whatever it points to.
            observer: watches what moves.

        Raises:
            NoSuchImageError: neither a list nor a local image has this name.
            RefusedError: the registry has a tag that the list was not made from.
        """
        from ghcrctl.operations.making.indexes import parse_index_target
        from ghcrctl.operations.moving.push_index import push_index

        with self._session() as session:
            end = parse_index_target(session, text_of(name), local=False)
            return push_index(session, end, purge=purge, replace=replace, observer=observer)

    def rm(self, names: Names) -> None:
        """Delete local manifest lists; registries are not changed.

        Args:
            names: of the lists.

        Raises:
            NoSuchImageError: a list does not exist.
        """
        from ghcrctl.operations.making.indexes import parse_index_target
        from ghcrctl.operations.making.manifest_lists import remove_list

        with self._session() as session:
            for name in texts_of_names(names):
                remove_list(session, parse_index_target(session, name, local=False))


class Artifacts(Caller):
    """Calls that push and pull plain files, in the form that oras reads and writes."""

    def push(
        self,
        name: Name,
        files: PathLike | FileEntry | Iterable[PathLike | FileEntry],
        artifact_type: str,
        *,
        annotations: Mapping[str, str] | None = None,
        observer: Observer = ignore,
    ) -> Made:
        """Push files as one artifact under a tag.

        Args:
            name: ``NAME[:TAG]``; without a tag, ``latest``.
            files: paths, or entries with a media type of their own.
            artifact_type: what the whole is, a media type.
            annotations: of the whole.
            observer: watches what moves.

        Raises:
            UsageError: there is no file, or two have one name, or the type is no media type.
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
        """Write an artifact's files into a folder.

        Args:
            name: ``NAME[:TAG|@DIGEST]``.
            folder: made where it is not there; files of the same names are replaced.

        Returns:
            The files, in the order of the artifact.

        Raises:
            NotFoundError: there is no such artifact.
            UnsupportedError: it is no artifact of files.
            RefusedError: a file's name leads out of the folder.
        """
        from ghcrctl.operations.making.artifact import pull_artifact

        with self._session() as session:
            return pull_artifact(session, reference_of(session, name), path_of(folder))
