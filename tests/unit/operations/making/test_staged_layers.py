"""Staged layers: complete, or not there at all."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import BlobUnknownError, NoSpaceError, UnsupportedError, UsageError
from ghcrctl.layers.compression import Compression
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.making.media_formats import Format
from ghcrctl.operations.making.staged_layers import CompressionOptions, StagedLayers

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.operations.making.staged_layers import WriteBytes


def test_a_layer_can_be_read_once_it_is_complete(tmp_path: Path) -> None:
    packed = StagedLayers(tmp_path)
    made = packed.pack(lambda take: (take(b"one"), take(b"two")), CompressionOptions(), "some/type")
    assert made.diff_id == Digest.of(b"onetwo")
    stream = packed.open(made.descriptor)
    data = stream.read(1000)
    stream.close()
    assert gzip.decompress(data) == b"onetwo"
    assert made.descriptor == Descriptor.of(data, "some/type")
    rest = packed.open(made.descriptor, 5)
    assert rest.read(1000) == data[5:]
    rest.close()
    assert packed.exists(made.descriptor)
    other = Descriptor.of(b"other", "x")
    assert not packed.exists(other)
    with pytest.raises(BlobUnknownError):
        packed.open(other)
    with pytest.raises(BlobUnknownError):
        packed.resolve("name")


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail(take: WriteBytes) -> None:
        take(bytes(5_000_000))
        raise UnsupportedError("no further")

    with pytest.raises(UnsupportedError, match="no further"):
        StagedLayers(tmp_path).pack(fail, CompressionOptions(), "x")
    assert not list(tmp_path.iterdir())


def test_a_full_temporary_disk_is_an_error(tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(NoSpaceError) as caught:
            StagedLayers(tmp_path).pack(
                lambda take: take(bytes(9999)), CompressionOptions(Compression.NONE), "x"
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "TMPDIR" in str(caught.value.hint)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("compression", "level"),
    [(Compression.GZIP, 0), (Compression.GZIP, 10), (Compression.ZSTD, 20)],
)
def test_a_format_has_its_levels(compression: Compression, level: int) -> None:
    with pytest.raises(UsageError, match=f"level {level}: expected"):
        CompressionOptions(compression, level)


def test_a_format_has_its_media_types() -> None:
    zstd = CompressionOptions(Compression.ZSTD, 3)
    assert zstd.layer_type(Format.OCI) == media_types.OCI_LAYER_ZSTD
    with pytest.raises(UnsupportedError, match="compressed with zstd"):
        zstd.layer_type(Format.DOCKER)
