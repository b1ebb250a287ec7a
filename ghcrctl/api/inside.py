"""Calls that look into images: history, ls, cat, diff, export.

What belongs here: their arguments. What does not: what they do (``operations``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.api.arguments import Caller, path_of, wanted_of

if TYPE_CHECKING:
    from ghcrctl.api.arguments import Name, PathLike, Write
    from ghcrctl.oci.platform import Platform
    from ghcrctl.operations.inside.diff import Difference
    from ghcrctl.operations.inside.files import FileRow
    from ghcrctl.operations.inside.history import HistoryRow


class Files(Caller):
    """Calls that look into images, local or at a registry.

    All of them take ``remote``: read from the registry, no more than the answer takes, and pull
    nothing; and ``platform``: whose image of a multi-platform image, this machine's by default.
    """

    def history(
        self, name: Name, *, remote: bool = False, platform: str | Platform | None = None
    ) -> list[HistoryRow]:
        """Return the steps by which an image was made, newest first.

        Args:
            name: a name; of a local image also its ID or digest.
            remote: ask the registry.
            platform: whose image of a multi-platform image.

        Raises:
            NotFoundError: there is no such image, or it is not for the platform.
        """
        from ghcrctl.operations.inside.history import history

        with self._session() as session:
            return history(session, wanted_of(name, platform, remote=remote))

    def ls(
        self,
        name: Name,
        path: str = "/",
        *,
        recursive: bool = False,
        remote: bool = False,
        platform: str | Platform | None = None,
    ) -> list[FileRow]:
        """List the files that a container of an image would see in a directory.

        Args:
            name: a name; of a local image also its ID or digest.
            path: the directory, or a file; links in it are followed as in a container.
            recursive: list all levels below, too.
            remote: read from the registry.
            platform: whose image of a multi-platform image.

        Raises:
            NotFoundError: there is no such image, or no such path in it.
            IntegrityError: a layer is damaged.
        """
        from ghcrctl.operations.inside.files import list_files

        with self._session() as session:
            wanted = wanted_of(name, platform, remote=remote)
            return list_files(session, wanted, path, recursive=recursive)

    def cat(
        self,
        name: Name,
        path: str,
        *,
        remote: bool = False,
        platform: str | Platform | None = None,
    ) -> bytes:
        """Return the content of a file of an image, all of it verified.

        Args:
            name: a name; of a local image also its ID or digest.
            path: the file.
            remote: read from the registry.
            platform: whose image of a multi-platform image.

        Raises:
            NotFoundError: there is no such image, or no such file in it.
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
        """Hand out the content of a file of an image piece by piece, as `cat` returns it.

        Args:
            write: takes the bytes, in order; nothing is handed out that was not verified.
            name: as in `cat`.
            path: as in `cat`.
            remote: as in `cat`.
            platform: as in `cat`.

        Raises:
            NotFoundError: there is no such image, or no such file in it.
            IntegrityError: a layer is damaged.
        """
        from ghcrctl.operations.inside.files import read_file

        with self._session() as session:
            read_file(session, wanted_of(name, platform, remote=remote), path, write)

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
        """Compare two images: manifests, configs, layers, and maybe files.

        Args:
            before: the one.
            after: the other.
            files: compare files too; layers are read for it.
            remote: read both from the registry.
            remote_a: read only the first from the registry.
            remote_b: read only the second from the registry.
            platform: whose images of multi-platform images.

        Raises:
            NotFoundError: there is no such image, or it is not for the platform.
        """
        from ghcrctl.operations.inside.diff import diff

        with self._session() as session:
            one = wanted_of(before, platform, remote=remote or remote_a)
            two = wanted_of(after, platform, remote=remote or remote_b)
            return diff(session, one, two, files=files)

    def export(
        self,
        name: Name,
        output: PathLike | Write,
        *,
        remote: bool = False,
        platform: str | Platform | None = None,
    ) -> None:
        """Write the files that a container of an image would see as one tar archive.

        Args:
            name: a name; of a local image also its ID or digest.
            output: the archive, which is there whole or not at all; or what takes its bytes.
            remote: read from the registry.
            platform: whose image of a multi-platform image.

        Raises:
            NotFoundError: there is no such image, or it is not for the platform.
            IntegrityError: a layer is damaged.
        """
        from ghcrctl.operations.inside.export import export_archive
        from ghcrctl.store.output_files import whole_file

        with self._session() as session:
            wanted = wanted_of(name, platform, remote=remote)
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
        """Put the files that a container of an image would see into a directory.

        Owners and devices are made by root only, and set-ID bits only where the owner is right; a
        warning says what was left out.

        Args:
            name: a name; of a local image also its ID or digest.
            folder: empty, or not there yet.
            remote: read from the registry.
            platform: whose image of a multi-platform image.

        Raises:
            NotFoundError: there is no such image, or it is not for the platform.
            RefusedError: the directory is not empty.
            IntegrityError: a layer is damaged.
        """
        from ghcrctl.operations.inside.export import export_directory

        with self._session() as session:
            wanted = wanted_of(name, platform, remote=remote)
            export_directory(session, wanted, path_of(folder))
