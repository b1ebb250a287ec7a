"""A reproducible writer of tar archives in the pax format.

Spec: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ghcrctl.layers.headers import padding
from ghcrctl.layers.members import Kind, is_overlay_attribute
from ghcrctl.layers.tar import BLOCK_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ghcrctl.layers.members import Member

_TYPES = {
    Kind.FILE: b"0",
    Kind.HARD_LINK: b"1",
    Kind.SYMLINK: b"2",
    Kind.CHARACTER_DEVICE: b"3",
    Kind.BLOCK_DEVICE: b"4",
    Kind.DIRECTORY: b"5",
    Kind.FIFO: b"6",
}
_BILLION = 10**9
_NAME_SIZE = 100
# The limits of ustar header fields; larger values need a pax record.
_MAX_ID = 0o7777777
_MAX_SIZE = 0o77777777777


class Chunks(Protocol):
    """The content of a file."""

    @property
    def size(self) -> int:
        """Size of the file in bytes."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Yield the content in order."""
        ...


class TarWriter:
    """A writer of tar archives.

    Args:
        write: called with the bytes of the archive, in order.
    """

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write

    def add(self, path: str, member: Member, data: Chunks | None = None) -> None:
        """Add a file after its directory.

        Args:
            path: path in the archive; empty for the root.
            member: metadata of the file.
            data: content of the file, if any.
        """
        self._header(path, member, member.kind)
        if data:
            self.content(data)

    def content(self, data: Chunks) -> None:
        """Write the content of a file, or the rest of it after a failure."""
        for chunk in data.chunks():
            self._write(chunk)
        self._write(bytes(padding(data.size)))

    def link(self, path: str, first: str, member: Member) -> None:
        """Add a hard link to a file that was added before."""
        self._header(path, member, Kind.HARD_LINK, first)

    def finish(self) -> None:
        """Write the end of the archive."""
        self._write(bytes(2 * BLOCK_SIZE))

    def _header(self, path: str, member: Member, kind: Kind, first: str = "") -> None:
        name = _bytes(path or ".") + (b"/" if kind is Kind.DIRECTORY else b"")
        target = _bytes(first or member.target)
        size = member.size if kind is Kind.FILE else 0
        records = _records(member, name, target, size)
        if records:
            body = b"".join(_record(key, value) for key, value in sorted(records.items()))
            self._write(_block(b"pax/" + name[-90:], b"x", size=len(body), mode=0o644))
            self._write(body + bytes(padding(len(body))))
        self._write(
            _block(
                name,
                _TYPES[kind],
                mode=member.mode,
                owner=(member.uid, member.gid),
                size=size,
                mtime=member.mtime // _BILLION,
                target=target,
                device=member.device,
            )
        )


def _records(member: Member, name: bytes, target: bytes, size: int) -> dict[bytes, bytes]:
    """Return the pax records for values that do not fit into the header."""
    records = {
        b"SCHILY.xattr." + _bytes(key): value
        for key, value in member.xattrs.items()
        if not is_overlay_attribute(key)
    }
    if len(name) > _NAME_SIZE:
        records[b"path"] = name
    if len(target) > _NAME_SIZE:
        records[b"linkpath"] = target
    if size > _MAX_SIZE:
        records[b"size"] = b"%d" % size
    for key, number in ((b"uid", member.uid), (b"gid", member.gid)):
        if number > _MAX_ID:
            records[key] = b"%d" % number
    seconds, fraction = divmod(member.mtime, _BILLION)
    if fraction or not 0 <= seconds <= _MAX_SIZE:
        records[b"mtime"] = _time(member.mtime)
    return records


def _time(nanoseconds: int) -> bytes:
    seconds, fraction = divmod(abs(nanoseconds), _BILLION)
    sign = "-" if nanoseconds < 0 else ""
    return f"{sign}{seconds}.{fraction:09}".rstrip("0").rstrip(".").encode()


def _record(key: bytes, value: bytes) -> bytes:
    r"""Return ``LENGTH KEY=VALUE\\n``, where the length includes its own digits."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + len(str(len(rest)))
    length = len(rest) + len(str(length))
    return str(length).encode() + rest


def _block(  # noqa: PLR0913 the fields of a header
    name: bytes,
    type_: bytes,
    *,
    mode: int,
    size: int,
    owner: tuple[int, int] = (0, 0),
    mtime: int = 0,
    target: bytes = b"",
    device: tuple[int, int] = (0, 0),
) -> bytes:
    """Return a header; values that do not fit are 0 and have a pax record."""
    block = bytearray(BLOCK_SIZE)
    block[0:100] = name[:_NAME_SIZE].ljust(_NAME_SIZE, b"\0")
    block[100:108] = _octal(mode, 8)
    block[108:116] = _octal(owner[0], 8)
    block[116:124] = _octal(owner[1], 8)
    block[124:136] = _octal(size, 12)
    block[136:148] = _octal(mtime, 12)
    block[148:156] = b" " * 8
    block[156:157] = type_
    block[157:257] = target[:_NAME_SIZE].ljust(_NAME_SIZE, b"\0")
    block[257:265] = b"ustar\x0000"
    block[329:337] = _octal(device[0], 8)
    block[337:345] = _octal(device[1], 8)
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _octal(number: int, size: int) -> bytes:
    fits = 0 <= number < 8 ** (size - 1)
    return b"%0*o\0" % (size - 1, number if fits else 0)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
