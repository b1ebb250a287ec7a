"""Copying between all kinds of places: content, names, and what is left behind."""

from __future__ import annotations

import io
import json
import os
import tarfile
import threading
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import (
    ConnectionFailedError,
    GhcrctlError,
    ManifestUnknownError,
    NoSuchImageError,
    NotFoundError,
    RefusedError,
    UsageError,
)
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.moving.copy import Copied, CopyOptions, OpenTarget, copy_into
from ghcrctl.operations.moving.endpoints.files import split_path
from ghcrctl.operations.moving.endpoints.parse import parse_endpoint
from ghcrctl.transfer.events import Event, Planned
from tests.builders import artifact, index_of, random_image
from tests.registry_double import Fault
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Observer
    from tests.builders import Built
    from tests.registry_double import PlainRegistry

IMAGES = [
    random_image(2, seed=n, platform=Platform("linux", a)) for n, a in enumerate(("amd64", "arm64"))
]
INDEX = index_of(*IMAGES)
ARTIFACT = artifact()
KINDS = ("registry", "oci", "archive", "store")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path / "home") as made:
        yield made


@pytest.fixture
def at(plain_registry: PlainRegistry, tmp_path: Path) -> dict[str, str]:
    """An endpoint of each kind; ``start`` is an image at the registry."""
    host = plain_registry.host
    plain_registry.push_image("octo/image", "1.0", INDEX)
    plain_registry.push_image("octo/image", "1.0-index", INDEX)
    plain_registry.push_image("octo/image", "1.0-artifact", ARTIFACT)
    return {
        "start": f"{host}/octo/image:1.0",
        "registry": f"{host}/octo/copy",
        "oci": f"oci:{tmp_path}/layout",
        "archive": f"archive:{tmp_path}/image.tar",
        "store": "store:",
    }


@pytest.fixture
def fresh(plain_registry: PlainRegistry, tmp_path: Path) -> dict[str, str]:
    """An empty endpoint of each kind."""
    return {
        "registry": f"{plain_registry.host}/octo/fresh",
        "oci": f"oci:{tmp_path}/fresh",
        "archive": f"archive:{tmp_path}/fresh.tar",
        "store": "fresh",
    }


def copy(
    session: Session,
    source: str,
    target: str,
    copy_options: CopyOptions = CopyOptions(),  # noqa: B008 frozen
    observer: Observer = lambda _: None,
) -> Copied:
    """Copy from one endpoint to another."""
    end = parse_endpoint(session, target)
    with end.sink(session, dry_run=copy_options.dry_run) as sink:
        return copy_into(
            session,
            parse_endpoint(session, source),
            OpenTarget(end, sink),
            copy_options,
            observer=observer,
        )


def has_all(session: Session, end: str, image: Built) -> bool:
    """Return whether an endpoint has the complete image, byte for byte."""
    with parse_endpoint(session, end).source(session) as found:
        assert found.root.digest == image.root.digest
        return all(read_metadata(found.place, d) == content for d, content in image.contents)


@pytest.mark.parametrize("ends", list(product(KINDS, KINDS)), ids="-".join)
@pytest.mark.parametrize("image", [INDEX, ARTIFACT], ids=["index", "artifact"])
def test_an_image_is_the_same_at_every_place(
    session: Session, at: dict[str, str], fresh: dict[str, str], ends: tuple[str, str], image: Built
) -> None:
    out_of, into = ends
    start = f"{at['start']}-{'index' if image is INDEX else 'artifact'}"
    source = copy(session, start, at[out_of]).target.shown
    done = copy(session, source, fresh[into])
    assert done.descriptor.digest == image.root.digest
    # A layout stores tags, and an archive only full names.
    assert ends == ("oci", "archive") or ":1.0-" in done.target.shown
    assert has_all(session, done.target.shown, image)


def test_a_layout_is_found_by_name_and_by_digest(session: Session, at: dict[str, str]) -> None:
    for name in ("one", "two"):
        copy(session, at["start"], f"{at['oci']}:{name}")
    one = Selection((Platform("linux", "arm64"),))
    done = copy(session, f"{at['oci']}:two", f"{at['oci']}:arm", CopyOptions(one))
    assert done.descriptor.digest == IMAGES[1].root.digest
    by_digest = copy(session, f"{at['oci']}@{INDEX.root.digest}", at["registry"])
    assert by_digest.target.shown.endswith(f"octo/copy@{INDEX.root.digest}")
    with pytest.raises(UsageError, match="has 2 images: choose one by name") as caught:
        copy(session, at["oci"], at["registry"])
    assert "it has one, two, arm" in (caught.value.hint or "")
    with pytest.raises(ManifestUnknownError) as missing:
        copy(session, f"{at['oci']}:three", at["registry"])
    assert missing.value.hint == "it has one, two, arm"


