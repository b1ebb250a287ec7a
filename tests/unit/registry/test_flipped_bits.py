"""Corrupted bytes are fetched again; if they stay wrong, the error names their source."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.content.retry import RetryPolicy, retry
from ghcrctl.content.streams import Content
from ghcrctl.errors import DigestMismatchError, ExitStatus, IntegrityError, RefusedError
from ghcrctl.layers.members import Kind
from ghcrctl.operations.inside.files import list_files, read_file
from ghcrctl.operations.inside.image_layers import ImageSelector
from ghcrctl.operations.moving.copy import copy
from ghcrctl.operations.moving.pull import pull
from ghcrctl.registry import parallel_ranges
from ghcrctl.registry.blocked_registry import BlockedPlace
from ghcrctl.registry.mirrored_source import MirroredSource
from tests.builders import random_image
from tests.registry_double import Fault, PlainRegistry, RegistryDouble
from tests.sessions import is_stored, name_at, session_on
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.operations.common.session import Session

IMAGE = random_image(2, 100_000, seed=1)
LAYER, LAYER_BYTES = IMAGE.blobs[0]


@pytest.fixture
def session(tmp_path: Path, plain_registry: PlainRegistry) -> Any:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    with session_on(
        tmp_path / "home", registry=plain_registry.host, environ={"GHCRCTL_RETRIES": "0"}
    ) as made:
        yield made


def flipped(path: str, raw: bytes, *, times: int = 1) -> Fault:
    body = bytes([raw[0] ^ 1]) + raw[1:]
    return Fault("GET", path, times, body=body, no_range=True)


PIECES = [
    pytest.param(f"/blobs/{LAYER.digest}", LAYER_BYTES, id="layer"),
    pytest.param(f"/blobs/{IMAGE.blobs[-1][0].digest}", IMAGE.blobs[-1][1], id="config"),
    pytest.param("/manifests/1.0", IMAGE.raw, id="manifest"),
]


@pytest.mark.parametrize(("path", "raw"), PIECES)
def test_a_pull_recovers_from_a_flipped_bit(
    session: Session, plain_registry: PlainRegistry, path: str, raw: bytes
) -> None:
    plain_registry.faults.append(flipped(path, raw))
    pull(session, name_at(plain_registry, session))
    assert is_stored(session, IMAGE)


def test_a_pull_recovers_from_a_flipped_bit_in_a_segment(
    session: Session, plain_registry: PlainRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parallel_ranges, "SEGMENT", 10_000)
    monkeypatch.setattr(parallel_ranges, "PARALLEL_FROM", 20_000)
    monkeypatch.setattr(parallel_ranges, "_FAST", float("inf"))
    wrong = Fault("GET", f"/blobs/{LAYER.digest}", body=b"x" * 10_000, after=2)
    plain_registry.faults.append(wrong)
    pull(session, name_at(plain_registry, session))
    assert wrong.befell == 1
    assert is_stored(session, IMAGE)


@pytest.mark.parametrize(("path", "raw"), PIECES)
def test_persistent_corruption_is_fetched_twice_and_names_the_registry(
    session: Session, plain_registry: PlainRegistry, path: str, raw: bytes
) -> None:
    fault = flipped(path, raw, times=99)
    plain_registry.faults.append(fault)
    with pytest.raises(IntegrityError) as caught:
        pull(session, name_at(plain_registry, session))
    assert caught.value.exit_status is ExitStatus.INTEGRITY
    assert plain_registry.host in str(caught.value)
    assert "local store" not in str(caught.value)
    assert fault.befell == 2


@pytest.mark.parametrize(("path", "raw"), PIECES)
@pytest.mark.parametrize("chunk", ["0", "10000"])
def test_a_copy_recovers_from_a_flipped_bit(
    tmp_path: Path, plain_registry: PlainRegistry, path: str, raw: bytes, chunk: str
) -> None:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    plain_registry.faults.append(flipped(path, raw))
    environ = {"GHCRCTL_RETRIES": "0", "GHCRCTL_UPLOAD_CHUNK": chunk}
    with (
        PlainRegistry() as target,
        session_on(tmp_path, registry=plain_registry.host, environ=environ) as session,
    ):
        name = session.parse(f"{target.host}/octo/copy:1.0")
        copy(session, name_at(plain_registry, session), name)
        there = session.repository(name)
        assert there.resolve("1.0").digest == IMAGE.root.digest
        assert Content(there, LAYER).open().read() == LAYER_BYTES


@pytest.mark.parametrize("kind", ["archive", "oci"])
def test_an_archive_recovers_from_a_flipped_bit(
    tmp_path: Path, plain_registry: PlainRegistry, kind: str
) -> None:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    plain_registry.faults.append(flipped(f"/blobs/{LAYER.digest}", LAYER_BYTES))
    shell = Shell(tmp_path)
    out = f"{kind}:{tmp_path / 'out'}"
    shell.ok("copy", f"{plain_registry.host}/octo/image:1.0", out)
    shell.ok("copy", out, f"{plain_registry.host}/octo/back:1.0")


@pytest.mark.parametrize(("path", "raw"), PIECES)
def test_reading_from_a_registry_recovers_from_a_flipped_bit(
    session: Session, plain_registry: PlainRegistry, path: str, raw: bytes
) -> None:
    wanted = ImageSelector(f"{plain_registry.host}/octo/image:1.0", is_remote=True)
    inside = [
        row for row in list_files(session, wanted, recursive=True) if row.member.kind is Kind.FILE
    ]
    plain_registry.faults.append(flipped(path, raw))
    with session_on(session.settings.home / "other", environ={"GHCRCTL_RETRIES": "0"}) as other:
        for row in inside:
            read: list[bytes] = []
            read_file(other, wanted, row.path, read.append)
            assert len(b"".join(read)) == row.member.size
    assert plain_registry.faults[-1].befell == 1


def test_a_corrupting_mirror_is_replaced_by_the_origin(
    tmp_path: Path, plain_registry: PlainRegistry, ghcr: RegistryDouble
) -> None:
    for registry in (plain_registry, ghcr):
        registry.push_image("octo/image", "1.0", IMAGE)
    plain_registry.faults.append(flipped(f"/blobs/{LAYER.digest}", LAYER_BYTES))
    environ = {"GHCRCTL_MIRRORS": f"{ghcr.host}={plain_registry.host}", "GHCRCTL_RETRIES": "0"}
    with session_on(tmp_path, registry=ghcr.host, token="ghp_octo", environ=environ) as session:
        pull(session, name_at(ghcr, session))
        assert is_stored(session, IMAGE)
    assert ghcr.count("GET", f"/blobs/{LAYER.digest}") > 0


@pytest.mark.parametrize("cut", [1, 5_000, 99_999])
def test_after_a_mirror_fails_the_next_source_continues(
    tmp_path: Path, plain_registry: PlainRegistry, ghcr: RegistryDouble, cut: int
) -> None:
    with PlainRegistry() as second:
        for registry in (plain_registry, second, ghcr):
            registry.push_image("octo/image", "1.0", IMAGE)
        plain_registry.faults.append(Fault("GET", "/blobs/", 99, cut_after=cut))
        second.faults.append(Fault("GET", f"/blobs/{LAYER.digest}", 99, cut_after=cut // 2))
        mirrors = [plain_registry.host, second.host]
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / "config.toml").write_text(
            f"[mirrors]\n{json.dumps(ghcr.host)} = {json.dumps(mirrors)}\n"
        )
        environ = {"GHCRCTL_RETRIES": "0"}
        with session_on(tmp_path, registry=ghcr.host, token="ghp_octo", environ=environ) as session:
            pull(session, name_at(ghcr, session))
            assert is_stored(session, IMAGE)


def test_a_persistently_wrong_manifest_is_requested_twice(
    session: Session, plain_registry: PlainRegistry
) -> None:
    fault = flipped("/manifests/", IMAGE.raw, times=99)
    plain_registry.faults.append(fault)
    repository = session.repository(name_at(plain_registry, session))
    with pytest.raises(DigestMismatchError, match=plain_registry.host):
        repository.resolve(str(IMAGE.root.digest))
    assert fault.befell == 2


def test_an_only_mirror_has_a_second_chance(
    session: Session, plain_registry: PlainRegistry
) -> None:
    nowhere = BlockedPlace("blocked.example/octo/image", RefusedError("it is blocked"))
    mirror = session.repository(name_at(plain_registry, session))
    source = MirroredSource([mirror], nowhere, print)
    fault = flipped(f"/blobs/{LAYER.digest}", LAYER_BYTES, times=2)
    plain_registry.faults.append(fault)
    with pytest.raises(DigestMismatchError, match=plain_registry.host):
        retry(lambda: Content(source, LAYER).open().read(), RetryPolicy(attempts=1))
    assert fault.befell == 2
