"""Images for single platforms joined by an index."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.archive.files import FolderFiles
from ghcrctl.archive.layout import LayoutSource
from ghcrctl.content.streams import read_metadata
from ghcrctl.engines.join_platforms import join_layouts
from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci.manifest import Index, parse
from ghcrctl.oci.platform import Platform
from tests.builders import random_image
from tests.unit.engines.programs import write_layout

if TYPE_CHECKING:
    from pathlib import Path

PLATFORMS = (Platform("linux", "amd64"), Platform("linux", "arm64", "v8"))


def test_joined_layout_has_an_index_of_the_images(tmp_path: Path) -> None:
    images = [random_image(platform=platform) for platform in PLATFORMS]
    layouts = [write_layout(tmp_path / str(n), image) for n, image in enumerate(images)]
    join_layouts(zip(PLATFORMS, layouts, strict=True), tmp_path / "joined")
    source = LayoutSource(FolderFiles(tmp_path / "joined"))
    [entry] = source.entries
    index = parse(read_metadata(source, entry), entry.media_type)
    assert isinstance(index, Index)
    assert [d.digest for d in index.manifests] == [image.root.digest for image in images]
    assert list(map(str, index.platforms)) == ["linux/amd64", "linux/arm64"]
    assert all(source.has(d) for image in images for d, _ in image.contents)


def test_same_images_produce_the_same_index(tmp_path: Path) -> None:
    digests = set()
    for name in ("a", "b"):
        layout = write_layout(tmp_path / name / "one", random_image())
        join_layouts([(PLATFORMS[0], layout)], tmp_path / name / "joined")
        index = json.loads((tmp_path / name / "joined" / "index.json").read_text())
        digests.add(index["manifests"][0]["digest"])
    assert len(digests) == 1


def test_images_that_share_content_are_joined(tmp_path: Path) -> None:
    layouts = [write_layout(tmp_path / str(n), random_image()) for n in range(2)]
    join_layouts(zip(PLATFORMS, layouts, strict=True), tmp_path / "joined")
    assert len(list((tmp_path / "joined" / "blobs" / "sha256").iterdir())) == 5


@pytest.mark.parametrize("count", [0, 2])
def test_layout_must_have_one_image(tmp_path: Path, count: int) -> None:
    layout = write_layout(tmp_path / "one", random_image())
    entry = random_image().root.to_json()
    text = json.dumps({"schemaVersion": 2, "manifests": [entry] * count})
    (layout / "index.json").write_text(text)
    with pytest.raises(InvalidManifestError, match=f"wrote {count} images"):
        join_layouts([(PLATFORMS[0], layout)], tmp_path / "joined")
