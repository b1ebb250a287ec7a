"""Parses tar headers: ustar with the extensions of POSIX (pax) and GNU tar.

Specs: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual 1.34,
"Basic Tar Format" and "Storing Sparse Files".
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import IntegrityError
from ghcrctl.layers.members import Kind
from ghcrctl.layers.tar import BLOCK_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REGULAR_TYPES = frozenset(b"0\0" + b"7S")
_KINDS = {
    ord("1"): Kind.HARD_LINK,
    ord("2"): Kind.SYMLINK,
    ord("3"): Kind.CHARACTER_DEVICE,
    ord("4"): Kind.BLOCK_DEVICE,
    ord("5"): Kind.DIRECTORY,
    ord("6"): Kind.FIFO,
    # GNU tar's directory with a list of its files.
    ord("D"): Kind.DIRECTORY,
}
_CHECKSUM = slice(148, 156)
_SIGNED = struct.Struct("512b")
# Longer than any valid number; Python is slow to parse very long ones.
_NUMBER = re.compile(rb"[0-9]{1,20}\Z")
_TIME = re.compile(rb"(-?)([0-9]{1,18})(?:\.([0-9]*))?\Z")
_BILLION = 10**9
# The extents of a sparse file are kept in memory.
_MAX_EXTENTS = 100_000

Extent = tuple[int, int]
Records = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a header block.

    Args:
        type: type flag, as a byte.
        size: size of the content in the archive (bytes).
        mtime: modification time (Unix seconds).
    """

    block: bytes
    type: int
    name: bytes
    link: bytes
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    device: tuple[int, int]

    @property
    def kind(self) -> Kind:
        """The kind of the member.

        Raises:
            IntegrityError: the type flag is unknown.
        """
        if self.type in REGULAR_TYPES:
            is_old_directory = self.type == 0 and self.name.endswith(b"/")
            return Kind.DIRECTORY if is_old_directory else Kind.FILE
        try:
            return _KINDS[self.type]
        except KeyError:
            raise IntegrityError(
                f"the archive has a member of unknown type {chr(self.type)!r}"
            ) from None


def parse_header(block: bytes) -> Header:
    """Parse a header block of 512 bytes.

    Raises:
        IntegrityError: the header is invalid or its checksum is wrong.
    """
    _check(block)
    is_posix = block[257:263] == b"ustar\0"
    name, prefix = _text(block[:100]), _text(block[345:500]) if is_posix else b""
    has_device = block[156] in b"34"
    return Header(
        block=block,
        type=block[156],
        name=prefix + b"/" + name if prefix else name,
        link=_text(block[157:257]),
        mode=_number(block[100:108]),
        uid=_number(block[108:116]),
        gid=_number(block[116:124]),
        size=_size(block[124:136]),
        mtime=_number(block[136:148]),
        device=(_number(block[329:337]), _number(block[337:345])) if has_device else (0, 0),
    )