def test_an_image_of_a_layout_without_a_name_is_latest(
    session: Session, at: dict[str, str], tmp_path: Path
) -> None:
    start = at["start"].removesuffix(":1.0")
    copy(session, f"{start}@{INDEX.root.digest}", at["oci"])
    listed = json.loads((tmp_path / "layout" / "index.json").read_bytes())
    assert [entry.get("annotations") for entry in listed["manifests"]] == [None]
    assert copy(session, at["oci"], at["registry"]).target.shown.endswith("octo/copy:latest")


def test_names_are_kept_in_an_archive(session: Session, at: dict[str, str], tmp_path: Path) -> None:
    done = copy(session, at["start"], at["archive"])
    assert done.target.shown == f"{at['archive']}:{at['start']}"
    with tarfile.open(tmp_path / "image.tar") as archive:
        member = archive.extractfile("manifest.json")
        assert member is not None
        assert json.load(member)[0]["RepoTags"] == [at["start"]]
    assert copy(session, at["archive"], "store:").target.shown == at["start"]
    named = copy(session, at["archive"], f"archive:{tmp_path}/other.tar:hello")
    assert named.target.names == ("hello:1.0",)
    assert copy(session, f"archive:{tmp_path}/other.tar", "store:").target.shown == "hello:1.0"
    with pytest.raises(ManifestUnknownError) as caught:
        copy(session, f"archive:{tmp_path}/other.tar:bye", "store:")
    assert caught.value.hint == "it has hello:1.0"


