"""Changing configs and appending layers, at a registry and in the store."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zlib
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.streams import Content, read_metadata
from ghcrctl.errors import IntegrityError, NotFoundError, UnsupportedError, UsageError
from ghcrctl.layers.directory_tar import TreeStream
from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.manifest import Index, Manifest
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.making.indexes import IndexTarget, open_source, read_entries, read_manifest
from ghcrctl.operations.making.mutate import Mutation, mutate
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.store.fsck import check
from tests.builders import artifact, index_of, random_image
from tests.sessions import name_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
ARM = Platform("linux", "arm64")
IMAGE = random_image(2, seed=1)
BOTH = index_of(IMAGE, random_image(1, seed=2, platform=ARM))


@pytest.fixture(params=["registry", "store"])
def end(
    request: pytest.FixtureRequest, ghcr: RegistryDouble, session: Session
) -> Callable[[str], IndexTarget]:
    """Return images by their tags, at a registry or in the store."""
    ghcr.push_image("octo/image", "1.0", IMAGE)
    ghcr.push_image("octo/image", "both", BOTH)
    local = request.param == "store"
    if local:
        for tag in ("1.0", "both"):
            pull(
                session,
                name_at(ghcr, session, f"octo/image:{tag}"),
                select=Selection(everything=True),
            )
    return lambda text: IndexTarget(name_at(ghcr, session, f"octo/image:{text}"), local)


def config_of(session: Session, where: IndexTarget) -> dict[str, Any]:
    manifest = read_manifest(session, where)
    assert isinstance(manifest, Manifest)
    place, _ = open_source(session, where)
    found: dict[str, Any] = json.loads(read_metadata(place, manifest.config))
    return found


def test_a_changed_config_makes_another_image_of_the_same_layers(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    before = config_of(session, end("1.0"))
    changes = ("ENV A=b", 'CMD ["/x"]', "LABEL l=m", "USER 7", "WORKDIR /w", "EXPOSE 80")
    mutation = Mutation(changes, {"k": "v"}, message="why", created=MOMENT)
    made = mutate(session, end("1.0"), end("2.0"), mutation).descriptor
    manifest = read_manifest(session, end("2.0"))
    assert isinstance(manifest, Manifest)
    assert manifest.descriptor == made
    assert [d.digest for d in manifest.layers] == [d.digest for d, _ in IMAGE.blobs[:2]]
    assert manifest.annotations == {"k": "v"}
    after = config_of(session, end("2.0"))
    assert after["config"] == {
        **before["config"],
        "Env": ["A=b"],
        "Cmd": ["/x"],
        "Labels": {"seed": "1", "l": "m"},
        "User": "7",
        "WorkingDir": "/w",
        "ExposedPorts": {"80/tcp": {}},
    }
    assert after["created"] == "2026-01-02T03:04:05Z"
    assert after["rootfs"] == before["rootfs"]
    assert after["history"][:2] == before["history"]
    assert after["history"][2] == {
        "created": "2026-01-02T03:04:05Z",
        "created_by": "ENV A=b",
        "comment": "why",
        "empty_layer": True,
    }
    # The original image is unchanged, and the same change gives the same image.
    assert config_of(session, end("1.0")) == before
    assert mutate(session, end("1.0"), end("3.0"), mutation).descriptor == made
    assert not check(session).faults


def test_all_or_selected_images_of_an_index_are_changed(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    mutate(session, end("both"), end("all"), Mutation(("USER 1",), created=MOMENT))
    entries = read_entries(session, end("all"))
    assert [str(e.platform) for e, _ in entries] == ["linux/amd64", "linux/arm64"]
    place, _ = open_source(session, end("all"))
    for _, manifest in entries:
        assert isinstance(manifest, Manifest)
        assert json.loads(read_metadata(place, manifest.config))["config"]["User"] == "1"
    mutation = Mutation(("USER 1",), platforms=(ARM,), created=MOMENT)
    mutate(session, end("both"), end("arm"), mutation)
    assert config_of(session, end("arm"))["architecture"] == "arm64"
    assert not isinstance(read_manifest(session, end("arm")), Index)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "rootfs"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "conf").write_text("x = 1\n")
    (root / "etc" / "empty").touch()
    (root / "bin").mkdir()
    (root / "bin" / "tool").write_bytes(b"\x7fELF" * 1000)
    (root / "bin" / "tool").chmod(0o755)
    os.link(root / "bin" / "tool", root / "bin" / "twin")
    (root / "bin" / "sh").symlink_to("tool")
    (root / "grüße").write_text("hallo")
    (root / ("long" * 60)).write_text("long")
    for path in sorted(root.rglob("*")):
        os.utime(path, (2_000_000_000, 2_000_000_000), follow_symlinks=False)
    return root


def test_a_directory_becomes_a_layer(
    session: Session, end: Callable[[str], IndexTarget], tree: Path
) -> None:
    mutation = Mutation(('CMD ["/bin/tool"]',), layers=(tree,), created=MOMENT)
    made = mutate(session, end("1.0"), end("new"), mutation).descriptor
    manifest = read_manifest(session, end("new"))
    assert isinstance(manifest, Manifest)
    config = config_of(session, end("new"))
    assert len(manifest.layers) == len(config["rootfs"]["diff_ids"]) == 3
    layer = manifest.layers[-1]
    assert layer.media_type == media_types.OCI_LAYER_GZIP
    place, _ = open_source(session, end("new"))
    with Content(place, layer).open() as stream:
        unpacked = zlib.decompress(stream.read(), 31)
    assert config["rootfs"]["diff_ids"][-1] == str(Digest.of(unpacked))
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        members = {member.name: member for member in archive}
        tool = archive.extractfile("bin/tool")
        assert tool
        assert tool.read() == b"\x7fELF" * 1000
    assert list(members) == sorted(members, key=str.encode)
    assert members["bin/twin"].islnk()
    assert members["bin/twin"].linkname == "bin/tool"
    assert members["bin/sh"].linkname == "tool"
    assert members["bin/tool"].mode == 0o755
    assert {m.uid for m in members.values()} == {0}
    assert {m.mtime for m in members.values()} == {int(MOMENT.timestamp())}
    assert "grüße" in members
    assert "long" * 60 in members
    steps = [entry["created_by"] for entry in config["history"]]
    assert steps[-2:] == ["ghcrctl append rootfs", 'CMD ["/bin/tool"]']
    # The same files give the same image.
    assert mutate(session, end("1.0"), end("again"), mutation).descriptor == made
    assert not check(session).faults


def test_archives_and_directories_are_layers_in_their_order(
    session: Session, end: Callable[[str], IndexTarget], tree: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "more.tar.gz"
    with tarfile.open(archive, "w:gz") as writing:
        writing.add(tree / "etc", "etc")
    mutate(session, end("1.0"), end("new"), Mutation(layers=(tree, archive)))
    manifest = read_manifest(session, end("new"))
    assert isinstance(manifest, Manifest)
    # A gzip archive is kept unchanged.
    assert manifest.layers[-1].digest == Digest.of(archive.read_bytes())
    assert len(manifest.layers) == 4


def test_docker_images_get_docker_layers(
    ghcr: RegistryDouble, session: Session, tree: Path
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(1, format="docker"))
    where = IndexTarget(name_at(ghcr, session))
    made = mutate(session, where, where, Mutation(layers=(tree,))).descriptor
    assert made.media_type == media_types.DOCKER_MANIFEST
    manifest = read_manifest(session, where)
    assert isinstance(manifest, Manifest)
    assert manifest.layers[-1].media_type == media_types.DOCKER_LAYER_GZIP
    assert not session.settings.store_dir.exists()


def test_invalid_changes_are_errors_and_set_no_name(
    ghcr: RegistryDouble, session: Session, end: Callable[[str], IndexTarget], tmp_path: Path
) -> None:
    text = tmp_path / "text"
    text.write_text("no archive")
    failures: list[tuple[Mutation, type[Exception]]] = [
        (Mutation(("FROM x",)), UsageError),
        (Mutation(layers=(tmp_path / "none",)), NotFoundError),
        (Mutation(layers=(text,)), IntegrityError),
    ]
    for mutation, error in failures:
        with pytest.raises(error):
            mutate(session, end("1.0"), end("new"), mutation)
    ghcr.push_image("octo/thing", "1", artifact())
    thing = IndexTarget(name_at(ghcr, session, "octo/thing:1"))
    with pytest.raises(UnsupportedError, match="not a container image"):
        mutate(session, thing, thing, Mutation(("USER 1",)))
    assert ghcr.count("PUT", "/manifests/new") == 0


def test_a_tree_that_shrinks_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 3_000_000)
    stream = TreeStream(tmp_path)
    stream.read(100)
    os.truncate(tmp_path / "file", 10)
    with pytest.raises(OSError, match="truncated"):
        list(iter(lambda: stream.read(1_000_000), b""))
