"""The content and names of saved archives."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import DigestMismatchError, NoSuchImageError, RefusedError, UsageError
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.archives.save import (
    save_archive,
    save_directory,
    save_docker,
    select_images,
)
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import artifact, index_of, random_image
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.builders import Built

ARM = Platform("linux", "arm64")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path) as made:
        yield made


def put(session: Session, image: Built, *names: str) -> None:
    """Store an image."""
    memory = MemoryPlace()
    image.into(memory)
    execute(
        make_plan(memory, StorePlace(session.store), image.root, names=names, skip_foreign=True)
    )


def saved(session: Session, *names: str, **options: object) -> bytes:
    """Save images; return the archive."""
    buffer = io.BytesIO()
    save_archive(session, names, buffer.write, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def member(data: bytes, name: str) -> object:
    """Read a JSON file of an archive."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return json.loads(archive.extractfile(name).read())  # type: ignore[union-attr]


def names_in(data: bytes) -> list[str]:
    """List the files of an archive."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return archive.getnames()


def test_the_same_images_make_the_same_bytes(session: Session) -> None:
    put(session, random_image(layers=5, seed=1), "hello:1", "octo/image:1")
    assert saved(session, "hello:1") == saved(session, "hello:1")


def test_one_image_with_two_names_is_listed_once_by_docker(session: Session) -> None:
    image = random_image(seed=1)
    put(session, image, "hello:1", "ghcr.io/octo/image:2")
    data = saved(session, "hello:1", "octo/image:2", "hello:1")
    config, *_ = (d for d, _ in image.blobs if "config" in d.media_type)
    assert member(data, "manifest.json") == [
        {
            "Config": f"blobs/sha256/{config.digest.encoded}",
            "RepoTags": ["hello:1", "ghcr.io/octo/image:2"],
            "Layers": [
                f"blobs/sha256/{d.digest.encoded}" for d, _ in image.blobs if d is not config
            ],
        }
    ]
    assert len(names_in(data)) == len(set(names_in(data)))


def test_a_name_without_a_tag_means_all_of_its_tags(session: Session) -> None:
    for tag in ("1", "2"):
        put(session, random_image(seed=int(tag)), f"ghcr.io/octo/image:{tag}")
    put(session, random_image(seed=3), "ghcr.io/octo/other:1")
    found = [image.name for image in select_images(session, ["octo/image"])]
    assert found == ["ghcr.io/octo/image:1", "ghcr.io/octo/image:2"]


def test_an_id_gives_no_name(session: Session) -> None:
    image = random_image(seed=1)
    put(session, image, "hello:1")
    image_id = str(session.store.records()[0].facts.image_id)
    (entry,) = member(saved(session, image_id), "index.json")["manifests"]  # type: ignore[index]
    assert entry["digest"] == str(image.root.digest)
    assert "annotations" not in entry


def test_dockers_list_has_this_machines_platform_of_an_index(session: Session) -> None:
    images = [random_image(seed=1, platform=ARM), random_image(seed=2)]
    put(session, index_of(*images), "hello:1")
    entry = member(saved(session, "hello:1"), "manifest.json")[0]  # type: ignore[index]
    config = next(d for d, _ in images[1].blobs if "config" in d.media_type)
    assert entry["Config"].endswith(config.digest.encoded)


def test_a_platform_alone_is_saved_as_its_image(session: Session) -> None:
    images = [random_image(seed=1, platform=ARM), random_image(seed=2)]
    put(session, index_of(*images), "hello:1")
    data = saved(session, "hello:1", select=Selection((ARM,)))
    (entry,) = member(data, "index.json")["manifests"]  # type: ignore[index]
    assert entry["digest"] == str(images[0].root.digest)


def test_an_artifact_is_saved_without_dockers_list(session: Session) -> None:
    put(session, artifact(), "ghcr.io/octo/thing:1")
    assert "manifest.json" not in names_in(saved(session, "octo/thing:1"))


def test_damage_is_noticed(session: Session) -> None:
    image = random_image(seed=1)
    put(session, image, "hello:1")
    path = session.store.blobs.path(image.blobs[0][0].digest)
    path.write_bytes(bytes(len(path.read_bytes())))
    with pytest.raises(DigestMismatchError):
        saved(session, "hello:1")


def test_a_missing_image_cannot_be_saved(session: Session) -> None:
    with pytest.raises(NoSuchImageError):
        saved(session, "hello:1")


def test_a_directory_with_other_files_is_refused(session: Session, tmp_path: Path) -> None:
    put(session, random_image(seed=1), "hello:1")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("precious")
    with pytest.raises(RefusedError, match="neither empty nor"):
        save_directory(session, ["hello:1"], folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_docker_archives_hold_images_only(session: Session) -> None:
    put(session, artifact(), "thing:1")
    put(session, random_image(foreign=True, seed=1), "foreign:1")
    for name in ("thing:1", "foreign:1"):
        with pytest.raises(RefusedError):
            save_docker(session, [name], io.BytesIO().write)
    with pytest.raises(UsageError, match="one platform"):
        save_docker(
            session, [name], io.BytesIO().write, select=Selection((ARM, Platform("linux", "amd64")))
        )
