"""Archives with unusual features that docker and skopeo accept."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.archives.load import load
from ghcrctl.operations.archives.save import save_directory
from ghcrctl.operations.inside.image_layers import ImageSelector, open_layers
from tests.archives import config_of, docker_archive, tar_of
from tests.builders import random_image
from tests.sessions import session_on
from tests.unit.operations.archives.test_load import CONFIG, FIRST, GOOD, LAYERS, SKIPPABLE, put
from tests.zstd import zstd

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path / "here") as made:
        yield made


def test_the_name_of_a_config_file_does_not_matter(session: Session) -> None:
    config = config_of(LAYERS, os="windows")
    (loaded,) = load(session, io.BytesIO(tar_of({**GOOD, CONFIG: config})))
    assert loaded.image_id == Digest.of(config)


@pytest.mark.parametrize("start", ["./", "/", ".//", "./a/../"])
def test_paths_in_an_archive_may_be_written_in_any_way(
    session: Session, tmp_path: Path, start: str
) -> None:
    paths = [start + path for path in GOOD if path.endswith("layer.tar")]
    files = docker_archive(LAYERS, Config=start + CONFIG, Layers=paths)
    (loaded,) = load(session, io.BytesIO(tar_of(files)))
    assert loaded.image_id == Digest.of(config_of(LAYERS))
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (again,) = load(session, tmp_path)
    assert again.descriptor == loaded.descriptor


def test_layers_may_begin_with_a_skippable_frame(session: Session) -> None:
    files = docker_archive(LAYERS)
    packed = SKIPPABLE + zstd.compress(LAYERS[0])
    (loaded,) = load(session, io.BytesIO(tar_of({**files, FIRST: packed})))
    assert loaded.image_id == Digest.of(config_of(LAYERS))
    with open_layers(session, ImageSelector(loaded.name)) as inside:
        assert [member.path for member in inside.members(0)] == ["etc/file-1"]


def test_a_layout_may_list_other_content(session: Session, tmp_path: Path) -> None:
    image, said = random_image(seed=1), list[str]()
    put(session, image, "hello:1")
    save_directory(session, ["hello:1"], tmp_path / "layout")
    path = tmp_path / "layout" / "index.json"
    index = json.loads(path.read_bytes())
    thing = Descriptor.of(b"thing", "application/vnd.example.thing")
    index["manifests"].insert(0, thing.to_json())
    path.write_text(json.dumps(index))
    with session_on(tmp_path / "other", warn=said.append) as other:
        assert [i.descriptor for i in load(other, tmp_path / "layout")] == [image.root]
        [warning] = said
        assert str(thing.digest) in warning
        assert thing.media_type in warning
        index["manifests"] = [thing.to_json()]
        path.write_text(json.dumps(index))
        with pytest.raises(InvalidManifestError, match="has no image"):
            load(other, tmp_path / "layout")
