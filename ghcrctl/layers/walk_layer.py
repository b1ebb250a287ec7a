"""Walking through a layer: its members in order, with their content, in flat memory.

What belongs here: the order of blocks in an archive. What does not: single headers (`headers`),
unpacking (`unpacking`), what whiteouts mean (`whiteouts`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import IntegrityError
from ghcrctl.layers import headers
from ghcrctl.layers.compression import CHUNK_SIZE
from ghcrctl.layers.members import MAX_PATH, Kind, Member, clean_path
from ghcrctl.layers.tar import BLOCK_SIZE
from ghcrctl.layers.unpack import Unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.content.ports import Stream
    from ghcrctl.layers.headers import Extent, Header, Records
    from ghcrctl.layers.limits import Meter
    from ghcrctl.oci.digest import Digest

# Bytes of one extension header; Go's archive/tar, which most tools use, has the same bound.
_LONGEST_EXTENSION = 1024 * 1024
_XATTR = "SCHILY.xattr."
_EMPTY = bytes(BLOCK_SIZE)
# A volume's label, and what GNU tar notes of several volumes or of names: no members.
_IGNORED = frozenset(b"VMN")


class Data:
    """A file's content; only until the walk goes on to the next member.

    Args:
        source: the archive, standing at the first byte.
        size: bytes of the file, holes included.
        extents: where the stored bytes belong; ``None`` where there are no holes.
    """

    def __init__(
        self, source: Unpacked, size: int, extents: tuple[Extent, ...] | None = None
    ) -> None:
        self.size = size
        self._source = source
        self._extents = ((0, size),) if extents is None else extents
        self._left = sum(length for _, length in self._extents)
        self._padding = headers.padding(self._left)

    def pieces(self) -> Iterator[tuple[int, bytes]]:
        """Yield what is stored, each with its offset; what lies between is zeros.

        Raises:
            IntegrityError: the archive ends too early.
        """
        for start, length in self._extents:
            offset, end = start, start + length
            while offset < end:
                chunk = self._source.read_some(min(CHUNK_SIZE, end - offset))
                if not chunk:
                    raise _ends_early()
                self._left -= len(chunk)
                yield offset, chunk
                offset += len(chunk)

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes, holes included."""
        position = 0
        for offset, chunk in self.pieces():
            yield from _zeros(offset - position)
            yield chunk
            position = offset + len(chunk)
        yield from _zeros(self.size - position)

    def close(self) -> None:
        """Pass over what was not read."""
        if self._source.skip(self._left) < self._left:
            raise _ends_early()
        self._left = 0
        # The last block of an archive may lack its filling.
        self._source.skip(self._padding)


@dataclass(frozen=True, slots=True)
class Entry:
    """A member on the way. ``data``: of a file its content, of others nothing."""

    member: Member
    data: Data


def walk(stream: Stream, meter: Meter, diff_id: Digest | None = None) -> Iterator[Entry]:
    """Yield the members of a layer in order; whoever takes the last has all of it verified.

    Args:
        stream: the layer as it is stored.
        meter: counts what comes out.
        diff_id: what the digest of the unpacked layer must be.

    Raises:
        IntegrityError: the layer is damaged, or not what the diff id says.
        RefusedError: it unpacks to too much.
    """
    source = Unpacked(stream, meter, diff_id)
    reader = _Reader(source, meter)
    while entry := reader.next():
        yield entry
        entry.data.close()
    source.finish()


