"""The headers of tar archives: ustar, with the extensions of POSIX (pax) and of GNU tar.

What belongs here: reading single blocks and records. What does not: their order in an archive
(`walking`), and what paths mean (`members`).

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
    # GNU's directory with a list of its files.
    ord("D"): Kind.DIRECTORY,
}
_CHECKSUM = slice(148, 156)
_SIGNED = struct.Struct("512b")
# More numbers than any real field has; Python takes very long for very long ones.
_NUMBER = re.compile(rb"[0-9]{1,20}\Z")
_TIME = re.compile(rb"(-?)([0-9]{1,18})(?:\.([0-9]*))?\Z")
_BILLION = 10**9
# Pieces of one sparse file; each is kept in memory.
_MOST_PIECES = 100_000

Extent = tuple[int, int]
Records = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of one header block, as they stand.

    Args:
        type: the type flag, a byte.
        size: bytes that follow in the archive.
        mtime: seconds.
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
        """What it describes, where that is a member.

        Raises:
            IntegrityError: the type is unknown.
        """
        if self.type in REGULAR_TYPES:
            is_old_directory = self.type == 0 and self.name.endswith(b"/")
            return Kind.DIRECTORY if is_old_directory else Kind.FILE
        try:
            return _KINDS[self.type]
        except KeyError:
            raise IntegrityError(
                f"the archive has a member of the unknown type {chr(self.type)!r}"
            ) from None


def parse_header(block: bytes) -> Header:
    """Read a header block of 512 bytes.

    Raises:
        IntegrityError: it is none, or its checksum is wrong.
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
    said = _number(block[_CHECKSUM])
    blank = block[:148] + b" " * 8 + block[156:]
    # Some old programs summed signed bytes.
    if said != sum(blank) and said != sum(_SIGNED.unpack(blank)):
        raise IntegrityError("the archive is damaged: the checksum of a header is wrong")


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    """Read octal digits, or GNU's binary form for what is too large or negative."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big", signed=False) & ~(0x80 << 8 * (len(field) - 1))
        # The sign is the bit below the mark.
        return value - (1 << (8 * len(field) - 1)) if field[0] & 0x40 else value
    digits = field.replace(b"\0", b" ").strip()
    if not digits:
        return 0
    try:
        return int(digits, 8)
    except ValueError:
        raise IntegrityError("the archive is damaged: a header has an impossible number") from None


def _size(field: bytes) -> int:
    size = _number(field)
    if not 0 <= size < 2**63:
        raise IntegrityError("the archive is damaged: a member has an impossible size")
    return size


def parse_records(data: bytes) -> tuple[Records, list[Extent]]:
    """Read the records of a pax header.

    Returns:
        The records, later ones winning, and the pieces of a sparse file in GNU's format 0.0, whose
        records repeat.

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
        raise IntegrityError("the archive is damaged: a sparse file has no valid map")
    return records, list(zip(offsets, lengths, strict=True))


def _record(data: bytes, position: int) -> tuple[str, bytes, int]:
    r"""Read ``LENGTH KEY=VALUE\\n``; return the key, the value and where the next record is."""
    space = data.find(b" ", position, position + 20)
    length = decimal(data[position:space]) if space > 0 else 0
    end = position + length
    key, equals, value = data[space + 1 : end - 1].partition(b"=")
    if not equals or end > len(data) or data[end - 1 : end] != b"\n" or b"\0" in key:
        raise IntegrityError("the archive is damaged: a pax record is malformed")
    return key.decode("utf-8", "surrogateescape"), value, end


def decimal(text: bytes) -> int:
    """Read a whole number in decimal digits.

    Raises:
        IntegrityError: it is none, or larger than any real one.
    """
    if not _NUMBER.match(text) or int(text) >= 2**63:
        raise IntegrityError("the archive is damaged: a number is none, or too large")
    return int(text)


def nanoseconds(text: bytes) -> int:
    """Read a time of a pax record, seconds with a fraction, as nanoseconds since 1970."""
    match = _TIME.match(text)
    if not match:
        raise IntegrityError("the archive is damaged: a member's time is no number")
    value = int(match[2]) * _BILLION + int((match[3] or b"")[:9].ljust(9, b"0"))
    return -value if match[1] else value


def parse_map(numbers: Sequence[bytes]) -> list[Extent]:
    """Read the pieces of a sparse file from decimal numbers: offset and length in turn."""
    if len(numbers) % 2:
        raise IntegrityError("the archive is damaged: a sparse file has no valid map")
    values = [decimal(number) for number in numbers]
    return list(zip(values[::2], values[1::2], strict=True))


def old_map(block: bytes, start: int, count: int) -> list[Extent]:
    """Read pieces in GNU's old form: entries of 24 bytes, of which the unused are empty."""
    fields = (block[start + 24 * i : start + 24 * (i + 1)] for i in range(count))
    return [(_size(field[:12]), _size(field[12:])) for field in fields if field[0]]


def old_real_size(block: bytes) -> int:
    """Return the size of a sparse file in GNU's old form, holes included."""
    return _size(block[483:495])


def check_map(extents: Iterable[Extent], *, stored: int, size: int) -> tuple[Extent, ...]:
    """Check the pieces of a sparse file: in order, apart, and as long as what is stored.

    Args:
        extents: offset and length of each.
        stored: bytes in the archive.
        size: bytes of the file, holes included.

    Raises:
        IntegrityError: they cannot be right.
    """
    checked = [extent for extent in extents if extent[1]]
    end = 0
    for offset, length in checked:
        if offset < end:
            raise IntegrityError("the archive is damaged: pieces of a sparse file overlap")
        end = offset + length
    if end > size or sum(length for _, length in checked) != stored or len(checked) > _MOST_PIECES:
        raise IntegrityError("the archive is damaged: a sparse file has no valid map")
    return tuple(checked)


def padding(size: int) -> int:
    """Return how many bytes fill a size up to whole blocks."""
    return -size % BLOCK_SIZE