def _check(block: bytes) -> None:
    checksum = _number(block[_CHECKSUM])
    blank = block[:148] + b" " * 8 + block[156:]
    # Some old programs add signed bytes.
    if checksum != sum(blank) and checksum != sum(_SIGNED.unpack(blank)):
        raise IntegrityError("the archive is damaged: wrong header checksum")


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    """Parse octal digits, or GNU tar's binary format for large and negative numbers."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big", signed=False) & ~(0x80 << 8 * (len(field) - 1))
        # The second bit is the sign.
        return value - (1 << (8 * len(field) - 1)) if field[0] & 0x40 else value
    digits = field.replace(b"\0", b" ").strip()
    if not digits:
        return 0
    try:
        return int(digits, 8)
    except ValueError:
        raise IntegrityError("the archive is damaged: invalid number in a header") from None


def _size(field: bytes) -> int:
    size = _number(field)
    if not 0 <= size < 2**63:
        raise IntegrityError("the archive is damaged: invalid member size")
    return size


def parse_records(data: bytes) -> tuple[Records, list[Extent]]:
    """Parse the records of a pax header.

    Returns:
        The records, of which the last with a key counts, and the extents of a sparse file in GNU
        tar's format 0.0, whose records repeat.

    Raises:
        IntegrityError: a record is malformed.
    """
    records: Records = {}
    offsets: list[int] = []
    lengths: list[int] = []
    position = 0
    while position < len(data) and data[position] != 0:
        key, value, position = _record(data, position)
        if key == "GNU.sparse.offset":
            offsets.append(decimal(value))
        elif key == "GNU.sparse.numbytes":
            lengths.append(decimal(value))
        else:
            records[key] = value
    if len(offsets) != len(lengths):
        raise IntegrityError("the archive is damaged: invalid map of a sparse file")
    return records, list(zip(offsets, lengths, strict=True))


def _record(data: bytes, position: int) -> tuple[str, bytes, int]:
    r"""Parse ``LENGTH KEY=VALUE\\n``; return the key, the value and the next position."""
    space = data.find(b" ", position, position + 20)
    length = decimal(data[position:space]) if space > 0 else 0
    end = position + length
    key, equals, value = data[space + 1 : end - 1].partition(b"=")
    if not equals or end > len(data) or data[end - 1 : end] != b"\n" or b"\0" in key:
        raise IntegrityError("the archive is damaged: malformed pax record")
    return key.decode("utf-8", "surrogateescape"), value, end


def decimal(text: bytes) -> int:
    """Parse a whole number in decimal digits.

    Raises:
        IntegrityError: the number is invalid or too large.
    """
    if not _NUMBER.match(text) or int(text) >= 2**63:
        raise IntegrityError("the archive is damaged: invalid or too large number")
    return int(text)


def nanoseconds(text: bytes) -> int:
    """Parse the time in a pax record, in seconds with a fraction, as Unix nanoseconds."""
    match = _TIME.match(text)
    if not match:
        raise IntegrityError("the archive is damaged: invalid modification time")
    value = int(match[2]) * _BILLION + int((match[3] or b"")[:9].ljust(9, b"0"))
    return -value if match[1] else value


def parse_map(numbers: Sequence[bytes]) -> list[Extent]:
    """Parse the extents of a sparse file from alternating offsets and lengths."""
    if len(numbers) % 2:
        raise IntegrityError("the archive is damaged: invalid map of a sparse file")
    values = [decimal(number) for number in numbers]
    return list(zip(values[::2], values[1::2], strict=True))


def old_map(block: bytes, start: int, count: int) -> list[Extent]:
    """Parse extents in GNU tar's old format: entries of 24 bytes; unused ones are empty."""
    fields = (block[start + 24 * i : start + 24 * (i + 1)] for i in range(count))
    return [(_size(field[:12]), _size(field[12:])) for field in fields if field[0]]


def old_real_size(block: bytes) -> int:
    """Return the size of a sparse file in GNU tar's old format, including holes."""
    return _size(block[483:495])


def check_map(extents: Iterable[Extent], *, stored: int, size: int) -> tuple[Extent, ...]:
    """Check that the extents of a sparse file are sorted, do not overlap and have the right size.

    Args:
        extents: offset and length of each extent.
        stored: size in the archive (bytes).
        size: size of the file, including holes (bytes).

    Raises:
        IntegrityError: the extents are invalid.
    """
    checked = [extent for extent in extents if extent[1]]
    end = 0
    for offset, length in checked:
        if offset < end:
            raise IntegrityError("the archive is damaged: overlapping extents of a sparse file")
        end = offset + length
    if end > size or sum(length for _, length in checked) != stored or len(checked) > _MAX_EXTENTS:
        raise IntegrityError("the archive is damaged: invalid map of a sparse file")
    return tuple(checked)


def padding(size: int) -> int:
    """Return the number of bytes that pad a size to whole blocks."""
    return -size % BLOCK_SIZE