class _Reader:
    """Reads one member after the other."""

    def __init__(self, source: Unpacked, meter: Meter) -> None:
        self._source = source
        self._meter = meter
        self._number = 0
        self._defaults: Records = {}

    def next(self) -> Entry | None:
        """Return the next member, ``None`` at the end of the archive."""
        records: Records = {}
        pieces: list[Extent] = []
        while header := self._header():
            if header.type in b"xX":
                own, pieces = headers.parse_records(self._extension(header))
                records |= own
            elif header.type in b"g":
                self._defaults |= headers.parse_records(self._extension(header))[0]
            elif header.type in b"LK":
                key = "path" if header.type == ord("L") else "linkpath"
                records.setdefault(key, self._extension(header).partition(b"\0")[0])
            elif header.type in _IGNORED:
                Data(self._source, header.size).close()
            else:
                return self._entry(header, {**self._defaults, **records}, pieces)
        if records:
            raise _ends_early()
        return None

    def _header(self) -> Header | None:
        block = self._source.read(BLOCK_SIZE)
        # Some programs end an archive without the two empty blocks.
        if not block or block == _EMPTY:
            return None
        if len(block) < BLOCK_SIZE:
            raise _ends_early()
        return headers.parse_header(block)

    def _extension(self, header: Header) -> bytes:
        if header.size > _LONGEST_EXTENSION:
            raise IntegrityError("the archive is damaged: an extension header is too large")
        data = self._source.read(header.size)
        self._source.skip(headers.padding(header.size))
        if len(data) < header.size:
            raise _ends_early()
        return data

    def _entry(self, header: Header, records: Records, pieces: list[Extent]) -> Entry:
        kind = header.kind
        name = records.get("GNU.sparse.name") or records.get("path") or header.name
        link = records.get("linkpath") or header.link
        stored = headers.decimal(records["size"]) if records.get("size") else header.size
        data = Data(self._source, 0)
        if header.type in headers.REGULAR_TYPES and kind is Kind.FILE:
            data = self._data(header, records, pieces, stored)
        elif header.type == ord("D"):
            Data(self._source, stored).close()
        member = _member(header, records, (name, link), number=self._number, size=data.size)
        self._number += 1
        self._meter.add_member(_weight(member))
        return Entry(member, data)

    def _data(self, header: Header, records: Records, pieces: list[Extent], stored: int) -> Data:
        """Find where a file's bytes belong, in one of the four ways to store sparse files."""
        if header.type == ord("S"):
            return self._sparse(stored, headers.old_real_size(header.block), self._old_map(header))
        if records.get("GNU.sparse.major") == b"1":
            size = headers.decimal(records.get("GNU.sparse.realsize", b""))
            extents, used = self._new_map(stored)
            return self._sparse(stored - used, size, extents)
        if "GNU.sparse.size" in records:
            size = headers.decimal(records["GNU.sparse.size"])
            listed = records.get("GNU.sparse.map")
            numbers = listed.split(b",") if listed else []
            return self._sparse(stored, size, headers.parse_map(numbers) if numbers else pieces)
        return Data(self._source, stored)

    def _sparse(self, stored: int, size: int, extents: list[Extent]) -> Data:
        self._meter.add_unpacked(size - stored if size > stored else 0)
        checked = headers.check_map(extents, stored=stored, size=size)
        return Data(self._source, size, checked)

    def _old_map(self, header: Header) -> list[Extent]:
        extents = headers.old_map(header.block, 386, 4)
        more = header.block[482]
        while more:
            block = self._source.read(BLOCK_SIZE)
            if len(block) < BLOCK_SIZE or len(extents) * 24 > _LONGEST_EXTENSION:
                raise _ends_early()
            extents += headers.old_map(block, 0, 21)
            more = block[504]
        return extents

    def _new_map(self, stored: int) -> tuple[list[Extent], int]:
        """Read GNU's format 1.0: decimal numbers, one a line, in front of the content."""
        text = b""
        wanted: int | None = None
        while wanted is None or text.count(b"\n") < wanted:
            block = self._source.read(BLOCK_SIZE)
            text += block
            if len(block) < BLOCK_SIZE or len(text) > min(stored, _LONGEST_EXTENSION):
                raise IntegrityError("the archive is damaged: a sparse file has no valid map")
            if wanted is None and b"\n" in text:
                wanted = 1 + 2 * headers.decimal(text.partition(b"\n")[0])
        return headers.parse_map(text.split(b"\n")[1:wanted]), len(text)


def _member(
    header: Header, records: Records, names: tuple[bytes, bytes], *, number: int, size: int
) -> Member:
    path, link = (name.decode("utf-8", "surrogateescape") for name in names)
    kind = header.kind
    if kind is Kind.HARD_LINK:
        link = clean_path(link)
    if kind is Kind.SYMLINK and (not link or "\0" in link or len(link) > MAX_PATH):
        raise IntegrityError(f"the archive has a symbolic link to an impossible place: {path}")
    has_target = kind in {Kind.HARD_LINK, Kind.SYMLINK}
    xattrs = {k.removeprefix(_XATTR): v for k, v in records.items() if k.startswith(_XATTR)}
    time = records.get("mtime")
    own = {"xattrs": xattrs} if xattrs else {}
    return Member(
        path=clean_path(path),
        kind=kind,
        number=number,
        mode=header.mode & 0o7777,
        uid=headers.decimal(records["uid"]) if records.get("uid") else header.uid,
        gid=headers.decimal(records["gid"]) if records.get("gid") else header.gid,
        size=size,
        mtime=headers.nanoseconds(time) if time else header.mtime * 10**9,
        target=link if has_target else "",
        device=header.device,
        **own,
    )


def _weight(member: Member) -> int:
    attributes = sum(len(name) + len(value) for name, value in member.xattrs.items())
    return len(member.path) + len(member.target) + attributes


def _zeros(size: int) -> Iterator[bytes]:
    while size > 0:
        part = min(size, CHUNK_SIZE)
        yield bytes(part)
        size -= part


def _ends_early() -> IntegrityError:
    return IntegrityError("the archive is damaged: it ends too early")
