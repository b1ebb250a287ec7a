"""Damage is reported with the name of the damaged file, and never blamed on the target."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import DigestMismatchError, GhcrctlError, IntegrityError, SizeMismatchError
from ghcrctl.operations.archives.load import load
from ghcrctl.operations.archives.save import save_archive, save_directory, save_docker
from ghcrctl.operations.inside.files import list_files
from ghcrctl.operations.inside.image_layers import ImageSelector
from ghcrctl.operations.moving.copy import CopyOptions, OpenTarget, copy_into
from ghcrctl.operations.moving.endpoints.parse import parse_endpoint
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.moving.push import push
from tests.archives import docker_archive, layer, tar_of
from tests.builders import random_image
from tests.registry_double import Fault
from tests.sessions import session_on
from tests.unit.operations.archives.test_load import put
from tests.unit.operations.common.test_any_config import with_config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.builders import Built
    from tests.registry_double import PlainRegistry

IMAGE = random_image(2, seed=1)
PIECES = {"layer": 0, "config": -2, "manifest": -1}
each_piece = pytest.mark.parametrize("piece", PIECES)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path / "here") as made:
        yield made


@pytest.fixture
def stocked(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path / "stocked") as made:
        put(made, IMAGE, "hello:1")
        yield made


def damaged(data: bytes, image: Built = IMAGE, piece: str = "layer") -> bytes:
    """Change a byte of an image's content in a plain archive."""
    content = image.contents[PIECES[piece]][1]
    at = data.index(content) + len(content) // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def copy(session: Session, source: str, target: str) -> None:
    end = parse_endpoint(session, target)
    with end.sink(session, dry_run=False) as sink:
        copy_into(session, parse_endpoint(session, source), OpenTarget(end, sink), CopyOptions())


def blames(error: GhcrctlError, file: object) -> bool:
    """Return whether an error names a file, and neither the store nor a registry."""
    text = f"{error} {error.hint or ''}"
    wrong = ("writing to", "local store", "registry", "proxy", "mirror")
    return str(file) in text and not any(word in text for word in wrong)


@each_piece
def test_a_damaged_archive_is_named(
    session: Session, stocked: Session, tmp_path: Path, piece: str
) -> None:
    buffer = io.BytesIO()
    save_archive(stocked, ["hello:1"], buffer.write)
    path = tmp_path / "image.tar"
    path.write_bytes(damaged(buffer.getvalue(), piece=piece))
    with pytest.raises(IntegrityError) as caught:
        load(session, path)
    assert blames(caught.value, path)
    for target in ("store:", f"oci:{tmp_path}/copy", f"archive:{tmp_path}/copy.tar"):
        with pytest.raises(IntegrityError) as caught:
            copy(session, f"archive:{path}", target)
        assert blames(caught.value, path), target


@each_piece
def test_a_damaged_file_of_a_layout_is_named(
    session: Session, stocked: Session, tmp_path: Path, piece: str
) -> None:
    save_directory(stocked, ["hello:1"], tmp_path / "layout")
    digest = IMAGE.contents[PIECES[piece]][0].digest
    path = tmp_path / "layout" / "blobs" / "sha256" / digest.encoded
    flip(path)
    with pytest.raises(IntegrityError) as caught:
        load(session, tmp_path / "layout")
    assert blames(caught.value, path)
    for target in ("store:", f"oci:{tmp_path}/copy", f"archive:{tmp_path}/copy.tar"):
        with pytest.raises(IntegrityError) as caught:
            copy(session, f"oci:{tmp_path}/layout", target)
        assert blames(caught.value, path), target


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
@pytest.mark.parametrize("bad", [b"", b"[]", b"{", b'{"manifests": 1}'])
def test_a_damaged_list_of_a_layout_is_named(
    session: Session, stocked: Session, tmp_path: Path, name: str, bad: bytes
) -> None:
    folder = tmp_path / "layout"
    save_directory(stocked, ["hello:1"], folder)
    (folder / name).write_bytes(bad)
    where = folder if (name, bad[-2:]) == ("oci-layout", b"1}") else folder / name
    with pytest.raises(IntegrityError) as caught:
        load(session, folder)
    assert blames(caught.value, where)
    with pytest.raises(IntegrityError) as caught:
        copy(session, f"oci:{folder}", "store:")
    assert blames(caught.value, where)


@pytest.mark.parametrize("cut", [0, 700, 3000])
def test_an_archive_that_ends_early_is_named(session: Session, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(tar_of(docker_archive([layer(1)]))[:cut])
    for act in (
        lambda: load(session, path),
        lambda: copy(session, f"archive:{path}", "store:"),
    ):
        with pytest.raises(IntegrityError) as caught:
            act()
        assert blames(caught.value, path)
        assert str(caught.value).count(path.name) == 1


@each_piece
def test_a_damaged_file_of_the_store_is_named(
    stocked: Session, tmp_path: Path, plain_registry: PlainRegistry, piece: str
) -> None:
    name = stocked.parse(f"{plain_registry.host}/octo/image:1.0")
    put(stocked, IMAGE, str(name))
    path = stocked.store.blobs.path(IMAGE.contents[PIECES[piece]][0].digest)
    stocked.store.close()
    flip(path)
    for act in (
        lambda: save_archive(stocked, ["hello:1"], len),
        lambda: save_docker(stocked, ["hello:1"], len),
        lambda: save_directory(stocked, ["hello:1"], tmp_path / "layout"),
        lambda: copy(stocked, "store:hello:1", f"oci:{tmp_path}/copy"),
        lambda: push(stocked, name),
        lambda: list_files(stocked, ImageSelector("hello:1")),
    ):
        with pytest.raises(IntegrityError) as caught:
            act()
        assert str(path) in str(caught.value)
        assert "writing to" not in str(caught.value)
        assert "fsck" in (caught.value.hint or "")


def test_corrupt_bytes_are_blamed_on_the_registry(
    session: Session, plain_registry: PlainRegistry
) -> None:
    image = random_image(seed=2)
    plain_registry.push_image("octo/image", "1.0", image)
    layer = image.contents[0][0]
    fault = Fault(path_contains=layer.digest.encoded, times=99, body=bytes(layer.size))
    plain_registry.faults.append(fault)
    name = session.parse(f"{plain_registry.host}/octo/image:1.0")
    with pytest.raises(DigestMismatchError) as caught:
        pull(session, name)
    assert f"reading from {name.name}" in str(caught.value)
    assert "proxy or mirror" in (caught.value.hint or "")


def test_layers_are_compared_with_their_diff_ids_for_docker(session: Session) -> None:
    config = json.loads(IMAGE.contents[-2][1])
    config["rootfs"]["diff_ids"][1] = "sha256:" + "0" * 64
    lie = with_config(json.dumps(config).encode())
    put(session, lie, "hello:1")
    with pytest.raises(DigestMismatchError, match="does not match its diff ID"):
        save_docker(session, ["hello:1"], len)


def test_a_short_file_is_named(session: Session, stocked: Session, tmp_path: Path) -> None:
    save_directory(stocked, ["hello:1"], tmp_path / "layout")
    path = tmp_path / "layout" / "blobs" / "sha256" / IMAGE.contents[0][0].digest.encoded
    path.write_bytes(b"short")
    with pytest.raises(SizeMismatchError) as caught:
        load(session, tmp_path / "layout")
    assert blames(caught.value, path)
