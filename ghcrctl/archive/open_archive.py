"""Opening archives: files and pipes, plain or packed, and directories.

What belongs here: telling them apart, and setting aside what cannot be read at any position. What
does not: what is in them (`layout`, `docker`).
"""

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
def opened(archive: Path | Stream, aside: Path) -> Iterator[Files]:
    """Open an archive of images.

    A plain archive in a file is read where it is. What is packed, or comes from a pipe, is set
    aside first, unpacked; that goes when this ends, or the process does.

    Args:
        archive: a file, a directory, or bytes in order.
        aside: a directory for what must be set aside.

    Raises:
        NotFoundError: there is no such file.
        IntegrityError: it is no archive, or is damaged.
        NoSpaceError: there is no room for it.
    """
    if not isinstance(archive, Path):
        with _set_aside(archive, aside, _STANDARD_INPUT) as files:
            yield files
    elif stat.S_ISDIR(find_input(archive).st_mode):
        yield FolderFiles(archive)
    else:
        with _opened_file(archive, aside) as files:
            yield files


@contextmanager
def _opened_file(path: Path, aside: Path) -> Iterator[Files]:
    with open_input(path) as file:
        if file.seekable() and _is_plain(file):
            yield TarFiles(Positioned(file), str(path))
        else:
            with _set_aside(file, aside, str(path)) as files:
                yield files


def _is_plain(file: BinaryIO) -> bool:
    with disk_errors("read the archive"):
        start = file.read(BLOCK_SIZE)
        file.seek(0)
    return detect(start) is Compression.NONE


@contextmanager
def _set_aside(stream: Stream, folder: Path, label: str) -> Iterator[Files]:
    with disk_errors(f"write into {folder}"):
        # Without a name, or with one that ends with the process.
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 below, without its errors
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
    """Let nothing through that does not begin as an archive does: it may be without end."""
    start = b""

    def take(data: bytes) -> None:
        nonlocal start
        if len(start) < BLOCK_SIZE:
            start += data[:BLOCK_SIZE]
            if len(start) >= BLOCK_SIZE and not (is_tar(start) and start.strip(b"\0")):
                raise IntegrityError(f"{label} is no archive of images")
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
    """Read as much as tells the formats apart: a pipe may give less at first."""
    start = b""
    while len(start) < BLOCK_SIZE and (chunk := stream.read(CHUNK_SIZE)):
        start += chunk
    return start
