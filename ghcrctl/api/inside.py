"""Calls on the content of images: history, ls, cat, diff, export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.api.arguments import Caller, path_of, selector_of

if TYPE_CHECKING:
    from ghcrctl.api.arguments import Name, PathLike, Write
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.inside.diff import Difference
    from ghcrctl.operations.inside.files import FileRow
    from ghcrctl.operations.inside.history import HistoryRow


class Files(Caller):
    """Calls on the content of images, local or at a registry.

    With ``remote``, they read only the required layers from the registry, without pulling.
    ``platform`` selects the platform of a multi-platform image, by default this machine's.
    """

    def history(
        self, name: Name, *, remote: bool = False, platform: str | Platform | None = None
    ) -> list[HistoryRow]:
        """Return the history of an image, newest step first.

        Args:
            name: a name; for local images also an ID or digest.
            remote: read from the registry.
            platform: the platform of a multi-platform image.

        Raises:
            NotFoundError: the image does not exist, or not for the platform.
        """
        from ghcrctl.operations.inside.history import history

        with self._session() as session:
            return history(session, selector_of(name, platform, remote=remote))

    def ls(
        self,
        name: Name,
        path: str = "/",
        *,
        recursive: bool = False,
        remote: bool = False,
        platform: str | Platform | None = None,
    ) -> list[FileRow]:
        """List the files in a directory of an image.

        Args:
            name: a name; for local images also an ID or digest.
            path: a directory or file; links are followed as in a container.
            recursive: list subdirectories recursively.
            remote: read from the registry.
            platform: the platform of a multi-platform image.

        Raises:
            NotFoundError: the image or the path in it does not exist.
            IntegrityError: a layer is damaged.
        """
        from ghcrctl.operations.inside.files import list_files

        with self._session() as session:
            wanted = selector_of(name, platform, remote=remote)
            return list_files(session, wanted, path, recursive=recursive)

    def cat(
        self,
        name: Name,
        path: str,
        *,
        remote: bool = False,
        platform: str | Platform | None = None,
    ) -> bytes:
        """Return the verified content of a file in an image.

        Args:
            name: a name; for local images also an ID or digest.
            path: the path of the file.
            remote: read from the registry.
            platform: the platform of a multi-platform image.

        Raises:
            NotFoundError: the image or the file in it does not exist.
            IntegrityError: a layer is damaged.
        """
        chunks: list[bytes] = []
        self.cat_into(chunks.append, name, path, remote=remote, platform=platform)
        return b"".join(chunks)

    def cat_into(
        self,
        write: Write,
        name: Name,
        path: str,
        *,
        remote: bool = False,
        platform: str | Platform | None = None,
    ) -> None:
        """Write the content of a file in an image in chunks.

        Args:
            write: called with each chunk, after it is verified.
            name: as in `cat`.
            path: as in `cat`.
            remote: as in `cat`.
            platform: as in `cat`.

        Raises:
            NotFoundError: the image or the file in it does not exist.
            IntegrityError: a layer is damaged.
        """
        from ghcrctl.operations.inside.files import read_file

        with self._session() as session:
            read_file(session, selector_of(name, platform, remote=remote), path, write)

    def diff(  # noqa: PLR0913 one argument an option
        self,
        before: Name,
        after: Name,
        *,
        files: bool = False,
        remote: bool = False,
        remote_a: bool = False,
        remote_b: bool = False,
        platform: str | Platform | None = None,
    ) -> Difference:
        """Compare two images: manifests, configs, layers and optionally files.

        Args:
            before: the first image.
            after: the second image.
            files: also compare files, which reads the layers.
            remote: read both images from the registry.
            remote_a: read only the first image from the registry.
            remote_b: read only the second image from the registry.
            platform: the platform of multi-platform images.

        Raises:
            NotFoundError: the image does not exist, or not for the platform.
        """
        from ghcrctl.operations.inside.diff import diff

        with self._session() as session:
            one = selector_of(before, platform, remote=remote or remote_a)
            two = selector_of(after, platform, remote=remote or remote_b)
            return diff(session, one, two, files=files)

    def export(
        self,
        name: Name,
        output: PathLike | Write,
        *,
        remote: bool = False,
        platform: str | Platform | None = None,
    ) -> None:
        """Export an image's filesystem as a tar archive.

        Args:
            name: a name; for local images also an ID or digest.
            output: the archive, which is written atomically; or a function that receives its bytes.
            remote: read from the registry.
            platform: the platform of a multi-platform image.

        Raises:
            NotFoundError: the image does not exist, or not for the platform.
            IntegrityError: a layer is damaged.
        """
        from ghcrctl.operations.inside.export import export_archive
        from ghcrctl.store.output_files import whole_file

        with self._session() as session:
            wanted = selector_of(name, platform, remote=remote)
            if callable(output):
                export_archive(session, wanted, output)
                return
            with whole_file(path_of(output), private=True) as write:
                export_archive(session, wanted, write)

    def export_directory(
        self,
        name: Name,
        folder: PathLike,
        *,
        remote: bool = False,
        platform: str | Platform | None = None,
    ) -> None:
        """Export an image's filesystem into a directory.

        Only root can set owners and create devices, and set-ID bits are only set if the owner is
        correct. A warning lists what was skipped.

        Args:
            name: a name; for local images also an ID or digest.
            folder: an empty or new directory.
            remote: read from the registry.
            platform: the platform of a multi-platform image.

        Raises:
            NotFoundError: the image does not exist, or not for the platform.
            RefusedError: the directory is not empty.
            IntegrityError: a layer is damaged.
        """
        from ghcrctl.operations.inside.export import export_directory

        with self._session() as session:
            wanted = selector_of(name, platform, remote=remote)
            export_directory(session, wanted, path_of(folder))
