"""A name with a digest claims some content; false names are never kept."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.archive.names import CONTAINERD_NAME, ORIGIN, OUR_NAME, REF_NAME
from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.errors import (
    ConflictError,
    DigestMismatchError,
    InvalidReferenceError,
    ManifestUnknownError,
    NoSuchImageError,
    RefusedError,
)
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.archives.load import load
from ghcrctl.operations.archives.save import save_archive, save_directory
from ghcrctl.operations.common.find import find
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.images.list import list_images
from ghcrctl.operations.images.remove import remove
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.making.import_image import import_image
from ghcrctl.operations.moving.copy import CopyOptions, OpenTarget, copy_into
from ghcrctl.operations.moving.endpoints.parse import parse_endpoint
from ghcrctl.operations.store.fsck import check, repair_all
from ghcrctl.store.place import StorePlace
from ghcrctl.store.records import NAME, Record
from tests.archives import docker_archive, first_archive, layer, tar_of
from tests.builders import index_of, random_image
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.builders import Built

OTHER = Digest.of(b"other content")
IMAGE, SECOND = random_image(seed=1), random_image(seed=2)


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def session(tmp_path: Path, warnings: list[str]) -> Iterator[Session]:
    with session_on(tmp_path / "here", warn=warnings.append) as made:
        yield made


def layout(*images: tuple[Built, dict[str, str]]) -> io.BytesIO:
    """Build an archive of an OCI layout from images and their annotations in ``index.json``."""
    files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
    entries: list[dict[str, Any]] = []
    for image, notes in images:
        files |= {f"blobs/sha256/{d.digest.encoded}": data for d, data in image.contents}
        entries.append({**image.root.to_json(), "annotations": notes})
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    return io.BytesIO(tar_of(files))


def names(session: Session) -> dict[str, Digest]:
    return {record.name: record.descriptor.digest for record in session.store.records()}


def put(session: Session, image: Built, name: str, origin: Digest | None = None) -> None:
    memory = MemoryPlace()
    image.into(memory)
    place = StorePlace(session.store, origin=origin)
    for descriptor, _ in image.contents[:-1]:
        place.write(Content(memory, descriptor))
    place.tag(Content(memory, image.root), name)


def copy(session: Session, source: str, target: str) -> None:
    end = parse_endpoint(session, target)
    with end.sink(session, dry_run=False) as sink:
        copy_into(session, parse_endpoint(session, source), OpenTarget(end, sink), CopyOptions())


@pytest.mark.parametrize("key", [REF_NAME, OUR_NAME, CONTAINERD_NAME])
@pytest.mark.parametrize("tag", ["", ":1.0"])
def test_a_layout_cannot_name_content_by_another_digest(
    session: Session, warnings: list[str], key: str, tag: str
) -> None:
    false = f"ghcr.io/octo/image{tag}@{OTHER}"
    [loaded] = load(session, layout((IMAGE, {key: false})))
    assert loaded.name == ""
    assert names(session) == {"": IMAGE.root.digest}
    with pytest.raises(NoSuchImageError):
        find(session, false)
    [warning] = warnings
    assert false in warning
    assert str(IMAGE.root.digest) in warning


@pytest.mark.parametrize("key", [REF_NAME, OUR_NAME, CONTAINERD_NAME])
def test_a_true_name_by_digest_is_kept(session: Session, key: str) -> None:
    digest = IMAGE.root.digest
    load(session, layout((IMAGE, {key: f"ghcr.io/octo/image:1.0@{digest}"})))
    assert names(session) == {f"ghcr.io/octo/image@{digest}": digest}


def test_an_origin_that_is_not_proven_is_dropped(session: Session) -> None:
    notes = {OUR_NAME: "ghcr.io/octo/image:1.0", ORIGIN: str(OTHER)}
    load(session, layout((IMAGE, notes)))
    [record] = session.store.records()
    assert record.origin is None
    with pytest.raises(NoSuchImageError):
        find(session, f"ghcr.io/octo/image@{OTHER}")


@pytest.mark.parametrize("name", [f"octo/image@{OTHER}", f"octo/image:1@{OTHER}"])
def test_docker_archives_cannot_name_content_by_a_digest(session: Session, name: str) -> None:
    data = tar_of(docker_archive([layer(1)], [name, "octo/image:2"]))
    loaded = load(session, io.BytesIO(data))
    assert sorted(image.name for image in loaded) == ["", "docker.io/octo/image:2"]
    assert list(names(session)) == ["docker.io/octo/image:2"]


@pytest.mark.parametrize("name", ["sha256", "sha512", "docker.io/library/sha256"])
def test_a_name_that_reads_as_a_digest_is_dropped(session: Session, name: str) -> None:
    load(session, io.BytesIO(tar_of(docker_archive([layer(1)], [f"{name}:{'a' * 64}"]))))
    load(session, io.BytesIO(tar_of(first_archive([layer(1)], name, "a" * 64))))
    load(session, layout((IMAGE, {OUR_NAME: f"{name}:{'a' * 64}"})))
    assert list(set(names(session))) == [""]


def test_the_last_of_two_images_with_one_name_gets_it(
    session: Session, warnings: list[str]
) -> None:
    name = "ghcr.io/octo/image:1.0"
    loaded = load(session, layout((IMAGE, {OUR_NAME: name}), (SECOND, {OUR_NAME: name})))
    assert [(i.name, i.descriptor.digest) for i in loaded] == [
        ("", IMAGE.root.digest),
        (name, SECOND.root.digest),
    ]
    assert names(session) == {"": IMAGE.root.digest, name: SECOND.root.digest}
    [warning] = warnings
    assert f"{IMAGE.root.digest} loses the name" in warning


def test_a_copy_from_an_archive_takes_the_image_that_has_the_name(
    session: Session, tmp_path: Path
) -> None:
    name = "ghcr.io/octo/image:1.0"
    path = tmp_path / "twice.tar"
    path.write_bytes(layout((IMAGE, {OUR_NAME: name}), (SECOND, {OUR_NAME: name})).read())
    copy(session, f"archive:{path}:{name}", "store:")
    assert names(session) == {name: SECOND.root.digest}


def test_an_image_listed_twice_is_loaded_once(session: Session, warnings: list[str]) -> None:
    entry = (IMAGE, {OUR_NAME: "ghcr.io/octo/image:1.0"})
    assert len(load(session, layout(entry, entry))) == 1
    assert warnings == []


def test_load_reports_a_tag_without_a_name(session: Session) -> None:
    loaded = load(session, layout((IMAGE, {REF_NAME: "1.0"}), (SECOND, {REF_NAME: "2.0"})))
    assert [(image.name, image.tag) for image in loaded] == [("", "1.0"), ("", "2.0")]


@pytest.mark.parametrize("name", ["ghcr.io/octo/image", "ghcr.io/octo/image:1.0"])
def test_the_store_never_binds_a_digest_to_other_content(session: Session, name: str) -> None:
    put(session, IMAGE, "ghcr.io/octo/image:1.0")
    before = session.store.records()
    with pytest.raises(DigestMismatchError):
        session.store.put(Record(IMAGE.root, f"{name}@{OTHER}", before[0].facts))
    with pytest.raises(DigestMismatchError):
        put(session, IMAGE, f"{name}@{OTHER}")
    assert session.store.records() == before


@pytest.mark.parametrize("name", ["sha256:abc", f"sha512:{'a' * 64}", "docker.io/library/sha256:1"])
def test_names_that_read_as_digests_are_refused(session: Session, name: str) -> None:
    put(session, IMAGE, "ghcr.io/octo/image:1.0")
    reference = session.parse(name)
    with pytest.raises(InvalidReferenceError, match="ambiguous"):
        tag(session, "ghcr.io/octo/image:1.0", [reference])
    with pytest.raises(InvalidReferenceError, match="ambiguous"):
        put(session, SECOND, name)
    platform = session.settings.platform
    with pytest.raises(InvalidReferenceError, match="ambiguous"):
        import_image(session.store, io.BytesIO(layer(1)), reference=reference, platform=platform)
    with pytest.raises(InvalidReferenceError, match="ambiguous"):
        copy(session, "store:octo/image:1.0", f"store:{name}")
    assert list(names(session)) == ["ghcr.io/octo/image:1.0"]


def rewrite(session: Session, change: dict[str, str]) -> None:
    """Change annotations in the list of images, as another program could."""
    path = session.store.root / "index.json"
    document = json.loads(path.read_bytes())
    document["manifests"][0]["annotations"].update(change)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize("false", [f"ghcr.io/octo/image@{OTHER}", str(OTHER)])
def test_a_false_name_in_the_list_of_images_names_nothing_and_is_found(
    session: Session, false: str
) -> None:
    put(session, IMAGE, "ghcr.io/octo/image:1.0")
    rewrite(session, {NAME: false})
    with pytest.raises(NoSuchImageError):
        find(session, false)
    assert [row.repository for row in list_images(session)] == [""]
    [(fault, concerned)] = check(session).faults
    assert (fault.problem, concerned) == ("misnamed", (false,))
    told: list[str] = []
    left = repair_all(session, check(session), lambda done: told.append(done.name))
    assert (left.faults, told) == ((), [false])
    assert check(session).faults == ()
    assert names(session) == {"": IMAGE.root.digest}


def test_a_false_id_in_the_list_of_images_is_found(session: Session) -> None:
    put(session, IMAGE, "ghcr.io/octo/image:1.0")
    rewrite(session, {"io.ghcrctl.image.id": str(OTHER)})
    [(fault, _)] = check(session).faults
    assert fault.problem == "misnamed"
    assert repair_all(session, check(session)).faults == ()
    assert find(session, "octo/image:1.0").image_id != OTHER


def test_removing_nothing_is_an_error(session: Session) -> None:
    put(session, IMAGE, "ghcr.io/octo/image:1.0")
    with pytest.raises(ConflictError, match="has only tags"):
        remove(session, f"ghcr.io/octo/image@{IMAGE.root.digest}")
    assert list(names(session)) == ["ghcr.io/octo/image:1.0"]


def test_loading_our_own_archive_keeps_the_digest(session: Session, tmp_path: Path) -> None:
    put(session, IMAGE, "ghcr.io/octo/image:1.0", IMAGE.root.digest)
    put(session, SECOND, "hello:1")
    buffer = io.BytesIO()
    save_archive(session, ["octo/image:1.0", "hello:1"], buffer.write)
    buffer.seek(0)
    with session_on(tmp_path / "there") as other:
        load(other, buffer)
        rows = {row.repository: row.digest for row in list_images(other)}
        assert rows == {"ghcr.io/octo/image": IMAGE.root.digest, "hello": None}


ARM = random_image(seed=3, platform=Platform("linux", "arm64"))
INDEX = index_of(IMAGE, SECOND, ARM)


@pytest.mark.parametrize("how", ["archive", "directory"])
@pytest.mark.parametrize("part", [IMAGE, index_of(IMAGE, ARM)], ids=["platform", "platforms"])
def test_one_platform_keeps_the_digest_of_its_index(
    session: Session, tmp_path: Path, part: Built, how: str
) -> None:
    """The archive includes the index, which also proves the digest to the next store."""
    digest = INDEX.root.digest
    session.store.origins.keep(digest, INDEX.raw)
    put(session, part, "ghcr.io/octo/image:1.0", digest)
    for number in (1, 2):
        path = tmp_path / f"{how}-{number}"
        if how == "archive":
            with path.open("wb") as file:
                save_archive(session, ["octo/image:1.0"], file.write)
        else:
            save_directory(session, ["octo/image:1.0"], path)
        with session_on(tmp_path / f"store-{number}") as other:
            load(other, path)
            [row] = list_images(other)
            assert row.digest == digest
            assert find(other, f"octo/image@{digest}").record.descriptor.digest == part.root.digest
            assert check(other).faults == ()
            session = other


def test_a_chosen_platform_keeps_the_digest_of_the_index(session: Session, tmp_path: Path) -> None:
    put(session, INDEX, "ghcr.io/octo/image:1.0", INDEX.root.digest)
    buffer = io.BytesIO()
    save_archive(session, ["octo/image:1.0"], buffer.write)
    buffer.seek(0)
    with session_on(tmp_path / "there") as other:
        load(other, buffer, select=Selection((Platform("linux", "arm64"),)))
        [row] = list_images(other)
        assert row.digest == INDEX.root.digest
        assert other.store.origins.read(INDEX.root.digest) == INDEX.raw


@pytest.mark.parametrize("proof", [index_of(SECOND, ARM), SECOND], ids=["index", "image"])
def test_an_index_that_does_not_list_the_image_proves_nothing(
    session: Session, proof: Built
) -> None:
    notes = {OUR_NAME: "ghcr.io/octo/image:1.0", ORIGIN: str(proof.root.digest)}
    load(session, layout((IMAGE, notes), (proof, {})))
    origins = {record.name: record.origin for record in session.store.records()}
    assert origins["ghcr.io/octo/image:1.0"] is None


def test_indexes_that_prove_nothing_are_pruned(session: Session) -> None:
    session.store.origins.keep(INDEX.root.digest, INDEX.raw)
    put(session, IMAGE, "ghcr.io/octo/image:1.0", INDEX.root.digest)
    session.store.collect()
    assert session.store.origins.read(INDEX.root.digest) == INDEX.raw
    remove(session, "octo/image:1.0")
    session.store.collect()
    assert session.store.origins.read(INDEX.root.digest) is None


@pytest.mark.parametrize(
    "target", ["oci:{0}/layout@{1}", "archive:{0}/a.tar:octo/a@{1}", "store:a@{1}"]
)
def test_nothing_is_copied_under_the_digest_of_other_content(
    session: Session, tmp_path: Path, target: str
) -> None:
    put(session, IMAGE, "hello:1")
    with pytest.raises(RefusedError, match="cannot copy the image to"):
        copy(session, "store:hello:1", target.format(tmp_path, OTHER))
    copy(session, "store:hello:1", target.format(tmp_path, IMAGE.root.digest))
    assert not (tmp_path / "layout").exists() or str(OTHER) not in str(
        (tmp_path / "layout" / "index.json").read_bytes()
    )


def test_a_layout_cannot_call_content_by_another_digest(session: Session, tmp_path: Path) -> None:
    put(session, IMAGE, "hello:1")
    copy(session, "store:hello:1", f"oci:{tmp_path}/layout:x")
    path = tmp_path / "layout" / "index.json"
    path.write_text(path.read_text().replace('"x"', f'"{OTHER}"'))
    with pytest.raises(ManifestUnknownError):
        copy(session, f"oci:{tmp_path}/layout@{OTHER}", "store:new")
