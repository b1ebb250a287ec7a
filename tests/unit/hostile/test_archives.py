"""Malicious archives: a clear error, nothing stored, and no files written elsewhere."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import GhcrctlError, IntegrityError, NoSpaceError
from ghcrctl.operations.archives.load import load
from tests.archives import config_of, docker_archive, layer, tar_of
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session

LAYERS = [layer(1), layer(2)]
GOOD = docker_archive(LAYERS)
CONFIG, FIRST, *_ = (path for path in GOOD if not path.endswith("VERSION"))


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    (tmp_path / "outside").write_text("precious")
    with session_on(tmp_path / "home") as made:
        yield made


def with_member(
    change: Callable[[tarfile.TarInfo], None],
    data: bytes = b"",
    *,
    first: bool = False,
    files: dict[str, bytes] = GOOD,
) -> bytes:
    """Write a valid archive with an additional member."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        odd = tarfile.TarInfo("odd")
        odd.size = len(data)
        change(odd)
        members = [(_info(name, body), body) for name, body in files.items()]
        for info, body in [(odd, data), *members] if first else [*members, (odd, data)]:
            archive.addfile(info, io.BytesIO(body))
    return buffer.getvalue()


def _info(name: str, body: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size = len(body)
    return info


def named(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = ""
) -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.name, info.type, info.linkname = name, kind, link

    return change


def assert_untouched(session: Session, folder: Path) -> None:
    """Check that nothing was stored and no other files were written."""
    assert list(session.store.blobs.all()) == []
    assert session.store.records() == []
    assert not list((session.store.root / "ghcrctl" / "partial").iterdir())
    assert (folder / "outside").read_text() == "precious"
    assert sorted(path.name for path in folder.iterdir()) == ["home", "outside"]


@pytest.mark.parametrize(
    "data",
    [
        with_member(named("/etc/passwd"), b"root"),
        with_member(named("../outside"), b"gone"),
        with_member(named("a/../../outside"), b"gone"),
        with_member(named("link", tarfile.SYMTYPE, "../../outside")),
        with_member(named("link", tarfile.SYMTYPE, "/etc/passwd")),
        with_member(named("link", tarfile.LNKTYPE, "../outside")),
        with_member(named("null", tarfile.CHRTYPE)),
        with_member(named("disk", tarfile.BLKTYPE)),
        with_member(named("pipe", tarfile.FIFOTYPE)),
        with_member(named("odd", b"Q"), b"?"),
        with_member(named(CONFIG), config_of(LAYERS, os="windows")),
        with_member(named("manifest.json"), b"[]"),
        with_member(named("manifest.json"), b"[]", first=True),
        with_member(named(FIRST), layer(3)),
    ],
    ids=[
        "absolute path",
        "path out",
        "path out by detour",
        "symlink out",
        "absolute symlink",
        "hard link out",
        "character device",
        "block device",
        "pipe",
        "unknown type",
        "second config",
        "second list",
        "second list first",
        "second layer",
    ],
)
def test_unsupported_members_are_rejected(session: Session, tmp_path: Path, data: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        load(session, io.BytesIO(data))
    assert "damaged" in caught.value.message or "unknown type" in caught.value.message
    assert_untouched(session, tmp_path)


def test_links_within_the_archive_are_followed(session: Session) -> None:
    files = {path: data for path, data in GOOD.items() if path != FIRST}
    elsewhere = "0" * 64 + "/layer.tar"
    data = with_member(
        named(FIRST, tarfile.SYMTYPE, f"../{elsewhere}"), files={**files, elsewhere: LAYERS[0]}
    )
    (loaded,) = load(session, io.BytesIO(data))
    assert loaded.name


@pytest.mark.parametrize("target", [FIRST, "nothing/layer.tar"])
def test_invalid_links_are_rejected(session: Session, tmp_path: Path, target: str) -> None:
    files = {path: data for path, data in GOOD.items() if path != FIRST}
    with pytest.raises(IntegrityError, match="link"):
        load(
            session,
            io.BytesIO(with_member(named(FIRST, tarfile.SYMTYPE, f"../{target}"), files=files)),
        )
    assert_untouched(session, tmp_path)


def test_blobs_that_link_out_of_a_layout_are_rejected(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "layout"
    (folder / "blobs" / "sha256").mkdir(parents=True)
    entry = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": f"sha256:{'0' * 64}",
        "size": 8,
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "blobs" / "sha256" / ("0" * 64)).symlink_to(tmp_path / "outside")
    with pytest.raises(IntegrityError, match="link to a file outside"):
        load(session, folder)
    assert list(session.store.blobs.all()) == []


def test_bomb_that_is_not_an_archive_is_rejected_immediately(
    session: Session, tmp_path: Path
) -> None:
    bomb = gzip.compress(bytes(64 * 1024 * 1024))
    stream = io.BytesIO(bomb * 20)
    with pytest.raises(IntegrityError, match="not an archive"):
        load(session, stream)
    assert stream.tell() <= 2 * 1024 * 1024
    assert_untouched(session, tmp_path)


def test_bomb_that_fills_the_disk_leaves_no_files(session: Session, tmp_path: Path) -> None:
    start = tar_of({"big": bytes(512)})[:1024]
    bomb = gzip.compress(start + bytes(64 * 1024 * 1024))
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 * 1024 * 1024, before[1]))
    try:
        with pytest.raises(NoSpaceError):
            load(session, io.BytesIO(bomb))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert_untouched(session, tmp_path)


@pytest.mark.parametrize(
    "listed",
    [
        b"[" * 100_000,
        b'[{"Config": "a", "Config": "b"}]',
        json.dumps([{"Config": CONFIG, "RepoTags": ["a:1"], "Layers": [FIRST] * 20_000}]).encode(),
        json.dumps([{"Config": "../outside", "Layers": []}]).encode(),
        json.dumps([{"Config": "/etc/passwd", "Layers": []}]).encode(),
        json.dumps([{"Config": CONFIG, "Layers": ["../outside", FIRST]}]).encode(),
        json.dumps([{"Config": CONFIG, "RepoTags": ["\x1b[31mred"], "Layers": []}]).encode(),
        b'"' + b"x" * 5_000_000 + b'"',
    ],
)
def test_inconsistent_lists_are_rejected(session: Session, tmp_path: Path, listed: bytes) -> None:
    with pytest.raises(GhcrctlError) as caught:
        load(session, io.BytesIO(tar_of({**GOOD, "manifest.json": listed})))
    assert caught.value.exit_status in {4, 6}
    assert "\x1b" not in caught.value.message
    assert_untouched(session, tmp_path)


def test_config_with_another_diff_id_is_rejected(session: Session, tmp_path: Path) -> None:
    config = config_of([LAYERS[1], LAYERS[0]])
    with pytest.raises(GhcrctlError):
        load(session, io.BytesIO(tar_of({**GOOD, CONFIG: config})))
    assert_untouched(session, tmp_path)


def test_archive_truncated_anywhere_is_an_error(session: Session, tmp_path: Path) -> None:
    data = tar_of(GOOD)
    end = data.rstrip(b"\0")
    for size in range(0, len(end) - 512, 511):
        with pytest.raises(GhcrctlError) as caught:
            load(session, io.BytesIO(data[:size]))
        assert caught.value.exit_status in {4, 6}
    assert_untouched(session, tmp_path)
