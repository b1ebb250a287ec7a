"""The members of layers, and damaged layers."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import DigestMismatchError, GhcrctlError, IntegrityError, RefusedError
from ghcrctl.layers.limits import Limits, Meter
from ghcrctl.layers.members import Kind, Member, clean_path
from ghcrctl.layers.walk_layer import walk
from ghcrctl.oci.digest import Digest
from tests.filesystems import directory, file, hard_link, special, symlink, tar
from tests.zstd import zstd

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK = 512
FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
each_format = pytest.mark.parametrize("format_", FORMATS, ids=["ustar", "gnu", "pax"])
SMALL = tar(directory("etc/"), file("etc/a", b"hello"), symlink("b", "etc/a"))


def walked(data: bytes, *, limits: Limits | None = None) -> list[tuple[Member, bytes]]:
    """Read all members of an archive and verify its diff ID."""
    entries = walk(io.BytesIO(data), Meter(limits))
    return [(entry.member, b"".join(entry.data.chunks())) for entry in entries]


def members(data: bytes, *, diff_id: Digest | None = None) -> list[Member]:
    return [entry.member for entry in walk(io.BytesIO(data), Meter(), diff_id)]


@pytest.mark.parametrize(
    "pack",
    [
        bytes,
        gzip.compress,
        bz2.compress,
        lzma.compress,
        zstd.compress,
        lambda data: b"\x51\x2a\x4d\x18\x03\0\0\0abc" + zstd.compress(data),
    ],
    ids=["plain", "gzip", "bzip2", "xz", "zstd", "skippable"],
)
def test_compression_of_a_layer_is_detected(pack: Callable[[bytes], bytes]) -> None:
    found = walked(pack(SMALL))
    assert [(member.path, member.kind) for member, _ in found] == [
        ("etc", Kind.DIRECTORY),
        ("etc/a", Kind.FILE),
        ("b", Kind.SYMLINK),
    ]
    assert [data for _, data in found] == [b"", b"hello", b""]


def test_concatenated_streams_are_one_layer() -> None:
    packed = b"".join(gzip.compress(SMALL[at : at + 100]) for at in range(0, len(SMALL), 100))
    assert members(packed + bytes(700)) == members(SMALL)


@each_format
def test_metadata_of_members_is_read(format_: int) -> None:
    data = tar(
        file("bin/su", b"x", mode=0o4755, uid=12, gid=34, mtime=1700000000),
        special("dev/null", tarfile.CHRTYPE, mode=0o666),
        special("dev/sda", tarfile.BLKTYPE, devmajor=8, devminor=17),
        special("pipe", tarfile.FIFOTYPE),
        hard_link("bin/sudo", "./bin/su"),
        format_=format_,
    )
    su, null, sda, pipe, sudo = members(data)
    assert (su.permissions, su.uid, su.gid, su.mtime) == ("-rwsr-xr-x", 12, 34, 17 * 10**17)
    assert (null.permissions, null.device) == ("crw-rw-rw-", (1, 3))
    assert (sda.kind, sda.device) == (Kind.BLOCK_DEVICE, (8, 17))
    assert pipe.kind is Kind.FIFO
    assert (sudo.kind, sudo.target, sudo.number) == (Kind.HARD_LINK, "bin/su", 4)


@pytest.mark.parametrize("format_", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize(
    "name", ["x" * 300, "d/" * 120 + "f", "ä" * 90, "gr\udcfcn"], ids=["long", "deep", "ä", "raw"]
)
def test_names_and_targets_of_any_length_and_encoding(format_: int, name: str) -> None:
    [one, two] = members(tar(file(name), symlink("link", name), format_=format_))
    assert (one.path, two.target) == (name, name)


@pytest.mark.parametrize("format_", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_large_binary_numbers_are_read(format_: int) -> None:
    [member] = members(tar(file("f", uid=2**31, gid=2**30, mtime=-5), format_=format_))
    assert (member.uid, member.gid, member.mtime) == (2**31, 2**30, -5 * 10**9)


def test_fractions_of_seconds_and_extended_attributes_are_read() -> None:
    extra = {"SCHILY.xattr.user.note": "hé", "mtime": "1.25"}
    [member] = members(tar(file("f", pax_headers=extra)))
    assert member.xattrs == {"user.note": "hé".encode()}
    assert member.mtime == 1_250_000_000


def test_global_header_applies_to_all_following_members() -> None:
    made = io.BytesIO()
    with tarfile.open(
        fileobj=made, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"uid": "77"}
    ) as archive:
        archive.addfile(tarfile.TarInfo("a"))
        archive.addfile(tarfile.TarInfo("b"))
    assert [member.uid for member in members(made.getvalue())] == [77, 77]


@pytest.mark.parametrize(
    ("extra", "stored"),
    [
        ({"GNU.sparse.size": "5000", "GNU.sparse.map": "1000,3,4000,2"}, b"abcde"),
        (
            {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "5000"},
            b"2\n1000\n3\n4000\n2\n".ljust(BLOCK, b"\0") + b"abcde",
        ),
    ],
    ids=["0.1", "1.0"],
)
def test_sparse_files_are_read(extra: dict[str, str], stored: bytes) -> None:
    named = {**extra, "GNU.sparse.name": "disk"}
    data = tar(file("GNUSparseFile.0/disk", stored, pax_headers=named), file("next", b"n"))
    [(disk, content), (_, after)] = walked(data)
    assert (disk.path, disk.size, after) == ("disk", 5000, b"n")
    assert content == bytes(1000) + b"abc" + bytes(2997) + b"de" + bytes(998)
    pieces = [list(entry.data.pieces()) for entry in walk(io.BytesIO(data), Meter())]
    assert pieces[0] == [(1000, b"abc"), (4000, b"de")]


def test_old_sparse_file_with_many_extents() -> None:
    header = bytearray(tar(file("disk", b"x" * 30))[:BLOCK])
    header[156:157] = b"S"
    header[257:265] = b"ustar  \0"
    entries = [b"%011o\0%011o\0" % (100 * number, 1) for number in range(30)]
    header[386:482] = b"".join(entries[:4])
    header[482], header[483:495] = 1, b"%011o\0" % 4000
    more = b"".join(entries[4:25]) + b"\1" + bytes(7) + b"".join(entries[25:])
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    data = bytes(header) + more.ljust(2 * BLOCK, b"\0") + (b"x" * 30).ljust(BLOCK, b"\0")
    [(member, content)] = walked(data + bytes(2 * BLOCK))
    assert member.size == 4000
    assert [at for at, byte in enumerate(content) if byte] == [100 * n for n in range(30)]


@pytest.mark.parametrize(
    "numbers", ["1000,3,1001,2", "4999,5", "0,4", "1,2,3", "5,-5", "a,b", f"{'9' * 30},5"]
)
def test_sparse_file_with_an_invalid_map_is_rejected(numbers: str) -> None:
    extra = {"GNU.sparse.size": "5000", "GNU.sparse.map": numbers}
    with pytest.raises(IntegrityError):
        walked(tar(file("disk", b"abcde", pax_headers=extra)))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("./", ""),
        ("/etc/passwd", "etc/passwd"),
        ("a//b/./c/", "a/b/c"),
        ("a/../b", "b"),
        (".hidden/..x", ".hidden/..x"),
    ],
)
def test_paths_are_normalized(name: str, path: str) -> None:
    assert clean_path(name) == path


@pytest.mark.parametrize("name", ["..", "../x", "a/../../x", "/..", "x\0y", "x" * 5000])
def test_invalid_path_is_rejected(name: str) -> None:
    with pytest.raises(IntegrityError):
        clean_path(name)


def test_hard_link_out_of_the_root_is_rejected() -> None:
    with pytest.raises(IntegrityError, match="outside the root"):
        members(tar(hard_link("a", "../../etc/shadow")))


@pytest.mark.parametrize("end", range(1, len(gzip.compress(SMALL, mtime=0)), 9))
def test_truncated_compressed_layer_is_an_error(end: int) -> None:
    with pytest.raises(IntegrityError):
        members(gzip.compress(SMALL, mtime=0)[:end], diff_id=Digest.of(SMALL))


@pytest.mark.parametrize("end", range(0, len(SMALL), 97))
def test_truncated_uncompressed_layer_is_an_error(end: int) -> None:
    with pytest.raises(IntegrityError):
        members(SMALL[:end], diff_id=Digest.of(SMALL))


@pytest.mark.parametrize("at", [0, 110, 140, 150, 156, 260])
def test_flipped_header_bit_is_detected(at: int) -> None:
    data = bytearray(SMALL)
    data[at] ^= 1
    with pytest.raises(IntegrityError):
        members(bytes(data))


def test_diff_id_covers_every_byte_of_the_layer() -> None:
    padded = SMALL + bytes(10_000) + b"end"
    assert members(padded, diff_id=Digest.of(padded))
    with pytest.raises(DigestMismatchError, match="diff ID in the image config"):
        members(padded, diff_id=Digest.of(SMALL))


def test_text_is_not_a_layer() -> None:
    with pytest.raises(IntegrityError):
        members(b"hello\n" * 200)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(unpacked=100_000), "100000 bytes"),
        (Limits(members=2), "2 files"),
        (Limits(metadata=9), "9 bytes of names"),
    ],
)
def test_layer_over_the_limits_is_rejected(limits: Limits, words: str) -> None:
    bomb = gzip.compress(tar(file("a"), file("b"), file("long name"), file("c", bytes(10**6))))
    with pytest.raises(RefusedError, match=words):
        walked(bomb, limits=limits)


def test_holes_of_sparse_files_count_towards_the_limit() -> None:
    extra = {"GNU.sparse.size": str(10**12), "GNU.sparse.map": "0,5"}
    data = tar(file("disk", b"abcde", pax_headers=extra))
    with pytest.raises(RefusedError):
        list(walk(io.BytesIO(data), Meter()))


def test_too_large_extension_header_is_rejected() -> None:
    header = bytearray(tar(file("x"))[:BLOCK])
    header[156:157] = b"x"
    header[124:136] = b"%011o\0" % 10**9
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    with pytest.raises(IntegrityError, match="too large"):
        members(bytes(header) + bytes(2**20))


def test_any_bytes_raise_only_expected_errors() -> None:
    for at in range(0, BLOCK, 3):
        data = bytearray(SMALL)
        data[at] = 0xFF
        try:
            members(bytes(data))
        except GhcrctlError as error:
            assert error.code != "bug"  # noqa: PT017 any of ours will do
