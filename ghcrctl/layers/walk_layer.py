"""Iteration over the members of a layer and their content with bounded memory use."""

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

# Go's archive/tar, which most tools use, has the same limit, in bytes.
_MAX_EXTENSION = 1024 * 1024
_XATTR = "SCHILY.xattr."
_EMPTY = bytes(BLOCK_SIZE)
# Volume labels, parts of multi-volume archives and lists of names of GNU tar are not members.
_IGNORED = frozenset(b"VMN")


class Data:
    """The content of a file, valid until the next member is read.

    Args:
        source: the archive, positioned at the first byte.
        size: size of the file, including holes (bytes).
        extents: offsets and lengths of the stored bytes; ``None`` for a file without holes.
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
        """Yield the stored bytes with their offsets; the gaps between them are zeros.

        Raises:
            IntegrityError: the archive is truncated.
        """
        for start, length in self._extents:
            offset, end = start, start + length
            while offset < end:
                chunk = self._source.read_some(min(CHUNK_SIZE, end - offset))
                if not chunk:
                    raise _truncated()
                self._left -= len(chunk)
                yield offset, chunk
                offset += len(chunk)

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes, including holes."""
        position = 0
        for offset, chunk in self.pieces():
            yield from _zeros(offset - position)
            yield chunk
            position = offset + len(chunk)
        yield from _zeros(self.size - position)

    def close(self) -> None:
        """Skip the bytes that were not read."""
        if self._source.skip(self._left) < self._left:
            raise _truncated()
        self._left = 0
        # The last block of an archive may have no padding.
        self._source.skip(self._padding)


@dataclass(frozen=True, slots=True)
class Entry:
    """A member with its content, which is empty unless the member is a file."""

    member: Member
    data: Data


def walk(stream: Stream, meter: Meter, diff_id: Digest | None = None) -> Iterator[Entry]:
    """Yield the members of a layer in order, and verify the layer at the end.

    Args:
        stream: the layer as stored.
        meter: counts decompressed bytes and members.
        diff_id: expected digest of the decompressed layer.

    Raises:
        IntegrityError: the layer is damaged or does not match the diff ID.
        RefusedError: a limit is exceeded.
    """
    source = Unpacked(stream, meter, diff_id)
    reader = _Reader(source, meter)
    while entry := reader.next():
        yield entry
        entry.data.close()
    source.finish()


class _Reader:
    """A reader of the members of an archive."""

    def __init__(self, source: Unpacked, meter: Meter) -> None:
        self._source = source
        self._meter = meter
        self._number = 0
        self._defaults: Records = {}

    def next(self) -> Entry | None:
        """Return the next member, or ``None`` at the end of the archive."""
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
            raise _truncated()
        return None

    def _header(self) -> Header | None:
        block = self._source.read(BLOCK_SIZE)
        # Some programs omit the two empty blocks at the end.
        if not block or block == _EMPTY:
            return None
        if len(block) < BLOCK_SIZE:
            raise _truncated()
        return headers.parse_header(block)

    def _extension(self, header: Header) -> bytes:
        if header.size > _MAX_EXTENSION:
            raise IntegrityError("the archive is damaged: too large extension header")
        data = self._source.read(header.size)
        self._source.skip(headers.padding(header.size))
        if len(data) < header.size:
            raise _truncated()
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
        self._meter.add_member(_metadata_size(member))
        return Entry(member, data)

    def _data(self, header: Header, records: Records, pieces: list[Extent], stored: int) -> Data:
        """Return the content of a file, which may be sparse in one of four formats."""
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
            if len(block) < BLOCK_SIZE or len(extents) * 24 > _MAX_EXTENSION:
                raise _truncated()
            extents += headers.old_map(block, 0, 21)
            more = block[504]
        return extents

    def _new_map(self, stored: int) -> tuple[list[Extent], int]:
        """Parse the map of GNU tar's format 1.0: decimal numbers in lines before the content."""
        text = b""
        wanted: int | None = None
        while wanted is None or text.count(b"\n") < wanted:
            block = self._source.read(BLOCK_SIZE)
            text += block
            if len(block) < BLOCK_SIZE or len(text) > min(stored, _MAX_EXTENSION):
                raise IntegrityError("the archive is damaged: invalid map of a sparse file")
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
        raise IntegrityError(f"the archive has a symbolic link with an invalid target: {path}")
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


def _metadata_size(member: Member) -> int:
    attributes = sum(len(name) + len(value) for name, value in member.xattrs.items())
    return len(member.path) + len(member.target) + attributes


def _zeros(size: int) -> Iterator[bytes]:
    while size > 0:
        part = min(size, CHUNK_SIZE)
        yield bytes(part)
        size -= part


def _truncated() -> IntegrityError:
    return IntegrityError("the archive is damaged: unexpected end of file")
