"""Importing a tar archive as an image."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
import tarfile
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import ConnectionLostError, IntegrityError, UnsupportedError, UsageError
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.making.import_image import import_image, open_import
from tests.sessions import session_on
from tests.zstd import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session

WHEN = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path) as made:
        yield made


def tree(content: bytes = b"hello\n") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("hello")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def make(session: Session, data: bytes, **options: object) -> dict[str, object]:
    result = import_image(
        session.store,
        io.BytesIO(data),
        reference=session.parse("octo/image:1.0"),
        platform=Platform("linux", "arm64", "v8"),
        created=WHEN,
        **options,  # type: ignore[arg-type]
    )
    blobs = session.store.blobs
    manifest = json.loads(blobs.path(result.descriptor.digest).read_bytes())
    config = json.loads(blobs.path(result.image_id).read_bytes())
    layer = blobs.path(Digest.parse(manifest["layers"][0]["digest"])).read_bytes()
    return {"manifest": manifest, "config": config, "layer": layer}


@pytest.mark.parametrize(
    "pack",
    [bytes, gzip.compress, bz2.compress, lzma.compress, zstd.compress],
    ids=["plain", "gzip", "bzip2", "xz", "zstd"],
)
def test_an_archive_with_any_compression_becomes_a_layer(
    session: Session, pack: Callable[[bytes], bytes]
) -> None:
    made = make(session, pack(tree()))
    assert gzip.decompress(made["layer"]) == tree()  # type: ignore[arg-type]
    assert made["config"]["rootfs"]["diff_ids"] == [str(Digest.of(tree()))]  # type: ignore[index]


def test_a_gzip_archive_is_kept_byte_for_byte(session: Session) -> None:
    packed = gzip.compress(tree(), compresslevel=1)
    assert make(session, packed)["layer"] == packed


def test_a_plain_archive_gives_the_same_layer_on_every_machine(session: Session) -> None:
    layer = make(session, tree(random.Random(5).randbytes(3_000_000)))["layer"]
    # This changes only with the version of the compression library.
    assert Digest.of(layer).encoded[:16] == "f8aacc671f6ef02d"  # type: ignore[arg-type]


@pytest.mark.parametrize("start", [b"", b"\x1f\x8b"], ids=["plain", "gzip"])
def test_a_stream_that_breaks_leaves_neither_files_nor_threads(
    session: Session, start: bytes
) -> None:
    packed = gzip.compress if start else bytes
    data = packed(tree(random.Random(5).randbytes(6_000_000)))

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 4_000_000:
                raise ConnectionLostError("the pipe broke")
            return super().read(size)

    with pytest.raises(ConnectionLostError, match="the pipe broke"):
        import_image(
            session.store, Broken(data), reference=None, platform=Platform("linux", "amd64")
        )
    assert session.store.records() == []
    assert [path for path in session.store.root.rglob("*") if "import" in path.name] == []
    assert [t.name for t in threading.enumerate() if t.name.startswith("ghcrctl-pack")] == []


def test_the_config_has_the_given_values(session: Session) -> None:
    config = make(session, tree(), changes=["USER me"], message="from a test")["config"]
    assert config == {
        "os": "linux",
        "architecture": "arm64",
        "variant": "v8",
        "created": "2024-01-02T03:04:05Z",
        "config": {"User": "me"},
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(tree()))]},
        "history": [{"created": "2024-01-02T03:04:05Z", "comment": "from a test"}],
    }


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"no archive at all", "not a tar archive"),
        (b"x" * 2000, "not a tar archive"),
        (gzip.compress(b"no archive"), "not a tar archive"),
        (gzip.compress(tree())[:-9], "is truncated"),
        (gzip.compress(tree())[:60] + bytes(30), "damaged"),
        (lzma.compress(tree())[:-9], "is truncated"),
    ],
    ids=["nothing", "short", "other", "packed other", "cut gzip", "damaged gzip", "cut xz"],
)
def test_an_invalid_archive_leaves_nothing_behind(
    session: Session, data: bytes, words: str
) -> None:
    with pytest.raises(IntegrityError, match=words):
        make(session, data)
    assert session.store.records() == []
    assert [path for path in session.store.root.rglob("*") if "import" in path.name] == []


def test_an_invalid_change_is_reported_before_the_archive_is_read(session: Session) -> None:
    class Unread(io.BytesIO):
        def read(self, _: int | None = -1, /) -> bytes:
            pytest.fail("the archive was read")

    with pytest.raises(UsageError):
        import_image(
            session.store,
            Unread(),
            reference=None,
            changes=["RUN ls"],
            platform=Platform("linux", "amd64"),
        )


def test_a_stream_of_small_chunks_is_read_completely(session: Session) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 100))

    result = import_image(
        session.store,
        Slow(tree()),
        reference=session.parse("octo/image:1.0"),
        platform=Platform("linux", "amd64"),
    )
    config = json.loads(session.store.blobs.path(result.image_id).read_bytes())
    assert config["rootfs"]["diff_ids"] == [str(Digest.of(tree()))]


@pytest.mark.parametrize("address", ["ftp://example.com/x.tar", "S3://bucket/x", "file:///x.tar"])
def test_an_unsupported_scheme_is_refused(session: Session, address: str) -> None:
    with pytest.raises(UnsupportedError, match="unsupported scheme"), open_import(session, address):
        pass
