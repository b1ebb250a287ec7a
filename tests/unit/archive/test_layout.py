"""OCI layouts as sources: version, list and names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.archive.files import FolderFiles, read_list, read_metadata_file
from ghcrctl.archive.layout import LAYOUT, LayoutSource, blob_path, is_layout, read_entries
from ghcrctl.errors import (
    BlobUnknownError,
    IntegrityError,
    InvalidManifestError,
    ManifestUnknownError,
)
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.documents import MAX_METADATA_SIZE
from ghcrctl.oci.manifest import MAX_DESCRIPTORS
from ghcrctl.oci.media_types import OCI_MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

REF_NAME = "org.opencontainers.image.ref.name"
DIGESTS = [Digest.of(str(number).encode()) for number in range(4)]


def _entry(number: int, name: str | None = None, full: str = "") -> dict[str, Any]:
    notes = {REF_NAME: name} if name is not None else {}
    if full:
        notes["io.ghcrctl.image.name"] = full
    digest = str(DIGESTS[number])
    return {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1, "annotations": notes}


def _layout(folder: Path, *entries: dict[str, Any], version: bytes | None = LAYOUT) -> LayoutSource:
    raw = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    (folder / "index.json").write_bytes(raw)
    if version is not None:
        (folder / "oci-layout").write_bytes(version)
    return LayoutSource(FolderFiles(folder))


def test_layout_is_detected_by_its_index(tmp_path: Path) -> None:
    assert not is_layout(FolderFiles(tmp_path))
    assert _layout(tmp_path, version=None).entries == ()
    assert is_layout(FolderFiles(tmp_path))
    assert _layout(tmp_path, _entry(0)).label == str(tmp_path)


@pytest.mark.parametrize(
    "version", [b"{}", b'{"imageLayoutVersion": "2.0.0"}', b"[]", b"", b'{"imageLayoutVersion": 1}']
)
def test_other_layout_version_is_rejected(tmp_path: Path, version: bytes) -> None:
    with pytest.raises(InvalidManifestError):
        _layout(tmp_path, _entry(0), version=version)


def test_name_resolves_to_its_last_entry(tmp_path: Path) -> None:
    full = "ghcr.io/o/i:1"
    place = _layout(tmp_path, _entry(0, "1"), _entry(1, "1"), _entry(2, full, full), _entry(3))
    assert place.resolve("1").digest == DIGESTS[1]
    assert place.resolve(full).digest == DIGESTS[2]
    assert place.resolve("latest").digest == DIGESTS[3]
    assert [place.resolve(str(digest)).digest for digest in DIGESTS] == DIGESTS
    assert list(place.tags()) == ["1", full]
    for name in ("", "2", str(Digest.of(b"none"))):
        with pytest.raises(ManifestUnknownError):
            place.resolve(name)


def test_only_a_single_unnamed_image_is_latest(tmp_path: Path) -> None:
    place = _layout(tmp_path, _entry(0), _entry(0), _entry(1, "x"))
    assert place.resolve("latest").digest == DIGESTS[0]
    with pytest.raises(ManifestUnknownError):
        place.resolve("other")
    with pytest.raises(ManifestUnknownError):
        _layout(tmp_path, _entry(0), _entry(1)).resolve("latest")
    named = _layout(tmp_path, _entry(0), _entry(1, "latest"))
    assert named.resolve("latest").digest == DIGESTS[1]


def test_open_content_by_digest(tmp_path: Path) -> None:
    place = _layout(tmp_path, _entry(0))
    path = tmp_path / blob_path(DIGESTS[0])
    found = Descriptor(OCI_MANIFEST, DIGESTS[0], 1)
    assert not place.has(found)
    with pytest.raises(BlobUnknownError, match=f"has no blob {DIGESTS[0]}"):
        place.open(found)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"0123")
    assert place.has(found)
    with place.open(found, 2) as stream:  # type: ignore[attr-defined]
        assert stream.read(9) == b"23"
    assert place.provenance(found).label == str(path)


def test_number_of_entries_is_limited() -> None:
    for count, is_valid in ((MAX_DESCRIPTORS, True), (MAX_DESCRIPTORS + 1, False)):
        raw = json.dumps({"schemaVersion": 2, "manifests": [_entry(0)] * count}).encode()
        if is_valid:
            assert len(read_entries(raw)) == count
            continue
        with pytest.raises(InvalidManifestError):
            read_entries(raw)


def test_metadata_size_is_limited(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path)
    (tmp_path / "m").write_bytes(b" " * MAX_METADATA_SIZE)
    assert len(read_metadata_file(files, "m")) == MAX_METADATA_SIZE
    (tmp_path / "m").write_bytes(b" " * (MAX_METADATA_SIZE + 1))
    with pytest.raises(InvalidManifestError, match="4194305 bytes"):
        read_metadata_file(files, "m")
    with pytest.raises(BlobUnknownError):
        read_metadata_file(files, "none")


@pytest.mark.parametrize("raw", [b"{}", b"1", b"[1]", b"[[]]", b'[], "x": []', b"[", b'"x"'])
def test_invalid_list_of_objects_is_an_error(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "l").write_bytes(raw)
    with pytest.raises(InvalidManifestError):
        read_list(FolderFiles(tmp_path), "l")


def test_links_out_of_the_directory_are_rejected(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "link").symlink_to(tmp_path / "secret")
    (inner / "own").symlink_to("file")
    (inner / "file").write_bytes(b"own")
    (inner / "folder").mkdir()
    files = FolderFiles(inner)
    for path in ("link", "../secret"):
        for act in (files.size, files.open):
            with pytest.raises(IntegrityError, match="link to a file outside"):
                act(path)
    assert (files.size("own"), files.size("folder"), files.size("none")) == (3, None, None)
    with pytest.raises(BlobUnknownError):
        files.open("folder")
