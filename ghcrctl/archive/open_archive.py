"""Opens archives: files, pipes and directories, compressed or not."""

from __future__ import annotations

import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from ghcrctl.archive.files import FolderFiles
from ghcrctl.archive.tar_files import Positioned, TarFiles
from ghcrctl.content.streams import CHUNK_SIZE
from ghcrctl.errors import IntegrityError
from ghcrctl.layers.compression import Compression, Unpacker, detect
from ghcrctl.layers.tar import BLOCK_SIZE, is_tar
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.input_files import find_input, open_input

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.archive.files import Files
    from ghcrctl.content.ports import Stream

_STANDARD_INPUT = "standard input"


@contextmanager
def open_archive(archive: Path | Stream, folder: Path) -> Iterator[Files]:
    """Open an archive of images.

    An uncompressed file is read in place. A compressed file or a pipe is first decompressed into a
    temporary file.

    Args:
        archive: path of a file or directory, or a stream.
        folder: directory for the temporary file.

    Raises:
        NotFoundError: the file does not exist.
        IntegrityError: the file is not an archive or is damaged.
        NoSpaceError: the disk is too small for the temporary file.
    """
    if not isinstance(archive, Path):
        with _unpack_to_file(archive, folder, _STANDARD_INPUT) as files:
            yield files
    elif stat.S_ISDIR(find_input(archive).st_mode):
        yield FolderFiles(archive)
    else:
        with _opened_file(archive, folder) as files:
            yield files


@contextmanager
def _opened_file(path: Path, folder: Path) -> Iterator[Files]:
    with open_input(path) as file:
        if file.seekable() and _is_plain(file):
            yield TarFiles(Positioned(file), str(path))
        else:
            with _unpack_to_file(file, folder, str(path)) as files:
                yield files


def _is_plain(file: BinaryIO) -> bool:
    with disk_errors("read the archive"):
        start = file.read(BLOCK_SIZE)
        file.seek(0)
    return detect(start) is Compression.NONE


@contextmanager
def _unpack_to_file(stream: Stream, folder: Path, label: str) -> Iterator[Files]:
    with disk_errors(f"write into {folder}"):
        # The file has no name or is deleted when the process ends.
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 closed below, where errors are not those of writing
    with file:
        _unpack(stream, _checked(_writer(cast("BinaryIO", file), folder), label))
        with disk_errors(f"write into {folder}"):
            file.flush()
        yield TarFiles(Positioned(cast("BinaryIO", file)), label)


def _writer(file: BinaryIO, folder: Path) -> Callable[[bytes], None]:
    def write(data: bytes) -> None:
        with disk_errors(f"write into {folder}"):
            file.write(data)

    return write


def _checked(write: Callable[[bytes], None], label: str) -> Callable[[bytes], None]:
    """Wrap a function so that it rejects data that is not a tar archive, which may be endless."""
    start = b""

    def take(data: bytes) -> None:
        nonlocal start
        if len(start) < BLOCK_SIZE:
            start += data[:BLOCK_SIZE]
            if len(start) >= BLOCK_SIZE and not (is_tar(start) and start.strip(b"\0")):
                raise IntegrityError(f"{label} is not an archive of images")
        write(data)

    return take


def _unpack(stream: Stream, take: Callable[[bytes], None]) -> None:
    chunk = _first(stream)
    compression = detect(chunk)
    if compression is Compression.NONE:
        while chunk:
            take(chunk)
            chunk = stream.read(CHUNK_SIZE)
        return
    unpacker = Unpacker(compression)
    while chunk:
        unpacker.feed(chunk, take)
        chunk = stream.read(CHUNK_SIZE)
    unpacker.finish()


def _first(stream: Stream) -> bytes:
    """Read enough bytes to detect the format, since the first read of a pipe may be short."""
    start = b""
    while len(start) < BLOCK_SIZE and (chunk := stream.read(CHUNK_SIZE)):
        start += chunk
    return start
