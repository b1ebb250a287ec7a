"""Loading archives that have both ``manifest.json`` and ``index.json``."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci import media_types
from ghcrctl.operations.archives.load import load
from tests.archives import config_of, docker_layout, layer, tar_of
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.operations.common.session import Session

LAYERS = [layer(1), layer(2)]


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path / "here") as made:
        yield made


def _layers(session: Session, root: Descriptor) -> list[Any]:
    found: list[Any] = json.loads(read_metadata(session.store.blobs, root))["layers"]
    return found


@pytest.mark.parametrize("index", [b"{}", b'{"manifests": null}', b'{"manifests": []}'])
def test_an_archive_whose_layout_is_empty_is_docker_s(session: Session, index: bytes) -> None:
    files = docker_layout(LAYERS, "octo/image", "1.0")
    del files["repositories"]
    (loaded,) = load(session, io.BytesIO(tar_of({**files, "index.json": index})))
    assert loaded.name == "docker.io/octo/image:1.0"
    assert len(_layers(session, loaded.descriptor)) == len(LAYERS)


def test_an_archive_whose_docker_list_is_empty_is_a_layout(session: Session) -> None:
    files = {**docker_layout(LAYERS, "octo/image", "1.0"), "manifest.json": b"[]"}
    (loaded,) = load(session, io.BytesIO(tar_of(files)))
    assert loaded.name == "docker.io/octo/image:1.0"
    assert loaded.descriptor.media_type == media_types.OCI_MANIFEST


def _listed_with(tags: list[str], author: str = "") -> dict[str, bytes]:
    """Build a layout with other names, and optionally another config, in docker's list."""
    files = docker_layout(LAYERS, "octo/image", "1.0")
    del files["repositories"]
    [entry] = json.loads(files["manifest.json"])
    if author:
        entry["Config"] = "blobs/sha256/other"
        files["blobs/sha256/other"] = config_of(LAYERS, author=author)
    return {**files, "manifest.json": json.dumps([{**entry, "RepoTags": tags}]).encode()}


def test_an_archive_with_contradicting_names_is_rejected(session: Session) -> None:
    files = _listed_with(["octo/image:1.0"], author="another author")
    with pytest.raises(InvalidManifestError, match="lists different images named"):
        load(session, io.BytesIO(tar_of(files)))
    assert session.store.records() == []


def test_an_image_has_the_names_of_both_lists(session: Session) -> None:
    archive = tar_of(_listed_with(["octo/image:1.0", "octo/other:2"]))
    loaded = load(session, io.BytesIO(archive))
    names = ["docker.io/octo/image:1.0", "docker.io/octo/other:2"]
    assert [image.name for image in loaded] == names
    assert len({image.descriptor.digest for image in loaded}) == 1


def test_an_image_missing_in_the_layout_is_skipped_with_a_warning(tmp_path: Path) -> None:
    warnings: list[str] = []
    archive = tar_of(_listed_with(["octo/other:2"], author="another author"))
    with session_on(tmp_path / "warned", warn=warnings.append) as session:
        (loaded,) = load(session, io.BytesIO(archive))
    assert loaded.name == "docker.io/octo/image:1.0"
    assert warnings == [
        "standard input: skipped docker.io/octo/other:2: index.json does not list that image"
    ]
