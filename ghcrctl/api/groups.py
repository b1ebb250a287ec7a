"""Calls of the groups ``manifest`` and ``artifact``.

What belongs here: their arguments. What does not: what they do (``operations``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.api.calling import (
    Caller,
    path_of,
    platform_of,
    reference_of,
    text_of,
    texts_of_names,
)
from ghcrctl.api.registries import entries_of
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ghcrctl.api.calling import Name, Names, PathLike
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.manifest import Index, Manifest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.artifact import FileEntry, Made
    from ghcrctl.operations.indexes import NewImage
    from ghcrctl.operations.push import PushResult
    from ghcrctl.transfer.events import Observer


class Manifests(Caller):
    """Calls that look at manifests, and make and change indexes.

    With ``local`` they use the local store; without it, names that belong to a registry are asked
    for there. A local name is always one of the store.
    """

    def inspect(self, name: Name, *, local: bool = False) -> Manifest | Index:
        """Return a manifest or an index, with its raw bytes; nothing is pulled.

        Args:
            name: ``NAME[:TAG|@DIGEST]``.
            local: use the local store.

        Raises:
            NotFoundError: there is none.
        """
        from ghcrctl.operations.indexes import end_of, read_manifest

        with self._session() as session:
            return read_manifest(session, end_of(session, text_of(name), local=local))

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
        from ghcrctl.operations.indexes import end_of, read_entries

        with self._session() as session:
            return read_entries(session, end_of(session, text_of(name), local=local))

    def create(
        self,
        target: Name,
        sources: Names,
        *,
        annotations: Mapping[str, str] | None = None,
        local: bool = False,
        observer: Observer = ignore,
    ) -> NewImage:
        """Make an index of images; those of other repositories are copied to the index's.

        Args:
            target: the index's name; what has it is replaced.
            sources: the images.
            annotations: of the index.
            local: use the local store.
            observer: watches what moves.

        Raises:
            NotFoundError: there is no such image.
            UsageError: two images are for the same platform.
        """
        from ghcrctl.operations.indexes import NewImage, create_index, end_of

        with self._session() as session:
            end = end_of(session, text_of(target), local=local)
            ends = [end_of(session, source, local=local) for source in texts_of_names(sources)]
            made = create_index(
                session, end, ends, annotations=annotations or {}, observer=observer
            )
            return NewImage(end, made)

    def add(
        self,
        target: Name,
        sources: Names,
        *,
        local: bool = False,
        observer: Observer = ignore,
    ) -> NewImage:
        """Add images to an index; one for the same platform takes the place of another.

        Args:
            target: the index.
            sources: the images.
            local: use the local store.
            observer: watches what moves.

        Raises:
            NotFoundError: there is no such index or image.
        """
        from ghcrctl.operations.indexes import NewImage, add_to_index, end_of

        with self._session() as session:
            end = end_of(session, text_of(target), local=local)
            ends = [end_of(session, source, local=local) for source in texts_of_names(sources)]
            return NewImage(end, add_to_index(session, end, ends, observer))

    def remove(
        self, target: Name, *chosen: str | Platform | Digest, local: bool = False
    ) -> NewImage:
        """Take images out of an index, and what attests them; they themselves stay.

        Args:
            target: the index.
            chosen: platforms or digests.
            local: use the local store.

        Raises:
            NotFoundError: there is no such index, or no such image in it.
        """
        from ghcrctl.operations.indexes import NewImage, end_of, remove_from_index

        with self._session() as session:
            end = end_of(session, text_of(target), local=local)
            return NewImage(end, remove_from_index(session, end, [str(one) for one in chosen]))

    def annotate(
        self,
        target: Name,
        chosen: str | Platform | Digest = "",
        *,
        annotations: Mapping[str, str] | None = None,
        platform: str | Platform | None = None,
        os_version: str | None = None,
        local: bool = False,
    ) -> NewImage:
        """Set annotations of an index, or of one of its entries, or what an entry is for.

        Args:
            target: the index.
            chosen: a platform or a digest; empty for the index itself.
            annotations: one with an empty value is taken away.
            platform: what the entry is for.
            os_version: the entry's ``os.version`` (Windows).
            local: use the local store.

        Raises:
            NotFoundError: there is no such index, or no such entry.
            UsageError: an entry is to be changed, and none is named.
        """
        from ghcrctl.operations.indexes import Change, NewImage, annotate_index, end_of

        change = Change(annotations or {}, platform_of(platform), os_version)
        with self._session() as session:
            end = end_of(session, text_of(target), local=local)
            return NewImage(end, annotate_index(session, end, str(chosen), change))

    def push(self, name: Name, *, purge: bool = False, observer: Observer = ignore) -> PushResult:
        """Send an index of the local store to its registry, with all that it lists.

        Args:
            name: ``NAME[:TAG]``.
            purge: remove the local name afterwards.
            observer: watches what moves.

        Raises:
            NoSuchImageError: the store has no image of this name.
        """
        from ghcrctl.operations.push import push
        from ghcrctl.operations.remove import remove

        with self._session() as session:
            pushed = push(session, reference_of(session, name), observer=observer, force=True)
            if purge:
                remove(session, str(pushed.reference))
            return pushed


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
        from ghcrctl.operations.artifact import push_artifact

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
        from ghcrctl.operations.artifact import pull_artifact

        with self._session() as session:
            return pull_artifact(session, reference_of(session, name), path_of(folder))