def docker_archive(path: Path) -> None:
    """Write an archive in docker's format without manifests."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as layer:
        layer.addfile(tarfile.TarInfo("empty"))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(tar.getvalue()))]},
    }
    files = {
        "config.json": json.dumps(config).encode(),
        "layer.tar": tar.getvalue(),
        "manifest.json": json.dumps(
            [{"Config": "config.json", "RepoTags": ["octo/old:1"], "Layers": ["layer.tar"]}]
        ).encode(),
    }
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


@pytest.mark.parametrize("into", ["registry", "oci"])
def test_layers_compressed_for_a_copy_are_discarded(
    session: Session, at: dict[str, str], tmp_path: Path, into: str
) -> None:
    docker_archive(tmp_path / "old.tar")
    done = copy(session, f"archive:{tmp_path}/old.tar", at[into])
    assert done.target.shown.endswith(":1")
    assert list(session.store.blobs.all()) == []
    with parse_endpoint(session, done.target.shown).source(session) as found:
        assert found.root.digest == done.descriptor.digest
    copy(session, f"archive:{tmp_path}/old.tar", "store:")
    assert len(list(session.store.blobs.all())) == 3


def test_copies_between_other_places_store_nothing(session: Session, at: dict[str, str]) -> None:
    copy(session, at["start"], at["oci"])
    copy(session, at["oci"], at["registry"])
    assert not session.settings.store_dir.exists()


def test_several_images_are_one_archive(
    session: Session, plain_registry: PlainRegistry, at: dict[str, str], tmp_path: Path
) -> None:
    other = random_image(1, seed=9)
    plain_registry.push_image("octo/other", "2", other)
    end = parse_endpoint(session, at["archive"])
    with end.sink(session, dry_run=False) as sink:
        for source in (at["start"], f"{plain_registry.host}/octo/other:2"):
            copy_into(
                session, parse_endpoint(session, source), OpenTarget(end, sink), CopyOptions()
            )
        assert not (tmp_path / "image.tar").exists()
    name = f"{plain_registry.host}/octo/other:2"
    assert has_all(session, f"{at['archive']}:{name}", other)
    with pytest.raises(UsageError, match="has 2 images: choose one by name"):
        copy(session, at["archive"], "store:")


def test_two_images_of_one_name_are_an_error(
    session: Session, plain_registry: PlainRegistry, at: dict[str, str], tmp_path: Path
) -> None:
    other = random_image(1, seed=9)
    plain_registry.push_image("octo/other", "2", other)
    copy(session, at["start"], f"archive:{tmp_path}/a.tar:hello:1")
    copy(session, f"{plain_registry.host}/octo/other:2", f"archive:{tmp_path}/b.tar:hello:1")
    end = parse_endpoint(session, "store:")
    with end.sink(session, dry_run=False) as sink:
        into = OpenTarget(end, sink)
        for _ in range(2):
            copy_into(
                session, parse_endpoint(session, f"archive:{tmp_path}/a.tar"), into, CopyOptions()
            )
        with pytest.raises(UsageError, match="cannot copy two images to hello:1"):
            copy_into(
                session, parse_endpoint(session, f"archive:{tmp_path}/b.tar"), into, CopyOptions()
            )
    assert has_all(session, "hello:1", INDEX)


@pytest.mark.parametrize(
    ("text", "path", "name"),
    [
        ("dir", "dir", ""),
        ("dir:1.0", "dir", "1.0"),
        ("a/b:octo/image:1", "a/b", "octo/image:1"),
        ("C:\\dir:1", "C:\\dir", "1"),
        ("C:/dir", "C:/dir", ""),
        ("c:dir", "c", "dir"),
        ("with:colon", "with:colon", ""),
        ("dir:", "dir", ""),
    ],
)
def test_a_path_ends_at_the_colon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, path: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "with:colon").touch()
    assert split_path("oci", text) == (Path(path), name)


@pytest.mark.parametrize("text", ["", ":1"])
def test_a_path_is_needed(text: str) -> None:
    with pytest.raises(UsageError, match="has no path"):
        split_path("oci", text)


def test_a_device_is_written_to_and_not_replaced(
    session: Session, at: dict[str, str], tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    copy(session, at["start"], f"archive:{pipe}")
    reader.join(10)
    copy(session, at["start"], at["archive"])
    assert got == [(tmp_path / "image.tar").read_bytes()]
    assert pipe.is_fifo()


def test_a_copy_that_fails_leaves_no_archive(
    session: Session, plain_registry: PlainRegistry, at: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "image.tar").write_bytes(b"what was there before")
    layer = IMAGES[1].blobs[0][0].digest
    plain_registry.faults.append(Fault(path_contains=f"/blobs/{layer}", status=404, times=9))
    with pytest.raises(NotFoundError, match="reading from"):
        copy(session, at["start"], at["archive"])
    assert (tmp_path / "image.tar").read_bytes() == b"what was there before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["image.tar"]


def test_the_same_image_makes_the_same_archive(
    session: Session, at: dict[str, str], tmp_path: Path
) -> None:
    for name in ("a", "b"):
        copy(session, at["start"], f"archive:{tmp_path}/{name}.tar")
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


@pytest.mark.parametrize("ends", list(product(KINDS, KINDS)), ids="-".join)
def test_a_dry_run_reports_bytes_and_transfers_nothing(
    session: Session, at: dict[str, str], fresh: dict[str, str], ends: tuple[str, str]
) -> None:
    out_of, into = ends
    source = copy(session, at["start"], at[out_of]).target.shown
    session.store.prepare()
    folder = session.settings.home.parent
    before = sorted(path for path in folder.rglob("*") if path.is_file())
    events: list[Event] = []
    copy(session, source, fresh[into], CopyOptions(dry_run=True), events.append)
    assert isinstance(events[-1], Planned)
    everything = sum(descriptor.size for descriptor, _ in INDEX.contents)
    there = everything if ends == ("store", "store") else 0
    plan = events[-1].plan
    assert plan.bytes_to_move + plan.bytes_to_mount == everything - there
    assert bool(plan.bytes_to_mount) == (into == "registry" and out_of in {"registry", "store"})
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == before


@pytest.mark.parametrize(
    ("source", "target", "error", "message"),
    [
        ("oci:nowhere", "store:", NotFoundError, "not an OCI image layout"),
        ("archive:nowhere.tar", "store:", NotFoundError, "no such file"),
        ("store:nobody", "oci:x", NoSuchImageError, "No such image|no such image"),
        ("nobody", "oci:x", NoSuchImageError, "nobody"),
        ("store:", "oci:x", UsageError, "has no name"),
        ("docker-daemon:", "oci:x", UsageError, "has no name"),
        ("registry.local/ns/", "oci:x", UsageError, "is a namespace"),
    ],
)
def test_a_missing_source_is_an_error(
    session: Session, source: str, target: str, error: type[GhcrctlError], message: str
) -> None:
    with pytest.raises(error, match=message):
        copy(session, source, target)


def test_a_folder_with_other_files_is_refused(
    session: Session, at: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "home" / "letter").write_text("dear")
    with pytest.raises(RefusedError, match="neither empty nor an OCI image layout"):
        copy(session, at["start"], f"oci:{tmp_path}/home")
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="file is not a directory"):
        copy(session, at["start"], f"oci:{tmp_path}/file")
    with pytest.raises(UsageError, match="is a directory"):
        copy(session, at["start"], f"archive:{tmp_path}")


def test_a_missing_engine_is_an_error(at: dict[str, str], tmp_path: Path) -> None:
    with session_on(tmp_path, environ={"DOCKER_HOST": f"unix://{tmp_path}/sock"}) as session:
        for source, target in (("docker-daemon:hello", at["oci"]), (at["start"], "docker-daemon:")):
            with pytest.raises(ConnectionFailedError, match="sock"):
                copy(session, source, target)
